"""Intervals of a proportion: `successes` out of `n` independent pass/fail cases."""

import math

from assay.stats.arrays import check_probability
from assay.stats.distributions import beta_quantile, normal_quantile
from assay.stats.errors import StatisticsError
from assay.stats.estimates import Interval


def wilson(successes: int, n: int, *, level: float = 0.95) -> Interval:
    """Wilson score interval, the default of pass/fail scores.

    Centre (p + z^2/2n) / (1 + z^2/n), half width z/(1 + z^2/n) * sqrt(p(1-p)/n + z^2/4n^2).
    Assumes independent cases. Source: Wilson (1927); Newcombe (1998), Statistics in Medicine 17:857, method
    3.
    """
    proportion = _proportion(successes, n, level)
    low, high = wilson_bounds(proportion, n, normal_quantile((1.0 + level) / 2.0))
    return _interval("wilson", proportion, (low, high), level, n)


def wilson_bounds(proportion: float, n: float, quantile: float) -> tuple[float, float]:
    """Wilson's formula for any, even fractional, `n` and any critical value (z or t)."""
    square = quantile * quantile
    scale = 1.0 + square / n
    centre = (proportion + square / (2.0 * n)) / scale
    spread = proportion * (1.0 - proportion) / n + square / (4.0 * n * n)
    half = quantile / scale * math.sqrt(spread)
    # Rounding must not push a bound past the estimate when that is 0 or 1.
    return max(0.0, min(centre - half, proportion)), min(1.0, max(centre + half, proportion))


def clopper_pearson(successes: int, n: int, *, level: float = 0.95) -> Interval:
    """Exact interval: never covers less than `level`, at the price of width.

    Beta quantiles B(a/2; x, n-x+1) and B(1-a/2; x+1, n-x). Source: Clopper and Pearson (1934).
    """
    proportion = _proportion(successes, n, level)
    tail = (1.0 - level) / 2.0
    low = 0.0 if successes == 0 else beta_quantile(tail, successes, n - successes + 1)
    high = 1.0 if successes == n else beta_quantile(1.0 - tail, successes + 1, n - successes)
    return _interval("clopper_pearson", proportion, (low, high), level, n)


def jeffreys(successes: int, n: int, *, level: float = 0.95) -> Interval:
    """Equal-tailed interval under the prior Beta(1/2, 1/2), with 0 and 1 as ends at no and all successes.

    Source: Brown, Cai and DasGupta (2001), Statistical Science 16:101.
    """
    proportion = _proportion(successes, n, level)
    low, high = beta_bounds(successes, n, prior=0.5, level=level)
    ends = (0.0 if successes == 0 else low, 1.0 if successes == n else high)
    return _interval("jeffreys", proportion, ends, level, n)


def beta_bounds(successes: int, n: int, *, prior: float, level: float = 0.95) -> tuple[float, float]:
    """Equal-tailed credible bounds under the prior Beta(prior, prior); prior=1 is the uniform one."""
    tail = (1.0 - level) / 2.0
    a, b = successes + prior, n - successes + prior
    return beta_quantile(tail, a, b), beta_quantile(1.0 - tail, a, b)


def agresti_coull(successes: int, n: int, *, level: float = 0.95) -> Interval:
    """Wald interval round Wilson's centre with n + z^2 cases, clipped to [0, 1].

    Source: Agresti and Coull (1998), The American Statistician 52:119.
    """
    proportion = _proportion(successes, n, level)
    quantile = normal_quantile((1.0 + level) / 2.0)
    cases = n + quantile * quantile
    centre = (successes + quantile * quantile / 2.0) / cases
    half = quantile * math.sqrt(centre * (1.0 - centre) / cases)
    return _interval(
        "agresti_coull", proportion, (max(0.0, centre - half), min(1.0, centre + half)), level, n
    )


def _proportion(successes: int, n: int, level: float) -> float:
    check_probability(level, "level")
    if n < 1 or not 0 <= successes <= n:
        raise StatisticsError(f"{successes} successes of {n} cases is impossible")
    return successes / n


def _interval(method: str, proportion: float, bounds: tuple[float, float], level: float, n: int) -> Interval:
    return Interval(estimate=proportion, low=bounds[0], high=bounds[1], level=level, method=method, n=n)
