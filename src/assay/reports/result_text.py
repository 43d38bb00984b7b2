"""One answer with all that is known of its scores, as text for a terminal."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from assay.domain.money import NANO
from assay.domain.results import Result
from assay.domain.scores import Score
from assay.reports.untrusted import one_line
from assay.reports.wording import plural

ANSWER_CHARS = 2_000
VALUE_CHARS = 300
INDENT = "  "


def result_text(result: Result) -> str:
    """The answer, then each score: state, value, reason, what it cost, and its evidence as a tree."""
    return "\n".join(_lines(result)) + "\n"


def _lines(result: Result) -> Iterator[str]:
    repeat = f" | repeat {result.repeat}" if result.repeat else ""
    yield f"{_line(result.case)} | {_line(result.prompt)} | {_line(result.model)}{repeat}"
    if result.response is None:
        why = f"{result.error_code or ''} {_line(result.error_message or '')}"
        yield f"{INDENT}{result.state}: {why}".rstrip()
        return
    text = result.response.text
    cut = "…" if len(text) > ANSWER_CHARS else ""
    yield from (f"{INDENT}| {_line(line)}" for line in (text[:ANSWER_CHARS] + cut).split("\n"))
    for score in result.scores:
        yield from _score(score)


def _score(score: Score) -> Iterator[str]:
    value = "" if score.value is None else f" {score.value:.4g}"
    passed = {True: ", passed", False: ", not passed", None: ""}[score.passed]
    yield f"{INDENT}{_line(score.metric)}: {score.state}{value}{passed}"
    yield f"{INDENT * 2}{_line(score.reason)}"
    if score.calls:
        cost = "at an unknown price" if score.cost_nanousd is None else f"${score.cost_nanousd / NANO:.6f}"
        yield f"{INDENT * 2}{plural(score.calls, 'judge call')}, {cost}"
    if score.evidence:
        yield from _tree(score.evidence, 2)


def _tree(value: Any, depth: int) -> Iterator[str]:
    """Mappings and lists as indented lines; what is a leaf as one line of JSON."""
    pairs = (
        value.items() if isinstance(value, Mapping) else ((f"{n + 1}.", item) for n, item in enumerate(value))
    )
    for name, item in pairs:
        label = f"{INDENT * depth}{_line(str(name))}"
        if isinstance(item, Mapping | list | tuple) and item:
            yield label
            yield from _tree(item, depth + 1)
        else:
            yield f"{label} {_leaf(item)}"


def _leaf(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return _line(text)


def _line(text: str) -> str:
    return one_line(text, VALUE_CHARS)
