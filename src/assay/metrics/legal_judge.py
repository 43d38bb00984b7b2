"""Legal compliance with a judge for the rules that words cannot decide.

Without the option `judge` it is `assay.metrics.legal` alone. With it, the rules that have `needs_judge` and
apply are put to the judge. Yes to the question of a rule counts when the words that it quotes stand in the
answer: the rule is violated or, where its kind is `required`, satisfied. No is satisfied, or missing. All
others stay not_checked and do not count.
"""

from dataclasses import replace
from typing import Any

from assay.domain.scores import Sample
from assay.metrics.entry import MetricSpec
from assay.metrics.legal import (
    LegalReview,
    LegalRules,
    make_legal_compliance,
    read_answer,
    read_rules,
    review,
    review_evidence,
    score_review,
)
from assay.metrics.open_questions import Decision, Form, Heard, OpenQuestion
from assay.metrics.pack_versions import with_rules
from assay.metrics.rule import Rule
from assay.metrics.rule_checks import RuleFinding
from assay.metrics.rules_then_judge import Found, Looked, RulesThenJudge, rules_then_judge
from assay.metrics.sample_metric import Finding, SampleMetric, Unscored

FORM = Form(template="legal_rules", key="rule", setting="questions", quoted="yes", plain=("no",))


def make_legal(spec: MetricSpec) -> SampleMetric | RulesThenJudge:
    """The weighted share of applicable rules that an answer keeps, by rules and, if one is named, a judge."""
    if not spec.judges:
        return make_legal_compliance(spec)
    legal = read_rules(spec.options)
    open_rules = [_question(rule) for rule in legal.rules if rule.needs_judge]
    spec = with_rules(spec, legal.digests)
    return rules_then_judge(spec, FORM, lambda sample: _look(legal, sample), [open_rules])


def _question(rule: Rule) -> OpenQuestion:
    return OpenQuestion(rule.id, rule.question)


def _look(legal: LegalRules, sample: Sample) -> Looked | Finding | Unscored:
    text = read_answer(sample)
    if isinstance(text, Unscored):
        return text
    reviewed = review(legal, sample, text)
    questions = [_question(found.rule) for found in reviewed.findings if found.rule.needs_judge]
    if not questions or not text.strip():
        return score_review(reviewed)
    return Looked(text, questions, lambda heard: _finish(reviewed, heard))


def _finish(reviewed: LegalReview, heard: Heard) -> Found:
    """The score of the rules with the judge's decisions; failed where its failure leaves nothing decided."""
    findings = tuple(
        _decided(found, heard) if found.rule.needs_judge else found for found in reviewed.findings
    )
    reviewed = replace(reviewed, findings=findings)
    evidence = _evidence(reviewed, heard)
    scored = score_review(reviewed)
    if isinstance(scored, Finding):
        return Found(Finding(scored.value, f"{scored.reason}; {heard.words}", evidence), evidence)
    why = f"no rule was decided; {heard.words}; {reviewed.scope.words}"
    return Found(Unscored("failed" if heard.failed else "abstained", why), evidence)


def _decided(found: RuleFinding, heard: Heard) -> RuleFinding:
    """What the judge's decision makes of a rule that was left to it."""
    rule, decision = found.rule, heard.decisions[found.rule.id]
    if decision.answer is None:
        return replace(found, message=decision.reason)
    if (decision.answer == "yes") == (rule.kind == "required"):
        found = replace(found, verdict="satisfied", message=rule.title)
    else:
        found = replace(
            found, verdict="missing" if rule.kind == "required" else "violated", message=rule.message
        )
    return replace(found, quote=decision.quote or None, start=decision.start, end=decision.end)


def _evidence(reviewed: LegalReview, heard: Heard) -> dict[str, Any]:
    """The evidence of the rules, with the judge's reason beside each rule that it decided."""
    evidence = review_evidence(reviewed)
    rules = [_with_reason(rule, heard.decisions.get(rule["rule"])) for rule in evidence["rules"]]
    return {**evidence, "rules": rules}


def _with_reason(rule: dict[str, Any], decision: Decision | None) -> dict[str, Any]:
    if decision is None or decision.answer is None:
        return rule
    return {**rule, "decided_by": "judge", "reasoning": decision.reason}
