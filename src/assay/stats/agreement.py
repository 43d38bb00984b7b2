"""How far raters agree beyond chance."""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from assay.stats.arrays import FloatArray, Labels, check_probability, finite_numbers
from assay.stats.correlation import fisher_z_interval
from assay.stats.errors import StatisticsError
from assay.stats.estimates import Interval, not_estimable

Weights: TypeAlias = Literal["none", "linear", "quadratic"]
"""How disagreement grows: any is alike, with the distance, with its square."""

Scale: TypeAlias = Literal["nominal", "ordinal", "interval"]

Coefficient: TypeAlias = Callable[[FloatArray], FloatArray]
"""From how often each item is drawn (draws, items) to the coefficient of each draw, NaN where undefined."""

DRAWS = 1_000

# Elements of one block of draws: 8 MB of floats however many items there are.
_BLOCK = 1_000_000


@dataclass(frozen=True, slots=True)
class Kappa:
    """Cohen's kappa: `observed` and by chance `expected` agreement (weighted), its error and interval.

    `kappa` is None when both raters gave everything the same label: agreement by chance is then certain.
    """

    kappa: float | None
    observed: float
    expected: float
    error: float | None
    interval: Interval
    weights: Weights


def cohen_kappa(first: Labels, second: Labels, *, weights: Weights = "none", level: float = 0.95) -> Kappa:
    """Agreement of two raters on the same items: (p_o - p_e) / (1 - p_e).

    p_o = sum w_ij p_ij and p_e = sum w_ij p_i. p_.j, with w = 1 for equal labels and 0 else, or
    1 - (|i - j| / range)^1 or ^2; weighted labels must be numbers. The standard error is that of Fleiss,
    Cohen and Everitt (1969), the interval by Fisher's z with it: tanh(atanh k +- z SE / (1 - k^2)). Assumes
    independent items. Perfect agreement shows no spread: not estimable. Sources: Cohen (1960, 1968).
    """
    check_probability(level, "level")
    table, values = _cross_table(first, second, numeric=weights != "none")
    n = int(table.sum())
    share = table / n
    agree = _agreement_weights(values, weights, len(table))
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    apart, apart_by_chance = float(np.sum((1.0 - agree) * share)), float(rows @ (1.0 - agree) @ columns)
    observed, expected = 1.0 - apart, 1.0 - apart_by_chance
    method = f"cohen_kappa_{weights}" if weights != "none" else "cohen_kappa"
    if apart_by_chance <= 1e-12:
        reason = "both gave every item the same label: agreement beyond chance is not defined"
        unknown = not_estimable(reason, estimate=None, level=level, method=method, n=n)
        return Kappa(None, observed, expected, None, unknown, weights)
    kappa = 1.0 - apart / apart_by_chance
    spread = agree - (1.0 - kappa) * ((agree @ columns)[:, None] + (rows @ agree)[None, :])
    variance = float(np.sum(share * spread**2)) - (kappa - expected * (1.0 - kappa)) ** 2
    error = math.sqrt(max(0.0, variance) / n) / apart_by_chance
    interval = fisher_z_interval(kappa, error, level=level, method=method, n=n)
    return Kappa(kappa, observed, expected, error, interval, weights)


def fleiss_kappa(table: npt.ArrayLike, *, level: float = 0.95, rng: np.random.Generator) -> Interval:
    """Agreement of any raters on a nominal scale, each item rated by the same number of them.

    `table` counts, for each item (row), the raters that chose each category (column). (P - P_e) / (1 - P_e)
    with P the mean share of agreeing pairs and P_e the sum of squared shares; the interval by Fisher's z with
    a bootstrap of items. Source: Fleiss (1971).
    """
    check_probability(level, "level")
    counts = np.asarray(table, dtype=np.float64)
    if counts.ndim != 2 or counts.size == 0 or not np.all(counts >= 0.0):
        raise StatisticsError("the table must count raters: items in rows, categories in columns")
    raters = counts.sum(axis=1)
    if np.ptp(raters) != 0.0 or raters[0] < 2.0:
        raise StatisticsError("Fleiss' kappa needs the same number of raters, at least two, for each item")
    agreeing = (np.sum(counts**2, axis=1) - raters) / (raters * (raters - 1.0))

    def of(drawn: FloatArray) -> FloatArray:
        share = drawn @ counts / (drawn @ raters)[:, None]
        return _beyond_chance(drawn @ agreeing / drawn.sum(axis=1), np.sum(share**2, axis=1))

    return _bootstrapped(of, len(counts), "fleiss_kappa", level, rng)


def krippendorff_alpha(
    ratings: npt.ArrayLike, *, scale: Scale, level: float = 0.95, rng: np.random.Generator
) -> Interval:
    """Agreement of any raters (rows) on items (columns), NaN where a rater gave none: 1 - D_o / D_e.

    D_o is the mean squared distance of two ratings of the same item, D_e that of any two ratings. Distances:
    equal or not (`nominal`), of values (`interval`), of mid-ranks among all ratings (`ordinal`). Items with
    fewer than two ratings tell nothing. The interval is by Fisher's z with a bootstrap of items. Source:
    Krippendorff (2011), Computing Krippendorff's Alpha-Reliability. Raises StatisticsError when no item has
    two ratings.
    """
    check_probability(level, "level")
    of, items = alpha_of_draws(ratings, scale)
    return _bootstrapped(of, items, f"krippendorff_alpha_{scale}", level, rng)


def alpha_of_draws(ratings: npt.ArrayLike, scale: Scale) -> tuple[Coefficient, int]:
    """Alpha by how often each item with two ratings counts, and how many such items there are."""
    if scale not in ("nominal", "ordinal", "interval"):
        raise StatisticsError(f"unknown scale {scale!r}: expected 'nominal', 'ordinal' or 'interval'")
    counts, values = _counts_by_item(ratings)
    raters = counts.sum(axis=1)

    def of(drawn: FloatArray) -> FloatArray:
        totals = drawn @ counts
        sizes = totals.sum(axis=1)
        if scale == "nominal":
            within = (raters**2 - np.sum(counts**2, axis=1)) / (raters - 1.0)
            expected = (sizes**2 - np.sum(totals**2, axis=1)) / (sizes - 1.0)
            return _one_less(drawn @ within, expected)
        places = values if scale == "interval" else np.cumsum(totals, axis=1) - totals / 2.0
        places = np.broadcast_to(places, totals.shape)
        first, second = counts @ places.T, counts @ (places**2).T
        within = (raters[:, None] * second - first**2) / (raters[:, None] - 1.0)
        spread = sizes * np.sum(totals * places**2, axis=1) - np.sum(totals * places, axis=1) ** 2
        return _one_less(np.sum(drawn.T * within, axis=0), spread / (sizes - 1.0))

    return of, len(counts)


def _bootstrapped(
    of: Coefficient, items: int, method: str, level: float, rng: np.random.Generator
) -> Interval:
    """The coefficient of all items, with Fisher's z and the standard deviation over drawn items."""
    estimate = float(of(np.ones((1, items)))[0])
    if not math.isfinite(estimate):
        reason = "all ratings are alike: agreement beyond chance is not defined"
        return not_estimable(reason, estimate=None, level=level, method=method, n=items)
    block = max(1, _BLOCK // items)
    drawn = np.concatenate([of(_draws(items, min(block, DRAWS - i), rng)) for i in range(0, DRAWS, block)])
    drawn = drawn[np.isfinite(drawn)]
    error = float(drawn.std(ddof=1)) if drawn.size > 1 else 0.0
    return fisher_z_interval(estimate, error, level=level, method=method, n=items)


def _draws(items: int, draws: int, rng: np.random.Generator) -> FloatArray:
    chosen = rng.integers(0, items, size=(draws, items)) + items * np.arange(draws)[:, None]
    counts = np.bincount(chosen.ravel(), minlength=draws * items)
    return counts.reshape(draws, items).astype(np.float64)


def _beyond_chance(observed: FloatArray, expected: FloatArray) -> FloatArray:
    return _one_less(1.0 - observed, 1.0 - expected)


def _one_less(within: FloatArray, between: FloatArray) -> FloatArray:
    """1 - within / between, NaN where nothing differs."""
    ratio = np.full_like(between, np.nan)
    np.divide(within, between, out=ratio, where=between > 1e-12)
    return np.asarray(1.0 - ratio, dtype=np.float64)


def _cross_table(first: Labels, second: Labels, *, numeric: bool) -> tuple[FloatArray, FloatArray]:
    """Counts of each pair of labels, and the labels as numbers (0, 1, ... when they need not be numbers)."""
    if numeric:
        left, right = finite_numbers(first, "first"), finite_numbers(second, "second")  # type: ignore[arg-type]
        values, codes = np.unique(np.concatenate([left, right]), return_inverse=True)
    else:
        seen: dict[Hashable, int] = {}
        both = [*_listed(first), *_listed(second)]
        codes = np.array([seen.setdefault(label, len(seen)) for label in both], dtype=np.intp)
        values = np.arange(len(seen), dtype=np.float64)
    n = len(first)
    if len(second) != n:
        raise StatisticsError(f"{n} labels for {len(second)}: pair them by item first")
    if n == 0:
        raise StatisticsError("no labels: agreement needs at least one item")
    size = values.size
    table = np.bincount(codes[:n] * size + codes[n:], minlength=size * size).reshape(size, size)
    return table.astype(np.float64), values


def _listed(labels: Labels) -> Sequence[Hashable]:
    listed = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
    if any(label is None or label != label for label in listed):
        raise StatisticsError("a label is missing: leave out the items that a rater did not rate")
    return listed


def _agreement_weights(values: FloatArray, weights: Weights, size: int) -> FloatArray:
    if weights == "none":
        return np.eye(size)
    if weights not in ("linear", "quadratic"):
        raise StatisticsError(f"unknown weights {weights!r}: expected 'none', 'linear' or 'quadratic'")
    distance = np.abs(values[:, None] - values[None, :]) / max(float(np.ptp(values)), 1e-300)
    return np.asarray(1.0 - (distance if weights == "linear" else distance**2), dtype=np.float64)


def _counts_by_item(ratings: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """How often each value was given to each item with two or more ratings, and the values, their mean 0."""
    try:
        table = np.asarray(ratings, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise StatisticsError(f"ratings must be numbers, NaN where one is missing: {error}") from error
    if table.ndim != 2 or np.any(np.isinf(table)):
        raise StatisticsError("ratings must be finite or NaN: raters in rows, items in columns")
    table = table[:, np.count_nonzero(~np.isnan(table), axis=0) >= 2]
    if table.size == 0:
        raise StatisticsError("no item has two ratings: agreement cannot be seen")
    given = ~np.isnan(table)
    values, codes = np.unique(table[given], return_inverse=True)
    items = np.broadcast_to(np.arange(table.shape[1]), table.shape)[given]
    counts = np.bincount(items * values.size + codes, minlength=table.shape[1] * values.size)
    return counts.reshape(table.shape[1], values.size).astype(np.float64), values - values.mean()
