"""Every metric that asks a model, on a few real answers, with the local judge: do they work, at what cost?

The cases are the demo's: questions about listings and clauses, with the recorded answers of a small model to
its two prompts. Pairwise metrics compare those two.
"""

import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from importlib.resources import files
from statistics import fmean
from typing import Any

from assay.domain.datasets import Case
from assay.domain.errors import AssayError
from assay.domain.models import ModelResponse
from assay.domain.protocols import Judge, JudgedMetric
from assay.domain.scores import MetricConfig, Sample, Score
from assay.metrics.catalog import METRICS, make_any_metric
from metrics.local_model import LABEL, local_judges
from metrics.rows import Row

EVERY = 16
"""Of the demo's cases each so many is taken, so that the documents differ."""
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "faithfulness": {"max_claims": 4},
    "rubric": {"rubric": "Is the answer short and to the point?"},
    "g_eval": {"criteria": "The answer is correct by the expected facts and short."},
    "criteria": {"criteria": {"correct": "the answer is right", "short": "no needless words"}},
}
"""What metrics cannot do without, and a bound for small models, which repeat claims without end."""


def read_samples(count: int) -> list[Sample]:
    """The demo's cases with both recorded answers, one of them as the baseline."""
    folder = files("assay.demo")
    cases = [json.loads(line) for line in (folder / "cases.jsonl").read_text("utf-8").splitlines()]
    recorded = [json.loads(line) for line in (folder / "recordings.jsonl").read_text("utf-8").splitlines()]
    answers = {(row["prompt"], row["case"]): row["output"] for row in recorded}
    return [
        Sample(
            case=Case(
                key=case["id"],
                vars=case["vars"],
                expected=case["expected"],
                context=(case["vars"]["document"],),
            ),
            response=ModelResponse(text=answers["plain", case["id"]]),
            baseline=answers["extract", case["id"]],
        )
        for case in cases[::EVERY][:count]
    ]


async def tour(base_url: str, count: int) -> AsyncIterator[Row]:
    """A row for each judged metric of the catalog, as soon as it has judged its samples."""
    samples = read_samples(count)
    async with local_judges(base_url) as judges:
        for type_, entry in METRICS.items():
            if not entry.info.judged:
                continue
            config = MetricConfig(name=type_, type=type_, options=OPTIONS.get(type_, {}))
            try:
                metric = make_any_metric(config, (LABEL,))
            except AssayError as error:
                yield Row(name=type_, value="not made", note=str(error))
                continue
            if isinstance(metric, JudgedMetric):
                yield await _row(metric, samples, judges)


async def _row(metric: JudgedMetric, samples: list[Sample], judges: Mapping[str, Judge]) -> Row:
    started = time.perf_counter()
    scores = [await metric.judge(sample, judges) for sample in samples]
    return summary_row(metric.config.name, scores, time.perf_counter() - started)


def summary_row(name: str, scores: list[Score], seconds: float) -> Row:
    """States, mean, calls and time; every score has a reason, and only a scored one has a value."""
    states = Counter(score.state for score in scores)
    values = [score.value for score in scores if score.value is not None]
    mean = f"mean {fmean(values):.2f}, " if values else ""
    unscored = next((score.reason for score in scores if score.value is None), "")
    sound = all(score.reason and (score.value is not None) == (score.state == "scored") for score in scores)
    return Row(
        name=name,
        value=", ".join(f"{count} {state}" for state, count in states.items()),
        target="a state and a reason each",
        ok=sound,
        note=f"{mean}{sum(score.calls for score in scores)} calls, {seconds:.0f} s"
        + (f"; {unscored[:120]}" if unscored else ""),
    )
