"""An answer's layout: labels without marks ("- Beds 2") and tables with one row, read as "label: value"."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

_LABELS = (
    r"(?P<label>bed(?:room)?s?|bath(?:room)?s?|car(?:\s?(?:spaces?|parks?)|s|ports?)?|parking|garages?"
    r"|suburb|state|city|post\s?code|zip(?:\scode)?|address|(?:property\s)?type|year(?:\sbuilt)?|built"
    r"|(?:asking\s|list\s|sale\s)?price|(?:price\s)?guide|(?:weekly\s)?rent|bond|deposit|(?:stamp|transfer)\sduty"
    r"|land(?:\s(?:size|area))?|block|lot(?:\ssize)?|(?:internal|floor|living)(?:\s(?:area|size))?"
    r"|strata(?:\slevies)?|body\scorp(?:orate)?|owners\scorporation|(?:council|water)(?:\srates)?|hoa(?:\s(?:dues|fees))?"
    r"|auction(?:\sdate)?|inspections?|open(?:\s(?:home|house))?|settlement|available|exchange)"
)
_LINE = re.compile(
    rf"^(?P<head>[ \t]*(?:[-*\u2022\u2013\u2192\u2713\u2714\u2705>]|\d{{1,2}}[.)])?[ \t]*[*_]{{0,2}}{_LABELS}[*_]{{0,2}})"
    r"(?P<gap>[ \t]*(?:\.{2,20}|[\u2013\u2014\u2192=~-]|[ \t])[ \t]*)"
    r"(?P<value>(?:from\s)?[$\d~][^\n]{0,36}|[A-Z][\w' ]{1,24}|\d[^\n]{0,30})$",
    re.IGNORECASE | re.MULTILINE,
)
_PLACES = ("suburb", "state", "city", "address", "type", "property type")
_ROOMS = ("bed", "bath", "car", "garage", "parking")
_COUNT = re.compile(r"\d{1,2}(?:\.5)?\s*$")


_ASKED = re.compile(rf"(?:^|(?<=[.!?\n]\s)|(?<=\n)){_LABELS.replace('?P<label>', '?:')}\?(?=\s(?:[$\d~]|one|two|three|four|five|no\b|yes\b))", re.IGNORECASE)
"""A label that is put as a question: "Parking? Two cars."."""


_TABLE = re.compile(
    r"^[ \t]*\|(?P<head>[^\n]{5,400})\|[ \t]*\n[ \t]*\|[ \t:|-]{5,400}\|[ \t]*\n[ \t]*\|(?P<row>[^\n]{5,600})\|?[ \t]*$(?!\n[ \t]*\|)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Layout:
    """A text with its labels marked, and where each piece of it stands in the original."""

    original: str
    text: str
    pieces: tuple[tuple[int, int], ...]
    """Positions in the text and in the original, rising."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the original of [start, end)."""
        first = self._at(start)
        return first, max(first, min(self._at(end - 1) + 1, len(self.original)))

    def _at(self, position: int) -> int:
        here, there = self.pieces[max(0, bisect_right(self.pieces, (position, len(self.original) + 1)) - 1)]
        return there + position - here


def read_layout(text: str) -> Layout:
    """The text in which each label that stands with its value alone has a colon."""
    marked = with_colons(text)
    out: list[str] = []
    pieces = [(0, 0)]
    length = done = 0
    for match in _TABLE.finditer(marked):
        for start, end, label in [(done, match.start(), ""), *_cells(match)]:
            part = f"\n{label}: " if label else ""
            pieces.append((length + len(part), start))
            out += [part, marked[start:end]]
            length += len(part) + end - start
        done = match.end()
    pieces.append((length, done))
    return Layout(text, "".join([*out, marked[done:]]), tuple(pieces))


def _cells(match: re.Match[str]) -> Iterator[tuple[int, int, str]]:
    """The cells of a table's only row, with the labels above them; all of it when they do not pair."""
    labels = [label.strip(" *_") for label in match["head"].split("|")]
    values = match["row"].rstrip().removesuffix("|").split("|")
    if len(labels) < 3 or len(labels) != len(values):
        yield match.start(), match.end(), ""
        return
    start = match.start("row")
    for label, value in zip(labels, values, strict=True):
        inset = len(value) - len(value.lstrip())
        yield start + inset, start + len(value.rstrip()), label or "-"
        start += len(value) + 1


def with_colons(text: str) -> str:
    """The text, of the same length, with a colon behind each label that stands in a line with its value alone."""
    return _ASKED.sub(lambda match: match.group()[:-1] + ":", _LINE.sub(_marked, text))


def _marked(match: re.Match[str]) -> str:
    label, value = match["label"].lower(), match["value"]
    digits = value.lower().removeprefix("from ")[:1] in "$~0123456789"
    alone = _COUNT.match(value) if label.startswith(_ROOMS) else digits != (label in _PLACES) or label == "address"
    return f"{match['head']}:{' ' * (len(match['gap']) - 1)}{value}" if alone else match.group()
