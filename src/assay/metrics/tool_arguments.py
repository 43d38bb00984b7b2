"""Arguments of tool calls: which are right, wrong, missing and extra."""

import re
from collections.abc import Mapping
from math import isclose
from typing import Any, NamedTuple

from assay.metrics.tool_calls import parse_json

ROUNDING = 1e-9
"""Relative difference of two numbers that counts as floating-point error."""
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
LONGEST_NUMBER = 64


class Tolerance(NamedTuple):
    """What two values may differ in: the case of letters, and numbers by an absolute amount."""

    ignore_case: bool = False
    absolute: float = 0.0


STRICT = Tolerance()


class Difference(NamedTuple):
    """How the arguments of a call differ from the expected ones; `wrong` has expected and made values."""

    right: tuple[str, ...]
    wrong: Mapping[str, tuple[Any, Any]]
    missing: Mapping[str, Any]
    extra: Mapping[str, Any]

    @property
    def total(self) -> int:
        """How many arguments there are on either side."""
        return len(self.right) + len(self.wrong) + len(self.missing) + len(self.extra)


def compare_arguments(
    expected: Mapping[str, Any], made: Mapping[str, Any], tolerance: Tolerance = STRICT
) -> Difference:
    """The arguments of a call held against the expected ones; one that is null counts as not given."""
    expected = {name: value for name, value in expected.items() if value is not None}
    made = {name: value for name, value in made.items() if value is not None}
    shared = [name for name in expected if name in made]
    right = tuple(name for name in shared if same_value(expected[name], made[name], tolerance))
    return Difference(
        right=right,
        wrong={name: (expected[name], made[name]) for name in shared if name not in right},
        missing={name: value for name, value in expected.items() if name not in made},
        extra={name: value for name, value in made.items() if name not in expected},
    )


def same_value(expected: Any, made: Any, tolerance: Tolerance = STRICT) -> bool:
    """Whether two JSON values mean the same.

    1 is 1.0 and "1", true is "true" and not 1, and a text that is a JSON object or array is that object or
    array. Keys of objects have no order, items of arrays have.
    """
    expected, made = _structure(expected), _structure(made)
    if isinstance(expected, Mapping) and isinstance(made, Mapping):
        return expected.keys() == made.keys() and all(
            same_value(value, made[name], tolerance) for name, value in expected.items()
        )
    if isinstance(expected, list | tuple) and isinstance(made, list | tuple):
        return len(expected) == len(made) and all(
            same_value(*pair, tolerance) for pair in zip(expected, made, strict=True)
        )
    if isinstance(expected, str) and isinstance(made, str):
        return _fold(expected, tolerance) == _fold(made, tolerance)
    return _same_scalar(expected, made, tolerance)


def _structure(value: Any) -> Any:
    """The object or array that a text is, else the value."""
    parsed = parse_json(value) if isinstance(value, str) else None
    return value if parsed is None else parsed


def _fold(text: str, tolerance: Tolerance) -> str:
    return text.casefold() if tolerance.ignore_case else text


def _same_scalar(expected: Any, made: Any, tolerance: Tolerance) -> bool:
    if isinstance(expected, bool) or isinstance(made, bool):
        return _truth(expected) is not None and _truth(expected) is _truth(made)
    left, right = _number(expected), _number(made)
    if left is None or right is None:
        return bool(expected is None and made is None)
    if isinstance(left, int) and isinstance(right, int):
        return abs(left - right) <= tolerance.absolute
    try:
        return isclose(left, right, rel_tol=ROUNDING, abs_tol=tolerance.absolute)
    except OverflowError:  # a whole number that no float can hold
        return False


def _truth(value: Any) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def _number(value: Any) -> int | float | None:
    if isinstance(value, str):
        text = value.strip()
        return float(text) if len(text) <= LONGEST_NUMBER and NUMBER.fullmatch(text) else None
    return value if isinstance(value, int | float) else None
