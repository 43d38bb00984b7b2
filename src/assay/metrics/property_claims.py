"""What an answer claims of a property in numbers: amounts, shares, periods, dates, areas, rooms."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from assay.extract.areas import SQUARE_METRES, find_areas
from assay.extract.dates import Day, Locale, find_dates
from assay.extract.finds import Find, Span
from assay.extract.money import Money, find_money
from assay.extract.periods import Period, find_percentages, find_periods
from assay.extract.phones import find_phones
from assay.extract.rooms import find_ordinals, find_rooms
from assay.metrics.property_clauses import Clause, Clauses
from assay.metrics.property_cues import (
    ADDED,
    AT,
    BASE,
    BASE_PHRASE,
    BEYOND,
    CUE,
    CUE_NAMES,
    DERIVED,
    DIFFERENCE,
    EXEMPT,
    FACTOR,
    FLOOR,
    HEDGE,
    IF,
    IN_ALL,
    LAND,
    LINKS,
    LOAN,
    MAKES,
    MAX_CUE_DISTANCE,
    NAMED_PRICE,
    NEGATED,
    NO_CONCESSION,
    OF_INSURANCE,
    OF_LOAN,
    OF_NEXT,
    OPERAND,
    OVER_A_YEAR,
    PARTIAL_AFTER,
    PARTIAL_BEFORE,
    PERCENT_CUES,
    RESULT,
    SHARE_OF_PRICE,
    SMALLEST_PRICE,
    SUB_AREA,
    TO_BUILD,
    TOGETHER,
    TOTAL,
    WEEKLY,
    WEEKS_OF_RENT,
    WITH_PART,
)
from assay.metrics.property_times import date_field, period_field

MAX_FINDS = 500
UNITS = frozenset(SQUARE_METRES)
Value = TypeVar("Value")
"""How many finds of each kind are looked at; what follows in a longer answer is not checked."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One fact that an answer states: a field with a value, and where it is said."""

    field: str
    value: Any
    find: Find[Any]
    clause: Clause
    hedged: bool = False
    negated: bool = False
    at_least: bool = False
    """Whether there may be more: "a second bathroom"."""

    @property
    def said(self) -> str:
        """The words, on one line."""
        return " ".join(self.find.quote.split())


def numeric_claims(text: str, clauses: Clauses, locale: Locale) -> Iterator[Claim]:
    """The claims in numbers, those of other properties, questions and suppositions left out."""
    phones = [(find.start, find.end) for find in find_phones(text)[:MAX_FINDS]]
    money = [find for find in find_money(text, bare=True)[:MAX_FINDS] if not _inside(find, phones)]
    yield from _money_claims(money, clauses)
    yield from _percent_claims(find_percentages(text)[:MAX_FINDS], clauses)
    yield from _period_claims(find_periods(text)[:MAX_FINDS], clauses)

    def dated(find: Find[Day], clause: Clause) -> str:
        return date_field(find, clause, clauses.question(clause))

    yield from _stated(find_dates(text, locale)[:MAX_FINDS], clauses, dated)
    areas = [find for find in find_areas(text)[:MAX_FINDS] if not _inside(find, phones)]
    yield from _stated(areas, clauses, _area_field)
    rooms = [find for find in find_rooms(text)[:MAX_FINDS] if not _inside(find, phones)]
    yield from _room_claims(rooms, clauses)
    for claim in _room_claims(find_ordinals(text)[:MAX_FINDS], clauses):
        yield replace(claim, at_least=True)


def _inside(find: Find[Any], spans: list[tuple[int, int]]) -> bool:
    return any(start <= find.start < end for start, end in spans)


def states_fact(clause: Clause, find: Find[Any], *, supposed: bool = False) -> bool:
    """Whether a find is a fact about this property: not asked, not another's, not unknown.

    `supposed` lets conditions pass: "if you pay 10%, that is $85,000" is a sum that can be checked.
    """
    if clause.asked or clause.refused or clause.of_another(find.start, find.end) or clause.unsure(find.start):
        return False
    return supposed or not clause.supposed(find.start)


def make_claim(field: str, find: Find[Any], clause: Clause) -> Claim:
    """The claim with its hedges and negation."""
    ahead = clause.before(find.start, 60)
    behind = clause.after(find.end, 14).lower()
    hedged = bool(HEDGE.search(ahead)) or behind.startswith(
        ("+", " or so", " approx", " (approx", " odd", ", near enough", " give or take", ", give or take")
    )
    return Claim(field, find.value, find, clause, hedged, bool(NEGATED.search(ahead)))


def _money_claims(finds: list[Find[Money]], clauses: Clauses) -> Iterator[Claim]:
    for number, find in enumerate(finds):
        clause = clauses.at(find.start)
        before = finds[number - 1].end if number else 0
        after = finds[number + 1].start if number + 1 < len(finds) else find.end + 1_000
        question = clauses.question(clause)
        field = _carried(find, clause, clauses) or _money_field(find, clause, before, after, question)
        named = (
            field == "price"
            and NAMED_PRICE.search(clause.before(find.start, 40))
            and not IF.search(clause.text)
        )
        yearly = field == "rent_per_week" and find.value.per is None and _is_yearly(find, clause)
        derived = field in ("deposit", "stamp_duty", "price_per_sqm") or bool(named) or yearly
        if field == "rent_per_week" and clause.past(find.start):
            continue
        if field and states_fact(clause, find, supposed=derived):
            yield make_claim(field, find, clause)


def _money_field(find: Find[Money], clause: Clause, before: int, after: int, question: str) -> str:
    """What an amount is: by what it is paid for, its part in a sum, else by the nearest word that tells.

    Where its own clause has none, the question that it answers tells: "What are the rates? $500 a quarter.".
    """
    per = find.value.per
    if per in ("sqm", "sqft", "hectare", "acre", "night", "day"):
        return "price_per_sqm" if per in ("sqm", "sqft") else ""
    ahead = clause.before(find.start)
    if _is_of_several(find, clause, ahead, before):
        return ""
    if find.value.high >= SMALLEST_PRICE and NAMED_PRICE.search(ahead[-40:]) and not DERIVED.search(ahead):
        return "price"
    cue = _cue_of(find, clause, (before, after), question)
    if per is not None or (cue is None and _is_yearly(find, clause)):
        weekly = cue is None and WEEKLY.search(clause.before(find.start))
        return "rent_per_week" if weekly else _periodic_field(cue, per or "year")
    if OPERAND.match(clause.after(find.end, 12)) or FACTOR.search(ahead):
        return "price" if find.value.low >= SMALLEST_PRICE and cue != "" else ""
    if TOTAL.search(ahead):
        return ""
    if find.value.high >= SMALLEST_PRICE and BASE.search(ahead) and not LOAN.match(clause.after(find.end)):
        return "" if OF_LOAN.search(ahead) else "price"
    in_sum = _in_sum(ahead, ahead[-(find.start - before) :]) if before > clause.start else ""
    if in_sum:
        return in_sum
    return "" if cue == "stamp_duty" and EXEMPT.search(ahead) else _single_field(cue, find, clause)


def _cue_of(find: Find[Money], clause: Clause, beside: tuple[int, int], question: str) -> str | None:
    """The field that the clause tells, the question before it, or the share of a price that the amount is."""
    ahead = clause.before(find.start)
    if find.value.per is None and SHARE_OF_PRICE.search(ahead) and not _told_otherwise(ahead):
        return "deposit"
    cue = _nearest_cue(find, clause, *beside)
    if cue is None and beside[0] <= clause.start:
        return next((_cue_name(match) for match in [*CUE.finditer(question)][-1:]), None)
    return cue


def _is_of_several(find: Find[Money], clause: Clause, ahead: str, before: int) -> bool:
    """Whether an amount is the sum of several others, or the difference between two."""
    if TOGETHER.search(ahead) or DIFFERENCE.match(clause.after(find.end, 40)):
        return True
    return before > clause.start and _is_sum_of_all(find, clause, ahead, before)


def _is_yearly(find: Find[Money], clause: Clause) -> bool:
    """Whether it is a rent over a year, told behind that of a week."""
    over = OVER_A_YEAR.match(clause.after(find.end, 30))
    return bool(over and WEEKLY.search(clause.before(find.start)))


def _is_sum_of_all(find: Find[Money], clause: Clause, ahead: str, before: int) -> bool:
    """Whether an amount is that of several before it: "strata, council and water come to $6,540 a year"."""
    if IN_ALL.match(clause.after(find.end, 30)):
        return True
    several = ahead.count("$") > 1 and ADDED.search(ahead) and MAKES.search(ahead)
    return bool(several) and not CUE.search(ahead[-(find.start - before) :])


def _carried(find: Find[Money], clause: Clause, clauses: Clauses) -> str:
    """What the sentence before tells of a result: "What is the duty? ... For this one I get $24,720"."""
    ahead = NO_CONCESSION.sub("", clause.before(find.start))
    if find.value.per or not RESULT.search(ahead) or _told_otherwise(ahead):
        return ""
    subject = [*DERIVED.finditer(clauses.ahead_of(clause))][-1:]
    return (subject[0].lastgroup or "") if subject else ""


def _periodic_field(cue: str | None, per: str) -> str:
    """What an amount for each `per` is: rent, unless a word tells of a charge."""
    if cue in ("price", "sold_price", "last_sold_price", None):
        rented = per in ("week", "fortnight") or (per == "month" and cue is not None)
        return "rent_per_week" if rented else ""
    return "" if cue in ("deposit", "stamp_duty", "price_per_sqm") else cue


def _single_field(cue: str | None, find: Find[Money], clause: Clause) -> str:
    """What an amount without a period is: a price only when it is as large as one."""
    if cue is None:
        return "price" if find.value.low >= SMALLEST_PRICE else ""
    if cue == "price" and find.value.high < SMALLEST_PRICE:
        return "rent_per_week" if find.value.low < 5_000 and "rent" in clause.text.lower() else ""
    return cue


def _in_sum(ahead: str, gap: str) -> str:
    """What the second amount of a sum is: "duty on $900,000 is $35,000", "duty is $35,000 at $900,000"."""
    subject = DERIVED.search(ahead)
    if subject is None or _told_otherwise(gap):
        return ""
    if RESULT.search(ahead):
        return subject.lastgroup or ""
    return "price" if AT.search(ahead) else ""


def _told_otherwise(text: str) -> bool:
    """Whether a word tells that an amount is something else than a price or its sum."""
    return any(_cue_name(match) not in ("price", "sold_price") for match in CUE.finditer(text))


def _cue_name(match: re.Match[str]) -> str:
    return CUE_NAMES[int((match.lastgroup or "c0")[1:])]


def _nearest_cue(find: Find[Money], clause: Clause, before: int, after: int) -> str | None:
    """The field of the nearest cue; words beyond another amount count less. None when there is no cue."""
    ahead, behind = clause.before(find.start), clause.after(find.end, 90)
    ahead = WEEKS_OF_RENT.sub(lambda match: "#" * len(match.group()), ahead)
    if DERIVED.search(ahead):
        ahead = BASE_PHRASE.sub(lambda match: "#" * len(match.group()), ahead)
    best: tuple[float, str] | None = None
    for match in CUE.finditer(ahead):
        distance = float(len(ahead) - match.end())
        taken = find.start - distance < before or _is_taken(ahead, match, len(ahead) - (find.start - before))
        best = _nearer(best, distance + (BEYOND if taken else 0), match)
    for match in CUE.finditer(behind):
        weight = _weight_behind(behind[: match.start()], match, after - find.end)
        if weight is not None:
            best = _nearer(best, weight, match)
    return best[1] if best and best[0] < MAX_CUE_DISTANCE else None


def _is_taken(ahead: str, match: re.Match[str], before: int) -> bool:
    """Whether a word behind the amount before tells that one: "$540 to council and $310 for water"."""
    link = ahead[before : match.start()].strip(" (") if 0 < before <= match.start() else None
    return link in (*LINKS - {""}, "to", "to the") and bool(re.search(r"\band\b|[,;]", ahead[match.end() :]))


def _weight_behind(between: str, match: re.Match[str], room: int) -> float | None:
    """How far a cue behind an amount is; None when it belongs to the next amount, `room` characters away."""
    if (
        match.start() > room
        or match.group().lower() == "was"
        or OF_NEXT.fullmatch(match.string, match.end(), room)
    ):
        return None
    weight = match.start() + (1.0 if between.strip(" (") in LINKS else 14.0)
    if re.search(r"[,;.|+]|\b(?:and|with|plus|before|after|when|then|until)\b", between):
        if 0 <= room - match.end() < 40:
            return None
        weight += 40
    return weight


def _nearer(best: tuple[float, str] | None, distance: float, match: re.Match[str]) -> tuple[float, str]:
    name = _cue_name(match)
    weight = distance + (12 if name == "price" else 0)
    return (weight, name) if best is None or weight < best[0] else best


def _percent_claims(finds: list[Find[Span]], clauses: Clauses) -> Iterator[Claim]:
    for number, find in enumerate(finds):
        clause = clauses.at(find.start)
        before = finds[number - 1].end if number else 0
        after = finds[number + 1].start if number + 1 < len(finds) else find.end + 1_000
        field = _percent_field(find, clause, before, after)
        if field == "deposit_percent" and OF_INSURANCE.search(clause.text):
            continue
        if field != "other" and states_fact(clause, find, supposed=True):
            yield make_claim(field, find, clause)


def _percent_field(find: Find[Span], clause: Clause, before: int, after: int) -> str:
    """What a share is, by the nearest word on either side that tells."""
    ahead, behind = clause.before(find.start, 70), clause.after(find.end, 45)
    best = (60.0, "other")
    for match in PERCENT_CUES.finditer(ahead):
        distance = float(len(ahead) - match.end())
        distance += 50 if find.start - distance < before else 0
        best = min(best, (distance, match.lastgroup or "other"))
    for match in PERCENT_CUES.finditer(behind):
        distance = match.start() + (0.0 if match.start() < 3 else 12.0)
        distance += 50 if find.end + match.start() > after else 0
        distance += 15 if re.search(r"[,;.|]|\band\b", behind[: match.start()]) else 0
        best = min(best, (distance, match.lastgroup or "other"))
    return best[1]


def _period_claims(finds: list[Find[Period]], clauses: Clauses) -> Iterator[Claim]:
    for find in finds:
        clause = clauses.at(find.start)
        field = period_field(find, clause, clauses.question(clause))
        if field and states_fact(clause, find, supposed=field == "cooling_off_days"):
            yield make_claim(field, find, clause)


def _stated(
    finds: list[Find[Value]], clauses: Clauses, field_of: Callable[[Find[Value], Clause], str]
) -> Iterator[Claim]:
    """The finds that are of a field and stated as facts."""
    for find in finds:
        clause = clauses.at(find.start)
        field = field_of(find, clause)
        if field and states_fact(clause, find) and not (find.unit in UNITS and clause.past(find.start)):
            yield make_claim(field, find, clause)


def _area_field(find: Find[Span], clause: Clause) -> str:
    """land_area_sqm, floor_area_sqm, area (either), or nothing for a part of the property."""
    ahead, behind = clause.before(find.start, 50), clause.after(find.end, 32)
    if WITH_PART.match(behind):
        return ""
    behind = re.split(r"[,.;(|\d]|\sand\s|\swith\s|\son\s(?:an?|its)\s", behind)[0]
    near = re.split(
        r"[,;|](?!\d)|\sand\s|\swith\s|\son\s(?:(?:an?|its|the)\s(?=\w*\s?$)|(?:about\s|around\s|some\s)?$)",
        ahead,
    )[-1]
    places = [
        (match.start() if side else len(near) - match.end(), name)
        for name, pattern in (("", SUB_AREA), ("land_area_sqm", LAND), ("floor_area_sqm", FLOOR))
        for side, part in ((0, near), (1, behind))
        for match in pattern.finditer(part)
    ]
    if places:
        return min(places)[1]
    wide = re.search(
        r"(?:land|block|lot|floor|internal|living|building)[^\d$]{0,20}(?:area|size)?\W{0,8}$",
        ahead,
        re.IGNORECASE,
    )
    if wide:
        return "floor_area_sqm" if FLOOR.search(wide.group()) else "land_area_sqm"
    return "land_area_sqm" if find.unit in ("acre", "ha") else "area"


def _room_claims(finds: list[Find[float]], clauses: Clauses) -> Iterator[Claim]:
    for find in finds:
        clause = clauses.at(find.start)
        if (
            not states_fact(clause, find)
            or clause.possible(find.start, find.end)
            or clause.past(find.start)
            or TO_BUILD.search(clause.text)
        ):
            continue
        if find.unit != "car_spaces" and PARTIAL_BEFORE.search(clause.before(find.start, 24)):
            continue
        yield make_claim(find.unit, find, clause)


def is_partial(claim: Claim) -> bool:
    """Whether a count may be of some of the rooms only: "three bedrooms have built-in robes"."""
    return bool(PARTIAL_AFTER.search(claim.clause.after(claim.find.end, 40)))
