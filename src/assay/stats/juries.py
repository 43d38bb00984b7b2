"""How far raters agree among themselves: judges of a jury, or the people who labelled."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from assay.stats.agreement import cohen_kappa, krippendorff_alpha
from assay.stats.arrays import FloatArray
from assay.stats.errors import StatisticsError
from assay.stats.estimates import Interval, not_estimable
from assay.stats.graded_agreement import concordance, weighted_pearson
from assay.stats.jackknife import Coefficient, Design, jackknife_interval

# More raters than this have their pairs left out: 45 pairs are what can be read.
MOST_IN_PAIRS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RaterPair:
    """Two raters on the items that both rated: Cohen's kappa of pass/fail, else Lin's concordance."""

    first: str
    second: str
    agreement: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class RaterAlone:
    """A rater beside the mean of the others; `leniency` is its mean less theirs on these items."""

    name: str
    rated: int
    with_rest: Interval
    leniency: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Several raters on the same items.

    `alpha` is Krippendorff's, nominal for pass/fail and interval for graded ratings; `pairs` are empty beyond
    10 raters. `shared` counts the items that two or more have rated.
    """

    raters: int
    shared: int
    alpha: Interval
    pairs: tuple[RaterPair, ...]
    alone: tuple[RaterAlone, ...]


def rater_agreement(
    ratings: npt.ArrayLike, names: Sequence[str], *, level: float = 0.95, rng: np.random.Generator
) -> Agreement:
    """Agreement of raters (rows) on items (columns), NaN where a rater gave none.

    Assumes independent items. How far people agree with each other is the yardstick of a judge: one that
    agrees with a person as well as another person does is as good as a person. Raises StatisticsError unless
    two raters share an item.
    """
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2 or table.shape[0] != len(names) or len(names) < 2:
        raise StatisticsError("ratings must have a row for each of at least two named raters")
    given = table[~np.isnan(table)]
    binary = bool(np.all((given == 0.0) | (given == 1.0)))
    alpha = krippendorff_alpha(table, scale="nominal" if binary else "interval", level=level, rng=rng)
    shared = int(np.sum(np.count_nonzero(~np.isnan(table), axis=0) >= 2))
    several = range(len(names)) if len(names) <= MOST_IN_PAIRS else ()
    pairs = [
        RaterPair(first=names[i], second=names[j], agreement=_of_two(table[[i, j]], binary, level))
        for i, j in combinations(several, 2)
    ]
    alone = [_alone(table, row, name, level) for row, name in enumerate(names)]
    return Agreement(raters=len(names), shared=shared, alpha=alpha, pairs=tuple(pairs), alone=tuple(alone))


def _of_two(both: FloatArray, binary: bool, level: float) -> Interval:
    first, second = both[:, ~np.isnan(both).any(axis=0)]
    if first.size == 0:
        method = "cohen_kappa" if binary else "concordance_jackknife"
        return not_estimable("they share no item", estimate=None, level=level, method=method, n=0)
    if binary:
        return cohen_kappa(first, second, level=level).interval
    return _knifed(lambda w: concordance(first, second, w), first.size, "concordance_jackknife", level)


def _alone(table: FloatArray, row: int, name: str, level: float) -> RaterAlone:
    others = np.delete(table, row, axis=0)
    counts = np.count_nonzero(~np.isnan(others), axis=0)
    both = ~np.isnan(table[row]) & (counts > 0)
    own, rest = table[row, both], np.nansum(others[:, both], axis=0) / counts[both]
    if own.size == 0:
        reason = "it shares no item with another"
        unknown = not_estimable(reason, estimate=None, level=level, method="pearson_jackknife", n=0)
        return RaterAlone(name=name, rated=0, with_rest=unknown, leniency=None)
    return RaterAlone(
        name=name,
        rated=int(np.count_nonzero(~np.isnan(table[row]))),
        with_rest=_knifed(lambda w: weighted_pearson(own, rest, w), own.size, "pearson_jackknife", level),
        leniency=float(own.mean() - rest.mean()),
    )


def _knifed(of: Coefficient, n: int, method: str, level: float) -> Interval:
    return jackknife_interval(of, n, Design(level=level), method=method, scale="correlation")
