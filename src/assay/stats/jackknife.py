"""Intervals of any coefficient of weighted, clustered items, by leaving clusters out in turn."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from assay.stats.arrays import FloatArray, IntArray, Labels, check_probability, cluster_codes, finite_numbers
from assay.stats.distributions import t_quantile
from assay.stats.errors import StatisticsError
from assay.stats.estimates import Interval, not_estimable

Scale: TypeAlias = Literal["correlation", "share"]
"""Where the bounds are computed: atanh of a coefficient in (-1, 1), log-odds of a share in (0, 1)."""

Coefficient: TypeAlias = Callable[[FloatArray], float]
"""From the weight of each item to the coefficient; NaN where it is not defined."""

# More clusters than this are left out in so many bundles: the time is bounded, the error hardly larger.
MOST_BUNDLES = 200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Design:
    """How items came to be in a sample.

    `clusters`: items with the same label depend on each other (answers to one case); None stands alone.
    `weights`: of how many items each one speaks, up to a factor: 1 / (chance of being chosen).
    """

    clusters: Labels | None = None
    weights: FloatArray | None = None
    level: float = 0.95

    @property
    def plain(self) -> bool:
        """Whether each item is independent and counts alike, so that textbook formulas hold."""
        return self.clusters is None and self.weights is None

    def checked_weights(self, n: int) -> FloatArray:
        """The weights of `n` items, 1 each where none are given; StatisticsError for impossible ones."""
        check_probability(self.level, "level")
        if self.weights is None:
            return np.ones(n)
        weights = finite_numbers(self.weights, "weights")
        if weights.size != n:
            raise StatisticsError(f"{weights.size} weights for {n} items")
        if np.any(weights <= 0.0):
            raise StatisticsError("weights must be positive")
        return np.asarray(weights / weights.mean(), dtype=np.float64)

    def codes(self, n: int) -> IntArray:
        """The cluster of each of `n` items as 0, 1, ..."""
        found = cluster_codes(self.clusters, n)
        return np.arange(n, dtype=np.intp) if found is None else found

    def chosen(self, which: npt.NDArray[np.bool_]) -> "Design":
        """The design of some of the items."""
        labels = None if self.clusters is None else [*self.clusters]
        return Design(
            clusters=None if labels is None else [labels[i] for i in np.flatnonzero(which).tolist()],
            weights=None if self.weights is None else self.weights[which],
            level=self.level,
        )


PLAIN = Design()


def jackknife_interval(of: Coefficient, n: int, design: Design, *, method: str, scale: Scale) -> Interval:
    """The coefficient of all items, with the error of leaving each cluster out and t with G - 1 df.

    SE^2 = (G - 1)/G sum (theta_g - mean)^2. The bounds are computed where the coefficient has room, atanh or
    log-odds, by the delta method. Assumes independent clusters and a smooth coefficient. Not estimable where
    the coefficient is not defined, does not vary, or is at an end. Source: Efron and Tibshirani (1993),
    chapter 11.
    """
    weights, codes = design.checked_weights(n), design.codes(n)
    groups = int(codes.max()) + 1 if n else 0
    level, clusters = design.level, None if groups == n else groups
    estimate = of(weights) if n else math.nan

    def unknown(reason: str) -> Interval:
        shown = float(estimate) if math.isfinite(estimate) else None
        return not_estimable(reason, estimate=shown, level=level, method=method, n=n, clusters=clusters)

    if not math.isfinite(estimate):
        return unknown("it is not defined for these items: one side does not vary")
    if groups < 3:
        return unknown("at least three independent items are needed")
    bundle = codes % MOST_BUNDLES
    drawn = np.array([of(np.where(bundle == g, 0.0, weights)) for g in range(min(groups, MOST_BUNDLES))])
    if not np.all(np.isfinite(drawn)):
        return unknown("it hangs on a single item: without it, it is not defined")
    count = drawn.size
    error = math.sqrt((count - 1.0) / count * float(np.sum((drawn - drawn.mean()) ** 2)))
    low, high = (-1.0, 1.0) if scale == "correlation" else (0.0, 1.0)
    if error <= 1e-12 or not low + 1e-12 < estimate < high - 1e-12:
        return unknown("no spread shows" if error <= 1e-12 else "it is at the end of its scale")
    half = t_quantile((1.0 + level) / 2.0, count - 1.0) * error
    bounds = (_moved(estimate, way * half, scale) for way in (-1.0, 1.0))
    return Interval(
        estimate=float(estimate),
        low=next(bounds),
        high=next(bounds),
        level=level,
        method=method,
        n=n,
        df=count - 1.0,
        clusters=clusters,
    )


def _moved(estimate: float, by: float, scale: Scale) -> float:
    """The estimate moved on its stretched scale."""
    if scale == "correlation":
        return math.tanh(math.atanh(estimate) + by / (1.0 - estimate * estimate))
    odds = math.log(estimate / (1.0 - estimate)) + by / (estimate * (1.0 - estimate))
    return 1.0 / (1.0 + math.exp(-odds)) if odds > -700.0 else 0.0
