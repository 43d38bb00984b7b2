"""The source record of a property: its fields under any of their usual names, and all of its text."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from assay.domain.text import valid_text
from assay.extract.addresses import (
    POSTCODES,
    US_STATES,
    Address,
    find_places,
    normal_name,
    normal_state,
    read_address,
)
from assay.extract.areas import SQUARE_METRES, find_areas
from assay.extract.dates import Day, Locale, find_dates
from assay.extract.finds import Span
from assay.extract.money import Money, find_money
from assay.extract.numbers import WORDS, read_words
from assay.extract.periods import find_periods
from assay.metrics.property_fields import (
    ALIASES,
    AREA_FIELDS,
    COUNT_FIELDS,
    DATE_FIELDS,
    MONEY_FIELDS,
    OTHERS,
    PERCENT_FIELDS,
    PLACE_FIELDS,
)

_PERIOD_IN_KEY = (
    ("quarter", "quarter"), ("_pq", "quarter"), ("month", "month"), ("pcm", "month"), ("year", "year"),
    ("annual", "year"), ("_pa", "year"), ("week", "week"), ("_pw", "week"),
)  # fmt: skip
_NOTHING = frozenset(("", "none", "no", "n/a", "na", "nil", "null", "unknown", "tba", "tbc", "false", "-"))
_NUMBER = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|-?\d+(?:\.\d+)?")
MAX_LEAVES = 5_000


@dataclass(frozen=True, slots=True)
class Record:
    """What a record says: `fields` by their names here, `lines` all of it as text, one line a value."""

    fields: Mapping[str, Any]
    lines: tuple[str, ...]
    address: Address
    locale: Locale
    text: str
    described: tuple[str, ...]
    """The lines that can name features: all but those of the address."""

    def span(self, name: str) -> Span | None:
        """A number or range."""
        value = self.fields.get(name)
        if isinstance(value, tuple):
            return value[0] if value and isinstance(value[0], Span) else None
        return value if isinstance(value, Span) else None

    def spans(self, name: str) -> tuple[Span, ...]:
        """All that a field says, when several parts of the record say it."""
        value = self.fields.get(name)
        return tuple(each for each in value if isinstance(each, Span)) if isinstance(value, tuple) else ()

    def days(self, name: str) -> tuple[Day, ...]:
        """The dates of a field."""
        value = self.fields.get(name)
        return tuple(each for each in value if isinstance(each, Day)) if isinstance(value, tuple) else ()

    @property
    def state(self) -> str:
        """The state's abbreviation, or an empty text."""
        return self.address.state

    @property
    def price(self) -> float | None:
        """The one price that sums are made from: sold or contract price, or a price that is no range."""
        for name in ("sold_price", "price"):
            for span in self.spans(name):
                if not span.is_range and span.low > 0:
                    return span.low
        return None


def read_record(value: Mapping[str, Any]) -> Record:
    """The record in a mapping, nested or flat; fields that it lacks are absent, never guessed."""
    leaves = list(_leaves(value, ""))[:MAX_LEAVES]
    lines = tuple(line for path, leaf in leaves for line in _lines(path, leaf))
    locale = _locale(leaves)
    fields: dict[str, Any] = {}
    for path, leaf in leaves:
        keys = path.split(".")
        name = ALIASES.get(keys[-1]) or (
            ALIASES.get(keys[-2]) if len(keys) > 1 and keys[-1].isdigit() else None
        )
        if name is None or any(key in OTHERS for key in keys[:-1]):
            continue
        read = _read(name, keys[-1] if not keys[-1].isdigit() else keys[-2], leaf, locale)
        if read:
            fields[name] = (*fields.get(name, ()), *read)
    _join_ends(fields)
    address = _address(fields)
    text = "\n".join(lines)
    described = tuple(line for path, leaf in leaves if not _is_place(path) for line in _lines(path, leaf))
    return Record(fields, lines, address, locale, text, described)


def _is_place(path: str) -> bool:
    """Whether a value is part of the address: "Ocean View Road" names no view."""
    return ALIASES.get(path.rpartition(".")[2]) in PLACE_FIELDS


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every value that is no mapping, with its path of normalised keys; a [low, high] pair is one value."""
    if isinstance(value, Mapping):
        ends = _ends(value)
        if ends is not None:
            yield path, ends
            return
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{_key(str(key))}" if path else _key(str(key)))
    elif isinstance(value, list | tuple):
        if len(value) == 2 and all(_is_number(each) for each in value):
            yield path, tuple(value)
            return
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}.{number}")
    else:
        yield path, value


def _ends(value: Mapping[Any, Any]) -> tuple[Any, Any] | None:
    for low, high in (("min", "max"), ("low", "high"), ("from", "to"), ("lower", "upper")):
        if set(value) >= {low, high} and _is_number(value[low]) and _is_number(value[high]):
            return value[low], value[high]
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _key(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", valid_text(name)[:80])
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def _lines(path: str, leaf: Any) -> Iterator[str]:
    """A value as text: `pool: true` says "pool", `pool: false` says "no pool"."""
    words = " ".join(key for key in path.replace("_", " ").split(".") if not key.isdigit())
    if leaf is None:
        return
    if leaf is True:
        yield words
    elif leaf is False or leaf == 0 or (isinstance(leaf, str) and leaf.strip().lower() in _NOTHING):
        yield f"no {words}"
    elif isinstance(leaf, str):
        said = valid_text(leaf)
        for line in said.splitlines():
            yield line if len(line) > 60 else f"{words}: {line}"
    else:
        yield f"{words}: {leaf}"


def _locale(leaves: list[tuple[str, Any]]) -> Locale:
    """US for a record with an American state, country, or ZIP code; else AU."""
    for path, leaf in leaves:
        key, text = path.rpartition(".")[2], str(leaf).strip()
        if key == "country":
            return "US" if text.upper() in ("US", "USA", "UNITED STATES") else "AU"
        state = normal_state(text)
        if ALIASES.get(key) == "state" and state in US_STATES and state not in POSTCODES:
            return "US"
        if key in ("zip", "zip_code", "zipcode") or (ALIASES.get(key) == "postcode" and len(text) == 5):
            return "US"
        if ALIASES.get(key) == "address":
            places = [*find_places(text)]
            if places and places[-1].value.state not in POSTCODES:
                return "US"
    return "AU"


def _read(name: str, key: str, leaf: Any, locale: Locale) -> tuple[Any, ...]:
    """What a value says of a field; empty when nothing."""
    if (
        leaf is None
        or leaf == ""
        or (isinstance(leaf, str) and leaf.strip().lower() in _NOTHING - {"none", "no", "nil"})
    ):
        return ()
    if name in MONEY_FIELDS or name in ("price_min", "price_max"):
        return _money(key, leaf)
    if name in AREA_FIELDS:
        return _areas(key, leaf)
    if name in DATE_FIELDS:
        return _days(leaf, locale)
    if name in COUNT_FIELDS or name in PERCENT_FIELDS or name in ("year_built", "cooling_off_days"):
        return _numbers(leaf)
    if name == "settlement_days":
        return _settlement(leaf)
    if name == "buyer":
        return (f"{key}:{str(leaf).lower()}",)
    return (valid_text(str(leaf)).strip(),)


def _money(key: str, leaf: Any) -> tuple[Money, ...]:
    per = next((period for mark, period in _PERIOD_IN_KEY if mark in key), None)
    if isinstance(leaf, tuple):
        return (Money(float(min(leaf)), float(max(leaf)), False, per),)
    if _is_number(leaf):
        return (Money(float(leaf), float(leaf), False, per),)
    text = valid_text(str(leaf))
    found = find_money(text, bare=True)
    if found:
        return tuple(
            Money(each.value.low, each.value.high, False, each.value.per or per) for each in found[:4]
        )
    numbers = [float(number.replace(",", "")) for number in _NUMBER.findall(text.replace(" - -", " - "))[:2]]
    numbers = [abs(number) for number in numbers]
    return (Money(min(numbers), max(numbers), False, per),) if numbers else ()


def _areas(key: str, leaf: Any) -> tuple[Span, ...]:
    scale = 1.0
    for mark, unit in (
        ("sqft", "sqft"),
        ("square_feet", "sqft"),
        ("acre", "acre"),
        ("_ha", "ha"),
        ("hectare", "ha"),
        ("squares", "square"),
    ):
        if mark in key:
            scale = SQUARE_METRES[unit]
            break
    if isinstance(leaf, tuple):
        return (Span(min(leaf) * scale, max(leaf) * scale),)
    if _is_number(leaf):
        return (Span(leaf * scale, leaf * scale),)
    text = valid_text(str(leaf))
    found = find_areas(text)
    if found:
        return tuple(each.value for each in found[:2])
    return tuple(Span(each.low * scale, each.high * scale) for each in _numbers(text))


def _days(leaf: Any, locale: Locale) -> tuple[Day, ...]:
    if isinstance(leaf, datetime | date):
        return (Day(leaf.year, leaf.month, leaf.day),)
    text = valid_text(str(leaf)).replace("T", " ")
    return tuple(find.value for find in find_dates(text, locale)[:20])


def _numbers(leaf: Any) -> tuple[Span, ...]:
    if isinstance(leaf, bool):
        return ()
    if isinstance(leaf, tuple):
        return (Span(float(min(leaf)), float(max(leaf))),)
    if _is_number(leaf):
        return (Span(float(leaf), float(leaf)),)
    text = valid_text(str(leaf))
    if text.strip().lower() in ("none", "no", "nil"):
        return (Span(0.0, 0.0),)
    number = _NUMBER.search(text)
    if number:
        value = float(number.group().replace(",", ""))
        return (Span(value, value),)
    words = re.search(rf"\b{WORDS}\b", text, re.IGNORECASE)
    return (Span(value := read_words(words.group()), value),) if words else ()


def _settlement(leaf: Any) -> tuple[Span, ...]:
    if isinstance(leaf, str):
        found = find_periods(leaf)
        if found:
            return tuple(each.value for each in found[:3])
    return _numbers(leaf)


def _join_ends(fields: dict[str, Any]) -> None:
    """`price_min` and `price_max` are a range of the price."""
    low, high = fields.pop("price_min", None), fields.pop("price_max", None)
    if low and high:
        ends = sorted((low[0].low, high[0].high))
        fields["price"] = (*fields.get("price", ()), Money(ends[0], ends[1]))


def _address(fields: Mapping[str, Any]) -> Address:
    """The address from its own field and the fields of its parts."""

    def part(name: str) -> str:
        value = fields.get(name)
        return str(value[0]) if value else ""

    street = part("address") or part("street")
    if street and part("street_number") and not re.match(r"\W*(?:unit|apt|\d)", street, re.IGNORECASE):
        street = f"{part('street_number')} {street}"
    read = read_address(street) or Address()
    places = find_places(street)
    place = places[-1].value if places else Address()
    unit = re.sub(r"(?i)unit|apartment|apt|\W", "", part("unit")).lower()
    return Address(
        unit=read.unit or unit,
        number=read.number,
        street=read.street,
        street_type=read.street_type,
        suburb=normal_name(part("suburb")) or read.suburb or place.suburb,
        state=normal_state(part("state")) or read.state or place.state,
        postcode=part("postcode") or read.postcode or place.postcode,
    )
