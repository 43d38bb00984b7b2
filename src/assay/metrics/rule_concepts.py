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
        reach: 80                                     at most so far apart; left out: REACH

In `all` the list ["{when}"] stands for the rule's own `when`: rules about different things can share groups.

A match of the last list is looked at in its own sentence; for two sentences also with the line that leads
into its list or heads its table, and with a neighbouring sentence. It counts when each other list has a match
there, at most `reach` characters away, and no rival is nearer to it than the nearest match of the first list
(a rival that is a part of the match is none).
Ends of clauses count as distance; a line that leads into a list is as far as can be.

No single word says whether a text is on the occasion that a rule is about (it explains a sale). Occasions do:

    occasions:
      - all: [["{seller}"], ["{steps}"]]              one of each of these lists, anywhere in the text
        of: [[agent*], [photo*], [offer*], [settle*]] of these lists so many: each is one thing
        at_least: 3
        together: [{all: [[...], [...]]}]             and one of these groups, if there are any
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.metrics.rule_phrases import Phrases, Span
from assay.metrics.rule_text import Place, RuleText, find_distance

REACH = 520
"""Characters, with what ends of clauses count, between two matches that can belong together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Lists of which each must match in one place; see the module."""

    all: tuple[Phrases, ...]
    none: Phrases
    rivals: Phrases
    gap_not: Phrases
    sentences: int
    in_order: bool
    reach: int = REACH
    """Characters, with what ends of clauses count, between a match of the last list and its partners."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What a text must speak of for a rule to apply; see the module."""

    all: tuple[Phrases, ...]
    of: tuple[Phrases, ...]
    at_least: int
    together: tuple[Together, ...]


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
            found = [_nearest(text, place, each, last, group.reach) for each in marks]
            partners = [each for each in found if each is not None]
            if len(partners) < len(found):
                continue
            rival = _nearest(text, place, [each for each in rivals if not _is_part(each, last)], last)
            span = _cover(partners, last, place[-1][0])
            if _is_free(group, text, place, span) and not _is_rivals(text, place, partners, rival, last):
                yield span
            break


def _is_part(span: Span, whole: Span) -> bool:
    """Whether a match is a part of another, as "school" is of "school-age children"."""
    return whole.start <= span.start and span.end <= whole.end and span[:2] != whole[:2]


def _before(spans: Sequence[Span], last: Span) -> Sequence[Span]:
    return [span for span in spans if span.end <= last.start]


def _far(text: RuleText, place: Place, one: Span, other: Span) -> int:
    """How far two matches are apart in a place; more than REACH when not both are there."""
    if not any(low <= one.start < high for low, high in place):
        return REACH + 1
    if one.start < place[-1][0]:
        return REACH
    return find_distance(text.folded, one, other) or 0


def _nearest(
    text: RuleText, place: Place, spans: Sequence[Span], last: Span, reach: int = REACH
) -> Span | None:
    near = min(spans, key=lambda span: _far(text, place, span, last), default=None)
    return None if near is None or _far(text, place, near, last) > reach else near


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


def is_occasion(occasion: Occasion, text: RuleText) -> bool:
    """Whether a text speaks of all that an occasion asks for."""
    if any(text.find_first(phrases) is None for phrases in occasion.all):
        return False
    if sum(text.find_first(phrases) is not None for phrases in occasion.of) < occasion.at_least:
        return False
    return not occasion.together or any(
        next(find_together(group, text), None) is not None for group in occasion.together
    )
