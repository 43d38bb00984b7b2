"""Amounts of money: what they are in a text, how wide a range is, and how one compares with another."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assay.metrics.rule_phrases import Phrases, Span
from assay.metrics.rule_text import RuleText, find_distance

MULTIPLES = {"": 1.0, "k": 1e3, "thousand": 1e3, "grand": 1e3, "m": 1e6, "mil": 1e6, "million": 1e6}
PARTS = {
    "low": 0.2, "lower": 0.2, "early": 0.2, "mid": 0.5, "middle": 0.5, "high": 0.8, "higher": 0.8,
    "upper": 0.8, "late": 0.8,
}  # fmt: skip
"""How far into its hundred thousands, or whatever its last digit counts, "the low $500s" is read to be."""
ROUNDING = 1e-9
SMALL_SHARE = 0.01
"""An amount below this share of another is in other units, or it is bare thousands."""
WORDS_BEFORE = 20
"""Characters before an amount in which words say what it is."""
_PART = rf"\b({'|'.join(sorted(PARTS, key=len, reverse=True))})"
_AMOUNT = re.compile(
    rf"(?:{_PART}[- ]{{0,3}}\$? ?)?\b(\d[\d,]{{0,15}}(?:\.\d{{0,6}})?) ?"
    r"(million|thousand|grand|mil|k|m)?'?s?\b",
    re.IGNORECASE,
)
_PARTS = re.compile(
    rf"{_PART}(?:[- ]{{0,3}}(?:to|and|/)?[- ]{{0,3}}){_PART}([- ]{{0,3}}\$? ?\d[\d,.]{{0,15}})", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Bounds of an amount over the nearest amount that `to` finds."""

    to: Phrases
    unless: Phrases
    """What rules an amount out that it stands just before: a deposit is no price."""
    at_least: float
    at_most: float


def find_spread_percent(text: str) -> float:
    """By how many per cent the second amount of a text exceeds the first; 0 where there are not two.

    An amount without a unit takes the other's, so that "$1.1-1.2m" is a range of millions, and "$950 to
    $1.05m" begins with thousands. "The low to high $600s" are two amounts, by PARTS.
    """
    found = _amounts(_PARTS.sub(r"\1\3 \2\3", text))
    if len(found) != 2:
        return 0.0
    (low, low_unit), (high, high_unit) = found
    low, high = _full(low, low_unit, high_unit), _full(high, high_unit, low_unit)
    return (high / low - 1.0) * 100.0 if low else 0.0


def _full(number: float, unit: str, other: str) -> float:
    """An amount in dollars: a full one borrows no unit, and hundreds beside millions are thousands."""
    if not unit and number < 1e4:
        unit = "k" if number >= 100 and other.startswith("m") else other
    return number * MULTIPLES[unit]


def _amounts(text: str) -> list[tuple[float, str]]:
    return [
        (_number(number) + PARTS.get(part.lower(), 0.0) * _step(number), unit.lower())
        for part, number, unit in _AMOUNT.findall(text)
        if number.count(".") <= 1
    ]


def _number(digits: str) -> float:
    return float(digits.replace(",", "").rstrip("."))


def _step(digits: str) -> float:
    """What the last digit counts that is no zero at the end: 100 in 500, 0.1 in 1.2."""
    whole, _, part = digits.replace(",", "").rstrip(".").partition(".")
    if part.strip("0"):
        return float(10.0 ** -len(part.rstrip("0")))
    return float(10.0 ** (len(whole) - len(whole.rstrip("0"))))


def is_in_ratio(ratios: Sequence[Ratio], text: RuleText, span: Span) -> bool:
    """Whether the amount of a match keeps the bounds of the ratio whose `to` finds what is nearest to it.

    Also where there is no amount to compare it with. Bare hundreds beside hundreds of thousands are
    thousands: "she wants $830,000, say 790".
    """
    apart = [
        (distance, number, each)
        for number, ratio in enumerate(ratios)
        for each in text.find(ratio.to)
        if not _is_ruled_out(ratio, text, each)
        and (distance := find_distance(text.folded, each, span)) is not None
    ]
    amount = _first_amount(text.folded[span.value_start : span.value_end])
    if not apart or amount is None:
        return True
    _, number, near = min(apart)
    other = _first_amount(text.folded[near.value_start : near.value_end])
    if not other:
        return True
    share = amount / other
    if not SMALL_SHARE <= share <= 1 / SMALL_SHARE:
        share *= _thousands(text.folded, span, amount) / _thousands(text.folded, near, other)
    return ratios[number].at_least - ROUNDING <= share <= ratios[number].at_most + ROUNDING


def _thousands(text: str, span: Span, amount: float) -> float:
    """1000 for hundreds without a dollar sign, else 1."""
    return 1e3 if amount < 1e3 and "$" not in text[span.value_start : span.value_end] else 1.0


def _is_ruled_out(ratio: Ratio, text: RuleText, span: Span) -> bool:
    """Whether words just before an amount say that it is not the one to compare with."""
    low = max(0, span.value_start - WORDS_BEFORE)
    return ratio.unless.first(text.data[low : span.value_start]) is not None


def _first_amount(text: str) -> float | None:
    return next((number * MULTIPLES[unit] for number, unit in _amounts(text)), None)
