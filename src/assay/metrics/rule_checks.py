"""What the rules of a pack find in a text.

Meaning of the kinds, for a rule whose document, `when`, `when_all`, `when_none` and one of `occasions` fit:

- required: one of `patterns` must be found; else the verdict is `missing`. With `allowed`, see below.
- prohibited: no match of `patterns` may stand unexcused; each that does is `violated`.
- advice: like prohibited; the name says that it is the answer's advice that is looked at.
- citation: decided by the metric that knows citations, not here.

A match is one of `patterns` or of a group of `together` (`assay.metrics.rule_concepts`). It is excused by
`exceptions` in its sentence, by `cleared_by` there or in the next, by `exceptions_anywhere`, or by what
`excused_by` names: `mention` (the sentence talks of the words instead of using them: "it is unlawful to say
...") and `negation` (a not, no, never or without up to six words before it, in the same clause). Where a
match has a group `value`, it is right if that is `allowed`, or is an amount that keeps `ratio`, or two
amounts no further apart than `max_spread_percent`; any other is `violated`. So is a match without a value.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from assay.metrics.rule import Rule
from assay.metrics.rule_amounts import ROUNDING, find_spread_percent, is_in_ratio
from assay.metrics.rule_concepts import find_together, is_occasion
from assay.metrics.rule_phrases import Phrases, Span
from assay.metrics.rule_text import RuleText, sentence_around
from assay.metrics.word_lists import load_word_lists

Verdict = Literal["satisfied", "violated", "missing", "unverified", "not_checked"]
NEGATION_REACH = 60
NEGATION_WORDS = 6
_CUES = load_word_lists("_cues")
MENTION, NEGATION = Phrases(_CUES["mention"]), Phrases(_CUES["negation"])
_DISCLAIMED = re.compile(r"\b(?:do not|don't|does not|doesn't|never) discriminat\w+", re.IGNORECASE)
_DONE = r"told|said|explained|removed|took|taken|cut|deleted|changed|replaced|struck|dropped|reworded"
_COMMENT = re.compile(
    rf"[\s\"')\]]*(That|This|It|Such|(?:I|We)(?:'ve| have)? (?:{_DONE})|Doing so|These|"
    r"Those (?:words|lines)|Both)\b"
)
_CLOSE = r"[\"')\]*]*\s+"
_FALSE = r"(?:[Ff]alse|[Ww]rong|[Ii]ncorrect|[Uu]ntrue|(?:[Aa] )?[Mm]yth)\b"
_SAY = (
    r"(?:say|write|put|state|ask|do|refuse|reject|require|advertise|post|print|list|run|tell|turn|choose|pick|"
    r"insist|limit|keep)"
)
_IS_IT = (
    r"(?:True|Right|Correct|Really|(?:Is|Are) (?:that|this|it|they) \w+|Fact or \w+|"
    rf"(?:Can|May|Could|Should) (?:I|we|he|she|they) {_SAY}\b[^.?!\n]{{0,80}})\?"
)
_MAY_NOT = r"(?:I|We|You|They) (?:can't|cannot|may not|mustn't|shouldn't)"
_IT_IS_NOT = (
    rf"(?:(?:That|This|It)(?:'s| is)(?: \w+)? {_FALSE}|(?:It|They) (?:is|are|do|does) ?(?:not|n't)(?= ?[.!]))"
)
_ANSWER = r"(?:(?:A(?:nswer)?[:.]|[A-Z]\w{2,15}:)[*]* ?[\"']?)?"
_ANSWERED_NO = re.compile(
    rf"[.!]{_CLOSE}(?:{_FALSE}|{_IT_IS_NOT}|Not (?:so|true)\b|{_MAY_NOT}) ?[.!:;,]|"
    rf"(?:\?{_CLOSE}|[.?]{_CLOSE}{_IS_IT}{_CLOSE})[\"'*(]*{_ANSWER}(?:\w+, )?"
    r"(?:(?:[Tt]he )?(?:\w+ )?[Aa]nswer(?: is|:) (?=no\b))?"
    rf"(?:(?:(?:As a rule|Generally|Usually|Legally),? )?[Nn]o\b[.,!;:]|Nope\b|"
    rf"Not (?:so|true|at all|quite|really|legally|lawfully)\b|{_FALSE}|"
    r"(?:It|They|That|This|You|There)(?:'s| is|'re| are)? ?"
    rf"(?:isn't|aren't|not\b|can't|cannot|don't|doesn't|{_FALSE}))"
)
"""What follows a question that is answered with no, or a saying that is called wrong."""
_AMOUNT_ALONE = re.compile(
    r".*\$|\s*\d[\d,.]*\s*(?:k|m|mil|million|thousand|grand)?\s*$", re.IGNORECASE | re.DOTALL
)
"""A value in dollars: with the sign, or nothing but a number. "6 weeks" is none."""
_CONTRAST = re.compile(r"\b(?:but|however|although|though)\b", re.IGNORECASE)
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


Keep = Callable[[Rule, Span], bool]
"""Whether a match counts for a rule: a caller may know that it is about another jurisdiction."""


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
    if rule.when_none and rule.when_none.first(text.data) is not None:
        return False
    return not rule.occasions or any(is_occasion(each, text) for each in rule.occasions)


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
    if rule.gap_not:
        spans = [
            each for each in spans if rule.gap_not.first(text.data[each.gap_start : each.gap_end]) is None
        ]
    return sorted([*spans, *(span for group in rule.together for span in find_together(group, text))])


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
    value = text.folded[span.value_start : span.value_end]
    if rule.max_spread_percent is not None and span.valued:
        return find_spread_percent(value) <= rule.max_spread_percent + ROUNDING
    if _is_right(rule, text, text.data[span.value_start : span.value_end]):
        return True
    if not rule.ratio or not span.valued or not _AMOUNT_ALONE.match(value):
        return False
    return is_in_ratio(rule.ratio, text, span)


def _is_right(rule: Rule, text: RuleText, value: bytes) -> bool:
    if rule.allowed and rule.allowed.match_whole(value):
        return True
    place, values = rule.also_allowed
    if not values or not values.match_whole(value):
        return False
    return any(not is_negated(text, max(0, span.start - NEGATION_REACH), span) for span in text.find(place))


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
    before = _CONTRAST.split(text.folded[start : span.start])[-1]
    after = f"{text.folded[span.gap_start : span.gap_end]} | {text.folded[span.end : end]}"
    told = text.data[span.start - len(before) : _end_of_next(text, end)]
    if rule.cleared_by and rule.cleared_by.first(told) is not None:
        return True
    if rule.excused_by and _ANSWERED_NO.match(text.folded, _last_mark(text.folded, end)):
        return True
    if "mention" in rule.excused_by and _is_mentioned(before, after + _comment_on(text.folded, end)):
        return True
    return "negation" in rule.excused_by and is_negated(text, max(start, span.start - NEGATION_REACH), span)


def _last_mark(text: str, end: int) -> int:
    """Where the mark stands that ends a sentence, before what closes it in Markdown: "May I?**"."""
    return end - 1 - (len(tail := text[max(0, end - 8) : end]) - len(tail.rstrip("\n*_ ")))


def _end_of_next(text: RuleText, end: int) -> int:
    """Where the sentence ends that follows one which ends at `end`."""
    following = re.compile(r"\s*\S").match(text.folded, end)
    return end if following is None else sentence_around(text.folded, following.end(), following.end())[1]


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


def settle_places(findings: Sequence[RuleFinding], text: RuleText) -> tuple[RuleFinding, ...]:
    """The findings, without violations in sentences that violate the rule which theirs gives way to."""
    places: dict[str, list[tuple[int, int]]] = {}
    for found in findings:
        if found.verdict == "violated" and found.start is not None and found.end is not None:
            place = sentence_around(text.folded, found.start, found.end)
            places.setdefault(found.rule.id, []).append(place)
    return tuple(
        RuleFinding(rule=found.rule, verdict="satisfied", message=found.rule.title)
        if _stands_in(found, places.get(found.rule.gives_way_to, ()))
        else found
        for found in findings
    )


def _stands_in(found: RuleFinding, places: Sequence[tuple[int, int]]) -> bool:
    if found.verdict != "violated" or found.start is None or found.end is None:
        return False
    return any(found.start < end and start < found.end for start, end in places)


def worst_verdicts(findings: Sequence[RuleFinding]) -> Mapping[str, Verdict]:
    """Rule id -> its one verdict: the worst of its findings."""
    order: tuple[Verdict, ...] = ("satisfied", "not_checked", "unverified", "missing", "violated")
    worst: dict[str, Verdict] = {}
    for finding in findings:
        known = worst.get(finding.rule.id, "satisfied")
        worst[finding.rule.id] = max(known, finding.verdict, key=order.index)
    return worst
