"""What every metric promises, held against one of them: yours before it scores anything that counts."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeAlias

from assay.domain.datasets import Case
from assay.domain.protocols import Judge, JudgedMetric, Metric
from assay.domain.scores import MetricConfig, Sample, Score
from assay.metrics.catalog import METRICS, make_any_metric
from assay.testing.probes import ORDINARY, Probe, probes_for
from assay.testing.scoring import MetricName, metric_configs

AnyMetric: TypeAlias = Metric | JudgedMetric
NO_JUDGES: Mapping[str, Judge] = {}
STATES = ("scored", "failed", "abstained", "skipped")
SHOWN = 3
ROUNDING = 1e-6
"""How far two scores of one sample may lie apart: models in single precision round by the batch."""
OWN = ("python", "http")
"""Types whose failures are the user's own faults, not a limit that is documented."""

RULES: Mapping[str, str] = {
    "one score each": "gives one score for each answer, in their order",
    "no error": "raises nothing, and fails on no content",
    "values": "gives finite values in range, and only to scored answers",
    "reasons": "gives every score a reason",
    "evidence": "gives evidence that is JSON",
    "same score": "gives the same answer the same score",
    "alone": "gives an answer the same score alone as among others",
    "cases": "leaves case and answer as they are",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule of `RULES`, and what broke it."""

    rule: str
    found: str


def check_metric(
    metric: MetricName | MetricConfig | AnyMetric,
    *,
    case: Case = ORDINARY,
    judges: Mapping[str, Judge] = NO_JUDGES,
) -> None:
    """Hold a metric to the contract: AssertionError with all that it breaks.

    `metric` is a target ("my_metrics.py:polite"), a name of the catalog, or what a suite may say of one.
    `case` is one that it is meant for, if it reads variables or metadata. Not for use inside an event loop.
    Raises InvalidInput for a metric that cannot be made.
    """
    __tracebackhide__ = True
    made = metric_of(metric, judges)
    violations = find_violations(made, case=case, judges=judges)
    if violations:
        raise AssertionError(violations_text(made.config.name, violations))


def metric_of(metric: MetricName | MetricConfig | AnyMetric, judges: Mapping[str, Judge]) -> AnyMetric:
    """A metric, made from however it is named."""
    if isinstance(metric, str) and metric not in METRICS and ":" in metric:
        metric = MetricConfig(name=metric, type="python", options={"target": metric})
    elif isinstance(metric, str | Mapping):
        (metric,) = metric_configs([metric])
    if isinstance(metric, MetricConfig):
        return make_any_metric(metric, [label for label in judges if label != metric.name])
    return metric


def judges_of(metric: AnyMetric) -> tuple[str, ...]:
    """The labels of the judges that a metric asks; none for one that asks nobody."""
    return metric.judges if isinstance(metric, JudgedMetric) else ()


def find_violations(
    metric: AnyMetric, *, case: Case = ORDINARY, judges: Mapping[str, Judge] = NO_JUDGES
) -> list[Violation]:
    """All that a metric breaks. It is given each of the probes three times: twice with all, once alone."""
    probes = probes_for(case)
    samples = [probe.sample for probe in probes]
    before = deepcopy(samples)
    score = _scorer(metric, judges)
    first = _all_of(score, samples)
    if isinstance(first, Violation):
        alone = [_alone(score, probe) for probe in probes]
        return [first, *(each for each in alone if isinstance(each, Violation))]
    found = [violation for pair in zip(probes, first, strict=True) for violation in _broken(metric, *pair)]
    again = _all_of(score, samples)
    unsteady = [again] if isinstance(again, Violation) else list(_apart("same score", probes, first, again))
    alone = [_alone(score, probe) for probe in probes]
    found += [*unsteady, *(each for each in alone if isinstance(each, Violation))]
    if not unsteady:  # else it says nothing of the others that a score is another one alone
        found += _apart("alone", probes, first, alone)
    changed = (probe.name for probe, then, now in zip(probes, before, samples, strict=True) if then != now)
    return [*found, *(Violation("cases", f"{name} is not what it was") for name in changed)]


def violations_text(name: str, violations: Sequence[Violation]) -> str:
    """The broken rules, each with the first of what broke it."""
    rules = [rule for rule in RULES if any(each.rule == rule for each in violations)]
    lines = [f"{name} breaks {len(rules)} of {len(RULES)} rules:"]
    for rule in rules:
        found = [each.found for each in violations if each.rule == rule]
        lines += [f"  broken: {RULES[rule]}", *(f"    {each}" for each in shown_first(found))]
    return "\n".join(lines)


def shown_first(found: Sequence[str]) -> Sequence[str]:
    """The first few, and how many more there are."""
    more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return [*found[:SHOWN], *more]


Scorer: TypeAlias = Callable[[Sequence[Sample]], Any]


def _scorer(metric: AnyMetric, judges: Mapping[str, Judge]) -> Scorer:
    """How a batch is scored, in one colour: a metric of the event loop is given one of its own."""
    if not isinstance(metric, JudgedMetric):
        return metric.score_batch
    judged = metric

    async def all_of(samples: Sequence[Sample]) -> list[Score]:
        return [await judged.judge(sample, judges) for sample in samples]

    return lambda samples: asyncio.run(all_of(samples))


def _all_of(score: Scorer, samples: Sequence[Sample]) -> list[Any] | Violation:
    try:
        scores = list(score(samples))
    except Exception as error:
        return Violation("no error", f"on a batch: {_said(error)}")
    if len(scores) != len(samples):
        return Violation("one score each", f"{len(scores)} scores for {len(samples)} answers")
    return scores


def _alone(score: Scorer, probe: Probe) -> Score | Violation:
    try:
        found = list(score([probe.sample]))
    except Exception as error:
        return Violation("no error", f"on {probe.name}: {_said(error)}")
    if len(found) != 1 or not isinstance(found[0], Score):
        return Violation("one score each", f"on {probe.name}: {len(found)} scores for one answer")
    return found[0]


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def _broken(metric: AnyMetric, probe: Probe, score: Any) -> Iterator[Violation]:
    """What is wrong with one score."""
    if not isinstance(score, Score):
        yield Violation("one score each", f"on {probe.name}: a {type(score).__name__} and no score")
        return
    if score.metric != metric.config.name:
        yield Violation("one score each", f"on {probe.name}: a score of {score.metric!r}")
    if score.state == "failed" and metric.info.type in OWN:
        yield Violation("no error", f"on {probe.name}: {score.reason}")
    wrong = _wrong_value(metric, score)
    if wrong:
        yield Violation("values", f"on {probe.name}: {wrong}")
    if not isinstance(score.reason, str) or not score.reason.strip():
        yield Violation("reasons", f"on {probe.name}: no reason")
    try:
        json.dumps(score.evidence)
    except (TypeError, ValueError, RecursionError) as error:
        yield Violation("evidence", f"on {probe.name}: {error}"[:300])


def _wrong_value(metric: AnyMetric, score: Score) -> str | None:
    if score.state not in STATES:
        return f"the state {score.state!r} is none of {', '.join(STATES)}"
    if score.state != "scored":
        return None if score.value is None else f"{score.value!r} although it is {score.state}"
    value = score.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{value!r} is no number"
    if not isfinite(value):
        return f"{value} is not finite"
    outside = metric.info.kind != "measure" and not 0.0 <= value <= 1.0
    return f"{value:g} is outside [0, 1]" if outside else None


def _apart(
    rule: str, probes: Sequence[Probe], first: Sequence[Any], second: Sequence[Any]
) -> Iterator[Violation]:
    """The samples that two times got scores that differ in state or value."""
    for probe, here, there in zip(probes, first, second, strict=True):
        if isinstance(here, Score) and isinstance(there, Score) and not _same(here, there):
            yield Violation(rule, f"on {probe.name}: {_shown(here)}, then {_shown(there)}")


def _same(here: Score, there: Score) -> bool:
    if here.state != there.state or here.passed != there.passed:
        return False
    if not isinstance(here.value, int | float) or not isinstance(there.value, int | float):
        return here.value == there.value
    return bool(abs(here.value - there.value) <= ROUNDING or repr(here.value) == repr(there.value))


def _shown(score: Score) -> str:
    return f"{score.value:g}" if isinstance(score.value, int | float) else score.state
