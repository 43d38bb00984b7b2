"""Contract completeness: are the clauses there that a contract of its kind needs, and are they filled in?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from math import inf
from typing import Any

from assay.domain.errors import InvalidInput
from assay.domain.scores import Sample
from assay.domain.text import valid_text
from assay.metrics.clause_check import ClauseFinding, check_clause
from assay.metrics.clause_exclusions import find_exclusions
from assay.metrics.clause_packs import Clause, ClausePack, Condition, list_clause_packs, load_clause_packs
from assay.metrics.clause_places import names
from assay.metrics.clause_references import find_pointers
from assay.metrics.clause_text import Contract, prepare_text, read_contract
from assay.metrics.contract_consistency import find_inconsistencies
from assay.metrics.contract_places import COUNTRIES, find_jurisdiction, read_jurisdiction
from assay.metrics.entry import MetricSpec
from assay.metrics.pack_versions import with_rules
from assay.metrics.sample_metric import Finding, SampleMetric, Unscored, sample_metric, too_long

MAX_CHARS = 400_000
OPENING_CHARS = 300
"""Where a contract says what it is."""
MIN_SHARE = 0.5
MAX_NAMED = 6
MAX_TITLES = 4096
"""Titles of one text of which it is kept whether a pack knows them."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The options, checked."""

    packs: tuple[ClausePack, ...]
    contract: str | None
    jurisdiction: str | None
    conditions: Mapping[str, Any]
    as_of: date | None
    include_recommended: bool
    variable: str | None


@dataclass(frozen=True, slots=True)
class ContractReview:
    """What the packs say of one text."""

    contract: Contract
    findings: tuple[ClauseFinding, ...]
    question: "Question"


@dataclass(frozen=True, slots=True)
class Question:
    """What one contract is held against."""

    contract: str
    jurisdiction: str | None
    conditions: Mapping[str, Any]
    day: date | None


def make_contract_completeness(spec: MetricSpec) -> SampleMetric:
    """Complete required clauses / applicable required clauses; a partial clause is not complete."""
    settings = read_settings(spec.options)
    spec = with_rules(spec, sorted(pack.digest for pack in settings.packs))
    return sample_metric(spec, lambda sample: _measure(sample, settings))


def read_settings(options: Mapping[str, Any]) -> Settings:
    """The options, checked. Raises InvalidInput."""
    named = options["packs"]
    packs = load_clause_packs(list_clause_packs() if named is None else _listed(named))
    contract = options["contract"]
    kinds = sorted({pack.contract for pack in packs})
    if contract is not None and contract not in kinds:
        raise InvalidInput(
            f"no pack is for {contract!r}", field="options.contract", remedy=f"There are: {', '.join(kinds)}."
        )
    return Settings(
        packs,
        contract,
        _jurisdiction_option(options["jurisdiction"]),
        options["conditions"] or {},
        _day_option(options["as_of"]),
        options["include_recommended"],
        _variable_option(options["text"]),
    )


def _listed(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def _jurisdiction_option(value: str | None) -> str | None:
    if value is None:
        return None
    found = read_jurisdiction(value)
    if found is None:
        raise InvalidInput(
            f"{value!r} is no jurisdiction",
            field="options.jurisdiction",
            remedy="Use a code such as NSW, AU, US or US-CA.",
        )
    return found


def _day_option(value: str | None) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise InvalidInput("must be a day such as 2026-03-01", field="options.as_of") from error


def _variable_option(value: str | None) -> str | None:
    if value is None:
        return None
    scope, _, name = value.partition(".")
    if scope != "vars" or not name:
        raise InvalidInput("must be vars.NAME", field="options.text")
    return name


def _measure(sample: Sample, settings: Settings) -> Finding | Unscored:
    reviewed = review(sample, settings)
    return reviewed if isinstance(reviewed, Unscored) else score_review(reviewed)


def review(sample: Sample, settings: Settings) -> ContractReview | Unscored:
    """The clauses of a sample's text, or why they are not looked for."""
    text = _text_of(sample, settings)
    if isinstance(text, Unscored):
        return text
    if not text.strip():
        return Unscored("abstained", "the text is empty")
    if len(text) > MAX_CHARS:
        return too_long(f"{len(text):,} characters", MAX_CHARS, "check the contract in parts")
    folded = prepare_text(text)
    question = _question(sample, folded, settings)
    if isinstance(question, Unscored):
        return question
    packs = [pack for pack in settings.packs if pack.contract == question.contract]
    asked = clauses_of(packs, question, settings.include_recommended)
    return examine(text, folded, asked, packs, question)


def _text_of(sample: Sample, settings: Settings) -> str | Unscored:
    if settings.variable is None:
        return valid_text(sample.response.text)
    value = sample.case.vars.get(settings.variable)
    if not isinstance(value, str):
        return Unscored("skipped", f"the case has no text in vars.{settings.variable}")
    return valid_text(value)


def _from_case(sample: Sample, name: str) -> Any:
    for source in (sample.case.metadata, sample.case.vars):
        if source.get(name) is not None:
            return source[name]
    return None


def _question(sample: Sample, folded: str, settings: Settings) -> Question | Unscored:
    stated = settings.jurisdiction or _from_case(sample, "jurisdiction")
    place = read_jurisdiction(stated) if isinstance(stated, str) else find_jurisdiction(folded)
    contract = settings.contract or _from_case(sample, "contract_type")
    if not isinstance(contract, str):
        contract = detect_contract(folded, settings.packs, place)
        if contract is None:
            return Unscored("skipped", "the kind of contract is not known")
    packs = [pack for pack in settings.packs if pack.contract == contract]
    if not packs:
        return Unscored("skipped", f"no pack is for the contract type {contract[:60]!r}")
    if stated is None and place is not None and not any(_serves(pack.jurisdictions, place) for pack in packs):
        place = None
    if place is not None and not any(_serves(pack.jurisdictions, place) for pack in packs):
        return Unscored("skipped", f"no pack for {contract!r} is for {place}")
    if stated is not None and place is None:
        return Unscored("skipped", f"the jurisdiction {str(stated)[:40]!r} is not known")
    given = _from_case(sample, "conditions")
    conditions = {**(given if isinstance(given, Mapping) else {}), **settings.conditions}
    return Question(contract, place, conditions, settings.as_of)


def detect_contract(folded: str, packs: Sequence[ClausePack], place: str | None) -> str | None:
    """The kind most of whose signs are there: at least half of them, and more than of any other kind.

    The first sign is how such contracts are named; in the opening of the text it counts as another.
    """
    data, opening = folded.encode("latin-1", "replace"), folded[:OPENING_CHARS].encode("latin-1", "replace")
    shares: dict[str, float] = {}
    for pack in packs:
        if not pack.detect or (place is not None and not _serves(pack.jurisdictions, place)):
            continue
        found = sum(sign.first(data) is not None for sign in pack.detect)
        found += pack.detect[0].first(opening) is not None
        shares[pack.contract] = max(shares.get(pack.contract, 0.0), found / (len(pack.detect) + 1))
    ranked = sorted(shares.items(), key=lambda item: -item[1])
    if not ranked or ranked[0][1] < MIN_SHARE:
        return None
    if len(ranked) > 1 and ranked[1][1] == ranked[0][1]:
        return None
    return ranked[0][0]


def _serves(places: frozenset[str], place: str | None) -> bool:
    """Whether what is for `places` is asked in a place; of an unknown place only what is asked everywhere."""
    if "*" in places:
        return True
    if place is None:
        return False
    country = "US" if place.startswith("US") else "AU"
    if place in places or country in places:
        return True
    return place == country and any(code in COUNTRIES[country] for code in places)


def _is_asked(clause: Clause, pack: ClausePack, place: str | None) -> bool:
    """A clause of fewer jurisdictions than its pack is asked only where it is known to be."""
    if clause.jurisdictions >= pack.jurisdictions:
        return True
    return "*" in clause.jurisdictions or place in clause.jurisdictions


def clauses_of(
    packs: Sequence[ClausePack], question: Question, include_recommended: bool
) -> Sequence[Clause]:
    """The clauses of some packs that a question asks for."""
    return [
        clause
        for pack in packs
        for clause in pack.clauses
        if _is_asked(clause, pack, question.jurisdiction)
        and clause.holds_on(question.day)
        and (include_recommended or clause.level != "recommended")
    ]


def examine(
    text: str, folded: str, clauses: Sequence[Clause], packs: Sequence[ClausePack], question: Question
) -> ContractReview:
    """Clauses held against a text, `folded` by `prepare_text`."""
    is_title = lru_cache(MAX_TITLES)(lambda title: any(names(clause, title) for clause in clauses))
    contract = read_contract(text, is_title, folded)
    conditions = {name: each for pack in packs for name, each in pack.conditions.items()}
    holding = Conditions(contract.data, question.conditions, conditions)
    exclusions, pointers = find_exclusions(contract), find_pointers(contract)
    findings = [
        check_clause(contract, clause, exclusions, pointers)
        if holding.hold(clause)
        else ClauseFinding(clause=clause, verdict="not_applicable", note=holding.why_not(clause))
        for clause in clauses
    ]
    return ContractReview(contract, tuple(findings), question)


@dataclass(frozen=True, slots=True)
class Conditions:
    """Conditions as they are given, else as the text shows them."""

    data: bytes
    given: Mapping[str, Any]
    known: Mapping[str, Condition]

    def value(self, name: str) -> Any:
        """True, false or a number; None when nothing is known."""
        if self.given.get(name) is not None:
            return self.given[name]
        condition = self.known.get(name)
        if condition is None:
            return None
        if condition.number:
            span = condition.number.first(self.data)
            return None if span is None else _as_number(self.data[span.value_start : span.value_end])
        if condition.cues.first(self.data) is None:
            return None
        return condition.unless.first(self.data) is None

    def hold(self, clause: Clause) -> bool:
        """Whether a clause applies: it has no conditions, or all of one alternative hold."""
        if not clause.when:
            return True
        return any(all(self._holds(name, wanted) for name, wanted in test.items()) for test in clause.when)

    def _holds(self, name: str, wanted: Any) -> bool:
        value = self.value(name)
        if not isinstance(wanted, Mapping):
            return bool(value) is wanted
        number = _as_number(value)
        if number is None:
            return False
        below, least = wanted.get("below", inf), wanted.get("at_least", -inf)
        return bool(least <= number < below)

    def why_not(self, clause: Clause) -> str:
        """Which conditions do not hold, in words."""
        names_ = sorted({name for test in clause.when for name in test})
        return "; ".join(
            f"{name}: {'not known' if (value := self.value(name)) is None else value}" for name in names_
        )


def _as_number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def score_review(reviewed: ContractReview) -> Finding | Unscored:
    """The value of a review with its reason and evidence; skipped when no clause applies."""
    contract, findings, question = reviewed.contract, reviewed.findings, reviewed.question
    applicable = [found for found in findings if found.verdict != "not_applicable"]
    if not applicable:
        return Unscored("skipped", f"no clause of {question.contract!r} applies")
    wanting = [found for found in applicable if found.verdict != "present"]
    complete = len(applicable) - len(wanting)
    issues = find_inconsistencies(contract)
    evidence = {
        "contract": question.contract,
        "jurisdiction": question.jurisdiction,
        "clauses": [found.as_evidence(question.jurisdiction) for found in findings],
        "consistency": [issue.as_evidence() for issue in issues],
    }
    reason = f"{complete} of {len(applicable)} clauses are complete"
    if wanting:
        shown = ", ".join(f"{found.clause.id} {found.verdict}" for found in wanting[:MAX_NAMED])
        more = f" and {len(wanting) - MAX_NAMED} more" if len(wanting) > MAX_NAMED else ""
        reason += f"; {shown}{more}"
    if issues:
        reason += f"; {len(issues)} inconsistencies"
    if question.jurisdiction is None:
        reason += "; the jurisdiction is not known, so only clauses of all of them were asked for"
    return Finding(complete / len(applicable), reason, evidence)
