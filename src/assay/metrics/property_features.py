"""Features and distances that an answer claims, held against what the record says of them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assay.metrics.property_clauses import Clause, Clauses, split_clauses
from assay.metrics.property_record import Record
from assay.metrics.property_words import Mention, find_mentions, lexicon, words_of

MAX_MENTIONS = 2_000
_NO = re.compile(
    r"\b(?:no|not|without|lacks?|lacking|excludes?|excluding|neither|nor|never|none|missing|absence\sof|free\sof|minus)\b|[\u2717\u2718\u274c\u2716]|n't\b|n\u2019t\b",
    re.IGNORECASE,
)
_NO_AFTER = re.compile(
    r"^[\s,):*|-]{0,4}(?:(?:\w+\s){0,3}(?:is|are|was|were|has|have|does|do)\s?(?:not|n't|n\u2019t)|(?:isn't|aren't|isn\u2019t|aren\u2019t|wasn't|not|no|none|nil|excluded|absent|n/a)\b)",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"\b(?:near(?:by)?|close\sto|walk(?:ing)?(?:\sdistance)?\s(?:to|of)|minutes?(?:'|\u2019)?\s(?:from|to|away|walk|drive)|metres?\s(?:from|to)|km\s(?:from|to)|opposite|local|public|council|community|"
    r"neighbou?r(?:ing|'s|\u2019s)?|adjacent\sto|next\sto|access\sto|proximity\sto|moments\s(?:from|to)|stroll\sto|drive\sto|across\sfrom|beside|within\sreach\sof|handy\sto|around\sthe\scorner\sfrom|"
    r"shared|in\sthe\s(?:area|suburb|street))\s(?:\S+\s){0,4}$",
    re.IGNORECASE,
)
_IN_STREET = re.compile(r"\s(?:\w+\s){0,3}?(?:by\spermit|(?:on|in)\sthe\s(?:street|area|suburb|neighbourhood)|nearby|next\sdoor|down\sthe\s(?:road|street))\b")
_STOP = re.compile(r"[.;:|\n\u2713\u2714\u2705]|\bbut\b|\bhowever\b|,\s(?:it|and\s(?:it|has|comes|there))\b")
_DISTANCE = re.compile(
    r"(?<![\w$.,])(?P<number>\d{1,4}(?:[.,]\d{1,3})?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty)(?:\s?[-\u2013]\s?\d{1,3})?[\s-]{0,2}"
    r"(?P<unit>km|kms|kilomet(?:re|er)s?|m|met(?:re|er)s?|miles?|mi|min(?:ute)?s?)\b['\u2019]?(?P<rest>(?:\s|-)(?:(?:by|on|walk(?:ing)?|drive|driving|stroll|ride|away|level|easy|short|flat|bus|train|tram|car|foot|cycle|commute|distance|south|north|east|west|direct|roughly)['\u2019]?[\s-]){0,4}?(?:(?:to|from|off|(?<=\s)of)\s(?P<place>[^.,;:\n()|]{3,60})|away\b))",
    re.IGNORECASE,
)
_RECORD_DISTANCE = re.compile(
    r"(?<![\w$.,])(?P<number>\d{1,4}(?:[.,]\d{1,3})?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty)[\s-]{0,2}"
    r"(?P<unit>km|kms|kilomet(?:re|er)s?|m|met(?:re|er)s?|miles?|mi|min(?:ute)?s?)\b",
    re.IGNORECASE,
)
_KEYED = re.compile(r"(?P<key>[a-z ]*?)\b(?P<unit>km|m|metres|minutes|min|mins|miles)\b[a-z ]*:\s*(?P<number>\d{1,5}(?:\.\d{1,3})?)\s*$")
_SPOKEN = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30,
}  # fmt: skip
_EMPTY_WORDS = frozenset(
    "the a an of and to from walk drive minute train station away local nearby by its both with is are on in at "
    "approximately about only just centre center school road street beach".split()
)
_ITSELF = frozenset("house home property apartment unit door front doorstep here it townhouse building residence villa that this there".split())
_KINDS = frozenset("station school beach train centre center tram bus".split())
_SCHOOL = re.compile(
    r"\b(?P<name>(?:[A-Z][\w'\u2019.]{1,20}\s){1,4}(?:(?:Primary|High|Secondary|Public|State|Grammar|Elementary|Middle|Catholic|Senior|Girls|Boys|Independent)\s){0,3}(?:School|College|Grammar|Academy))\b"
)


@dataclass(frozen=True, slots=True)
class Said:
    """A feature, distance or school as the answer says it; `key` is its name in the lexicon."""

    field: str
    key: str
    start: int
    end: int
    verdict: str
    rule: str
    record: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the record says of features: there, not there."""

    there: frozenset[str]
    absent: frozenset[str]


def known_features(record: Record) -> Known:
    """The features that the record names, those that follow from them, and those that it denies."""
    there: set[str] = set()
    absent: set[str] = set()
    for line in record.described:
        clauses = split_clauses(line)
        for mention in find_mentions(line):
            clause = clauses.at(mention.start)
            denied = _denied(clause, mention) or line.startswith("no ")
            (absent if denied else there).add(mention.feature)
    for feature in tuple(there):
        there.update(lexicon().implies.get(feature, ()))
    cars = record.span("car_spaces")
    if cars and cars.low > 0:
        there.add("parking")
        if "carport" not in there:
            there.add("garage")
    if cars and cars.high == 0:
        absent.update({"parking", "garage", "carport"} - there)
    return Known(frozenset(there), frozenset(absent - there))


def check_features(text: str, clauses: Clauses, record: Record, masked: list[tuple[int, int]]) -> Iterator[Said]:
    """A verdict for each feature that the answer states; each feature once for each verdict."""
    known = known_features(record)
    seen: set[tuple[str, str]] = set()
    index = 0
    for count, mention in enumerate(find_mentions(text)):
        if count >= MAX_MENTIONS:
            return
        while index < len(masked) and masked[index][1] <= mention.start:
            index += 1
        if index < len(masked) and masked[index][0] < mention.end and mention.start < masked[index][1]:
            continue
        said = _judged(clauses.at(mention.start), mention, known)
        if said and (mention.feature, said.verdict) not in seen:
            seen.add((mention.feature, said.verdict))
            yield said


def _judged(clause: Clause, mention: Mention, known: Known) -> Said | None:
    if not _is_stated(clause, mention):
        return None
    feature = mention.feature
    denied = _denied(clause, mention)
    if feature in known.there:
        verdict, rule = ("mismatch", "the record has it") if denied else ("match", "the record has it")
    elif denied:
        if feature not in known.absent:
            return None
        verdict, rule = "match", "the record denies it"
    elif feature in known.absent:
        verdict, rule = "mismatch", "the record denies it"
    else:
        verdict, rule = "invented", "nothing in the record says it"
    held = "yes" if feature in known.there else "no" if feature in known.absent else ""
    return Said("features", feature, mention.start, mention.end, verdict, rule, held)


def _is_stated(clause: Clause, mention: Mention) -> bool:
    """Whether the clause states the feature of this property: no question, wish, chance or unknown."""
    if clause.asked or clause.says_unknown or clause.supposed(mention.start):
        return False
    if clause.possible(mention.start, mention.end):
        return False
    if clause.of_another(mention.start, mention.end) or _IN_STREET.match(clause.after(mention.end, 50)):
        return False
    return not _ELSEWHERE.search(clause.before(mention.start, 90))


def _denied(clause: Clause, mention: Mention) -> bool:
    """Whether the clause says that it is not there: "no pool or spa", "a pool is not included"."""
    ahead = _STOP.split(clause.before(mention.start, 90))[-1]
    for match in _NO.finditer(ahead):
        between = ahead[match.end() :]
        if re.match(r"\s(?:only|just|to\smention|far|one|less)\b", between):
            continue
        joined = re.search(r"\b(?:or|nor)\b|,", between)
        if joined or len(between.split()) <= 5:
            if not re.search(r"\b(?:and|but)\b.*\b(?:has|have|with|includes?|offers?|features?)\b", between):
                return True
    return bool(_NO_AFTER.search(clause.after(mention.end, 60)))


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
        yield Said("distance", " ".join(sorted(place))[:60], match.start(), end, verdict, "distances as the record states them", held)


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
        words = [word.text for word in words_of(match["name"]) if word.text not in ("the", "in", "for", "zoned", "near")]
        key = " ".join(words)
        if key in seen or clause.asked or clause.says_unknown or len(seen) > 100:
            continue
        seen.add(key)
        verdict = "match" if key in held or " ".join(words[:-1]) in held else "invented"
        yield Said("schools", key, *match.span(), verdict, "schools that the record names", "yes" if verdict == "match" else "")
