"""Which law a text is held to: jurisdictions, day and kind of document, and where each was read.

A case says it in its metadata or variables (`jurisdiction` or `state`, `date`, `document`); else the words of
the text decide on the jurisdiction, and nothing decides on the other two: the wall clock is never asked.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput
from assay.metrics.rule import Rule
from assay.metrics.rule_phrases import Phrases, Span
from assay.metrics.rule_text import RuleText, find_distance, sentence_around
from assay.metrics.word_lists import load_word_lists

AUSTRALIAN = ("NSW", "VIC", "QLD", "SA", "WA", "TAS", "ACT", "NT")
SEVERAL = "several"
"""Of a statement that may be about each of the jurisdictions that were named last."""
JURISDICTION_FIELDS = ("jurisdiction", "jurisdictions", "state")
DATE_FIELDS = ("date", "as_of")
DOCUMENT_FIELDS = ("document", "document_type")
OTHER_NAMES: Mapping[str, str] = {
    "CTH": "AU", "COMMONWEALTH": "AU", "AUSTRALIA": "AU", "AU": "AU", "FEDERAL": "AU", "USA": "US",
    "UNITED STATES": "US", "US": "US", "NEW SOUTH WALES": "NSW", "VICTORIA": "VIC", "QUEENSLAND": "QLD",
    "SOUTH AUSTRALIA": "SA", "WESTERN AUSTRALIA": "WA", "TASMANIA": "TAS", "NORTHERN TERRITORY": "NT",
    "AUSTRALIAN CAPITAL TERRITORY": "ACT",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the options fix; None and the empty tuple leave it to the case and the text."""

    jurisdictions: tuple[str, ...] = ()
    as_of: date | None = None
    document: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalScope:
    """What a text is held to, with words for where that was read."""

    jurisdictions: frozenset[str]
    jurisdictions_from: str
    as_of: date | None
    as_of_from: str
    document: str | None

    def covers(self, rule: Rule) -> bool:
        """Whether a rule is law here and on that day. AU covers every Australian jurisdiction."""
        here = set(self.jurisdictions)
        if here & {*AUSTRALIAN, "AU"}:
            here.add("AU")
        return bool(rule.jurisdictions & {*here, "*"}) and rule.holds_on(self.as_of)

    @property
    def words(self) -> str:
        """The scope for a score's reason."""
        day = self.as_of.isoformat() if self.as_of else "no date, so the rules that have no end"
        places = ", ".join(sorted(self.jurisdictions))
        return f"{places} ({self.jurisdictions_from}); {day} ({self.as_of_from})"


def read_jurisdictions(value: Any) -> tuple[str, ...]:
    """Codes of a text or list of texts: NSW, "New South Wales", AU-NSW, US-CA. Raises ValueError."""
    texts = [value] if isinstance(value, str) else list(value)
    return tuple(dict.fromkeys(_code(str(text)) for each in texts for text in re.split(r"[,;/]", str(each))))


def _code(text: str) -> str:
    name = " ".join(text.upper().replace(".", "").split())
    if name.startswith(("US-", "USA-")):
        return "US"
    name = name.removeprefix("AU-")
    if name in AUSTRALIAN:
        return name
    if name in OTHER_NAMES:
        return OTHER_NAMES[name]
    raise ValueError(f"{text!r} is none of {', '.join((*AUSTRALIAN, 'AU', 'US'))}")


def read_day(value: Any) -> date:
    """A day from `2025-08-01`, alone or at the start of a time. Raises ValueError."""
    return date.fromisoformat(str(value)[:10])


def read_wanted(options: Mapping[str, Any]) -> Wanted:
    """What the options fix. Raises InvalidInput."""
    jurisdiction, as_of, document = options["jurisdiction"], options["as_of"], options["document"]
    try:
        jurisdictions = read_jurisdictions(jurisdiction) if jurisdiction is not None else ()
    except ValueError as error:
        raise InvalidInput(str(error), field="options.jurisdiction") from error
    try:
        day = read_day(as_of) if as_of is not None else None
    except ValueError as error:
        raise InvalidInput("must be a day such as 2025-08-01", field="options.as_of") from error
    return Wanted(jurisdictions=jurisdictions, as_of=day, document=read_document(document))


def read_document(value: Any) -> str | None:
    """The kind of document that a word names; None for words that name none."""
    word = re.sub(r"[\s-]+", "_", str(value).strip().lower())
    kinds: Mapping[str, Sequence[str]] = load_word_lists("_detection")["documents"]
    return next((kind for kind, words in kinds.items() if word == kind or word in words), None)


def find_scope(case: Case, text: RuleText, wanted: Wanted) -> LegalScope:
    """The scope of one text: options first, then the case, then the words of the text."""
    jurisdictions, place = _jurisdictions(case, text, wanted)
    as_of, day_from = _day(case, wanted)
    return LegalScope(
        jurisdictions=frozenset(jurisdictions), jurisdictions_from=place, as_of=as_of, as_of_from=day_from,
        document=wanted.document or read_document(_value(case, DOCUMENT_FIELDS)),
    )  # fmt: skip


def _value(case: Case, names: Iterable[str]) -> Any:
    """The first of the fields that metadata or variables have."""
    for name in names:
        for source in (case.metadata, case.vars):
            if source.get(name) not in (None, ""):
                return source[name]
    return None


def _jurisdictions(case: Case, text: RuleText, wanted: Wanted) -> tuple[Sequence[str], str]:
    if wanted.jurisdictions:
        return wanted.jurisdictions, "option"
    value = _value(case, JURISDICTION_FIELDS)
    if isinstance(value, str | list | tuple) and value:
        try:
            return read_jurisdictions(value), "case"
        except ValueError:
            pass
    found = detect_jurisdictions(text)
    return (found, "text") if found else (("AU",), "none is named, so Commonwealth rules")


def _day(case: Case, wanted: Wanted) -> tuple[date | None, str]:
    value = _value(case, DATE_FIELDS)
    if value is not None:
        try:
            return read_day(value), "case"
        except ValueError:
            return wanted.as_of, "the case's date is no date"
    return wanted.as_of, "option" if wanted.as_of else "none is given"


@lru_cache(maxsize=1)
def _words() -> tuple[Mapping[str, Phrases], ...]:
    """Names of jurisdictions, then places in them, then what only they have."""
    lists = load_word_lists("_detection")
    return tuple(
        {code: Phrases(entries) for code, entries in lists[kind].items()}
        for kind in ("names", "places", "signs")
    )


def detect_jurisdictions(text: RuleText) -> tuple[str, ...]:
    """The jurisdictions that a text names; if none, those whose places, else whose signs it names."""
    for phrases in _words():
        found = tuple(code for code, words in phrases.items() if words.first(text.data) is not None)
        if found:
            return found
    return ()


class Attribution:
    """Tells which jurisdiction a statement inside a text is about, where the text names several."""

    def __init__(self, text: RuleText) -> None:
        self._text = text
        self._named = sorted(
            (span, code)
            for words in _words()[:2]
            for code, each in words.items()
            for span in each.find(text.data)
        )
        self._several = len({code for _, code in self._named}) > 1

    def keep(self, rule: Rule, span: Span) -> bool:
        """Whether a match is about a jurisdiction of the rule, or about none in particular.

        What is required is told also where it is unclear which of several jurisdictions a sentence is about.
        """
        if not self._several or rule.jurisdictions & {"AU", "*"}:
            return True
        about = self._about(span)
        unclear = about == SEVERAL and rule.kind == "required"
        return about is None or unclear or about in rule.jurisdictions

    def _about(self, span: Span) -> str | None:
        """The jurisdiction named nearest to a statement's value; None without any, SEVERAL where unclear."""
        inside = self._inside(span.value_start, span.value_end)
        if inside:
            start, end = sentence_around(self._text.folded, span.value_start, span.value_end)
            if "respectively" in self._text.folded[start:end]:
                return SEVERAL
            return min(inside, key=lambda each: self._distance(each[0], span))[1]
        before = [each for each, _ in self._named if each.end <= span.value_start]
        if not before:
            return None
        codes = {code for _, code in self._inside(before[-1].start, before[-1].end)}
        return codes.pop() if len(codes) == 1 else SEVERAL

    def _inside(self, start: int, end: int) -> list[tuple[Span, str]]:
        """The jurisdictions that the sentence of a part names."""
        low, high = sentence_around(self._text.folded, start, end)
        return [(each, code) for each, code in self._named if low <= each.start and each.end <= high]

    def _distance(self, name: Span, span: Span) -> int:
        return find_distance(self._text.folded, name, span) or 0
