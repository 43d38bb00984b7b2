"""Result files to hold against each other, written by the writers of the product."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.domain.models import ModelResponse, Usage
from assay.domain.results import Result
from assay.domain.scores import Score
from assay.formats.results import open_writer

Value = float | str | None
"""A score; a state without one ("failed", "abstained", "skipped"); None: the cell itself failed."""


def cell(number: int, scores: Mapping[str, Value], **more: Any) -> Result:
    """A cell of a case; `cost_usd` and `latency_ms` are what it took."""
    failed = None in scores.values()
    cost = more.pop("cost_usd", 0.001)
    response = ModelResponse(
        text="an answer",
        usage=Usage(input_tokens=10, output_tokens=5),
        latency_ms=more.pop("latency_ms", 100.0 + number % 7),
        cached=more.pop("cached", False),
    )
    values: dict[str, Any] = {
        "item_no": number,
        "case_no": number,
        "case": f"case-{number}",
        "prompt": "plain",
        "model": "small",
        "repeat": 0,
        "state": "failed" if failed else "succeeded",
        "vars": {"question": f"question {number}", "weight": 1.5},
        "expected": f"={number}",
        "response": None if failed else response,
        "scores": () if failed else tuple(_score(name, value) for name, value in scores.items()),
        "cost_nanousd": None if failed or cost is None else round(cost * 1e9),
        "error_code": "model_timeout" if failed else None,
    }
    return Result(**{**values, **more})


def _score(name: str, value: Value) -> Score:
    if isinstance(value, str):
        return Score(name, value, None, "a reason")  # type: ignore[arg-type]  # the tests name states
    return Score(name, "scored", value, "a reason", passed=value == 1.0)


def write_side(path: Path, results: Sequence[Result], *, job: Mapping[str, Any] | None = None) -> Path:
    """A result file in the format of its extension."""
    names = dict.fromkeys(score.metric for result in results for score in result.scores)
    with open_writer(path, metrics=list(names) or ["exact"], job=job) as writer:
        writer.write(results)
    return path


def passes(total: int, failing: int, *, metric: str = "exact", first: int = 0) -> list[Result]:
    """`total` cases of which some fail, beginning with number `first`."""
    return [
        cell(number, {metric: 0.0 if first <= number < first + failing else 1.0}) for number in range(total)
    ]
