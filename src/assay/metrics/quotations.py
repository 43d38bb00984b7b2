"""Whether a quotation really is in a text, and where."""

import re
from collections.abc import Sequence
from typing import NamedTuple

_ELLIPSIS = re.compile(r"\s*(?:\[\s*)?(?:\.{3,}|…)(?:\s*\])?\s*")
_QUOTES = " \t\r\n\"'“”„‘’«»`"
SHORTEST = 3
LONGEST = 5_000


class Span(NamedTuple):
    """Characters `start` to `end` of the document with this number, from 0."""

    document: int
    start: int
    end: int


def find_quotation(quotation: str, documents: Sequence[str]) -> tuple[Span, ...]:
    """Where the parts of a quotation stand, all in one document and in order; empty when one does not.

    Spaces, capitals and quotation marks round it do not count; an ellipsis separates parts. A part of fewer
    than three characters shows nothing and is not found.
    """
    if len(quotation) > LONGEST:
        return ()
    parts = [part.strip(_QUOTES) for part in _ELLIPSIS.split(quotation.strip(_QUOTES))]
    parts = [part for part in parts if part]
    if not parts or any(len(part) < SHORTEST for part in parts):
        return ()
    for number, document in enumerate(documents):
        spans = _spans(parts, document, number)
        if spans:
            return spans
    return ()


def _spans(parts: Sequence[str], document: str, number: int) -> tuple[Span, ...]:
    at, spans = 0, []
    for part in parts:
        pattern = re.compile(r"\s+".join(map(re.escape, part.split())), re.IGNORECASE)
        found = pattern.search(document, at)
        if found is None:
            return ()
        spans.append(Span(number, found.start(), found.end()))
        at = found.end()
    return tuple(spans)
