"""What a contract strikes out: "Deleted", "Not applicable", "clause 12 is deleted"."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.metrics.clause_text import Contract

EXCLUDED_CHARS = 160
"""A section that says more than this is not struck out by its first words."""
MAX_SENTENCES = 200
_STRUCK_OUT = re.compile(
    r"[\s:.\-(\[*_|]*(?:\d{1,3}(?:\.\d{1,3})*[.)]?\s+)?(?:(?:this |the )?(?:clause|section|item|condition|"
    r"part|provision)"
    r" (?:is |has been |was )?(?:hereby )?)?(?:intentionally |deliberately |expressly |wholly )*(?:left )?"
    r"(?:deleted|omitted|excluded|struck(?: (?:out|through|off))?\b|crossed (?:out|through)|not (?:used|"
    r"adopted|included|required|needed)\b|"
    r"left (?:blank|out)|removed|reserved\b|withdrawn|does not apply|not appl(?:icable|y)|out\b|"
    r"n\.?/?a\b|inapplicable|void|nil\.?\s*$|none\.?\s*$|no longer (?:applies|required|needed))",
    re.IGNORECASE,
)
_THIS_IS_OUT = re.compile(
    r"\bthis (?:clause|section|item|condition|provision) (?:(?:is|has been|was) (?:hereby |intentionally )?"
    r"(?:deleted|omitted|excluded|removed|withdrawn|struck(?: out| through)?|crossed out|left out)|"
    r"does not apply|is not applicable)|"
    r"\b(?:we|the parties|both parties) (?:have )?(?:agreed|decided) (?:to (?:delete|strike out|leave out|"
    r"omit|remove)|"
    r"(?:that )?(?:this|the) (?:clause|section|item|condition) (?:is|be|will be) )",
    re.IGNORECASE,
)
_MAY_SAY_MORE = re.compile(
    r"\b(?:not applicable|n/?a|nil|none|excluded|inapplicable|not (?:required|needed|included))\b",
    re.IGNORECASE,
)
_EXCLUSION = re.compile(
    r"\b(?:clauses?|sections?|conditions?|items?|paragraphs?|provisions?|terms?)\b[^.\n]{0,120}?\b(?:(?:is|"
    r"are|was|were|"
    r"has been|have been|shall be|to be)\s+(?:hereby\s+|expressly\s+|wholly\s+|"
    r"intentionally\s+)?(?:deleted|excluded|omitted|struck"
    r"(?:\s+out)?|removed|not applicable)|(?:does|do|shall|will)\s+not\s+(?:apply|form part))|"
    r"\b(?:delete|strike out|omit)s?\s+(?:clauses?|conditions?|items?|sections?|paragraphs?)\b[^.\n]{0,60}",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"\b(?:of|in|to|under)\s+(?:the\s+)?[^.\n]{0,40}?(?:general|standard|act\b|regulation|code|"
    r"terms of contract|law society)",
    re.IGNORECASE,
)
_REPLACED = re.compile(
    r"\b(?:replac|substitut|amended to read|in (?:its|their) place|instead)", re.IGNORECASE
)
_NUMBERS = re.compile(r"\b(\d{1,3}(?:\.\d{1,3})*)\b")


@dataclass(frozen=True, slots=True)
class Exclusions:
    """Numbers of clauses that the contract itself strikes out, and the sentences that do so."""

    numbers: frozenset[str]
    sentences: tuple[tuple[int, int], ...]

    def strike_out(self, number: str) -> bool:
        """Whether they strike out a number, or one that it is below."""
        parts = number.split(".")
        return any(".".join(parts[: count + 1]) in self.numbers for count in range(len(parts)))


def find_exclusions(contract: Contract) -> Exclusions:
    """Sentences such as "clause 12 is deleted"; those about clauses of another document do not count."""
    numbers: set[str] = set()
    sentences = []
    for found in _EXCLUSION.finditer(contract.flat):
        start, end = contract.sentence(*found.span())
        sentence = contract.flat[start:end]
        if _ELSEWHERE.search(sentence) or _REPLACED.search(sentence):
            continue
        numbers |= set(_NUMBERS.findall(found.group()))
        sentences.append((start, end))
        if len(sentences) >= MAX_SENTENCES:
            break
    return Exclusions(frozenset(numbers), tuple(sentences))


def find_struck_out(text: str) -> str | None:
    """The words at the start of a short section that strike it out, or those anywhere that say so of it."""
    if len(text) > EXCLUDED_CHARS:
        return None
    found = _THIS_IS_OUT.search(text) or _STRUCK_OUT.match(text)
    return found.group() if found else None


def may_say_more(words: str) -> bool:
    """Whether what follows can still be the clause: "Not applicable, because a certificate was given"."""
    return _MAY_SAY_MORE.search(words) is not None


def titles_in(sentence: bytes) -> Iterator[bytes]:
    """Parts of a sentence that may be the title of a clause: in quotes or brackets, or before "clause"."""
    for found in re.finditer(rb"[\"(]([^\")]{3,60})[\")]", sentence):
        yield found.group(1).strip()
    for found in re.finditer(
        rb"([A-Za-z][A-Za-z' -]{2,50}?)\s+(?:clause|condition|provision|term)s?\b", sentence
    ):
        yield re.sub(rb"^(?:the|any|special)\s+", b"", found.group(1).strip())


def is_within(place: int, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether a place is in one of some spans."""
    return any(start <= place < end for start, end in spans)
