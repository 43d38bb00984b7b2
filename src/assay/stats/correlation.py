"""Correlations of two aligned series, with intervals on Fisher's z scale."""

import math
from collections.abc import Callable

import numpy as np

from assay.stats.arrays import FloatArray, Numbers, check_probability, finite_numbers
from assay.stats.distributions import normal_quantile
from assay.stats.errors import StatisticsError
from assay.stats.estimates import Interval, not_estimable

# Elements of one block of pairs: 8 MB of floats however long the series are.
_BLOCK = 1_000_000


def pearson(x: Numbers, y: Numbers, *, level: float = 0.95) -> Interval:
    """Linear correlation; tanh(atanh r +- z / sqrt(n - 3)).

    Assumes independent pairs, the interval also near-normal ones. Source: Fisher (1921). Not estimable for
    n < 4, a constant series or |r| = 1.
    """
    first, second = _series(x, y, level)
    return _of_linear(first, second, level, "pearson", lambda _: 1.0)


def spearman(x: Numbers, y: Numbers, *, level: float = 0.95) -> Interval:
    """Correlation of mid-ranks; tanh(atanh r +- z sqrt((1 + r^2/2) / (n - 3))).

    Asks for any monotone relation. Source of the interval: Bonett and Wright (2000), Psychometrika 65:23.
    """
    first, second = _series(x, y, level)
    ranks = average_ranks(first), average_ranks(second)
    return _of_linear(*ranks, level, "spearman", lambda r: 1.0 + r * r / 2.0)


def kendall_tau_b(x: Numbers, y: Numbers, *, level: float = 0.95) -> Interval:
    """(concordant - discordant pairs) / sqrt(pairs untied in x * pairs untied in y).

    The error is that of the ratio of U-statistics by their projections, so that ties are reckoned with; the
    interval by Fisher's z. Time O(n^2). Sources: Kendall (1945); Newson (2002), Stata Journal 2:45.
    """
    first, second = _series(x, y, level)
    n = first.size
    if n < 4 or np.ptp(first) == 0.0 or np.ptp(second) == 0.0:
        return _undefined(n, level, "kendall_tau_b")
    both, in_x, in_y = _projections(first, second) / (n - 1.0)
    scale = math.sqrt(float(in_x.mean() * in_y.mean()))
    tau = float(both.mean()) / scale
    influence = both / scale - tau * (in_x / in_x.mean() + in_y / in_y.mean()) / 2.0
    error = 2.0 * float(influence.std(ddof=1)) / math.sqrt(n)
    return fisher_z_interval(_rounded(tau), error, level=level, method="kendall_tau_b", n=n)


def fisher_z_interval(estimate: float, error: float, *, level: float, method: str, n: int) -> Interval:
    """tanh(atanh(estimate) +- z error / (1 - estimate^2)), for coefficients in (-1, 1).

    Not estimable without spread or at the ends, where the scale has no room.
    """
    if abs(estimate) >= 1.0 or error <= 0.0:
        reason = "perfect agreement shows no spread" if abs(estimate) >= 1.0 else "its spread is unknown"
        return not_estimable(reason, estimate=estimate, level=level, method=method, n=n)
    half = normal_quantile((1.0 + level) / 2.0) * error / (1.0 - estimate * estimate)
    centre = math.atanh(estimate)
    return Interval(
        estimate=estimate,
        low=math.tanh(centre - half),
        high=math.tanh(centre + half),
        level=level,
        method=method,
        n=n,
    )


def average_ranks(values: FloatArray) -> FloatArray:
    """Ranks from 1 on; equal values share their mean rank."""
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1.0) / 2.0)[codes], dtype=np.float64)


def _series(x: Numbers, y: Numbers, level: float) -> tuple[FloatArray, FloatArray]:
    check_probability(level, "level")
    first, second = finite_numbers(x, "x"), finite_numbers(y, "y")
    if first.size != second.size:
        raise StatisticsError(f"{first.size} values for {second.size}: pair them by case first")
    return first, second


def _of_linear(
    first: FloatArray, second: FloatArray, level: float, method: str, factor: Callable[[float], float]
) -> Interval:
    n = first.size
    if n < 4 or np.ptp(first) == 0.0 or np.ptp(second) == 0.0:
        return _undefined(n, level, method)
    left, right = first - first.mean(), second - second.mean()
    left, right = left / np.abs(left).max(), right / np.abs(right).max()
    r = _rounded(float(left @ right) / math.sqrt(float(left @ left) * float(right @ right)))
    error = (1.0 - r * r) * math.sqrt(factor(r) / (n - 3.0))
    return fisher_z_interval(r, error, level=level, method=method, n=n)


def _undefined(n: int, level: float, method: str) -> Interval:
    reason = "a correlation needs at least four pairs" if n < 4 else "one of the series is constant"
    return not_estimable(reason, estimate=None, level=level, method=method, n=n)


def _rounded(coefficient: float) -> float:
    """The coefficient, exactly +-1 where only rounding keeps it from there."""
    return math.copysign(1.0, coefficient) if abs(coefficient) >= 1.0 - 1e-12 else coefficient


def _projections(first: FloatArray, second: FloatArray) -> FloatArray:
    """For each pair: concordant less discordant others, others untied in x, others untied in y."""
    n = first.size
    rows = max(1, _BLOCK // n)
    found = np.empty((3, n))
    for start in range(0, n, rows):
        block = slice(start, start + rows)
        left = np.sign(first[block, None] - first[None, :])
        right = np.sign(second[block, None] - second[None, :])
        found[:, block] = (left * right).sum(axis=1), np.abs(left).sum(axis=1), np.abs(right).sum(axis=1)
    return found
