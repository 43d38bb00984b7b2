"""Intervals of the mean of independent scores."""

import math

import numpy as np

from assay.stats.arrays import FloatArray, Numbers, check_probability, finite_numbers, scores_of_kind
from assay.stats.distributions import t_quantile
from assay.stats.estimates import Interval, not_estimable
from assay.stats.proportions import wilson_bounds

# Standard errors of scores in [0, 1] below this are rounding, not spread.
_NO_SPREAD = 1e-12


def t_interval(values: Numbers, *, level: float = 0.95) -> Interval:
    """mean +- t_{n-1} s/sqrt(n), for unbounded measures such as latency and cost.

    Assumes independent values whose mean is near normal. Constant values show no spread, and a bar of zero
    width would claim certainty: not estimable. Source: Student (1908).
    """
    check_probability(level, "level")
    array = finite_numbers(values, "values")
    n = array.size
    if n < 2:
        return too_few(array, level, "t")
    mean = float(array.mean())
    if is_constant(array):
        return not_estimable(
            "all values are equal: their spread is unknown", estimate=mean, level=level, method="t", n=n
        )
    half = t_quantile((1.0 + level) / 2.0, n - 1) * float(array.std(ddof=1)) / math.sqrt(n)
    return Interval(
        estimate=mean, low=mean - half, high=mean + half, level=level, method="t", n=n, df=float(n - 1)
    )


def plus_two_t(scores: Numbers, *, level: float = 0.95) -> Interval:
    """t interval of scores in [0, 1] after one 0 and one 1 were added, clipped to [0, 1].

    Agresti and Coull's idea carried over to graded scores: t_{n+1} on n + 2 values. It keeps its coverage
    where rare zeros have not been seen yet and where all scores are equal. The estimate stays the plain mean.
    """
    check_probability(level, "level")
    array = scores_of_kind(scores, "unit")
    n = array.size
    if n < 2:
        return too_few(array, level, "plus_two_t")
    mean = float(array.mean())
    more = np.concatenate([array, [0.0, 1.0]])
    centre = float(more.mean())
    half = t_quantile((1.0 + level) / 2.0, n + 1) * float(more.std(ddof=1)) / math.sqrt(n + 2)
    low, high = max(0.0, min(centre - half, mean)), min(1.0, max(centre + half, mean))
    return Interval(estimate=mean, low=low, high=high, level=level, method="plus_two_t", n=n, df=float(n + 1))


def wilson_effective_n(scores: Numbers, *, level: float = 0.95) -> Interval:
    """Wilson interval with n_eff = m(1-m)/SE^2 and a t quantile, for the mean m of 100 or more graded scores.

    One formula for graded, averaged and clustered scores: only SE and df change. Where SE = 0 the number of
    scores stands in for n_eff. Source: Korn and Graubard (1998), with Wilson's instead of Clopper's bounds.
    """
    check_probability(level, "level")
    array = scores_of_kind(scores, "unit")
    n = array.size
    if n < 2:
        return too_few(array, level, "wilson_effective_n")
    mean = float(array.mean())
    error = 0.0 if is_constant(array) else float(array.std(ddof=1)) / math.sqrt(n)
    quantile = t_quantile((1.0 + level) / 2.0, n - 1)
    low, high = wilson_bounds(mean, effective_n(mean, error, fallback=n), quantile)
    return Interval(
        estimate=mean, low=low, high=high, level=level, method="wilson_effective_n", n=n, df=float(n - 1)
    )


def effective_n(mean: float, error: float, *, fallback: int) -> float:
    """The number of pass/fail cases whose mean would have this standard error; `fallback` without spread."""
    if error <= _NO_SPREAD:
        return float(fallback)
    return mean * (1.0 - mean) / (error * error)


def is_constant(values: FloatArray) -> bool:
    """Whether the values differ by no more than rounding."""
    return float(np.ptp(values)) <= 1e-12 * max(1e-300, float(np.abs(values).max()))


def too_few(values: FloatArray, level: float, method: str, clusters: int | None = None) -> Interval:
    """The answer for no or one score."""
    estimate = float(values[0]) if values.size else None
    reason = "one score shows no spread: at least two are needed" if values.size else "no scores"
    return not_estimable(
        reason, estimate=estimate, level=level, method=method, n=values.size, clusters=clusters
    )
