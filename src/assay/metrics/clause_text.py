"""A contract made ready for clause packs: folded, placeholders marked, split into headed sections.

Every copy of the text has the same length, so that offsets are those of the text that was given.
"""

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from assay.metrics.clause_blanks import mark_placeholders
from assay.metrics.clause_headings import BARE_LABEL_LEVEL, LABEL_LEVEL, Heading, IsTitle, read_heading
from assay.metrics.rule_phrases import fold

MAX_LINES = 60_000
WRAPPED_CHARS = 55
"""Shorter lines are not broken for want of room."""
_GOES_ON = re.compile(
    r"(?:,|:|;|-|\b(?:and|or|of|the|an?|to|by|with|for|in|at|on|between|from|that|is|are|as))\s*$",
    re.IGNORECASE,
)
_NAMES_DOCUMENT = re.compile(
    r"\b(?:contract|agreement|lease|deed|offer|form|authority|terms|summary|letter|letting|tenancy|sale|"
    r"purchase|appointment|engagement|listing|statement of work)\b",
    re.IGNORECASE,
)
_SALUTATION = re.compile(r"\s*(?:dear|hi|hello|gentlemen|ladies)\b[^.:]*[:,]?\s*$", re.IGNORECASE)
_ENDS_BLOCK = re.compile(r"\n(?=[ \t]*(?:\n|[-*+>] |\(?(?:[a-z]|[ivx]{1,4}|\d{1,2})[.)] |\|))")
_EMPHASIS = re.compile(
    r"(?<=[^\s*])\*{1,3}(?!\*)|(?<!\*)\*{1,3}(?=[^\s*])|(?<![\w_])__(?=[A-Za-z$])|"
    r"(?<=[A-Za-z.,:;?%])__(?![_\w])"
)
_SENTENCE_END = re.compile(
    r"(?<!\b[A-Z])(?<!\bNo)(?<!\bno)(?<!\bSt)(?<!\bDr)(?<!\bMr)(?<!\bMs)(?<!Pty)(?<!Inc)[.!?][\"')\]*]*\s|\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and what stands under it, up to the next heading.

    `extent` ends after its subsections, `own` where a label's own lines end; `known`: a pack knows the title.
    """

    level: int
    number: str
    title: str
    start: int
    body: int
    end: int
    extent: int
    own: int
    known: bool = False


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract: as given, folded (flat: line ends inside a section are spaces), in bytes, in sections."""

    raw: str
    flat: str
    data: bytes
    sections: tuple[Section, ...]
    breaks: tuple[Sequence[int], Sequence[int]]
    """Where what ends each sentence begins and ends: a mark with the space after it, or a line end."""

    def section_at(self, place: int) -> Section | None:
        """The innermost section that holds a place."""
        found = bisect_right(self.sections, place, key=lambda section: section.start) - 1
        return self.sections[found] if found >= 0 else None

    def sentence(self, start: int, end: int) -> tuple[int, int]:
        """The sentence around a span, within its section and paragraph."""
        low, high = self.paragraph(start, end)
        starts, ends = self.breaks
        before = bisect_right(ends, start) - 1
        after = bisect_left(starts, max(start, end - 1))
        first = ends[before] if before >= 0 and starts[before] >= low else low
        last = ends[after] if after < len(ends) and ends[after] <= high else high
        return first, last

    def paragraph(self, start: int, end: int, reach: int = 2000) -> tuple[int, int]:
        """The paragraph around a span, at most `reach` characters to each side."""
        section = self.section_at(start)
        low, high = (section.start, section.end) if section else (0, len(self.flat))
        low, high = max(low, start - reach), min(high, end + reach)
        before = self.raw.rfind("\n\n", low, start)
        after = self.raw.find("\n\n", end, high)
        return (low if before < 0 else before + 2), (high if after < 0 else after)


def prepare_text(text: str) -> str:
    """A copy of the same length, folded and with its placeholders marked."""
    return mark_placeholders(fold(text))


def read_contract(text: str, is_title: IsTitle, folded: str) -> Contract:
    """The text split into sections; `is_title` says of a short line whether a pack knows it as a heading.
    `folded` is what `prepare_text` made of it.
    """
    heads = list(_headings(folded, is_title))
    sections = tuple(_sections(heads, folded))
    flat = _flatten(folded, sections)
    spans = [found.span() for found in _SENTENCE_END.finditer(flat)]
    breaks = (array("l", (start for start, _ in spans)), array("l", (end for _, end in spans)))
    return Contract(text, flat, flat.encode("latin-1", "replace"), sections, breaks)


def _headings(text: str, is_title: IsTitle) -> Iterator[tuple[int, int, Heading]]:
    """Line start, body start and heading of each line that is one."""
    place = 0
    lines = text.split("\n", MAX_LINES)
    previous, spoken, last = "", "", None
    for number, line in enumerate(lines[:MAX_LINES]):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        heading = read_heading(line, previous, following, is_title) if line.strip() else None
        if heading is not None:
            if (
                heading.level == BARE_LABEL_LEVEL
                and last is not None
                and last.level == LABEL_LEVEL
                and (previous.strip() or not following.strip())
            ):
                heading = heading._replace(level=LABEL_LEVEL)
            heading = heading._replace(
                inline=bool(line[heading.body :].strip(" *_|")),
                known=bool(heading.title) and is_title(heading.title),
            )
            opens = _SALUTATION.match(spoken) or (last is None and not spoken)
            if opens and _is_document_title(heading, line):
                heading = heading._replace(title="", known=False)
            yield place, place + heading.body, heading
            last = heading
        previous, spoken = line, line if line.strip() else spoken
        place += len(line) + 1


def _is_document_title(heading: Heading, line: str) -> bool:
    """The first line of all or of a letter, when it is a title of several words, heads the contract and no
    clause of it.
    """
    if heading.number or ":" in line.rstrip(": ") or line.lstrip().startswith("|"):
        return False
    words = len(line.split())
    return words <= 12 and (words > 4 or _NAMES_DOCUMENT.search(line) is not None)


def _sections(heads: Sequence[tuple[int, int, Heading]], text: str) -> Iterator[Section]:
    """Sections in order; what stands after the paragraph of a label is a section without a title."""
    ends = [*(head[0] for head in heads[1:]), len(text)][: len(heads)]
    extents = _extents(heads, len(text))
    for (start, body, heading), end, extent in zip(heads, ends, extents, strict=True):
        over = text.find("\n\n", body, end) if heading.inline and heading.level == LABEL_LEVEL else -1
        last = over + 1 if over >= 0 and text[over:end].strip() else end
        whole = last if last != end else extent
        own = whole
        if heading.inline:
            is_label = heading.level == LABEL_LEVEL
            own = _own_end(text, body, last) if is_label else _paragraph_end(text, body, whole)
        yield Section(
            level=heading.level, number=heading.number.lower(), title=heading.title, start=start,
            body=min(body, last), end=last, extent=whole, own=own, known=heading.known,
        )  # fmt: skip
        if last != end:
            yield Section(
                level=LABEL_LEVEL, number="", title="", start=last, body=last, end=end, extent=end, own=end
            )


def _paragraph_end(text: str, body: int, end: int) -> int:
    place = text.find("\n\n", body, end)
    return place if place >= 0 else end


def _own_end(text: str, body: int, end: int) -> int:
    """The end of the line of a label, or of those that go on with it: after no full stop, or in a list."""
    place = body
    while (found := text.find("\n", place, end)) >= 0:
        following = text[found + 1 : end].split("\n", 1)[0]
        goes_on = (
            following[:1].islower()
            or following[:1] in " \t-*(|"
            or text[place:found].rstrip().endswith((",", ":"))
        )
        if not goes_on:
            return found
        place = found + 1
    return end


def _extents(heads: Sequence[tuple[int, int, Heading]], length: int) -> Sequence[int]:
    """For each section the start of the next one that is not below it; labels are below bare headings
    only.
    """
    extents = [length] * len(heads)
    open_sections: list[int] = []
    for index, (start, _, heading) in enumerate(heads):
        while open_sections and not _holds(heads[open_sections[-1]][2], heading):
            extents[open_sections.pop()] = start
        open_sections.append(index)
    return extents


def _holds(outer: Heading, inner: Heading) -> bool:
    if outer.inline and inner.level >= BARE_LABEL_LEVEL:
        return False
    if outer.known and inner.known and inner.number and not outer.number:
        return False
    return outer.level < inner.level


def _flatten(folded: str, sections: Sequence[Section]) -> str:
    """Line ends inside a section and marks of emphasis become spaces; line ends before a section and between
    paragraphs stay.
    """
    kept = {place for section in sections for place in (section.start - 1, section.own)}
    paragraphs = {found.start() for found in _ENDS_BLOCK.finditer(folded)}
    pieces = folded.split("\n")
    place, out = -1, []
    for piece, following in pairwise(pieces):
        place += len(piece) + 1
        ends = place in kept or place in paragraphs or _ends_line(piece, following)
        out += [piece, "\n" if ends else " "]
    return _EMPHASIS.sub(lambda found: " " * len(found.group()), "".join([*out, pieces[-1]]))


def _ends_line(line: str, following: str) -> bool:
    """Whether a line is not wrapped: short, and the next one begins anew."""
    if line[:2] == "  " and following[:1].isupper():
        return True
    return len(line) < WRAPPED_CHARS and following[:1].isupper() and _GOES_ON.search(line) is None
