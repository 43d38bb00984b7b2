"""Legal compliance of an answer, held to rule packs: wording, disclosures, terms and citations.

Value: the weights of the rules that hold over the weights of the rules that apply and were decided. A rule
of severity critical weighs 5, major 3, minor 1. A rule applies when it is law in the jurisdiction on the
day, fits the kind of document, and its triggers are in the text. Verdicts: satisfied, violated, missing.
Two more are reported and not counted: unverified (a citation of which the register knows nothing) and
not_checked (only a judge could say). Where no rule applies the metric abstains. It is a test aid and no
legal advice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assay.domain.scores import Sample
from assay.domain.text import valid_text
from assay.extract.citations import Citation, check_citation, find_citations
from assay.metrics.entry import MetricSpec
from assay.metrics.legal_scope import Attribution, LegalScope, Wanted, find_scope, read_wanted
from assay.metrics.pack_fields import names_file
from assay.metrics.pack_versions import with_rules
from assay.metrics.rule import Rule
from assay.metrics.rule_checks import (
    RuleFinding,
    Verdict,
    check_rule,
    rule_applies,
    settle_places,
    worst_verdicts,
)
from assay.metrics.rule_packs import list_packs, load_packs
from assay.metrics.rule_text import QUOTE_CHARS, read_text
from assay.metrics.sample_metric import Finding, SampleMetric, Unscored, quote, sample_metric, too_long
from assay.metrics.word_lists import word_list_digest

BUILT_IN_PREFIX = "legal_"
WORD_LISTS = ("_cues", "_detection", "_terms")
MAX_CHARS = 1_000_000
SHOWN = 5
"""Findings that a reason names; the evidence has all of them."""
COUNTED: frozenset[Verdict] = frozenset(("satisfied", "violated", "missing"))
UNITED_STATES = frozenset(("us_code", "us_regulation"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalRules:
    """The rules of all packs, what the options fix, and whether unknown citations count as wrong."""

    rules: tuple[Rule, ...]
    wanted: Wanted
    strict: bool
    digests: tuple[str, ...]
    """Of the texts of the packs and of the word lists."""


@dataclass(frozen=True, slots=True)
class LegalReview:
    """What the rules say of one text."""

    scope: LegalScope
    findings: tuple[RuleFinding, ...]

    def with_verdict(self, *verdicts: Verdict) -> list[RuleFinding]:
        """The findings of some verdicts, in order of place."""
        return [found for found in self.findings if found.verdict in verdicts]


def make_legal_compliance(spec: MetricSpec) -> SampleMetric:
    """The weighted share of applicable rules that an answer keeps."""
    legal = read_rules(spec.options)

    def measure(sample: Sample) -> Finding | Unscored:
        text = read_answer(sample)
        return text if isinstance(text, Unscored) else score_review(review(legal, sample, text))

    return sample_metric(with_rules(spec, legal.digests), measure)


def read_answer(sample: Sample) -> str | Unscored:
    """The answer's text; failed when it is too long."""
    text = valid_text(sample.response.text)
    return (
        too_long("the answer's characters", MAX_CHARS, "score its parts") if len(text) > MAX_CHARS else text
    )


def read_rules(options: Mapping[str, Any]) -> LegalRules:
    """The packs and the scope that the options name. Raises InvalidInput.

    Without the option `judge` the rules of built-in packs that need one are left out: their `not_checked`
    would tell a user nothing. Those of packs of the user's own are reported.
    """
    names = options["packs"]
    if names is None:
        names = [name for name in list_packs() if name.startswith(BUILT_IN_PREFIX)]
    names = list(dict.fromkeys([names] if isinstance(names, str) else names))
    packs = load_packs(names)
    judged = options["judge"] is not None
    rules = tuple(
        rule
        for name, pack in zip(names, packs, strict=True)
        for rule in pack.rules
        if judged or not rule.needs_judge or names_file(name)
    )
    digests = (*sorted(pack.digest for pack in packs), *map(word_list_digest, WORD_LISTS))
    return LegalRules(rules=rules, wanted=read_wanted(options), strict=options["strict"], digests=digests)


def review(legal: LegalRules, sample: Sample, answer: str) -> LegalReview:
    """Every finding of the rules that apply to an answer."""
    text = read_text(answer)
    scope = find_scope(sample.case, text, legal.wanted)
    attribution = Attribution(text)
    findings: list[RuleFinding] = []
    for rule in legal.rules:
        if not scope.covers(rule):
            continue
        if rule.kind == "citation":
            findings.extend(_citations(rule, answer, legal.strict))
        elif rule_applies(rule, text, scope.document):
            findings.extend(check_rule(rule, text, attribution.keep))
    return LegalReview(scope, settle_places(findings, text))


def _citations(rule: Rule, answer: str, strict: bool) -> Iterator[RuleFinding]:
    """What the register says of each citation that is the rule's business; nothing when there is none."""
    american = "US" in rule.jurisdictions
    for citation in find_citations(answer):
        if (citation.kind in UNITED_STATES) == american:
            yield _citation(rule, citation, strict)


def _citation(rule: Rule, citation: Citation, strict: bool) -> RuleFinding:
    standing, reason = check_citation(citation)
    verdict: Verdict = "satisfied" if standing == "ok" else "violated"
    if standing == "unverified" and not strict:
        verdict = "unverified"
    return RuleFinding(
        rule=rule, verdict=verdict, message=reason, start=citation.start, end=citation.end,
        quote=citation.text[:QUOTE_CHARS],
    )  # fmt: skip


def score_review(reviewed: LegalReview) -> Finding | Unscored:
    """The value of a review with its reason and evidence; abstained when nothing was decided."""
    verdicts = worst_verdicts(reviewed.findings)
    rules = {found.rule.id: found.rule for found in reviewed.findings}
    counted = {id_: verdict for id_, verdict in verdicts.items() if verdict in COUNTED}
    if not counted:
        return Unscored("abstained", f"no rule applies: {reviewed.scope.words}")
    total = sum(rules[id_].weight for id_ in counted)
    kept = sum(rules[id_].weight for id_, verdict in counted.items() if verdict == "satisfied")
    held = sum(verdict == "satisfied" for verdict in counted.values())
    reason = f"{held} of {len(counted)} rules hold; {_faults(reviewed)}{reviewed.scope.words}"
    return Finding(kept / total, reason, review_evidence(reviewed))


def _faults(reviewed: LegalReview) -> str:
    faults = reviewed.with_verdict("violated", "missing")
    critical = sum(found.rule.severity == "critical" for found in faults)
    parts = [f"{critical} critical"] if critical else []
    parts += [_named(found) for found in faults[:SHOWN]]
    parts += [f"{len(faults) - SHOWN} more"] if len(faults) > SHOWN else []
    for verdict, words in (("unverified", "not verified"), ("not_checked", "not checked")):
        others = [found for found in reviewed.findings if found.verdict == verdict]
        parts += [f"{len(others)} {words}"] if others else []
    return "".join(f"{part}; " for part in parts)


def _named(found: RuleFinding) -> str:
    said = f" {quote(found.quote)}" if found.quote else ""
    return f"{found.rule.id} {found.verdict}{said}"


def review_evidence(reviewed: LegalReview) -> dict[str, Any]:
    """The findings, the worst first, and what the text was held to."""
    scope = reviewed.scope
    return {
        "rules": [found.as_evidence() for found in _worst_first(reviewed.findings)],
        "jurisdictions": sorted(scope.jurisdictions),
        "as_of": scope.as_of.isoformat() if scope.as_of else None,
        "document": scope.document,
    }


def _worst_first(findings: Sequence[RuleFinding]) -> list[RuleFinding]:
    order = ("violated", "missing", "unverified", "not_checked", "satisfied")
    return sorted(findings, key=lambda found: (order.index(found.verdict), -found.rule.weight))
