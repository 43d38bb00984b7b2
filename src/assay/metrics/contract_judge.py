"""Contract completeness with a judge for clauses in words that no pack knows.

Without the option `judge` it is `assay.metrics.contract` alone. With it, the clauses that the rules found
missing or partial are put to the judge. One that it finds present counts as present when the passage that it
quotes stands in the text, is filled in and is not struck out; all others keep the verdict of the rules.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from assay.domain.scores import Sample
from assay.metrics.clause_check import ClauseFinding
from assay.metrics.clause_exclusions import Exclusions, find_exclusions, is_within
from assay.metrics.clause_packs import Clause
from assay.metrics.clause_terms import BLANK
from assay.metrics.clause_text import Contract
from assay.metrics.contract import (
    ContractReview,
    Settings,
    make_contract_completeness,
    read_settings,
    review,
    score_review,
)
from assay.metrics.entry import MetricSpec
from assay.metrics.open_questions import Decision, Form, Heard, OpenQuestion
from assay.metrics.pack_versions import with_rules
from assay.metrics.rules_then_judge import Found, Looked, RulesThenJudge, rules_then_judge
from assay.metrics.sample_metric import Finding, SampleMetric, Unscored

FORM = Form(
    template="contract_clauses",
    key="clause",
    setting="clauses",
    quoted="present",
    plain=("partial", "absent"),
)
OPEN = ("missing", "partial")
"""Verdicts of the rules that a judge may overturn."""


def make_contract(spec: MetricSpec) -> SampleMetric | RulesThenJudge:
    """Complete required clauses / applicable required clauses, by rules and, if one is named, a judge."""
    if not spec.judges:
        return make_contract_completeness(spec)
    settings = read_settings(spec.options)
    kinds = {pack.contract for pack in settings.packs} if settings.contract is None else {settings.contract}
    possible = [list(_all_questions(settings, kind)) for kind in sorted(kinds)]
    spec = with_rules(spec, sorted(pack.digest for pack in settings.packs))

    def look(sample: Sample) -> Looked | Finding | Unscored:
        reviewed = review(sample, settings)
        return reviewed if isinstance(reviewed, Unscored) else _open(reviewed)

    return rules_then_judge(spec, FORM, look, possible)


def _all_questions(settings: Settings, kind: str) -> Iterator[OpenQuestion]:
    """The longest question of each clause that a contract of a kind may lack."""
    for pack in settings.packs:
        for clause in pack.clauses if pack.contract == kind else ():
            if settings.include_recommended or clause.level != "recommended":
                yield _question(clause, tuple(clause.elements))


def _question(clause: Clause, lacking: tuple[str, ...]) -> OpenQuestion:
    """What a clause is for, what it must say, and what of it the rules did not find."""
    words = f"{clause.title}. {clause.why.strip()}"
    if clause.elements:
        words += f" Must say: {_named(clause.elements)}. Not found: {_named(lacking)}."
    return OpenQuestion(clause.id, words)


def _named(elements: Iterable[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in elements)


def _open(reviewed: ContractReview) -> Looked | Finding | Unscored:
    wanting = [found for found in reviewed.findings if found.verdict in OPEN]
    if not wanting:
        return score_review(reviewed)
    questions = [_question(found.clause, found.missing_elements) for found in wanting]
    return Looked(reviewed.contract.raw, questions, lambda heard: _finish(reviewed, heard))


def _finish(reviewed: ContractReview, heard: Heard) -> Found:
    contract = reviewed.contract
    exclusions = find_exclusions(contract)
    for id_, decision in heard.decisions.items():
        heard.decisions[id_] = _checked(contract, exclusions, decision)
    findings = tuple(_decided(found, heard) for found in reviewed.findings)
    scored = score_review(replace(reviewed, findings=findings))
    if isinstance(scored, Unscored):
        return Found(scored, {})
    evidence = dict(scored.evidence or {})
    evidence["clauses"] = [_with_reason(each, heard) for each in evidence["clauses"]]
    return Found(Finding(scored.value, f"{scored.reason}; {heard.words}", evidence), evidence)


def _checked(contract: Contract, exclusions: Exclusions, decision: Decision) -> Decision:
    """The decision, or none for a passage that is not filled in or not in force."""
    if decision.start is None or decision.end is None:
        return decision
    section = contract.section_at(decision.start)
    struck_out = section is not None and exclusions.strike_out(contract, section)
    if struck_out or is_within(decision.start, exclusions.sentences):
        return Decision(None, "the judge quotes what is struck out")
    if BLANK in contract.flat[decision.start : decision.end]:
        return Decision(None, "the judge quotes what is not filled in")
    return decision


def _decided(found: ClauseFinding, heard: Heard) -> ClauseFinding:
    """The finding as the judge overturns it; else as the rules have it."""
    decision = heard.decisions.get(found.clause.id)
    if decision is None or decision.answer != FORM.quoted:
        return found
    quote = " ".join(decision.quote.split())
    return replace(
        found, verdict="present", missing_elements=(), start=decision.start, end=decision.end, quote=quote
    )


def _with_reason(clause: dict[str, Any], heard: Heard) -> dict[str, Any]:
    """The entry of a clause with who decided it, and what the judge says where the rules' verdict stays."""
    decision = heard.decisions.get(clause["clause"])
    if decision is None:
        return clause
    if decision.answer == FORM.quoted:
        return {**clause, "decided_by": "judge", "reasoning": decision.reason}
    return {**clause, "decided_by": "rules", "judge": decision.answer, "reasoning": decision.reason}
