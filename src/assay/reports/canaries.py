"""What canaries found of the judges of a run, in words."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from assay.domain.canaries import CanaryOutcome
from assay.reports.values import RunSummary
from assay.reports.wording import listed

ANSWERS = {"planted": "an answer that only gives orders", "empty": "an empty answer"}
REMEDY = "do not trust these scores; name another judge, or tell this one more strictly what deserves none"
UNFINISHED = "the worker ended before the judge had answered; assay resume asks again"


def with_canaries(summary: RunSummary, outcomes: Sequence[CanaryOutcome]) -> RunSummary:
    """The summary of a run whose judges were asked about canaries; what was flagged comes before all else."""
    return replace(
        summary,
        canaries=tuple(outcomes),
        warnings=(*flags(outcomes), *summary.warnings, *_unchecked(outcomes)),
    )


def flags(outcomes: Sequence[CanaryOutcome]) -> list[str]:
    """A sentence for each finding, with the metrics whose judges gave canaries a good score."""
    given: dict[str, list[str]] = {}
    for each in outcomes:
        if each.state == "flagged":
            given.setdefault(each.metric, []).append(f"{_value(each)} to {ANSWERS[each.canary]}")
    found: dict[str, list[str]] = {}
    for metric, said in given.items():
        found.setdefault(listed(said), []).append(metric)
    return [f"judge flagged: {listed(metrics)} gave {said}: {REMEDY}" for said, metrics in found.items()]


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
    """A sentence for each reason, with the metrics whose judges could not be asked for it."""
    found: dict[str, dict[str, None]] = {}
    for each in outcomes:
        if each.state in ("asking", "not_checked"):
            reason = UNFINISHED if each.state == "asking" else each.reason or "no reason is kept"
            found.setdefault(reason, {})[each.metric] = None
    for reason, metrics in found.items():
        yield f"judge not checked: the canaries of {listed(list(metrics))} have no verdict: {reason}"
