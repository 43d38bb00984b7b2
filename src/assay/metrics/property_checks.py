"""A verdict for each claim: match, mismatch, invented; and omitted for what is required and not said."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from assay.domain.scores import Case
from assay.extract.addresses import Address, normal_name
from assay.extract.areas import stated_step
from assay.extract.dates import Day
from assay.extract.finds import Span
from assay.extract.money import PER_YEAR, Money
from assay.extract.periods import Period, decimals_of
from assay.metrics.property_arithmetic import (
    Expected,
    contract_day,
    days_between,
    expected_area_prices,
    expected_deposits,
    expected_duties,
    expected_settlements,
    expected_yields,
)
from assay.metrics.property_claims import Claim, is_partial
from assay.metrics.property_descriptions import type_of, types_agree
from assay.metrics.property_record import Record
from assay.metrics.property_rule_files import PropertyRules

_IS_GUIDE = re.compile(r"\b(?:guid\w+|asking|list\w*|quot\w+|advertis\w+|expect\w*)\b", re.IGNORECASE)
WRONG = frozenset(("mismatch", "invented", "omitted"))
HEDGED_SHARE = 0.02
"""How far an amount called approximate may be off."""
ROUNDED_SHARE = 0.005
"""How far an amount written with k, m or million may be off."""
DOLLAR = 1.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check of one claim found; `verdict` is empty when nothing can be checked."""

    verdict: str
    record: str = ""
    rule: str = ""


UNCHECKED = Verdict("")


@dataclass(frozen=True, slots=True)
class Checker:
    """The record and the rules that claims are held against; `day` stands in for a contract's date."""

    record: Record
    rules: PropertyRules
    day: date | None = None

    def check(self, claim: Claim, claims: tuple[Claim, ...]) -> Verdict:
        """The verdict on a claim; `claims` are all of the answer, for sums that are said together."""
        check = _CHECKS.get(claim.field)
        if check is None:
            return UNCHECKED
        verdict = check(self, claim, claims)
        if claim.negated:
            return _of_negation(claim, verdict)
        return verdict

    def price_for(self, claim: Claim, claims: tuple[Claim, ...]) -> float | None:
        """The price that a sum is of: the record's; without one, the one said in the same clause or answer."""
        price = self.record.price
        if price is not None:
            return price
        said = [each for each in claims if each.field in ("price", "sold_price") and not each.value.is_range]
        near = [each for each in said if each.clause is claim.clause] or said
        return float(near[0].value.low) if near else None


Check = Callable[[Checker, Claim, tuple[Claim, ...]], Verdict]


def _of_negation(claim: Claim, verdict: Verdict) -> Verdict:
    """ "does not have 3 bedrooms" is wrong when it has; all else that is denied is not checked."""
    plain = re.search(r"(?:\b(?:is|are|was|does|do|has|have)\s?(?:not|n't|n\u2019t))\s(?:\w+\s){0,3}$", claim.clause.before(claim.find.start, 60))
    corrected = re.search(r"\bbut\b|\brather\b|,\s(?:it|they)\b", claim.clause.after(claim.find.end, 60))
    if plain and not corrected and verdict.verdict == "match":
        return Verdict("mismatch", verdict.record, "denied, and the record says it")
    return UNCHECKED


def _share(claim: Claim, rounded: bool) -> float:
    return HEDGED_SHARE if claim.hedged else ROUNDED_SHARE if rounded else 0.0


def _close(said: float, held: float, share: float, least: float = DOLLAR) -> bool:
    return abs(said - held) <= max(least, share * abs(held))


def _dollars(value: float) -> str:
    return f"{value:,.2f}".removesuffix(".00")


def _said_in_text(claim: Claim, record: Record) -> bool:
    """Whether the record's text has the amount somewhere, with its digits or with k or m."""
    low = claim.value.low
    forms = {f"{low:,.0f}", f"{low:.0f}", f"{low / 1e3:g}k", f"{low / 1e6:g}m", f"{low / 1e6:g} million"}
    text = record.text.lower()
    return any(re.search(rf"(?<![\d.,]){re.escape(form)}(?![\d]|[.,]\d)", text) for form in forms)


def _check_price(checker: Checker, claim: Claim, claims: tuple[Claim, ...]) -> Verdict:
    """Price and sold price: equal within what rounding hides, or inside the record's range."""
    record = checker.record
    own, others = ("sold_price", "price") if claim.field == "sold_price" else ("price", "sold_price")
    spans = record.spans(own) or record.spans(others)
    if not spans:
        return Verdict("match", "in the text", "the record's text has it") if _said_in_text(claim, record) else Verdict("invented", "", "the record has no price")
    held = "; ".join(_span_text(span) for span in spans)
    for span in spans:
        if _price_agrees(claim, span):
            return Verdict("match", held, "equal, or inside the range")
    if own == "price" and not _IS_GUIDE.search(claim.clause.before(claim.find.start, 50)):
        for span in record.spans("sold_price"):
            if _price_agrees(claim, span):
                return Verdict("match", _span_text(span), "the price that it sold for")
    return Verdict("mismatch", held, "price of the record")


def _span_text(span: Span) -> str:
    return f"{_dollars(span.low)} to {_dollars(span.high)}" if span.is_range else _dollars(span.low)


def _price_agrees(claim: Claim, span: Span) -> bool:
    value: Money = claim.value
    share = _share(claim, value.rounded)
    if value.is_range and span.is_range:
        return _close(value.low, span.low, share) and _close(value.high, span.high, share)
    if value.is_range:
        return value.low - DOLLAR <= span.low <= value.high + DOLLAR
    if span.is_range:
        slack = max(DOLLAR, share * span.high)
        return span.low - slack <= value.low <= span.high + slack
    bound = re.search(r"\b(?:(?P<over>over|above|more\sthan|excess\sof|exceed\w*)|(?P<under>under|below|less\sthan))\s(?:the\s)?[*_]{0,2}$", claim.clause.before(claim.find.start, 30), re.IGNORECASE)
    if bound and re.search(r"\b(?:just|slightly|a\slittle|well|sold|worth|price[ds]?(?:\sat|\sis)?|for)\s\w+\s(?:the\s)?[*_]{0,2}$", claim.clause.before(claim.find.start, 40), re.IGNORECASE):
        ratio = span.low / value.low if value.low else 0.0
        return 1.0 <= ratio <= 1.1 if bound["over"] else 0.9 <= ratio <= 1.0
    return _close(value.low, span.low, share)


def _check_last_sold(checker: Checker, claim: Claim, claims: tuple[Claim, ...]) -> Verdict:
    """An earlier price: checked only where the record has one."""
    spans = checker.record.spans("last_sold_price")
    if not spans or claim.value.is_range:
        return UNCHECKED
    agrees = any(_close(claim.value.low, span.low, _share(claim, claim.value.rounded)) for span in spans)
    agrees = agrees or _said_in_text(claim, checker.record)
    return Verdict("match" if agrees else "mismatch", "; ".join(map(_span_text, spans)), "earlier price")


def _check_periodic(checker: Checker, claim: Claim, claims: tuple[Claim, ...]) -> Verdict:
    """Rent and charges, brought to the same period; an amount without a period is compared as it is."""
    spans = checker.record.spans(claim.field)
    if not spans:
        if _said_in_text(claim, checker.record):
            return Verdict("match", "in the text", "the record's text has it")
        return Verdict("invented", "", f"the record has no {claim.field}")
    held = "; ".join(f"{_span_text(span)} per {span.per}" if isinstance(span, Money) and span.per else _span_text(span) for span in spans)
    if any(_periodic_agrees(claim, span) for span in spans):
        return Verdict("match", held, "equal for the same period")
    return Verdict("mismatch", held, f"{claim.field} of the record")


def _periodic_agrees(claim: Claim, span: Span) -> bool:
    said, per = claim.value, span.per if isinstance(span, Money) else None
    if per is None and claim.field == "rent_per_week":
        per = "week"
    said_per = said.per or (_period_near(claim) if claim.field != "bond" else None)
    factor, least = 1.0, DOLLAR
    if said_per in PER_YEAR and per in PER_YEAR and said_per != per:
        factor = PER_YEAR[said_per] / PER_YEAR[per]
        least = max(DOLLAR, 0.005 * span.low)
    share = _share(claim, said.rounded)
    low, high = said.low * factor, said.high * factor
    if said.is_range or span.is_range:
        slack = max(least, share * span.high)
        return span.low - slack <= low and high <= span.high + slack if span.is_range else low - slack <= span.low <= high + slack
    return _close(low, span.low, share, least)


def _period_near(claim: Claim) -> str | None:
    """A period that stands apart from its amount: "weekly rent of $690", "quarterly levy is $1,200"."""
    near = claim.clause.before(claim.find.start, 40) + " " + claim.clause.after(claim.find.end, 24)
    match = re.search(r"\b(?P<week>weekly|per\sweek|a\sweek)|(?P<month>monthly|per\smonth)|(?P<quarter>quarterly|per\squarter)|(?P<year>annual(?:ly)?|yearly|per\s(?:year|annum))\b", near, re.IGNORECASE)
    return match.lastgroup if match else None


def _check_deposit(checker: Checker, claim: Claim, claims: tuple[Claim, ...]) -> Verdict:
    record, price = checker.record, checker.price_for(claim, claims)
    spans = record.spans("deposit")
    if spans:
        return _of_expected(claim, [Expected(span.low, "deposit of the record") for span in spans])
    if price is None:
        return UNCHECKED
    stated = tuple(each.value.low for each in claims if each.field == "deposit_percent" and each.clause is claim.clause)
    stated = stated or tuple(each.value.low for each in claims if each.field == "deposit_percent")
    held = tuple(span.low for span in record.spans("deposit_percent"))
    return _of_expected(claim, list(expected_deposits(price, stated or held or checker.rules.usual_deposits)))


def _of_expected(claim: Claim, expected: list[Expected]) -> Verdict:
    """Match when the amount is one of those expected, within $1, or 2% when called approximate."""
    if not expected:
        return UNCHECKED
    value = claim.value
    for each in expected:
        share = _share(claim, value.rounded)
        inside = value.is_range and value.low - DOLLAR <= each.value <= value.high + DOLLAR
        if inside or (not value.is_range and _close(value.low, each.value, share)):
            return Verdict("match", _dollars(each.value), each.rule)
    return Verdict("mismatch", " or ".join(_dollars(each.value) for each in expected[:3]), "; ".join(each.rule for each in expected[:3]))


def _check_duty(checker: Checker, claim: Claim, claims: tuple[Claim, ...]) -> Verdict:
    spans = checker.record.spans("stamp_duty")
    if spans:
        return _of_expected(claim, [Expected(span.low, "stamp duty of the record") for span in spans])
    price = checker.price_for(claim, claims)
    if price is None:
        return UNCHECKED
    day = contract_day(checker.record) or checker.day
    return _of_expected(claim, list(expected_duties(checker.record, checker.rules, price, day)))


def _check_yield(checker: Checker, claim: Claim, claims: tuple[Claim, ...]) -> Verdict:
    """Within half a unit of the last decimal that is stated, a quarter of a percent when approximate."""
    record = checker.record
    expected = [Expected(span.low, "yield of the record") for span in record.spans(claim.field)]
    if not expected and claim.field == "gross_yield_percent":
        expected = list(expected_yields(record, checker.price_for(claim, claims)))
    return _of_percent(claim, expected, 0.25)


def _of_percent(claim: Claim, expected: list[Expected], hedged: float) -> Verdict:
    if not expected:
        return UNCHECKED
    step = 0.5 * 10.0 ** -decimals_of(claim.find.quote) + 1e-6
    slack = max(step, hedged) if claim.hedged else step
    for each in expected:
        if claim.value.low - slack <= each.value <= claim.value.high + slack:
            return Verdict("match", f"{each.value:.2f}%", each.rule)
    return Verdict("mismatch", " or ".join(f"{each.value:.2f}%" for each in expected), expected[0].rule)


def _check_deposit_percent(checker: Checker, claim: Claim, claims: tuple[Claim, ...]) -> Verdict:
    record = checker.record
    expected = [Expected(span.low, "deposit percent of the record") for span in record.spans("deposit_percent")]
    deposit, price = record.spans("deposit"), record.price
    if not expected and deposit and price:
        expected = [Expected(100 * deposit[0].low / price, f"{_dollars(deposit[0].low)} of {_dollars(price)}")]
    return _of_percent(claim, expected, 0.5)


def _check_area_price(checker: Checker, claim: Claim, claims: tuple[Claim, ...]) -> Verdict:
    record, price = checker.record, checker.price_for(claim, claims)
    scale = 10.763910417 if claim.value.per == "sqft" else 1.0
    expected = [Expected(span.low, "price per sqm of the record") for span in record.spans("price_per_sqm")]
    if not expected and price is not None:
        expected = list(expected_area_prices(record, price))
    for each in expected:
        if _close(claim.value.low * scale, each.value, max(0.005, _share(claim, claim.value.rounded))):
            return Verdict("match", _dollars(each.value), each.rule)
    if not expected:
        return UNCHECKED
    return Verdict("mismatch", " or ".join(f"{each.value:,.0f}" for each in expected), expected[0].rule)


def _check_count(checker: Checker, claim: Claim, claims: tuple[Claim, ...]) -> Verdict:
    spans = checker.record.spans(claim.field)
    if not spans:
        if claim.field == "car_spaces" and re.search(r"\b(?:garag|carport|parking|car)", checker.record.text, re.IGNORECASE):
            return UNCHECKED
        return Verdict("invented", "", f"the record has no {claim.field}")
    held = spans[0].low
    if claim.value == held:
        return Verdict("match", f"{held:g}", "equal")
    if claim.field == "bathrooms" and (int(claim.value) == held or claim.value == int(held)) and claim.value % 1:
        return Verdict("mismatch", f"{held:g}", "count of the record")
    if claim.value < held and is_partial(claim):
        return UNCHECKED
    together = [each.value for each in claims if each.field == claim.field and each.clause is claim.clause]
    if len(together) > 1 and (sum(together) == held or held in together and claim.value < held):
        return Verdict("match", f"{held:g}", "parts of the count")
    return Verdict("mismatch", f"{held:g}", "count of the record")


def _check_area(checker: Checker, claim: Claim, claims: tuple[Claim, ...]) -> Verdict:
    record = checker.record
    names = ("land_area_sqm", "floor_area_sqm") if claim.field == "area" else (claim.field,)
    spans = [(name, span) for name in names for span in record.spans(name)]
    if not spans:
        return Verdict("invented", "", "the record has no such area")
    slack = stated_step(claim.find) + 1e-6
    for name, span in spans:
        share = HEDGED_SHARE if claim.hedged else 0.005 if claim.find.unit != "sqm" else 0.0
        wide = max(slack, share * span.low)
        if claim.value.low - wide <= span.high and span.low <= claim.value.high + wide:
            return Verdict("match", f"{span.low:,.6g} sqm", f"{name} within rounding")
    return Verdict("mismatch", "; ".join(f"{span.low:,.6g} sqm" for _, span in spans), spans[0][0])


def area_field(claim: Claim, record: Record) -> str:
    """The field that an area without a name is taken for: the only one that the record has, else the land."""
    if claim.field != "area":
        return claim.field
    if claim.find.unit in ("sqft", "square") and record.spans("floor_area_sqm"):
        return "floor_area_sqm"
    apartment = any(type_of(str(each)) in ("apartment", "unit") for each in record.fields.get("property_type", ()))
    only_floor = record.spans("floor_area_sqm") and (apartment or not record.spans("land_area_sqm"))
    return "floor_area_sqm" if only_floor or (apartment and not record.spans("land_area_sqm")) else "land_area_sqm"


def _check_date(checker: Checker, claim: Claim, claims: tuple[Claim, ...]) -> Verdict:
    record, day = checker.record, claim.value
    held = [(each, claim.field) for each in record.days(claim.field)]
    if not held and claim.field == "settlement_date":
        held = list(expected_settlements(record))
    if not held:
        other = any(day.agrees_with(each) for name in record.fields for each in record.days(name))
        return UNCHECKED if other or _day_in_text(day, record) else Verdict("invented", "", f"the record has no {claim.field}")
    for each, rule in held:
        if day.agrees_with(each):
            return Verdict("match", str(each), rule)
    return Verdict("mismatch", " or ".join(str(each) for each, _ in held[:3]), held[0][1])


def _day_in_text(day: Day, record: Record) -> bool:
    return str(day).lstrip("-") in record.text


def _check_settlement(checker: Checker, claim: Claim, claims: tuple[Claim, ...]) -> Verdict:
    record, value = checker.record, claim.value
    held = [span.low for span in record.spans("settlement_days")] + [
        span.high for span in record.spans("settlement_days") if span.is_range
    ]
    between = days_between(record)
    if not held and between is not None:
        held = [float(between)]
    if not held:
        return Verdict("invented", "", "the record has no settlement period")
    text = " or ".join(f"{days:g} days" for days in held)
    for days in held:
        slack = 2.0 if value.rounded else 0.0
        if value.low - slack * value.low / 30 <= days <= value.high + slack * value.high / 30:
            return Verdict("match", text, "settlement period of the record")
    return Verdict("mismatch", text, "settlement period of the record")


def _check_cooling_off(checker: Checker, claim: Claim, claims: tuple[Claim, ...]) -> Verdict:
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


def _check_address(checker: Checker, claim: Claim, claims: tuple[Claim, ...]) -> Verdict:
    held, said = checker.record.address, claim.value
    if not held.street:
        return UNCHECKED if not checker.record.text or normal_name(said.street) in normal_name(checker.record.text) else Verdict("invented", "", "the record has no street address")
    shown = " ".join(filter(None, (held.unit and f"{held.unit}/", held.number, held.street, held.street_type))).replace("/ ", "/")
    return Verdict("match" if said.agrees_with(held) else "mismatch", shown, "address of the record")


def _check_part(checker: Checker, claim: Claim, claims: tuple[Claim, ...]) -> Verdict:
    """Suburb, state, postcode."""
    held: str = getattr(checker.record.address, claim.field)
    if not held:
        return UNCHECKED
    return Verdict("match" if held == claim.value else "mismatch", held, f"{claim.field} of the record")


def _check_type(checker: Checker, claim: Claim, claims: tuple[Claim, ...]) -> Verdict:
    held = [str(each) for each in checker.record.fields.get("property_type", ())]
    kinds = [kind for kind in map(type_of, held) if kind]
    if not kinds:
        return UNCHECKED
    agrees = any(types_agree(claim.value, kind) for kind in kinds)
    agrees = agrees or claim.find.quote.lower() in checker.record.text.lower()
    return Verdict("match" if agrees else "mismatch", "; ".join(held), "property type of the record")


def _check_year(checker: Checker, claim: Claim, claims: tuple[Claim, ...]) -> Verdict:
    spans = checker.record.spans("year_built")
    first, last = claim.value
    if not spans:
        if str(first) in checker.record.text:
            return Verdict("match", str(first), "the record's text has it")
        return Verdict("invented", "", "the record has no year built")
    held = spans[0].low
    slack = 5 if re.match(r"(?i)circa|c\.", claim.find.quote) or claim.hedged or "circa" in claim.find.quote.lower() else 0
    agrees = first - slack <= held <= last + slack
    return Verdict("match" if agrees else "mismatch", f"{held:g}", "year built of the record")


_CHECKS: Mapping[str, Check] = {
    "price": _check_price, "sold_price": _check_price, "last_sold_price": _check_last_sold,
    **dict.fromkeys(("rent_per_week", "strata_levies", "council_rates", "water_rates", "land_tax", "hoa_fees", "property_tax", "bond"), _check_periodic),
    "deposit": _check_deposit, "stamp_duty": _check_duty, "price_per_sqm": _check_area_price,
    "gross_yield_percent": _check_yield, "net_yield_percent": _check_yield,
    "deposit_percent": _check_deposit_percent,
    **dict.fromkeys(("bedrooms", "bathrooms", "car_spaces"), _check_count),
    **dict.fromkeys(("land_area_sqm", "floor_area_sqm", "area"), _check_area),
    **dict.fromkeys(("auction_date", "inspection_date", "settlement_date", "available_date", "contract_date"), _check_date),
    "settlement_days": _check_settlement, "cooling_off_days": _check_cooling_off,
    "address": _check_address, **dict.fromkeys(("suburb", "state", "postcode"), _check_part),
    "property_type": _check_type, "year_built": _check_year,
}  # fmt: skip


def missing_fields(required: Iterable[str], said: set[str], record: Record) -> Iterator[str]:
    """The required fields that the record has and the answer does not state."""
    same = {"sold_price": "price"}
    stated = said | {same.get(name, name) for name in said}
    for name in required:
        held = name in record.fields or (name in ("address", "suburb", "state", "postcode") and _has_part(name, record.address))
        if held and name not in stated:
            yield name


def _has_part(name: str, address: Address) -> bool:
    return bool(address.street if name == "address" else getattr(address, name))


def source_of(case: Case, path: str | None) -> Any:
    """What the option `record` names, or the first of the usual places that holds a mapping."""
    places = [path] if path else ["expected", "vars.property", "vars.listing", "vars.record", "metadata.record"]
    for place in places:
        value = _at(case, place)
        if value is not None and (path or isinstance(value, Mapping) or _looks_like_json(value)):
            return value
    return None


def _looks_like_json(value: Any) -> bool:
    return isinstance(value, str) and value.lstrip()[:1] == "{"


def _at(case: Case, path: str) -> Any:
    head, *rest = path.split(".")
    value: Any = {"expected": case.expected, "vars": case.vars, "metadata": case.metadata}.get(head)
    for key in rest:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
