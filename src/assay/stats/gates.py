"""May the candidate replace the baseline? Evidence for passing and for failing, failures included.

Passing needs every check to pass, so that no p-value of passing needs a correction (an intersection-union
test): if one metric is truly worse than its margin, the gate passes with a probability of at most alpha.
Failing needs one check only, so that the p-values of failing are corrected over all checks (Holm).
Source: Berger (1982), Technometrics 24:295; Holm (1979).
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from assay.stats.arrays import FloatArray, IntArray, Kind, check_margin, check_probability
from assay.stats.errors import StatisticsError
from assay.stats.estimates import Interval
from assay.stats.multiplicity import holm
from assay.stats.paired import PairedDifference, UnknownDifference, paired_difference, paired_scores
from assay.stats.power import PairedVariance, noninferiority_cases
from assay.stats.ratios import relative_difference

Outcome = Literal["pass", "fail", "inconclusive"]
Doubt = Literal["noise", "failures", "looks", "unknown", "small", "coverage"]
"""Why a check is inconclusive: too few cases for its noise; cells without a score that could turn it; a loss
that does not hold after correction; no interval; too few cases for the method; too little was measured."""

# With fewer independent cases the t of a skewed measure is wrong up to 28% of the times instead of 5%.
FEWEST_OF_A_MEASURE = 30
# Failures of a measure have no bounds: with more of them than this share nothing is said.
LEAST_COVERAGE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SideScores:
    """One side of a metric by case: the sum of its scores, how many there are, and how many are missing."""

    total: FloatArray
    scored: IntArray
    missing: IntArray

    @property
    def mean(self) -> FloatArray:
        """Average score of a case; NaN where it has none."""
        means = np.full(self.total.size, np.nan)
        np.divide(self.total, self.scored, out=means, where=self.scored > 0)
        return means

    def imputed(self, value: float) -> FloatArray:
        """Average of a case with each missing score as `value`."""
        meant: IntArray = np.maximum(self.scored + self.missing, 1)
        averages: FloatArray = (self.total + value * self.missing) / meant
        return averages

    def at(self, places: IntArray) -> "SideScores":
        """Some of the cases."""
        return SideScores(total=self.total[places], scored=self.scored[places], missing=self.missing[places])


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRule:
    """What a metric is held to. `relative`: the margin is a share of the baseline's mean.

    `fail_on_any_loss`: fail what is certainly worse, though within the margin.
    """

    kind: Kind
    margin: float
    relative: bool = False
    lower_is_better: bool = False
    alpha: float = 0.05
    fail_on_any_loss: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GateEvidence:
    """What the scores of one metric say. `change` is candidate minus baseline, in the metric's own direction.

    `p_pass` and `p_fail` hold whatever the missing scores are: each is the larger one of the observed scores
    and of the worst (for passing) or best case (for failing). `bounds`: the lowest and highest end of the
    interval over these cases; None where nothing is missing or where the missing has no bounds.
    """

    change: Interval
    bounds: tuple[float, float] | None
    baseline_mean: float | None
    candidate_mean: float | None
    p_pass: float
    p_fail: float
    observed_p_pass: float
    observed_p_fail: float
    case_variance: float | None
    doubt: Doubt | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDecision:
    """The outcome of one check. `cases_needed`: cases with which it would be decided with 80% power."""

    outcome: Outcome
    doubt: Doubt | None
    p_pass: float
    p_fail_adjusted: float
    cases_needed: int | None


def weigh(
    baseline: SideScores, candidate: SideScores, rule: GateRule, clusters: IntArray | None = None
) -> GateEvidence:
    """The evidence of one metric; the sides are aligned by case, repeats are averaged within it.

    Scores in [0, 1] that are missing are bounded: for passing they count as 0 for the candidate and 1 for the
    baseline, for failing the other way round. Raises StatisticsError for scores out of their range.
    """
    check_margin(rule.margin)
    check_probability(rule.alpha, "alpha")
    if baseline.total.size != candidate.total.size:
        raise StatisticsError("the sides have different numbers of cases: pair them first")
    both = np.flatnonzero((baseline.scored > 0) & (candidate.scored > 0))
    groups = None if clusters is None else clusters[both]
    base, cand = baseline.at(both).mean, candidate.at(both).mean
    seen = _difference(base, cand, rule, groups)
    evidence = _observed(seen, rule, base, cand)
    missing = int(baseline.missing.sum() + candidate.missing.sum())
    if rule.kind == "real":
        return _without_bounds(evidence, seen, (baseline, candidate))
    return evidence if not missing else _bounded(evidence, (baseline, candidate), rule, clusters)


def decide(evidence: list[GateEvidence], rules: list[GateRule]) -> list[GateDecision]:
    """The outcomes of all checks of a gate together, in their order."""
    if not evidence:
        return []
    adjusted = holm([each.p_fail for each in evidence])
    return [_decision(each, rule, float(p)) for each, rule, p in zip(evidence, rules, adjusted, strict=True)]


def worst_of(outcomes: list[Outcome]) -> Outcome:
    """fail if any fails, else inconclusive if any is, or if there are none; else pass."""
    if "fail" in outcomes:
        return "fail"
    return "pass" if outcomes and set(outcomes) == {"pass"} else "inconclusive"


def _difference(
    base: FloatArray, cand: FloatArray, rule: GateRule, groups: IntArray | None
) -> PairedDifference:
    if rule.relative:
        return relative_difference(base, cand, groups)
    kind: Kind = "unit" if rule.kind == "binary" and not _is_binary(base, cand) else rule.kind
    return paired_difference(paired_scores(base, cand, kind, groups), cautious=True)


def _is_binary(*sides: FloatArray) -> bool:
    """Whether no case is an average of unequal passes."""
    return all(bool(np.all((side == 0.0) | (side == 1.0))) for side in sides)


def _observed(seen: PairedDifference, rule: GateRule, base: FloatArray, cand: FloatArray) -> GateEvidence:
    p_pass, p_fail = _p_values(seen, rule)
    return GateEvidence(
        change=seen.interval(1.0 - 2.0 * rule.alpha),
        bounds=None,
        baseline_mean=float(base.mean()) if base.size else None,
        candidate_mean=float(cand.mean()) if cand.size else None,
        p_pass=p_pass,
        p_fail=p_fail,
        observed_p_pass=p_pass,
        observed_p_fail=p_fail,
        case_variance=seen.case_variance(),
        doubt="unknown" if isinstance(seen, UnknownDifference) else None,
    )


def _p_values(seen: PairedDifference, rule: GateRule) -> tuple[float, float]:
    """Of passing (H0: worse by the margin or more) and of failing (H0: not worse than it, or than 0)."""
    null = 0.0 if rule.fail_on_any_loss else rule.margin
    if rule.lower_is_better:
        return seen.p_below(rule.margin), seen.p_above(null)
    return seen.p_above(-rule.margin), seen.p_below(-null)


def _bounded(
    evidence: GateEvidence, sides: tuple[SideScores, SideScores], rule: GateRule, clusters: IntArray | None
) -> GateEvidence:
    """With the missing scores at their worst for the candidate, and at their best."""
    baseline, candidate = sides
    bad, good = (1.0, 0.0) if rule.lower_is_better else (0.0, 1.0)
    meant = np.flatnonzero(
        (baseline.scored + baseline.missing > 0) & (candidate.scored + candidate.missing > 0)
    )
    base, cand = baseline.at(meant), candidate.at(meant)
    groups = None if clusters is None else clusters[meant]
    worst = _difference(base.imputed(good), cand.imputed(bad), rule, groups)
    best = _difference(base.imputed(bad), cand.imputed(good), rule, groups)
    intervals = [each.interval(1.0 - 2.0 * rule.alpha) for each in (worst, best)]
    lows = [each.low for each in intervals if each.low is not None]
    highs = [each.high for each in intervals if each.high is not None]
    return replace(
        evidence,
        bounds=(min(lows), max(highs)) if lows and highs else None,
        p_pass=max(evidence.p_pass, _p_values(worst, rule)[0]),
        p_fail=max(evidence.p_fail, _p_values(best, rule)[1]),
    )


def _without_bounds(
    evidence: GateEvidence, seen: PairedDifference, sides: tuple[SideScores, SideScores]
) -> GateEvidence:
    """A measure may be anything where it is missing, and its t needs cases: otherwise nothing is said."""
    if isinstance(seen, UnknownDifference):
        return evidence
    covered = min(_coverage(side) for side in sides)
    units = evidence.change.clusters or evidence.change.n
    doubt: Doubt | None = None
    if covered < LEAST_COVERAGE:
        doubt = "coverage"
    elif units < FEWEST_OF_A_MEASURE:
        doubt = "small"
    if doubt is None:
        return evidence
    return replace(evidence, p_pass=1.0, p_fail=1.0, doubt=doubt)


def _coverage(side: SideScores) -> float:
    meant = int(side.scored.sum() + side.missing.sum())
    return int(side.scored.sum()) / meant if meant else 0.0


def _decision(evidence: GateEvidence, rule: GateRule, p_fail_adjusted: float) -> GateDecision:
    outcome: Outcome = "inconclusive"
    if p_fail_adjusted <= rule.alpha:
        outcome = "fail"
    elif evidence.p_pass <= rule.alpha:
        outcome = "pass"
    doubt = None if outcome != "inconclusive" else _doubt(evidence, rule.alpha)
    return GateDecision(
        outcome=outcome,
        doubt=doubt,
        p_pass=evidence.p_pass,
        p_fail_adjusted=p_fail_adjusted,
        cases_needed=_cases_needed(evidence, rule) if doubt in ("noise", "looks") else None,
    )


def _doubt(evidence: GateEvidence, alpha: float) -> Doubt:
    if evidence.doubt is not None:
        return evidence.doubt
    if evidence.observed_p_pass <= alpha < evidence.p_pass:
        return "failures"
    if evidence.observed_p_fail <= alpha < evidence.p_fail:
        return "failures"
    return "looks" if evidence.p_fail <= alpha else "noise"


def _cases_needed(evidence: GateEvidence, rule: GateRule, power: float = 0.8) -> int | None:
    """Cases that show what was seen so far: no loss beyond the margin, or one. A gain is not counted on."""
    estimate = evidence.change.estimate
    if evidence.case_variance is None or estimate is None:
        return None
    loss = max(0.0, estimate if rule.lower_is_better else -estimate)
    gap = abs(rule.margin - loss)
    if gap < 1e-9 * max(1.0, rule.margin):
        return None
    variance = PairedVariance(omega2=evidence.case_variance)
    return noninferiority_cases(variance, margin=gap, alpha=rule.alpha, power=power)
