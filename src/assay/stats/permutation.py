"""Sign-flip permutation test of paired differences."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.stats.arrays import FloatArray
from assay.stats.errors import StatisticsError

# 2^16 = 65,536 sign patterns are all tried; more pairs get random ones.
EXACT_PAIRS = 16
FLIPS = 10_000


@dataclass(frozen=True, slots=True)
class SignFlip:
    """A two-sided p, the smallest p that the test could have given, and whether all patterns were tried."""

    p: float
    resolution: float
    exact: bool


def sign_flip(sums: FloatArray, *, rng: np.random.Generator, flips: int = FLIPS) -> SignFlip:
    """Two-sided test of H0 "each difference is as likely as its negative", on the absolute mean.

    `sums`: the difference of each pair, or the sum of the differences of each cluster, which flips as a
    whole. Exact over all sign patterns up to 16 pairs, else p = (1 + hits) / (flips + 1),
    which is valid for any number of flips (Phipson and Smyth 2010). Zero differences change nothing and are
    dropped. Time O(n x flips), memory O(flips) however many pairs there are.
    """
    if flips < 1:
        raise StatisticsError(f"{flips} flips: at least one is needed")
    magnitudes = np.abs(sums)
    moves = moving_units(sums)
    moving, observed = magnitudes[moves], abs(float(sums[moves].sum()))
    if moving.size == 0:
        return SignFlip(1.0, 1.0, True)
    # A pattern that ties with the observed sum counts as a hit in spite of rounding.
    threshold = observed - 1e-12 * float(moving.sum())
    exact = moving.size <= EXACT_PAIRS
    totals = _all_patterns(moving) if exact else _random_patterns(moving, rng, flips)
    hits = int(np.count_nonzero(np.abs(totals) >= threshold))
    if exact:
        return SignFlip(hits / totals.size, 2.0 / totals.size, True)
    return SignFlip((1 + hits) / (flips + 1), 1.0 / (flips + 1), False)


def moving_units(sums: FloatArray) -> npt.NDArray[np.bool_]:
    """Which differences a flip moves; what rounding left of cancelled ones moves nothing."""
    magnitudes = np.abs(sums)
    return np.asarray(magnitudes > 1e-12 * magnitudes.max(initial=0.0), dtype=np.bool_)


def _all_patterns(magnitudes: FloatArray) -> FloatArray:
    """The signed sums of all 2^n patterns."""
    totals = np.zeros(1)
    for magnitude in magnitudes:
        totals = np.concatenate([totals + magnitude, totals - magnitude])
    return totals


def _random_patterns(magnitudes: FloatArray, rng: np.random.Generator, flips: int) -> FloatArray:
    """Signed sums of `flips` random patterns: a random byte looks up the sum of eight differences."""
    groups = np.concatenate([magnitudes, np.zeros(-magnitudes.size % 8)]).reshape(-1, 8)
    signs = 1.0 - 2.0 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
    totals, chosen = np.zeros(flips), np.empty(flips)
    for group in groups:
        patterns = np.frombuffer(rng.bytes(flips), dtype=np.uint8)
        np.take(signs @ group, patterns, out=chosen, mode="clip")
        totals += chosen
    return totals
