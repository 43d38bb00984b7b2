"""Concepts of a rule: what stands together in a sentence in any order, and how two amounts compare.

A phrase says which words follow which. Writers vary that without end; what stays is that a sentence speaks
of two or three things at once: of changing one's mind, and of a number of days. A group of a rule says so:

    together:
      - all: [["{cool}"], ["re:(?P<value>{days})"]]   one of each of these lists
        none: [deposit]                               none of these there
        rivals: [settle*, finance]                    whose the last list's match may be instead
        gap_not: [unless]                             none of these between the matches
        sentences: 2                                  within so many sentences on end, 1 or 2
        in_order: true                                the last list's match comes last

A match of the last list is looked at in its own sentence; for two sentences also with the line that leads
into its list or heads its table, and with a neighbouring sentence. It counts when each other list has a match
there, at most REACH characters away, and no rival is nearer to it than the nearest match of the first list.
Ends of clauses count as distance; a line that leads into a list is as far as can be.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.metrics.rule_phrases import Phrases, Span
from assay.metrics.rule_text import Place, RuleText, find_distance

REACH = 520
"""Characters, with what ends of clauses count, between two matches that can belong together."""
MULTIPLES = {"": 1.0, "k": 1e3, "thousand": 1e3, "grand": 1e3, "m": 1e6, "mil": 1e6, "million": 1e6}
PARTS = {
    "low": 0.2, "lower": 0.2, "early": 0.2, "mid": 0.5, "middle": 0.5, "high": 0.8, "higher": 0.8,
    "upper": 0.8, "late": 0.8,
}  # fmt: skip
"""How far into its hundred thousands, or whatever its last digit counts, "the low $500s" is read to be."""
ROUNDING = 1e-9
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
class Together:
    """Lists of which each must match in one place; see the module."""

    all: tuple[Phrases, ...]
    none: Phrases
    rivals: Phrases
    gap_not: Phrases
    sentences: int
    in_order: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Bounds of an amount over the nearest amount that `to` finds."""

    to: Phrases
    at_least: float
    at_most: float


def find_together(group: Together, text: RuleText) -> Iterator[Span]:
    """Each match of the last list that stands with matches of the others, as one span over all of them.

    The value is that of the last list's match; the span has no part in a line that leads into a list.
    """
    *others, lasts = [text.find(phrases) for phrases in group.all]
    if not lasts or not all(others):
        return
    rivals = text.find(group.rivals)
    for last in lasts:
        marks = [_before(each, last) for each in others] if group.in_order else others
        for place in text.places(last.start, group.sentences):
            found = [_nearest(text, place, each, last) for each in marks]
            partners = [each for each in found if each is not None]
            if len(partners) < len(found):
                continue
            rival = _nearest(text, place, rivals, last)
            span = _cover(partners, last, place[-1][0])
            if _is_free(group, text, place, span) and not _is_rivals(text, place, partners, rival, last):
                yield span
            break


def _before(spans: Sequence[Span], last: Span) -> Sequence[Span]:
    return [span for span in spans if span.end <= last.start]


def _far(text: RuleText, place: Place, one: Span, other: Span) -> int:
    """How far two matches are apart in a place; more than REACH when not both are there."""
    if not any(low <= one.start < high for low, high in place):
        return REACH + 1
    if one.start < place[-1][0]:
        return REACH
    return find_distance(text.folded, one, other) or 0


def _nearest(text: RuleText, place: Place, spans: Sequence[Span], last: Span) -> Span | None:
    near = min(spans, key=lambda span: _far(text, place, span, last), default=None)
    return None if near is None or _far(text, place, near, last) > REACH else near


def _is_free(group: Together, text: RuleText, place: Place, span: Span) -> bool:
    """Whether nothing stands there, or in between, that may not."""
    if any(group.none.first(text.data[low:high]) is not None for low, high in place):
        return False
    return group.gap_not.first(text.data[span.gap_start : span.gap_end]) is None


def _is_rivals(
    text: RuleText, place: Place, partners: Sequence[Span], rival: Span | None, last: Span
) -> bool:
    if rival is None or not partners:
        return False
    return _far(text, place, rival, last) < _far(text, place, partners[0], last)


def _cover(partners: Sequence[Span], last: Span, low: int) -> Span:
    """All matches from an offset on as one, with what stands between the outer two as its gap."""
    spans = sorted([*(span for span in partners if span.start >= low), last])
    start, end = spans[0].start, max(span.end for span in spans)
    value = (last.value_start, last.value_end) if last.valued else (start, end)
    gap = (min(spans[0].end, spans[-1].start), spans[-1].start)
    return Span(start, end, *value, *gap, last.valued)


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

    Also where there is no amount to compare it with. Hundreds beside hundreds of thousands are thousands:
    "she wants $830,000, say 790".
    """
    apart = [
        (distance, number, each)
        for number, ratio in enumerate(ratios)
        for each in text.find(ratio.to)
        if (distance := find_distance(text.folded, each, span)) is not None
    ]
    amount = _first_amount(text.folded[span.value_start : span.value_end])
    if not apart or amount is None:
        return True
    _, number, near = min(apart)
    other = _first_amount(text.folded[near.value_start : near.value_end])
    if not other:
        return True
    if min(amount, other) < 1e3 <= max(amount, other) / 100:
        amount, other = (each * 1e3 if each < 1e3 else each for each in (amount, other))
    return ratios[number].at_least - ROUNDING <= amount / other <= ratios[number].at_most + ROUNDING


def _first_amount(text: str) -> float | None:
    return next((number * MULTIPLES[unit] for number, unit in _amounts(text)), None)
