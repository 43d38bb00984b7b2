"""What a check of a claim finds, and how near two amounts must be."""

import re
from dataclasses import dataclass
from datetime import date

from assay.extract.finds import Span
from assay.extract.money import find_money
from assay.extract.periods import decimals_of
from assay.metrics.property_arithmetic import Expected
from assay.metrics.property_claims import Claim
from assay.metrics.property_cues import SMALLEST_PRICE
from assay.metrics.property_record import Record
from assay.metrics.property_rule_files import PropertyRules

WRONG = frozenset(("mismatch", "invented", "omitted"))
HEDGED_SHARE = 0.02
"""How far an amount called approximate may be off."""
ROUNDED_SHARE = 0.005
"""How far an amount written with k, m or million may be off."""
DOLLAR = 1.0
OFFERED = re.compile(r"\b(?:bids?|offers?\sof|offered|even\sat|would\smean)\b", re.IGNORECASE)
"""Words of a price that somebody may pay, of which a sum can be made."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check of one claim found; `verdict` is empty when nothing can be checked."""

    verdict: str
    record: str = ""
    rule: str = ""


UNCHECKED = Verdict("")


@dataclass(frozen=True, slots=True)
class Checker:
    """The record and the rules that claims are held against, and all claims of the answer together.

    `day` stands in for a contract's date where the record has none.
    """

    record: Record
    rules: PropertyRules
    claims: tuple[Claim, ...]
    day: date | None = None

    def price_for(self, claim: Claim) -> float | None:
        """The price that a sum is of: the record's, else one said in the same clause or answer."""
        ahead = claim.clause.before(claim.find.start)
        if claim.clause.supposed(claim.find.start) or OFFERED.search(ahead):
            supposed = _amount_beside(claim)
            if supposed is not None:
                return supposed
        price = self.record.price
        if price is not None:
            return price
        said = [
            each for each in self.claims if each.field in ("price", "sold_price") and not each.value.is_range
        ]
        near = [each for each in said if each.clause is claim.clause] or said
        return float(near[0].value.low) if near else None


def _amount_beside(claim: Claim) -> float | None:
    """The first price that stands in a claim's clause beside it: "if you offered $950,000"."""
    own = claim.find.start - claim.clause.start
    beside = (
        find.value.low
        for find in find_money(claim.clause.text)
        if find.start != own and find.value.per is None and find.value.low >= SMALLEST_PRICE
    )
    return next(beside, None)


def share_of(claim: Claim, rounded: bool) -> float:
    return HEDGED_SHARE if claim.hedged else ROUNDED_SHARE if rounded else 0.0


def close(said: float, held: float, share: float, least: float = DOLLAR) -> bool:
    return abs(said - held) <= max(least, share * abs(held))


def dollars(value: float) -> str:
    return f"{value:,.2f}".removesuffix(".00")


def span_text(span: Span) -> str:
    return f"{dollars(span.low)} to {dollars(span.high)}" if span.is_range else dollars(span.low)


def of_expected(claim: Claim, expected: list[Expected]) -> Verdict:
    """Match when the amount is one of those expected, within $1, or 2% when called approximate."""
    if not expected:
        return UNCHECKED
    value = claim.value
    for each in expected:
        share = share_of(claim, value.rounded)
        inside = value.is_range and value.low - DOLLAR <= each.value <= value.high + DOLLAR
        if inside or (not value.is_range and close(value.low, each.value, share)):
            return Verdict("match", dollars(each.value), each.rule)
    return Verdict(
        "mismatch",
        " or ".join(dollars(each.value) for each in expected[:3]),
        "; ".join(each.rule for each in expected[:3]),
    )


def of_percent(claim: Claim, expected: list[Expected], hedged: float) -> Verdict:
    if not expected:
        return UNCHECKED
    step = 0.5 * 10.0 ** -decimals_of(claim.find.quote) + 1e-6
    slack = max(step, hedged) if claim.hedged else step
    for each in expected:
        if claim.value.low - slack <= each.value <= claim.value.high + slack:
            return Verdict("match", f"{each.value:.2f}%", each.rule)
    return Verdict("mismatch", " or ".join(f"{each.value:.2f}%" for each in expected), expected[0].rule)
