"""Many candidates on the same cases: every pair that is asked for, with what all pairs share done once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import numpy.typing as npt

from assay.stats.arrays import FloatArray, IntArray, Kind, Labels, check_probability, cluster_codes
from assay.stats.comparison import (
    Comparison,
    PairedTest,
    compare_paired,
    conclude,
    flip_test,
    lower_is_better,
    mcnemar_test,
)
from assay.stats.errors import StatisticsError
from assay.stats.paired import Pairs
from assay.stats.permutation import SignFlip
from assay.stats.shared_flips import Flippable, shared_sign_flips

__all__ = ["ScoreTable", "compare_many", "compare_paired"]

_SLACK = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoreTable:
    """Scores of several candidates on the same cases, repeats averaged: a row a candidate, a column a case.

    NaN: no score. `pairs` are (baseline, candidate) by row; each is compared on the cases that both have a
    score of. `margin` as in `compare_paired`. `lower`: the lower score is the better one.
    """

    scores: FloatArray
    kind: Kind
    pairs: Sequence[tuple[int, int]]
    margin: float | None = None
    lower: bool = False


def compare_many(
    tables: Sequence[ScoreTable],
    *,
    clusters: Labels | None = None,
    alpha: float = 0.05,
    rng: np.random.Generator,
) -> list[tuple[Comparison, ...]]:
    """What `compare_paired` says of every pair of every table; columns mean the same case in all of them.

    `clusters` as there, one label a column. The p-values are not adjusted: that needs to know the family.
    The random sign flips are shared by all pairs. Raises StatisticsError for tables that do not fit each
    other, infinite scores, and scores out of the range of their kind.
    """
    check_probability(alpha, "alpha")
    if len({table.scores.shape[1:] for table in tables}) > 1:
        raise StatisticsError("all tables must have the same cases")
    if not tables:
        return []
    scores = [_checked(table) for table in tables]
    cases = scores[0].shape[1]
    codes = cluster_codes(clusters, cases)
    flipped = [table.kind != "binary" or codes is not None for table in tables]
    flips = iter(
        shared_sign_flips(
            [_flippable(t, s, codes) for t, s, needed in zip(tables, scores, flipped, strict=True) if needed],
            rng=rng,
        )
        if any(flipped)
        else ()
    )
    return [
        tuple(_compared(table, values, codes, next(flips) if needed else None, alpha))
        for table, values, needed in zip(tables, scores, flipped, strict=True)
    ]


def _compared(
    table: ScoreTable,
    scores: FloatArray,
    codes: IntArray | None,
    flips: Sequence[SignFlip] | None,
    alpha: float,
) -> Iterator[Comparison]:
    present = ~np.isnan(scores)
    whole = [bool(row.all()) for row in present]
    for number, (baseline, candidate) in zip(count(), table.pairs, strict=False):
        first, second, own = scores[baseline], scores[candidate], codes
        if not (whole[baseline] and whole[candidate]):
            both = present[baseline] & present[candidate]
            first, second, own = first[both], second[both], _codes_of(codes, both)
        pairs = Pairs(first=first, second=second, kind=table.kind, codes=own)
        test = _test(pairs, None if flips is None else flips[number])
        comparison = conclude(pairs, test, margin=table.margin, alpha=alpha)
        yield lower_is_better(comparison) if table.lower else comparison


def _test(pairs: Pairs, flipped: SignFlip | None) -> PairedTest:
    # Where the cases of a pair are all of different clusters, they are tested as what they are.
    if flipped is None or (pairs.kind == "binary" and pairs.codes is None):
        return mcnemar_test(pairs)
    return flip_test(flipped, clustered=pairs.codes is not None)


def _codes_of(codes: IntArray | None, chosen: npt.NDArray[np.bool_]) -> IntArray | None:
    """Codes 0, 1, ... of some of the cases; None where each is a cluster of its own."""
    if codes is None:
        return None
    seen, dense = np.unique(codes[chosen], return_inverse=True)
    return None if seen.size == dense.size else dense.astype(np.intp)


def _checked(table: ScoreTable) -> FloatArray:
    scores = np.asarray(table.scores, dtype=np.float64)
    if scores.ndim != 2:
        raise StatisticsError(f"scores must have a row a candidate, not the shape {scores.shape}")
    if any(not 0 <= side < scores.shape[0] for pair in table.pairs for side in pair):
        raise StatisticsError("a pair names a candidate that is not there")
    found = scores[~np.isnan(scores)]
    if np.any(np.isinf(found)):
        raise StatisticsError("scores must be finite; NaN says that there is none")
    if table.kind == "binary" and np.any((found != 0.0) & (found != 1.0)):
        raise StatisticsError("scores of kind 'binary' must be 0 or 1")
    if table.kind == "unit":
        if np.any((found < -_SLACK) | (found > 1.0 + _SLACK)):
            raise StatisticsError("scores of kind 'unit' must lie in [0, 1]")
        return np.clip(scores, 0.0, 1.0)
    return scores


def _flippable(table: ScoreTable, scores: FloatArray, codes: IntArray | None) -> Flippable:
    baselines = np.array([baseline for baseline, _ in table.pairs], dtype=np.intp)
    candidates = np.array([candidate for _, candidate in table.pairs], dtype=np.intp)
    lacking = np.isnan(scores)
    somewhere = np.asarray(lacking.any(axis=0), dtype=np.float64)[None, :]
    broken = np.asarray(_by_unit(somewhere, codes)[0] > 0.0, dtype=np.bool_)
    gaps = np.flatnonzero(broken)
    columns = broken if codes is None else broken[codes]
    rows = _by_unit(np.where(columns, 0.0, scores), codes)
    partial = scores[:, columns]
    differences = np.nan_to_num(partial[candidates] - partial[baselines], nan=0.0)
    if codes is not None:
        place = np.cumsum(broken) - 1
        differences = _by_unit(differences, place[codes[columns]], gaps.size)
    return Flippable(
        rows=rows, baselines=baselines, candidates=candidates, gaps=gaps, gap_differences=differences
    )


def _by_unit(rows: FloatArray, codes: IntArray | None, units: int | None = None) -> FloatArray:
    """Sums of each row by cluster; without codes each case is its own."""
    if codes is None:
        return rows
    size = (int(codes.max()) + 1 if codes.size else 0) if units is None else units
    if not rows.size:
        return np.zeros((rows.shape[0], size))
    return np.stack([np.bincount(codes, weights=row, minlength=size) for row in rows])
