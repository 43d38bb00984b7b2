"""What a contract strikes out: "Deleted", "Not applicable", "clause 12 is deleted"."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.metrics.clause_text import Contract, Section

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
_PART = r"(?:clauses?|sections?|conditions?|items?|particulars?|paragraphs?|provisions?|terms?|articles?)"
_EXCLUSION = re.compile(
    rf"\b(?P<part>{_PART})\b[^.\n]{{0,120}}?\b(?:(?:is|are|was|were|has been|have been|shall be|to be)\s+"
    r"(?:hereby\s+|expressly\s+|wholly\s+|intentionally\s+|both\s+)?(?:deleted|excluded|omitted|"
    r"struck(?:\s+out)?|removed|crossed out|taken out|left out|dropped|cancelled|withdrawn|not applicable|"
    r"(?:not|no longer) part of)|"
    r"(?:comes?|taken|goes)\s+out\s+of|"
    r"(?:(?:does|do|shall|will)\s+not|no longer)\s+(?:appl(?:y|ies)|forms? part|ha(?:s|ve) effect))|"
    r"\b(?:delet(?:e[sd]?|ing)|str(?:ikes?|iking|uck) out|omit(?:s|ted|ting)?|cross(?:ed|es|ing)? out|"
    r"t(?:ake|akes|ook|aken|aking) out|le(?:ave|aves|ft|aving) out|drop(?:s|ped|ping)?)\s+"
    r"(?:the\s+|special\s+|standard\s+|whole\s+|"
    rf"of\s+){{0,4}}(?P<parts>{_PART})\b[^.\n]{{0,60}}",
    re.IGNORECASE,
)
_CONDITIONAL = re.compile(
    r"\b(?:if|where|when|unless|until|except|to the extent|in so far as|during)\b", re.IGNORECASE
)
_ELSEWHERE = re.compile(
    r"\b(?:of|in|to|under)\s+(?:the\s+)?[^.\n]{0,40}?\b(?:general|standard|act\b|regulation|code|"
    r"terms of contract|law society)",
    re.IGNORECASE,
)
_REPLACED = re.compile(
    r"\b(?:replac|substitut|amended to read|in (?:its|their) place|instead)", re.IGNORECASE
)
_NOT_REPLACED = re.compile(
    r"\b(?:nothing|not|no|without)\b[^.\n]{0,30}?\b(?:replac|substitut|in (?:its|their) place|instead)",
    re.IGNORECASE,
)
_NUMBERS = re.compile(r"\b(\d{1,3}(?:\.\d{1,3})*)\b")
_LETTERS = re.compile(rf"\b(?i:{_PART})\s+\(?([A-Z]{{1,2}}\d{{0,2}}|[IVX]{{1,5}})\b")
_ITEM = re.compile(r"\W*(?:item|particular)", re.IGNORECASE)
"""What is numbered apart from clauses: "clause 2" is not item 2."""
_TITLES = re.compile(
    r"(?:\"|\(|(?<=\s)')(?P<quoted>[^\"()\n]{3,60}?)[\")']|"
    r"\b(?:headed|titled|entitled|called|named|about|on|dealing with|regarding)\s+(?:the\s+)?"
    r"(?P<named>[A-Za-z][A-Za-z' -]{2,50}?)"
    r"(?=\s+(?:is|are|was|were|has|have|shall|does|do|comes?|goes|will|above|below|no longer|from|in|"
    r"and)\b|[,.;])|"
    rf"(?P<before>[A-Za-z][A-Za-z' -]{{2,50}}?)\s+{_PART}\b",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"^(?:.*\b(?:the|that|special|standard)\s+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Exclusions:
    """Numbers and titles of clauses that the contract itself strikes out, and the sentences that do so."""

    numbers: frozenset[str]
    items: frozenset[str]
    titles: frozenset[str]
    sentences: tuple[tuple[int, int], ...]

    def strike_out(self, contract: Contract, section: Section) -> bool:
        """Whether they strike out a section, by its title, its number, or one that it is below."""
        if section.title and _plain_title(section.title) in self.titles:
            return True
        numbers = self.items if _ITEM.match(contract.flat, section.start) else self.numbers
        parts = section.number.split(".")
        return any(".".join(parts[: count + 1]) in numbers for count in range(len(parts)))


def find_exclusions(contract: Contract) -> Exclusions:
    """Sentences such as "clause 12 is deleted"; those about clauses of another document do not count."""
    numbers: tuple[set[str], set[str]] = (set(), set())
    titles: set[str] = set()
    sentences = []
    for found in _EXCLUSION.finditer(contract.flat):
        start, end = contract.sentence(*found.span())
        sentence = contract.flat[start:end]
        if _ELSEWHERE.search(sentence) or (_REPLACED.search(sentence) and not _NOT_REPLACED.search(sentence)):
            continue
        if "appl" in found.group().lower() and _CONDITIONAL.search(sentence):
            continue
        is_item = _ITEM.match(found["part"] or found["parts"]) is not None
        numbers[is_item].update(_NUMBERS.findall(found.group()))
        numbers[is_item].update(each.lower() for each in _LETTERS.findall(sentence))
        titles |= {_plain_title(title) for title in titles_in(sentence)}
        sentences.append((start, end))
        if len(sentences) >= MAX_SENTENCES:
            break
    return Exclusions(frozenset(numbers[0]), frozenset(numbers[1]), frozenset(titles), tuple(sentences))


def find_struck_out(text: str) -> str | None:
    """The words at the start of a short section that strike it out, or those anywhere that say so of it."""
    if len(text) > EXCLUDED_CHARS:
        return None
    found = _THIS_IS_OUT.search(text) or _STRUCK_OUT.match(text)
    return found.group() if found else None


def may_say_more(words: str) -> bool:
    """Whether what follows can still be the clause: "Not applicable, because a certificate was given"."""
    return _MAY_SAY_MORE.search(words) is not None


def titles_in(sentence: str) -> Iterator[str]:
    """Parts of a sentence that may be the title of a clause: in quotes or brackets, after "headed" or
    "about", or before "clause".
    """
    for found in _TITLES.finditer(sentence):
        title = found[found.lastgroup or 0].strip()
        yield _ARTICLE.sub("", title) if found["before"] else title


def _plain_title(title: str) -> str:
    return " ".join(re.findall(r"\w+", title.lower().removeprefix("the ")))


def is_within(place: int, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether a place is in one of some spans."""
    return any(start <= place < end for start, end in spans)
