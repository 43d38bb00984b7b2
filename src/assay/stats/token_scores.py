"""A graded score from the probabilities of the tokens that a judge could have answered with."""

import math
from collections.abc import Mapping

from assay.stats.errors import StatisticsError

LEAST_MASS = 0.5


def expected_score(probabilities: Mapping[float, float]) -> float:
    """sum k p_k / sum p_k over the scores k: finer than the one score that was sampled.

    The probability of tokens that are no scores is left out and the rest renormalised. Raises StatisticsError
    when less than half of the probability is on scores: the judge then said something else. Source: Liu et
    al. (2023), G-Eval, arXiv:2303.16634.
    """
    shares = list(probabilities.values())
    if not all(math.isfinite(score) for score in probabilities):
        raise StatisticsError("scores must be finite")
    if not all(0.0 <= share <= 1.0 for share in shares):
        raise StatisticsError("probabilities must lie in [0, 1]")
    mass = math.fsum(shares)
    if mass > 1.0 + 1e-6:
        raise StatisticsError(f"the probabilities sum to {mass:.3f}: more than 1")
    if mass < LEAST_MASS:
        raise StatisticsError(
            f"only {mass:.0%} of the probability is on scores: the judge said something else"
        )
    return math.fsum(score * share for score, share in probabilities.items()) / mass
