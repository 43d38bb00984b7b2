"""Graded scores of a judge beside those of people: order, line, and identity."""

import math
from dataclasses import dataclass

import numpy as np

from assay.stats.arrays import FloatArray, Numbers, finite_numbers
from assay.stats.correlation import kendall_tau_b, pearson, spearman
from assay.stats.errors import StatisticsError
from assay.stats.estimates import Interval
from assay.stats.jackknife import PLAIN, Coefficient, Design, jackknife_interval

# Kendall's tau takes the square of the number of pairs.
MOST_FOR_TAU = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedAgreement:
    """Coefficients of two series of scores, each with its interval.

    `concordance` asks for the same numbers, `pearson` for a straight line, `spearman` and `tau_b` for the
    same order. `tau_b` is None for clustered, weighted or more than 5,000 scores.
    """

    concordance: Interval
    pearson: Interval
    spearman: Interval
    tau_b: Interval | None


def graded_agreement(people: Numbers, judge: Numbers, *, design: Design = PLAIN) -> GradedAgreement:
    """Agreement of scores that are aligned by answer.

    Independent answers that count alike: Fisher's z with the error of each coefficient. Clusters or weights:
    the jackknife over clusters on Fisher's z. `concordance` always by the jackknife: Lin's (1989) coefficient
    2 cov / (var + var + (mean - mean)^2), which is Cohen's kappa with quadratic weights.
    """
    first, second = finite_numbers(people, "people"), finite_numbers(judge, "judge")
    if first.size != second.size or first.size == 0:
        raise StatisticsError(f"{second.size} scores for {first.size} labels: pair them first, at least one")

    def knifed(of: Coefficient, method: str) -> Interval:
        return jackknife_interval(of, first.size, design, method=method, scale="correlation")

    by_lin = knifed(lambda w: concordance(first, second, w), "concordance_jackknife")
    if not design.plain:
        return GradedAgreement(
            concordance=by_lin,
            pearson=knifed(lambda w: weighted_pearson(first, second, w), "pearson_jackknife"),
            spearman=knifed(lambda w: weighted_spearman(first, second, w), "spearman_jackknife"),
            tau_b=None,
        )
    level = design.level
    return GradedAgreement(
        concordance=by_lin,
        pearson=pearson(first, second, level=level),
        spearman=spearman(first, second, level=level),
        tau_b=kendall_tau_b(first, second, level=level) if first.size <= MOST_FOR_TAU else None,
    )


def concordance(first: FloatArray, second: FloatArray, weights: FloatArray) -> float:
    """Lin's coefficient of weighted scores; NaN where neither series varies about a common mean."""
    left, right, covariance = _moments(first, second, weights)
    apart = float(np.average(first, weights=weights) - np.average(second, weights=weights))
    total = left + right + apart * apart
    return math.nan if total <= 1e-24 else 2.0 * covariance / total


def weighted_pearson(first: FloatArray, second: FloatArray, weights: FloatArray) -> float:
    """Linear correlation of weighted scores; NaN where a series is constant."""
    left, right, covariance = _moments(first, second, weights)
    return math.nan if min(left, right) <= 1e-24 else covariance / math.sqrt(left * right)


def weighted_spearman(first: FloatArray, second: FloatArray, weights: FloatArray) -> float:
    """Linear correlation of weighted mid-ranks."""
    return weighted_pearson(_ranks(first, weights), _ranks(second, weights), weights)


def _moments(first: FloatArray, second: FloatArray, weights: FloatArray) -> tuple[float, float, float]:
    left = first - np.average(first, weights=weights)
    right = second - np.average(second, weights=weights)
    total = float(weights.sum())
    sums = (left * left, right * right, left * right)
    variance, other, covariance = (float(weights @ values) / total for values in sums)
    return variance, other, covariance


def _ranks(values: FloatArray, weights: FloatArray) -> FloatArray:
    """The weight below each value, and half of that at it."""
    _, codes = np.unique(values, return_inverse=True)
    mass = np.bincount(codes, weights=weights)
    return np.asarray((np.cumsum(mass) - mass / 2.0)[codes], dtype=np.float64)
