"""What an answer claims of a property in words: address, suburb, state, postcode, type, year built."""

import re
from collections.abc import Iterator

from assay.extract.addresses import (
    STREET_TYPES,
    Address,
    find_addresses,
    find_places,
    normal_name,
    normal_state,
)
from assay.extract.finds import Find
from assay.metrics.property_claims import MAX_FINDS, Claim, make_claim, states_fact
from assay.metrics.property_clauses import Clause, Clauses
from assay.metrics.property_others import is_another_address
from assay.metrics.property_record import Record

TYPES = {
    "house": "house", "home": "", "apartment": "apartment", "flat": "apartment", "unit": "unit",
    "condo": "apartment", "condominium": "apartment", "penthouse": "apartment", "townhouse": "townhouse",
    "town house": "townhouse", "townhome": "townhouse", "villa": "villa", "terrace": "terrace",
    "terrace house": "terrace", "duplex": "duplex", "semi": "semi", "studio": "studio",
    "cottage": "house", "bungalow": "house", "queenslander": "house", "villa unit": "villa",
    "single-family home": "house", "single family home": "house", "farm": "rural", "acreage": "rural",
    "vacant land": "land", "vacant block": "land", "single-family house": "house",
    "row house": "terrace", "mansion": "house", "residential": "", "rural": "rural", "land": "land",
    "semi-detached": "semi", "semi detached": "semi", "semi-detached house": "semi",
    "detached house": "house", "free-standing house": "house", "freestanding house": "house",
    "single family": "house", "single_family": "house", "vacant_land": "land", "lifestyle": "rural",
}  # fmt: skip
ALIKE = {
    "house": ("rural",), "apartment": ("unit", "studio"),
    "unit": ("apartment", "villa", "townhouse", "studio"),
    "villa": ("unit", "townhouse", "house", "duplex"),
    "townhouse": ("unit", "villa", "house", "terrace"), "terrace": ("townhouse", "house"),
    "duplex": ("semi", "house", "villa"), "semi": ("duplex", "house"), "studio": ("apartment", "unit"),
    "rural": ("house", "land"), "land": ("rural",),
}  # fmt: skip
"""What else a property of each type is called: a townhouse is a house to many, a house no townhouse."""
_TYPE_NOUNS = "|".join(
    sorted((re.escape(name) for name in TYPES if TYPES[name] not in ("", "land")), key=len, reverse=True)
)
_TYPE = re.compile(
    r"(?:\b(?:this|a|an|the|your|our|is|as|stylish|modern|bed(?:room)?|bedder|br|storey|story|"
    r"level|family|freestanding|free-standing|detached|attached|brick|weatherboard|renovated|"
    r"spacious|"
    r"contemporary|luxury|period|victorian|edwardian|federation|double-fronted|single-fronted|"
    r"art|deco|charming|immaculate|low-maintenance|two-storey|single-level|ground-floor|"
    r"top-floor|"
    r"beautiful|new|comfortable|classic|elegant|quiet|bright|sunny|executive|inner-city|"
    r"type\W{1,8})[\s-]{1,2}|(?:type|property)\W{1,8})[*_]{0,2}"
    rf"(?P<type>{_TYPE_NOUNS}|vacant\sland|vacant\sblock)\b"
    r"(?![\s-](?:prices?|market|hunt\w*|buyers?|rules|block|complex|building|style|size|"
    r"and[\s-]land|numbers?|loan|keep\w*|plans?|entitlement|values?|sales|insurance|of|\d|"
    r"corporation|development|living|view|rents?|owners?))(?!-(?:style|sized|like))"
    r"(?<!flat(?=\s(?!in|at|on|with|is|has|for|of|that|which|and|was|to|near|by|offers|features)[a-z]))",
    re.IGNORECASE,
)
_COMPARED = re.compile(
    r"\b(?:seat|spot|drinks?)\s(?:in|on)\sthe\s$|\b(?:compar\w+(?:\s\w+)?\s(?:with|to|against)|than(?:\s(?:in|with|of|for))?|unlike|versus|vs\.?|rather\sthan|instead\sof|"
    r"(?:feels?|lives?|looks?|much|more|just|functions?)\s(?:\w+\s)?like|(?:as|so)\s\w+\sas|alternative\sto|outgrown|"
    r"(?:every|all\sthe\s\w+|privacy|space|size|scale|proportions|feel)\s(?:of|that)|trad(?:e|ing)|swap(?:ping)?|upgrad\w+\sfrom|downsiz\w+\sfrom)\s"
    r"(?:an?|the|your|any)\s(?:[\w-]+\s){0,2}$",
    re.IGNORECASE,
)
"""What makes a type that of other homes: "compare it with a house", "lives like a house"."""
_NOT_THERE = re.compile(
    r"(?:n['\u2019]t|\bnot|\blacks?|\bmissing)\b[^.;:]{0,20}:\s[^.;:]{0,30}$|\b(?:no|without\san?|lacks\san?)\s(?:\w+\s)?$",
    re.IGNORECASE,
)
"""What denies that there is a house: "what it hasn't got: a house"."""
NEWEST = 30
_IS_ONE = re.compile(r"\b(?:it['\u2019]s|is|was)\s(?:a|an|the)\s$", re.IGNORECASE)
_BUILDINGS = (
    r"(?:home|house|bungalow|cottage|apartment|building|terrace|weatherboard|brick|queenslander|villa|"
    r"residence|unit|"
    r"townhouse|townhome|condo|duplex|semi|homestead|farmhouse|colonial|craftsman|ranch|loft|flat)"
)
_YEAR = re.compile(
    r"\b(?:(?:re)?built|build|constructed|completed|finished|erected|(?:went|put)\sup|dat(?:es|ing|"
    r"ed)(?:\sback)?|"
    r"construction|year\sbuilt|year(?=\W{1,4}\d))\b(?:[^\d\n.;$]{0,25}|[^\d\n.;,$]{0,40})(?P<year>(?:18|19|20)\d\d)(?P<decade>s)?\b"
    r"|\b(?:circa|c\.)\s?(?P<circa>(?:18|19|20)\d\d)(?P<circa_decade>s)?\b"
    rf"|(?<!in\s)(?<!since\s)(?<!by\s)(?<!/)\b(?P<era>(?:18|19|20)\d\d)(?P<era_decade>s)?[\s-]"
    rf"(?:(?!the|this|its|our|open|next|your|their)[A-Za-z-]+\s){{0,2}}?{_BUILDINGS}\b"
    rf"|\b{_BUILDINGS}(?:\sis)?\s(?:from\s|of\s|\((?:c\.\s?)?)(?:the\s)?(?P<of>(?:18|19|"
    rf"20)\d\d)(?P<of_decade>s)?\b(?!\s(?:to|until)\b)"
    r"|\b(?:classic|beauty|original|gem|design|creation|product|icon|survivor|charmer|delight)\sof\s(?:the\s)?"
    r"(?P<kind>(?:18|19|20)\d\d)(?P<kind_decade>s)?\b"
    r"|\bfrom\s(?:the\s)?(?P<from>(?:18|19|20)\d\d)(?P<from_decade>s)?\b(?!\s(?:to|until)\b|[-\u2013/])"
    r"|\b(?:built|dat(?:es|ing)|finished|completed|build)\s(?:in\s|from\s|back\sto\s)?['\u2019](?P<short>\d\d)(?P<short_decade>s)?\b"
    r"|\b(?P<then>(?:18|19|20)\d\d)(?P<then_decade>s)?,?\swhen\sit\s(?:was\s)?(?:built|completed|constructed|finished|went\sup)\b"
    r"|\b(?P<ahead>(?:18|19|20)\d\d)(?P<ahead_decade>s)?(?:[\s-](?:built|build|construction|era|vintage))\b",
    re.IGNORECASE,
)
_FROM_THEN = re.compile(
    r"\b(?:availab\w+|leas\w+|rent\w*|let|tenan\w+|vacan\w+|sold|record\w*|figures?|rates?|data|reports?|"
    r"plans?|permit|"
    r"valuation|photos?|solar|furnace|boiler|windows|roof|heater|system|deck|shed|titles?|kitchen|sale|sales|contract|move)\b",
    re.IGNORECASE,
)
"""What can be from a year and is no building."""
_LAST_PART = re.compile(r"[,;]\s")
_NOT_BUILT = re.compile(
    r"\b(?:renovat\w+|extension|extended|updated|added|refurbish\w+|pool|kitchen|deck|garage|"
    r"rebuilt|granny|roof|since|sold|bought|purchased|bathroom|solar|pump|system|approved|approval)\b",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"\b(?:burn(?:ed|t)|knocked|pulled|torn)\sdown\b|\bdemolished\b|"
    r"\bonce\sstood\b",
    re.IGNORECASE,
)
"""What is said of a building that is no more."""
_PART_BUILT = re.compile(
    r"\b(?:renovat\w+|extension|extended|updated|addition|refurbish\w+|pool|kitchen|bathroom|deck|garage|"
    r"granny\sflat|studio|"
    r"roof|shed|upstairs|rear)(?:\s(?:was|were|is|has\sbeen|being))?\s(?:\w+\s)?$",
    re.IGNORECASE,
)
"""A part as what was built then."""
_SUBURB = re.compile(
    r"\b(?:located|situated|set|nestled|positioned|found|home|house|apartment|unit|townhouse|"
    r"villa|property|residence|terrace|cottage|listing|studio|bungalow|condo|duplex|penthouse|"
    r"suburb\sof|lies|sits|listed|land|block|bedder|street|pocket|spot|location|corner|position|"
    r"neighbourhood|"
    r"neighborhood|setting|cul-de-sac|complex|building|development|estate|bed(?:room)?s?|bath(?:room)?s?|"
    r"sqm|m2|m\u00b2|square\smetres|acres?|hectares)"
    r"(?:\sis|\sfor\s(?:sale|rent|lease))?(?:\s(?:located|situated|set))?\s(?:in|"
    r"of)\s(?:the\s)?(?:heart\sof\s|suburb\sof\s|centre\sof\s|center\sof\s|leafy\s|"
    r"sought-after\s|beautiful\s|quiet\s|popular\s|vibrant\s|prestigious\s|inner-city\s|"
    r"coastal\s|seaside\s|central\s|family-friendly\s)*"
    r"(?P<name>(?-i:(?:Mt\.?|St\.?|[A-Z][a-z'\u2019]{2,20})(?:\s(?:[A-Z][a-z'\u2019]{2,20})){0,2}))",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"(?:^|[\n|*-]|[.;]\s)\s{0,3}[*_]{0,2}(?P<label>suburb|state|postcode|zip(?:\scode)?|location|"
    r"neighbou?rhood|"
    r"city)[*_]{0,2}\s{0,2}[:|][*_]{0,2}\s{0,3}(?P<value>[A-Za-z0-9](?:[\w' ]|\.(?!\s)){1,30})",
    re.IGNORECASE,
)
_NAMED_HOME = re.compile(
    r"\b(?:[Tt]his|[Oo]ur|[Yy]our|"
    r"[Tt]he)\s(?:(?!own)[a-z]+\s)?(?P<name>[A-Z][a-z'\u2019]{2,20}(?:\s[A-Z][a-z'\u2019]{2,20}){0,2})\s"
    r"(?:home|house|apartment|unit|townhouse|villa|property|listing|cottage|condo|flat|bungalow|block)\b"
)
_STYLES = frozenset((
    "victorian", "edwardian", "federation", "georgian", "californian", "art", "deco", "queenslander",
    "mediterranean", "hamptons", "italianate", "colonial", "craftsman", "tudor", "spanish", "scandinavian",
    "torrens", "modern", "gothic", "regency", "interwar", "tuscan", "french", "balinese", "japanese",
    "english", "american", "australian", "european", "dutch", "cape", "mid", "ranch", "strata", "council",
    "park", "street", "river", "beach", "ocean", "school"
))  # fmt: skip
"""Words with a capital before a home that name no suburb."""
_PLACE_NAME = re.compile(r"[A-Z][a-z'\u2019]{2,20}(?:\s[A-Z][a-z'\u2019]{2,20}){0,2}")
_PART_WORD = re.compile(r"[\w'\u2019.-]*\w")
_POSTCODE = re.compile(r"\b(?:postcode|zip\scode|zip)\s(?:is\s|of\s)?(?P<code>\d{4,5})\b", re.IGNORECASE)
_PLACED = re.compile(r"(?:\b(?:in|at|of|to|from|near)\s|[,(|:]\s?|\n\W{0,4})$", re.IGNORECASE)
"""What comes before a suburb; of "Expect NSW duty" nothing does."""
_NO_PLACE = re.compile(
    r"(?:(?:stamp|transfer|land|conveyance)\s)?(?:duty|tax|rates?|levy|levies|price|deposit|rent|bond|grant|"
    r"law|act|council|government|concession|buyers?|general|settlement)"
    r"\W{0,2}\s?(?:NSW|VIC|QLD|SA|WA|TAS|ACT|NT)\b",
    re.IGNORECASE,
)
"""A word with a state behind it that is no suburb: "Duty (WA)"."""
_WIDE_PLACES = frozenset(
    (
    "sydney", "melbourne", "brisbane", "perth", "adelaide", "hobart", "darwin", "canberra", "australia",
    "new", "south", "wales", "victoria", "queensland", "tasmania", "america", "gold", "coast",
    "sunshine", "coast", "january", "february", "march", "april", "may", "june", "july", "august",
    "september", "october", "november", "december", "good", "great", "excellent"
))  # fmt: skip


def descriptive_claims(text: str, clauses: Clauses, record: Record) -> Iterator[Claim]:
    """The claims in words; an address in a clause about another sale is none."""
    addresses = find_addresses(text)[:MAX_FINDS]
    spans = [(find.start, find.end) for find in addresses]
    for find in addresses:
        if not is_another_address(find, clauses.at(find.start), record, addresses):
            yield from _address_claims(find, clauses.at(find.start))
    for place in find_places(text)[:MAX_FINDS]:
        placed = place.value.postcode or _PLACED.search(text[max(0, place.start - 12) : place.start])
        if not placed or _NO_PLACE.match(place.quote) or _within(place.start, spans):
            continue
        if states_fact(clauses.at(place.start), place):
            yield from _place_claims(place, clauses.at(place.start))
    yield from _labels(text, clauses)
    yield from _suburbs(text, clauses, record, spans)
    yield from _named_homes(text, clauses, record, spans)
    yield from _types(text, clauses, spans)
    yield from _years(text, clauses)


def _within(position: int, spans: list[tuple[int, int]]) -> bool:
    return any(start <= position < end for start, end in spans[:200])


def _address_claims(find: Find[Address], clause: Clause) -> Iterator[Claim]:
    if not states_fact(clause, find):
        return
    yield make_claim("address", find, clause)
    yield from _place_claims(find, clause)


def _place_claims(find: Find[Address], clause: Clause) -> Iterator[Claim]:
    for name in ("suburb", "state", "postcode"):
        value = getattr(find.value, name)
        if value:
            start, end = _part(find, name)
            quote = find.quote[start - find.start : end - find.start]
            yield make_claim(name, Find(value, name, start, end, quote), clause)


def _part(find: Find[Address], name: str) -> tuple[int, int]:
    """Where a part of an address stands; what cannot be found is all of it."""
    normal = {"suburb": normal_name, "state": normal_state}.get(name, str)
    words = [match.span() for match in _PART_WORD.finditer(find.quote)]
    for count in range(1, 5):
        for first in range(len(words) - count, -1, -1):
            start, end = words[first][0], words[first + count - 1][1]
            if normal(find.quote[start:end]) == getattr(find.value, name):
                return find.start + start, find.start + end
    return find.start, find.end


def _labels(text: str, clauses: Clauses) -> Iterator[Claim]:
    for match in _LABEL.finditer(text):
        label, value = match["label"].lower(), match["value"].split(". ")[0].strip(" .")
        name = "postcode" if label.startswith(("post", "zip")) else "suburb" if label != "state" else "state"
        if label in ("location", "neighbourhood", "neighborhood") and not _PLACE_NAME.fullmatch(value):
            continue
        value = normal_state(value) if name == "state" else normal_name(value) if name == "suburb" else value
        find = Find(value, name, match.start("value"), match.end("value"), match["value"])
        yield make_claim(name, find, clauses.at(match.start("value")))
    for match in _POSTCODE.finditer(text):
        find = Find(match["code"], "postcode", *match.span("code"), match["code"])
        if states_fact(clauses.at(find.start), find):
            yield make_claim("postcode", find, clauses.at(find.start))


def _suburbs(text: str, clauses: Clauses, record: Record, spans: list[tuple[int, int]]) -> Iterator[Claim]:
    held = normal_name(record.text)
    for match in _SUBURB.finditer(text):
        name = normal_name(match["name"])
        if (
            name.startswith("state ")
            or set(name.split()) <= _WIDE_PLACES
            or (name in held and name != record.address.suburb)
        ):
            continue
        following = text[match.end() : match.end() + 12]
        if re.match(r"['\u2019]s\b|\s(?:Street|St|Road|Rd|Avenue|Park|School|Council|City)\b", following):
            continue
        if match["name"].split()[-1].lower() in STREET_TYPES and len(name.split()) > 1:
            continue
        find = Find(name, "suburb", *match.span("name"), match["name"])
        clause = clauses.at(find.start)
        if not _within(find.start, spans) and states_fact(clause, find):
            yield make_claim("suburb", find, clause)


def _named_homes(
    text: str, clauses: Clauses, record: Record, spans: list[tuple[int, int]]
) -> Iterator[Claim]:
    """The suburb in "this Ascot Vale home"; names of styles and all that the record names are none."""
    held = normal_name(record.text)
    for match in _NAMED_HOME.finditer(text):
        name = normal_name(match["name"])
        if set(name.split()) & _STYLES or set(name.split()) <= _WIDE_PLACES:
            continue
        if name in held and name != record.address.suburb:
            continue
        find = Find(name, "suburb", *match.span("name"), match["name"])
        clause = clauses.at(find.start)
        if not _within(find.start, spans) and states_fact(clause, find):
            yield make_claim("suburb", find, clause)


def _types(text: str, clauses: Clauses, spans: list[tuple[int, int]]) -> Iterator[Claim]:
    for count, match in enumerate(_TYPE.finditer(text)):
        if count >= MAX_FINDS:
            return
        kind = TYPES.get(match["type"].lower().replace("  ", " "), "")
        clause = clauses.at(match.start("type"))
        find = Find(kind, "type", *match.span("type"), match["type"])
        if not kind or _within(find.start, spans) or not states_fact(clause, find):
            continue
        if _NOT_THERE.search(clause.before(find.start, 60)):
            continue
        if clause.possible(find.start, find.end) or _COMPARED.search(clause.before(find.start, 60)):
            continue
        if (
            kind == "terrace"
            and match["type"].lower() == "terrace"
            and not re.match(
                r"[\s,.]*(?:house|home|in|at|with|has|is|for|$)", text[match.end() : match.end() + 10]
            )
        ):
            continue
        if re.search(
            r"\b(?:with|plus|including|onto|to|has|features?|a|and|rooftop|roof|rear|sunny|"
            r"paved)\s(?:a\s|an\s|the\s)?(?:\w+\s){0,2}$|\b(?:detached|self-contained|separate|garden|art|yoga|music)\s$",
            _IS_ONE.sub("", clause.before(find.start, 40)),
        ) and kind in ("terrace", "studio"):
            continue
        yield make_claim("property_type", find, clause)


def _years(text: str, clauses: Clauses) -> Iterator[Claim]:
    for count, match in enumerate(_YEAR.finditer(text)):
        if count >= MAX_FINDS:
            return
        name = next(
            name
            for name in ("year", "circa", "era", "of", "kind", "from", "short", "then", "ahead")
            if match[name]
        )
        decade = match[{"year": "decade"}.get(name, f"{name}_decade")]
        clause = clauses.at(match.start(name))
        if _NOT_BUILT.search(match.group()) or _PART_BUILT.search(clause.before(match.start(), 30)):
            continue
        if _GONE.search(clause.text):
            continue
        if name == "from" and _FROM_THEN.search(_LAST_PART.split(clause.before(match.start(), 60))[-1]):
            continue
        year = _full_year(match[name])
        find = Find((year, year + 9 if decade else year), "year", *match.span(), match.group())
        if states_fact(clause, find):
            yield make_claim("year_built", find, clause)


def _full_year(digits: str) -> int:
    """The year; two digits are of this century up to thirty."""
    year = int(digits)
    return year if year > 99 else year + (2000 if year <= NEWEST else 1900)


def types_agree(said: str, held: str) -> bool:
    """Whether two types are the same or called by each other's names."""
    return said == held or said in ALIKE.get(held, ())


def type_of(text: str) -> str:
    """The type that a record's words mean; empty when it is none that can be told apart."""
    said = " ".join(re.sub(r"[_/]", " ", text.lower()).split())
    if said in TYPES:
        return TYPES[said]
    found = [
        name
        for name in sorted(TYPES, key=len, reverse=True)
        if TYPES[name] and re.search(rf"\b{re.escape(name)}\b", said)
    ]
    return TYPES[found[0]] if found else ""
