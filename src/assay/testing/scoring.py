"""One output, scored: metrics as a test names them, and what they say."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import orjson

from assay.domain.datasets import Case
from assay.domain.errors import AssayError, InvalidInput
from assay.domain.models import ModelResponse
from assay.domain.protocols import Metric
from assay.domain.scores import MetricConfig, Sample, Score
from assay.formats.places import Problems
from assay.formats.suite_check import check
from assay.formats.suite_parts import build_metrics
from assay.formats.suite_schema import SCHEMA
from assay.metrics.catalog import get_info, make_metric

MetricName: TypeAlias = str | Mapping[str, Any]
"""A metric in any form that suites have: "exact", {"rouge_l": {"threshold": 0.5}}, {"type": "exact", ...}."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """Metrics, ready. One whose library is missing is kept as the reason why it cannot score."""

    config: MetricConfig
    metric: Metric | None
    reason: str = ""

    def score(self, sample: Sample) -> Score:
        """The score of one sample; a metric that breaks is a failed score, never a number."""
        if self.metric is None:
            return Score(self.config.name, "failed", None, self.reason)
        try:
            (score,) = self.metric.score_batch([sample])
        except Exception as error:  # a fault of a metric costs that score, never the test
            return Score(self.config.name, "failed", None, f"{type(error).__name__}: {error}"[:300])
        return score


def metric_configs(metrics: Sequence[MetricName]) -> tuple[MetricConfig, ...]:
    """Metrics as a suite would read them. Raises InvalidInput for what is not one, or not in the catalog."""
    if isinstance(metrics, str | Mapping):
        raise InvalidInput("must be a list", field="metrics", remedy='Write metrics=["exact"].')
    if not metrics:
        return ()
    values = [dict(metric) if isinstance(metric, Mapping) else metric for metric in metrics]
    problems = Problems("metrics", {})
    check(values, SCHEMA["properties"]["metrics"], "metrics", problems)
    problems.raise_any()
    configs = build_metrics(values, problems)
    problems.raise_any()
    return configs


def make_scorers(configs: Iterable[MetricConfig]) -> tuple[Scorer, ...]:
    """Metrics for use. Raises InvalidInput for a wrong type, option or threshold."""
    return tuple(_scorer(config) for config in configs)


def _scorer(config: MetricConfig) -> Scorer:
    get_info(config.type)
    try:
        return Scorer(config, make_metric(config))
    except InvalidInput as problem:
        raise InvalidInput(
            problem.message, field=f"metrics.{config.name}.{problem.field}", remedy=problem.remedy
        ) from problem
    except AssayError as problem:
        return Scorer(config, None, str(problem))


def response_of(output: Any, latency_ms: float | None) -> ModelResponse:
    """What an application gave back: text as it is, anything else as JSON. Raises InvalidInput for None."""
    if isinstance(output, ModelResponse):
        return output if latency_ms is None else replace(output, latency_ms=latency_ms)
    if output is None:
        raise InvalidInput(
            "the output is None", field="output", remedy='An empty answer is "". Was the return forgotten?'
        )
    try:
        text = output if isinstance(output, str) else orjson.dumps(output).decode()
    except TypeError as problem:
        raise InvalidInput(
            f"a {type(output).__name__} is neither text nor JSON",
            field="output",
            remedy="Hand over its text.",
        ) from problem
    return ModelResponse(text=text, latency_ms=latency_ms or 0.0)


def score_output(
    scorers: Iterable[Scorer], case: Case, response: ModelResponse, cost_usd: float | None
) -> tuple[Score, ...]:
    """One score for each metric."""
    sample = Sample(case=case, response=response, cost_usd=cost_usd)
    return tuple(scorer.score(sample) for scorer in scorers)
