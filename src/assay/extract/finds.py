"""What an extractor found: a value, its unit, and where in the text it stands."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Find(Generic[Value]):
    """A value in a text; `text[start:end]` is `quote`."""

    value: Value
    unit: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Span:
    """An amount, or a range of amounts when `high` is above `low`."""

    low: float
    high: float
    rounded: bool = False
    """Written with k, m, or a word, so that the last digits are not stated."""

    @property
    def is_range(self) -> bool:
        """Whether there are two different ends."""
        return self.high > self.low


def overlaps(start: int, end: int, finds: list[tuple[int, int]]) -> bool:
    """Whether any of the spans shares a character with [start, end); meant for a few spans."""
    return any(start < other_end and other_start < end for other_start, other_end in finds)
