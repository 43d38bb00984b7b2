"""A least-squares slope among controls, with an error that clusters and uneven noise do not fool."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.stats.arrays import FloatArray, IntArray, Labels, cluster_codes
from assay.stats.distributions import t_cdf, t_quantile
from assay.stats.estimates import Interval, not_estimable
from assay.stats.jackknife import Design

# Left-out sums whose condition is worse have lost a coefficient.
_SINGULAR = 1e12


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """A slope and the two-sided p of its being 0; p is 1 where nothing could be tested."""

    interval: Interval
    p: float


def robust_slope(y: FloatArray, x: FloatArray, controls: Sequence[FloatArray], design: Design) -> Slope:
    """The slope of `y` on `x`, an intercept and `controls` beside it, by weighted least squares.

    The error is CR3: the jackknife over clusters, (G - 1)/G sum (b - b_without_g)^2 round b;
    for single items that is HC3 times (n - 1)/n. t with G - k df for k coefficients. Not estimable where `x`
    does not vary beside the controls. Sources: MacKinnon and White (1985); Bell and McCaffrey (2002).
    """
    n, level, method = y.size, design.level, "cr3_slope"
    weights, codes = design.checked_weights(n), design.codes(n)
    groups = int(codes.max()) + 1 if n else 0
    clusters = None if groups == n else groups
    matrix = np.column_stack([x, np.ones(n), *_independent(controls, n)]) if n else np.empty((0, 2))
    k = matrix.shape[1]

    def unknown(reason: str, estimate: float | None = None) -> Slope:
        interval = not_estimable(
            reason, estimate=estimate, level=level, method=method, n=n, clusters=clusters
        )
        return Slope(interval=interval, p=1.0)

    if groups <= k:
        return unknown(f"a slope beside {k - 1} others needs more than {k} independent items")
    root = np.sqrt(weights)[:, None]
    scaled, target = matrix * root, y * root[:, 0]
    if np.linalg.matrix_rank(scaled) < k:
        return unknown("it does not vary beside what is controlled for")
    slope = float(np.linalg.lstsq(scaled, target)[0][0])
    moves = _moves(scaled, target, codes, slope)
    if moves is None:
        return unknown("it hangs on a single item or cluster", slope)
    error = math.sqrt((groups - 1.0) / groups * float(moves @ moves))
    if error <= 1e-12 * max(1.0, float(np.abs(y).max())):
        return unknown("nothing varies beyond the slope: its spread is unknown", slope)
    df = float(groups - k)
    half = t_quantile((1.0 + level) / 2.0, df) * error
    interval = Interval(
        estimate=slope,
        low=slope - half,
        high=slope + half,
        level=level,
        method=method,
        n=n,
        df=df,
        clusters=clusters,
    )
    return Slope(interval=interval, p=2.0 * t_cdf(-abs(slope) / error, df))


def dummies(labels: Labels, n: int) -> list[FloatArray]:
    """A column of 0 and 1 for each label but the first."""
    codes = cluster_codes(labels, n)
    if codes is None:
        codes = np.arange(n, dtype=np.intp)
    return [
        np.asarray(codes == code, dtype=np.float64) for code in range(1, int(codes.max()) + 1 if n else 0)
    ]


def _independent(controls: Sequence[FloatArray], n: int) -> list[FloatArray]:
    """The controls that vary and do not follow from those before them."""
    kept: list[FloatArray] = []
    for column in controls:
        if np.linalg.matrix_rank(np.column_stack([np.ones(n), *kept, column])) == len(kept) + 2:
            kept.append(column)
    return kept


def _moves(scaled: FloatArray, target: FloatArray, codes: IntArray, slope: float) -> FloatArray | None:
    """How far the first coefficient moves without each cluster; None where one cluster holds it alone."""
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(int(codes.max()) + 1))
    squares, products = scaled.T @ scaled, scaled.T @ target
    moves = []
    for rows in np.split(order, starts[1:]):
        part = scaled[rows]
        left = squares - part.T @ part
        if np.linalg.cond(left) > _SINGULAR:
            return None
        moves.append(slope - float(np.linalg.solve(left, products - part.T @ target[rows])[0]))
    return np.array(moves)
