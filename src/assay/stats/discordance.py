"""Paired pass/fail scores: all the evidence is in the cases that only one side passes.

`gains` counts the cases that only the second side passes, `losses` those that only the first passes; the
difference of the pass rates, second minus first, is (gains - losses) / n.
"""

import math

from assay.stats.arrays import check_probability
from assay.stats.distributions import binomial_cdf, fair_binomial_pmf, normal_quantile
from assay.stats.errors import StatisticsError
from assay.stats.estimates import Interval


def mcnemar_exact(gains: int, losses: int) -> float:
    """Two-sided exact p: min(1, 2 P(X <= min)) for X ~ Binomial(gains + losses, 1/2).

    Never above its nominal level, but conservative. Source: McNemar (1947).
    """
    discordant, smaller = _discordant(gains, losses)
    if discordant == 0:
        return 1.0
    return min(1.0, 2.0 * binomial_cdf(smaller, discordant, 0.5))


def mcnemar_midp(gains: int, losses: int) -> float:
    """Two-sided mid-p: the exact p less the probability of the observed table, the default.

    Equal counts give 1 - P/2. Source: Fagerland, Lydersen and Laake (2013), BMC Medical Research Methodology
    13:91.
    """
    discordant, smaller = _discordant(gains, losses)
    if discordant == 0:
        return 1.0
    observed = fair_binomial_pmf(smaller, discordant)
    if gains == losses:
        return 1.0 - observed / 2.0
    return 2.0 * binomial_cdf(smaller, discordant, 0.5) - observed


def tango_score(gains: int, losses: int, n: int, difference: float) -> float:
    """Score statistic of H0 "the true difference is `difference`"; about N(0, 1) under it, falls as it rises.

    (gains - losses - n D) / sqrt(n (2q + D(1 - D))), q the maximum-likelihood rate of losses given D.
    Source: Tango (1998), Statistics in Medicine 17:891.
    """
    linear = -gains - losses + (2.0 * n - gains + losses) * difference
    constant = -losses * difference * (1.0 - difference)
    root = math.sqrt(max(0.0, linear * linear - 8.0 * n * constant))
    rate = (root - linear) / (4.0 * n)
    variance = n * (2.0 * rate + difference * (1.0 - difference))
    distance = gains - losses - n * difference
    if variance > 1e-12:
        return distance / math.sqrt(variance)
    return 0.0 if abs(distance) <= 1e-12 * n else math.copysign(math.inf, distance)


def tango_interval(gains: int, losses: int, n: int, *, level: float = 0.95) -> Interval:
    """Score interval of the difference of paired pass rates: all differences that the score test accepts.

    Assumes independent pairs; holds its level where few cases differ, and where none do. Source: Tango
    (1998).
    """
    difference = _difference(gains, losses, n, level)
    critical = normal_quantile((1.0 + level) / 2.0)
    low = _solve(gains, losses, n, (-1.0, difference, critical))
    high = _solve(gains, losses, n, (difference, 1.0, -critical))
    return Interval(estimate=difference, low=low, high=high, level=level, method="tango", n=n)


def bonett_price_interval(gains: int, losses: int, n: int, *, level: float = 0.95) -> Interval:
    """Closed form: Wald with one gain, one loss and two cases added, clipped to [-1, 1].

    Source: Bonett and Price (2012), Journal of Educational and Behavioral Statistics 37:479.
    """
    difference = _difference(gains, losses, n, level)
    gain, loss = (gains + 1.0) / (n + 2.0), (losses + 1.0) / (n + 2.0)
    centre = gain - loss
    half = normal_quantile((1.0 + level) / 2.0) * math.sqrt((gain + loss - centre * centre) / (n + 2.0))
    low, high = max(-1.0, centre - half), min(1.0, centre + half)
    return Interval(estimate=difference, low=low, high=high, level=level, method="bonett_price", n=n)


def _solve(gains: int, losses: int, n: int, target: tuple[float, float, float]) -> float:
    """Where the score, which falls as the difference rises, passes `critical`: bisection."""
    low, high, critical = target
    for _ in range(60):
        middle = (low + high) / 2.0
        if tango_score(gains, losses, n, middle) > critical:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def _discordant(gains: int, losses: int) -> tuple[int, int]:
    if gains < 0 or losses < 0:
        raise StatisticsError(f"counts cannot be negative: {gains} gains, {losses} losses")
    return gains + losses, min(gains, losses)


def _difference(gains: int, losses: int, n: int, level: float) -> float:
    check_probability(level, "level")
    discordant, _ = _discordant(gains, losses)
    if n < 1 or discordant > n:
        raise StatisticsError(f"{gains} gains and {losses} losses of {n} pairs are impossible")
    return (gains - losses) / n
