"""What a correct answer costs."""

import math

import numpy as np

from assay.stats.arrays import FloatArray, Numbers, check_probability, finite_numbers, scores_of_kind
from assay.stats.distributions import t_quantile
from assay.stats.errors import StatisticsError
from assay.stats.estimates import Interval, not_estimable

_METHOD = "fieller"


def cost_per_correct(cost_usd: Numbers, correct: Numbers, *, level: float = 0.95) -> Interval:
    """Sum of costs / sum of correct (0 to 1) over cases, with Fieller's interval, t with n - 1 df.

    The bounds are the ratios r for which mean(cost - r correct) is not significantly different from 0: roots
    of (y^2 - t^2 Vyy) r^2 - 2 (xy - t^2 Vxy) r + (x^2 - t^2 Vxx), V the variances of the means. Where too few
    are correct the set of ratios is unbounded: not estimable. Costs must not be negative; the lower bound is
    cut at 0. Assumes independent cases. Source: Fieller (1954).
    """
    check_probability(level, "level")
    cost, right = _checked(cost_usd, correct)
    n, total = cost.size, float(right.sum())
    estimate = float(cost.sum()) / total if total > 0.0 else None
    reason = _why_not(cost, right)
    if reason is not None:
        return not_estimable(reason, estimate=estimate, level=level, method=_METHOD, n=n)
    roots = _roots(cost, right, t_quantile((1.0 + level) / 2.0, n - 1))
    if roots is None or estimate is None:
        reason = "too few are correct: the cost of a correct answer has no upper bound"
        return not_estimable(reason, estimate=estimate, level=level, method=_METHOD, n=n)
    low, high = max(0.0, roots[0]), roots[1]
    return Interval(estimate=estimate, low=low, high=high, level=level, method=_METHOD, n=n, df=float(n - 1))


def _checked(cost_usd: Numbers, correct: Numbers) -> tuple[FloatArray, FloatArray]:
    cost, right = finite_numbers(cost_usd, "cost_usd"), scores_of_kind(correct, "unit", "correct")
    if cost.size != right.size:
        raise StatisticsError(f"{cost.size} costs for {right.size} scores: pair them by case first")
    if np.any(cost < 0.0):
        raise StatisticsError("costs cannot be negative")
    return cost, right


def _why_not(cost: FloatArray, right: FloatArray) -> str | None:
    if cost.size < 2:
        return "at least two cases are needed"
    if not np.any(right > 0.0):
        return "no answer is correct"
    if not np.any(cost > 0.0):
        return "all costs are 0"
    if np.ptp(cost) == 0.0 and np.ptp(right) == 0.0:
        return "all costs and all scores are equal: their spread is unknown"
    return None


def _roots(cost: FloatArray, right: FloatArray, quantile: float) -> tuple[float, float] | None:
    """Both ends of the set of accepted ratios, None where it is unbounded."""
    # In units of the mean cost, so that prices of 1e-6 dollars lose no digits.
    unit = float(cost.mean())
    x, y = 1.0, float(right.mean())
    spread = np.cov(cost / unit, right, ddof=1) * (quantile * quantile / cost.size)
    square = y * y - float(spread[1, 1])
    if square <= 0.0:
        return None
    middle = x * y - float(spread[0, 1])
    root = math.sqrt(max(0.0, middle * middle - square * (x * x - float(spread[0, 0]))))
    return (middle - root) / square * unit, (middle + root) / square * unit
