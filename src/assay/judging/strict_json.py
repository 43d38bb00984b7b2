"""Finding the one JSON object in what a judge said.

`json.loads` takes NaN, 1e999 and the last of two equal keys; here they are refused. An object may stand
alone, in a Markdown fence, or in prose. Two different objects in one reply are refused as well: one may be a
quotation of the text that was judged.
"""

import json
import re
from collections.abc import Iterable, Iterator
from math import isfinite
from typing import Any

MAX_REPLY_CHARS = 200_000
_THINKING = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)


class UnusableReply(ValueError):
    """Why a reply is no verdict; the text is said to the judge when it is asked to repair it."""


def find_object(text: str) -> dict[str, Any]:
    """The JSON object that a reply is: exactly, in a fence, or the balanced object in its prose.

    Raises UnusableReply when there is none, when there are several that differ, and for NaN, infinite numbers
    and doubled keys. A leading block of <think> is not part of the reply.
    """
    if len(text) > MAX_REPLY_CHARS:
        raise UnusableReply(f"it has more than {MAX_REPLY_CHARS:,} characters")
    text = without_thinking(text).strip()
    if not text:
        raise UnusableReply("it is empty")
    whole = _decoded(text)
    if whole is not None:
        return whole
    found = _distinct(_candidates(text)) or _distinct(_balanced(text))
    if len(found) > 1:
        raise UnusableReply("it holds several JSON objects that differ")
    if not found:
        raise UnusableReply("it holds no complete JSON object")
    return found[0]


def without_thinking(text: str) -> str:
    """The reply without the block of <think> that models of open weights put before it."""
    return _THINKING.sub("", text)


def _distinct(candidates: Iterable[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for candidate in candidates:
        decoded = _decoded(candidate)
        if decoded is not None and decoded not in found:
            found.append(decoded)
            if len(found) > 1:
                break
    return found


def _candidates(text: str) -> Iterator[str]:
    """What stands in fences, then the balanced objects of what stands outside of them."""
    outside: list[str] = []
    inside: list[str] | None = None
    for line in text.splitlines(keepends=True):
        if line.lstrip().startswith("```"):
            if inside is None:
                inside = []
            else:
                yield "".join(inside)
                inside = None
        else:
            (outside if inside is None else inside).append(line)
    yield from _balanced("".join(outside + (inside or [])))


def _balanced(text: str) -> Iterator[str]:
    """The outermost balanced {...} of a text, from left to right, in one pass."""
    depth, start, quoted, escaped = 0, 0, False, False
    for place, char in enumerate(text):
        if quoted:
            quoted = escaped or char != '"'
            escaped = char == "\\" and not escaped
        elif char == "{":
            start = place if depth == 0 else start
            depth += 1
        elif depth and char == '"':
            quoted = True
        elif depth and char == "}":
            depth -= 1
            if depth == 0:
                yield text[start : place + 1]


def _decoded(text: str) -> dict[str, Any] | None:
    """The object that a text is, or None when it is none; raises UnusableReply for what it must not hold."""
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite, strict=False
        )
    except UnusableReply:
        raise
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise UnusableReply("it has the same key twice")
    return made


def _no_constant(name: str) -> float:
    raise UnusableReply(f"it holds {name}, which is no number of JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if not isfinite(value):
        raise UnusableReply("it holds a number that is too large")
    return value
