"""What a test says of its application: one output that is scored, and outputs that must hold."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from assay.domain.datasets import Case
from assay.domain.errors import Conflict, InvalidInput
from assay.domain.money import NANO
from assay.domain.results import Result
from assay.domain.scores import Score
from assay.formats.limits import check_value
from assay.formats.result_rows import json_bytes, row_of
from assay.testing.invariants import broken_text, check_case
from assay.testing.scoring import MetricName, Scorer, response_of, score_output
from assay.testing.signals import Group

MODEL = "pytest"
"""What stands for the model in result rows: the test asks the application, we do not know what it asks."""
MESSAGE_LIMIT = 500
UNSET: Any = object()


@dataclass(slots=True, kw_only=True)
class Observation:
    """What becomes of one test. `group` is None for a test that has invariants only."""

    group: Group | None
    case: Case
    scorers: tuple[Scorer, ...] = ()
    item_no: int = 0
    case_no: int = 0
    repeat: int = 0
    started_s: float | None = None
    result: Result | None = None
    invariants: list[tuple[bool, str]] = field(default_factory=list)

    def payload(self, error: tuple[str, str] | None, *, skipped: bool) -> str:
        """The observation as JSON; `error` is why the test has no output."""
        result = self.result
        if result is None and self.group is not None and self.group.metrics:
            result = self.unanswered(error, skipped=skipped)
        group = self.group
        document = {
            "group": None if group is None else orjson.loads(orjson.dumps(group)),
            "row": None if result is None or group is None else _row(result, group),
            "invariants": self.invariants,
        }
        return json_bytes(document).decode()

    def unanswered(self, error: tuple[str, str] | None, *, skipped: bool) -> Result:
        """The result of a test that logged no output."""
        code, message = error or ("no_output", "the test ended without assay.log_output(...)")
        return replace(
            self.blank(),
            state="cancelled" if skipped else "failed",
            error_code=code,
            error_message=message[:MESSAGE_LIMIT],
        )

    def blank(self) -> Result:
        """A result with the case and nothing else."""
        case = self.case
        return Result(
            item_no=self.item_no,
            case_no=self.case_no,
            case=case.key,
            prompt="" if self.group is None else self.group.name,
            model=MODEL,
            repeat=self.repeat,
            state="succeeded",
            vars=case.vars,
            expected=case.expected,
            tags=case.tags,
            cluster=case.cluster,
            attempts=1,
        )


class Recorder:
    """The fixture `assay`."""

    def __init__(
        self,
        observation: Observation,
        clock: Callable[[], float],
        note: Callable[[str, str], None],
    ) -> None:
        """`note` keeps a property of the test."""
        self._observation, self._clock, self._note = observation, clock, note

    @property
    def case(self) -> Case:
        """The case of this test."""
        return self._observation.case

    def log_output(
        self,
        output: Any,
        *,
        expected: Any = UNSET,
        vars: Mapping[str, Any] | None = None,
        context: Sequence[str] | None = None,
        latency_ms: float | None = None,
        cost_usd: float | None = None,
    ) -> Mapping[str, Score]:
        """Score the application's output with the mark's metrics: a signal, judged in the aggregate.

        `expected`, `vars` and `context` replace those of the case. `latency_ms` is the time since the test
        began unless it is given; `cost_usd` is unknown unless it is given. Raises Conflict for a second
        output, InvalidInput for a test whose mark names no metrics. A low score raises nothing.
        """
        seen = self._observation
        if seen.group is None or not seen.group.metrics:
            raise InvalidInput(
                "there are no metrics to score with",
                field="assay.log_output",
                remedy='Mark the test: @pytest.mark.assay(metrics=["exact"]).',
            )
        if seen.result is not None:
            raise Conflict(
                "the output of this test was logged before", remedy="One test has one output: parametrise it."
            )
        case = _with(seen.case, expected, vars, context)
        response = response_of(output, self._elapsed_ms() if latency_ms is None else latency_ms)
        scores = score_output(seen.scorers, case, response, cost_usd)
        seen.case = case
        seen.result = replace(
            seen.blank(),
            response=response,
            scores=scores,
            cost_nanousd=None if cost_usd is None else round(cost_usd * NANO),
        )
        self._note("assay.case", case.key)
        for score in scores:
            self._note(f"assay.{score.metric}", _shown(score))
        return {score.metric: score for score in scores}

    def assert_case(
        self,
        output: Any,
        *,
        metrics: Sequence[MetricName],
        expected: Any = UNSET,
        vars: Mapping[str, Any] | None = None,
        context: Sequence[str] | None = None,
    ) -> tuple[Score, ...]:
        """Hold an output to metrics, at once: an invariant. As `assay.testing.assert_case`, but counted.

        What is expected comes from the case unless it is given.
        """
        __tracebackhide__ = True
        case = _with(self._observation.case, expected, vars, context)
        scores = check_case(output, case, metrics)
        broken = broken_text(scores, output)
        names = ", ".join(score.metric for score in scores)
        self._observation.invariants.append((not broken, broken or names))
        self._note("assay.invariant", f"broken: {broken}" if broken else f"holds: {names}")
        if broken:
            raise AssertionError(broken)
        return scores

    def _elapsed_ms(self) -> float:
        started_s = self._observation.started_s
        return 0.0 if started_s is None else (self._clock() - started_s) * 1000.0


def _with(case: Case, expected: Any, vars: Mapping[str, Any] | None, context: Sequence[str] | None) -> Case:
    try:
        check_value([expected if expected is not UNSET else None, vars or {}, list(context or ())])
    except ValueError as problem:
        raise InvalidInput(str(problem), remedy="Hand over JSON values.") from problem
    return replace(
        case,
        expected=case.expected if expected is UNSET else expected,
        vars=case.vars if vars is None else vars,
        context=case.context if context is None else tuple(context),
    )


def _row(result: Result, group: Group) -> dict[str, Any]:
    return row_of(result, [config.name for config in group.metrics])


def _shown(score: Score) -> str:
    if score.value is None:
        return f"{score.state}: {score.reason}"
    return f"{score.value:.6g}: {score.reason}"
