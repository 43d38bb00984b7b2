"""What the rules of a pack find in a text.

Meaning of the kinds, for a rule whose document, `when`, `when_all` and `when_none` fit:

- required: one of `patterns` must be found; else the verdict is `missing`. With `allowed`, see below.
- prohibited: no match of `patterns` may stand unexcused; each that does is `violated`.
- advice: like prohibited; the name says that it is the answer's advice that is looked at.
- citation: decided by the metric that knows citations, not here.

A match is excused by `exceptions` in its sentence, by `exceptions_anywhere`, or by what `excused_by` names:
`mention` (the sentence talks of the words instead of using them: "it is unlawful to say ...") and `negation`
(a not, no, never or without up to six words before it, in the same clause). Where a pattern has a group
`value` and the rule has `allowed`, a match whose value is allowed is right, and any other is `violated`.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from assay.metrics.rule_packs import Rule, load_word_lists
from assay.metrics.rule_phrases import Phrases, Span, fold, sentence_around

Verdict = Literal["satisfied", "violated", "missing", "unverified", "not_checked"]
QUOTE_CHARS = 200
NEGATION_REACH = 60
NEGATION_WORDS = 6
_CUES = load_word_lists("_cues")
MENTION, NEGATION = Phrases(_CUES["mention"]), Phrases(_CUES["negation"])
ROUNDING = 1e-9
MULTIPLES = {"": 1.0, "k": 1e3, "m": 1e6, "mil": 1e6, "million": 1e6}
_AMOUNT = re.compile(r"(\d[\d,]{0,15}(?:\.\d{0,6})?) ?(million|mil|k|m)?\b", re.IGNORECASE)
_DISCLAIMED = re.compile(r"\b(?:do not|don't|does not|doesn't|never) discriminat\w+", re.IGNORECASE)
_COMMENT = re.compile(r"[\s\"')\]]*(That|This|It|Such|Doing so|These|Those words|Both)\b")
_CLAUSE_ENDS = frozenset(".,;:!?\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFinding:
    """What one rule says of one place; without a place where something is missing or was not checked."""

    rule: Rule
    verdict: Verdict
    message: str
    start: int | None = None
    end: int | None = None
    quote: str | None = None

    def as_evidence(self) -> dict[str, Any]:
        """The finding for a score's evidence."""
        rule = self.rule
        return {
            "rule": rule.id, "verdict": self.verdict, "severity": rule.severity, "category": rule.category,
            "jurisdiction": sorted(rule.jurisdictions), "source": rule.source, "message": self.message,
            "remedy": rule.remedy, "quote": self.quote, "start": self.start, "end": self.end,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class RuleText:
    """A text made ready for many rules: as it is, folded, and folded in bytes (offsets agree)."""

    raw: str
    folded: str
    data: bytes

    def slice_quote(self, start: int, end: int) -> str:
        """What stands there, shortened when it is long."""
        return self.raw[start : min(end, start + QUOTE_CHARS)]


Keep = Callable[[Rule, Span], bool]
"""Whether a match counts for a rule: a caller may know that it is about another jurisdiction."""


def read_text(text: str) -> RuleText:
    """The text, folded once."""
    folded = fold(text)
    return RuleText(text, folded, folded.encode("latin-1", "replace"))


def rule_applies(rule: Rule, text: RuleText, document: str | None) -> bool:
    """Whether a rule has something to say of a text. An unknown document fits, unless the rule needs one."""
    if document is None:
        if rule.needs_document:
            return False
    elif rule.documents and document not in rule.documents:
        return False
    if rule.when and rule.when.first(text.data) is None:
        return False
    if any(group.first(text.data) is None for group in rule.when_all):
        return False
    return not rule.when_none or rule.when_none.first(text.data) is None


def check_rule(rule: Rule, text: RuleText, keep: Keep | None = None) -> tuple[RuleFinding, ...]:
    """What a rule that applies finds: one `satisfied` or `missing`, or each place that violates it."""
    if rule.needs_judge:
        return (RuleFinding(rule=rule, verdict="not_checked", message="only a judge can decide this"),)
    spans = [span for span in _matches(rule, text) if keep is None or keep(rule, span)]
    if rule.kind == "required" and not rule.allowed:
        return (_required(rule, text, spans),)
    wrong = list(_violations(rule, text, spans))
    if wrong:
        return tuple(_without_overlaps(wrong))
    right = _first_right(rule, text, spans)
    if rule.kind == "required" and right is None:
        return (RuleFinding(rule=rule, verdict="missing", message=rule.message),)
    found = RuleFinding(rule=rule, verdict="satisfied", message=rule.title)
    return (found if right is None else _placed(found, text, right),)


def _matches(rule: Rule, text: RuleText) -> Sequence[Span]:
    spans = rule.patterns.find(text.data)
    if not rule.gap_not:
        return spans
    return [span for span in spans if rule.gap_not.first(text.data[span.gap_start : span.gap_end]) is None]


def _required(rule: Rule, text: RuleText, spans: Sequence[Span]) -> RuleFinding:
    if spans:
        found = RuleFinding(rule=rule, verdict="satisfied", message=rule.title)
        return _placed(found, text, spans[0])
    if is_excused_anywhere(rule, text):
        return RuleFinding(rule=rule, verdict="satisfied", message=rule.title)
    return RuleFinding(rule=rule, verdict="missing", message=rule.message)


def _placed(finding: RuleFinding, text: RuleText, span: Span) -> RuleFinding:
    quote = text.slice_quote(span.start, span.end)
    return replace(finding, start=span.start, end=span.end, quote=quote)


def _violations(rule: Rule, text: RuleText, spans: Sequence[Span]) -> Iterator[RuleFinding]:
    if is_excused_anywhere(rule, text):
        return
    for span in spans:
        if not _is_allowed(rule, text, span) and not is_excused(rule, text, span):
            yield _placed(RuleFinding(rule=rule, verdict="violated", message=rule.message), text, span)


def _is_allowed(rule: Rule, text: RuleText, span: Span) -> bool:
    if rule.max_spread_percent is not None:
        return (
            _spread_percent(text.folded[span.value_start : span.value_end])
            <= rule.max_spread_percent + ROUNDING
        )
    return bool(rule.allowed) and rule.allowed.match_whole(text.data[span.value_start : span.value_end])


def _spread_percent(text: str) -> float:
    """By how many per cent the second amount of a text exceeds the first; 0 where there are not two.

    An amount without a unit takes the other's, so that "$1.1-1.2m" is a range of millions.
    """
    found = [(float(number.replace(",", "").rstrip(".")), unit.lower()) for number, unit in _amounts(text)]
    if len(found) != 2:
        return 0.0
    (low, low_unit), (high, high_unit) = found
    low, high = low * MULTIPLES[low_unit or high_unit], high * MULTIPLES[high_unit or low_unit]
    return (high / low - 1.0) * 100.0 if low else 0.0


def _amounts(text: str) -> list[tuple[str, str]]:
    return [(number, unit) for number, unit in _AMOUNT.findall(text) if number.count(".") <= 1]


def _first_right(rule: Rule, text: RuleText, spans: Sequence[Span]) -> Span | None:
    return next((span for span in spans if _is_allowed(rule, text, span)), None)


def _without_overlaps(findings: Sequence[RuleFinding]) -> Iterator[RuleFinding]:
    end = -1
    for finding in sorted(findings, key=lambda found: (found.start or 0, -(found.end or 0))):
        if finding.start is not None and finding.end is not None and finding.start >= end:
            end = finding.end
            yield finding


def is_excused_anywhere(rule: Rule, text: RuleText) -> bool:
    """Whether an exception for the whole text stands in it, and not negated ("no need to see a lawyer")."""
    spans = rule.exceptions_anywhere.find(text.data)
    return any(not is_negated(text, max(0, span.start - NEGATION_REACH), span) for span in spans)


def is_excused(rule: Rule, text: RuleText, span: Span) -> bool:
    """Whether the sentence of a match takes its sting out."""
    start, end = sentence_around(text.folded, span.start, span.end)
    sentence = text.data[start:end]
    if rule.exceptions and rule.exceptions.first(sentence) is not None:
        return True
    before, after = text.folded[start : span.start], text.folded[span.end : end]
    if "mention" in rule.excused_by and _is_mentioned(before, after + _comment_on(text.folded, end)):
        return True
    return "negation" in rule.excused_by and is_negated(text, max(start, span.start - NEGATION_REACH), span)


def _comment_on(text: str, end: int) -> str:
    """The sentence after one that ends at `end`, when it speaks of it: "That would be discrimination"."""
    found = _COMMENT.match(text, end)
    if found is None:
        return ""
    start, stop = sentence_around(text, found.start(1), found.end(1))
    return " " + text[start:stop]


def _is_mentioned(before: str, after: str) -> bool:
    """Whether what stands round a match talks of words; a pledge not to discriminate does not."""
    around = _DISCLAIMED.sub(" ", f"{before} | {after}")
    return MENTION.first(around.encode("latin-1", "replace")) is not None


def is_negated(text: RuleText, low: int, span: Span) -> bool:
    """Whether a negation stands up to six words before a match, in its clause."""
    before = text.folded[low : span.start]
    clause_start = max((before.rfind(mark) for mark in _CLAUSE_ENDS), default=-1) + 1
    words = before[clause_start:].split()[-NEGATION_WORDS:]
    return NEGATION.first(" ".join(words).encode("latin-1", "replace")) is not None


def worst_verdicts(findings: Sequence[RuleFinding]) -> Mapping[str, Verdict]:
    """Rule id -> its one verdict: the worst of its findings."""
    order: tuple[Verdict, ...] = ("satisfied", "not_checked", "unverified", "missing", "violated")
    worst: dict[str, Verdict] = {}
    for finding in findings:
        known = worst.get(finding.rule.id, "satisfied")
        worst[finding.rule.id] = max(known, finding.verdict, key=order.index)
    return worst
