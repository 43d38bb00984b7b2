"""The relative change of a mean on the same cases: what a margin of "10% dearer" is held against."""

import math
from dataclasses import dataclass

import numpy as np

from assay.stats.arrays import Labels, Numbers
from assay.stats.clusters import cluster_sums, mean_error
from assay.stats.distributions import t_cdf, t_quantile
from assay.stats.estimates import Interval, not_estimable
from assay.stats.paired import PairedDifference, UnknownDifference, paired_scores


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativeDifference:
    """mean(second - first) / mean(first) with Fieller's interval; `error_*` are those of the two means."""

    change: float
    base: float
    error_change: float
    error_base: float
    covariance: float
    df: float
    n: int
    clusters: int | None
    method: str

    def interval(self, level: float) -> Interval:
        """All ratios r for which mean(change - r * base) is not significantly different from 0."""
        quantile = t_quantile((1.0 + level) / 2.0, self.df)
        spread = quantile * quantile
        square = self.base**2 - spread * self.error_base**2
        if square <= 0.0:
            return not_estimable(
                "the baseline's mean is not certainly above 0: no relative change can be told",
                estimate=self.change / self.base,
                level=level,
                method=self.method,
                n=self.n,
                clusters=self.clusters,
            )
        middle = self.change * self.base - spread * self.covariance
        rest = self.change**2 - spread * self.error_change**2
        root = math.sqrt(max(0.0, middle * middle - square * rest))
        return Interval(
            estimate=self.change / self.base,
            low=(middle - root) / square,
            high=(middle + root) / square,
            level=level,
            method=self.method,
            n=self.n,
            df=self.df,
            clusters=self.clusters,
        )

    def p_above(self, null: float) -> float:
        """One-sided p of H0 "the relative change is at most `null`"."""
        return t_cdf(-self._statistic(null), self.df)

    def p_below(self, null: float) -> float:
        """One-sided p of H0 "the relative change is at least `null`"."""
        return t_cdf(self._statistic(null), self.df)

    def case_variance(self) -> float | None:
        """Variance that one case contributes to the ratio, clusters included."""
        variance = self._variance(self.change / self.base)
        return variance / self.base**2 * self.n if variance > 0.0 else None

    def _statistic(self, null: float) -> float:
        distance, variance = self.change - null * self.base, self._variance(null)
        if variance <= 0.0:
            return 0.0 if distance == 0.0 else math.copysign(math.inf, distance)
        return distance / math.sqrt(variance)

    def _variance(self, ratio: float) -> float:
        """Of mean(change - ratio * base)."""
        return self.error_change**2 - 2.0 * ratio * self.covariance + (ratio * self.error_base) ** 2


def relative_difference(a: Numbers, b: Numbers, clusters: Labels | None = None) -> PairedDifference:
    """How much larger the mean of `b` is than that of `a`, as a share of the latter; 0.1 is 10% more.

    Both means are uncertain, and the interval knows it (Fieller 1954); t with n - 1 degrees of freedom, in
    clusters CR2 with Satterthwaite's. Assumes independent cases (clusters), values that are not negative, and
    means near normal. Raises StatisticsError for missing or misaligned values.
    """
    pairs = paired_scores(a, b, "real", clusters)
    method = "fieller" if pairs.codes is None else "fieller_cr2"
    reason = _why_not(pairs.first, pairs.second, pairs.clusters)
    if reason is not None:
        return UnknownDifference(
            estimate=None, n=pairs.n, clusters=pairs.clusters, method=method, reason=reason
        )
    sums, sizes = cluster_sums(pairs.differences, pairs.codes)
    base_sums, _ = cluster_sums(pairs.first, pairs.codes)
    change, error_change, df = mean_error(sums, sizes)
    base, error_base, _ = mean_error(base_sums, sizes)
    _, error_both, _ = mean_error(sums + base_sums, sizes)
    return RelativeDifference(
        change=change,
        base=base,
        error_change=error_change,
        error_base=error_base,
        covariance=(error_both**2 - error_change**2 - error_base**2) / 2.0,
        df=df,
        n=pairs.n,
        clusters=pairs.clusters,
        method=method,
    )


def _why_not(first: Numbers, second: Numbers, clusters: int | None) -> str | None:
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.size < 2:
        return "fewer than two pairs" if a.size else "no pairs"
    if clusters == 1:
        return "all pairs come from one cluster: at least two are needed"
    if min(a.min(), b.min()) < 0.0:
        return "a value is negative: no relative change can be told"
    if not a.any():
        return "the baseline is 0 throughout: no relative change can be told"
    if float(np.ptp(b - a)) <= 1e-12 * float(np.abs(a).max()):
        return "all differences are equal: their spread is unknown"
    return None
