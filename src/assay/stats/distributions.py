"""The few distribution functions that are needed, most of them as plain floats.

scipy.special rather than scipy.stats: the latter costs two CPU-seconds at import.
"""

import math

import numpy as np
from scipy.special import (  # type: ignore[import-untyped]  # scipy ships no types
    bdtr,
    betaincinv,
    chdtrc,
    gammaln,
    ndtr,
    ndtri,
    stdtr,
    stdtrit,
)

from assay.stats.arrays import FloatArray


def normal_quantile(probability: float) -> float:
    """Standard normal quantile."""
    return float(ndtri(probability))


def normal_cdf(value: float) -> float:
    """Standard normal distribution function."""
    return float(ndtr(value))


def normal_cdf_of(values: FloatArray) -> FloatArray:
    """Standard normal distribution function of each value."""
    return np.asarray(ndtr(values), dtype=np.float64)


def chi2_survival(value: float, df: float) -> float:
    """P(X > value) for X ~ chi-square with `df`."""
    return float(chdtrc(df, value))


def log_gamma(value: float) -> float:
    """Logarithm of the gamma function."""
    return float(gammaln(value))


def t_quantile(probability: float, df: float) -> float:
    """Student t quantile; `df` need not be whole."""
    return float(stdtrit(df, probability))


def t_cdf(value: float, df: float) -> float:
    """Student t distribution function; `df` need not be whole."""
    return float(stdtr(df, value))


def beta_quantile(probability: float, a: float, b: float) -> float:
    """Beta(a, b) quantile."""
    return float(betaincinv(a, b, probability))


def binomial_cdf(successes: int, n: int, probability: float) -> float:
    """P(X <= successes) for X ~ Binomial(n, probability)."""
    return float(bdtr(successes, n, probability))


def fair_binomial_pmf(successes: int, n: int) -> float:
    """P(X = successes) for X ~ Binomial(n, 1/2)."""
    log_choose = gammaln(n + 1) - gammaln(successes + 1) - gammaln(n - successes + 1)
    return math.exp(float(log_choose) - n * math.log(2.0))
