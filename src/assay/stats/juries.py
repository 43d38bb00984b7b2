"""How far raters agree among themselves: judges of a jury, or the people who labelled."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from assay.stats.agreement import alpha_of_draws, cohen_kappa, krippendorff_alpha
from assay.stats.arrays import FloatArray
from assay.stats.errors import StatisticsError
from assay.stats.estimates import Interval, not_estimable
from assay.stats.graded_agreement import concordance, weighted_pearson
from assay.stats.jackknife import PLAIN, Coefficient, Design, jackknife_interval
from assay.stats.verdicts import binary_kappa

# More raters than this have their pairs left out: 45 pairs are what can be read.
MOST_IN_PAIRS = 10

CORRELATION: Final = "correlation"


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
    ratings: npt.ArrayLike, names: Sequence[str], *, design: Design = PLAIN, rng: np.random.Generator
) -> Agreement:
    """Agreement of raters (rows) on items (columns), NaN where a rater gave none.

    Items with the same cluster of the design depend on each other: then all intervals are by the jackknife
    over clusters; else, of pass/fail ratings, that of alpha is by a bootstrap of items and that of kappa by
    its formula. How far people agree with each other is the yardstick of a judge: one that agrees with a
    person as well as another person does is as good as a person. Raises StatisticsError unless two raters
    share an item.
    """
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2 or table.shape[0] != len(names) or len(names) < 2:
        raise StatisticsError("ratings must have a row for each of at least two named raters")
    given = table[~np.isnan(table)]
    binary = bool(np.all((given == 0.0) | (given == 1.0)))
    alpha = _alpha(table, design, rng, binary=binary)
    shared = int(np.sum(np.count_nonzero(~np.isnan(table), axis=0) >= 2))
    several = range(len(names)) if len(names) <= MOST_IN_PAIRS else ()
    pairs = [
        RaterPair(first=names[i], second=names[j], agreement=_of_two(table[[i, j]], design, binary=binary))
        for i, j in combinations(several, 2)
    ]
    alone = [_alone(table, row, name, design) for row, name in enumerate(names)]
    return Agreement(raters=len(names), shared=shared, alpha=alpha, pairs=tuple(pairs), alone=tuple(alone))


def _alpha(table: FloatArray, design: Design, rng: np.random.Generator, *, binary: bool) -> Interval:
    rated = np.count_nonzero(~np.isnan(table), axis=0)
    twice = np.asarray(rated >= 2, dtype=np.bool_)
    if binary and design.plain:
        return krippendorff_alpha(table, scale="nominal", level=design.level, rng=rng)
    if binary:
        by_draw, items = alpha_of_draws(table, "nominal")
        method = "krippendorff_alpha_nominal_jackknife"
        return jackknife_interval(
            lambda w: float(by_draw(w[None, :])[0]),
            items,
            design.chosen(twice),
            method=method,
            scale=CORRELATION,
        )
    of = interval_alpha(table[:, twice])
    method = "krippendorff_alpha_interval_jackknife"
    return jackknife_interval(of, int(twice.sum()), design.chosen(twice), method=method, scale=CORRELATION)


def interval_alpha(table: FloatArray) -> Coefficient:
    """Krippendorff's alpha of graded ratings by the weights of items, from the moments of each item.

    As `krippendorff_alpha` with scale "interval", in memory that does not grow with the number of different
    ratings. Raises StatisticsError when no item is left.
    """
    if table.shape[1] == 0:
        raise StatisticsError("no item has two ratings: agreement cannot be seen")
    centred = table - np.nanmean(table)
    counts = np.count_nonzero(~np.isnan(table), axis=0).astype(np.float64)
    first, second = np.nansum(centred, axis=0), np.nansum(centred**2, axis=0)
    within = (counts * second - first**2) / (counts - 1.0)

    def of(weights: FloatArray) -> float:
        total = float(weights @ counts)
        between = (total * float(weights @ second) - float(weights @ first) ** 2) / (total - 1.0)
        return math.nan if between <= 1e-24 * total else 1.0 - float(weights @ within) / between

    return of


def _of_two(both: FloatArray, design: Design, *, binary: bool) -> Interval:
    shared = np.asarray(~np.isnan(both).any(axis=0), dtype=np.bool_)
    first, second = both[:, shared]
    method = "cohen_kappa" if binary else "concordance"
    if first.size == 0:
        return not_estimable("they share no item", estimate=None, level=design.level, method=method, n=0)
    if binary and design.plain:
        return cohen_kappa(first, second, level=design.level).interval
    of = binary_kappa if binary else concordance
    return jackknife_interval(
        lambda w: of(first, second, w),
        first.size,
        design.chosen(shared),
        method=f"{method}_jackknife",
        scale=CORRELATION,
    )


def _alone(table: FloatArray, row: int, name: str, design: Design) -> RaterAlone:
    others = np.delete(table, row, axis=0)
    counts = np.count_nonzero(~np.isnan(others), axis=0)
    both = np.asarray(~np.isnan(table[row]) & (counts > 0), dtype=np.bool_)
    own, rest = table[row, both], np.nansum(others[:, both], axis=0) / counts[both]
    method = "pearson_jackknife"
    if own.size == 0:
        reason = "it shares no item with another"
        unknown = not_estimable(reason, estimate=None, level=design.level, method=method, n=0)
        return RaterAlone(name=name, rated=0, with_rest=unknown, leniency=None)
    return RaterAlone(
        name=name,
        rated=int(np.count_nonzero(~np.isnan(table[row]))),
        with_rest=jackknife_interval(
            lambda w: weighted_pearson(own, rest, w),
            own.size,
            design.chosen(both),
            method=method,
            scale=CORRELATION,
        ),
        leniency=float(own.mean() - rest.mean()),
    )
