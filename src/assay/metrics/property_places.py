"""Distances and schools that an answer names, held against what the record says of them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assay.metrics.property_clauses import Clause, Clauses
from assay.metrics.property_features import MAX_MENTIONS, Said
from assay.metrics.property_record import Record
from assay.metrics.property_speech import UNSURE
from assay.metrics.property_words import words_of

_SPOKEN = {
    "half a": 0.5, "a half": 0.5, "a": 1, "one": 1, "two": 2, "a couple of": 2, "three": 3, "four": 4,
    "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12, "fifteen": 15,
    "twenty": 20, "thirty": 30, "forty": 40, "a hundred": 100, "two hundred": 200, "three hundred": 300,
    "five hundred": 500, "a quarter of a": 0.25, "quarter of a": 0.25, "half of a": 0.5,
    "three quarters of a": 0.75,
    "three-quarters of a": 0.75, "one and a half": 1.5, "two and a half": 2.5, "a tenth of a": 0.1,
    **{f"{word} tenths of a": number / 10 for number, word in enumerate(
        ("two", "three", "four", "five", "six", "seven", "eight", "nine"), 2)},
    "eleven": 11, "fourteen": 14, "eighteen": 18, "twenty-five": 25, "thirty-five": 35, "fifty": 50,
    "sixty": 60, "one hundred": 100, "four hundred": 400, "six hundred": 600, "seven hundred": 700,
    "eight hundred": 800, "nine hundred": 900, "one hundred and fifty": 150, "two hundred and fifty": 250,
    "thirteen": 13, "sixteen": 16, "seventeen": 17, "nineteen": 19, "forty-five": 45,
}  # fmt: skip
_NUMBER = (
    r"(?<![\w$.,])(?P<number>\d{1,4}(?:[.,]\d{1,3})?|"
    + "|".join(sorted(_SPOKEN, key=len, reverse=True))
    + r")(?:\s?[-\u2013]\s?\d{1,3})?[\s-]{1,2}?"
)
_UNIT = (
    r"(?P<unit>km|kms|kilomet(?:re|er)s?|m|met(?:re|er)s?|miles?|mi|min(?:ute)?s?)\b(?!\s?[\u00b2x\u00d7]|\^)"
)
_DISTANCE = re.compile((_NUMBER + _UNIT).replace(r"[\s-]{1,2}?", r"[\s-]{0,2}", 1), re.IGNORECASE)
_SIZE = re.compile(
    r"[\s-](?:(?:street|rear|wide|clear|direct|water|beach|river)\s)?(?:frontage|wide|width|deep|depth|"
    r"long|length|high|across|front|rear|"
    r"tall|ceilings?|pool|setback|by|of|square|lot|block|boundary|inspection|open|call|video|tour|span)\b",
    re.IGNORECASE,
)
"""What makes a length that of a thing, and no distance."""
_REST = re.compile(
    r"(?:['\u2019]s?)?(?:[ -](?:by|on|a|an|walk(?:ing)?|drive|driving|stroll|ride|away|level|easy|short|"
    r"flat|bus|train|tram|"
    r"car|foot|freeway|ferry|road|cycle|bike|commute|distance|further|south|north|east|west|direct|"
    r"roughly|or|"
    r"so)\b['\u2019]?){0,4}"
    r"(?: (?P<link>to|from|off|of) (?!(?:and|but|with)\b)(?P<place>[^.,;:!?\n()|]{3,60})| (?P<way>away|"
    r"off|(?:down|up|"
    r"along)\s(?:the|your)\s"
    r"(?:road|street|hill)|downhill|uphill|walk|drive|on\sfoot)\b)?",
    re.IGNORECASE,
)
_TOLD = re.compile(r"\b(?:by\s\w+|away|off|walk(?:ing)?|stroll|drive|driving|ride)\b", re.IGNORECASE)
_ENDS = re.compile(
    r"\s(?:and|but|with|while|or|so|where|plus|for|is|are|via|which|that|as|if|than)\s", re.IGNORECASE
)
_BEGINS = re.compile(r"[;:.!?\n|(]\s|,\s|\s(?:and|with|but|plus|while|or)\s|\n")
_LEADS = re.compile(
    r"(?:\b(?:is|are|was|be|only|just|about|roughly|approximately|approx|around|at|some|a|mere|under|"
    r"within|over|barely|nearly|"
    r"almost|another|than|easy|level|short)|[,:|(\u2013\u2014-])[\s*_]*$",
    re.IGNORECASE,
)
_LISTED = re.compile(r"(?:^|[,.;:\n]\s?|\band\s)(?:[\w'\u2019]+\s){1,3}$")
"""A place before its distance in a list: "station 2.4 km, school 1.1 km"."""
_APPROACH = re.compile(
    r"(?:[\s,:|(*_\u2013\u2014-]|\b(?:an?|just|only|about|roughly|some|an|easy|level|short|mere)\b)*$",
    re.IGNORECASE,
)
_HEDGES = (
    (r"\b(?:under|within|less\sthan|inside|no\smore\sthan|not\seven|barely|almost|nearly)", 0.6, 1.0),
    (r"\b(?:over|more\sthan|further\sthan|beyond)", 1.0, 1.4),
    (r"(?:\b(?:about|around|roughly|approximately|approx\.?|some|circa)|~)", 0.88, 1.12),
)
"""Words before a distance, and how far the record's may be from it, as shares."""
_EXACT = 0.051
SHORTEST_M = 20.0
"""A shorter length is a size, or millions of dollars: "14 m across", "asking 1.245m"."""
_KEYED = re.compile(
    r"(?P<key>[a-z ]*?)\b(?P<unit>km|m|metres|minutes|min|mins|"
    r"miles)\b[a-z ]*:\s*(?P<number>\d{1,5}(?:\.\d{1,3})?)\s*$"
)
_KIND_WORDS = {
    "beach": "sand beach surf", "station": "train railway rail station metro", "tram": "tram light",
    "bus": "bus", "school": "school primary college", "city": "cbd downtown city", "ferry": "ferry wharf",
    "shop": "shop shopping supermarket mall plaza", "park": "park parkland reserve",
    "hospital": "hospital", "university": "university uni campus", "airport": "airport", "creek": "creek",
    "river": "river", "lake": "lake", "pub": "pub", "cafe": "cafe", "market": "market",
    "library": "library", "pool": "pool", "foreshore": "foreshore", "freeway": "freeway highway motorway",
    "centre": "centre center town main village township hamlet", "golf": "golf",
}  # fmt: skip
_KINDS = {word: kind for kind, words in _KIND_WORDS.items() for word in words.split()}
"""Kinds of places by the words for them: the sand is the beach."""
_EMPTY = frozenset((
    "the", "a", "an", "of", "and", "to", "from", "walk", "drive", "minute", "away", "local", "nearby", "by",
    "its", "both", "with", "is", "are", "on", "in", "at", "approximately", "about", "only", "just", "road",
    "street", "it", "high", "easy", "close", "your", "you", "our", "nearest", "main", "under", "over",
    "within", "level", "roughly", "located", "situated", "set", "short", "stroll", "ride", "distance",
    "than", "less", "more", "mere", "some", "east", "west", "north", "south", "that", "this", "there",
    "will", "be", "can", "have", "has", "stop", "house", "home", "property", "apartment", "unit", "door",
    "front", "doorstep", "here", "townhouse", "building", "residence", "villa", "gate", "lobby", "entrance",
    "foyer", "driveway", "balcony", "letterbox", "porch", "block", "courtyard", "verandah", "terrace",
    "yard", "kitchen", "maybe", "perhaps", "end", "where", "everything", "action", "all", "deck", "future",
    "new"
))  # fmt: skip
_TYPES = (
    r"(?:Primary|High|Secondary|Public|State|Grammar|Elementary|Middle|Catholic|Senior|Girls|Boys|"
    r"Independent)"
)
_SCHOOL = re.compile(
    rf"\b(?P<name>(?:(?:St\.|Mt\.|[A-Z]\.|[A-Z][\w'\u2019]{{1,20}})\s){{1,4}}(?:(?:{_TYPES}\s){{0,3}}(?:School|College|Grammar|"
    rf"Academy)|"
    rf"(?:Primary|High|Elementary|Secondary|SHS|PS|HS)(?!\s(?:{_TYPES}|School|College|[A-Z])|-)))\b"
)
_NO_NAME = frozenset(
    (
        "the",
        "in",
        "for",
        "zoned",
        "near",
        "to",
        "zone",
        "at",
        "and",
        "opposite",
        "close",
        "yes",
        "from",
        "within",
    )
)
_DENIED = re.compile(r"\b(?:not|never|no\slonger|rather\sthan|outside)\b|n['\u2019]t\b", re.IGNORECASE)


NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Spot:
    """A place by its words: those of its name, and its kinds."""

    names: frozenset[str]
    kinds: frozenset[str]
    initials: frozenset[str] = frozenset()
    common: frozenset[str] = frozenset()
    """Its words in small letters that are of no kind: "the Mudgee post office"."""

    def __bool__(self) -> bool:
        return bool(self.names or self.kinds)

    def is_at(self, other: "Spot") -> bool:
        """Whether both may be one place: a name that both have, or a kind where one of them has no name."""
        if self.kinds and other.kinds and not self.kinds & other.kinds:
            return False
        if self.names and other.names:
            return bool(self.names & (other.names | other.common) or self.common & other.names)
        return bool(self.kinds & other.kinds)


@dataclass(frozen=True, slots=True)
class Distance:
    """How far a place is, in metres or minutes; `least` and `most` are shares of it that agree."""

    unit: str
    value: float
    spot: Spot
    start: int
    end: int
    least: float = 1 - _EXACT
    most: float = 1 + _EXACT

    def agrees_with(self, held: "Distance") -> bool:
        """Whether the record's distance is within what the words allow."""
        slack = 0.001 * self.value
        return self.least * self.value - slack <= held.value <= self.most * self.value + slack


def check_distances(text: str, clauses: Clauses, record: Record) -> Iterator[Said]:
    """A verdict for each stated distance to a place."""
    held = [*_held(record)]
    for distance in _distances(text, clauses):
        clause = clauses.at(distance.start)
        if clause.asked or clause.unsure(distance.start) or clause.supposed(distance.start):
            continue
        verdict, shown = _verdict(distance, held)
        if not verdict:
            continue
        key = " ".join(sorted(distance.spot.names | distance.spot.kinds))[:60]
        rule = "distances as the record states them"
        yield Said("distance", key, distance.start, distance.end, verdict, rule, shown)


def _distances(text: str, clauses: Clauses) -> Iterator[Distance]:
    for count, match in enumerate(_DISTANCE.finditer(text)):
        if count >= MAX_MENTIONS:
            return
        if not _SIZE.match(text, match.end()) or match["unit"].lower().startswith("min"):
            yield from _distance(text, match, clauses.at(match.start()))


def _distance(text: str, match: re.Match[str], clause: Clause) -> Iterator[Distance]:
    """The distance at a match, if a place stands after it or before it."""
    rest = _REST.match(text, match.end())
    if rest is None or (rest["link"] == "of" and "within" not in clause.before(match.start(), 20)):
        return
    ahead = clause.before(match.start(), 70)
    place = _ENDS.split(rest["place"] or "")[0]
    spot, end = _spot(place), rest.start("place") + len(place) if place else rest.end()
    told = rest["link"] or rest["way"] or _TOLD.search(rest.group())
    listed = _LISTED.search(ahead) and re.match(r"[,.;\n]|$", clause.after(match.end(), 1))
    if not spot and (
        told or ((listed or _LEADS.search(ahead)) and not match["unit"].lower().startswith("min"))
    ):
        steps = reversed(_BEGINS.split(_APPROACH.sub("", ahead))[-2:])
        spot = next(
            (found for step in steps if (found := _spot(step, named=not told))), Spot(NOTHING, NOTHING)
        )
    unit, value = _measure(match["number"], match["unit"])
    if spot and not (unit == "m" and value < SHORTEST_M):
        least, most = next(
            (
                (low, high)
                for hedge, low, high in _HEDGES
                if re.search(rf"{hedge}\s?(?:a\s)?$", ahead, re.IGNORECASE)
            ),
            (1 - _EXACT, 1 + _EXACT),
        )
        yield Distance(unit, value, spot, match.start(), max(end, match.end()), least, most)


def _spot(text: str, *, named: bool = False) -> Spot:
    """The place that words name; `named`: only one with a name or a kind counts."""
    words = words_of(_DISTANCE.sub(lambda match: " " * len(match.group()), text))
    kinds = {_KINDS[word.text] for word in words if word.text in _KINDS}
    others = [word for word in words if word.text not in _EMPTY and word.text not in _KINDS]
    names = {word.text for word in others if text[word.start].isupper() or text[word.start].isdigit()}
    if not names and not kinds and not named:
        names = {word.text for word in others}
    initials = {word.text for word in others if text[word.start : word.end].isupper()}
    common = {word.text for word in others if text[word.start].islower()}
    return Spot(frozenset(names), frozenset(kinds), frozenset(initials), frozenset(common))


def _held(record: Record) -> Iterator[Distance]:
    """The record's distances, those whose unit stands in their key too."""
    for line in record.lines:
        keyed = _KEYED.match(line[:200])
        if keyed:
            spot = _spot(keyed["key"].title())
            yield Distance(*_measure(keyed["number"], keyed["unit"]), spot, 0, 0)
        for match in _DISTANCE.finditer(line[:5_000]):
            rest = _REST.match(line, match.end())
            place = _ENDS.split((rest and rest["place"]) or "")[0]
            spot = _spot(place) or _spot(_BEGINS.split(line[: match.start()].rstrip(" ,:|(-"))[-1])
            yield Distance(*_measure(match["number"], match["unit"]), spot or _spot(line), 0, 0)


def _verdict(said: Distance, held: list[Distance]) -> tuple[str, str]:
    """The verdict and what the record has; none for minutes to a place that it tells in metres."""
    known = [each for each in held if _same_place(said, each)]
    there = [each for each in known if each.unit == said.unit]
    for each in there:
        if said.agrees_with(each):
            return "match", f"{each.value:g} {each.unit}"
    if there:
        return "mismatch", ", ".join(f"{each.value:g} {each.unit}" for each in there)[:80]
    return ("", "") if known else ("invented", "")


def _same_place(said: Distance, held: Distance) -> bool:
    """Whether both tell of one place; one by its initials or without a name is known by its distance."""
    if said.spot.is_at(held.spot):
        return True
    unnamed = not (said.spot.names - said.spot.common) and not (said.spot.kinds and held.spot.kinds)
    return (unnamed or any(len(name) < 6 for name in said.spot.initials)) and said.agrees_with(held)


def _measure(number: str, unit: str) -> tuple[str, float]:
    """Metres or minutes."""
    value = float(_SPOKEN.get(number.lower(), 0) or number.replace(",", ""))
    unit = unit.lower()
    if unit.startswith("min"):
        return "minutes", value
    if unit.startswith("k"):
        return "m", value * 1_000
    if unit.startswith("mi"):
        return "m", value * 1_609.344
    return "m", value


def check_schools(text: str, clauses: Clauses, record: Record) -> Iterator[Said]:
    """A verdict for each school that the answer names: the record names it, or it is invented."""
    held = " ".join(word.text for word in words_of(record.text))
    seen: set[str] = set()
    for match in _SCHOOL.finditer(text):
        clause = clauses.at(match.start())
        words = [word.text for word in words_of(match["name"]) if word.text not in _NO_NAME]
        key = " ".join(words)
        behind = re.split(r"[.!?\n]", text[match.end() : match.end() + 80])[0]
        stated = not (clause.asked or clause.says_unknown or UNSURE.search(behind))
        if len(words) < 2 or key in seen or not stated or len(seen) > 100:
            continue
        if _DENIED.search(clause.before(match.start(), 60)):
            continue
        seen.add(key)
        short = " ".join(words[:-1])
        fields = f"{record.address.suburb} state"  # of the record: its suburb, then its state
        told = short in held and short != fields
        named = key in held or (told and (len(words) > 2 or words[-1] in ("sh", "p", "h")))
        verdict = "match" if named else "invented"
        rule = "schools that the record names"
        yield Said("schools", key, *match.span(), verdict, rule, "yes" if named else "")
