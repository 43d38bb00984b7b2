"""References from one part of a contract to another: clauses, schedules, annexures."""

import re
from typing import Literal

from assay.metrics.clause_text import Contract, Section

REFERENCE = re.compile(
    r"\b(?:the\s+)?(?P<kind>schedule|annexure|appendix|exhibit|attachment|annex|addendum)\s+[\"(]?"
    r"(?P<label>[A-Z]|\d{1,2}|[IVX]{1,4})\b(?P<after>[^.\n]{0,50})"
    r"|\b(?P<the>the|attached|an?)\s+(?P<bare>schedule|annexure|appendix|exhibit|addendum|particulars|"
    r"term sheet|rider)\b"
    r"|\b(?P<clause>clause|section|item|paragraph|article|condition)\s+(?P<number>\d{1,3}(?:\.\d{1,3})*)\b(?P<rest>[^.\n]{0,50})",
    re.IGNORECASE,
)
_STATUTE = re.compile(
    r"^\s*(?:\(\w+\)\s*)*,?\s*(?:to|of|in|under)\s+(?:the\s+|that\s+)?[^.\n]*?\b(?:act|regulations?|code|general|standard)\b",
    re.IGNORECASE,
)
_NUMBER_FIRST = re.compile(r"^\s*\d+(?:\.\d+)*[.)]?\s")
_WORD = re.compile(r"[A-Za-z0-9$%]+")
_POINTING = frozenset(
    {
        "see", "refer", "refers", "referred", "to", "as", "set", "out", "in", "described",
        "specified", "per", "according", "the", "is", "are", "be", "detailed", "stated", "listed",
        "provided", "contained", "shown", "below", "attached", "hereto", "of", "this", "contract",
        "agreement", "lease", "with", "a", "and", "by", "under", "details", "particulars", "full",
        "more", "for", "item",
    }
)  # fmt: skip
"""Words that say nothing but where to look."""


def says_only_where_to_look(text: str) -> bool:
    """Whether nothing but references is said."""
    rest = _NUMBER_FIRST.sub(" ", REFERENCE.sub(" ", text))
    return all(word.lower() in _POINTING for word in _WORD.findall(rest))


def resolve(contract: Contract, found: re.Match[str]) -> Section | Literal["ignored"] | None:
    """The section that a reference names; "ignored" for what is outside the contract on its face."""
    if found["clause"]:
        if _STATUTE.match(found["rest"]) or found["clause"].lower() == "section":
            return "ignored"
        return _section_with(contract, found["number"].lower())
    if found["bare"]:
        kind = found["bare"].lower()
        return next(
            (each for each in contract.sections if each.number.startswith(kind) or _is_named(each, kind)),
            None,
        )
    if _STATUTE.match(found["after"]):
        return "ignored"
    return _section_with(contract, f"{found['kind']} {found['label']}".lower())


def _is_named(section: Section, kind: str) -> bool:
    return section.title.lower().startswith(kind) or section.title.lower().endswith(kind)


def _section_with(contract: Contract, number: str) -> Section | None:
    for section in contract.sections:
        if section.number == number and contract.flat[section.start : section.extent].strip():
            return section
    return None
