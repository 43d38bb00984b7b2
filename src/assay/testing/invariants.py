"""Invariants: what must hold for one output, at once. Signals are scored and judged in the aggregate."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput
from assay.domain.scores import MetricConfig, Score
from assay.metrics.catalog import get_info
from assay.testing.scoring import MetricName, make_scorers, metric_configs, response_of, score_output

SHOWN = 200


def assert_case(
    output: Any,
    *,
    metrics: Sequence[MetricName],
    expected: Any = None,
    vars: Mapping[str, Any] | None = None,
    context: Sequence[str] = (),
) -> tuple[Score, ...]:
    """Hold an output to metrics: AssertionError unless each of them passes.

    A metric passes at its threshold, a binary one at 1 without it. One that gives no score (it failed,
    abstained, or lacks what it needs) does not pass. Raises InvalidInput for a graded one without threshold.
    """
    __tracebackhide__ = True
    case = Case(key="case", vars=vars or {}, expected=expected, context=tuple(context))
    scores = check_case(output, case, metrics)
    broken = broken_text(scores, output)
    if broken:
        raise AssertionError(broken)
    return scores


def check_case(output: Any, case: Case, metrics: Sequence[MetricName]) -> tuple[Score, ...]:
    """The scores of an output on metrics that can all pass or fail."""
    configs = metric_configs(metrics)
    if not configs:
        raise InvalidInput("name at least one metric", field="metrics")
    _need_thresholds(configs)
    return score_output(make_scorers(configs), case, response_of(output, None), None)


def broken_text(scores: Iterable[Score], output: Any) -> str:
    """What does not hold, a line each; empty where all does."""
    lines = [_line(score) for score in scores if score.passed is not True]
    if not lines:
        return ""
    shown = repr(output)
    cut = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"
    return "\n".join([*lines, f"output: {cut}"])


def _line(score: Score) -> str:
    if score.state != "scored":
        return f"{score.metric} gave no score ({score.state}): {score.reason}"
    return f"{score.metric} does not hold: {score.value:.6g}, {score.reason}"


def _need_thresholds(configs: Iterable[MetricConfig]) -> None:
    for config in configs:
        if config.threshold is None and get_info(config.type).kind != "binary":
            raise InvalidInput(
                "without a threshold it cannot pass or fail",
                field=f"metrics.{config.name}",
                remedy=f'Write {{"{config.type}": {{"threshold": 0.5}}}}, or score it as a signal.',
            )
