"""An answer's layout: labels without marks ("- Beds 2") and tables with one row, read as "label: value"."""

import re
from bisect import bisect_right
from dataclasses import dataclass

_LABELS = (
    r"(?P<label>bed(?:room)?s?|bath(?:room)?s?|car(?:\s?(?:spaces?|parks?)|s|ports?)?|parking|garages?"
    r"|suburb|state|city|post\s?code|zip(?:\scode)?|address|(?:property\s)?type|year(?:\sbuilt)?|built"
    r"|(?:asking\s|list\s|sale\s)?price|(?:price\s)?guide|(?:weekly\s)?rent|bond|deposit|(?:stamp|"
    r"transfer)\sduty"
    r"|land(?:\s(?:size|area))?|block|lot(?:\ssize)?|(?:internal|floor|living)(?:\s(?:area|size))?"
    r"|strata(?:\slevies)?|body\scorp(?:orate)?|owners\scorporation|(?:council|water)(?:\srates)?|"
    r"hoa(?:\s(?:dues|fees))?"
    r"|auction(?:\sdate)?|inspections?|open(?:\s(?:home|house))?|settlement|available|exchange)"
)
_LINE = re.compile(
    rf"^(?P<head>[ \t]*(?:[-*\u2022\u2013\u2192\u2713\u2714\u2705>]|"
    rf"\d{{1,2}}[.)])?[ \t]*[*_]{{0,2}}{_LABELS}[*_]{{0,2}})"
    r"(?P<gap>[ \t]*(?:\.{2,20}|[\u2013\u2014\u2192=~-]|[ \t])[ \t]*)"
    r"(?P<value>(?:from\s)?[$\d~][^\n]{0,36}|[A-Z][\w' ]{1,24}|\d[^\n]{0,30})$",
    re.IGNORECASE | re.MULTILINE,
)
_PLACES = ("suburb", "state", "city", "address", "type", "property type")
_ROOMS = ("bed", "bath", "car", "garage", "parking")
_COUNT = re.compile(r"\d{1,2}(?:\.5)?\s*$")


_ASKED = re.compile(
    rf"(?:^|(?<=[.!?\n]\s)|(?<=\n)){_LABELS.replace('?P<label>', '?:')}\?(?=\s(?:[$\d~]|one|two|three|"
    rf"four|five|no\b|yes\b))",
    re.IGNORECASE,
)
"""A label that is put as a question: "Parking? Two cars."."""


_TABLE = re.compile(
    r"^[ \t]*\|(?P<head>[^\n]{5,400})\|[ \t]*\n[ \t]*\|[ \t:|-]{5,400}\|[ \t]*"
    r"(?P<rows>(?:\n[ \t]*\|[^\n]{5,600}){1,40})$",
    re.MULTILINE,
)
_CSV = re.compile(
    r"^(?P<head>[A-Za-z_ ]{2,24}(?:[,;\t][A-Za-z_ ]{2,24}){2,30})\n"
    r"(?P<row>[^\n,;\t]{1,60}(?:[,;\t][^\n,;\t]{0,60}){2,30})$",
    re.MULTILINE,
)
"""A line of names and one of values, separated by commas, semicolons or tabs."""
_NAME = re.compile(rf"\s*{_LABELS.replace('?P<label>', '?:')}\s*", re.IGNORECASE)
_PERIOD = (
    r"(?P<week>weekly|(?:per|a|each)\sweek|p\.?w\.?)|(?P<month>monthly|(?:per|a|each)\smonth|p\.?c\.?m\.?)|"
    r"(?P<quarter>quarterly|(?:per|a|each)\squarter|p\.?q\.?)|"
    r"(?P<year>annual(?:ly)?|yearly|(?:per|a|each)\s(?:year|annum)|p\.?a\.?)"
)
_SERIES = re.compile(
    r"^(?P<labels>[ \t|*_-]*(?:bed|bath|car)[a-z]*(?:\s?[/,&+|]\s?(?:bed|bath|car|park|garage)[a-z]*){1,2})"
    r"(?P<gap>[*_ \t]*[:|][ \t*_]*)(?P<values>\d(?:\.5)?(?:\s?[/,&+]\s?\d(?:\.5)?){1,2})(?=[ \t*_|]*$)",
    re.IGNORECASE | re.MULTILINE,
)
"""Several labels with as many values: "Beds / baths / cars: 3 / 2 / 1"."""
_IS_PERIOD = re.compile(rf"\W*(?:(?:cost|amount)\s)?(?:{_PERIOD})\W*", re.IGNORECASE)
_LEAD = re.compile(
    rf"^(?=[^\n]{{0,80}}\b(?:{_PERIOD})\b)[^\n|$]{{3,120}}[*_]{{0,2}}[ \t]*\n{{1,2}}"
    r"(?P<items>(?:\s{0,3}[-*\u2022][^\n]{3,120}(?:\n|$)){1,15})",
    re.IGNORECASE | re.MULTILINE,
)
"""A line that tells the period of the list below it: "Monthly costs:"."""
_AMOUNT = re.compile(
    r"(?<!x\s)(?<!\u00d7\s)(?<!\*\s)"
    r"\$[\d,.]*\d(?![\d,.]*\s?(?:/|p\.?[wmqac]|per|a\s|each|every|\w+ly\b|[km]\b|million))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Layout:
    """A text with its labels marked, and where each piece of it stands in the original."""

    original: str
    text: str
    pieces: tuple[tuple[int, int, int], ...]
    """Positions in the text and in the original, rising, with how many characters both share from there."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the original of [start, end)."""
        first = self._at(start)
        return first, max(first, min(self._at(end - 1) + 1, len(self.original)))

    def _at(self, position: int) -> int:
        index = bisect_right(self.pieces, position, key=lambda piece: piece[0])
        here, there, shared = self.pieces[max(0, index - 1)]
        return there + min(position - here, shared)


Piece = tuple[int, int, str, str]
"""A part of the text with what is put before it and behind it."""


def read_layout(text: str) -> Layout:
    """The text in which labels have colons, tables are lists, and amounts the periods told above them."""
    marked = with_colons(text)
    found = [
        *(_table(match) for match in _TABLE.finditer(marked)),
        *(_list(match) for match in _LEAD.finditer(marked)),
        *(_series(match) for match in _SERIES.finditer(marked)),
        *(_csv(match) for match in _CSV.finditer(marked)),
    ]
    out: list[str] = []
    pieces: list[tuple[int, int, int]] = []
    length = done = 0
    for part in sorted(part for part in found if part):
        if part[0][0] < done:
            continue
        for start, end, before, behind in [(done, part[0][0], "", ""), *part]:
            pieces += [(length, start, 0), (length + len(before), start, end - start)]
            out += [before, marked[start:end], behind]
            length += len(before) + end - start + len(behind)
            done = end
    pieces.append((length, done, len(marked) - done))
    return Layout(text, "".join([*out, marked[done:]]), tuple(pieces))


def _table(match: re.Match[str]) -> list[Piece]:
    """The cells of a table with one row, or of one with a period above each column, behind their labels."""
    labels = [label.strip(" *_") for label in match["head"].split("|")]
    periods = [_IS_PERIOD.fullmatch(label) for label in labels]
    rows = [*re.finditer(r"\|(?P<row>[^\n]*?)\|?[ \t]*(?:\n|$)", match["rows"])]
    if len(labels) < (2 if any(periods) else 3) or (len(rows) > 1 and not any(periods)):
        return []
    pieces: list[Piece] = []
    for row in rows:
        values = row["row"].split("|")
        if len(values) != len(labels):
            return []
        start = match.start("rows") + row.start("row")
        for label, period, value in zip(labels, periods, values, strict=True):
            first = start + len(value) - len(value.lstrip())
            name = values[0].strip(" *_") if any(periods) else label
            behind = f" per {period.lastgroup}" if period and value.strip()[-1:].isdigit() else ""
            pieces.append((first, max(first, start + len(value.rstrip())), f"\n{name or '-'}: ", behind))
            start += len(value) + 1
    return pieces


def _csv(match: re.Match[str]) -> list[Piece]:
    """The values of a line behind their names, each on a line of its own."""
    names = [name.replace("_", " ") for name in re.split(r"[,;\t]", match["head"])]
    values = [*re.finditer(r"[^,;\t]+|(?<=[,;\t])(?=[,;\t]|$)", match["row"])]
    if len(names) != len(values) or sum(bool(_NAME.fullmatch(name)) for name in names) < 2:
        return []
    start = match.start("row")
    return [
        (start + value.start(), start + value.end(), f"\n{name.strip()}: ", "\n")
        for name, value in zip(names, values, strict=True)
    ]


def _series(match: re.Match[str]) -> list[Piece]:
    """The values behind their labels, each on a line."""
    labels = re.findall(r"[A-Za-z]+", match["labels"])
    values = [*re.finditer(r"[\d.]+", match["values"])]
    if len(labels) != len(values):
        return []
    start = match.start("values")
    return [
        (start + value.start(), start + value.end(), f"\n{label}: ", "\n")
        for label, value in zip(labels, values, strict=True)
    ]


def _list(match: re.Match[str]) -> list[Piece]:
    """The items of a list, each amount with the period that the line above tells."""
    period = next(name for name in ("week", "month", "quarter", "year") if match[name])
    start = done = match.start("items")
    pieces: list[Piece] = []
    for amount in _AMOUNT.finditer(match["items"]):
        pieces.append((done, start + amount.end(), "", f" per {period}"))
        done = start + amount.end()
    return pieces


def with_colons(text: str) -> str:
    """The text, of the same length, with a colon behind each label that has a line with its value alone."""
    return _ASKED.sub(lambda match: match.group()[:-1] + ":", _LINE.sub(_marked, text))


def _marked(match: re.Match[str]) -> str:
    label, value = match["label"].lower(), match["value"]
    digits = value.lower().removeprefix("from ")[:1] in "$~0123456789"
    alone = (
        _COUNT.match(value)
        if label.startswith(_ROOMS)
        else digits != (label in _PLACES) or label == "address"
    )
    return f"{match['head']}:{' ' * (len(match['gap']) - 1)}{value}" if alone else match.group()
