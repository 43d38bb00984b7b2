"""Several answers to the same case: average within the case first, the case is the unit of every statistic.

Pooling n cases x K answers as n K independent scores covers 72% instead of 95% at K = 10.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from assay.stats.arrays import FloatArray, IntArray, Labels, Numbers, finite_numbers, scores_of_kind
from assay.stats.errors import StatisticsError
from assay.stats.estimates import Interval
from assay.stats.intervals import score_interval


@dataclass(frozen=True, slots=True, eq=False)
class Repeats:
    """Scores by case, cases in order of first appearance.

    `means`, `counts` and `variances` (ddof 1, NaN for a case with one score) are aligned with `cases`.
    """

    cases: tuple[Hashable, ...]
    means: FloatArray
    counts: IntArray
    variances: FloatArray


@dataclass(frozen=True, slots=True)
class VarianceComponents:
    """Variance within a case (noise of answering) and between cases, and the error of the overall mean."""

    within: float
    between: float
    error: float
    cases: int


@dataclass(frozen=True, slots=True)
class CaseFlakiness:
    """One case: its answers, how many passed, and the chance that two answers to it disagree."""

    case: Hashable
    answers: int
    passes: int
    flake_rate: float | None


@dataclass(frozen=True, slots=True)
class PassOfK:
    """Chance that at least one (`at`) and that all (`hat`) of k answers pass, averaged over cases."""

    k: int
    at: Interval
    hat: Interval


def group_repeats(scores: Numbers, cases: Labels) -> Repeats:
    """Group flat `scores` by the case labels beside them; cases may have different numbers of repeats."""
    values = finite_numbers(scores)
    labels = cases.tolist() if isinstance(cases, np.ndarray) else list(cases)
    if len(labels) != values.size:
        raise StatisticsError(f"{len(labels)} case labels for {values.size} scores")
    seen: dict[Hashable, int] = {}
    codes = np.array([seen.setdefault(label, len(seen)) for label in labels], dtype=np.intp)
    counts = np.bincount(codes, minlength=len(seen))
    means = np.bincount(codes, weights=values, minlength=len(seen)) / counts
    squares = np.bincount(codes, weights=(values - means[codes]) ** 2, minlength=len(seen))
    variances = np.full(len(seen), np.nan)
    np.divide(squares, counts - 1, out=variances, where=counts > 1)
    return Repeats(tuple(seen), means, counts.astype(np.intp), variances)


def case_means(scores: Numbers, cases: Labels) -> tuple[tuple[Hashable, ...], FloatArray]:
    """The cases in order of first appearance and the mean score of each."""
    grouped = group_repeats(scores, cases)
    return grouped.cases, grouped.means


def variance_components(repeats: Repeats) -> VarianceComponents:
    """Method of moments: within = mean s_i^2, between = Var(case means) - within * mean(1/K_i), at least 0.

    The error of the mean is sqrt((between + within * mean(1/K_i)) / n). Needs two cases, one of them
    repeated. Source: Searle, Casella and McCulloch (1992), unweighted means; Miller (2024).
    """
    repeated = repeats.variances[repeats.counts > 1]
    n = repeats.means.size
    if n < 2 or repeated.size == 0:
        raise StatisticsError("variance components need two cases, one of them with repeats")
    within = float(repeated.mean())
    share = within * float(np.mean(1.0 / repeats.counts))
    between = max(0.0, float(repeats.means.var(ddof=1)) - share)
    return VarianceComponents(within, between, math.sqrt((between + share) / n), n)


def flaky_cases(passed: Sequence[bool] | Numbers, cases: Labels) -> tuple[Hashable, ...]:
    """Cases that both passed and failed over their repeats.

    Finds 66/86/97% of the cases with a pass rate between .2 and .8 at 3/5/10 repeats.
    """
    grouped = group_repeats(scores_of_kind(passed, "binary", "passed"), cases)
    mixed = (grouped.means > 0.0) & (grouped.means < 1.0)
    return tuple(case for case, flaky in zip(grouped.cases, mixed, strict=True) if flaky)


def flake_rates(passed: Sequence[bool] | Numbers, cases: Labels) -> tuple[CaseFlakiness, ...]:
    """How often two answers to the same case disagree, by case: 2 c (K - c) / (K (K - 1)).

    Unbiased for 2 p (1 - p), the case's pass rate being p; at most 1/2 in the long run, so .32 means 8 passes
    in 10. None for a case with one answer.
    """
    grouped = group_repeats(scores_of_kind(passed, "binary", "passed"), cases)
    passes = np.rint(grouped.means * grouped.counts).astype(int).tolist()
    found = zip(grouped.cases, grouped.counts.tolist(), passes, strict=True)
    return tuple(
        CaseFlakiness(case, n, c, 2.0 * c * (n - c) / (n * (n - 1)) if n > 1 else None)
        for case, n, c in found
    )


def pass_of_k(
    passed: Sequence[bool] | Numbers, cases: Labels, k: int, *, clusters: Labels | None = None
) -> PassOfK:
    """pass@k and pass^k of a run: the unbiased value of each case, then their mean and its interval by case.

    `clusters` are aligned with the cases in order of first appearance. Raises StatisticsError when a case has
    fewer than k answers: plugging in the pass rate would be too low for pass@k and too high for pass^k.
    """
    found = flake_rates(passed, cases)
    at = [pass_at_k(case.answers, case.passes, k) for case in found]
    hat = [pass_hat_k(case.answers, case.passes, k) for case in found]
    intervals = (score_interval(values, kind="unit", clusters=clusters) for values in (at, hat))
    return PassOfK(k, *intervals)


def pass_at_k(n: int, c: int, k: int) -> float:
    """Chance that at least one of k answers passes, unbiased from c passes in n: 1 - C(n-c, k) / C(n, k).

    Raises StatisticsError for k > n. Source: Chen et al. (2021), arXiv:2107.03374.
    """
    _check_counts(n, c, k)
    return 1.0 - math.comb(n - c, k) / math.comb(n, k)


def pass_hat_k(n: int, c: int, k: int) -> float:
    """Chance that all of k answers pass, unbiased from c passes in n: C(c, k) / C(n, k).

    Raises StatisticsError for k > n. Source: Yao et al. (2024), tau-bench, arXiv:2406.12045.
    """
    _check_counts(n, c, k)
    return math.comb(c, k) / math.comb(n, k)


def _check_counts(n: int, c: int, k: int) -> None:
    if not 0 <= c <= n:
        raise StatisticsError(f"{c} passes of {n} answers are impossible")
    if not 1 <= k <= n:
        raise StatisticsError(f"k = {k} needs at least as many answers a case; there are {n}")
