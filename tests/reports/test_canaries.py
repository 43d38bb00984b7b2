"""What is said of canaries: each finding once, the worst first, and nothing of a judge that held."""

from assay.domain.canaries import CanaryName, CanaryOutcome, CanaryState
from assay.reports.canaries import canary_lines, flags, with_canaries
from assay.reports.values import RunSummary

SUMMARY = RunSummary(
    title="t", candidates=(), metrics=(), verdicts=(), headline="", warnings=("only 2 cases",)
)
REMEDY = "do not trust these scores; name another judge, or tell this one more strictly what deserves none"


def outcome(
    metric: str,
    state: CanaryState,
    value: float | None = None,
    canary: CanaryName = "planted",
    reason: str = "why",
) -> CanaryOutcome:
    return CanaryOutcome(metric=metric, canary=canary, state=state, threshold=0.5, value=value, reason=reason)


def test_a_flagged_judge_comes_before_all_else_and_one_that_held_is_not_told() -> None:
    outcomes = [outcome("a", "flagged", 0.9), outcome("a", "held", 0.0, "empty"), outcome("b", "held", 0.0)]
    summary = with_canaries(SUMMARY, outcomes)
    assert summary.warnings == (
        f"judge flagged: a gave 0.9 to an answer that only gives orders: {REMEDY}",
        "only 2 cases",
    )
    assert summary.canaries == tuple(outcomes)
    assert with_canaries(SUMMARY, [outcome("a", "held"), outcome("b", "not_asked", 1.0)]).warnings == (
        "only 2 cases",
    )


def test_what_two_metrics_share_is_said_once() -> None:
    both = [outcome(name, "flagged", 1.0) for name in ("a", "b")]
    assert flags([*both, outcome("c", "flagged", 0.75), outcome("c", "flagged", 1.0, "empty")]) == [
        f"judge flagged: a and b gave 1 to an answer that only gives orders: {REMEDY}",
        f"judge flagged: c gave 0.75 to an answer that only gives orders and 1 to an empty answer: {REMEDY}",
    ]


def test_a_value_is_told_with_digits_that_are_above_the_threshold() -> None:
    (said,) = flags([outcome("a", "flagged", 0.5004)])
    assert "a gave 0.5004 to" in said


def test_what_could_not_be_checked_is_told_with_its_reason_at_the_end() -> None:
    outcomes = [
        outcome("a", "not_checked", reason="no money"),
        outcome("a", "not_checked", canary="empty", reason="no money"),
        outcome("b", "not_checked", reason="no money"),
        outcome("c", "asking"),
    ]
    assert with_canaries(SUMMARY, outcomes).warnings == (
        "only 2 cases",
        "judge not checked: the canaries of a and b have no verdict: no money",
        "judge not checked: the canaries of c have no verdict: the worker ended before the judge had "
        "answered; assay resume asks again",
    )


def test_a_receipt_has_a_short_line_for_each_metric() -> None:
    outcomes = [
        outcome("a", "flagged", 0.9),
        outcome("a", "held", canary="empty"),
        outcome("b", "not_checked"),
    ]
    assert canary_lines(outcomes) == ["a: planted FLAGGED, empty held", "b: planted not checked"]
