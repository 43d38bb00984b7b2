"""Areas of land and buildings, as square metres."""

import re

from assay.extract.finds import Find, Span
from assay.extract.numbers import DIGITS, WORDS, read_count, read_digits, read_words

SQUARE_METRES = {
    "sqm": 1.0, "ha": 10_000.0, "acre": 4_046.8564224, "sqft": 0.09290304, "square": 9.290304,
}  # fmt: skip
"""Square metres of each unit; a square is 100 square feet."""
_SQM = r"sq\.?\s?m(?:etres?|eters?|trs?|s)?|m²|m2|m\^2|square[\s-]met(?:re|er)s?|sm"
_SQFT = r"sq\.?[\s-]?f(?:ee|oo)?t|sf|ft²|ft2|square[\s-]f(?:ee|oo)t"
_UNIT = rf"(?:(?P<sqm>{_SQM})|(?P<sqft>{_SQFT})|(?P<ha>ha|hectares?)|(?P<acre>acres?|ac)|(?P<square>squares))"
_AREA = re.compile(
    rf"(?<![\w$.,/])(?P<low>{DIGITS})(?:\s?(?:-|\u2013|"
    rf"to)\s?(?P<high>{DIGITS}))?[\s-]{{0,2}}{_UNIT}(?![\w²])",
    re.IGNORECASE,
)
_SPOKEN = re.compile(
    r"(?<!and\sa\s)(?<!and\sa-)(?<!and\sone\s)\b(?P<size>three[\s-]quarters|half|quarter|third)[\s-](?:of\s)?(?:an?\s)?"
    r"(?P<unit>acres?|hectares?)\b",
    re.IGNORECASE,
)
_AND_PART = re.compile(
    rf"\b(?P<whole>\d{{1,3}}|{WORDS}|an?)\s"
    r"(?:(?P<first>acres?|hectares?)\s)?and\s(?:an?|one)[\s-](?P<part>half|quarter)(?:\s(?P<unit>acres?|hectares?))?\b",
    re.IGNORECASE,
)
"""A whole and a part: "two and a half hectares", "an acre and a half"."""
_WORDED = re.compile(
    rf"\b(?P<words>{WORDS})[\s-](?:(?P<sqm>square\smet(?:re|er)s?|sqm)|(?P<sqft>square\sf(?:ee|oo)t)|(?P<ha>hectares?)|(?P<acre>acres?))\b",
    re.IGNORECASE,
)
"""Areas in words: "four hundred and twenty square metres"."""
_SIZES = {
    "half": 0.5, "three quarters": 0.75, "quarter": 0.25, "third": 1 / 3,
}  # fmt: skip


def find_areas(text: str) -> list[Find[Span]]:
    """The areas of a text in square metres, in order; the unit is the one that was written.

    "half-acre" and "two hectares" count; money for an area ("$8,500 per sqm") does not.
    """
    found = []
    for match in _AREA.finditer(text):
        unit = match.lastgroup or "sqm"
        scale = SQUARE_METRES[unit]
        low = read_digits(match["low"])
        high = max(low, read_digits(match["high"])) if match["high"] else low
        found.append(Find(Span(low * scale, high * scale), unit, *match.span(), match.group()))
    for match in _SPOKEN.finditer(text):
        unit = "acre" if match["unit"].lower().startswith("a") else "ha"
        value = _SIZES[match["size"].lower().replace("-", " ")] * SQUARE_METRES[unit]
        found.append(Find(Span(value, value, True), unit, *match.span(), match.group()))
    for match in _AND_PART.finditer(text):
        said = match["first"] or match["unit"]
        if said and not (match["first"] and match["unit"]):
            unit = "acre" if said.lower().startswith("a") else "ha"
            whole = 1.0 if match["whole"].lower() in ("a", "an") else read_count(match["whole"].lower())
            value = (whole + _SIZES[match["part"].lower()]) * SQUARE_METRES[unit]
            found.append(Find(Span(value, value, True), unit, *match.span(), match.group()))
    for match in _WORDED.finditer(text):  # "a thousand square metres" is a round number
        unit = match.lastgroup or "sqm"
        area = read_words(match["words"]) * SQUARE_METRES[unit]
        whole = unit in ("ha", "acre") or match["words"].lower() in ("hundred", "thousand")
        found.append(Find(Span(area, area, whole), unit, *match.span(), match.group()))
    return sorted(found, key=lambda find: find.start)


def stated_step(find: Find[Span]) -> float:
    """Half a unit of the last digit that was written, in square metres: what rounding may have hidden."""
    number = re.match(DIGITS, find.quote)
    if number is None:
        return 0.05 * find.value.low if find.value.rounded else 0.5 * SQUARE_METRES[find.unit]
    decimals = len(number.group().partition(".")[2])
    return 0.5 * 10.0**-decimals * SQUARE_METRES[find.unit]
