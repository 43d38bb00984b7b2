"""The difference of paired scores: its interval at any level and its one-sided tests."""

import math
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from assay.stats.arrays import (
    FloatArray,
    IntArray,
    Kind,
    Labels,
    Numbers,
    check_margin,
    check_probability,
    cluster_codes,
    scores_of_kind,
)
from assay.stats.clusters import cluster_sums, mean_error
from assay.stats.discordance import tango_interval, tango_score
from assay.stats.distributions import normal_cdf, normal_quantile, t_cdf, t_quantile
from assay.stats.errors import StatisticsError
from assay.stats.estimates import Interval, not_estimable


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Aligned scores of two sides on the same cases; `codes` None when no cases share a source."""

    first: FloatArray
    second: FloatArray
    kind: Kind
    codes: IntArray | None

    @property
    def n(self) -> int:
        """Number of pairs."""
        return self.first.size

    @property
    def differences(self) -> FloatArray:
        """Second minus first."""
        return self.second - self.first

    @property
    def clusters(self) -> int | None:
        """Number of clusters, None when each pair is one."""
        return None if self.codes is None else int(self.codes.max()) + 1

    @property
    def discordant(self) -> tuple[int, int]:
        """Gains and losses of pass/fail scores."""
        differences = self.differences
        return int(np.count_nonzero(differences > 0)), int(np.count_nonzero(differences < 0))


class PairedDifference(Protocol):
    """What the tests need to know of a difference."""

    def interval(self, level: float) -> Interval:
        """Two-sided interval."""
        ...

    def p_above(self, null: float) -> float:
        """One-sided p of H0 "the difference is at most `null`"."""
        ...

    def p_below(self, null: float) -> float:
        """One-sided p of H0 "the difference is at least `null`"."""
        ...

    def case_variance(self) -> float | None:
        """Variance that one case contributes, clusters included; None if unknown."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentDifference:
    """Mean difference with a t reference; `centre` is the estimate but for the plus-two variant."""

    estimate: float
    centre: float
    error: float
    df: float
    n: int
    clusters: int | None
    method: str
    limit: float

    def interval(self, level: float) -> Interval:
        """centre +- t * error, inside +-limit."""
        half = t_quantile((1.0 + level) / 2.0, self.df) * self.error
        low, high = max(-self.limit, self.centre - half), min(self.limit, self.centre + half)
        return Interval(
            estimate=self.estimate,
            low=min(low, self.estimate),
            high=max(high, self.estimate),
            level=level,
            method=self.method,
            n=self.n,
            df=self.df,
            clusters=self.clusters,
        )

    def p_above(self, null: float) -> float:
        """Upper tail of t."""
        return t_cdf((null - self.centre) / self.error, self.df)

    def p_below(self, null: float) -> float:
        """Lower tail of t."""
        return t_cdf((self.centre - null) / self.error, self.df)

    def case_variance(self) -> float | None:
        """error^2 n."""
        return self.error**2 * self.n


@dataclass(frozen=True, slots=True)
class TangoDifference:
    """Difference of paired pass rates with Tango's score reference."""

    gains: int
    losses: int
    n: int

    def interval(self, level: float) -> Interval:
        """Tango's interval."""
        return tango_interval(self.gains, self.losses, self.n, level=level)

    def p_above(self, null: float) -> float:
        """Upper tail of the score."""
        return normal_cdf(-tango_score(self.gains, self.losses, self.n, null))

    def p_below(self, null: float) -> float:
        """Lower tail of the score."""
        return normal_cdf(tango_score(self.gains, self.losses, self.n, null))

    def case_variance(self) -> float | None:
        """With one gain, one loss and two cases added (Bonett and Price), so that it is never 0."""
        gain, loss = (self.gains + 1.0) / (self.n + 2.0), (self.losses + 1.0) / (self.n + 2.0)
        return gain + loss - (gain - loss) ** 2


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownDifference:
    """A difference without a measurable spread: no interval, no evidence."""

    estimate: float | None
    n: int
    clusters: int | None
    method: str
    reason: str

    def interval(self, level: float) -> Interval:
        """Not estimable, with the reason."""
        return not_estimable(
            self.reason,
            estimate=self.estimate,
            level=level,
            method=self.method,
            n=self.n,
            clusters=self.clusters,
        )

    def p_above(self, null: float) -> float:  # noqa: ARG002 - one answer for every null
        """1: nothing is shown."""
        return 1.0

    def p_below(self, null: float) -> float:  # noqa: ARG002 - one answer for every null
        """1: nothing is shown."""
        return 1.0

    def case_variance(self) -> float | None:
        """Unknown."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalence:
    """Two one-sided tests: equivalent when the (1 - 2 alpha) interval lies inside +-margin."""

    equivalent: bool
    p_lower: float
    p_upper: float
    p: float
    margin: float
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class NonInferiority:
    """Answer of a release gate.

    `pass`: the lower one-sided bound is above -margin; `fail`: the upper one is below -margin. `proven_worse`
    says that the upper bound is below 0, for a policy that fails any proven loss. `cases_needed` (80% power)
    is given for `inconclusive` unless more cases are no hope.
    """

    outcome: Literal["pass", "fail", "inconclusive"]
    difference: float | None
    low: float | None
    high: float | None
    p: float
    margin: float
    alpha: float
    n: int
    method: str
    proven_worse: bool
    cases_needed: int | None
    reason: str | None


def paired_scores(a: Numbers, b: Numbers, kind: Kind, clusters: Labels | None = None) -> Pairs:
    """`a` and `b` checked and aligned; StatisticsError if they have different lengths or a missing score."""
    first, second = scores_of_kind(a, kind, "a"), scores_of_kind(b, kind, "b")
    if first.size != second.size:
        raise StatisticsError(f"a has {first.size} scores and b {second.size}: pair them by case first")
    return Pairs(first=first, second=second, kind=kind, codes=cluster_codes(clusters, first.size))


def paired_difference(pairs: Pairs, *, cautious: bool = False) -> PairedDifference:
    """The reference for this kind of pairs: Tango, paired t or CR2 t.

    `cautious` appends one difference of -1 and one of +1 (two clusters of mean size when clustered) to graded
    scores in [0, 1], as the plus-two t does: a claim of "no loss" must not rest on losses being unseen in a
    short sample. It is done too where all differences are equal.
    """
    method = _method(pairs)
    if pairs.n < 2:
        return _unknown(pairs, method, "fewer than two pairs" if pairs.n else "no pairs")
    if pairs.clusters == 1:
        return _unknown(pairs, method, "all pairs come from one cluster: at least two are needed")
    if pairs.kind == "binary" and pairs.codes is None:
        return TangoDifference(*pairs.discordant, pairs.n)
    sums, sizes = cluster_sums(pairs.differences, pairs.codes)
    constant = float(np.ptp(sums / sizes)) <= 1e-12 * max(1.0, float(np.abs(sums / sizes).max()))
    if pairs.kind == "real":
        if constant:
            return _unknown(pairs, method, "all differences are equal: their spread is unknown")
        return _student(pairs, method, sums, sizes)
    if constant or cautious:
        size = float(sizes.mean())
        return _student(
            pairs, f"{method}_plus_two", np.append(sums, [-size, size]), np.append(sizes, [size, size])
        )
    return _student(pairs, method, sums, sizes)


def tost_paired(
    a: Numbers, b: Numbers, *, kind: Kind, margin: float, clusters: Labels | None = None, alpha: float = 0.05
) -> Equivalence:
    """Are the two the same within +-margin? Both one-sided tests at `alpha` must reject.

    Source: Schuirmann (1987). Graded scores in [0, 1] get the plus-two variant (see `paired_difference`).
    """
    return equivalence(paired_scores(a, b, kind, clusters), margin, alpha)


def equivalence(pairs: Pairs, margin: float, alpha: float) -> Equivalence:
    """`tost_paired` on checked pairs."""
    check_margin(margin)
    _check_alpha(alpha)
    difference = paired_difference(pairs, cautious=True)
    p_lower, p_upper = difference.p_above(-margin), difference.p_below(margin)
    interval = difference.interval(1.0 - 2.0 * alpha)
    return Equivalence(
        equivalent=interval.lies_within(-margin, margin),
        p_lower=p_lower,
        p_upper=p_upper,
        p=max(p_lower, p_upper),
        margin=margin,
        interval=interval,
    )


def noninferiority(
    a: Numbers, b: Numbers, *, kind: Kind, margin: float, clusters: Labels | None = None, alpha: float = 0.05
) -> NonInferiority:
    """May `b` replace `a`? It may if it is shown to be worse by less than `margin` (higher is better).

    One-sided at `alpha`: p tests H0 "b - a <= -margin". "The score went down" is no such test: it fails
    almost half of the releases in which nothing changed.
    """
    check_margin(margin)
    _check_alpha(alpha)
    pairs = paired_scores(a, b, kind, clusters)
    difference = paired_difference(pairs, cautious=True)
    interval = difference.interval(1.0 - 2.0 * alpha)
    outcome = _outcome(interval, margin)
    return NonInferiority(
        outcome=outcome,
        difference=interval.estimate,
        low=interval.low,
        high=interval.high,
        p=difference.p_above(-margin),
        margin=margin,
        alpha=alpha,
        n=pairs.n,
        method=interval.method,
        proven_worse=interval.high is not None and interval.high < 0.0,
        cases_needed=_cases_needed(difference, interval, margin, alpha)
        if outcome == "inconclusive"
        else None,
        reason=interval.reason,
    )


def _outcome(interval: Interval, margin: float) -> Literal["pass", "fail", "inconclusive"]:
    if interval.low is not None and interval.low > -margin:
        return "pass"
    if interval.high is not None and interval.high < -margin:
        return "fail"
    return "inconclusive"


def _cases_needed(
    difference: PairedDifference, interval: Interval, margin: float, alpha: float, power: float = 0.8
) -> int | None:
    """(z_alpha + z_power)^2 variance / gap^2, where a gain seen so far is not counted on."""
    variance = difference.case_variance()
    if variance is None or interval.estimate is None:
        return None
    gap = margin + min(0.0, interval.estimate)
    if gap <= 0.0:
        return None
    factor = normal_quantile(1.0 - alpha) + normal_quantile(power)
    return math.ceil(factor**2 * variance / gap**2)


def _check_alpha(alpha: float) -> None:
    check_probability(alpha, "alpha")
    if alpha >= 0.5:
        raise StatisticsError(f"alpha of a one-sided test must be below 0.5, not {alpha}")


def _method(pairs: Pairs) -> str:
    if pairs.codes is not None:
        return "paired_cr2_t"
    return "tango" if pairs.kind == "binary" else "paired_t"


def _student(pairs: Pairs, method: str, sums: FloatArray, sizes: FloatArray) -> StudentDifference:
    centre, error, df = mean_error(sums, sizes)
    return StudentDifference(
        estimate=float(pairs.differences.mean()),
        centre=centre,
        error=error,
        df=df,
        n=pairs.n,
        clusters=pairs.clusters,
        method=method,
        limit=math.inf if pairs.kind == "real" else 1.0,
    )


def _unknown(pairs: Pairs, method: str, reason: str) -> UnknownDifference:
    estimate = float(pairs.differences.mean()) if pairs.n else None
    return UnknownDifference(
        estimate=estimate, n=pairs.n, clusters=pairs.clusters, method=method, reason=reason
    )
