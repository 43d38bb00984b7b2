"""What a gate found, as frozen values, and the sentences that say it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assay.domain.scores import MetricInfo
from assay.reports.wording import (
    NOTHING,
    digits_for,
    listed,
    measure,
    p_text,
    percent,
    plural,
    signed,
    signed_range,
    significant,
    value_text,
)
from assay.stats.estimates import Interval
from assay.stats.gates import FEWEST_OF_A_MEASURE, LEAST_COVERAGE, Doubt, Outcome

MINUS = "\N{MINUS SIGN}"
# Fewer pairs (or clusters) than these deserve a word, though the intervals hold.
FEW_CASES, FEW_CLUSTERS = 30, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSide:
    """One side of a check: its mean over the cases that both scored, and its cells, skipped ones apart."""

    mean: float | None
    scored: int
    planned: int
    missing: Mapping[str, int] = field(default_factory=dict)
    """Why cells have no score -> how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateCheck:
    """One metric of one candidate.

    `change` is candidate minus baseline (as a share of the baseline's mean where `relative`) with an interval
    of level 1 - 2 alpha, so that each end is a one-sided bound of level 1 - alpha. `bounds`: its outermost
    ends over all values that missing scores in [0, 1] could have.
    """

    candidate: str
    metric: str
    info: MetricInfo
    outcome: Outcome
    doubt: Doubt | None
    margin: float
    relative: bool
    baseline: GateSide
    tested: GateSide
    change: Interval
    bounds: tuple[float, float] | None
    p_pass: float
    p_fail_adjusted: float
    cases_needed: int | None

    @property
    def lower_is_better(self) -> bool:
        """Whether a rise is a loss."""
        return self.info.better == "lower"

    @property
    def more_cases(self) -> int | None:
        """How many cases beyond those that there are."""
        return None if self.cases_needed is None else max(0, self.cases_needed - self.change.n)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport:
    """A gate with its checks. `looks`: the checks over which failing was corrected."""

    candidate: str
    baseline: str
    outcome: Outcome
    checks: tuple[GateCheck, ...]
    notes: tuple[str, ...]
    alpha: float
    fail_on: str

    @property
    def sentence(self) -> str:
        """The outcome in a sentence."""
        return _sentence(self)

    @property
    def names_candidates(self) -> bool:
        """Whether a check must say which candidate it is of."""
        return len({check.candidate for check in self.checks}) > 1


def check_name(check: GateCheck, report: GateReport) -> str:
    """The metric, with its candidate where there are several."""
    return f"{check.metric} on {check.candidate}" if report.names_candidates else check.metric


def margin_text(check: GateCheck) -> str:
    """What may be lost: "0.02", "10%", "200 ms"."""
    if check.relative:
        return f"{100 * check.margin:g}%"
    return measure(check.margin, check.info.unit) if check.info.kind == "measure" else f"{check.margin:g}"


def change_text(check: GateCheck) -> str:
    """The change with its interval: "+0.03 [0.00, 0.06]", "+4.0% [1.1%, 7.0%]"."""
    interval = check.change
    if interval.estimate is None:
        return NOTHING
    if check.info.kind != "measure":
        return signed_range(interval)
    text = _amount(interval.estimate, check)
    if interval.low is None or interval.high is None:
        return text
    bounds = [_amount(end, check).removeprefix("+") for end in (interval.low, interval.high)]
    return f"{text} [{bounds[0]}, {bounds[1]}]"


def mean_text(side: GateSide, check: GateCheck) -> str:
    """A side's mean with its unit."""
    return value_text(side.mean, check.info, digits_for(check.change) if check.info.kind != "measure" else 2)


def reason_of(check: GateCheck) -> str:
    """Why the outcome is what it is, in words that begin after the metric's name."""
    if check.outcome == "pass":
        return (
            f"{change_text(check)} over {_basis(check)}: a loss of {margin_text(check)} or more is ruled out"
        )
    if check.outcome == "fail":
        return _failing(check)
    words = {
        "noise": _noise,
        "looks": _looks,
        "failures": _failures,
        "coverage": _coverage,
        "small": _small,
        "unknown": _unknown,
    }
    return words[check.doubt or "unknown"](check)


def remedy_of(check: GateCheck) -> str | None:
    """What to do about an inconclusive check."""
    if check.outcome != "inconclusive":
        return None
    missing = {**check.baseline.missing, **check.tested.missing}
    if check.doubt in ("failures", "coverage", "unknown") and missing:
        if "from the cache" in missing:
            return "Ask the models again: assay run --no-cache"
        return "Run the failed cells again: assay retry"
    if check.doubt in ("noise", "looks", "small"):
        return "Add cases: more repeats of the same ones help less."
    return None


def remedies_of(report: GateReport) -> list[str]:
    """What to do about the inconclusive checks, each once."""
    found = (remedy_of(check) for check in report.checks)
    return list(dict.fromkeys(remedy for remedy in found if remedy is not None))


def cautions_of(check: GateCheck) -> list[str]:
    """What to keep in mind of a check that has an interval."""
    found: list[str] = []
    if not check.change.estimable:
        return found
    if check.change.clusters is not None and check.change.clusters < FEW_CLUSTERS:
        found.append(f"only {check.change.clusters} clusters: the interval is a rough one")
    elif check.change.n < FEW_CASES:
        found.append(f"only {plural(check.change.n, 'case')} stand for all others")
    return found + _losses(check)


def gate_document(report: GateReport) -> dict[str, Any]:
    """The report as plain values, for JSON; what is not known is None."""
    return {
        "verdict": report.outcome,
        "sentence": report.sentence,
        "candidate": report.candidate,
        "baseline": report.baseline,
        "alpha": report.alpha,
        "fail_on": report.fail_on,
        "checks": [_check_values(check) for check in report.checks],
        "notes": list(report.notes),
    }


def _check_values(check: GateCheck) -> dict[str, Any]:
    return {
        "candidate": check.candidate,
        "metric": check.metric,
        "verdict": check.outcome,
        "doubt": check.doubt,
        "reason": reason_of(check),
        "remedy": remedy_of(check),
        "cautions": cautions_of(check),
        "kind": check.info.kind,
        "unit": check.info.unit,
        "better": check.info.better,
        "margin": check.margin,
        "relative": check.relative,
        "baseline": _side_values(check.baseline),
        "tested": _side_values(check.tested),
        "change": check.change.estimate,
        "low": check.change.low,
        "high": check.change.high,
        "level": check.change.level,
        "method": check.change.method,
        "n": check.change.n,
        "clusters": check.change.clusters,
        "bounds": check.bounds,
        "p_pass": check.p_pass,
        "p_fail_adjusted": check.p_fail_adjusted,
        "cases_needed": check.cases_needed,
        "more_cases": check.more_cases,
    }


def _side_values(side: GateSide) -> dict[str, Any]:
    coverage = side.scored / side.planned if side.planned else None
    return {
        "mean": side.mean,
        "scored": side.scored,
        "planned": side.planned,
        "coverage": coverage,
        "missing": dict(side.missing),
    }


def _sentence(report: GateReport) -> str:
    checks = report.checks
    by = {
        outcome: [check_name(check, report) for check in checks if check.outcome == outcome]
        for outcome in ("pass", "fail", "inconclusive")
    }
    if report.outcome == "pass":
        number = {1: "the one check", 2: "both checks"}.get(len(checks), f"all {len(checks)} checks")
        return f"Gate passed: {number} ruled out a loss of the margin or more."
    if report.outcome == "fail":
        loss = "worse" if report.fail_on == "any-loss" else "worse by more than the margin"
        rest = f" {len(by['inconclusive'])} inconclusive." if by["inconclusive"] else ""
        return f"Gate failed: certainly {loss} on {_few(by['fail'])}.{rest}"
    if not checks:
        return "Gate inconclusive: there was nothing to check."
    passed = f"{len(by['pass'])} of {len(checks)} passed"
    return f"Gate inconclusive: undecided on {_few(by['inconclusive'])}; {passed}."


def _few(names: list[str], limit: int = 3) -> str:
    if len(names) <= limit:
        return listed(names)
    return listed([*names[:limit], f"{len(names) - limit} more"])


def _failing(check: GateCheck) -> str:
    found = f"{change_text(check)} over {_basis(check)}"
    p = p_text(check.p_fail_adjusted)
    end = check.change.low if check.lower_is_better else check.change.high
    beyond = end is not None and (end > check.margin if check.lower_is_better else end < -check.margin)
    if beyond:
        return f"{found}: certainly worse by more than {margin_text(check)} ({p})"
    return f"{found}: certainly worse ({p}), and any loss fails this gate"


def _noise(check: GateCheck) -> str:
    text = (
        f"{change_text(check)} over {_basis(check)} leaves open whether a loss reaches {margin_text(check)}"
    )
    if check.cases_needed is None:
        return (
            f"{text}; the loss seen is as large as the margin, so that no number of cases is likely to tell"
        )
    return f"{text}; about {check.cases_needed:,} cases would tell ({check.more_cases or 0:,} more)"


def _looks(check: GateCheck) -> str:
    return (
        f"{change_text(check)} over {_basis(check)}: worse if it stood alone, but not after correction for "
        f"the checks of this gate ({p_text(check.p_fail_adjusted)})"
    )


def _failures(check: GateCheck) -> str:
    low, high = check.bounds or (None, None)
    reach = ""
    if low is not None and high is not None:
        reach = f"; with these as 0 or as 1 the change may be {signed(low)} to {signed(high)}"
    return f"{change_text(check)} over {_basis(check)} is not the whole: {listed(_losses(check))}{reach}"


def _coverage(check: GateCheck) -> str:
    return (
        f"{listed(_losses(check))}; a measure is judged when {percent(LEAST_COVERAGE)} of its cells are known"
    )


def _small(check: GateCheck) -> str:
    units = "clusters" if check.change.clusters is not None else "cases"
    there = check.change.clusters or check.change.n
    return (
        f"{change_text(check)} over {_basis(check)}: a measure needs at least {FEWEST_OF_A_MEASURE} "
        f"independent {units}, and there are {there}"
    )


def _unknown(check: GateCheck) -> str:
    lost = _losses(check)
    why = f" ({listed(lost)})" if lost else ""
    return f"cannot be judged: {check.change.reason or 'there is no interval'}{why}"


def _losses(check: GateCheck) -> list[str]:
    """What is missing on each side."""
    sides = ((check.tested, "candidate"), (check.baseline, "baseline"))
    return [_missing(side, name) for side, name in sides if side.missing]


def _missing(side: GateSide, name: str) -> str:
    lost = side.planned - side.scored
    why = listed([f"{number:,} {word}" for word, number in side.missing.items()])
    return f"{lost:,} of {side.planned:,} cells of the {name} have no score ({why})"


def _basis(check: GateCheck) -> str:
    text = plural(check.change.n, "case")
    return text if check.change.clusters is None else f"{text} in {plural(check.change.clusters, 'cluster')}"


def _amount(value: float, check: GateCheck) -> str:
    """A change of a measure with its sign: in per cent where relative, else in its unit."""
    if check.relative:
        return f"{signed(100 * value, 1)}%"
    text = measure(abs(value), check.info.unit) if check.info.unit else significant(abs(value))
    return f"{MINUS if value < 0 else '+' if value > 0 else ''}{text}"
