"""How many, how strong, how far and how high: what the record tells of a feature besides that it is there.

count      "three dams" where the record has two, "two balconies" where it has one
rating     "13 kWh", "10 kW", "22,500 L", "EER 7": another number than the record has for the unit
reach      "robes in all bedrooms" where the record has them in two of three
floor      "on the tenth floor" where the record says the third
"""

import re
from collections.abc import Iterator, Sequence

from assay.extract.numbers import DIGITS, WORDS, read_count
from assay.metrics.property_clauses import Clause, Clauses
from assay.metrics.property_features import MAX_MENTIONS, Said, is_denied, is_stated
from assay.metrics.property_record import Record
from assay.metrics.property_words import Mention, find_mentions, lexicon

MAX_LINES = 200
MAX_LINE = 2_000
_GROUPS = {"pair of": 2.0, "couple of": 2.0, "trio of": 3.0, "twin": 2.0, "dual": 2.0}
_SMALL = r"one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_COUNT = re.compile(
    rf"(?<![\w.,$/x\u00d7-])(?<!by\s)(?<!x\s)(?P<count>\d{{1,2}}|{_SMALL}|pair\sof|couple\sof|trio\sof|twin|dual)\s"
    r"(?!(?:x|by|m|metres?|km|kw|kwh|kilowatts?|sqm|l|litres?|acres?|ha|hectares?|minutes?|mins?|weeks?|months?|years?|"
    r"bed\w*|bath\w*|cars?|bays?|storey|level|of|to|and|or|per)\b)"
    r"(?:(?!(?:an?|the|its|and|or|by|with|in|to|of|for|on|has|have|is|are|plus|bed\w*|bath\w*|rooms?|cars?)\b)(?:\d[\d,]*|[\w'\u2019-]+)\s){0,3}$",
    re.IGNORECASE,
)
_COUNTED = frozenset((
    "balcony", "bore", "dam", "shed", "fireplace", "open_fire", "wood_fire", "deck", "courtyard", "study",
    "verandah", "storage", "lift", "water_tank", "granny_flat", "walk_in_robe", "ensuite", "workshop",
    "ceiling_fans", "split_system", "paddocks", "barn", "gas_fire", "battery", "heat_pump", "skylights",
    "patio", "stables", "silo", "pool"
))  # fmt: skip
"""What is counted; car spaces have a field of their own."""
_RATING = re.compile(
    rf"(?<![\w$.,])(?P<number>{DIGITS}|{WORDS})[\s-]?(?:(?P<kwh>kwh|kilowatt[\s-]?hours?)|(?P<kw>kw|kilowatts?)|"
    r"(?P<litre>litres?|liters?|(?-i:L)))\b(?!-)|"
    r"\b(?:EER|energy(?:\sefficiency)?\srating|nathers)\b[^\d\n.]{0,12}(?P<star>\d(?:\.\d)?)\b|"
    r"(?<![\w.])(?P<stars>\d(?:\.\d)?)[\s-]stars?\s(?:energy|nathers|rating|eer)",
    re.IGNORECASE,
)
_NUMBER_OF_ROOMS = {"one": 1, "two": 2, "both": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_IN_SOME = re.compile(
    r"\s(?:to|in|off|for|serving)\s(?:the\s)?(?:(?P<one>main|master|primary|living|lounge|second|dining)\b|"
    r"(?:all\s)?(?P<count>one|two|both|three|four|five|\d)\s(?:of\s(?:the\s)?(?:\w+\s)?)?bed(?:room)?s?\b|"
    r"bed(?:room)?s?\s(?P<list>\d(?:(?:,\s?|\sand\s|\s?&\s?|,\sand\s)\d){0,4}))",
    re.IGNORECASE,
)
"""The rooms that have a thing, behind it."""
_IN_ALL = re.compile(
    r"\b(?:all|every|each)\s(?:of\s)?(?:the\s)?(?:\w+\s){0,2}?(?:bed(?:room)?s?|rooms?)\b|\bbed(?:room)?s\s?[(,]\s?(?:all|each)\b|"
    r"\bbedrooms?\s(?:all|each)\s(?:have|has|with|enjoy|come)\b",
    re.IGNORECASE,
)
_THROUGHOUT = re.compile(r"^[^,.;]{0,25}\bthroughout\b", re.IGNORECASE)
_ROOMS_WITH = re.compile(
    rf"\b(?P<count>{_SMALL}|both|\d)\s(?:of\s(?:the\s)?(?:\w+\s)?)?bed(?:room)?s\s(?:with|have|having|enjoy)\s(?:\w+\s){{0,3}}$",
    re.IGNORECASE,
)
_BY_ROOM = frozenset((
    "built_in_robes", "walk_in_robe", "ensuite", "ceiling_fans", "air_conditioning", "split_system", "heating"
))  # fmt: skip
NEAR = 45
"""How far the words for all rooms may stand from the thing."""
_FLOORS = {
    word: number
    for number, word in enumerate(
        ("ground", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
         "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth",
         "eighteenth", "nineteenth", "twentieth")
    )
}  # fmt: skip
_FLOOR = re.compile(
    rf"\b(?:(?P<word>{'|'.join(_FLOORS)})|(?P<nth>\d{{1,2}})(?:st|nd|rd|th))[\s-](?:floor|level|storey)\b(?!\s(?:gym|pool|"
    r"terrace|lounge|amenit|garden|parking|car|lobby|shop|retail|cafe))|"
    rf"\b(?P<up>\d{{1,2}}|{_SMALL})\s(?:floors|levels|storeys|stories)\s(?:up|above)\b|"
    rf"\b(?:level|floor)\s(?P<level>\d{{1,2}}|{_SMALL})\b",
    re.IGNORECASE,
)
_ON_A_FLOOR = re.compile(
    r"\b(?:gym|fitness|cent(?:er|re)|room|study|deck|balcony|pool|spa|sauna|lounge|parking|garage|car|storage|cage|cellar|lobby|terrace|bedrooms?|bathrooms?|library|"
    r"cinema|building|tower|of)\b[^.;]{0,30}$|\bto\s(?:the\s)?$",
    re.IGNORECASE,
)
"""What else may be on a floor that is named."""


def check_quantities(
    text: str, mentions: Sequence[Mention], clauses: Clauses, record: Record
) -> Iterator[Said]:
    """A mismatch for each quantity that differs from what the record tells; right ones are not told."""
    yield from _ratings(text, clauses, record)
    yield from _floors(text, clauses, record)
    lines = [line[:MAX_LINE] for line in record.described if not line.startswith("no ")][:MAX_LINES]
    held = [(mention, line) for line in lines for mention in find_mentions(line)]
    seen: set[str] = set()
    for number, mention in enumerate(mentions):
        if number >= MAX_MENTIONS:
            return
        own = [(each, line) for each, line in held if _is_kind_of(each.feature, mention.feature)]
        clause = clauses.at(mention.start)
        if not own or mention.feature in seen or not is_stated(clause, mention) or is_denied(clause, mention):
            continue
        told = _counted(clause, mention, own) or _reaches(clause, mention, own, record)
        if told:
            seen.add(mention.feature)
            said, shown = told
            key = f"{mention.feature} {said}"
            rule = "as many and as far as the record tells"
            yield Said("features", key, mention.start, mention.end, "mismatch", rule, shown)


def _is_kind_of(held: str, said: str) -> bool:
    """Whether the record's thing is what is said, or a kind of it: an open fire is a fireplace."""
    return held == said or (said in _COUNTED and said in lexicon().implies.get(held, ()))


def _counted(clause: Clause, mention: Mention, own: Sequence[tuple[Mention, str]]) -> tuple[str, str] | None:
    """The count of a feature and the record's, where they differ."""
    said = _count(clause.before(mention.start, 60))
    if said is None or mention.feature not in _COUNTED:
        return None
    counts = {_count(line[: each.start]) for each, line in own}
    if None in counts:
        plural = any(line[each.start : each.end].lower().endswith("s") for each, line in own)
        counts = set() if plural or len(own) > 1 else {1.0}
    wrong = bool(counts) and said not in counts and said != sum(filter(None, counts))
    return (f"{said:g}", ", ".join(f"{count:g}" for count in sorted(filter(None, counts)))) if wrong else None


def _count(ahead: str) -> float | None:
    match = _COUNT.search(ahead)
    if match is None:
        return None
    word = " ".join(match["count"].lower().split())
    return _GROUPS[word] if word in _GROUPS else read_count(word)


def _reaches(
    clause: Clause, mention: Mention, own: Sequence[tuple[Mention, str]], record: Record
) -> tuple[str, str] | None:
    """In how many bedrooms a thing is said to be, and what the record has, where that is less."""
    rooms = record.span("bedrooms")
    if mention.feature not in _BY_ROOM or rooms is None:
        return None
    matches = [_IN_SOME.match(line, each.end) for each, line in own]
    if None in matches or not matches:
        return None
    held = sum(_rooms(match) for match in matches if match)
    said = _said_rooms(clause, mention, rooms.low)
    return (f"in {said:g} rooms", f"in {held}") if said > held and held < rooms.low else None


def _rooms(match: re.Match[str]) -> int:
    if match["one"]:
        return 1
    if match["list"]:
        return len(re.findall(r"\d", match["list"]))
    word = match["count"].lower()
    return _NUMBER_OF_ROOMS.get(word) or int(word)


def _said_rooms(clause: Clause, mention: Mention, rooms: float) -> float:
    """The number of rooms that a clause gives a thing to; 0 when it does not tell."""
    ahead, behind = clause.before(mention.start, NEAR), clause.after(mention.end, NEAR)
    if _IN_ALL.search(ahead) or _IN_ALL.search(behind) or _THROUGHOUT.search(behind):
        return rooms
    some = _IN_SOME.match(behind)
    if some and not some["one"]:
        return float(_rooms(some))
    with_it = _ROOMS_WITH.search(ahead)
    count = with_it["count"].lower() if with_it else ""
    return float(_NUMBER_OF_ROOMS.get(count, 0)) or (read_count(count) if count else 0.0)


def _ratings(text: str, clauses: Clauses, record: Record) -> Iterator[Said]:
    held: dict[str, set[float]] = {}
    for line in record.described[:MAX_LINES]:
        for match in _RATING.finditer(line[:MAX_LINE]):
            unit, value = _rated(match)
            held.setdefault(unit, set()).update((value, value * (_count(line[: match.start()]) or 1)))
    seen: set[tuple[str, float]] = set()
    for number, match in enumerate(_RATING.finditer(text) if held else ()):
        unit, value = _rated(match)
        clause = clauses.at(match.start())
        if number >= MAX_MENTIONS or unit not in held or (unit, value) in seen:
            continue
        seen.add((unit, value))
        mention = Mention("rating", match.start(), match.end())
        agrees = any(abs(value - each) <= 0.051 * each for each in (*held[unit], sum(held[unit])))
        if not agrees and is_stated(clause, mention) and not is_denied(clause, mention):
            shown = ", ".join(f"{each:g}" for each in sorted(held[unit]))
            rule = "numbers that the record has for the unit"
            yield Said("features", f"{value:g} {unit}", *match.span(), "mismatch", rule, shown)


def _rated(match: re.Match[str]) -> tuple[str, float]:
    if match["star"] or match["stars"]:
        return "stars", float(match["star"] or match["stars"])
    unit = next(name for name in ("kwh", "kw", "litre") if match[name])
    return unit, read_count(match["number"].lower())


def _floors(text: str, clauses: Clauses, record: Record) -> Iterator[Said]:
    held = {
        _floor(match) for line in record.described[:MAX_LINES] for match in _FLOOR.finditer(line[:MAX_LINE])
    }
    for number, match in enumerate(_FLOOR.finditer(text) if len(held) == 1 else ()):
        clause = clauses.at(match.start())
        mention = Mention("floor", match.start(), match.end())
        if (
            number >= MAX_MENTIONS
            or _floor(match) in held
            or _ON_A_FLOOR.search(clause.before(match.start(), 60))
        ):
            continue
        if is_stated(clause, mention) and not is_denied(clause, mention):
            shown = f"{next(iter(held))}"
            yield Said(
                "features", "floor", *match.span(), "mismatch", "the floor that the record tells", shown
            )
            return


def _floor(match: re.Match[str]) -> int:
    if match["word"]:
        return _FLOORS[match["word"].lower()]
    return int(match["nth"] or read_count((match["level"] or match["up"]).lower()))
