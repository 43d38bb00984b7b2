"""Metrics of the catalog on texts, as a suite would use them."""

from collections.abc import Iterable, Mapping
from typing import Any

from assay.domain.datasets import Case
from assay.domain.models import ModelResponse
from assay.domain.scores import MetricConfig, Sample, Score
from assay.metrics.catalog import make_metric


def score_texts(
    type_: str, pairs: Iterable[tuple[str, Any]], options: Mapping[str, Any] | None = None
) -> list[Score]:
    """The scores of answers against what their cases expect, in order."""
    metric = make_metric(MetricConfig(name=type_, type=type_, options=options or {}))
    samples = [
        Sample(case=Case(key=str(number), vars={}, expected=expected), response=ModelResponse(text=text))
        for number, (text, expected) in enumerate(pairs)
    ]
    return list(metric.score_batch(samples))


def values_of(scores: Iterable[Score]) -> list[float]:
    """Their values; raises ValueError for one that has none."""
    values = []
    for score in scores:
        if score.value is None:
            raise ValueError(f"{score.metric} is {score.state}: {score.reason}")
        values.append(score.value)
    return values
