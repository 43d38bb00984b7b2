"""Street addresses, and places with state and postcode, in Australia and the United States."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assay.extract.finds import Find

STREET_TYPES = {
    "street": "st", "road": "rd", "avenue": "av ave", "drive": "dr drv", "court": "ct crt", "place": "pl",
    "crescent": "cr cres", "lane": "ln la", "parade": "pde", "terrace": "tce ter", "highway": "hwy",
    "boulevard": "blvd bvd boulevarde", "close": "cl", "circuit": "cct cir", "grove": "gr gve", "way": "wy",
    "square": "sq", "esplanade": "esp", "promenade": "prom", "mews": "", "rise": "", "walk": "", "loop": "",
    "circle": "", "parkway": "pkwy pwy", "quay": "qy", "row": "", "view": "", "alley": "", "track": "trk",
    "trail": "trl", "gardens": "gdns", "heights": "hts", "ridge": "", "chase": "", "vista": "", "link": "",
    "retreat": "", "broadway": "", "pass": "", "glade": "", "outlook": "", "mall": "",
}  # fmt: skip
"""Street types with their abbreviations (AS 4590 and USPS Publication 28)."""
_TYPE_OF = {short: name for name, shorts in STREET_TYPES.items() for short in (name, *shorts.split())}
AU_STATES = {
    "New South Wales": "NSW", "Victoria": "VIC", "Queensland": "QLD", "South Australia": "SA",
    "Western Australia": "WA", "Tasmania": "TAS", "Australian Capital Territory": "ACT",
    "Northern Territory": "NT",
}  # fmt: skip
US_STATES = frozenset(
    (
    "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "FL", "GA", "HI", "ID", "IL", "IN", "IA", "KS",
    "KY", "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM", "NY",
    "NC", "ND", "OH", "OK", "OR", "PA", "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WV", "WI",
    "WY", "DC"
))  # fmt: skip

_TYPES = "|".join(sorted((key for key in _TYPE_OF if key), key=len, reverse=True))
_NUMBER = r"\d{1,5}[A-Za-z]?(?:\s?[-\u2013]\s?\d{1,5}[A-Za-z]?)?"
_UNIT = (
    r"(?:(?:shed(?=\s\d)|studio(?=\s\d)|warehouse(?=\s\d)|unit|apartment|apt\.?|flat|suite|shop|villa|townhouse|lot|level|\#)\s?\d{0,4}[A-Za-z]?\d{0,4}"
    r"(?:\s?[,/]\s?(?:level\s\d{1,3}\s?,\s?)?|\s(?:at|of)\s|\s))?"
)
_NAME = r"(?:[A-Z]\.|(?:St|Mt|Dr|Sgt|Capt)\.|[A-Z][\w'\u2019-]{0,20}|\d{1,3}(?:st|nd|rd|th))"
_STREET = re.compile(
    rf"(?<![\w$/.,-])(?P<unit>(?i:{_UNIT}))(?:(?P<slash>[A-Za-z]?\d{{1,4}}[A-Za-z]?)\s?/\s?)?(?P<number>{_NUMBER})\s"
    rf"(?P<name>(?:The\s)?{_NAME}(?:\s{_NAME}){{0,3}}?)\s(?P<type>(?i:{_TYPES}))"
    rf"\b\.?(?!['\u2019]s)(?!\s(?:{_TYPES.title()})\b)"
    r"(?P<side>\s(?:North|South|East|West|[NSEW])(?![\w']))?"
)
_THE = re.compile(
    rf"(?<![\w$/.,-])(?P<unit>(?i:{_UNIT}))(?:(?P<slash>[A-Za-z]?\d{{1,4}}[A-Za-z]?)\s?/\s?)?(?P<number>{_NUMBER})\s"
    r"(?:(?P<name>The)\s(?=[A-Z])|(?=Esplanade|Strand|Corso|Broadway))(?P<type>Broadway|Esplanade|Boulevarde?|Parade|Avenue|Crescent|Promenade|Terrace|"
    r"Strand|Corso|Grove)\b"
)
_STATE = (
    r"(?P<state>NSW|VIC|Vic|QLD|Qld|SA|WA|TAS|Tas|ACT|NT|"
    + "|".join(AU_STATES)
    + "|"
    + "|".join(sorted(US_STATES - {"SA", "WA"}))
    + ")"
)
_SUBURB = (
    r"(?P<suburb>(?:(?:St\.?|Mt\.?|[A-Z][\w'\u2019-]{1,20})(?:\s(?:St\.?|Mt\.?|of|on|upon|"
    r"[A-Z][\w'\u2019-]{0,20})){0,3}))"
)
_TAIL = re.compile(
    rf"(?:\s?,\s{{0,2}}|\s(?:in|at)\s|\s\(|\s)(?:(?P<unit>(?i:unit|apt\.?|apartment|suite|"
    rf"\#)\s?\w{{1,5}}),\s)?{_SUBURB}"
    rf"(?:(?:\s?,\s?|\s\(|\s){_STATE}(?![\w]))?(?:\s?,?\s?(?P<postcode>\d{{4,5}})(?!\d|[,.]\d|"
    rf"%|\s?(?:sqm|m²|square)))?"
)
_PLACE = re.compile(
    rf"(?<![\w']){_SUBURB}(?:\s?,\s?|\s\(|\s){_STATE}(?![\w])(?:\s?,?\s?(?P<postcode>\d{{4,5}})(?!\d))?"
)
_STATE_CODE = re.compile(
    r"\b(?P<state>NSW|VIC|Vic|QLD|Qld|SA|WA|TAS|Tas|ACT|NT),?\s(?P<postcode>\d{4})(?![\d,.]*\d|\s?(?:sqm|m\b|m2|%))"
)
"""A state with its postcode, behind what is no suburb: "THE FAMILY HOME (QLD 4556)"."""
POSTCODES = {
    "NSW": ((1000, 2599), (2619, 2899), (2921, 2999)),
    "ACT": ((200, 299), (2600, 2618), (2900, 2920)),
    "VIC": ((3000, 3999), (8000, 8999)),
    "QLD": ((4000, 4999), (9000, 9999)),
    "SA": ((5000, 5999),),
    "WA": ((6000, 6999),),
    "TAS": ((7000, 7999),),
    "NT": ((800, 999),),
}
"""Postcode ranges of the states, as Australia Post allots them; a few border towns are exceptions."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address in parts, normalised for comparison: lower case, street types in full."""

    unit: str = ""
    number: str = ""
    street: str = ""
    street_type: str = ""
    suburb: str = ""
    state: str = ""
    postcode: str = ""

    def agrees_with(self, other: "Address") -> bool:
        """Whether what both name of unit, number and street is equal; a unit that one lacks agrees."""
        units = not self.unit or not other.unit or self.unit == other.unit
        numbers = not self.number or not other.number or _same_number(self.number, other.number)
        types = not self.street_type or not other.street_type or self.street_type == other.street_type
        return units and numbers and types and self.street == other.street


def state_of_postcode(postcode: str) -> str | None:
    """The Australian state that a postcode belongs to; None when it is of none."""
    if not (postcode.isascii() and postcode.isdigit() and len(postcode) == 4):
        return None
    number = int(postcode)
    return next(
        (state for state, ranges in POSTCODES.items() for low, high in ranges if low <= number <= high), None
    )


def normal_state(text: str) -> str:
    """The abbreviation of a state in capitals: "Victoria" is VIC."""
    words = " ".join(text.split())
    return AU_STATES.get(words.title(), words.upper().replace(".", ""))


def normal_name(text: str) -> str:
    """A name in lower case without punctuation; "St." and "Mt" are written out."""
    words = re.sub(r"[.'\u2019]", "", text.lower()).replace("-", " ").split()
    return " ".join({"mt": "mount", "st": "saint"}.get(word, word) for word in words)


def find_addresses(text: str) -> list[Find[Address]]:
    """Street addresses in order, with suburb, state and postcode where they follow.

    "3/45 Smith St", "Unit 2, 14-16 High Street, Carlton VIC 3053", "1420 Maple Ave, Austin, TX 78704".
    """
    found: list[Find[Address]] = []
    for match in sorted([*_STREET.finditer(text), *_THE.finditer(text)], key=lambda match: match.start()):
        if found and match.start() < found[-1].end:
            continue
        tail = _tail(text, match.end())
        end = tail.end() if tail else match.end()
        found.append(Find(_address(match, tail), "address", match.start(), end, text[match.start() : end]))
    return found


def find_places(text: str) -> list[Find[Address]]:
    """Suburbs that a state follows, in order: "Carlton VIC 3053", "Austin, TX"."""
    found = [
        Find(_place(match), "place", *match.span(), match.group())
        for match in _PLACE.finditer(text)
        if _is_place(match) and not match["suburb"].lower().endswith((" of", " on", " upon"))
    ]
    ends = {find.end for find in found}
    found += [
        Find(
            Address(state=match["state"].upper(), postcode=match["postcode"]),
            "place",
            *match.span(),
            match.group(),
        )
        for match in _STATE_CODE.finditer(text)
        if match.end() not in ends
    ]
    return sorted(found, key=lambda find: find.start)


def read_address(text: str) -> Address | None:
    """The first address of a text that is one."""
    found = find_addresses(text)
    return found[0].value if found else None


def _tail(text: str, start: int) -> re.Match[str] | None:
    """What follows a street, if it is a suburb: after a comma, or with a state or postcode."""
    tail = _TAIL.match(text, start)
    if tail is None or not _is_suburb(tail["suburb"]):
        return None
    comma = tail.group().lstrip()[:1] in (",", "(") or tail.group().startswith((" in ", " at "))
    return tail if comma or tail["state"] or tail["postcode"] else None


_NO_SUBURB = frozenset(
    (
    "the", "this", "it", "is", "has", "a", "an", "in", "on", "at", "for", "and", "with", "which",
    "offers", "features", "price", "priced", "listed", "built", "built", "bedrooms", "contact", "call",
    "inspect", "auction", "sold", "guide", "asking", "ideal", "perfect", "set", "located", "situated",
    "under", "across", "within", "buyers", "most", "current", "according", "greater", "regional",
    "inner", "western", "eastern", "northern", "southern", "all", "every", "these", "our", "your", "as",
    "when", "if", "since", "unlike", "via", "by", "from", "to", "of", "law", "per", "both", "new",
    "coastal", "sunny", "rural", "beautiful", "central", "greater", "about", "like"
))  # fmt: skip


def _is_place(match: re.Match[str]) -> bool:
    """Whether it is a suburb with its state: written-out and American states need a comma or a postcode."""
    comma = "," in match.group()
    return _is_suburb(match["suburb"]) and (
        comma or bool(match["postcode"]) or match["state"].upper() in POSTCODES
    )


def _is_suburb(name: str) -> bool:
    return name.split()[0].lower().strip(".,") not in _NO_SUBURB


def _address(match: re.Match[str], tail: re.Match[str] | None) -> Address:
    unit = match["slash"] if "slash" in match.re.groupindex and match["slash"] else match["unit"]
    if tail and tail["unit"]:
        unit = tail["unit"]
    place = _place(tail) if tail else Address()
    side = match["side"] if "side" in match.re.groupindex else None
    return Address(
        unit=_normal_unit(unit or ""),
        number=re.sub(r"\s", "", match["number"]).replace("\u2013", "-").lower(),
        street=normal_name((match["name"] or "The") + (side or "")),
        street_type=_TYPE_OF.get(match["type"].lower(), match["type"].lower()),
        suburb=place.suburb,
        state=place.state,
        postcode=place.postcode,
    )


def _place(match: re.Match[str]) -> Address:
    suburb, state = match["suburb"], match["state"] or ""
    words = suburb.split()
    for count in (1, 2, 3):
        last = normal_state(" ".join(words[-count:]))
        if not state and len(words) > count and last in POSTCODES:
            suburb, state = " ".join(words[:-count]), last
            break
    return Address(suburb=normal_name(suburb), state=normal_state(state), postcode=match["postcode"] or "")


def _normal_unit(text: str) -> str:
    """ "Unit 2," is "2"; the level is left out."""
    numbers = re.findall(r"(?<!evel )\b[A-Za-z]?\d{1,4}[A-Za-z]?\b", text)
    return str(numbers[-1]).lower() if numbers else ""


def _same_number(one: str, other: str) -> bool:
    """ "14-16" agrees with "14-16" and with its first number."""
    return one == other or one.split("-")[0] == other or other.split("-")[0] == one


def address_parts(address: Address) -> Iterator[tuple[str, str]]:
    """The named parts that are not empty: suburb, state, postcode."""
    for name in ("suburb", "state", "postcode"):
        value = getattr(address, name)
        if value:
            yield name, value
