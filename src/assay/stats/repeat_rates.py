"""Chances over several answers to each case, for many cases at once."""

import numpy as np

from assay.stats.arrays import FloatArray
from assay.stats.errors import StatisticsError


def pass_at_k_by_case(answers: FloatArray, passes: FloatArray, k: int) -> FloatArray:
    """`pass_at_k` of each case: the chance that at least one of k answers passes; NaN below k answers."""
    return 1.0 - _all_of(answers, answers - passes, k)


def pass_hat_k_by_case(answers: FloatArray, passes: FloatArray, k: int) -> FloatArray:
    """`pass_hat_k` of each case: the chance that all of k answers pass; NaN below k answers."""
    return _all_of(answers, passes, k)


def flake_rate_by_case(answers: FloatArray, passes: FloatArray) -> FloatArray:
    """The chance that two different answers to a case disagree; NaN below two answers.

    2 c (n - c) / (n (n - 1)) for c passes of n answers: unbiased for 2 p (1 - p).
    """
    found = np.full(answers.shape, np.nan)
    pairs = answers * (answers - 1.0)
    np.divide(2.0 * passes * (answers - passes), pairs, out=found, where=answers >= 2)
    return found


def _all_of(answers: FloatArray, chosen: FloatArray, k: int) -> FloatArray:
    """C(chosen, k) / C(answers, k) as a product of k ratios."""
    if k < 1:
        raise StatisticsError(f"k = {k}: at least one answer is needed")
    found = np.where(answers >= k, 1.0, np.nan)
    for drawn in range(k):
        left = np.maximum(answers - drawn, 1.0)
        found *= np.maximum(chosen - drawn, 0.0) / left
    return found
