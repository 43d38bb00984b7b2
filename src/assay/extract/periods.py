"""Lengths of time ("60-day settlement", "six weeks", "five business days") and percentages."""

import re
from dataclasses import dataclass

from assay.extract.finds import Find, Span
from assay.extract.numbers import DIGITS, WORDS, read_count, read_digits

_LENGTH = re.compile(
    rf"(?<![\w$.,/])(?P<low>\d{{1,4}}|{WORDS})(?:\s?(?:-|\u2013|to|/|"
    rf"or)\s?(?P<high>\d{{1,4}}))?(?:\s?\(\d{{1,4}}\))?[\s-]{{1,2}}"
    r"(?P<business>(?:clear\s)?(?:business|working)[\s-])?(?P<clear>clear\s)?(?P<unit>day|"
    r"week|month|year)s?\b",
    re.IGNORECASE,
)
_PERCENT = re.compile(
    rf"(?<![\w.,$])(?P<digits>\d{{1,3}}(?:\.\d{{1,4}})?)(?:\s?(?:-|\u2013|"
    rf"to)\s?(?P<high>\d{{1,3}}(?:\.\d{{1,4}})?))?"
    rf"\s?(?:%|per\s?cent\b|percent\b)|\b(?P<words>{WORDS})\s(?:per\s?cent|percent)\b",
    re.IGNORECASE,
)
_DAYS = {"day": 1.0, "week": 7.0, "month": 30.0, "year": 365.0}


@dataclass(frozen=True, slots=True)
class Period(Span):
    """A length in days (a month is 30), or in business days."""

    business: bool = False


def find_periods(text: str) -> list[Find[Period]]:
    """The lengths of time of a text in days, in order; the unit is the one that was written."""
    found = []
    for match in _LENGTH.finditer(text):
        unit = match["unit"].lower()
        low = read_count(match["low"]) * _DAYS[unit]
        high = max(low, float(match["high"]) * _DAYS[unit]) if match["high"] else low
        period = Period(low, high, unit == "month", bool(match["business"]))
        found.append(Find(period, unit, *match.span(), match.group()))
    return found


def find_percentages(text: str) -> list[Find[Span]]:
    """The percentages of a text, in order: 5.25% is 5.25."""
    found = []
    for match in _PERCENT.finditer(text):
        low = read_count(match["words"]) if match["words"] else read_digits(match["digits"])
        high = max(low, float(match["high"])) if match["high"] else low
        found.append(Find(Span(low, high), "percent", *match.span(), match.group()))
    return found


def decimals_of(quote: str) -> int:
    """How many decimals the first number of a quote has."""
    number = re.search(DIGITS, quote)
    return len(number.group().partition(".")[2]) if number else 0
