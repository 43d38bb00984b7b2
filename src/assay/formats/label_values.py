"""What people write as labels, as numbers in [0, 1]."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assay.formats.places import Place

PASSES = frozenset({"pass", "passed", "true", "yes", "y", "good", "correct", "ok", "accept", "accepted"})
FAILS = frozenset({"fail", "failed", "false", "no", "n", "bad", "incorrect", "wrong", "reject", "rejected"})
BLANK = frozenset({"", "na", "n/a", "null", "none", "?"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelScale:
    """How labels are read. `low` and `high` are the ends of numbers, which become 0 and 1.

    `passes`: the words that mean a pass; then any other word means a failure, and so does any other number if
    one of them is a number. Without, the usual words for both are known, in any case of letters.
    """

    low: float = 0.0
    high: float = 1.0
    passes: frozenset[str] = frozenset()

    @classmethod
    def of(cls, low: float, high: float, passes: Sequence[str] = ()) -> "LabelScale":
        """A scale, its words in lower case."""
        return cls(low=low, high=high, passes=frozenset(word.strip().lower() for word in passes))

    def read(self, value: Any, place: Place, field: str, option: str = "--scale") -> float | None:
        """A label or score in [0, 1]; None for a blank. Raises InvalidInput for anything else."""
        if value is None or (isinstance(value, str) and value.strip().lower() in BLANK - self.passes):
            return None
        word = str(value).strip().lower()
        number = read_number(value)
        if isinstance(value, bool):
            return float(value)
        if self.passes and number is None:
            return float(word in self.passes)
        if any(read_number(each) is not None for each in self.passes):
            return float(number in {read_number(each) for each in self.passes})
        if isinstance(value, str) and word in PASSES | FAILS:
            return float(word in PASSES)
        if number is None:
            raise place.problem(
                f"{str(value)[:60]!r} is neither a number nor a word that is known",
                field=field,
                remedy="Say which words mean a pass: --passes WORD, once for each.",
            )
        if not self.low <= number <= self.high:
            raise place.problem(
                f"{number:g} is off the scale of {self.low:g} to {self.high:g}",
                field=field,
                remedy=f"Give the ends of the scale: {option} LOW:HIGH",
            )
        return (number - self.low) / (self.high - self.low)


UNIT = LabelScale()


def read_number(value: Any) -> float | None:
    """A finite number, or a text that is one; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < float("inf") else None
