"""Rows of traffic, added up by the unit that was randomised."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from assay.stats.arrays import FloatArray, IntArray, Labels, Numbers, finite_numbers
from assay.stats.errors import StatisticsError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Units:
    """Rows of traffic: the variant that each saw and the unit that it belongs to.

    `unit` None: each row is a unit of its own. `weights`: the planned shares of control and treatment.
    """

    variant: Labels
    control: Hashable
    unit: Labels | None = None
    weights: tuple[float, float] = (0.5, 0.5)


@dataclass(frozen=True, slots=True, eq=False)
class Ratio:
    """A metric that is a sum over a sum, such as cost per correct answer; one entry of each a row."""

    numerator: Numbers
    denominator: Numbers


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """One variant: sums and sizes by unit, and the covariate of each unit."""

    sums: FloatArray
    sizes: FloatArray
    covariate: FloatArray | None

    @property
    def units(self) -> int:
        """How many units saw it."""
        return int(self.sums.size)

    @property
    def mean(self) -> float | None:
        """Sum over size of all units; None where there is nothing to divide by."""
        total = float(self.sizes.sum())
        return float(self.sums.sum()) / total if total > 0.0 else None

    def influence(self) -> FloatArray:
        """What each unit moves the ratio by, times the number of units: (Y - R N) / mean N."""
        ratio = float(self.sums.sum()) / float(self.sizes.sum())
        return np.asarray((self.sums - ratio * self.sizes) / self.sizes.mean(), dtype=np.float64)


def arms_of(units: Units, metric: Numbers | Ratio, covariate: Numbers | None) -> tuple[Arm, Arm]:
    """Control and treatment by unit; StatisticsError for what cannot be assigned to one of the two."""
    variant = units.variant.tolist() if isinstance(units.variant, np.ndarray) else list(units.variant)
    sums, sizes = _columns(metric)
    before = None if covariate is None else finite_numbers(covariate, "covariate")
    if not len(variant) == sums.size == (sums if before is None else before).size:
        raise StatisticsError(f"{len(variant)} variants for {sums.size} values: one of each a row")
    others = {label for label in variant if label != units.control}
    if len(others) > 1:
        raise StatisticsError("more than one treatment: test each against the control, and adjust")
    codes = _unit_codes(units.unit, len(variant))
    count = int(codes.max()) + 1 if codes.size else 0
    rows = np.bincount(codes, minlength=count)
    treated = np.bincount(codes, weights=[label != units.control for label in variant], minlength=count)
    mixed = int(np.count_nonzero((treated > 0) & (treated < rows)))
    if mixed:
        raise StatisticsError(f"{mixed} units saw both variants: leave them out, or find out why")
    by_unit = [
        np.bincount(codes, weights=column, minlength=count).astype(np.float64) for column in (sums, sizes)
    ]
    mean_before = None if before is None else np.bincount(codes, weights=before, minlength=count) / rows
    return _arm(treated == 0, by_unit, mean_before), _arm(treated > 0, by_unit, mean_before)


def _arm(chosen: np.ndarray, by_unit: Sequence[FloatArray], covariate: FloatArray | None) -> Arm:
    return Arm(by_unit[0][chosen], by_unit[1][chosen], None if covariate is None else covariate[chosen])


def _columns(metric: Numbers | Ratio) -> tuple[FloatArray, FloatArray]:
    if not isinstance(metric, Ratio):
        values = finite_numbers(metric, "metric")
        return values, np.ones(values.size)
    numerator = finite_numbers(metric.numerator, "numerator")
    denominator = finite_numbers(metric.denominator, "denominator")
    if numerator.size != denominator.size:
        raise StatisticsError(f"{numerator.size} numerators for {denominator.size} denominators")
    if np.any(denominator < 0.0):
        raise StatisticsError("denominators cannot be negative")
    return numerator, denominator


def _unit_codes(unit: Labels | None, rows: int) -> IntArray:
    if unit is None:
        return np.arange(rows, dtype=np.intp)
    labels = unit.tolist() if isinstance(unit, np.ndarray) else list(unit)
    if len(labels) != rows:
        raise StatisticsError(f"{len(labels)} units for {rows} rows")
    seen: dict[Hashable, int] = {}
    return np.array([seen.setdefault(label, len(seen)) for label in labels], dtype=np.intp)
