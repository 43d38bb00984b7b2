"""References from one part of a contract to another: clauses, schedules, annexures.

A pointer is a reference that says where something is said in place of saying it: "as set out in Schedule
1", "see Annexure B", "in accordance with clause 9". Where its target is not in the text it is lost, and what
it points away from is not said. "Attached as Annexure C" is no pointer: papers are attached, not written in.
"""

import re
from collections.abc import Collection, Iterator
from itertools import islice
from typing import Literal, NamedTuple

from assay.metrics.clause_headings import ORDINALS, plain_label
from assay.metrics.clause_terms import BLANK
from assay.metrics.clause_text import Contract, Section

MAX_POINTERS = 200
MAX_REFERENCES = 1000
LEAD_REACH = 60
SUBJECT_REACH = 160
LINK_REACH = 30
MIN_SUBJECT_CHARS, SUBJECT_CHARS = 3, 80
_PAPERS = (
    r"schedule|annexure|appendix|exhibit|addendum|particulars|term sheet|rider|statement of work|work order|"
    r"rate card|price list|proposal|quotation|quote"
)
REFERENCE = re.compile(
    r"\b(?:the\s+)?(?P<kind>schedule|annexure|appendix|exhibit|attachment|annex|addendum|rider)\s+[\"(]?"
    r"(?P<label>[A-Z]|\d{1,2}|[IVX]{1,4}|one|two|three|four|five)\b(?=(?P<after>[^.\n]{0,50}))"
    rf"|\b(?:the\s+)?(?P<ordinal>{'|'.join(ORDINALS)})\s+(?P<ranked>schedule|annexure|"
    rf"appendix)\b(?=(?P<behind>[^.\n]{{0,50}}))"
    rf"|\b(?P<the>the|attached|an?|our|your)\s+(?:(?:attached|annexed|enclosed|reference|fee|fees|item|"
    rf"lease|property|services|"
    rf"pricing|agreed)\s+){{0,2}}(?P<bare>{_PAPERS})\b"
    r"|\b(?P<clause>(?:special\s+)?(?:clause|condition)|section|item|paragraph|"
    r"article)\s+(?P<number>\d{1,3}(?:\.\d{1,3})*)\b(?=(?P<rest>[^.\n]{0,50}))",
    re.IGNORECASE,
)
_STATUTE = re.compile(
    r"^\s*(?:\(\w+\)\s*)*,?\s*(?:to|of|in|under)\s+(?:the\s+|that\s+)?[^.\n]*?\b(?:act|regulations?|code|"
    r"general|standard)\b",
    re.IGNORECASE,
)
_IN_HERE = re.compile(
    r"^\s*(?:of|in)\s+this\s+(?:contract|agreement|lease|deed)\b|^\s*(?:below|above)\b", re.IGNORECASE
)
_LEAD = re.compile(
    r"(?:\b(?:as|is|are|being|be|will|shall|which|that|more|fully|particularly|further|only|separately|"
    r"all)\s+)*"
    r"(?:\b(?:described|set\s+(?:out|forth|down)|specified|stated|listed|detailed|dealt\s+with|contained|"
    r"provided|provided\s+for|"
    r"shown|identified|defined|outlined|recorded|noted|governed|covered|addressed|regulated|found|"
    r"itemi[sz]ed|named|given|"
    r"appears?|agreed|mentioned|explained|laid\s+down|referred\s+to|those|written)\s+(?:up\s+)?(?:in|by|"
    r"under|at|on|to)|"
    r"\bin\s+accordance\s+with|\b(?:as\s+)?per|\baccording\s+to|\bpursuant\s+to|\bas\s+(?:in|for|under)|"
    r"\bsee|\brefers?\s+to|"
    r"\breference\s+is\s+made\s+to|\b(?P<weak>in|under|from|by|to|at))\s+(?:also\s+)?(?:the\s+)?$",
    re.IGNORECASE,
)
_ATTACHED = re.compile(
    r"\b(?:attach|annex|enclos|append|accompan|form(?:s|ing)?\s+part)\w*[^.\n]{0,30}$", re.IGNORECASE
)
_FOLLOWS = re.compile(
    r"\s+(?:applies|appl(?:y|ies)|sets?\s+out|describes?|lists?|contains?|says|states?|specif(?:y|ies)|"
    r"deals?\s+with)\b",
    re.IGNORECASE,
)
_BLANK_RUN = re.compile(rf"{BLANK}{{2,}}")
_BEFORE_BLANK = re.compile(
    r"\s*(?:\b(?:is|are|(?:shall|will|must)\s+be)\b\s*(?:still\s+|yet\s+)?|[:=|-]\s*)(?P<blank>[$%]?\s?)$"
)
_NUMBER_FIRST = re.compile(r"^\s*\d+(?:\.\d+)*[.)]?\s")
_WORD = re.compile(r"[A-Za-z0-9$%]+")
_DETERMINER = re.compile(
    r"\b(?:the|an?|its|their|his|her|your|our|all|any|those|these|and|for|to|of|on|about|regarding|"
    r"concerning|pays?|buys?|sells?)\s+",
    re.IGNORECASE,
)
_BELONGS = re.compile(
    r"(?<!details)(?<!description)(?<!particulars)(?<!terms)(?<!amount)(?<!scope)(?<!nature)(?<!provisions)(?<!date)(?<!list)"
    r"\s+of\s+(?:the\s+|this\s+)?$",
    re.IGNORECASE,
)
"""Of what something is: "the estimate of the price of the property" is an estimate."""
_SUBJECT_START = re.compile(r"[\n:;,]|[.]\s")
_SUBJECT_END = re.compile(
    r"[\s,:-]*(?:\b(?:(?:is|are|be|will|shall|must|which|that|has|have|been|means)\b\s*)+)?[\s,:-]*$",
    re.IGNORECASE,
)
_POINTING = frozenset(
    {
        "please", "kindly", "find", "can", "should", "read", "look", "consult", "there", "here", "found",
        "separately", "separate", "document", "following", "governed", "covered", "only", "entirely",
        "see", "refer", "refers", "referred", "to", "as", "set", "out", "in", "described", "specified",
        "per", "according", "the", "is", "are", "be", "detailed", "stated", "listed", "provided",
        "contained", "shown", "below", "attached", "hereto", "of", "this", "contract", "agreement",
        "lease", "with", "a", "and", "by", "under", "details", "particulars", "full", "more", "for",
        "item", "on", "at", "that", "which", "will", "shall", "must", "may", "its", "their", "your",
        "our", "we", "you", "it", "they", "has", "have", "been", "all", "any", "also", "terms", "agrees",
        "agree", "offers", "sells", "sell", "buys", "buy", "pays", "pay", "paid", "payable", "leases",
        "lets", "let", "rents", "rent", "hires", "takes", "perform", "performs", "provide", "provides",
        "supply", "supplies", "deliver", "delivers", "carry", "carries", "do", "does", "undertake",
        "undertakes", "comply", "complies", "apply", "applies", "dealt", "matters", "about", "from",
        "same", "manner", "way", "amount", "amounts", "parties", "party", "both", "each", "s", "vendor",
        "seller", "purchaser", "buyer", "landlord", "lessor", "tenant", "lessee", "renter", "agent",
        "client", "principal", "contractor", "consultant", "provider", "customer", "supplier", "company",
        "owner", "licensee",
    }
)  # fmt: skip
"""Words that say nothing but who is to look where."""


class Pointer(NamedTuple):
    """A reference or a blank in place of a statement, and what it is about."""

    start: int
    end: int
    kind: Literal["found", "lost", "blank"]
    subject: tuple[str, ...]


def find_pointers(contract: Contract) -> tuple[Pointer, ...]:
    """In order of place: references to what is in the text and what is not, and blanks."""
    found = [*islice(_references(contract), MAX_POINTERS), *islice(_blanks(contract), MAX_POINTERS)]
    return tuple(sorted(found))


def _references(contract: Contract) -> Iterator[Pointer]:
    for found in islice(REFERENCE.finditer(contract.flat), MAX_REFERENCES):
        target = resolve(contract, found)
        if target == "ignored":
            continue
        low = contract.flat.rfind("\n", 0, found.start()) + 1
        before = contract.flat[max(low, found.start() - LEAD_REACH) : found.start()]
        lead = _LEAD.search(before)
        if lead is None and _FOLLOWS.match(contract.flat, _end(found)) is None:
            continue
        if lead is not None and (_ATTACHED.search(before) or (lead["weak"] and found["clause"])):
            continue
        start = found.start() - (len(before) - lead.start() if lead else 0)
        subjects = _subjects(contract.flat[max(low, start - SUBJECT_REACH) : start])
        yield Pointer(start, _end(found), "found" if target else "lost", subjects)


def _end(found: re.Match[str]) -> int:
    """Where the reference itself ends, without what was read to see whether a statute is meant."""
    return max(found.end(name) for name in ("label", "ranked", "bare", "number"))


def _subjects(before: str) -> tuple[str, ...]:
    """What may be pointed away from: the words before the pointer, whole and from each article."""
    starts = [each.end() for each in _SUBJECT_START.finditer(before.rstrip(" ,:-"))]
    words = _SUBJECT_END.sub("", before[starts[-1] if starts else 0 :]).strip()
    words = _NUMBER_FIRST.sub("", words + " ").strip()
    places = [0, *(each.end() for each in _DETERMINER.finditer(words))]
    heads = [place for place in places if _BELONGS.search(words, 0, place) is None]
    return tuple(dict.fromkeys(words[place:] for place in heads[-4:] if words[place:]))


def _blanks(contract: Contract) -> Iterator[Pointer]:
    text = contract.flat
    for run in _BLANK_RUN.finditer(text):
        link = _BEFORE_BLANK.search(text, max(0, run.start() - LINK_REACH), run.start())
        if link is None:
            continue
        before = text[max(0, link.start() - SUBJECT_CHARS) : link.start()]
        subject = before[1 + max(before.rfind(mark) for mark in (*"\n.;:", BLANK)) :]
        if len(subject) >= MIN_SUBJECT_CHARS:
            yield Pointer(link.start("blank"), run.end(), "blank", _subjects(subject))


def says_only_where_to_look(text: str, pointers: Collection[tuple[int, int]] = (), known: str = "") -> bool:
    """Whether nothing but references is said; `known` has words that do not count, as those of the title."""
    for start, end in sorted(pointers, reverse=True):
        text = text[:start] + " " + text[end:]
    rest = _NUMBER_FIRST.sub(" ", REFERENCE.sub(" ", text))
    own = {word.lower() for word in _WORD.findall(known)}
    return all(word.lower() in _POINTING or word.lower() in own for word in _WORD.findall(rest))


def resolve(contract: Contract, found: re.Match[str]) -> Section | Literal["ignored"] | None:
    """The section that a reference names; "ignored" for what is outside the contract on its face."""
    if found["clause"]:
        word = found["clause"].lower()
        if _STATUTE.match(found["rest"]) or (word == "section" and not _IN_HERE.match(found["rest"])):
            return "ignored"
        return _section_with(contract, found["number"].lower())
    if found["bare"]:
        kind = found["bare"].lower()
        return next(
            (each for each in contract.sections if each.number.startswith(kind) or _is_named(each, kind)),
            None,
        )
    if _STATUTE.match(found["after"] or found["behind"] or ""):
        return "ignored"
    kind = (found["kind"] or found["ranked"]).lower()
    label = plain_label(found["label"] or found["ordinal"])
    section = _section_with(contract, f"{kind} {label}")
    return section or (_section_with(contract, kind) if label in ("1", "a") else None)


def _is_named(section: Section, kind: str) -> bool:
    return section.title.lower().startswith(kind) or section.title.lower().endswith(kind)


def _section_with(contract: Contract, number: str) -> Section | None:
    for section in contract.sections:
        if section.number == number and contract.flat[section.start : section.extent].strip():
            return section
    return None
