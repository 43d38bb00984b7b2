"""A verdict for each claim: match, mismatch, invented; and what is required and not said."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from assay.extract.addresses import POSTCODES, Address, normal_name, state_of_postcode
from assay.extract.areas import find_areas, stated_step
from assay.extract.dates import Day, find_dates
from assay.extract.periods import Period
from assay.extract.rooms import find_rooms
from assay.metrics.property_amounts import (
    check_area_price,
    check_deposit,
    check_deposit_percent,
    check_duty,
    check_last_sold,
    check_periodic,
    check_price,
    check_yield,
)
from assay.metrics.property_arithmetic import days_between, expected_settlements
from assay.metrics.property_claims import Claim, is_partial
from assay.metrics.property_descriptions import type_of, types_agree
from assay.metrics.property_fields import AREA_FIELDS, COUNT_FIELDS, DATE_FIELDS, PERIODIC_FIELDS
from assay.metrics.property_record import Record
from assay.metrics.property_verdicts import HEDGED_SHARE, UNCHECKED, Checker, Verdict

Check = Callable[[Checker, Claim], Verdict]
MAX_TEXT = 20_000
"""How much of a record's text is read for areas."""
_OF_EACH = re.compile(
    r"\b(?:each|both|per|either)\s(?:of\sthe\s\w+\s)?(?:side|half|halves|sides|unit|units|dwelling|dwellings|home|homes|"
    r"residence|residences)\b|\bapiece\b|\bside\s(?:a|b|one|two)\b",
    re.IGNORECASE,
)
"""What makes a count that of each of two homes on one title."""
_PART = re.compile(
    r"\b(?:main\s(?:house|home|residence|dwelling)|side|flat|granny|cottage|studio|dwelling|downstairs|upstairs|wing|"
    r"annexe?|lower|upper)\b",
    re.IGNORECASE,
)
_WANTS = re.compile(
    r"\b(?:no|not|never|lacks?|lacking|without|needs?|missing|wants?|add\w*)\b|n['\u2019]t\b", re.IGNORECASE
)
"""What comes before a room that is not there: "lacks a second bathroom"."""
_SOME = re.compile(r"\b(?:in|to|of|for|with|serving|all)\s(?:\w+\s)?$", re.IGNORECASE)
"""What comes before rooms that something is in: "built-in robes in two bedrooms"."""
MAX_LINES = 200
FRACTION_SHARE = 0.1
"""How far an area in words may be off: "just under a quarter of an acre"."""
BESIDE = 40
"""How far behind its state a postcode may stand."""


def check_claim(checker: Checker, claim: Claim) -> Verdict:
    """The verdict on a claim; an empty one when nothing can be checked."""
    check = _CHECKS.get(claim.field)
    if check is None:
        return UNCHECKED
    verdict = check(checker, claim)
    return _of_negation(claim, verdict) if claim.negated else verdict


def _of_negation(claim: Claim, verdict: Verdict) -> Verdict:
    """ "does not have 3 bedrooms" is wrong when it has; all else that is denied is not checked."""
    plain = re.search(
        r"(?:\b(?:is|are|was|does|do|has|have)\s?(?:not|n't|n\u2019t))\s(?:\w+\s){0,3}$",
        claim.clause.before(claim.find.start, 60),
    )
    corrected = re.search(r"\bbut\b|\brather\b|,\s(?:it|they)\b", claim.clause.after(claim.find.end, 60))
    if plain and not corrected and verdict.verdict == "match":
        return Verdict("mismatch", verdict.record, "denied, and the record says it")
    return UNCHECKED


def _check_count(checker: Checker, claim: Claim) -> Verdict:
    spans = checker.record.spans(claim.field)
    if not spans:
        told = _told_counts(claim, checker.record) if claim.field == "car_spaces" else set()
        if told:
            shown = ", ".join(f"{count:g}" for count in sorted(told))
            verdict = "match" if claim.value in told or claim.value == sum(told) else "mismatch"
            return Verdict(verdict, shown, "the record's text has it")
        if claim.field == "car_spaces" and re.search(
            r"\b(?:garag|carport|parking|car)", checker.record.text, re.IGNORECASE
        ):
            return UNCHECKED
        return Verdict("invented", "", f"the record has no {claim.field}")
    held = spans[0].low
    if claim.at_least and _WANTS.search(claim.clause.before(claim.find.start, 40)):
        return UNCHECKED
    if claim.at_least:
        agrees = claim.value <= held
        return Verdict("match" if agrees else "mismatch", f"{held:g}", "there must be so many")
    if claim.value == held:
        return Verdict("match", f"{held:g}", "equal")
    if (
        claim.field == "bathrooms"
        and (int(claim.value) == held or claim.value == int(held))
        and claim.value % 1
    ):
        return Verdict("mismatch", f"{held:g}", "count of the record")
    if claim.value < held and (is_partial(claim) or _is_of_part(claim, checker.record)):
        return UNCHECKED
    together = [
        each.value for each in checker.claims if each.field == claim.field and each.clause is claim.clause
    ]
    if len(together) > 1 and (sum(together) == held or (held in together and claim.value < held)):
        return Verdict("match", f"{held:g}", "parts of the count")
    return Verdict("mismatch", f"{held:g}", "count of the record")


def _told_counts(claim: Claim, record: Record) -> set[float]:
    """The counts of a field in the record's text: "detached one-car garage"."""
    return {
        find.value
        for line in record.described[:MAX_LINES]
        for find in find_rooms(line[:MAX_TEXT])
        if find.unit == claim.field
    }


def _is_of_part(claim: Claim, record: Record) -> bool:
    """Whether a count is that of each of two homes, or of one part as the record tells it."""
    if _OF_EACH.search(claim.clause.text):
        return True
    lines = [line for line in record.described if _PART.search(line)][:20]
    return any(
        find.unit == claim.field and find.value == claim.value and not _SOME.search(line[: find.start])
        for line in lines
        for find in find_rooms(line)
    )


def _check_area(checker: Checker, claim: Claim) -> Verdict:
    record = checker.record
    names = ("land_area_sqm", "floor_area_sqm") if claim.field == "area" else (claim.field,)
    spans = [(name, span) for name in names for span in record.spans(name)]
    if not spans:
        return (
            Verdict("match", "in the text", "the record's text has it")
            if _area_in_text(claim, record)
            else Verdict("invented", "", "the record has no such area")
        )
    if claim.field == "area" and _area_in_text(claim, record):
        return Verdict("match", "in the text", "the record's text has it")
    slack = stated_step(claim.find) + 1e-6
    for name, span in spans:
        share = HEDGED_SHARE if claim.hedged else 0.005 if claim.find.unit != "sqm" else 0.0
        share = FRACTION_SHARE if claim.hedged and claim.value.rounded else share
        wide = max(slack, share * span.low)
        if claim.value.low - wide <= span.high and span.low <= claim.value.high + wide:
            return Verdict("match", f"{span.low:,.6g} sqm", f"{name} within rounding")
    return Verdict("mismatch", "; ".join(f"{span.low:,.6g} sqm" for _, span in spans), spans[0][0])


def _area_in_text(claim: Claim, record: Record) -> bool:
    return any(find.value.low == claim.value.low for find in find_areas(record.text[:MAX_TEXT])[:50])


def field_of(claim: Claim, record: Record) -> str:
    """The field that a claim is of; a sale's keys are given at its settlement."""
    sale = record.days("settlement_date") or record.spans("settlement_days")
    if claim.field == "available_date" and not record.days("available_date") and sale:
        return "settlement_date"
    return _area_field(claim, record) if claim.field == "area" else claim.field


def _area_field(claim: Claim, record: Record) -> str:
    """The field that an area without a name is taken for: the only one that the record has, else the land."""
    if claim.find.unit in ("sqft", "square") and record.spans("floor_area_sqm"):
        return "floor_area_sqm"
    apartment = any(
        type_of(str(each)) in ("apartment", "unit") for each in record.fields.get("property_type", ())
    )
    only_floor = record.spans("floor_area_sqm") and (apartment or not record.spans("land_area_sqm"))
    return (
        "floor_area_sqm"
        if only_floor or (apartment and not record.spans("land_area_sqm"))
        else "land_area_sqm"
    )


def _check_date(checker: Checker, claim: Claim) -> Verdict:
    record, day = checker.record, claim.value
    field = field_of(claim, record)
    held = [(each, field) for each in record.days(field)]
    if not held and field == "settlement_date":
        held = list(expected_settlements(record))
    if not held:
        other = any(day.agrees_with(each) for name in record.fields for each in record.days(name))
        return (
            UNCHECKED
            if other or _day_in_text(day, record)
            else Verdict("invented", "", f"the record has no {claim.field}")
        )
    for each, rule in held:
        if day.agrees_with(each):
            return Verdict("match", str(each), rule)
    return Verdict("mismatch", " or ".join(str(each) for each, _ in held[:3]), held[0][1])


def _day_in_text(day: Day, record: Record) -> bool:
    told = find_dates(record.text[:MAX_TEXT], record.locale)[:MAX_LINES]
    return str(day).lstrip("-") in record.text or any(day.agrees_with(each.value) for each in told)


def _check_settlement(checker: Checker, claim: Claim) -> Verdict:
    record, value = checker.record, claim.value
    held = [span.low for span in record.spans("settlement_days")] + [
        span.high for span in record.spans("settlement_days") if span.is_range
    ]
    between = days_between(record)
    if not held and between is not None:
        held = [float(between)]
    if not held and f"{value.low:g} days" in record.text.lower():
        return Verdict("match", "in the text", "the record's text has it")
    if not held:
        return Verdict("invented", "", "the record has no settlement period")
    text = " or ".join(f"{days:g} days" for days in held)
    for days in held:
        slack = 2.0 if value.rounded else 0.0
        if value.low - slack * value.low / 30 <= days <= value.high + slack * value.high / 30:
            return Verdict("match", text, "settlement period of the record")
    return Verdict("mismatch", text, "settlement period of the record")


def _check_cooling_off(checker: Checker, claim: Claim) -> Verdict:
    value: Period = claim.value
    spans = checker.record.spans("cooling_off_days")
    if spans:
        right, source = spans[0].low, "the record"
    else:
        known = checker.rules.cooling_off_days.get(checker.record.state)
        if known is None:
            return UNCHECKED
        right, source = float(known[0]), known[1]
    agrees = value.low == right and (value.business or claim.find.unit == "day")
    return Verdict("match" if agrees else "mismatch", f"{right:g} business days", source)


def _check_address(checker: Checker, claim: Claim) -> Verdict:
    held, said = checker.record.address, claim.value
    if not held.street:
        return (
            UNCHECKED
            if not checker.record.text or normal_name(said.street) in normal_name(checker.record.text)
            else Verdict("invented", "", "the record has no street address")
        )
    shown = " ".join(
        filter(None, (held.unit and f"{held.unit}/", held.number, held.street, held.street_type))
    ).replace("/ ", "/")
    return Verdict("match" if said.agrees_with(held) else "mismatch", shown, "address of the record")


def _check_part(checker: Checker, claim: Claim) -> Verdict:
    """Suburb, state, postcode; a postcode that the record lacks must be of the state said with it."""
    held: str = getattr(checker.record.address, claim.field)
    if not held:
        return _check_postcode(checker, claim)
    same = {held}
    if claim.field == "suburb":  # "Austin TX" and "Austin's" are Austin
        same |= {f"{held} {checker.record.address.state.lower()}", f"{held}s"}
    return Verdict("match" if claim.value in same else "mismatch", held, f"{claim.field} of the record")


def _check_postcode(checker: Checker, claim: Claim) -> Verdict:
    if claim.field != "postcode":
        return UNCHECKED
    said = {
        each.value
        for each in checker.claims
        if each.field == "state" and 0 <= claim.find.start - each.find.start < BESIDE
    }
    states = said or {checker.record.state}
    right = state_of_postcode(claim.value)
    if right is None or not states & POSTCODES.keys() or right in states:
        return UNCHECKED
    return Verdict("mismatch", f"a postcode of {right}", "postcode ranges of Australia Post")


def _check_type(checker: Checker, claim: Claim) -> Verdict:
    held = [str(each) for each in checker.record.fields.get("property_type", ())]
    kinds = [kind for kind in map(type_of, held) if kind]
    if not kinds:
        return UNCHECKED
    agrees = any(types_agree(claim.value, kind) for kind in kinds)
    agrees = agrees or claim.find.quote.lower() in checker.record.text.lower()
    return Verdict("match" if agrees else "mismatch", "; ".join(held), "property type of the record")


def _check_year(checker: Checker, claim: Claim) -> Verdict:
    spans = checker.record.spans("year_built")
    first, last = claim.value
    if not spans:
        if str(first) in checker.record.text:
            return Verdict("match", str(first), "the record's text has it")
        return Verdict("invented", "", "the record has no year built")
    held = spans[0].low
    slack = (
        5
        if re.match(r"(?i)circa|c\.", claim.find.quote) or claim.hedged or "circa" in claim.find.quote.lower()
        else 0
    )
    agrees = first - slack <= held <= last + slack
    return Verdict("match" if agrees else "mismatch", f"{held:g}", "year built of the record")


_CHECKS: Mapping[str, Check] = {
    **dict.fromkeys(("price", "sold_price"), check_price),
    "last_sold_price": check_last_sold,
    **dict.fromkeys(PERIODIC_FIELDS, check_periodic),
    "deposit": check_deposit,
    "stamp_duty": check_duty,
    "price_per_sqm": check_area_price,
    **dict.fromkeys(("gross_yield_percent", "net_yield_percent"), check_yield),
    "deposit_percent": check_deposit_percent,
    **dict.fromkeys(COUNT_FIELDS, _check_count),
    **dict.fromkeys((*AREA_FIELDS, "area"), _check_area),
    **dict.fromkeys(DATE_FIELDS, _check_date),
    "settlement_days": _check_settlement,
    "cooling_off_days": _check_cooling_off,
    "address": _check_address,
    **dict.fromkeys(("suburb", "state", "postcode"), _check_part),
    "property_type": _check_type,
    "year_built": _check_year,
}


def missing_fields(required: Iterable[str], said: set[str], record: Record) -> Iterator[str]:
    """The required fields that the record has and the answer does not state."""
    same = {"sold_price": "price"}
    stated = said | {same.get(name, name) for name in said}
    for name in required:
        held = name in record.fields or (
            name in ("address", "suburb", "state", "postcode") and _has_part(name, record.address)
        )
        if held and name not in stated:
            yield name


def _has_part(name: str, address: Address) -> bool:
    return bool(address.street if name == "address" else getattr(address, name))
