"""Which amounts of an answer are made from others, and so are no facts of their own.

An amount x is explained when it is
    a + b, a - b, a + b + ..., a - b - ...    of amounts of the answer beside it or of the record,
    the same times or divided by 2, 4, 12, 26 or 52,
    p % of a                                  for a share p that the answer states,
    what the record has in another field,
or when it stands as an operand: "4.5% on $165,000", "$21,330 on the first $500,000". An amount that its field
names directly ("Duty: $47,370") stays a fact.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from assay.extract.finds import Find, Span
from assay.extract.money import PER_YEAR, Money, find_money
from assay.extract.periods import find_percentages
from assay.metrics.property_claims import MAX_FINDS, Claim
from assay.metrics.property_cues import MONEY_CUES
from assay.metrics.property_fields import AREA_FIELDS, MONEY_FIELDS, PERIODIC_FIELDS
from assay.metrics.property_record import Record
from assay.metrics.property_verdicts import close, share_of

AHEAD, BEHIND = 6, 3
"""How many amounts before and behind one may make it."""
FACTORS = (2.0, 4.0, 12.0, 26.0, 52.0)
SMALLEST = 5.0
SAME_AREA = 0.02
"""How far an area in two units may be apart."""
_LINK = (
    r"(?:\s(?:rates?|charges?|fees?|lev(?:y|ies)|bills?|price))?(?:\s?\([^()]{1,30}\))?(?:\s(?:is|are|of|to|now|only|just|comes?|works?|out|be|will|would|about|around|"
    r"roughly|approximately|a|an|the|payable|due|amount%s)\b){0,4}\W{0,6}$"
)
_OF_A_PRICE = ("deposit", "stamp_duty", "price_per_sqm")
"""What is reckoned from a price, which may stand behind "at" or "for"."""
_NAMED = {
    field: re.compile(rf"\b(?:{cues})d?{_LINK % ('' if field in _OF_A_PRICE else '|at|for')}", re.IGNORECASE)
    for field, cues in MONEY_CUES.items()
    if field
}
"""A field's name right before its amount."""
_NAMED_BEHIND = {
    field: re.compile(
        rf"[*_]{{0,2}}\s(?:(?:in|of)\s|(?:as|for|is)\s(?:the\s|your\s)?)(?:{cues})\b", re.IGNORECASE
    )
    for field, cues in MONEY_CUES.items()
    if field
}
"""The name right behind it: "$2,800 in rent"."""
_GOES_ON = re.compile(
    r"[^$\n]{0,40}\$|[*_.)]{0,3}\s+(?:[-*]\s)?(?:sum|total|so|together|altogether|add|which|that|all\sup)\b",
    re.IGNORECASE,
)
"""What follows an amount on the way to another."""
_BASE_OF_SHARE = re.compile(
    r"(?:%|\bper\s?cent|\bcents?)\s?(?:of|on|x|\u00d7|\*)\s(?:the\s)?(?:first|next|"
    r"remaining|balance|excess|rest|other|last)?\s?(?:of\s|is\s)?[*_(]{0,2}$"
    r"|\b(?:rate|tier|bracket|band|slice)\s(?:\w+\s)?(?:above|over|below|under|of|from)\s[*_(]{0,2}$"
    r"|\b(?:first|next|remaining|excess|(?:amount|part|value|portion)\s(?:over|above))\s(?:of\s)?[*_(]{0,2}$",
    re.IGNORECASE,
)
_WITH_SHARE = re.compile(
    r"\s?[*_)]{0,2}\s?(?:(?:\+|plus|(?:and\s)?then)\s?(?:\$?[\d.]+\s?(?:%|per|for)|\()|(?:on|for|up\sto)\s(?:the\s)?first\b|"
    r"(?:bracket|threshold)\b)",
    re.IGNORECASE,
)
_OPERAND_AFTER = re.compile(
    r"\s?[*_)]{0,2}\s?(?:[+\u2212\u2013-]|plus|minus|less|divided\sby|times|over)\s[$(\d]", re.IGNORECASE
)
_STEP = re.compile(r"\b(?:every|each)\s(?:extra|additional|further|other)\b", re.IGNORECASE)
"""What makes amounts those of a step: "every extra $10,000 adds $550"."""
_OF_DEPOSIT = re.compile(r"\bdeposits?\b|\bdown\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sums:
    """The amounts and shares of an answer with those of its record."""

    text: str
    said: tuple[Find[Money], ...]
    shares: tuple[float, ...]
    held: tuple[tuple[str, float], ...]
    """Field and value of the record's amounts, those of a period for a year, a quarter and as they are."""

    def explain(self, claim: Claim) -> bool:
        """Whether an amount that differs from the record is made from others."""
        if claim.field not in MONEY_FIELDS or not isinstance(claim.value, Money) or claim.value.is_range:
            return False
        if claim.value.low < SMALLEST:
            return False
        ahead = claim.clause.before(claim.find.start, 120)
        if _is_operand(claim, ahead):
            return True
        if _OPERAND_AFTER.match(claim.clause.after(claim.find.end, 40)) and self._is_of_other_field(claim):
            return True
        if _is_named(claim, ahead):
            return False
        return self._is_of_other_field(claim) or self._is_made(claim) or self._is_share(claim)

    def names(self, claim: Claim) -> bool:
        """Whether a claim's words say right beside it which field it is of; what is no amount always does."""
        if claim.field not in ("price", "sold_price"):
            return True
        return _is_named(claim, claim.clause.before(claim.find.start, 120))

    def _near(self, claim: Claim) -> tuple[list[float], list[float]]:
        ahead = [find.value.low for find in self.said if find.end <= claim.find.start][-AHEAD:]
        behind = [find.value.low for find in self.said if find.start >= claim.find.end][:BEHIND]
        return ahead, behind

    def _is_of_other_field(self, claim: Claim) -> bool:
        own = {value for field, value in self.held if field == claim.field}
        return any(
            close(claim.value.low, value, 0.0)
            for field, value in self.held
            if field != claim.field and value not in own and value > SMALLEST
        )

    def _is_made(self, claim: Claim) -> bool:
        ahead, behind = self._near(claim)
        share = share_of(claim, claim.value.rounded)
        low = claim.value.low
        own = claim.field if claim.field in PERIODIC_FIELDS else ""
        others = [value for field, value in self.held if field != own]
        if any(close(low, made, share) for made in _made(ahead, behind, others)):
            return True
        if claim.value.per in (None, "year") and any(
            close(low, each * times, share) for each in ahead for times in (12.0, 26.0, 52.0)
        ):
            return True
        yearly = PER_YEAR.get(claim.value.per or "", 0.0)
        if any(
            close(low * yearly, each * times, share, yearly / 2)
            for each in ahead
            for times in (1.0, 4.0, 12.0)
        ):
            return True
        return claim.field in PERIODIC_FIELDS and any(
            close(low * factor, made, share, factor / 2) or close(low, made * factor, share)
            for made in _made(ahead, [], [])
            for factor in FACTORS
        )

    def _is_share(self, claim: Claim) -> bool:
        if claim.field == "deposit":
            return False
        if claim.field == "stamp_duty" and not _GOES_ON.match(self.text, claim.find.end):
            return False
        ahead, behind = self._near(claim)
        usual = (5.0, 10.0) if claim.field in ("price", "sold_price") else ()
        bases = {*ahead, *behind, *(value for _, value in self.held)}
        share = share_of(claim, claim.value.rounded)
        parts = {
            *self.shares,
            *usual,
            *(100 + part for part in self.shares),
            *(100 - part for part in self.shares),
        }
        return any(
            close(claim.value.low, base * part / 100, share)
            for base in bases - {claim.value.low}
            for part in parts - {100.0}
        )


def _is_operand(claim: Claim, ahead: str) -> bool:
    behind = claim.clause.after(claim.find.end, 40)
    if _WITH_SHARE.match(behind):
        return True
    if _STEP.search(claim.clause.text):
        return True
    if _BASE_OF_SHARE.search(ahead):
        return not (claim.field == "price" and _OF_DEPOSIT.search(claim.clause.text))
    return bool(_OPERAND_AFTER.match(behind)) and not _is_named(claim, ahead)


def _is_named(claim: Claim, ahead: str) -> bool:
    behind = claim.clause.after(claim.find.end, 40)
    return bool(_NAMED[claim.field].search(ahead) or _NAMED_BEHIND[claim.field].match(behind))


def _made(ahead: list[float], behind: list[float], held: list[float]) -> set[float]:
    """Sums and differences: of any two, of several amounts before, and of one less several of these."""
    near = [*ahead, *behind]
    pool = [*dict.fromkeys([*near, *held])][: AHEAD + BEHIND + 12]
    made = {abs(first - second) for first, second in combinations(pool, 2)}
    made |= {first + second for first, second in combinations(pool, 2) if first in near or second in near}
    for count in range(2, len(ahead) + 1):
        for parts in combinations(ahead, count):
            total = sum(parts)
            made |= {
                total,
                *(2 * part - total for part in parts),
                *(each - total for each in (*behind, *held)),
            }
    return made


def _value(claim: Claim) -> Any:
    """The value without what rounding or words add."""
    value = claim.value
    return (value.low, value.high) if isinstance(value, Span) else value


def same_amount(said: Claim, other: Claim) -> bool:
    """Whether two amounts are one: a quarter acre and 1,012 sqm, a count told twice."""
    if said.field == other.field and said.field not in PERIODIC_FIELDS and _value(said) == _value(other):
        return True
    if said.field == other.field and said.field in ("area", *AREA_FIELDS):
        return said.find.unit != other.find.unit and close(said.value.low, other.value.low, SAME_AREA, 0.0)
    if said.field != other.field or said.field not in PERIODIC_FIELDS or said.value.per == other.value.per:
        return False
    times, per = PER_YEAR.get(said.value.per or ""), PER_YEAR.get(other.value.per or "")
    if not times or not per:
        return False
    return close(said.value.low * times, other.value.low * per, 0.0, max(times, per) / 2)


def read_sums(text: str, record: Record) -> Sums:
    """The amounts and shares of a text and its record."""
    said = tuple(find for find in find_money(text, bare=True)[:MAX_FINDS] if not find.value.is_range)
    shares = {find.value.low for find in find_percentages(text)[:40] if not find.value.is_range}
    return Sums(text, said, tuple(sorted(shares)), tuple(_held(record)))


def _held(record: Record) -> Iterator[tuple[str, float]]:
    for field in sorted(MONEY_FIELDS):
        for span in record.spans(field)[:3]:
            for value in dict.fromkeys((span.low, span.high)):
                yield field, value
            if isinstance(span, Money) and span.per in PER_YEAR:
                yield field, span.low * PER_YEAR[span.per]
