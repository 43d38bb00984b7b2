"""Which of two answers is better: verdicts of a judge that saw each pair in both orders, beside people's."""

from dataclasses import dataclass

import numpy as np

from assay.stats.agreement import Kappa, cohen_kappa
from assay.stats.arrays import FloatArray, Numbers, check_probability, finite_numbers
from assay.stats.errors import StatisticsError
from assay.stats.estimates import Interval
from assay.stats.proportions import wilson

__all__ = ["PreferenceAgreement", "PreferenceCounts", "count_preferences", "preference_agreement"]


@dataclass(frozen=True, slots=True)
class PreferenceCounts:
    """Pairs that the first answer won, that were tied, and that it lost, of verdicts in both orders."""

    wins: int
    ties: int
    losses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceAgreement:
    """How a judge's verdicts in both orders agree with people's and with each other, on `n` pairs.

    `given` and `swapped` are the shares of right verdicts in each order, `accuracy` their mean; `both` is the
    share of pairs right in both orders, `consistent` (positional agreement) of those judged alike in both.
    Kappas are unweighted: of either order with people, their mean, and of both orders with each other.
    """

    n: int
    given: Interval
    swapped: Interval
    accuracy: float
    both: Interval
    consistent: Interval
    kappa_given: Kappa
    kappa_swapped: Kappa
    kappa_orders: Kappa
    counts: PreferenceCounts

    @property
    def kappa(self) -> float | None:
        """The mean agreement with people beyond chance of both orders, None where one is undefined."""
        found = [each.kappa for each in (self.kappa_given, self.kappa_swapped)]
        known = [each for each in found if each is not None]
        return sum(known) / 2.0 if len(known) == 2 else None


def count_preferences(given: Numbers, swapped: Numbers) -> PreferenceCounts:
    """Wins, ties and losses of the first answer: it wins (loses) where both orders say so, else it ties.

    A verdict is 1 for the first answer, -1 for the second and 0 for neither, whichever was shown first: the
    verdicts of the swapped order have been turned back. So a judge that always prefers what it sees first
    makes ties, not wins. Source: Zheng et al. (2023), arXiv:2306.05685, section 3.4.
    """
    first, second = _verdicts(given, "given"), _verdicts(swapped, "swapped")
    _check_aligned(first, second)
    wins = int(np.count_nonzero((first == 1.0) & (second == 1.0)))
    losses = int(np.count_nonzero((first == -1.0) & (second == -1.0)))
    return PreferenceCounts(wins, first.size - wins - losses, losses)


def preference_agreement(
    human: Numbers, given: Numbers, swapped: Numbers, *, level: float = 0.95
) -> PreferenceAgreement:
    """Compare verdicts in both orders with people's: 1 the first answer, -1 the second, 0 neither.

    A verdict of 0, also one that could not be read, is right only where people say 0. Intervals are Wilson's
    and assume independent pairs. Source: Zeng et al. (2024), arXiv:2310.07641 (accuracy and positional
    agreement). Raises StatisticsError for no pairs, misaligned series or other verdicts.
    """
    check_probability(level, "level")
    people = _verdicts(human, "human")
    first, second = _verdicts(given, "given"), _verdicts(swapped, "swapped")
    _check_aligned(people, first)
    _check_aligned(people, second)
    if people.size == 0:
        raise StatisticsError("no pairs: a judge cannot be checked without them")
    right, right_swapped = people == first, people == second
    return PreferenceAgreement(
        n=people.size,
        given=_share(right, level),
        swapped=_share(right_swapped, level),
        accuracy=(float(right.mean()) + float(right_swapped.mean())) / 2.0,
        both=_share(right & right_swapped, level),
        consistent=_share(first == second, level),
        kappa_given=cohen_kappa(people, first, level=level),
        kappa_swapped=cohen_kappa(people, second, level=level),
        kappa_orders=cohen_kappa(first, second, level=level),
        counts=count_preferences(first, second),
    )


def _verdicts(values: Numbers, name: str) -> FloatArray:
    array = finite_numbers(values, name)
    if not np.isin(array, (-1.0, 0.0, 1.0)).all():
        raise StatisticsError(f"verdicts of {name} must be 1, 0 or -1")
    return array


def _check_aligned(first: FloatArray, second: FloatArray) -> None:
    if first.size != second.size:
        raise StatisticsError(f"{second.size} verdicts for {first.size} pairs: align them first")


def _share(hits: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], level: float) -> Interval:
    return wilson(int(np.count_nonzero(hits)), hits.size, level=level)
