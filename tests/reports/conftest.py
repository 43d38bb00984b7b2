"""Runs to report on: small ones with known numbers, hostile ones, large ones."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from assay.domain.models import ModelResponse, Usage
from assay.domain.results import Result
from assay.domain.scores import MetricInfo, Score
from assay.reports.summary import CandidateData, MetricData, RunSummary, summarise

PAYLOADS = (
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    '"><img src=x onerror=alert(3)>',
    "' onmouseover='alert(4)",
    "<svg/onload=alert(5)>",
    "</title></style></textarea><iframe src=javascript:alert(6)>",
    "javascript:alert(7)",
    "[click](javascript:alert(8))",
    "![x](https://evil.example/p.png)",
    "<a href='data:text/html,<script>alert(9)</script>'>a</a>",
    "{{ 7*7 }}{% raw %}{{ config }}",
    "<!--><script>alert(10)//-->",
    "]]><script>alert(11)</script><![CDATA[",
    "a | b \\| c `x` ``` ~~~\n# head\n\n- item\n<details open>",
    "@everyone #1 www.evil.example https://evil.example me@evil.example",
    "\x1b[31mred\x1b[0m\x00\x07\ud800\u202egnp.exe\ufffe",
    "&lt;script&gt;&#60;script&#62;",
)


@pytest.fixture(scope="session")
def payloads() -> tuple[str, ...]:
    """Texts that would run, restyle, redirect or break a report that trusted them."""
    return PAYLOADS


@pytest.fixture(scope="session")
def info() -> Callable[..., MetricInfo]:
    """Make what the catalog says of a metric."""

    def make(kind: str = "binary", unit: str | None = None, better: str = "higher") -> MetricInfo:
        return MetricInfo(
            type=kind, version="1", kind=kind, summary="", needs=(), source="", unit=unit, better=better
        )

    return make


@pytest.fixture(scope="session")
def candidate() -> Callable[..., CandidateData]:
    """Make the counts of a candidate that answered everything, but for what is given."""

    def make(prompt: str = "plain", model: str = "small", planned: int = 40, **more: object) -> CandidateData:
        values = {"succeeded": planned, "input_tokens": 1000, "output_tokens": 200, "cost_nanousd": 5_000_000}
        return CandidateData(prompt=prompt, model=model, planned=planned, **{**values, **more})

    return make


@pytest.fixture(scope="session")
def metric(info: Callable[..., MetricInfo]) -> Callable[..., MetricData]:
    """Make the scores of a metric: `values` of cases 0, 1, 2, ... unless `case_no` is given."""

    def make(
        number: int, values: Sequence[float], name: str = "exact", kind: str = "binary", **more: object
    ) -> MetricData:
        numbers = np.asarray(more.pop("case_no", range(len(values))), dtype=np.int32)
        settings = {"planned": len(values), "info": info(kind), **more}
        return MetricData(
            candidate=number, metric=name, case_no=numbers, value=np.asarray(values, dtype=float), **settings
        )

    return make


@pytest.fixture(scope="session")
def run(
    candidate: Callable[..., CandidateData], metric: Callable[..., MetricData]
) -> Callable[..., RunSummary]:
    """Summarise a run of binary scores: one row of values a candidate."""

    def make(
        *rows: Sequence[float], names: Sequence[tuple[str, str]] = (), kind: str = "binary", **more: object
    ) -> RunSummary:
        named = names or [(f"prompt-{number}", "small") for number in range(len(rows))]
        candidates = [
            candidate(prompt, model, len(row), latency_ms=np.linspace(100.0, 900.0, len(row)))
            for (prompt, model), row in zip(named, rows, strict=True)
        ]
        metrics = [metric(number, row, kind=kind, threshold=1.0) for number, row in enumerate(rows)]
        settings = {"rng": np.random.default_rng(0), **more}
        return summarise(candidates, metrics, **settings)

    return make


@pytest.fixture(scope="session")
def result() -> Callable[..., Result]:
    """Make a cell that was answered and passed, but for what is given."""

    def make(number: int = 0, text: str = "42", passed: bool = True, **more: object) -> Result:
        values: dict[str, object] = {
            "item_no": number,
            "case_no": number,
            "case": f"case-{number}",
            "prompt": "prompt-0",
            "model": "small",
            "repeat": 0,
            "state": "succeeded",
            "response": ModelResponse(
                text=text, usage=Usage(input_tokens=10, output_tokens=2), latency_ms=1500.0
            ),
            "scores": (Score("exact", "scored", float(passed), "compared as text", passed=passed),),
            "cost_nanousd": 17_000,
        }
        return Result(**{**values, **more})

    return make
