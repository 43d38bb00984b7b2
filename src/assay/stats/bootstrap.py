"""Bias-corrected and accelerated bootstrap, for statistics that have no formula."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from assay.stats.arrays import FloatArray, Numbers, check_probability, finite_numbers
from assay.stats.distributions import normal_cdf, normal_quantile
from assay.stats.errors import StatisticsError
from assay.stats.estimates import Interval, not_estimable
from assay.stats.means import is_constant, too_few

Statistic: TypeAlias = Callable[[FloatArray], FloatArray]
"""Maps samples of shape (..., n) to numbers of shape (...)."""

# Elements of one block of resamples: 16 MB of floats however many scores there are.
_BLOCK = 2_000_000


def sample_mean(samples: FloatArray) -> FloatArray:
    """The mean over the last axis."""
    return np.asarray(samples.mean(axis=-1), dtype=np.float64)


def bca_bootstrap(
    scores: Numbers,
    *,
    rng: np.random.Generator,
    statistic: Statistic = sample_mean,
    level: float = 0.95,
    resamples: int = 10_000,
) -> Interval:
    """BCa interval: bootstrap quantiles at Phi(z0 + (z0 + z) / (1 - a(z0 + z))).

    z0 comes from the share of resamples below the estimate (half of the ties), a from the jackknife. Assumes
    independent scores and a smooth statistic; too short for small n and skewed scores, where the plus-two t
    is the default. Constant data, for which a = 0/0, are not estimable. Source: Efron (1987), JASA 82:171.
    """
    check_probability(level, "level")
    values = finite_numbers(scores)
    if resamples < 100:
        raise StatisticsError(f"{resamples} resamples are too few: at least 100")
    if values.size < 2:
        return too_few(values, level, "bca")
    estimate = float(statistic(values))
    draws = _resampled(values, statistic, resamples, rng)
    jackknife = _jackknife(values, statistic)
    if is_constant(values) or is_constant(draws) or is_constant(jackknife):
        reason = "the statistic does not vary over the resamples: its spread is unknown"
        return not_estimable(reason, estimate=estimate, level=level, method="bca", n=values.size)
    bias = _bias_correction(draws, estimate)
    acceleration = bca_acceleration(jackknife)
    tail = normal_quantile((1.0 + level) / 2.0)
    shares = [_shifted(bias, acceleration, z) for z in (-tail, tail)]
    low, high = (float(bound) for bound in np.quantile(draws, shares))
    return Interval(estimate=estimate, low=low, high=high, level=level, method="bca", n=values.size)


def bca_acceleration(jackknife: FloatArray) -> float:
    """sum (m - j_i)^3 / (6 (sum (m - j_i)^2)^1.5) of leave-one-out values j of mean m; 0 if all are equal."""
    deviations = jackknife.mean() - jackknife
    spread = float(np.sum(deviations**2))
    return 0.0 if spread == 0.0 else float(np.sum(deviations**3)) / (6.0 * spread**1.5)


def jackknife_means(values: FloatArray) -> FloatArray:
    """The mean without each value in turn."""
    return np.asarray((values.sum() - values) / (values.size - 1), dtype=np.float64)


def _resampled(
    values: FloatArray, statistic: Statistic, resamples: int, rng: np.random.Generator
) -> FloatArray:
    rows = max(1, _BLOCK // values.size)
    blocks = [
        statistic(values[rng.integers(0, values.size, size=(min(rows, resamples - start), values.size))])
        for start in range(0, resamples, rows)
    ]
    return np.concatenate(blocks)


def _jackknife(values: FloatArray, statistic: Statistic) -> FloatArray:
    if statistic is sample_mean:
        return jackknife_means(values)
    return np.array([float(statistic(np.delete(values, index))) for index in range(values.size)])


def _bias_correction(draws: FloatArray, estimate: float) -> float:
    share = float(np.mean(draws < estimate) + 0.5 * np.mean(draws == estimate))
    edge = 0.5 / draws.size
    return normal_quantile(min(max(share, edge), 1.0 - edge))


def _shifted(bias: float, acceleration: float, z: float) -> float:
    moved = bias + z
    return normal_cdf(bias + moved / (1.0 - acceleration * moved))
