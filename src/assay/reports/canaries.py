"""What canaries found of the judges of a run, in words."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from assay.domain.canaries import CanaryOutcome
from assay.reports.values import RunSummary
from assay.reports.wording import listed

ANSWERS = {"planted": "an answer that only gives orders", "empty": "an empty answer"}
REMEDY = "do not trust its scores; name another judge, or tell this one more strictly what deserves none"
UNFINISHED = "its worker ended before the judge had answered: assay resume asks again"


def with_canaries(summary: RunSummary, outcomes: Sequence[CanaryOutcome]) -> RunSummary:
    """The summary of a run whose judges were asked about canaries; what was flagged comes before all else."""
    return replace(
        summary,
        canaries=tuple(outcomes),
        warnings=(*flags(outcomes), *summary.warnings, *_unchecked(outcomes)),
    )


def flags(outcomes: Sequence[CanaryOutcome]) -> list[str]:
    """A sentence for each metric whose judge gave a canary a good score."""
    found: dict[str, list[str]] = {}
    for each in outcomes:
        if each.state == "flagged" and each.value is not None:
            found.setdefault(each.metric, []).append(f"{_value(each)} to {ANSWERS[each.canary]}")
    return [f"judge flagged: {metric} gave {listed(given)}: {REMEDY}" for metric, given in found.items()]


def canary_lines(outcomes: Sequence[CanaryOutcome]) -> list[str]:
    """A short line for each metric, for the receipt of a report."""
    found: dict[str, list[str]] = {}
    for each in outcomes:
        state = "FLAGGED" if each.state == "flagged" else each.state.replace("_", " ")
        found.setdefault(each.metric, []).append(f"{each.canary} {state}")
    return [f"{metric}: {', '.join(states)}" for metric, states in found.items()]


def _value(outcome: CanaryOutcome) -> str:
    """With as many digits as it takes to be above the threshold."""
    value = outcome.value or 0.0
    short = f"{value:.2g}"
    return short if float(short) > outcome.threshold else f"{value:.6g}"


def _unchecked(outcomes: Sequence[CanaryOutcome]) -> Iterator[str]:
    """A sentence for each metric and reason."""
    found = {
        (each.metric, UNFINISHED if each.state == "asking" else each.reason or "no reason is kept")
        for each in outcomes
        if each.state in ("asking", "not_checked")
    }
    for metric, reason in sorted(found):
        yield f"judge not checked: the canaries of {metric} have no verdict: {reason}"
