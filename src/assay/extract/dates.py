"""Calendar dates in Australian and American order."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from assay.extract.finds import Find

Locale = Literal["AU", "US"]
_NAMES = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december"
)  # fmt: skip
_MONTHS = {name[:3]: number for number, name in enumerate(_NAMES, 1)}
_MONTH = r"(?P<month>" + "|".join(f"{name[:3]}(?:{name[3:]})?" for name in _NAMES) + r"|sept)\.?"
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
_YEAR = r"(?:,?\s{0,2}(?P<year>(?:19|20)\d\d)(?!\d))?"
_DAY_FIRST = re.compile(
    rf"(?<![\d/.$-])(?<!\d:){_DAY}(?:\s+|-)(?:of\s+)?{_MONTH}(?![a-z])(?:[\s-]{{0,2}}(?P<year>(?:19|"
    rf"20)\d\d)(?!\d)|{_YEAR.replace('P<year>', 'P<late>')})",
    re.IGNORECASE,
)
_MONTH_FIRST = re.compile(rf"\b{_MONTH}\s+{_DAY}(?![\d:.]\d|\d|\s?(?:am|pm)\b){_YEAR}", re.IGNORECASE)
_ISO = re.compile(r"(?<![\d-])(?P<year>(?:19|20)\d\d)-(?P<month>[01]\d)-(?P<day>[0-3]\d)(?![\d-])")
_ONES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_TEENS = (
    "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth",
    "eighteenth", "nineteenth",
)  # fmt: skip
_TWENTIES = ("twentieth", *(f"twenty-{one}" for one in _ONES))
_ORDINALS = (*_ONES, *_TEENS, *_TWENTIES, "thirtieth", "thirty-first")
"""The days of a month in words."""
_ORDINAL = "|".join(sorted(_ORDINALS, key=len, reverse=True))
_IN_WORDS = re.compile(rf"(?<!-)\b(?P<ordinal>{_ORDINAL})\s+of\s+{_MONTH}(?![a-z]){_YEAR}", re.IGNORECASE)
_NUMERIC = re.compile(
    r"(?<![\d/.])(?P<first>[0-3]?\d)(?P<mark>[/.-])(?P<second>[0-3]?\d)(?P=mark)"
    r"(?P<year>(?:19|20)?\d\d)(?![\d/]|\.\d)"
)


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a month, with its year where it was written."""

    year: int | None
    month: int
    day: int

    def agrees_with(self, other: "Day") -> bool:
        """Whether both can be the same day: a year that is missing agrees with any."""
        years = self.year is None or other.year is None or self.year == other.year
        return years and (self.month, self.day) == (other.month, other.day)

    @property
    def as_date(self) -> date | None:
        """The calendar date; None without a year."""
        return date(self.year, self.month, self.day) if self.year else None

    def __str__(self) -> str:
        head = f"{self.year:04d}-" if self.year else "--"
        return f"{head}{self.month:02d}-{self.day:02d}"


def find_dates(text: str, locale: Locale = "AU") -> list[Find[Day]]:
    """The dates of a text in order; `locale` says whether 3/4/2026 is 3 April (AU) or March 4 (US).

    Times ("10.30am") and years alone are no dates; a day that the calendar lacks is none either.
    """
    found: list[Find[Day]] = []
    for find in sorted(_all(text, locale), key=lambda find: (find.start, -find.end)):
        if not found or find.start >= found[-1].end:
            found.append(find)
    return found


def _all(text: str, locale: Locale) -> Iterator[Find[Day]]:
    for match in _ISO.finditer(text):
        yield from _made(match, int(match["year"]), int(match["month"]), int(match["day"]))
    for match in _DAY_FIRST.finditer(text):
        year = match["year"] or match["late"]
        yield from _made(match, int(year) if year else None, _month(match["month"]), int(match["day"]))
    for match in _MONTH_FIRST.finditer(text):
        year = match["year"]
        yield from _made(match, int(year) if year else None, _month(match["month"]), int(match["day"]))
    for match in _IN_WORDS.finditer(text):
        day, year = _ORDINALS.index(match["ordinal"].lower()) + 1, match["year"]
        yield from _made(match, int(year) if year else None, _month(match["month"]), day)
    for match in _NUMERIC.finditer(text):
        first, second = int(match["first"]), int(match["second"])
        day, month = (first, second) if locale == "AU" else (second, first)
        year = int(match["year"])
        yield from _made(match, year if year > 99 else 2000 + year, month, day)


def _month(name: str) -> int:
    return _MONTHS[name[:3].lower()]


def _made(match: re.Match[str], year: int | None, month: int, day: int) -> Iterator[Find[Day]]:
    try:
        date(year or 2000, month, day)
    except ValueError:
        return
    if match.group().lower().startswith("may ") and year is None and match.group()[0] == "m":
        return  # the verb: "may 2 people"
    yield Find(Day(year or None, month, day), "day", *match.span(), match.group())
