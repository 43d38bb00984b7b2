"""Texts cut into the parts that are compared with each other."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

_BOUNDARY = re.compile(r"(?<=[.!?…])[\"'”’»)\]]{0,3}\s++(?![a-z])|\n|(?<=[。！？])[」』”）]{0,3}")
"""Where a sentence ends: marks before a space that no small letter follows, a line's end, or 。！？."""
_WORD = re.compile(r"\S+")


class Part(NamedTuple):
    """A piece of a text, and where in it it stands."""

    text: str
    start: int
    end: int


Split = Callable[[str], list[Part]]


def whole(text: str) -> list[Part]:
    """The text as one part; none of an empty one."""
    return list(_trimmed(text, 0, len(text)))


def sentences(text: str) -> list[Part]:
    """The sentences and lines of a text, by its marks: an abbreviation before a capital ends one too."""
    found: list[Part] = []
    start = 0
    for boundary in _BOUNDARY.finditer(text):
        found += _trimmed(text, start, boundary.end())
        start = boundary.end()
    return [*found, *_trimmed(text, start, len(text))]


def word_windows(text: str, size: int) -> list[Part]:
    """All runs of `size` words between spaces, each beginning a word after the one before it."""
    words = [match.span() for match in _WORD.finditer(text)]
    ends = words[size - 1 :] or words[-1:]
    return [Part(text[start:end], start, end) for (start, _), (_, end) in zip(words, ends, strict=False)]


def _trimmed(text: str, start: int, end: int) -> Iterator[Part]:
    part = text[start:end]
    kept = part.strip()
    if kept:
        first = start + len(part) - len(part.lstrip())
        yield Part(kept, first, first + len(kept))
