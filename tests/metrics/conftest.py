"""A short way to score one answer, as the suite's own path does it."""

from collections.abc import Callable
from typing import Any

import pytest

from assay.domain.datasets import Case
from assay.domain.models import Finish, ModelResponse
from assay.domain.scores import MetricConfig, Sample, Score
from assay.metrics.catalog import make_metric

ScoreOne = Callable[..., Score]


def _score(
    type_: str,
    answer: str | ModelResponse,
    expected: Any = None,
    *,
    threshold: float | None = None,
    finish: Finish = "complete",
    cost_usd: float | None = None,
    **options: Any,
) -> Score:
    metric = make_metric(MetricConfig(name="label", type=type_, options=options, threshold=threshold))
    response = ModelResponse(text=answer, finish=finish) if isinstance(answer, str) else answer
    sample = Sample(case=Case(key="1", vars={}, expected=expected), response=response, cost_usd=cost_usd)
    (score,) = metric.score_batch([sample])
    return score


@pytest.fixture(scope="session")
def score() -> ScoreOne:
    """score(type, answer or response, expected, threshold=..., finish=..., cost_usd=..., **options)."""
    return _score
