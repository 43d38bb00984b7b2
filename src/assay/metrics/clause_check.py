"""What a contract says of one clause: is it there, is it whole, is it blank, struck out, or only referred to?

What all places of a clause say is taken together (see `assay.metrics.clause_places`).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from assay.metrics.clause_exclusions import (
    Exclusions,
    find_struck_out,
    may_say_more,
    titles_in,
)
from assay.metrics.clause_packs import Clause
from assay.metrics.clause_places import (
    MAX_PLACE_CHARS,
    MAX_PLACES,
    Looking,
    Place,
    find_places,
    is_foreign,
    unsaid,
)
from assay.metrics.clause_references import REFERENCE, Pointer, resolve, says_only_where_to_look
from assay.metrics.clause_terms import BLANK
from assay.metrics.clause_text import Contract, Section

Verdict = Literal["present", "partial", "blank", "empty", "excluded", "dangling", "missing", "not_applicable"]
QUOTE_CHARS = 160
_BARE_NUMBER = re.compile(r"(?m)^\s*\d{1,3}(?:\.\d{1,3})*[.)]?\s*$")


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


def check_clause(
    contract: Contract, clause: Clause, exclusions: Exclusions, pointers: Sequence[Pointer] = ()
) -> ClauseFinding:
    """The verdict on one clause that applies; `pointers` are those of the contract."""
    looking = Looking(contract, clause, pointers, _without_lost(contract.data, pointers))
    places = list(find_places(looking, exclusions))
    live = [place for place in places if not _is_excluded(looking, place, exclusions)]
    headed = [place for place in places if place.headed]
    if not live or (headed and not any(place.headed for place in live)):
        return _without_place(contract, clause, places, exclusions)
    full = [place for place in live if not _is_empty(looking, place)]
    missing = unsaid(looking, full)
    if len(full) < len(live) and not any(place.headed for place in full) and (missing or not full):
        return _placed(contract, clause, "empty", live[0], tuple(clause.elements))
    if not clause.blanks_allowed and any(_is_blank(looking, place, missing) for place in full):
        return _placed(contract, clause, "blank", full[0], missing)
    return _said_or_referred(looking, full, missing)


def _without_lost(data: bytes, pointers: Sequence[Pointer]) -> bytes:
    """The text with pointers to what is not there as spaces: they say nothing."""
    pieces, place = [], 0
    for pointer in pointers:
        if pointer.kind == "lost" and pointer.start >= place:
            pieces += [data[place : pointer.start], b" " * (pointer.end - pointer.start)]
            place = pointer.end
    return b"".join([*pieces, data[place:]])


def _is_blank(looking: Looking, place: Place, missing: tuple[str, ...]) -> bool:
    """A placeholder in a section of the clause, or in a sentence where something of it is missing."""
    if place.cue_is_blank:
        return True
    if not place.headed:
        own = place._replace(start=place.strict_start, end=place.strict_end, body=place.strict_start)
        if is_foreign(looking.contract, looking.clause, place.strict_start):
            return False
        if not missing and not (looking.clause.elements and unsaid(looking, [own])):
            return False
    return BLANK in looking.contract.flat[place.strict_start : place.strict_end]


def _said_or_referred(looking: Looking, live: Sequence[Place], missing: tuple[str, ...]) -> ClauseFinding:
    contract, clause = looking.contract, looking.clause
    targets = list(_targets(contract, live))
    more = [target for target in targets if target is not None and target not in live]
    if missing and more:
        missing = unsaid(looking, [*live, *more])
    away = [place for place in live if _points_away(looking, place)]
    rest = [
        place for place in live if place not in away and not is_foreign(contract, clause, place.strict_start)
    ]
    if any(place.headed for place in away):
        rest = [place for place in rest if place.headed]
    left = unsaid(looking, [*rest, *more])
    if away and (missing or left or not rest):
        return _placed(contract, clause, "dangling", away[0], missing or left or tuple(clause.elements))
    if missing and any(target is None for target in targets):
        return _placed(contract, clause, "dangling", live[0], missing)
    return _placed(contract, clause, "partial" if missing else "present", live[0], missing)


def _points_away(looking: Looking, place: Place) -> bool:
    """Whether a place says nothing but where to look, and that is not in the text."""
    start = place.body if place.headed else place.strict_start
    within = [
        (max(pointer.start, start) - start, pointer.end - start)
        for pointer in looking.pointers
        if pointer.kind == "lost" and start <= pointer.end and pointer.start < place.strict_end
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
        titles = titles_in(contract.flat[start:end])
        if any(clause.headings.first(title.encode("latin-1", "replace")) for title in titles):
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


def _is_excluded(looking: Looking, place: Place, exclusions: Exclusions) -> bool:
    contract, clause = looking.contract, looking.clause
    section = place.section
    if section is not None and exclusions.strike_out(contract, section):
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
    return not clause.same_sentence or bool(unsaid(looking, [place]))


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
