"""Intervals of quantiles such as the p95 of latencies, without a model of their distribution."""

import math
from bisect import bisect_left, bisect_right

import numpy as np

from assay.stats.arrays import Numbers, check_probability, finite_numbers
from assay.stats.distributions import binomial_cdf
from assay.stats.estimates import Interval, not_estimable


def quantile_interval(values: Numbers, quantile: float, *, level: float = 0.95) -> Interval:
    """Two observed values that enclose the quantile (0.5 for p50, 0.95 for p95) with at least `level`.

    The number of values below the true quantile is Binomial(n, quantile): the bounds are the order statistics
    that leave at most (1 - level)/2 of it in each tail. Assumes independent values from one distribution,
    nothing of its shape. Not estimable, with the number needed, when a tail cannot be left. The estimate is
    the linear interpolation that numpy has by default. Source: David and Nagaraja (2003), section 7.1.
    """
    check_probability(level, "level")
    check_probability(quantile, "quantile")
    array = np.sort(finite_numbers(values, "values"))
    n = array.size
    estimate = float(np.quantile(array, quantile)) if n else None
    lower, upper = _ranks(n, quantile, (1.0 - level) / 2.0)
    if lower < 1 or upper > n:
        needed = values_needed(quantile, level=level)
        reason = f"{n} values cannot bound this quantile: at least {needed} are needed"
        return not_estimable(reason, estimate=estimate, level=level, method="order_statistic", n=n)
    low, high = float(array[lower - 1]), float(array[upper - 1])
    return Interval(estimate=estimate, low=low, high=high, level=level, method="order_statistic", n=n)


def values_needed(quantile: float, *, level: float = 0.95) -> int:
    """How many values bound a quantile from both sides; 72 for p95 and 6 for p50 at 95%."""
    rarer = max(quantile, 1.0 - quantile)
    return math.ceil(math.log((1.0 - level) / 2.0) / math.log(rarer))


def _ranks(n: int, quantile: float, tail: float) -> tuple[int, int]:
    """Largest l with P(X <= l-1) <= tail and smallest u with P(X >= u) <= tail, X ~ Binomial(n, quantile)."""

    def cdf(successes: int) -> float:
        return binomial_cdf(successes, n, quantile)

    lower = bisect_right(range(n), tail, key=cdf)
    upper = bisect_left(range(n), 1.0 - tail, key=cdf) + 1
    return lower, upper
