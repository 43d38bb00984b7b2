"""What is handed in, checked once: finite numbers in their range, clusters as codes."""

import math
from collections.abc import Hashable, Sequence
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from assay.stats.errors import StatisticsError

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.intp]
Numbers: TypeAlias = Sequence[float] | Sequence[bool] | npt.NDArray[np.generic]
Labels: TypeAlias = Sequence[Hashable] | npt.NDArray[np.generic]

Kind: TypeAlias = Literal["binary", "unit", "real"]
"""`binary`: 0 or 1; `unit`: anywhere in [0, 1]; `real`: unbounded measures such as latency or cost."""

# Averages may leave [0, 1] by rounding; more than this is a mistake of the caller.
_SLACK = 1e-9


def finite_numbers(values: Numbers, name: str = "scores") -> FloatArray:
    """`values` as a one-dimensional float array; StatisticsError if one is missing or infinite."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise StatisticsError(f"{name} must be numbers: {error}") from error
    if array.ndim != 1:
        raise StatisticsError(f"{name} must be one-dimensional, not of shape {array.shape}")
    broken = int(np.count_nonzero(~np.isfinite(array)))
    if broken:
        raise StatisticsError(
            f"{name}: {broken} of {array.size} values are missing or infinite; "
            "leave failures out and report them with bounds_with_failures"
        )
    return array


def scores_of_kind(values: Numbers, kind: Kind, name: str = "scores") -> FloatArray:
    """`values` checked against the range that `kind` promises."""
    array = finite_numbers(values, name)
    if kind == "real":
        return array
    if kind == "binary":
        if np.any((array != 0.0) & (array != 1.0)):
            raise StatisticsError(f"{name} of kind 'binary' must be 0 or 1")
        return array
    if kind != "unit":
        raise StatisticsError(f"unknown kind {kind!r}: expected 'binary', 'unit' or 'real'")
    if np.any((array < -_SLACK) | (array > 1.0 + _SLACK)):
        raise StatisticsError(f"{name} of kind 'unit' must lie in [0, 1]")
    return np.clip(array, 0.0, 1.0)


def cluster_codes(clusters: Labels | None, n: int) -> IntArray | None:
    """Codes 0, 1, ... in order of first appearance, or None when every case stands alone.

    A label of None means "this case shares its source with no other". The order of appearance, not the
    labels, makes the codes, so that renaming clusters changes no result, not even a random one.
    """
    if clusters is None:
        return None
    labels = clusters.tolist() if isinstance(clusters, np.ndarray) else list(clusters)
    if len(labels) != n:
        raise StatisticsError(f"{len(labels)} cluster labels for {n} scores")
    seen: dict[Hashable, int] = {}
    codes = np.empty(n, dtype=np.intp)
    for index, label in enumerate(labels):
        if isinstance(label, float) and math.isnan(label):
            raise StatisticsError("a cluster label is NaN; use None for a case that stands alone")
        key = (index,) if label is None else label
        codes[index] = seen.setdefault((label is None, key), len(seen))
    return None if len(seen) == n else codes


def check_probability(value: float, name: str) -> None:
    """StatisticsError unless 0 < value < 1."""
    if not 0.0 < value < 1.0:
        raise StatisticsError(f"{name} must lie between 0 and 1, not {value}")


def check_margin(margin: float) -> None:
    """StatisticsError unless the margin is positive and finite."""
    if not 0.0 < margin < math.inf:
        raise StatisticsError(f"margin must be positive and finite, not {margin}")
