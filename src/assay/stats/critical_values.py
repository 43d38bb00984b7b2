"""How large a standardised difference must be when many are looked at: all pairs, or all against one."""

import math
from collections.abc import Callable

import numpy as np

from assay.stats.arrays import FloatArray, check_probability
from assay.stats.distributions import log_gamma, normal_cdf_of
from assay.stats.errors import StatisticsError

# Gauss-Legendre nodes; the normal density is below 1e-17 outside +-9.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(128)
_REACH = 9.0


def studentized_range_critical(candidates: int, *, alpha: float = 0.05, df: float = math.inf) -> float:
    """Critical |difference| / its standard error for all pairs of equally precise, independent candidates.

    q/sqrt(2), q the 1 - alpha quantile of the studentized range (Tukey's HSD): the range of k normal values
    exceeds r with probability 1 - k int phi(z) (Phi(z) - Phi(z - r))^(k-1) dz, averaged over the standard
    deviation when `df` is finite. Source: Tukey (1953). Raises StatisticsError for fewer than 2 candidates.
    """
    if candidates < 2:
        raise StatisticsError(f"all pairs of {candidates} candidates: at least two are needed")

    def within(size: float) -> float:
        z, density = _normal_nodes()
        inside = normal_cdf_of(z) - normal_cdf_of(z - size * math.sqrt(2.0))
        return candidates * float(np.sum(density * inside ** (candidates - 1)))

    return _critical(within, alpha, df)


def dunnett_critical(
    comparisons: int,
    *,
    alpha: float = 0.05,
    two_sided: bool = True,
    correlation: float = 0.5,
    df: float = math.inf,
) -> float:
    """Critical size for `comparisons` candidates against one baseline.

    The 1 - alpha quantile of the maximum of equally correlated normal values (of their sizes when two-sided),
    divided by an independent standard deviation when `df` is finite. A correlation of 1/2 holds where all are
    equally precise and independent. Source: Dunnett (1955), JASA 50:1096.
    """
    if comparisons < 1 or not 0.0 <= correlation < 1.0:
        raise StatisticsError("needs at least one comparison and a correlation in [0, 1)")
    shared, own = math.sqrt(correlation), math.sqrt(1.0 - correlation)

    def within(size: float) -> float:
        z, density = _normal_nodes()
        below = normal_cdf_of((size + shared * z) / own)
        if two_sided:
            below = below - normal_cdf_of((shared * z - size) / own)
        return float(np.sum(density * below**comparisons))

    return _critical(within, alpha, df)


def _critical(within: Callable[[float], float], alpha: float, df: float) -> float:
    """The size with P(within) = 1 - alpha, by bisection; `within` is for a known standard deviation."""
    check_probability(alpha, "alpha")
    if not df >= 1.0:
        raise StatisticsError(f"df must be at least 1, not {df}")
    scales, weights = _scale_nodes(df)
    low, high = 0.0, 1.0
    while _averaged(within, high, scales, weights) < 1.0 - alpha:
        low, high = high, 2.0 * high
    for _ in range(60):
        middle = (low + high) / 2.0
        if _averaged(within, middle, scales, weights) < 1.0 - alpha:
            low = middle
        else:
            high = middle
    return high


def _averaged(
    within: Callable[[float], float], size: float, scales: FloatArray, weights: FloatArray
) -> float:
    return math.fsum(w * within(size * s) for s, w in zip(scales.tolist(), weights.tolist(), strict=True))


def _normal_nodes() -> tuple[FloatArray, FloatArray]:
    z = _REACH * _NODES
    return z, _REACH * _WEIGHTS * np.exp(-z * z / 2.0) / math.sqrt(2.0 * math.pi)


def _scale_nodes(df: float) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights of the law of s/sigma, chi_df / sqrt(df); one node at 1 when df is infinite."""
    if math.isinf(df):
        return np.ones(1), np.ones(1)
    top = 1.0 + 9.0 / math.sqrt(df)
    scales = (_NODES + 1.0) * top / 2.0
    constant = (1.0 - df / 2.0) * math.log(2.0) + df / 2.0 * math.log(df) - log_gamma(df / 2.0)
    density = np.exp(constant + (df - 1.0) * np.log(scales) - df * scales * scales / 2.0)
    weights = _WEIGHTS * top / 2.0 * density
    return scales, weights / weights.sum()
