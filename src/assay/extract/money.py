"""Amounts of money in Australian and American texts: prices, ranges, rents, charges.

Telephone numbers, areas and years are not amounts: an amount has a currency sign, a currency's name, or
stands behind one in a range.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assay.extract.finds import Find, Span
from assay.extract.numbers import DIGITS, WORDS, read_digits, read_words

MULTIPLES = {
    "k": 1e3, "thousand": 1e3, "m": 1e6, "mil": 1e6, "mill": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9,
    "billion": 1e9,
}  # fmt: skip
_CURRENCY = r"(?:(?<![A-Za-z])(?:AU|US|A)\$|(?<![A-Za-z])(?:AUD|USD)\s?\$?|\$)"
_MULTIPLE = r"(?:\s?(?:thousand|million|billion|mill?|bn|[kmb])\b(?!²|2))"
_LOW = rf"(?<![\d.,])(?P<low>{DIGITS})(?P<low_multiple>{_MULTIPLE})?"
_HIGH = rf"(?P<high>{DIGITS})(?P<high_multiple>{_MULTIPLE})?"
_JOIN = r"(?P<join>\s{0,2}(?:-|\u2013|\u2014|to|and|through)\s{0,2})"
_SIGNED = re.compile(
    rf"(?P<currency>{_CURRENCY})\s?{_LOW}\+?(?:{_JOIN}(?P<sign>{_CURRENCY})?\s?{_HIGH})?", re.IGNORECASE
)
_NAMED = re.compile(
    rf"(?<![$\d.,\w])(?:(?P<digits>{DIGITS})(?P<multiple>{_MULTIPLE})?|(?P<words>{WORDS}))"
    r"\s(?P<currency>(?:Australian\s|US\s)?dollars|AUD|USD)\b",
    re.IGNORECASE,
)
_BARE = re.compile(rf"(?<![$\d.,\w/])(?P<digits>{DIGITS})(?P<multiple>\s?(?:k|mil|million)\b)", re.IGNORECASE)
_SHORT = re.compile(
    r"\b(?:asking|guide|guided|priced?(?:\sat)?|offers?\s(?:over|above|from|around)|sold\sfor|listed\sat|circa|going\sfor)"
    r"\s(?:is\s|of\s|at\s|about\s|around\s)?(?P<digits>\d{1,2}\.\d{1,3})(?P<multiple>\s?m)\b(?!\s?[x\u00d7\u00b2])",
    re.IGNORECASE,
)
"""Millions behind a word of price: "asking 1.245m"."""
_DIGIT_WORDS = ["zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_SPOKEN = re.compile(
    r"\b(?P<whole>one|two|three|four|five|six|seven|eight|nine)\s(?:point\s(?P<point>"
    rf"(?:{'|'.join(_DIGIT_WORDS)})(?:\s(?:{'|'.join(_DIGIT_WORDS)})){{0,3}})|and\sa\s(?P<part>half|quarter)|"
    r"and\sthree[\s-](?P<quarters>quarters?))(?P<million>\s(?:million|mil|m)\b)?",
    re.IGNORECASE,
)
_OF_PRICE = re.compile(
    r"\b(?:asking|guide|priced?|offers?\sover|sold\sfor|listed|want\w*)\W{0,3}(?:(?:is|at|of|about|around)\s)?$",
    re.IGNORECASE,
)
"""What makes "one point three eight" millions without the word."""
_BETWEEN = re.compile(r"between\s(?:about\s|around\s|approximately\s|roughly\s)?$", re.IGNORECASE)
_CHANGE = re.compile(
    r"\b(?:reduc|drop|cut|lower|rais|increas|rose|risen|grew|down|up|went|revis|adjust|slash|"
    r"fell|fall|chang|mov)"
    r"\w{0,5}\s(?:\w{1,12}\s){0,3}from\s$",
    re.IGNORECASE,
)
"""What makes "from $950,000 to $900,000" a change and not a range."""
_PER = re.compile(
    r"\s{0,2}(?:\(?(?:AUD|USD)\)?\s)?\(?(?:(?P<short>p\.?\s?/?w\.?k?|pcm|p\.?c\.?m\.?|"
    r"p\.?\s?q\.?|p\.?\s?a\.?|p\.?\s?m\.?)(?![\w$])"
    r"|(?:per|a|each|every)\s(?P<half>half[\s-]?year|six\smonths)\b|every\s(?P<three>three\smonths)\b"
    r"|(?:per|a|an|each|every|/)\s{0,2}(?:square\s|sq\.?\s?|calendar\s)?(?P<unit>week|wk|w|"
    r"fortnight|month|mth|mo|"
    r"quarter|qtr|annum|year|yr|night|day|sqm|m²|m2|metres?|meters?|m|sqft|foot|ft|hectare|ha|acre)\b"
    r"|(?P<biannual>half[\s-]yearly|biannually|semi-annually)\b|(?P<adverb>weekly|fortnightly|monthly|quarterly|annually|yearly)\b)",
    re.IGNORECASE,
)
_UNITS = {
    "pw": "week", "pwk": "week", "pcm": "month", "pm": "month", "pq": "quarter", "pa": "year",
    "wk": "week", "w": "week", "mth": "month", "mo": "month", "qtr": "quarter", "annum": "year",
    "yr": "year", "m²": "sqm", "m2": "sqm", "m": "sqm", "metre": "sqm", "metres": "sqm", "meter": "sqm",
    "meters": "sqm", "foot": "sqft", "ft": "sqft", "ha": "hectare", "weekly": "week",
    "fortnightly": "fortnight", "monthly": "month", "quarterly": "quarter", "annually": "year",
    "yearly": "year",
}  # fmt: skip
PER_YEAR = {"week": 52.0, "fortnight": 26.0, "month": 12.0, "quarter": 4.0, "half": 2.0, "year": 1.0}
"""How often each period is paid in a year; 52 weeks, as gross yields are quoted."""


@dataclass(frozen=True, slots=True)
class Money(Span):
    """An amount or range; `per` is what it is paid for (week, year, sqm), if anything."""

    per: str | None = None


def find_money(text: str, *, bare: bool = False) -> list[Find[Money]]:
    """The amounts of a text, in order; `bare` takes "895k" without a currency sign, too.

    A range is one find: "$850,000 - $900,000", "$850-900k", "$1.2 to $1.3 million". The time is linear.
    """
    found = [*_signed(text), *_named(text)]
    if bare:
        found.extend([*_bare(text), *_spoken(text)])
    found.sort(key=lambda find: (find.start, -find.end))
    kept: list[Find[Money]] = []
    for find in found:
        if not kept or find.start >= kept[-1].end:
            kept.append(find)
    return kept


def _signed(text: str) -> Iterator[Find[Money]]:
    position = 0
    while match := _SIGNED.search(text, position):
        low = high = read_digits(match["low"]) * _times(match["low_multiple"])
        rounded = bool(match["low_multiple"])
        taken = _range(text, match, low) if match["high"] else None
        position = match.end() if taken else match.end("low_multiple") if rounded else match.end("low")
        if taken:
            low, high = taken
            rounded = rounded or bool(match["high_multiple"])
        yield _find(text, (match.start(), position), Money(low, high, rounded), _currency(match["currency"]))


def _range(text: str, match: re.Match[str], low: float) -> tuple[float, float] | None:
    """Both ends, the first with the multiple of the second where it has none; None when it is no range."""
    ahead = text[max(0, match.start() - 40) : match.start()]
    if match["join"].strip().lower() == "and" and not _BETWEEN.search(ahead):
        return None
    if _CHANGE.search(ahead):
        return None
    high = read_digits(match["high"]) * _times(match["high_multiple"])
    if not match["sign"] and not match["high_multiple"] and high < 1_000 and low >= 1_000:
        return None
    if not match["sign"] and not match["high_multiple"] and match["low_multiple"]:
        high *= _times(match["low_multiple"])
    if match["high_multiple"] and not match["low_multiple"] and low < high / 100:
        low *= _times(match["high_multiple"])
    plausible = low < high <= 20 * low
    return (low, high) if plausible else None


def _named(text: str) -> Iterator[Find[Money]]:
    for match in _NAMED.finditer(text):
        if match["words"]:
            value = read_words(match["words"])
        else:
            value = read_digits(match["digits"]) * _times(match["multiple"])
        unit = "USD" if match["currency"].upper().startswith("US") else "AUD"
        yield _find(text, match.span(), Money(value, value, bool(match["multiple"])), unit)


def _bare(text: str) -> Iterator[Find[Money]]:
    for match in [*_BARE.finditer(text), *_SHORT.finditer(text)]:
        value = read_digits(match["digits"]) * _times(match["multiple"])
        yield _find(text, (match.start("digits"), match.end()), Money(value, value, True), "$")


def _spoken(text: str) -> Iterator[Find[Money]]:
    """Millions in words: "two and a half million", "asking one point three eight five"."""
    for match in _SPOKEN.finditer(text):
        ahead = text[max(0, match.start() - 30) : match.start()]
        if not match["million"] and not (match["point"] and _OF_PRICE.search(ahead)):
            continue
        digits = "".join(
            str(max(0, _DIGIT_WORDS.index(word) - 1)) for word in (match["point"] or "").lower().split()
        )
        part = 0.5 if match["part"] and match["part"].lower() == "half" else 0.25 if match["part"] else 0.75
        value = read_words(match["whole"]) + (float(f"0.{digits}") if digits else part)
        yield _find(text, match.span(), Money(round(value * 1e6), round(value * 1e6), True), "$")


def _times(multiple: str | None) -> float:
    return MULTIPLES[multiple.strip().lower()] if multiple else 1.0


def _currency(sign: str) -> str:
    upper = sign.upper()
    return "USD" if upper.startswith("US") else "AUD" if upper.startswith("A") else "$"


def _find(text: str, span: tuple[int, int], money: Money, unit: str) -> Find[Money]:
    """The find with the period that follows the amount."""
    start, end = span
    per = _PER.match(text, end)
    if per is None:
        return Find(money, unit, start, end, text[start:end])
    said = ("half" if per["half"] or per["biannual"] else "quarter" if per["three"] else "") or (
        per["short"] or per["unit"] or per["adverb"] or ""
    ).lower()
    key = re.sub(r"[.\s/]", "", said)
    period = _UNITS.get(key, key)
    amount = Money(money.low, money.high, money.rounded, period)
    return Find(amount, unit, start, per.end(), text[start : per.end()])
