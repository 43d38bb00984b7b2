"""The walk over a batch that all metrics share which look at one sample at a time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, NamedTuple

from assay.domain.models import Finish
from assay.domain.scores import MetricConfig, MetricInfo, Sample, Score, ScoreState
from assay.domain.text import valid_text
from assay.metrics.entry import MetricSpec

UNANSWERED: Mapping[Finish, str] = {
    "filtered": "the provider's content filter withheld the answer",
    "refused": "the model refused to answer",
    "paused": "the answer is not finished",
}
"""Classes of end that leave no answer to judge; `truncated` is judged, and the reason says so."""

ROUNDING = 1e-9
"""How far a unit score may leave [0, 1] by floating-point error before it counts as a fault."""


class Finding(NamedTuple):
    """A value with its reason and, where it helps, evidence."""

    value: float
    reason: str
    evidence: Mapping[str, Any] | None = None


class Unscored(NamedTuple):
    """Why there is no value."""

    state: ScoreState
    reason: str


Measure = Callable[[Sample], Finding | Unscored]
Compare = Callable[[str, tuple[str, ...]], Finding | Unscored]


@dataclass(frozen=True, slots=True)
class SampleMetric:
    """A metric that measures each sample by itself; an answer that ended in `unanswered` is abstained on."""

    info: MetricInfo
    config: MetricConfig
    measure: Measure
    unanswered: Mapping[Finish, str]

    def score_batch(self, samples: Sequence[Sample]) -> Sequence[Score]:
        """One score for each sample, in order."""
        return [self._score(sample) for sample in samples]

    def _score(self, sample: Sample) -> Score:
        why_not = self.unanswered.get(sample.response.finish)
        if why_not is not None:
            return Score(self.config.name, "abstained", None, why_not)
        try:
            found = self.measure(sample)
            if isinstance(found, Finding):
                return self._scored(found, sample.response.finish)
        except Exception as error:  # a fault on one answer costs that score, never the batch
            found = Unscored("failed", f"{type(error).__name__}: {error}"[:300])
        return Score(self.config.name, found.state, None, found.reason)

    def _scored(self, found: Finding, finish: Finish) -> Score:
        value, reason, evidence = found
        if self.info.kind != "measure":
            value = _in_unit(value)
        if not isfinite(value):
            return Score(self.config.name, "failed", None, f"the value is not a finite number: {value}")
        if finish == "truncated" and self.unanswered:
            reason += "; the answer was truncated"
        passed = has_passed(self.info, self.config, value)
        return Score(self.config.name, "scored", value, reason, passed, evidence)


def has_passed(info: MetricInfo, config: MetricConfig, value: float) -> bool | None:
    """Whether a value reaches the threshold; without one only binary metrics pass (at 1) or fail."""
    threshold = config.threshold
    if threshold is None:
        return value == 1.0 if info.kind == "binary" else None
    return value <= threshold if info.better == "lower" else value >= threshold


def _in_unit(value: float) -> float:
    """The value with rounding errors at the ends of [0, 1] removed."""
    if 0.0 <= value <= 1.0:
        return value
    if -ROUNDING <= value <= 1.0 + ROUNDING:
        return min(1.0, max(0.0, value))
    raise ArithmeticError(f"{value} is outside [0, 1]")


def sample_metric(
    spec: MetricSpec, measure: Measure, unanswered: Mapping[Finish, str] = UNANSWERED
) -> SampleMetric:
    """A metric from a function of one sample."""
    return SampleMetric(spec.info, spec.config, measure, unanswered)


def text_metric(spec: MetricSpec, compare: Compare) -> SampleMetric:
    """A metric from a function of the answer's text and the acceptable texts (at least one).

    The acceptable texts are the option `value` where the metric has it and it is set, else the case's
    `expected`; a case without them is skipped.
    """
    fixed = spec.options.get("value")

    def measure(sample: Sample) -> Finding | Unscored:
        accepted = accepted_texts(sample.case.expected if fixed is None else fixed)
        if isinstance(accepted, Unscored):
            return accepted
        return compare(valid_text(sample.response.text), accepted)

    return sample_metric(spec, measure)


def answer_metric(spec: MetricSpec, judge: Callable[[str], Finding | Unscored]) -> SampleMetric:
    """A metric from a function of the answer's text alone."""
    return sample_metric(spec, lambda sample: judge(valid_text(sample.response.text)))


def accepted_texts(expected: Any) -> tuple[str, ...] | Unscored:
    """The acceptable texts of `expected`: a text or number, or a list of them."""
    if type(expected) is str:
        return (valid_text(expected),)
    if expected is None:
        return Unscored("skipped", "the case has no expected text")
    if isinstance(expected, list | tuple):
        if not expected:
            return Unscored("skipped", "the case has an empty list of expected texts")
        if all(isinstance(item, str | int | float) for item in expected):
            return tuple(_as_text(item) for item in expected)
    elif isinstance(expected, str | int | float):
        return (_as_text(expected),)
    return Unscored("skipped", "expected is neither a text nor a list of texts")


def _as_text(value: str | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return valid_text(str(value))


def quote(text: str, limit: int = 60) -> str:
    """The start of a text in quotes on one line, for reasons."""
    return repr(text) if len(text) <= limit else f"{text[: limit - 1]!r}…"


def too_long(what: str, limit: int, remedy: str) -> Unscored:
    """The outcome for texts on which a metric would take unbounded time or memory."""
    return Unscored("failed", f"texts too long: {what} is over the limit of {limit:,}; {remedy}")
