"""Which cases moved between the sides of a pair."""

import numpy as np
import numpy.typing as npt

from assay.reports.comparison_values import Change, Movement
from assay.reports.contest import Contest

_TINY = 1e-12


def movement_of(
    contest: Contest,
    before: npt.NDArray[np.float64],
    after: npt.NDArray[np.float64],
    *,
    lower: bool,
    top: int,
) -> Movement:
    """How many cases moved which way, and the `top` largest moves; of equal ones the worse first."""
    gain = before - after if lower else after - before
    up, down = int(np.count_nonzero(gain > _TINY)), int(np.count_nonzero(gain < -_TINY))
    scored = int(np.count_nonzero(~np.isnan(gain)))
    changes = tuple(
        Change(case=int(case), key=contest.cases[case], before=float(before[case]), after=float(after[case]))
        for case in _largest(gain, top)
    )
    return Movement(improved=up, worsened=down, same=scored - up - down, changes=changes)


def _largest(gain: npt.NDArray[np.float64], top: int) -> npt.NDArray[np.intp]:
    size = np.abs(np.nan_to_num(gain, nan=0.0))
    moved = np.flatnonzero(size > _TINY)
    if top < 1 or not moved.size:
        return moved[:0]
    if moved.size > top:
        least = np.partition(size[moved], moved.size - top)[moved.size - top]
        moved = moved[size[moved] >= least - _TINY]
    order = np.lexsort((moved, gain[moved] > 0, -np.round(size[moved], 12)))
    return moved[order[:top]]
