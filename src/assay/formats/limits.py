"""How large and how deep data may be, and which values it may hold."""

import math
from collections.abc import Mapping
from typing import Any

MAX_DEPTH = 32
MAX_FIELD = 1_048_576
"""Characters of one text."""
MAX_ROW = 16 * MAX_FIELD
"""Bytes of one row or line."""
MAX_JSON_FILE = 50_000_000
MAX_YAML_FILE = 10_000_000
MAX_RESULT_FILE = 500_000_000
MAX_CASES = 1_000_000
MIN_INTEGER, MAX_INTEGER = -(2**63), 2**64 - 1


def check_value(value: Any) -> None:
    """Raise ValueError unless a value is JSON that every part of the system can keep.

    Depth up to MAX_DEPTH, texts up to MAX_FIELD without NUL and lone surrogates, integers of 64 bits,
    finite numbers, text keys.
    """
    stack = [(value, 1)]
    while stack:
        part, depth = stack.pop()
        if isinstance(part, Mapping | list | tuple):
            if depth > MAX_DEPTH:
                raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
            inner = part
            if isinstance(part, Mapping):
                for key in part:
                    check_key(key)
                inner = list(part.values())
            stack.extend((item, depth + 1) for item in inner)
        else:
            check_scalar(part)


def check_key(key: Any) -> None:
    """Raise ValueError unless a key is a text that can be kept."""
    if not isinstance(key, str):
        raise ValueError(f"the key {key!r} is not a text")
    check_text(key)


def check_scalar(value: Any) -> None:
    """Raise ValueError unless a value without parts can be kept."""
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int):
        check_integer(value)
    elif not isinstance(value, float):
        raise ValueError(f"a value of type {type(value).__name__} is not JSON")
    elif not math.isfinite(value):
        raise ValueError(f"{value} is not a number that JSON has")


def check_text(text: str) -> None:
    """Raise ValueError for a text that is too long or cannot be stored."""
    if len(text) > MAX_FIELD:
        raise ValueError(f"a text of {len(text):,} characters; the limit is {MAX_FIELD:,}")
    if "\x00" in text:
        raise ValueError("a text with a NUL character")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as problem:
            raise ValueError("a text with half of a surrogate pair") from problem


def check_integer(value: int) -> None:
    """Raise ValueError for an integer that does not fit 64 bits."""
    if not MIN_INTEGER <= value <= MAX_INTEGER:
        raise ValueError("an integer of more than 64 bits; write it as text")
