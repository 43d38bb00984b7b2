"""Where a clause is looked for in a contract, and what is said there.

Sections whose heading a pack names (with their subsections), sentences in which a cue stands or all parts of
a thing are said, with the sentence before and the two after, and sentences that only point elsewhere.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from assay.metrics.clause_exclusions import Exclusions, is_within
from assay.metrics.clause_packs import Clause
from assay.metrics.clause_references import Pointer
from assay.metrics.clause_terms import BLANK
from assay.metrics.clause_text import Contract, Section
from assay.metrics.rule_phrases import Phrases

MAX_PLACES = 12
"""Places of one clause that are looked at."""
MAX_PLACE_CHARS = 6_000
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


@dataclass(frozen=True, slots=True)
class Looking:
    """A clause that is looked for in a contract; `said` is its text without the pointers that are lost."""

    contract: Contract
    clause: Clause
    pointers: Sequence[Pointer]
    said: bytes


def find_places(looking: Looking, exclusions: Exclusions) -> Iterator[Place]:
    """Each place of a clause: sections first, then sentences, those that are struck out left away."""
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
        if _is_of_another_block(contract, start, end):
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
        blank = BLANK in contract.flat[start:end] and not is_foreign(contract, clause, start)
        yield around(contract, first, last)._replace(cue_is_blank=blank)


def _is_of_another_block(contract: Contract, start: int, end: int) -> bool:
    """Whether a cue takes a placeholder from below the heading or the empty line that ends its own words."""
    if BLANK not in contract.flat[start:end]:
        return False
    blank = contract.flat.index(BLANK, start, end)
    section = contract.section_at(start)
    before = contract.raw[start:blank].lstrip()
    is_below = section is not None and start < section.body <= blank and "\n" in before
    return is_below or "\n\n" in before


def _is_mention(looking: Looking, cue: int, sentence: Place) -> bool:
    """Whether a cue stands in a definition or a recital, and what the clause must say does not."""
    section = looking.contract.section_at(cue)
    opening = looking.contract.flat[slice(*looking.contract.paragraph(cue, cue))].lstrip()
    recital = _RECITAL.match(opening) or (section is not None and _RECITAL.match(section.title))
    text = looking.contract.flat[sentence.start : sentence.end]
    if not recital and _DEFINITION.search(text) is None:
        return False
    return not looking.clause.elements or bool(unsaid(looking, [sentence]))


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
    """Sentences that say of the clause that it is open, or only where it stands."""
    contract, clause = looking.contract, looking.clause
    for pointer in looking.pointers:
        if is_within(pointer.start, covered) or not any(names(clause, each) for each in pointer.subject):
            continue
        sentence = _sentence(contract, *contract.sentence(pointer.start, pointer.end))
        if pointer.kind == "blank":
            section = sentence.section
            is_line_of_its_own = section is None or sentence.start > section.body
            foreign = not is_line_of_its_own and is_foreign(contract, clause, pointer.start)
            yield sentence._replace(cue_is_blank=not foreign)
        else:
            is_subject = pointer.kind == "lost" and (not clause.elements or bool(unsaid(looking, [sentence])))
            yield sentence._replace(is_subject=is_subject)


def is_foreign(contract: Contract, clause: Clause, place: int) -> bool:
    """Whether a place stands under a heading of another clause."""
    section = contract.section_at(place)
    return section is not None and section.known and place < section.own and not names(clause, section.title)


def _headed(contract: Contract, clause: Clause) -> Iterator[Place]:
    count = 0
    titles = {section.title for section in contract.sections if section.known and section.title}
    named = {title for title in titles if names(clause, title)}
    for section in contract.sections if named else ():
        if section.title not in named:
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
        if part.start >= own or is_foreign(contract, clause, part.start):
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
    section = contract.section_at(start)
    if section is not None and start >= section.own:
        low = max(low, section.own)
    first = contract.sentence(max(low, start - 2), max(low + 1, start - 1))[0] if start - 2 > low else start
    last = end
    for _ in range(2):
        if last + 1 < high:
            last = min(high, contract.sentence(last, last + 1)[1])
    first = min(first, start)
    return Place(first, max(last, end), start, end, first, section)


def unsaid(looking: Looking, places: Sequence[Place]) -> tuple[str, ...]:
    """The elements that none of some places says."""
    elements = looking.clause.elements.items()
    return tuple(
        name for name, phrases in elements if not any(_said(looking, phrases, each) for each in places)
    )


def _said(looking: Looking, phrases: Phrases, place: Place) -> bool:
    """Whether an element is said in a place; a heading of the clause leads what stands under it."""
    return any(phrases.first(text) is not None for text in _texts(looking, place))


def _texts(looking: Looking, place: Place) -> Iterator[bytes]:
    for start in dict.fromkeys((place.start, place.body)):
        yield looking.said[start : place.end]
    if place.headed and place.section is not None:
        body = looking.said[place.body : place.end].replace(b"\n", b" ")
        yield place.section.title.encode("latin-1", "replace") + b" " + body
    if looking.clause.same_sentence:
        yield from (looking.said[start:end] for start, end in _leads(looking.contract, place))


def _leads(contract: Contract, place: Place) -> Iterator[tuple[int, int]]:
    """What introduces the list that a place is in: a line ending with a colon, and the headings above."""
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
    """Whether a text is items of one list: no text without its mark after an empty line."""
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
