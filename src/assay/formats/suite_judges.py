"""The judges of a suite: those that it lists, and those that its metrics name otherwise."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.domain.models import ModelConfig
from assay.domain.scores import MetricConfig
from assay.formats.places import Problems
from assay.formats.suite_parts import build_models, is_model_id

OPTIONS = ("judge", "jury", "embedder")
"""Options of metrics that name models."""


def build_judges(
    value: Mapping[str, Any],
    parts: tuple[Sequence[ModelConfig], Sequence[MetricConfig]],
    folder: Path,
    environment: Mapping[str, str],
    problems: Problems,
) -> tuple[ModelConfig, ...]:
    """Those under `judges`, then those that metrics name: models of the suite by label, others by id.

    `parts` are the models and the metrics of the suite.
    """
    models, metrics = parts
    judges = list(build_models(value.get("judges", ()), folder, environment, problems, field="judges"))
    known = {judge.name for judge in judges}
    candidates = {model.name: model for model in models}
    for label in _named(metrics):
        if label in known:
            continue
        if label in candidates:
            judges.append(candidates[label])
        elif is_model_id(label):
            judges.extend(build_models([label], folder, environment, problems, field="judges"))
        known.add(label)
    for number, judge in enumerate(judges):
        if judge.fallbacks:
            problems.add(
                f"judges.{number}.fallbacks",
                "a judge that another stands in for measures something else",
                remedy="Name several judges as a `jury` of the metric.",
            )
    return tuple(judges)


def _named(metrics: Sequence[MetricConfig]) -> Iterator[str]:
    for metric in metrics:
        for option in OPTIONS:
            found = metric.options.get(option)
            for label in [found] if isinstance(found, str) else found or ():
                if isinstance(label, str):
                    yield label
