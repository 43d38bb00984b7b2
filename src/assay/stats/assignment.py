"""Who sees which variant: sticky without a memory, and checked against what was planned."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc  # type: ignore[import-untyped]  # scipy ships no types

from assay.stats.arrays import finite_numbers
from assay.stats.errors import StatisticsError

MISMATCH_P = 0.001
"""A sample ratio mismatch is raised below this p: it means a defect, so that false alarms must be rare."""

# Shares that are meant to add up to 1 may miss it by rounding.
_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Segment:
    """The buckets from `start` to just below `end`, and the variant that they see."""

    variant: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """Whether the variants got as many units as planned: chi-squared, its df and p; `mismatch`: p < .001.

    `expected`: the counts that the weights foresee.
    """

    counts: tuple[int, ...]
    expected: tuple[float, ...]
    chi2: float
    df: int
    p: float
    mismatch: bool


def bucket(experiment: str, unit: str) -> float:
    """A number in [0, 1) that a unit always has in an experiment: 8 bytes of SHA-256("experiment:unit").

    Another experiment gives an unrelated number, so that who sees B here says nothing about there.
    """
    digest = hashlib.sha256(f"{experiment}:{unit}".encode()).digest()
    # The 53 highest bits, as many as a float holds: all 64 would round up to 1 for the last few numbers.
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


def assign(experiment: str, unit: str, weights: Mapping[str, float] | Sequence[Segment]) -> str | None:
    """The variant that this unit sees, the same at every call; None for a unit outside the experiment.

    `weights`: the share of each variant, in order; where they add up to less than 1 the rest is outside. To
    change shares while units are assigned, do not change the weights (that would move units to another
    variant): hand in the segments of `allocate` and `extend`.
    """
    number = bucket(experiment, unit)
    segments = allocate(weights) if isinstance(weights, Mapping) else weights
    return next((part.variant for part in segments if part.start <= number < part.end), None)


def allocate(weights: Mapping[str, float]) -> tuple[Segment, ...]:
    """The segments of the first assignment: one for each variant, side by side from 0."""
    return extend((), weights)


def extend(segments: Sequence[Segment], weights: Mapping[str, float]) -> tuple[Segment, ...]:
    """The segments for larger shares: every unit that has a variant keeps it, new ones fill the rest.

    Raises StatisticsError where a share would shrink, because its units would have to see another variant.
    """
    _check_weights(weights)
    held = {part.variant: 0.0 for part in segments}
    for part in segments:
        held[part.variant] += part.end - part.start
    shrunk = [variant for variant, share in held.items() if weights.get(variant, 0.0) < share - _SLACK]
    if shrunk:
        raise StatisticsError(f"the share of {', '.join(shrunk)} cannot shrink: its units would move")
    start, found = max((part.end for part in segments), default=0.0), list(segments)
    for variant, weight in weights.items():
        more = weight - held.get(variant, 0.0)
        if more > _SLACK:
            end = start + more
            found.append(Segment(variant, start, 1.0 if end > 1.0 - _SLACK else end))
            start = end
    return tuple(found)


def srm(counts: Sequence[int], weights: Sequence[float] | None = None) -> SampleRatio:
    """Sample ratio mismatch: did the variants get the shares of units that were planned?

    Chi-squared of sum (n_i - n w_i)^2 / (n w_i) with k - 1 df; weights need not add up to 1, none means
    equal ones. An alarm (p < .001) says that units were lost or sent twice on one side: repair that, read no
    result. Assumes units assigned independently; wants some five expected a variant. Source: Fabijan et al.
    (2019), KDD.
    """
    shares = finite_numbers([1.0] * len(counts) if weights is None else list(weights), "weights")
    if len(counts) < 2 or shares.size != len(counts):
        raise StatisticsError(
            f"{len(counts)} counts and {shares.size} weights: at least two of each, as many"
        )
    if min(counts) < 0 or sum(counts) == 0 or float(shares.min()) <= 0.0:
        raise StatisticsError("counts must not be negative nor all 0, and weights must be positive")
    seen = np.array(counts, dtype=np.float64)
    expected = seen.sum() * shares / shares.sum()
    chi2, df = float(np.sum((seen - expected) ** 2 / expected)), len(counts) - 1
    p = float(chdtrc(df, chi2))
    return SampleRatio(tuple(counts), tuple(expected.tolist()), chi2, df, p, p < MISMATCH_P)


def _check_weights(weights: Mapping[str, float]) -> None:
    if not weights:
        raise StatisticsError("at least one variant is needed")
    if not all(0.0 <= weight <= 1.0 for weight in weights.values()):
        raise StatisticsError("weights are shares between 0 and 1")
    total = sum(weights.values())
    if total > 1.0 + _SLACK:
        raise StatisticsError(f"weights add up to {total:g}, more than 1")
