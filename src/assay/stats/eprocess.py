"""Evidence that may be looked at after every case: e-processes for paired scores.

An e-process is a wealth that starts at 1 and cannot be expected to grow while the null hypothesis is true. By
Ville's inequality it ever reaches 1/alpha with probability at most alpha: reject then, whenever one looks,
and however the end of the test is chosen. Everything is kept as logarithms.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaln  # type: ignore[import-untyped]  # scipy ships no types

from assay.stats.arrays import FloatArray, Numbers, check_probability, finite_numbers
from assay.stats.errors import StatisticsError

GRID = tuple(float(bet) for bet in np.geomspace(0.1, 0.6, 4))
"""Four bets: small ones for small differences, large ones for an early end."""

# A bet never risks more than this share of the wealth on one case.
_LARGEST_STAKE = 0.95
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedNull:
    """H0 "the mean of the differences is at most -`eps`", against which is betted.

    `population` is the number of cases when all of them could be seen, drawn in random order without
    replacement: the mean is then that of the whole dataset, and evidence sharpens as cases run out. None
    asks for the mean of the source that the cases come from.
    """

    population: int | None = None
    eps: float = 0.0
    grid: tuple[float, ...] = GRID

    def __post_init__(self) -> None:
        if self.population is not None and self.population < 1:
            raise StatisticsError(f"a population has at least one case, not {self.population}")
        if not 0.0 <= self.eps < 1.0:
            raise StatisticsError(f"eps must be at least 0 and below 1, not {self.eps}")
        if not self.grid or min(self.grid) <= 0.0 or max(self.grid) >= 1.0:
            raise StatisticsError("the bets of the grid must lie between 0 and 1")


def anytime_p(log_e: float) -> float:
    """min(1, 1/e): a p-value that stays valid under any peeking."""
    return math.exp(-max(0.0, log_e))


def rejects(log_e: float, alpha: float) -> bool:
    """Whether the wealth is at least 1/alpha."""
    check_probability(alpha, "alpha")
    return log_e >= -math.log(alpha)


def mcnemar_log_e(gains: int, losses: int) -> float:
    """Sequential McNemar: log of the integral of (1+l)^gains (1-l)^losses over l in [0, 1].

    Evidence against H0 "a case that differs is at most as likely a gain as a loss"; cases that do not differ
    count nothing. The uniform mixture over bets l needs no tuning, and one look or a thousand cost the same.
    Equals (b+c+1) log 2 + log B(c+1, b+1) + log I_{1/2}(c+1, b+1) for b gains and c losses. Assumes
    independent pairs. Source: Robbins (1970), mixtures; Ville (1939). Raises StatisticsError for negative
    counts.
    """
    if gains < 0 or losses < 0:
        raise StatisticsError(f"counts cannot be negative: {gains} gains, {losses} losses")
    share = float(betainc(losses + 1.0, gains + 1.0, 0.5))
    if share > 1e-280:
        both = gains + losses + 1
        return both * math.log(2.0) + float(betaln(losses + 1.0, gains + 1.0)) + math.log(share)
    return _series_log_e(gains, losses)


def _series_log_e(gains: int, losses: int) -> float:
    """The same where losses prevail so much that the beta function underflows.

    1/(2(c+1)) 2F1(b+c+2, 1; c+2; 1/2): all terms are positive and fall geometrically there.
    """
    steps = np.arange(2000.0)
    ratios = (gains + losses + 2.0 + steps) / (2.0 * (losses + 2.0 + steps))
    total = 1.0 + float(np.sum(np.cumprod(ratios)))
    return math.log(total) - math.log(2.0 * (losses + 1.0))


def paired_log_e(differences: Numbers, null: PairedNull) -> FloatArray:
    """Log-wealth after each of the paired differences in [-1, 1], in the order in which they were seen.

    With S the sum before a case, t cases seen and N the population: m0 = -S/(N - t) and
    m = m0 - eps N/(N - t) are the largest means of the remaining cases under "mean <= 0" and under the null;
    each bet lambda = min(lambda_g N/(N - t), .95/(1 + m0)) multiplies its wealth by 1 + lambda (d - m), and
    the wealth is the mean over the grid. Without a population m0 = 0, m = -eps, N/(N - t) = 1. Once the cases
    that are left cannot bring the mean down to -eps any more the wealth is infinite; at the last case that is
    the exact answer. The cap comes from m0 for every eps, so that a larger eps never has less evidence.

    Assumes that the order is random (a seeded shuffle, never sorted by topic), or, without a population,
    independent cases. Source: Waudby-Smith and Ramdas (2020, 2024), betting without replacement. Raises
    StatisticsError for differences outside [-1, 1] (rescale scores by their declared ends first) and for more
    of them than the population has.
    """
    seen = finite_numbers(differences, "differences")
    return paired_log_e_paths(seen[None, :], null).reshape(-1)


def paired_log_e_paths(differences: FloatArray, null: PairedNull) -> FloatArray:
    """`paired_log_e` of many sequences at once: rows are sequences, columns are cases."""
    if np.any(np.abs(differences) > 1.0 + _ROUNDING):
        raise StatisticsError("differences must lie in [-1, 1]: rescale the scores by their declared ends")
    cases = differences.shape[1]
    if null.population is not None and cases > null.population:
        raise StatisticsError(f"{cases} differences from a population of {null.population}")
    centre, left = _null_means(differences, null.population)
    surprise = differences - (centre - null.eps * left)
    cap = _LARGEST_STAKE / np.maximum(1.0 + centre, _ROUNDING)
    wealth = np.full(differences.shape, -math.inf)
    for bet in null.grid:
        factors = np.maximum(1.0 + np.minimum(bet * left, cap) * surprise, _ROUNDING)
        wealth = np.logaddexp(wealth, np.cumsum(np.log(factors), axis=1))
    return np.where(_refuted(differences, null), math.inf, wealth - math.log(len(null.grid)))


def _refuted(differences: FloatArray, null: PairedNull) -> npt.NDArray[np.bool_]:
    """Whether the mean is above -eps even if all cases that are left are -1."""
    if null.population is None:
        return np.zeros(differences.shape, dtype=np.bool_)
    remaining = null.population - np.arange(1.0, differences.shape[1] + 1.0)
    lowest = (np.cumsum(differences, axis=1) - remaining) / null.population
    return np.asarray(np.maximum.accumulate(lowest > _ROUNDING - null.eps, axis=1), dtype=np.bool_)


def msprt_log_e(difference: float, variance: float, *, tau: float) -> float:
    """Mixture SPRT: log-evidence against a difference of 0, valid at any time; reject at log(1/alpha).

    1/2 log(V/(V + tau^2)) + tau^2 d^2 / (2V(V + tau^2)) for a difference d with variance V of its estimate.
    Assumes normal estimates (thousands of units). Source: Johari et al. (2017).
    """
    _check_mixture(variance, tau)
    both = variance + tau * tau
    return 0.5 * math.log(variance / both) + (tau * difference) ** 2 / (2.0 * variance * both)


def msprt_interval(
    difference: float, variance: float, *, tau: float, alpha: float = 0.05
) -> tuple[float, float]:
    """The differences against which the mixture SPRT has no evidence of 1/alpha: bounds that always hold."""
    _check_mixture(variance, tau)
    check_probability(alpha, "alpha")
    both = variance + tau * tau
    half = math.sqrt(variance * both / (tau * tau) * (math.log(both / variance) - 2.0 * math.log(alpha)))
    return difference - half, difference + half


def _check_mixture(variance: float, tau: float) -> None:
    if not (0.0 < variance < math.inf and 0.0 < tau < math.inf):
        raise StatisticsError("the variance and tau must be positive and finite")


def _null_means(differences: FloatArray, population: int | None) -> tuple[FloatArray, FloatArray]:
    """m0 before each case, at least -1, and N/(N - t)."""
    if population is None:
        return np.zeros(differences.shape), np.ones(differences.shape[1])
    remaining = population - np.arange(differences.shape[1], dtype=np.float64)
    before = np.cumsum(differences, axis=1) - differences
    return np.maximum(-before / remaining, -1.0), population / remaining
