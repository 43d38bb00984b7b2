"""Do any of the candidates differ? Friedman's test on ranks within cases."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.stats.candidates import score_matrix
from assay.stats.distributions import chi2_survival
from assay.stats.errors import StatisticsError


@dataclass(frozen=True, slots=True)
class Friedman:
    """Chi-square with k - 1 df, its p, and the mean rank of each candidate (1: lowest score)."""

    chi2: float
    df: int
    p: float
    mean_ranks: tuple[float, ...]


def friedman(matrix: npt.ArrayLike) -> Friedman:
    """Test of H0 "within a case all orders of the candidates are equally likely", ties shared.

    (k - 1) sum_i (R_i - n (k+1)/2)^2 / sum of squared deviations of all ranks, R_i the rank sum of row i. It
    asks for any difference and names none: use `rank` for that. Assumes independent cases; for few of them
    the chi-square is approximate. Without any difference p = 1. Source: Friedman (1937), JASA 32:675.
    """
    scores = score_matrix(matrix)
    candidates, n = scores.shape
    if candidates < 2:
        raise StatisticsError("Friedman's test needs at least two candidates")
    ranks = np.empty_like(scores)
    for index, row in enumerate(scores):
        ranks[index] = (scores < row).sum(axis=0) + ((scores == row).sum(axis=0) + 1.0) / 2.0
    middle = (candidates + 1.0) / 2.0
    spread = float(np.sum((ranks - middle) ** 2))
    between = float(np.sum((ranks.sum(axis=1) - n * middle) ** 2))
    chi2 = (candidates - 1) * between / spread if spread > 0.0 else 0.0
    df = candidates - 1
    return Friedman(chi2, df, chi2_survival(chi2, df), tuple(ranks.mean(axis=1).tolist()))
