"""Verdicts on amounts: prices, rents, charges, deposits, duty, yields, prices of area."""

import re
from dataclasses import replace

from assay.extract.finds import Span
from assay.extract.money import PER_YEAR, Money, find_money
from assay.extract.periods import find_percentages
from assay.metrics.property_arithmetic import (
    Expected,
    contract_day,
    expected_area_prices,
    expected_deposits,
    expected_duties,
    expected_yields,
)
from assay.metrics.property_claims import Claim
from assay.metrics.property_cues import IF, MONEY_CUES
from assay.metrics.property_record import Record
from assay.metrics.property_verdicts import (
    DOLLAR,
    UNCHECKED,
    Checker,
    Verdict,
    close,
    dollars,
    of_expected,
    of_percent,
    share_of,
    span_text,
)

_FOOT = re.compile(r"\b(?:square\sf(?:oo|ee)t|sq\.?\s?ft|sqft|(?:per|a)\sfoot)\b", re.IGNORECASE)
USUAL_PERIODS = {"rent_per_week": "week", "property_tax": "year", "land_tax": "year"}
"""What a record's amount is for when it does not say."""
SMALLEST_RENT = 5_000.0
"""A larger amount is no rent of a week."""
FARTHEST = 1.25
"""How far a price may be from "under $1.2m" or "over $1m" for that to be said of it."""
_BOUND = re.compile(
    r"(?<!offers\s)(?<!offer\s)\b(?:(?P<over>over|above|more\sthan|exceeding)|(?P<under>under|below|less\sthan))"
    r"\s(?:the\s)?[*_]{0,2}$",
    re.IGNORECASE,
)
"""A limit, but not the guide "offers over $800,000"."""
_IS_GUIDE = re.compile(r"\b(?:guid\w+|asking|list\w*|quot\w+|advertis\w+|expect\w*)\b", re.IGNORECASE)


def _said_in_text(claim: Claim, record: Record) -> bool:
    """Whether the record's text has the amount somewhere, with its digits or with k or m."""
    low = claim.value.low
    forms = {f"{low:,.0f}", f"{low:.0f}", f"{low / 1e3:g}k", f"{low / 1e6:g}m", f"{low / 1e6:g} million"}
    text = record.text.lower()
    return any(re.search(rf"(?<![\d.,]){re.escape(form)}(?![\d]|[.,]\d)", text) for form in forms)


def check_price(checker: Checker, claim: Claim) -> Verdict:
    """Price and sold price: equal within what rounding hides, or inside the record's range."""
    record = checker.record
    if claim.field == "sold_price" and _is_of_earlier_sale(claim, record):
        return check_last_sold(checker, claim)
    own, others = ("sold_price", "price") if claim.field == "sold_price" else ("price", "sold_price")
    spans = record.spans(own) or record.spans(others)
    if not spans:
        return (
            Verdict("match", "in the text", "the record's text has it")
            if _said_in_text(claim, record)
            else Verdict("invented", "", "the record has no price")
        )
    held = "; ".join(span_text(span) for span in spans)
    for span in spans:
        if _price_agrees(claim, span):
            return Verdict("match", held, "equal, or inside the range")
    if own == "price" and not _IS_GUIDE.search(claim.clause.before(claim.find.start, 50)):
        for span in record.spans("sold_price"):
            if _price_agrees(claim, span):
                return Verdict("match", span_text(span), "the price that it sold for")
    return Verdict("mismatch", held, "price of the record")


def _price_agrees(claim: Claim, span: Span) -> bool:
    value: Money = claim.value
    share = share_of(claim, value.rounded)
    if value.is_range and span.is_range:
        return close(value.low, span.low, share) and close(value.high, span.high, share)
    if value.is_range:
        return value.low - DOLLAR <= span.low <= value.high + DOLLAR
    if span.is_range:
        slack = max(DOLLAR, share * span.high)
        return span.low - slack <= value.low <= span.high + slack
    bound = _BOUND.search(claim.clause.before(claim.find.start, 40))
    if bound and value.low:
        ratio = span.low / value.low
        return 1.0 <= ratio <= FARTHEST if bound["over"] else 1 / FARTHEST <= ratio <= 1.0
    return close(value.low, span.low, share)


def _is_of_earlier_sale(claim: Claim, record: Record) -> bool:
    """Whether a sale is told with a year in which the record has none."""
    years = {int(year) for year in re.findall(r"\b(?:19|20)\d\d\b(?!,)", claim.clause.text)}
    held = {day.year for day in record.days("contract_date")}
    return bool(years) and not years & held and (bool(held - {None}) or not record.spans("sold_price"))


def check_last_sold(checker: Checker, claim: Claim) -> Verdict:
    """An earlier price: checked only where the record has one."""
    spans = checker.record.spans("last_sold_price")
    if not spans or claim.value.is_range:
        return UNCHECKED
    agrees = any(close(claim.value.low, span.low, share_of(claim, claim.value.rounded)) for span in spans)
    agrees = agrees or _said_in_text(claim, checker.record)
    return Verdict("match" if agrees else "mismatch", "; ".join(map(span_text, spans)), "earlier price")


def check_periodic(checker: Checker, claim: Claim) -> Verdict:
    """Rent and charges, brought to the same period; an amount without a period is compared as it is."""
    spans = checker.record.spans(claim.field)
    if not spans:
        if _said_in_text(claim, checker.record):
            return Verdict("match", "in the text", "the record's text has it")
        if re.search(rf"\bno\s(?:{MONEY_CUES[claim.field]})", checker.record.text, re.IGNORECASE):
            return Verdict("mismatch", "none", f"the record denies {claim.field}")
        return Verdict("invented", "", f"the record has no {claim.field}")
    held = "; ".join(
        f"{span_text(span)} per {span.per}" if isinstance(span, Money) and span.per else span_text(span)
        for span in spans
    )
    if any(_periodic_agrees(claim, span) for span in spans):
        return Verdict("match", held, "equal for the same period")
    parts = [each for each in checker.claims if each.field == claim.field and each.clause is claim.clause]
    whole = replace(
        claim, value=replace(claim.value, low=(total := sum(each.value.low for each in parts)), high=total)
    )
    if (
        claim.field == "rent_per_week"
        and len(parts) > 1
        and any(_periodic_agrees(whole, span) for span in spans)
    ):
        return Verdict("match", held, "parts of the amount")
    return Verdict("mismatch", held, f"{claim.field} of the record")


def _periodic_agrees(claim: Claim, span: Span) -> bool:
    said, per = claim.value, span.per if isinstance(span, Money) else None
    per = per or USUAL_PERIODS.get(claim.field)
    said_per = said.per or (_period_near(claim) if claim.field != "bond" else None)
    factor, least = 1.0, DOLLAR
    if said_per in PER_YEAR and per in PER_YEAR and said_per != per:
        factor = PER_YEAR[said_per] / PER_YEAR[per]
        whole = 0.5 * factor if said.low == int(said.low) else 0.0
        least = max(DOLLAR, 0.005 * span.low, whole)
    elif said_per is None and per in PER_YEAR and claim.field != "bond" and not span.is_range:
        yearly = span.low * PER_YEAR[per]
        if any(close(said.low, yearly / times, 0.0) for times in PER_YEAR.values()):
            return True
    share = share_of(claim, said.rounded)
    low, high = said.low * factor, said.high * factor
    bound = _BOUND.search(claim.clause.before(claim.find.start, 40))
    if bound and low and not span.is_range:
        times = PER_YEAR[per] if said_per is None and per in PER_YEAR and claim.field != "bond" else 1.0
        ratios = (span.low / low, span.low * times / low)
        return any(
            1.0 <= each <= FARTHEST if bound["over"] else 1 / FARTHEST <= each <= 1.0 for each in ratios
        )
    slack = max(least, share * span.high)
    if span.is_range:
        return bool(span.low - slack <= low and high <= span.high + slack)
    if said.is_range:
        return bool(low - slack <= span.low <= high + slack)
    return close(low, span.low, share, least)


_AMOUNT = re.compile(r"\$[\d,.]+\s?$")
"""An amount that takes the period behind it for itself."""
_PERIOD = re.compile(
    r"\b(?:(?P<half>half[\s-]yearly|biannual(?:ly)?|semi-annual(?:ly)?|six-monthly|twice\s(?:a\syear|yearly|annually)|(?:per|a|each|every)\s(?:half[\s-]year|"
    r"six\smonths))|(?P<week>weekly|(?:per|a|each|every)\sweek)|(?P<month>monthly|(?:per|a|each|every)\s(?:calendar\s)?month)|"
    r"(?P<quarter>quarterly|(?:per|a|each|every)\squarter)|"
    r"(?P<year>annual(?:ly)?|annualised|yearly|(?:per|a|each|every|the|one|full)\s(?:year|annum)|12\smonths|twelve\smonths))\b",
    re.IGNORECASE,
)


def _period_near(claim: Claim) -> str | None:
    """The nearest period apart from its amount: "weekly rent of $690", "over a year that is $35,880"."""
    ahead = claim.clause.before(claim.find.start, 90)
    found = [
        each
        for each in _PERIOD.finditer(ahead, max(0, len(ahead) - 60))
        if not _AMOUNT.search(ahead[: each.start()])
    ][-1:]
    match = found[0] if found else _PERIOD.search(claim.clause.after(claim.find.end, 24).split("$")[0])
    return match.lastgroup if match else None


def check_deposit(checker: Checker, claim: Claim) -> Verdict:
    record, price = checker.record, checker.price_for(claim)
    spans = record.spans("deposit")
    if spans:
        return of_expected(claim, [Expected(span.low, "deposit of the record") for span in spans])
    if price is None:
        return UNCHECKED
    stated = tuple(
        each.value.low
        for each in checker.claims
        if each.field == "deposit_percent" and each.clause is claim.clause
    )
    stated = stated or tuple(find.value.low for find in find_percentages(claim.clause.text))
    stated = stated or tuple(each.value.low for each in checker.claims if each.field == "deposit_percent")
    held = tuple(span.low for span in record.spans("deposit_percent"))
    return of_expected(claim, list(expected_deposits(price, stated or held or checker.rules.usual_deposits)))


def check_duty(checker: Checker, claim: Claim) -> Verdict:
    spans = checker.record.spans("stamp_duty")
    if any(
        claim.value.low == span.low + price.low for span in spans for price in checker.record.spans("price")
    ):
        return UNCHECKED  # the price with the duty
    if spans:
        return of_expected(claim, [Expected(span.low, "stamp duty of the record") for span in spans])
    price = checker.price_for(claim)
    if price is None:
        return UNCHECKED
    day = contract_day(checker.record) or checker.day
    return of_expected(claim, list(expected_duties(checker.record, checker.rules, price, day)))


def check_yield(checker: Checker, claim: Claim) -> Verdict:
    """Within half a unit of the last decimal that is stated, a quarter of a percent when approximate."""
    record = checker.record
    price = checker.price_for(claim)
    if "$" in claim.clause.text and IF.search(claim.clause.before(claim.find.start)):
        rents = [find.value.low for find in find_money(claim.clause.text) if find.value.low < SMALLEST_RENT]
        if claim.field != "gross_yield_percent" or not rents or not price:
            return UNCHECKED
        supposed = Expected(5200 * rents[0] / price, f"52 x {rents[0]:,.0f} / {price:,.0f}")
        return of_percent(claim, [supposed], 0.25)
    expected = [Expected(span.low, "yield of the record") for span in record.spans(claim.field)]
    if not expected and claim.field == "gross_yield_percent":
        expected = list(expected_yields(record, price))
    return of_percent(claim, expected, 0.25)


def check_deposit_percent(checker: Checker, claim: Claim) -> Verdict:
    record = checker.record
    expected = [
        Expected(span.low, "deposit percent of the record") for span in record.spans("deposit_percent")
    ]
    deposit, price = record.spans("deposit"), record.price
    if not expected and deposit and price:
        expected = [Expected(100 * deposit[0].low / price, f"{dollars(deposit[0].low)} of {dollars(price)}")]
    return of_percent(claim, expected, 0.5)


def check_area_price(checker: Checker, claim: Claim) -> Verdict:
    record, price = checker.record, checker.price_for(claim)
    near = claim.clause.before(claim.find.start, 50) + " # " + claim.clause.after(claim.find.end, 30)
    scale = 10.763910417 if claim.value.per == "sqft" or _FOOT.search(near) else 1.0
    expected = [Expected(span.low, "price per sqm of the record") for span in record.spans("price_per_sqm")]
    if not expected and price is not None:
        expected = list(expected_area_prices(record, price))
    for each in expected:
        if close(claim.value.low * scale, each.value, max(0.005, share_of(claim, claim.value.rounded))):
            return Verdict("match", dollars(each.value), each.rule)
    if not expected:
        return UNCHECKED
    return Verdict("mismatch", " or ".join(f"{each.value:,.0f}" for each in expected), expected[0].rule)
