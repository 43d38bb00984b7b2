"""A text made ready for many rules: as it is, folded, in bytes, and where its sentences stand."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from assay.metrics.rule_phrases import Phrases, Span, fold

SENTENCE_REACH = 400
"""A sentence is looked for this far to each side of a match, so that time stays bounded."""
CLAUSE_PENALTY = 60
"""What a mark or word that ends a clause counts between two places, in characters of distance."""
SENTENCE_PENALTY = 130
"""What the end of a sentence counts."""
BRIDGE_CHARS = 20
"""A sentence as short as this ("Yes.", "It isn't free.") leads over to the one before it."""
QUOTE_CHARS = 200
_SENTENCE_END = re.compile(r"[.?!]\s|\n")
_CLAUSE_END = re.compile(r"[,;:|]|\b(?:and|then|but|while|whereas)\b", re.IGNORECASE)
_BOUNDARY = re.compile(
    r"(?<!\b[sS])(?<!\bss)(?<!\bNo)(?<!\bno)(?<!e\.g)(?<!i\.e)(?<!\bcf)(?<!\bDr)(?<!\bMr)(?<!\bMs)(?<!\bvs)"
    r"(?<!\bQ)(?<!\bA)(?<!approx)(?<!\bSt)(?<!\bRd)(?<!p\.w)(?<!Mrs)(?<!\n\d)[.!?][\"')\]]*\s+(?![\s|])|\n+"
)

_ITEM = re.compile(
    r"[ \t]*(?:[-*+\u00b7]\s|\d{1,2}[.)]\s|\||"
    r"(?!(?:Question|Answer|Note|Dear|Hi|PS)\b)[A-Z][\w '&/().-]{2,40}(?::| -) )"
)
"""A bullet, a number, a row of a table, or a label: "Settlement: 30 days"."""
_CHOICE = re.compile(r"[([]?(?:Y(?:es)?|N(?:o)?)\W{1,3}(?:N(?:o)?|Y(?:es)?)\W")
"""What a form leaves to tick, "Yes / No.": it stands between a question and what follows from the answer."""
_ROW = re.compile(r"[ \t]*\|")
Place = tuple[tuple[int, int], ...]
"""A part of the text, or two parts that belong together: a line that leads into a list, and an item of it."""


@dataclass(frozen=True, slots=True)
class RuleText:
    """A text as it is, folded, and folded in bytes (offsets agree), with the starts of its sentences."""

    raw: str
    folded: str
    data: bytes
    starts: tuple[int, ...]
    _found: dict[Phrases, list[Span]] = field(default_factory=dict, compare=False, repr=False)
    _firsts: dict[Phrases, Span | None] = field(default_factory=dict, compare=False, repr=False)

    def find(self, phrases: Phrases) -> list[Span]:
        """The first matches of a list, looked for once: many rules share their ideas."""
        if phrases not in self._found:
            self._found[phrases] = phrases.find(self.data)
        return self._found[phrases]

    def find_first(self, phrases: Phrases) -> Span | None:
        """The first match of a list, looked for once."""
        if phrases in self._found:
            return next(iter(self._found[phrases]), None)
        if phrases not in self._firsts:
            self._firsts[phrases] = phrases.first(self.data)
        return self._firsts[phrases]

    def slice_quote(self, start: int, end: int) -> str:
        """What stands there, shortened when it is long."""
        return self.raw[start : min(end, start + QUOTE_CHARS)]

    def places(self, at: int, sentences: int) -> Iterator[Place]:
        """The sentence at an offset; for two also with what leads into it, then with each neighbour."""
        number = bisect_right(self.starts, at) - 1
        own = self._from_to(number, number)
        yield (own,)
        if sentences == 1:
            return
        for lead in self._leads(number):
            yield (self._from_to(lead, lead), own)
        if number > 0 and not self._is_item(number):
            bridged = number > 1 and self.starts[number] - self.starts[number - 1] <= BRIDGE_CHARS
            yield (self._from_to(number - 2 if bridged else number - 1, number),)
        if number + 1 < len(self.starts) and not self._is_item(number + 1):
            asked = _CHOICE.match(self.folded, self.starts[number + 1]) is not None
            yield (self._from_to(number, min(number + 1 + asked, len(self.starts) - 1)),)

    def _is_item(self, number: int) -> bool:
        return self._line(number) == number and _ITEM.match(self.folded, self.starts[number]) is not None

    def _line(self, number: int) -> int:
        """The first sentence of the line that a sentence stands in."""
        while number > 0 and "\n" not in self.folded[self.starts[number] - 2 : self.starts[number]]:
            number -= 1
        return number

    def _leads(self, number: int) -> Iterator[int]:
        """For a row the head of its table; for an item of a list or a row the sentence before them all."""
        own = first = self._line(number)
        while first >= 0 and self._is_item(first):
            first = self._line(first - 1) if first else -1
        if first + 1 < own and _ROW.match(self.folded, self.starts[own]):
            yield first + 1
        if 0 <= first < own:
            yield first

    def _from_to(self, first: int, last: int) -> tuple[int, int]:
        end = self.starts[last + 1] if last + 1 < len(self.starts) else len(self.folded)
        return self.starts[first], end


def read_text(text: str) -> RuleText:
    """The text, folded once."""
    folded = fold(text)
    starts = (0, *(found.end() for found in _BOUNDARY.finditer(folded) if 0 < found.end() < len(folded)))
    return RuleText(text, folded, folded.encode("latin-1", "replace"), starts)


def sentence_around(text: str, start: int, end: int) -> tuple[int, int]:
    """Start and end of the sentence (or line) that holds a span, at most SENTENCE_REACH to each side."""
    low = max(0, start - SENTENCE_REACH)
    first = low
    for boundary in _BOUNDARY.finditer(text, low, start):
        first = boundary.end()
    high = min(len(text), end + SENTENCE_REACH)
    after = _BOUNDARY.search(text, end, high)
    return first, after.start() + 1 if after else high


def find_distance(text: str, one: Span, other: Span) -> int | None:
    """Characters between the values of two matches; ends of clauses count more. None when they overlap."""
    (_, low), (high, _) = sorted([(one.value_start, one.value_end), (other.value_start, other.value_end)])
    if high < low:
        return None
    between = text[low : min(high, low + SENTENCE_REACH)]
    penalty = CLAUSE_PENALTY * len(_CLAUSE_END.findall(between))
    return high - low + penalty + SENTENCE_PENALTY * len(_SENTENCE_END.findall(between))
