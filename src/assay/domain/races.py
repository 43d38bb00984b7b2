"""Races: what a suite asks for, and what is known of their cells."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class RaceConfig:
    """Stop candidates that cannot win. `metric` decides; None takes the first quality metric of the suite.

    The winner is the one that the full grid would choose, or one at most `within` worse, with probability
    1 - `alpha`. Candidates are asked `batch` cases at a time.
    """

    metric: str | None = None
    within: float = 0.02
    alpha: float = 0.05
    batch: int = 25


@dataclass(frozen=True, slots=True)
class RaceCell:
    """A cell that was opened. `state` is "open" until it ended; then a score, which may have no value.

    `failed`: it will have no score, though there should be one; `skipped`: by its nature it has none;
    `closed`: it was not needed any more.
    """

    item_no: int
    state: Literal["open", "scored", "failed", "skipped", "closed"]
    value: float | None = None
