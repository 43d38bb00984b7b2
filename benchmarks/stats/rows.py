"""The value that each check returns, and how much effort it may take."""

import math
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]

# So many standard errors of the difference between a quick and a full simulation are forgiven.
_FORGIVEN = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was measured, over how many designs, and what is accepted.

    `measured`: one figure a design, or figures in words where they are of several kinds. `ok` None: a
    contrast, shown and not judged.
    """

    check: str
    design: str
    measured: tuple[float, ...] | str
    bound: str
    ok: bool | None


@dataclass(frozen=True, slots=True)
class Effort:
    """`quick` draws a tenth, and accepts what the smaller number of draws may miss by chance."""

    quick: bool = False
    seed: int = 20_261

    def draws(self, full: int) -> int:
        """How many draws to make where a full run makes `full`."""
        return max(100, full // 10) if self.quick else full

    def rng(self, check: str) -> np.random.Generator:
        """The generator of a check: the same in each run, whichever other checks run."""
        return np.random.default_rng([self.seed, zlib.crc32(check.encode())])

    def slack(self, bound: float, full: int) -> float:
        """By how much a rate near `bound` may be missed for having fewer draws than a full run; then 0."""
        if not self.quick:
            return 0.0
        spread = math.sqrt(bound * (1.0 - bound))
        return _FORGIVEN * spread * (1.0 / math.sqrt(self.draws(full)) - 1.0 / math.sqrt(full))


Check: TypeAlias = Callable[[Effort], Row | tuple[Row, ...]]
"""Measures one promise; several rows where one simulation answers several questions."""


def at_least(check: str, design: str, measured: Iterable[float], bound: float, slack: float = 0.0) -> Row:
    """A row that is accepted when no design is below the bound."""
    values = tuple(float(value) for value in measured)
    limit = bound - slack
    return Row(check=check, design=design, measured=values, bound=f">= {limit:.3g}", ok=min(values) >= limit)


def at_most(check: str, design: str, measured: Iterable[float], bound: float, slack: float = 0.0) -> Row:
    """A row that is accepted when no design is above the bound."""
    values = tuple(float(value) for value in measured)
    limit = bound + slack
    return Row(check=check, design=design, measured=values, bound=f"<= {limit:.3g}", ok=max(values) <= limit)


def between(
    check: str, design: str, measured: Iterable[float], bounds: tuple[float, float], slack: float = 0.0
) -> Row:
    """A row that is accepted when all designs are within both bounds."""
    values = tuple(float(value) for value in measured)
    low, high = bounds[0] - slack, bounds[1] + slack
    accepted = low <= min(values) and max(values) <= high
    return Row(check=check, design=design, measured=values, bound=f"{low:.3g} to {high:.3g}", ok=accepted)


def contrast(check: str, design: str, measured: Iterable[float]) -> Row:
    """A row of the method that is not used, to show why."""
    values = tuple(float(value) for value in measured)
    return Row(check=check, design=design, measured=values, bound="contrast", ok=None)


def share(hits: npt.ArrayLike) -> float:
    """How often."""
    return float(np.asarray(hits, dtype=np.float64).mean())
