"""Two variants on live traffic: the difference per unit of randomisation, also when it is looked at early.

The unit that was randomised (a user, a session) is the unit of the analysis. Requests of one user are not
independent: counted one by one, they call an equal variant different in a quarter of all tests instead of 5%.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from assay.stats.arrays import FloatArray, Numbers, check_probability, finite_numbers
from assay.stats.assignment import SampleRatio, Segment, allocate, assign, bucket, extend, srm
from assay.stats.clusters import mean_error
from assay.stats.distributions import t_cdf, t_quantile
from assay.stats.eprocess import anytime_p, msprt_interval, msprt_log_e
from assay.stats.errors import StatisticsError
from assay.stats.estimates import Interval, not_estimable
from assay.stats.group_sequential import GroupSequential
from assay.stats.randomised_units import Arm, Ratio, Units, arms_of

__all__ = [
    "AbTest",
    "Look",
    "OpenHorizon",
    "Ratio",
    "SampleRatio",
    "Segment",
    "Units",
    "ab_test",
    "allocate",
    "assign",
    "bucket",
    "cuped_theta",
    "extend",
    "msprt_interval",
    "msprt_log_e",
    "srm",
    "welch",
]

FEW_UNITS = 30
"""Below so many units a variant the warning speaks of skewed values."""


@dataclass(frozen=True, slots=True)
class Look:
    """A planned look: the plan and which look this is, 1 for the first."""

    plan: GroupSequential
    number: int


@dataclass(frozen=True, slots=True)
class OpenHorizon:
    """Looks at any time, without a planned end. `tau`: the size of differences that are expected."""

    tau: float


Looks: TypeAlias = Look | OpenHorizon | None
Decision: TypeAlias = Literal["different", "not shown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AbTest:
    """Treatment minus control, and what may be said of it at this look.

    `p` is compared with `threshold`: alpha for a single look, the nominal level of a planned look; with an
    open horizon p itself is valid at any time. `interval` holds at its level over all looks. `theta` is the
    slope of the covariate, `variance_ratio` what is left of the variance with it; None without.
    """

    estimate: float | None
    interval: Interval
    p: float
    threshold: float
    decision: Decision
    control: float | None
    treatment: float | None
    units: tuple[int, int]
    sample_ratio: SampleRatio | None
    theta: float | None
    variance_ratio: float | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Difference:
    estimate: float
    error: float
    df: float
    theta: float | None = None
    variance_ratio: float | None = None


def ab_test(
    units: Units,
    metric: Numbers | Ratio,
    *,
    covariate: Numbers | None = None,
    looks: Looks = None,
    alpha: float = 0.05,
) -> AbTest:
    """Compare the treatment with the control of an experiment on live traffic.

    The value of a variant is the sum of the metric over the number of rows (or over the denominator of a
    `Ratio`); its variance is that of the linearised units, (Y_u - R N_u)/mean(N) (delta method, with the CR2
    correction), and the reference is Student's t with Welch's df. One row a unit is Welch's test.

    `covariate` (CUPED): a value of each unit from before the experiment, in every row of it; the difference
    of its means times theta = cov/var within the variants is taken off. `looks`: None for one look at the
    planned end; a `Look` of a `gs_bounds` plan; or `OpenHorizon` for the mixture sequential probability ratio
    test, which wants hundreds of units a variant.

    Assumes that units are independent and numerous (see the warnings). A variant with fewer than two units or
    without spread is not estimable. Raises StatisticsError for misaligned, missing or infinite values, for a
    unit in both variants, and for labels other than two. Sources: Deng, Knoblich and Lu (2018), delta method;
    Deng, Xu, Kohavi and Walker (2013), CUPED; Johari, Koomen, Pekelis and Walsh (2017), mSPRT.
    """
    check_probability(alpha, "alpha")
    threshold = _threshold(looks, alpha)
    control, treatment = arms_of(units, metric, covariate)
    counts = (control.units, treatment.units)
    ratio = srm(counts, units.weights) if sum(counts) else None
    found = _difference(control, treatment)
    if isinstance(found, str):
        interval = not_estimable(
            found, estimate=_minus(treatment, control), level=1.0 - alpha, method="welch", n=sum(counts)
        )
        p = 1.0
    else:
        p, interval = _looked(found, looks, alpha, sum(counts))
    return AbTest(
        estimate=interval.estimate,
        interval=interval,
        p=p,
        threshold=threshold,
        decision=_decide(p, threshold),
        control=control.mean,
        treatment=treatment.mean,
        units=counts,
        sample_ratio=ratio,
        theta=None if isinstance(found, str) else found.theta,
        variance_ratio=None if isinstance(found, str) else found.variance_ratio,
        warnings=_warnings(counts, ratio, found, looks),
    )


def welch(control: Numbers, treatment: Numbers, *, level: float = 0.95) -> tuple[Interval, float]:
    """Welch's interval of the difference of two independent means, treatment minus control, and its p.

    Assumes independent values in each; variances may differ. Source: Welch (1947).
    """
    check_probability(level, "level")
    first, second = finite_numbers(control, "control"), finite_numbers(treatment, "treatment")
    variant = np.repeat([0, 1], [first.size, second.size])
    found = ab_test(Units(variant=variant, control=0), np.concatenate([first, second]), alpha=1.0 - level)
    return found.interval, found.p


def cuped_theta(metric: Numbers, covariate: Numbers) -> float:
    """cov(metric, covariate) / var(covariate): the slope with which y - theta (x - mean x) varies least.

    Source: Deng et al. (2013). Raises StatisticsError for a constant covariate.
    """
    y, x = finite_numbers(metric, "metric"), finite_numbers(covariate, "covariate")
    if y.size != x.size:
        raise StatisticsError(f"{y.size} values and {x.size} of the covariate: one a unit of each")
    return _slope([(y - y.mean(), x - x.mean())] if y.size else [])


def _difference(control: Arm, treatment: Arm) -> _Difference | str:
    """The difference with its error and df, or why there is none."""
    arms = (control, treatment)
    if min(arm.units for arm in arms) < 2:
        return "a variant has fewer than two units"
    if min(np.count_nonzero(arm.sizes) for arm in arms) < 2:
        return "a variant has fewer than two units with a denominator above 0"
    parts = [mean_error(arm.sums, arm.sizes) for arm in arms]
    plain = sum(error**2 for _, error, _ in parts)
    estimate = parts[1][0] - parts[0][0]
    scale = max(abs(parts[0][0]), abs(parts[1][0]), 1e-300)
    if math.sqrt(plain) <= 1e-12 * scale:
        return "all units of each variant are equal: their spread is unknown"
    if control.covariate is None or treatment.covariate is None:
        return _Difference(estimate, math.sqrt(plain), _welch_df([(e**2, df) for _, e, df in parts]))
    return _adjusted(arms, (estimate, plain), [df for _, _, df in parts])


def _adjusted(
    arms: tuple[Arm, Arm], unadjusted: tuple[float, float], dfs: Sequence[float]
) -> _Difference | str:
    """CUPED: the covariate enters by unit, unweighted, because the treatment may change the sizes."""
    before = [np.zeros(0) if arm.covariate is None else arm.covariate for arm in arms]
    deviations = [x - x.mean() for x in before]
    if sum(arm.units for arm in arms) < 4 or not any(np.ptp(x) > 0.0 for x in before):
        return "the covariate does not vary within the variants, or there are fewer than four units"
    theta = _slope([(arm.influence(), x) for arm, x in zip(arms, deviations, strict=True)])
    variances = [_residual_variance(arm, theta * x) for arm, x in zip(arms, deviations, strict=True)]
    total = sum(arm.units for arm in arms)
    # One more parameter was estimated from all units.
    inflation = (total - 2.0) / (total - 3.0)
    variance, plain = sum(variances) * inflation, unadjusted[1]
    if math.sqrt(variance) <= 1e-12 * math.sqrt(plain):
        return "the covariate explains the metric wholly: no spread is left"
    shift = theta * float(before[1].mean() - before[0].mean())
    df = _welch_df(list(zip(variances, dfs, strict=True)))
    return _Difference(unadjusted[0] - shift, math.sqrt(variance), df, theta, variance / plain)


def _residual_variance(arm: Arm, explained: FloatArray) -> float:
    """CR2 variance of the mean of influence less what the covariate explains."""
    keep = 1.0 - arm.sizes / arm.sizes.sum()
    rest = arm.influence() / np.sqrt(keep) - explained * math.sqrt(arm.units / (arm.units - 1.0))
    return float(np.sum(rest * rest)) / arm.units**2


def _slope(parts: Sequence[tuple[FloatArray, FloatArray]]) -> float:
    square = sum(float(x @ x) for _, x in parts)
    if square <= 0.0:
        raise StatisticsError("the covariate does not vary: it explains nothing")
    return sum(float(y @ x) for y, x in parts) / square


def _welch_df(parts: Sequence[tuple[float, float]]) -> float:
    """(v1 + v2)^2 / (v1^2/df1 + v2^2/df2)."""
    total = sum(variance for variance, _ in parts)
    return total**2 / sum(variance**2 / df for variance, df in parts)


def _looked(found: _Difference, looks: Looks, alpha: float, n: int) -> tuple[float, Interval]:
    """p and the interval for one look, a planned one or any."""
    if isinstance(looks, OpenHorizon):
        variance = found.error**2
        log_e = msprt_log_e(found.estimate, variance, tau=looks.tau)
        low, high = msprt_interval(found.estimate, variance, tau=looks.tau, alpha=alpha)
        interval = Interval(
            estimate=found.estimate, low=low, high=high, level=1.0 - alpha, method="msprt", n=n
        )
        return anytime_p(log_e), interval
    threshold = _threshold(looks, alpha)
    p = 2.0 * t_cdf(-abs(found.estimate) / found.error, found.df)
    half = -t_quantile(threshold / 2.0, found.df) * found.error
    method = "welch" if looks is None else "welch_group_sequential"
    if not math.isfinite(half):
        reason = "this look is too early to spend any of alpha: no bounds yet"
        return p, not_estimable(reason, estimate=found.estimate, level=1.0 - alpha, method=method, n=n)
    interval = Interval(
        estimate=found.estimate,
        low=found.estimate - half,
        high=found.estimate + half,
        level=1.0 - alpha,
        method=method,
        n=n,
        df=found.df,
    )
    return p, interval


def _threshold(looks: Looks, alpha: float) -> float:
    """What p must not exceed at this look."""
    if not isinstance(looks, Look):
        return alpha
    if looks.plan.alpha != alpha:
        raise StatisticsError(f"the plan of the looks has alpha {looks.plan.alpha:g}, the test {alpha:g}")
    return looks.plan.nominal(looks.number)


def _decide(p: float, threshold: float) -> Decision:
    return "different" if p <= threshold and threshold > 0.0 else "not shown"


def _minus(treatment: Arm, control: Arm) -> float | None:
    if treatment.mean is None or control.mean is None:
        return None
    return treatment.mean - control.mean


def _warnings(
    counts: tuple[int, int], ratio: SampleRatio | None, found: _Difference | str, looks: Looks
) -> tuple[str, ...]:
    texts = []
    if ratio is not None and ratio.mismatch:
        texts.append(
            f"sample ratio mismatch: {counts[0]} and {counts[1]} units where {ratio.expected[0]:.0f} and "
            f"{ratio.expected[1]:.0f} were planned (p = {ratio.p:.2g}); no result can be trusted"
        )
    if min(counts) < FEW_UNITS:
        texts.append(f"fewer than {FEW_UNITS} units in a variant: skewed values can mislead the test")
    if isinstance(looks, OpenHorizon) and min(counts) < 100:
        texts.append("fewer than 100 units in a variant: looks at any time are not reliable yet")
    if not isinstance(found, str) and (found.variance_ratio or 0.0) > 1.0:
        texts.append("the covariate explains nothing: the test is better without it")
    return tuple(texts)
