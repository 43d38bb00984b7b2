"""What a contract says of one clause: is it there, is it whole, is it blank, struck out, or only referred to?

Where a clause is looked for: sections whose heading a pack names (with their subsections), and sentences in
which a cue stands, with the sentence before and the two after. What all these places say is taken together.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, NamedTuple

from assay.metrics.clause_exclusions import (
    Exclusions,
    find_struck_out,
    is_within,
    may_say_more,
    titles_in,
)
from assay.metrics.clause_packs import Clause
from assay.metrics.clause_references import REFERENCE, Pointer, resolve, says_only_where_to_look
from assay.metrics.clause_terms import BLANK
from assay.metrics.clause_text import Contract, Section
from assay.metrics.rule_phrases import Phrases

Verdict = Literal["present", "partial", "blank", "empty", "excluded", "dangling", "missing", "not_applicable"]
MAX_PLACES = 12
"""Places of one clause that are looked at."""
MAX_PLACE_CHARS = 6_000
QUOTE_CHARS = 160
LEAD_REACH = 1_500
"""How far back the line is looked for that introduces a list."""
_LEAD = re.compile(r"[^\n]*:[*_ \t]*(?=\n)")
_MARK = re.compile(
    r"\s*(?:(?P<bullet>[-*+>\u2022\u25cf\u25aa\u2013])|(?P<row>\|)|(?P<number>\(?\d{1,2}[.)])|"
    r"(?P<letter>\(?(?:[a-z]|[ivx]{1,4})[.)]))"
)
_RECITAL = re.compile(
    r"(?:background|recitals?|introduction|preamble|whereas|definitions|interpretation)\b", re.IGNORECASE
)
_DEFINITION = re.compile(
    r"[\"'][^\"'\n]{2,60}[\"']\s*(?:also\s+)?(?:means?|includes?|refers\s+to|has\s+the\s+meaning|"
    r"shall\s+mean)\b|^\W*(?:and\s+)?whereas\b",
    re.IGNORECASE,
)
_BARE_NUMBER = re.compile(r"(?m)^\s*\d{1,3}(?:\.\d{1,3})*[.)]?\s*$")


class Place(NamedTuple):
    """Where a clause is looked for: `strict` is the part whose placeholders count, `body` where its text
    begins.
    """

    start: int
    end: int
    strict_start: int
    strict_end: int
    body: int
    section: Section | None
    cue_is_blank: bool = False
    """Whether the words by which a sentence was found hold a placeholder."""
    is_subject: bool = False
    """Whether the sentence points away from the clause, and says nothing of it."""

    @property
    def headed(self) -> bool:
        """Whether it is a section with a heading of the clause."""
        return self.body != self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseFinding:
    """What is said of one clause, with the place that shows it."""

    clause: Clause
    verdict: Verdict
    missing_elements: tuple[str, ...] = ()
    start: int | None = None
    end: int | None = None
    quote: str | None = None
    note: str | None = None

    def as_evidence(self, jurisdiction: str | None) -> dict[str, Any]:
        """The finding for a score's evidence."""
        found = {
            "clause": self.clause.id, "title": self.clause.title, "level": self.clause.level,
            "verdict": self.verdict, "missing_elements": list(self.missing_elements), "quote": self.quote,
            "start": self.start, "end": self.end, "source": self.clause.source_in(jurisdiction),
        }  # fmt: skip
        return {**found, "note": self.note} if self.note else found


@dataclass(frozen=True, slots=True)
class Looking:
    """A clause that is looked for in a contract; `said` is its text without the pointers that are lost."""

    contract: Contract
    clause: Clause
    lost: Sequence[Pointer]
    said: bytes


def check_clause(
    contract: Contract, clause: Clause, exclusions: Exclusions, lost: Sequence[Pointer] = ()
) -> ClauseFinding:
    """The verdict on one clause that applies; `lost` are the pointers to what is not in the text."""
    looking = Looking(contract, clause, lost, _without(contract.data, lost))
    places = list(_places(looking, exclusions))
    live = [place for place in places if not _is_excluded(looking, place, exclusions)]
    headed = [place for place in places if place.headed]
    if not live or (headed and not any(place.headed for place in live)):
        return _without_place(contract, clause, places, exclusions)
    full = [place for place in live if not _is_empty(looking, place)]
    missing = _unsaid(looking, full)
    if len(full) < len(live) and not any(place.headed for place in full) and (missing or not full):
        return _placed(contract, clause, "empty", live[0], tuple(clause.elements))
    if not clause.blanks_allowed and any(_is_blank(looking, place, missing) for place in full):
        return _placed(contract, clause, "blank", full[0], missing)
    return _said_or_referred(looking, full, missing)


def _without(data: bytes, pointers: Sequence[Pointer]) -> bytes:
    """The text with pointers to what is not there as spaces: they say nothing."""
    pieces, place = [], 0
    for pointer in pointers:
        if pointer.start >= place:
            pieces += [data[place : pointer.start], b" " * (pointer.end - pointer.start)]
            place = pointer.end
    return b"".join([*pieces, data[place:]])


def _is_blank(looking: Looking, place: Place, missing: tuple[str, ...]) -> bool:
    """A placeholder in a section of the clause, or in a sentence where something of it is missing."""
    if place.cue_is_blank:
        return True
    if not place.headed:
        own = place._replace(start=place.strict_start, end=place.strict_end, body=place.strict_start)
        if _is_foreign(looking.contract, looking.clause, place.strict_start):
            return False
        if not missing and not (looking.clause.elements and _unsaid(looking, [own])):
            return False
    return BLANK in looking.contract.flat[place.strict_start : place.strict_end]


def _said_or_referred(looking: Looking, live: Sequence[Place], missing: tuple[str, ...]) -> ClauseFinding:
    contract, clause = looking.contract, looking.clause
    targets = list(_targets(contract, live))
    more = [target for target in targets if target is not None and target not in live]
    if missing and more:
        missing = _unsaid(looking, [*live, *more])
    away = [place for place in live if _points_away(looking, place)]
    rest = [
        place for place in live if place not in away and not _is_foreign(contract, clause, place.strict_start)
    ]
    if any(place.headed for place in away):
        rest = [place for place in rest if place.headed]
    unsaid = _unsaid(looking, [*rest, *more])
    if away and (missing or unsaid or not rest):
        return _placed(contract, clause, "dangling", away[0], missing or unsaid or tuple(clause.elements))
    if missing and any(target is None for target in targets):
        return _placed(contract, clause, "dangling", live[0], missing)
    return _placed(contract, clause, "partial" if missing else "present", live[0], missing)


def _points_away(looking: Looking, place: Place) -> bool:
    """Whether a place says nothing but where to look, and that is not in the text."""
    start = place.body if place.headed else place.strict_start
    within = [
        (max(pointer.start, start) - start, pointer.end - start)
        for pointer in looking.lost
        if start <= pointer.end and pointer.start < place.strict_end
    ]
    if not within:
        return False
    known = looking.clause.title + " " + (place.section.title if place.section else "")
    return place.is_subject or says_only_where_to_look(
        looking.contract.flat[start : place.strict_end], within, known
    )


def _without_place(
    contract: Contract, clause: Clause, places: Sequence[Place], exclusions: Exclusions
) -> ClauseFinding:
    if places:
        return _placed(contract, clause, "excluded", places[0], ())
    for start, end in exclusions.sentences:
        sentence = contract.data[start:end]
        words = re.sub(rb"^[^a-zA-Z]*(?:the|special)\s+", b"", sentence)
        if any(clause.headings.first(part) is not None for part in titles_in(words)):
            return ClauseFinding(
                clause=clause, verdict="excluded", start=start, end=end, quote=_quote(contract, start, end)
            )
    return ClauseFinding(clause=clause, verdict="missing", missing_elements=tuple(clause.elements))


def _placed(
    contract: Contract, clause: Clause, verdict: Verdict, place: Place, missing: tuple[str, ...]
) -> ClauseFinding:
    start, end = place.start, min(place.end, place.start + MAX_PLACE_CHARS)
    while end > start and contract.raw[end - 1].isspace():
        end -= 1
    return ClauseFinding(
        clause=clause, verdict=verdict, missing_elements=missing, start=start, end=end,
        quote=_quote(contract, start, end),
    )  # fmt: skip


def _quote(contract: Contract, start: int, end: int) -> str:
    return " ".join(contract.raw[start : min(end, start + QUOTE_CHARS)].split())


def _places(looking: Looking, exclusions: Exclusions) -> Iterator[Place]:
    contract, clause = looking.contract, looking.clause
    headed = list(_headed(contract, clause))
    yield from headed
    covered = [(place.start, place.end) for place in headed]
    for place in _pointing(looking, covered):
        covered.append((place.strict_start, place.strict_end))
        yield place
    count = 0
    for start, end, in_order in _cues(contract, clause):
        first, last = contract.sentence(start, end)
        if is_within(start, covered) or is_within(first, exclusions.sentences):
            continue
        sentence = contract.data[first:last]
        if clause.not_cues.first(sentence) is not None:
            continue
        if in_order and clause.requires and clause.requires.first(sentence) is None:
            continue
        if _is_mention(looking, start, _sentence(contract, first, last)):
            continue
        count += 1
        if count > MAX_PLACES:
            return
        around = _sentence if clause.same_sentence else _around
        blank = BLANK in contract.flat[start:end] and not _is_foreign(contract, clause, start)
        yield around(contract, first, last)._replace(cue_is_blank=blank)


def _is_mention(looking: Looking, cue: int, sentence: Place) -> bool:
    """Whether a cue stands in a definition or a recital, and what the clause must say does not."""
    section = looking.contract.section_at(cue)
    opening = looking.contract.flat[slice(*looking.contract.paragraph(cue, cue))].lstrip()
    recital = _RECITAL.match(opening) or (section is not None and _RECITAL.match(section.title))
    text = looking.contract.flat[sentence.start : sentence.end]
    if not recital and _DEFINITION.search(text) is None:
        return False
    return not looking.clause.elements or bool(_unsaid(looking, [sentence]))


def _cues(contract: Contract, clause: Clause) -> Iterator[tuple[int, int, bool]]:
    """Where a cue stands (true), or the first part of what is said in one sentence in any order (false)."""
    spans = [(span.start, span.end, True) for span in clause.cues.find(contract.data, MAX_PLACES * 2)]
    for first, *others in clause.says:
        for span in first.find(contract.data, MAX_PLACES * 2):
            low, high = contract.sentence(span.start, span.end)
            found = [part.first(contract.data[low:high]) for part in others]
            if all(found):
                ends = [low + each.end for each in found if each]
                spans.append((span.start, max([span.end, *ends]), False))
    return iter(sorted(set(spans)))


def _pointing(looking: Looking, covered: Sequence[tuple[int, int]]) -> Iterator[Place]:
    """Sentences that say of the clause only that it is open, or stands in what is not in the text."""
    contract = looking.contract
    for pointer in looking.lost:
        if is_within(pointer.start, covered) or not any(
            names(looking.clause, each) for each in pointer.subject
        ):
            continue
        sentence = _sentence(contract, *contract.sentence(pointer.start, pointer.end))
        if BLANK in contract.flat[pointer.start : pointer.end]:
            yield sentence._replace(cue_is_blank=not _is_foreign(contract, looking.clause, pointer.start))
        else:
            says_nothing = not looking.clause.elements or bool(_unsaid(looking, [sentence]))
            yield sentence._replace(is_subject=says_nothing)


def _is_foreign(contract: Contract, clause: Clause, place: int) -> bool:
    """Whether a place stands under a heading of another clause."""
    section = contract.section_at(place)
    return section is not None and section.known and place < section.own and not names(clause, section.title)


def _headed(contract: Contract, clause: Clause) -> Iterator[Place]:
    count = 0
    for section in contract.sections:
        if not section.title or not names(clause, section.title):
            continue
        end = min(section.extent, section.start + MAX_PLACE_CHARS)
        count += 1
        if count > MAX_PLACES:
            return
        body = min(section.body, end)
        yield Place(
            section.start, end, section.start, _own_end(contract, clause, section, end), body, section
        )


def _own_end(contract: Contract, clause: Clause, section: Section, end: int) -> int:
    """Where what surely is the clause's own ends: before a part that is headed as another clause."""
    own = min(section.own, end)
    for part in contract.sections[_index_at(contract, section.start) :]:
        if part.start >= own or _is_foreign(contract, clause, part.start):
            return max(section.body, min(own, part.start))
    return own


def names(clause: Clause, title: str) -> bool:
    """Whether a heading is one that the pack knows for a clause."""
    data = title.encode("latin-1", "replace")
    return clause.headings.first(data) is not None and clause.not_headings.first(data) is None


def _sentence(contract: Contract, start: int, end: int) -> Place:
    return Place(start, end, start, end, start, contract.section_at(start))


def _around(contract: Contract, start: int, end: int) -> Place:
    """The sentence of a cue with one before and two after, in its paragraph."""
    low, high = contract.paragraph(start, end, reach=600)
    first = contract.sentence(max(low, start - 2), max(low + 1, start - 1))[0] if start - 2 > low else start
    last = end
    for _ in range(2):
        if last + 1 < high:
            last = min(high, contract.sentence(last, last + 1)[1])
    section = contract.section_at(start)
    first = min(first, start)
    return Place(first, max(last, end), start, end, first, section)


def _is_excluded(looking: Looking, place: Place, exclusions: Exclusions) -> bool:
    contract, clause = looking.contract, looking.clause
    section = place.section
    if section is not None and exclusions.strike_out(section.number):
        return True
    if not place.headed:
        return False
    text = contract.flat[place.body : place.strict_end].strip()
    found = find_struck_out(text)
    if found is None:
        return False
    if not clause.elements or not may_say_more(found):
        return True
    said = (
        phrases.first(contract.data[place.body : place.strict_end]) for phrases in clause.elements.values()
    )
    return any(span is None for span in said)


def _is_empty(looking: Looking, place: Place) -> bool:
    """A heading with nothing but marks after it, which says nothing itself."""
    contract, clause = looking.contract, looking.clause
    if not place.headed:
        return False
    text = _BARE_NUMBER.sub("", contract.flat[place.body : place.end])
    if any(char.isalnum() or char == BLANK for char in text):
        return False
    if clause.blanks_allowed:
        return (
            not (set(text) & set("_.")) and clause.cues.first(contract.data[place.start : place.body]) is None
        )
    return not clause.same_sentence or bool(_unsaid(looking, [place]))


def _unsaid(looking: Looking, places: Sequence[Place]) -> tuple[str, ...]:
    """The elements that none of some places says."""
    elements = looking.clause.elements.items()
    return tuple(
        name for name, phrases in elements if not any(_said(looking, phrases, each) for each in places)
    )


def _said(looking: Looking, phrases: Phrases, place: Place) -> bool:
    """Whether an element is said in a place; under a heading of the clause, as if the heading led the sentence."""
    texts = [looking.said[start : place.end] for start in dict.fromkeys((place.start, place.body))]
    if place.headed and place.section is not None:
        body = looking.said[place.body : place.end].replace(b"\n", b" ")
        texts.append(place.section.title.encode("latin-1", "replace") + b" " + body)
    if looking.clause.same_sentence:
        texts += [looking.said[start:end] for start, end in _leads(looking.contract, place)]
    return any(phrases.first(text) is not None for text in texts)


def _leads(contract: Contract, place: Place) -> Iterator[tuple[int, int]]:
    """What introduces the list that a place is in: a line that ends with a colon, and the headings above it."""
    low = max(0, place.start - LEAD_REACH)
    lines = list(_LEAD.finditer(contract.raw, low, place.start))
    if lines and _is_list(contract.raw[lines[-1].end() : place.start + 1]):
        yield lines[-1].span()
    level = 99
    for section in reversed(contract.sections[: _index_at(contract, place.start)]):
        if section.start < low:
            return
        if section.level < level and section.start <= place.start < section.extent:
            level = section.level
            yield section.start, section.body


def _is_list(text: str) -> bool:
    """Whether a text is items of one list: no paragraph without its mark, and no other mark after an empty line."""
    first, after_gap = None, False
    for line in text.split("\n"):
        if not line.strip():
            after_gap = True
            continue
        mark = _MARK.match(line)
        kind = mark.lastgroup if mark else None
        first = kind if first is None and kind else first
        if after_gap and first and kind != first:
            return False
        after_gap = False
    return True


def _index_at(contract: Contract, place: int) -> int:
    return bisect_right(contract.sections, place, key=lambda section: section.start)


def _targets(contract: Contract, places: Sequence[Place]) -> Iterator[Place | None]:
    """Each annexure or clause that the places refer to; None for one that is not in the contract."""
    for place in places:
        text = contract.flat[place.strict_start : place.strict_end]
        for found in islice(REFERENCE.finditer(text), MAX_PLACES):
            target = resolve(contract, found)
            if not isinstance(target, str):
                yield None if target is None else _whole(target, place)


def _whole(section: Section, place: Place) -> Place | None:
    if section.start <= place.start < section.extent:
        return place
    end = min(section.extent, section.start + MAX_PLACE_CHARS)
    return Place(section.start, end, section.start, end, section.body, section)
