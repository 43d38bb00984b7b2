"""Sign-flip tests of many pairs at once: all share the random signs, and candidates their sums."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.stats.arrays import FloatArray, IntArray
from assay.stats.permutation import EXACT_PAIRS, FLIPS, SignFlip, moving_units, sign_flip

# 32 MB of signs at a time, whatever the number of cases.
_SIGNS_AT_ONCE = 4_000_000
# Sums that tie but for rounding differ by less than this share of the scores' sum.
_ROUNDING = 1e-11


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flippable:
    """Candidates that are to be compared with each other, summed by unit (a case or a cluster).

    `rows`: (candidates, units), 0 in the units of `gaps`, where a candidate lacks a score. `gaps` are unit
    numbers and `gap_differences` (pairs, gaps) the differences there, over the scores that both sides have.
    The difference of a pair is `rows[candidate] - rows[baseline]`.
    """

    rows: FloatArray
    baselines: IntArray
    candidates: IntArray
    gaps: IntArray
    gap_differences: FloatArray

    def differences(self, pair: int) -> FloatArray:
        """One pair's differences by unit."""
        found = np.asarray(
            self.rows[self.candidates[pair]] - self.rows[self.baselines[pair]], dtype=np.float64
        )
        found[self.gaps] = self.gap_differences[pair]
        return found


def shared_sign_flips(
    tables: Sequence[Flippable], *, rng: np.random.Generator, flips: int = FLIPS
) -> list[tuple[SignFlip, ...]]:
    """What `sign_flip` says of every pair of every table; all tables have the same units.

    Each p has the meaning that it has there: exact up to 16 units that differ, else (1 + hits) / (flips + 1),
    valid for any number of flips. Because pairs share the random signs their p-values depend on each other,
    which Holm's adjustment allows. A flipped sum of differences is the difference of two flipped sums, so
    that the work grows with candidates and not with pairs: O(units x flips x candidates), in bounded memory.
    """
    found = [_without_chance(table, rng) for table in tables]
    random = [[pair for pair, each in enumerate(row) if each is None] for row in found]
    if any(random):
        counts = _count_hits(tables, random, rng, flips)
        for row, pairs, hits in zip(found, random, counts, strict=True):
            for pair, number in zip(pairs, hits, strict=True):
                row[pair] = SignFlip((1 + int(number)) / (flips + 1), 1.0 / (flips + 1), False)
    return [tuple(each for each in row if each is not None) for row in found]


def _without_chance(table: Flippable, rng: np.random.Generator) -> list[SignFlip | None]:
    """The tests that try all patterns; None where there are too many."""
    found: list[SignFlip | None] = []
    for pair in range(table.baselines.size):
        differences = table.differences(pair)
        few = int(np.count_nonzero(moving_units(differences))) <= EXACT_PAIRS
        found.append(sign_flip(differences, rng=rng) if few else None)
    return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Part:
    """The pairs of a table that need random signs; `rows` are its places among the rows of all tables."""

    baselines: IntArray
    candidates: IntArray
    gaps: IntArray
    gap_differences: FloatArray
    thresholds: FloatArray

    def hits(self, sums: FloatArray, signs: FloatArray) -> npt.NDArray[np.intp]:
        """How many flipped sums are as large as the observed one; `signs` (units, flips)."""
        totals = sums[self.candidates]
        totals -= sums[self.baselines]
        if self.gaps.size:
            totals += self.gap_differences @ signs[self.gaps]
        np.abs(totals, out=totals)
        return np.asarray(np.count_nonzero(totals >= self.thresholds[:, None], axis=1), dtype=np.intp)


def _count_hits(
    tables: Sequence[Flippable], random: Sequence[Sequence[int]], rng: np.random.Generator, flips: int
) -> list[npt.NDArray[np.intp]]:
    rows = np.concatenate([table.rows for table in tables])
    starts = np.cumsum([0, *(table.rows.shape[0] for table in tables)])
    parts = [
        _part(table, pairs, int(start)) for table, pairs, start in zip(tables, random, starts, strict=False)
    ]
    hits = [np.zeros(len(pairs), dtype=np.intp) for pairs in random]
    units = rows.shape[1]
    at_once = max(1, min(flips, _SIGNS_AT_ONCE // max(1, units)))
    for start in range(0, flips, at_once):
        signs = _random_signs(units, min(at_once, flips - start), rng)
        sums = rows @ signs
        for number, part in enumerate(parts):
            hits[number] += part.hits(sums, signs)
    return hits


def _part(table: Flippable, pairs: Sequence[int], start: int) -> _Part:
    differences = [table.differences(pair) for pair in pairs]
    observed = np.array([abs(float(each.sum())) for each in differences])
    scale = np.abs(table.rows).sum(axis=1)
    chosen = np.asarray(pairs, dtype=np.intp)
    first, second = table.baselines[chosen], table.candidates[chosen]
    # Sums of both sides are rounded, not only their difference.
    moved = np.array([float(np.abs(each).sum()) for each in differences])
    slack = np.minimum(_ROUNDING * (scale[first] + scale[second] + moved), 1e-6 * moved)
    return _Part(
        baselines=first + start,
        candidates=second + start,
        gaps=table.gaps,
        gap_differences=table.gap_differences[chosen],
        thresholds=observed - slack,
    )


def _random_signs(rows: int, columns: int, rng: np.random.Generator) -> FloatArray:
    width = -(-columns // 8)
    bits = np.unpackbits(np.frombuffer(rng.bytes(rows * width), dtype=np.uint8).reshape(rows, width), axis=1)
    signs = bits[:, :columns].astype(np.float64)
    signs *= 2.0
    signs -= 1.0
    return signs
