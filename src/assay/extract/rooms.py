"""Counts of bedrooms, bathrooms and car spaces."""

import re
from collections.abc import Iterator

from assay.extract.finds import Find
from assay.extract.numbers import read_count

_COUNT = (
    r"(?P<count>\d{1,2}(?:\.[05]|\s1/2|\u00bd)?|(?:one|two|three|four|five|six)\sand\sa\shalf|"
    r"one|two|three|four|five|six|seven|eight|nine|ten|eleven|"
    r"twelve|single|double|"
    r"triple|twin|dual|(?:a\s)?(?:pair|couple|trio|quartet)\sof)"
)
_GROUPS = {"pair of": 2.0, "couple of": 2.0, "trio of": 3.0, "quartet of": 4.0}
_SPECIAL = {"single": 1.0, "double": 2.0, "twin": 2.0, "dual": 2.0, "triple": 3.0}
_GAP = r"[^\S\n]"
"""A space within the line: a number at its end is not that of the next line's word."""
_BEFORE = r"(?<![\w$.,:-])(?<!\d/)"
_NO_WIDE = (
    r"(?:of|to|from|and|or|with|in|at|for|the|on|by|per|is|are|was|has|have|plus|minutes?|mins?|metres?|"
    r"km|m|blocks?|"
    r"storeys?|story|stories|levels?|floors?|bed\w*|bath\w*|br|ba|baths?|toilets?|living|dollars?|weeks?|"
    r"months?|days?|hours?|"
    r"years?|units?|of|each|shared|burner|more|extra|other|further|additional|than|way|doors?|homes?|"
    r"houses?|apartments?|"
    r"january|february|march|april|may|june|july|august|september|october|november|december|"
    r"one|two|three|four|five|six|seven|eight|nine|ten|"
    r"townhouses?|villas?|properties|listings|people|residents|lots?|street|road|sqm|sq|k|million|st|nd|"
    r"rd|th|x)\b"
)
"""Words behind a number that end what it counts: it counts no rooms beyond them."""
_WIDE = (
    rf"(?:(?!{_NO_WIDE})[a-z][a-z'\u2019-]{{1,15}}(?:,{_GAP}|{_GAP}|-)){{0,3}}?"
    rf"(?:(?:and{_GAP})?(?!{_NO_WIDE})[a-z][a-z'\u2019-]{{1,15}}{_GAP})?"
)
"""Up to four words of description between a number and its rooms: "two assigned garage spaces"."""
_NOUNS = {
    "bedrooms": r"(?:bed[\s-]?rooms?|beds?|bdrms?|brs?|bds?)",
    "bathrooms": r"(?:bath[\s-]?rooms?|baths?|ba)",
    "car_spaces": (
        r"(?:car[\s-](?:spaces?|spots?|parks?|parking(?:\s(?:spaces?|spots?|bays?))?|bays?|"
        r"accommodation|places?|ports?|garages?|lug)"
        r"|car\s?parks?|carports?|parking|parks|garages?|garaging|cars?|vehicles?|"
        r"parking[\s-](?:spaces?|spots?|bays?)|spaces?"
        r"|(?<=basement\s)park|(?<=undercover\s)park|(?<=secure\s)park|(?<=covered\s)park)"
    ),
}
_AHEAD = {
    field: re.compile(
        rf"{_BEFORE}{_COUNT}(?:{_GAP}?[x×]{_GAP}?|{_GAP}?-?{_GAP}?|{_GAP}){_WIDE}{noun}(?![\w²])",
        re.IGNORECASE,
    )
    for field, noun in _NOUNS.items()
}
_LABEL = re.compile(
    r"(?:\b(?P<bedrooms>bed(?:room)?s?)|\b(?P<bathrooms>bath(?:room)?s?)"
    r"|\b(?P<car_spaces>car(?:\s?spaces?|s|\s?parks?|\s?parking)?|parking|"
    r"garages?(?:\sspaces?)?|car\saccommodation))"
    r"[*_]{0,2}\s{0,2}(?P<mark>[:=|\u2013-]|"
    r"\bare\b)\s{0,24}[*_]{0,2}\s{0,2}(?P<count>\d{1,2}(?:\.[05])?|one|two|three|four|five|six|single|double|triple)"
    r"(?![\w]|[\w,.:/]?\d|\s?(?:st|nd|rd|th|sqm|m2|m\u00b2|sq|m|x)\b|\s?m\u00b2)",
    re.IGNORECASE,
)
_LABELLED = re.compile(
    r"(?:bed|bath|car|parking|garage)\w{0,8}(?:\sspaces?)?[*_]{0,2}\s{0,2}(?P<mark>[:=|])[*_]{0,2}\s{0,3}$",
    re.IGNORECASE,
)
"""A label for the number that follows: of "Beds: 3 Baths: 2", 3 is no number of baths."""
_ICONS = re.compile(
    r"(?P<icon>[\U0001F6CF\U0001F6CC\U0001F6C1\U0001F6BF\U0001F697\U0001F699])"
    r"\ufe0f?\s{0,2}:?\s?(?P<count>\d{1,2})(?![\d.,]*\d)|"
    r"(?<![\w.,$])(?P<ahead>\d{1,2})"
    r"\s?(?P<after>[\U0001F6CF\U0001F6CC\U0001F6C1\U0001F6BF\U0001F697\U0001F699])"
)
_RUN = re.compile(
    r"(?<!\d\s)(?<![\w-])(?:\b(?:bed(?:room)?s?|bath(?:room)?s?|car(?:\s?spaces?|s)?|parking|"
    r"garages?)\s\d{1,2}(?!\w)[\s,|/]{0,3}){2,6}",
    re.IGNORECASE,
)
"""Labels with their numbers behind them and nothing between: "Bedrooms 2 Bathrooms 1 Parking 1"."""
_IN_RUN = re.compile(
    r"(?:(?P<bedrooms>bed)|(?P<bathrooms>bath)|(?P<car_spaces>car|park|"
    r"gar))[a-z]*(?:\s?spaces?)?\s(?P<count>\d{1,2})",
    re.IGNORECASE,
)
_WORD_AHEAD = re.compile(r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten)[\s-]$", re.IGNORECASE)
_ONLY = re.compile(r"\b(?:a|just\sa|only\sa)\s$", re.IGNORECASE)
"""What makes "a single bathroom" one, and no "single bedroom" for one person."""
_ICON_FIELDS = {
    "\U0001f6cf": "bedrooms", "\U0001f6cc": "bedrooms", "\U0001f6c1": "bathrooms", "\U0001f6bf": "bathrooms",
    "\U0001f697": "car_spaces", "\U0001f699": "car_spaces",
}  # fmt: skip
_GARAGE_FOR = re.compile(
    rf"\b(?:garag(?:e|es|ing)|carport|parking|accommodation|space|(?<=with\s)room|"
    rf"driveway)\sfor\s(?:up\sto\s)?{_COUNT}(?:\s(?:or\smore\s)?(?:cars?|vehicles?))?\b",
    re.IGNORECASE,
)
_FITS = re.compile(
    rf"\b(?:garag(?:e|ing)|carport|driveway|parking)\s(?:(?:\w+\s)?(?:that|which)\s)?(?:fits|takes|holds|houses|accommodates|parks)\s"
    rf"{_COUNT}(?:\s(?:cars?|vehicles?))?\b(?!\s(?:\w+\s)?(?:metres?|boats?|bikes?|caravans?))",
    re.IGNORECASE,
)
_SHORT = re.compile(
    r"(?<![\w.,$/-])(?P<bedrooms>[1-9])(?P<mark>\s?[x\u00d7]\s?|/)(?P<bathrooms>[1-9])"
    r"(?:(?P=mark)(?P<car_spaces>\d))?(?![\w.,/-]?\d|\s?(?:m\b|metre|cm|ft|\u00d7|x\b|[$]))",
    re.IGNORECASE,
)
"""Bedrooms and bathrooms as agents write them: "a 4x2", "3/2/1"."""
_ORDINALS = {"second": 2.0, "third": 3.0, "fourth": 4.0, "fifth": 5.0, "sixth": 6.0}
_ORDINAL = re.compile(
    rf"\b(?:an?|plus|with|and)\s(?:\w+\s)?(?P<ordinal>{'|'.join(_ORDINALS)})\s"
    r"(?:(?:full|main|separate|family|shared|guest|double|queen|large|small)\s){0,2}"
    r"(?:(?P<bedrooms>bedroom)|(?P<bathrooms>bathroom|full\sbath)|(?P<car_spaces>car\s?(?:space|park|spot|bay)))\b",
    re.IGNORECASE,
)
_ADDED = re.compile(
    r"(?<![\w$.,:+-])(?P<first>\d{1,2})\s?(?:\+|plus)\s?(?P<second>\d{1,2})[\s-]?"
    r"(?:(?P<bedrooms>bed(?:room)?s?)|(?P<bathrooms>bath(?:room)?s?)|(?P<car_spaces>cars?(?:\sspaces?)?))\b",
    re.IGNORECASE,
)
"""Rooms of two parts: "3+2 bedrooms"."""
_ASKED = re.compile(
    r"\bhow\smany\s(?:\w+\s){0,2}?(?:(?P<bedrooms>bed(?:room)?s?)|(?P<bathrooms>bath(?:room)?s?)|"
    r"(?P<car_spaces>(?:car|parking)\s?(?:spaces?|parks?|spots?|bays?)|cars))\b[^?\n]{0,40}\?[\s*_]{0,4}(?:A(?:nswer)?[:.]\s?)?[*_]{0,2}"
    r"(?:(?:there\s(?:are|is)|it\shas|just|only)\s)?(?P<count>\d{1,2}(?:\.5)?|one|two|three|four|five|six|seven|eight)\b"
    r"(?!\s(?:and\sa\shalf|bed|bath|car|of|park))",
    re.IGNORECASE,
)
"""A count that a question before it tells: "How many bedrooms? Four."."""
_TIMES = re.compile(r"\s?[x\u00d7]\s?(?P<times>[2-9])\b(?!\s?(?:m\b|metre|[.,]?\d))", re.IGNORECASE)
"""How many times a thing is there: "single garage x 2"."""
_SIZES = re.compile(r"\d\s?[x\u00d7]\s?\d[\d.]*\s?(?:m|metres?|ft|feet)\b[^\n]*$")
"""The sizes of rooms: behind "4.2 x 3.6 m", "3 x 3" is one, too."""


def find_rooms(text: str) -> list[Find[float]]:
    """Counts in order; the unit is bedrooms, bathrooms or car_spaces.

    "3 bed 2 bath", "three-bedroom", "4BR", "Bedrooms: 4", "double garage" count; "bedroom 2" and
    "the second bedroom" name one room and do not.
    """
    found: list[Find[float]] = []
    runs = [
        run
        for run in _RUN.finditer(text)
        if not _WORD_AHEAD.search(text[max(0, run.start() - 8) : run.start()])
    ]
    if runs:
        found.extend(_in_runs(runs))
        for run in runs:
            text = (
                text[: run.start()] + " " * len(run.group()) + text[run.end() :] if len(runs) < 50 else text
            )
    for find in sorted(_all(text), key=lambda find: (find.start, -find.end)):
        if not any(kept.start <= find.start < kept.end and find.unit == kept.unit for kept in found[-3:]):
            found.append(find)
    return sorted(found, key=lambda find: find.start)


def find_ordinals(text: str) -> list[Find[float]]:
    """The rooms of which there must be at least so many: "a third bedroom" is of three or more."""
    return [
        Find(_ORDINALS[match["ordinal"].lower()], field, *match.span(), match.group())
        for match in _ORDINAL.finditer(text)
        for field in _NOUNS
        if match[field]
    ]


def _in_runs(runs: list[re.Match[str]]) -> Iterator[Find[float]]:
    for run in runs:
        for match in _IN_RUN.finditer(run.group()):
            field = next(name for name in _NOUNS if match[name])
            start = run.start() + match.start()
            yield Find(float(match["count"]), field, start, start + len(match.group()), match.group())


def _all(text: str) -> Iterator[Find[float]]:
    for field, pattern in _AHEAD.items():
        for match in pattern.finditer(text):
            if _counts(field, match) and not _is_labelled(text, match):
                times = _TIMES.match(text, match.end()) if field == "car_spaces" else None
                value = _value(match["count"]) * (int(times["times"]) if times else 1)
                yield Find(value, field, *match.span(), match.group())
    for match in _ADDED.finditer(text):
        field = next(name for name in _NOUNS if match[name])
        yield Find(float(match["first"]) + float(match["second"]), field, *match.span(), match.group())
    for match in _LABEL.finditer(text):
        if _is_label(text[max(0, match.start() - 2) : match.start()], match["mark"]):
            field = next(name for name in _NOUNS if match[name])
            yield Find(_value(match["count"]), field, *match.span(), match.group())
    for match in _ASKED.finditer(text):
        field = next(name for name in _NOUNS if match[name])
        yield Find(_value(match["count"]), field, match.start("count"), match.end(), match["count"])
    yield from _short(text)
    for match in [*_GARAGE_FOR.finditer(text), *_FITS.finditer(text)]:
        yield Find(_value(match["count"]), "car_spaces", *match.span(), match.group())
    for match in _ICONS.finditer(text):
        field = _ICON_FIELDS[match["icon"] or match["after"]]
        yield Find(float(match["count"] or match["ahead"]), field, *match.span(), match.group())


def _short(text: str) -> Iterator[Find[float]]:
    for match in _SHORT.finditer(text):
        if _SIZES.search(text, max(0, match.start() - 60), match.start()):
            continue
        for field in _NOUNS if match["mark"] != "/" or match["car_spaces"] else ():
            if match[field]:
                yield Find(float(match[field]), field, *match.span(field), match[field])


def _is_labelled(text: str, match: re.Match[str]) -> bool:
    """Whether the number belongs to a label before it."""
    ahead = text[max(0, match.start() - 30) : match.start()]
    label = _LABELLED.search(ahead)
    if label is None or not match["count"][0].isdigit():
        return False
    return _is_label(ahead[max(0, label.start() - 2) : label.start()], label["mark"])


def _is_label(ahead: str, mark: str) -> bool:
    """Whether a word with a mark behind it is a label; of "1 bath | 1 car | 82 sqm" none is."""
    return mark in ":=" or not ahead[:1].isdigit()


def _counts(field: str, match: re.Match[str]) -> bool:
    """ "double bedrooms" are large ones and "12 spaces" may be anything: they say no number of rooms."""
    word = match["count"].lower()
    if field != "car_spaces":
        only = field == "bathrooms" and _ONLY.search(match.string, max(0, match.start() - 8), match.start())
        return word not in _SPECIAL or (word == "single" and bool(only))
    quote = match.group().lower()
    if quote.endswith(("space", "spaces", "parks")):
        return any(
            word in quote
            for word in (
                "car",
                "parking",
                "garage",
                "secure",
                "undercover",
                "covered",
                "off-street",
                "basement",
            )
        )
    return True


def _value(count: str) -> float:
    word = count.lower()
    for group, number in _GROUPS.items():
        if word.endswith(group):
            return number
    for half in (" and a half", " 1/2", "\u00bd"):
        if word.endswith(half):
            return read_count(word.removesuffix(half)) + 0.5
    return _SPECIAL[word] if word in _SPECIAL else read_count(word)
