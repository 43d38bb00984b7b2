"""Correlations of two aligned series, with intervals on Fisher's z scale, plain or given other series."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from assay.stats.arrays import FloatArray, Labels, Numbers, check_probability, finite_numbers
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


def partial_pearson(
    x: Numbers,
    y: Numbers,
    *,
    given: Sequence[Numbers] = (),
    groups: Labels | None = None,
    level: float = 0.95,
) -> Interval:
    """Linear correlation of what is left of both series when others have explained their part.

    Pearson's r of the residuals of two least-squares fits, each on a constant, the series in `given` and an
    indicator of each label in `groups`; beside k of them tanh(atanh r +- z / sqrt(n - k - 3)).
    `groups` asks whether two scores go together within the answers of one model, not merely because better
    models do better in both. Assumes independent cases and linear effects. Sources: Fisher (1924), Metron
    3:329; its use on metrics: Pagnoni et al. (2021), arXiv:2104.13346. Not estimable for n - k < 4 or where
    nothing is left of a series.
    """
    first, second = _series(x, y, level)
    columns = _explaining(given, groups, first.size)
    n, k = first.size, int(np.linalg.matrix_rank(columns)) - 1
    if n - k < 4:
        reason = f"{n} cases are too few beside {k} columns that explain"
        return not_estimable(reason, estimate=None, level=level, method="partial_pearson", n=n)
    left, right = _unexplained(first, columns), _unexplained(second, columns)
    if not left.any() or not right.any():
        reason = "one of the series is explained wholly by the others"
        return not_estimable(reason, estimate=None, level=level, method="partial_pearson", n=n)
    return _of_linear(left, right, level, "partial_pearson", lambda _: (n - 3.0) / (n - k - 3.0))


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


def _explaining(given: Sequence[Numbers], groups: Labels | None, n: int) -> FloatArray:
    """A constant, the given series, and the indicators of all groups but one, as columns."""
    columns = [np.ones(n)]
    for number, series in enumerate(given):
        values = finite_numbers(series, f"given[{number}]")
        if values.size != n:
            raise StatisticsError(f"{values.size} values of given[{number}] for {n} cases")
        columns.append(values)
    labels = groups.tolist() if isinstance(groups, np.ndarray) else list(groups or ())
    if groups is not None and len(labels) != n:
        raise StatisticsError(f"{len(labels)} groups for {n} cases")
    others = list(dict.fromkeys(labels))[1:]
    columns.extend(np.array([float(each == label) for each in labels]) for label in others)
    return np.column_stack(columns)


def _unexplained(series: FloatArray, columns: FloatArray) -> FloatArray:
    """The residuals of least squares; zeros where only rounding is left."""
    scaled = columns / np.maximum(np.abs(columns).max(axis=0), 1e-300)
    residuals = series - scaled @ np.linalg.lstsq(scaled, series, rcond=None)[0]
    scale = float(np.abs(series - series.mean()).max(initial=0.0))
    return residuals if float(np.abs(residuals).max()) > 1e-9 * scale else np.zeros_like(series)


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
