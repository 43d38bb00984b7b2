"""How well scores tell passes from failures, whatever the threshold."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from assay.stats.arrays import FloatArray, IntArray, Numbers, finite_numbers, scores_of_kind
from assay.stats.distributions import normal_quantile, t_quantile
from assay.stats.errors import StatisticsError
from assay.stats.estimates import Interval, not_estimable
from assay.stats.jackknife import PLAIN, Design


def auroc(passed: Numbers, scores: Numbers, *, design: Design = PLAIN) -> Interval:
    """The chance that a pass has a higher score than a failure, ties counted half: area under the ROC curve.

    The error is that of DeLong, DeLong and Clarke-Pearson (1988) from the placement of each item among those
    of the other kind, summed by cluster as in Obuchowski (1997); items count with their weights. The bounds
    are on the log-odds, t with (clusters or smaller class) - 1 df. At perfect separation, where that error
    is 0, they are Newcombe's (2006) method 5, which needs independent items. Not estimable without passes or
    without failures.
    """
    kinds, values = scores_of_kind(passed, "binary", "passed"), finite_numbers(scores)
    if kinds.size != values.size:
        raise StatisticsError(f"{values.size} scores for {kinds.size} labels: pair them first")
    n, level = kinds.size, design.level
    weights, codes = design.checked_weights(n), design.codes(n)
    groups = int(codes.max()) + 1 if n else 0
    clusters = None if groups == n else groups

    def unknown(reason: str, estimate: float | None = None) -> Interval:
        return not_estimable(
            reason, estimate=estimate, level=level, method="auroc_delong", n=n, clusters=clusters
        )

    top = kinds == 1.0
    sizes = int(top.sum()), n - int(top.sum())
    if min(sizes) == 0:
        return unknown(f"there are no {'passes' if sizes[0] == 0 else 'failures'} among the labels")
    places = _placements(values, top, weights)
    area = float(np.average(places[top], weights=weights[top]))
    if not 1e-12 < area < 1.0 - 1e-12:
        area = float(round(area))
        low, high = newcombe_auroc_bounds(area, sizes, level)
        return Interval(
            estimate=area, low=low, high=high, level=level, method="auroc_newcombe", n=n, clusters=clusters
        )
    if groups < 2:
        return unknown("all labels come from one case: at least two are needed", area)
    error = _error(places - area, top, weights, codes)
    if error <= 1e-12:
        return unknown("no spread shows", area)
    df = float(max(1, min(*sizes, groups) - 1))
    low, high = _logit_bounds(area, error, t_quantile((1.0 + level) / 2.0, df))
    return Interval(
        estimate=area, low=low, high=high, level=level, method="auroc_delong", n=n, df=df, clusters=clusters
    )


def _error(deviations: FloatArray, top: npt.NDArray[np.bool_], weights: FloatArray, codes: IntArray) -> float:
    """The root of the sum of squared influences, each cluster's summed before."""
    influence = deviations * weights
    for kind in (top, ~top):
        size = int(kind.sum())
        scale = math.sqrt(size / (size - 1.0)) if size > 1 else 1.0
        influence[kind] *= scale / float(weights[kind].sum())
    parts = np.bincount(codes, weights=influence)
    shared = parts.size / (parts.size - 1.0) if parts.size < codes.size else 1.0
    return math.sqrt(float(parts @ parts) * shared)


def weighted_auroc(passed: FloatArray, values: FloatArray, weights: FloatArray) -> float:
    """The area alone; NaN where the weight of one kind is 0."""
    top = passed == 1.0
    if weights[top].sum() <= 0.0 or weights[~top].sum() <= 0.0:
        return math.nan
    return float(np.average(_placements(values, top, weights)[top], weights=weights[top]))


def _placements(values: FloatArray, top: npt.NDArray[np.bool_], weights: FloatArray) -> FloatArray:
    """Of each pass the weighted share of failures below it, of each failure that of passes above it."""
    placed = np.empty(values.size)
    for own, sign in ((top, 1.0), (~top, -1.0)):
        others, order = sign * values[~own], np.argsort(sign * values[~own], kind="stable")
        sums = np.concatenate([[0.0], np.cumsum(weights[~own][order])])
        ends = [np.searchsorted(others[order], sign * values[own], side=side) for side in ("left", "right")]
        placed[own] = (sums[ends[0]] + sums[ends[1]]) / (2.0 * sums[-1])
    return placed


def _logit_bounds(area: float, error: float, quantile: float) -> tuple[float, float]:
    centre, half = math.log(area / (1.0 - area)), quantile * error / (area * (1.0 - area))
    low, high = (1.0 / (1.0 + math.exp(-min(700.0, max(-700.0, centre + s * half)))) for s in (-1.0, 1.0))
    return low, high


def newcombe_auroc_bounds(area: float, sizes: tuple[int, int], level: float) -> tuple[float, float]:
    """The areas t with |area - t| = z sqrt(V(t)), by bisection; never of zero width.

    V(t) = t(1 - t)(1 + N(1 - t)/(2 - t) + N t/(1 + t)) / (m n), N = (m + n)/2 - 1. Source: Newcombe (2006),
    Statistics in Medicine 25:559, method 5.
    """
    quantile = normal_quantile((1.0 + level) / 2.0)
    product, half = sizes[0] * sizes[1], (sizes[0] + sizes[1]) / 2.0 - 1.0

    def beyond(t: float) -> bool:
        growth = 1.0 + half * ((1.0 - t) / (2.0 - t) + t / (1.0 + t))
        return abs(area - t) > quantile * math.sqrt(t * (1.0 - t) * growth / product)

    return _edge(beyond, 0.0, area), _edge(beyond, 1.0, area)


def _edge(beyond: Callable[[float], bool], outside: float, inside: float) -> float:
    """Where `beyond` ends between a point for which it is true and one for which it is not."""
    for _ in range(60):
        middle = (outside + inside) / 2.0
        outside, inside = (middle, inside) if beyond(middle) else (outside, middle)
    return inside
