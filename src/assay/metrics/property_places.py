"""Distances and schools that an answer names, held against what the record says of them."""

import re
from collections.abc import Iterator

from assay.metrics.property_clauses import Clauses
from assay.metrics.property_features import MAX_MENTIONS, Said
from assay.metrics.property_record import Record
from assay.metrics.property_words import words_of

_DISTANCE = re.compile(
    r"(?<![\w$.,])(?P<number>\d{1,4}(?:[.,]\d{1,3})?|one|two|three|four|five|six|seven|eight|"
    r"nine|ten|twelve|fifteen|twenty|thirty)(?:\s?[-\u2013]\s?\d{1,3})?[\s-]{0,2}"
    r"(?P<unit>km|kms|kilomet(?:re|er)s?|m|met(?:re|er)s?|miles?|mi|"
    r"min(?:ute)?s?)\b['\u2019]?(?P<rest>(?:\s|-)(?:(?:by|on|walk(?:ing)?|drive|driving|"
    r"stroll|ride|away|level|easy|short|flat|bus|train|tram|car|foot|cycle|commute|distance|"
    r"south|north|east|west|direct|roughly)['\u2019]?[\s-]){0,4}?(?:(?:to|from|off|"
    r"(?<=\s)of)\s(?P<place>[^.,;:\n()|]{3,60})|away\b))",
    re.IGNORECASE,
)
_RECORD_DISTANCE = re.compile(
    r"(?<![\w$.,])(?P<number>\d{1,4}(?:[.,]\d{1,3})?|one|two|three|four|five|six|seven|eight|"
    r"nine|ten|twelve|fifteen|twenty|thirty)[\s-]{0,2}"
    r"(?P<unit>km|kms|kilomet(?:re|er)s?|m|met(?:re|er)s?|miles?|mi|min(?:ute)?s?)\b",
    re.IGNORECASE,
)
_KEYED = re.compile(
    r"(?P<key>[a-z ]*?)\b(?P<unit>km|m|metres|minutes|min|mins|"
    r"miles)\b[a-z ]*:\s*(?P<number>\d{1,5}(?:\.\d{1,3})?)\s*$"
)
_SPOKEN = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30,
}  # fmt: skip
_EMPTY_WORDS = frozenset(
    (
    "the", "a", "an", "of", "and", "to", "from", "walk", "drive", "minute", "train", "station", "away",
    "local", "nearby", "by", "its", "both", "with", "is", "are", "on", "in", "at", "approximately",
    "about", "only", "just", "centre", "center", "school", "road", "street", "beach"
))  # fmt: skip
_ITSELF = frozenset(
    (
    "house", "home", "property", "apartment", "unit", "door", "front", "doorstep", "here", "it",
    "townhouse", "building", "residence", "villa", "that", "this", "there"
))  # fmt: skip
_KINDS = frozenset((
    "station", "school", "beach", "train", "centre", "center", "tram", "bus"
))  # fmt: skip
_SCHOOL = re.compile(
    r"\b(?P<name>(?:[A-Z][\w'\u2019.]{1,20}\s){1,4}(?:(?:Primary|High|Secondary|Public|State|"
    r"Grammar|Elementary|Middle|Catholic|Senior|Girls|Boys|Independent)\s){0,3}(?:School|"
    r"College|Grammar|Academy))\b"
)


def check_distances(text: str, clauses: Clauses, record: Record) -> Iterator[Said]:
    """A verdict for each stated distance to a named place."""
    for count, match in enumerate(_DISTANCE.finditer(text)):
        if count >= MAX_MENTIONS:
            return
        clause = clauses.at(match.start())
        if clause.asked or clause.unsure(match.start()) or clause.supposed(match.start()):
            continue
        if match["rest"].lstrip(" -").startswith("of ") and "within" not in clause.before(match.start(), 20):
            continue
        unit, value = _measure(match["number"], match["unit"])
        place = _place(match["place"] or "") or _place(clause.before(match.start(), 60))
        if not place:
            continue
        verdict, held = _distance_verdict(unit, value, place, record)
        end = match.start("rest") + len(match["rest"].split(" and ")[0])
        yield Said(
            "distance",
            " ".join(sorted(place))[:60],
            match.start(),
            end,
            verdict,
            "distances as the record states them",
            held,
        )


def _place(text: str) -> set[str]:
    """The words that name a place; those for the property itself name none."""
    words = {word.text for word in words_of(text)}
    return (words - _EMPTY_WORDS - _ITSELF) | (words & _KINDS)


def _distance_verdict(unit: str, value: float, place: set[str], record: Record) -> tuple[str, str]:
    near: list[str] = []
    for line in record.lines:
        words = {word.text for word in words_of(line)}
        if not place & words:
            continue
        for held_unit, held in _distances(line):
            if held_unit != unit:
                continue
            near.append(f"{held:g} {unit}")
            if abs(held - value) <= 0.051 * max(held, value):
                return "match", near[-1]
    return ("mismatch", ", ".join(near)[:80]) if near else ("invented", "")


def _distances(line: str) -> Iterator[tuple[str, float]]:
    for match in _RECORD_DISTANCE.finditer(line[:5_000]):
        yield _measure(match["number"], match["unit"])
    keyed = _KEYED.match(line[:200])
    if keyed:
        yield _measure(keyed["number"], keyed["unit"])


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
        words = [
            word.text
            for word in words_of(match["name"])
            if word.text not in ("the", "in", "for", "zoned", "near")
        ]
        key = " ".join(words)
        if key in seen or clause.asked or clause.says_unknown or len(seen) > 100:
            continue
        seen.add(key)
        named = key in held or (len(words) > 2 and " ".join(words[:-1]) in held)
        verdict = "match" if named else "invented"
        yield Said(
            "schools",
            key,
            *match.span(),
            verdict,
            "schools that the record names",
            "yes" if verdict == "match" else "",
        )
