"""Adjusted p-values for many comparisons; each function keeps the order of its input."""

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np

from assay.stats.arrays import FloatArray, IntArray, Numbers, finite_numbers
from assay.stats.errors import StatisticsError

Method: TypeAlias = Literal["holm", "hochberg", "bh", "by"]


def holm(p_values: Numbers) -> FloatArray:
    """Controls the chance of any false claim under any dependence: max_{j<=i} (m - j + 1) p_(j).

    The default for claims. Source: Holm (1979).
    """
    p, order = _sorted(p_values)
    factors = np.arange(p.size, 0, -1)
    return _restored(np.maximum.accumulate(factors * p), order)


def hochberg(p_values: Numbers) -> FloatArray:
    """Controls the chance of any false claim for independent or positively dependent tests.

    min_{j>=i} (m - j + 1) p_(j). Source: Hochberg (1988).
    """
    p, order = _sorted(p_values)
    return _restored(_falling_minimum(np.arange(p.size, 0, -1) * p), order)


def bh(p_values: Numbers) -> FloatArray:
    """Controls the share of false discoveries for independent or positively dependent tests.

    min_{j>=i} m p_(j) / j. For tables that are explored. Source: Benjamini and Hochberg (1995).
    """
    p, order = _sorted(p_values)
    return _restored(_falling_minimum(p.size / np.arange(1, p.size + 1) * p), order)


def by(p_values: Numbers) -> FloatArray:
    """As `bh`, under any dependence, at the price of a factor of sum 1/j.

    Source: Benjamini and Yekutieli (2001).
    """
    p, order = _sorted(p_values)
    ranks = np.arange(1, p.size + 1)
    return _restored(_falling_minimum(float(np.sum(1.0 / ranks)) * p.size / ranks * p), order)


_METHODS: dict[str, Callable[[Numbers], FloatArray]] = {
    "holm": holm,
    "hochberg": hochberg,
    "bh": bh,
    "by": by,
}


def adjust(p_values: Numbers, method: Method) -> FloatArray:
    """Adjusted p-values by the name of the method."""
    if method not in _METHODS:
        raise StatisticsError(f"unknown adjustment {method!r}: expected one of {', '.join(_METHODS)}")
    return _METHODS[method](p_values)


def _sorted(p_values: Numbers) -> tuple[FloatArray, IntArray]:
    p = finite_numbers(p_values, "p-values")
    if np.any((p < 0.0) | (p > 1.0)):
        raise StatisticsError("p-values must lie in [0, 1]")
    order = np.argsort(p, kind="stable")
    return p[order], order


def _falling_minimum(values: FloatArray) -> FloatArray:
    return np.asarray(np.minimum.accumulate(values[::-1])[::-1], dtype=np.float64)


def _restored(adjusted: FloatArray, order: IntArray) -> FloatArray:
    result = np.empty_like(adjusted)
    result[order] = np.minimum(adjusted, 1.0)
    return result
