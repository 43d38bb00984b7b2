"""Real estate accuracy: the facts of an answer against the source record of the property."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import Any

from assay.domain.errors import InvalidInput
from assay.domain.scores import Sample
from assay.domain.text import valid_text
from assay.extract.addresses import find_addresses, normal_state
from assay.metrics.entry import MetricSpec
from assay.metrics.pack_versions import text_digest, with_rules
from assay.metrics.property_checks import check_claim, field_of, missing_fields
from assay.metrics.property_claims import Claim, numeric_claims
from assay.metrics.property_clauses import split_clauses
from assay.metrics.property_descriptions import descriptive_claims
from assay.metrics.property_features import MAX_MENTIONS, Said, check_features, check_pets
from assay.metrics.property_fields import ALIASES, PERIODIC_FIELDS
from assay.metrics.property_layout import Layout, read_layout
from assay.metrics.property_others import is_another_address, other_columns, other_homes
from assay.metrics.property_places import check_distances, check_schools
from assay.metrics.property_quantities import check_quantities
from assay.metrics.property_record import Record, read_record
from assay.metrics.property_rule_files import PropertyRules, load_rules
from assay.metrics.property_source import PLACES, mapping_of, source_of
from assay.metrics.property_structured import read_structured, structured_claims
from assay.metrics.property_sums import Sums, read_sums, same_amount
from assay.metrics.property_verdicts import WRONG, Checker
from assay.metrics.property_words import FILE as LEXICON
from assay.metrics.property_words import find_mentions
from assay.metrics.sample_metric import Finding, SampleMetric, Unscored, sample_metric, too_long

SHOWN = 4
"""How many wrong facts a reason names."""
MAX_ANSWER_CHARS = 200_000
MAX_EVIDENCE = 500


@dataclass(frozen=True, slots=True)
class Fact:
    """One checked fact; `start` and `end` are None for what the answer does not say."""

    field: str
    said: str
    record: str
    verdict: str
    rule: str
    quote: str
    start: int | None
    end: int | None

    @property
    def evidence(self) -> Mapping[str, Any]:
        """As JSON."""
        return {
            "field": self.field, "said": self.said, "record": self.record, "verdict": self.verdict,
            "rule": self.rule, "quote": self.quote, "start": self.start, "end": self.end,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """What the options ask for."""

    record: str | None
    required: tuple[str, ...]
    ignore: frozenset[str]
    rules: PropertyRules
    day: date | None


def make_real_estate_accuracy(spec: MetricSpec) -> SampleMetric:
    """Correct checked facts / checked facts of an answer about one property."""
    plan = _plan(spec)
    lexicon = text_digest(LEXICON.read_text(encoding="utf-8"))
    spec = with_rules(spec, (*plan.rules.digests, lexicon))
    return sample_metric(spec, lambda sample: _measure(sample, plan))


def _plan(spec: MetricSpec) -> Plan:
    options = spec.options
    day = options["date"]
    try:
        as_day = date.fromisoformat(day) if day else None
    except ValueError as error:
        raise InvalidInput(f"must be a day such as 2026-03-14, not {day!r}", field="options.date") from error
    return Plan(
        record=options["record"],
        required=_fields(options["required"], "required"),
        ignore=frozenset(_fields(options["ignore"], "ignore")),
        rules=load_rules(_texts(options["rules"])),
        day=as_day,
    )


def _texts(value: Any) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


def _fields(value: Any, option: str) -> tuple[str, ...]:
    """Names of fields, aliases resolved; raises InvalidInput for an unknown one."""
    known = {*ALIASES.values(), "features", "distance", "schools"}
    names = []
    for name in _texts(value):
        field = ALIASES.get(name, name)
        if field not in known:
            raise InvalidInput(
                f"there is no field {name!r}",
                field=f"options.{option}",
                remedy=f"There are: {', '.join(sorted(known))}.",
            )
        names.append(field)
    return tuple(dict.fromkeys(names))


def _measure(sample: Sample, plan: Plan) -> Finding | Unscored:
    source = source_of(sample.case, plan.record)
    if source is None:
        where = plan.record or ", ".join(PLACES)
        missing = (
            "the case has no expected object and no record"
            if plan.record is None
            else "the case has no record"
        )
        return Unscored("skipped", f"{missing} in {where}")
    value = mapping_of(source)
    if not value:
        return Unscored("skipped", "the record is no object with fields")
    if len(sample.response.text) > MAX_ANSWER_CHARS:
        length = f"{len(sample.response.text):,} characters"
        return too_long(length, MAX_ANSWER_CHARS, "it is made for answers about one property")
    record = read_record(value)
    facts = check_answer(valid_text(sample.response.text), record, plan.rules, plan.day)
    facts = [fact for fact in facts if fact.field not in plan.ignore]
    facts += _omitted(plan.required, facts, record)
    return _found(facts)


def _omitted(required: Sequence[str], facts: list[Fact], record: Record) -> list[Fact]:
    said = {fact.field for fact in facts}
    return [
        Fact(name, "", _held(record, name), "omitted", "required", "", None, None)
        for name in missing_fields(required, said, record)
    ]


def _held(record: Record, name: str) -> str:
    return " ".join(str(each) for each in record.fields.get(name, ()))[:120]


def _found(facts: list[Fact]) -> Finding | Unscored:
    if not facts:
        return Unscored("abstained", "the answer states nothing that the record can confirm or deny")
    wrong = [fact for fact in facts if fact.verdict in WRONG]
    right = len(facts) - len(wrong)
    reason = f"{right} of {len(facts)} facts agree with the record"
    if wrong:
        shown = "; ".join(_told(fact) for fact in wrong[:SHOWN])
        more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        reason += f": {shown}{more}"
    ordered = wrong + [fact for fact in facts if fact.verdict not in WRONG]
    evidence = {"facts": [fact.evidence for fact in ordered[:MAX_EVIDENCE]]}
    return Finding(right / len(facts), reason, evidence)


def _told(fact: Fact) -> str:
    if fact.verdict == "omitted":
        return f"{fact.field} is missing"
    held = f", not {fact.record[:60]}" if fact.record and fact.verdict == "mismatch" else ""
    return f"{fact.field} {fact.said[:60]!r} is {'invented' if fact.verdict == 'invented' else 'wrong'}{held}"


def check_answer(text: str, record: Record, rules: PropertyRules, day: date | None = None) -> list[Fact]:
    """Every fact of a text that can be checked, in the order of fields and places; each said fact once."""
    layout = read_layout(text)
    structured = read_structured(text)
    text = layout.text
    clauses = split_clauses(text)
    if structured is None:
        claims = (*numeric_claims(text, clauses, record.locale), *descriptive_claims(text, clauses, record))
    else:
        claims = (*structured_claims(text, structured, clauses),)
    addresses = find_addresses(text)
    others = {
        (clause.start, clause.end)
        for find in addresses
        if is_another_address(find, clauses.at(find.start), record, addresses)
        for clause in clauses.about(find.start)
    } | {(clause.start, clause.end) for clause in other_homes(text, clauses, record, addresses[:200])}
    columns = sorted(other_columns(text, record))
    claims = tuple(
        claim
        for claim in claims
        if (claim.clause.start, claim.clause.end) not in others and not _within(claim.find.start, columns)
    )
    facts = [
        *_checked(Checker(record, rules, claims, day), read_sums(text if structured is None else "", record))
    ]
    spans = [(find.start, find.end) for find in addresses] + _suburb_names(text, record)
    spans += [
        (fact.start or 0, fact.end or 0)
        for fact in facts
        if fact.field == "car_spaces" and (fact.verdict in WRONG or not KIND_OF_PARKING.search(fact.quote))
    ]
    mentions = tuple(islice(find_mentions(text), MAX_MENTIONS))
    places = (
        *check_distances(text, clauses, record),
        *check_schools(text, clauses, record),
        *check_quantities(text, mentions, clauses, record),
    )
    places = (*places, *check_pets(text, record))
    said = (*check_features(text, mentions, clauses, record, sorted([*spans, *others, *columns])), *places)
    facts += [_of_said(each, text) for each in _of_own(said, others | {*columns})]
    return [_placed(fact, layout) for fact in _once(facts)]


def _within(position: int, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether a position is in one of some sorted spans."""
    index = bisect_right(spans, (position, len(spans) and spans[-1][1] + 1)) - 1
    return index >= 0 and spans[index][0] <= position < spans[index][1]


def _placed(fact: Fact, layout: Layout) -> Fact:
    """The fact with its quote and place in the answer as it was written."""
    start, end = layout.span(fact.start or 0, fact.end or 0)
    return replace(fact, quote=layout.original[start:end], start=start, end=end)


def _of_own(said: Iterable[Said], others: set[tuple[int, int]]) -> Iterator[Said]:
    """What is not said in a clause about another address; a school's zone is one fact with the school."""
    said = list(said)
    schools = [each.start for each in said if each.field == "schools"]
    for each in said:
        zone = each.key == "school_catchment" and any(abs(start - each.start) < ZONE for start in schools)
        if not zone and not any(start <= each.start < end for start, end in others):
            yield each


def _suburb_names(text: str, record: Record) -> list[tuple[int, int]]:
    """Where the record's suburb is named: Battery Point has no battery."""
    suburb = record.address.suburb
    if len(suburb) < 3:
        return []
    words = re.escape(suburb).replace(r"\ ", r"[\s-]")
    return [match.span() for match in re.finditer(rf"\b{words}\b", text, re.IGNORECASE)]


def _checked(checker: Checker, sums: Sums) -> Iterator[Fact]:
    """The facts of claims; one that differs beside one that agrees is stray, and so is what others make.

    In one clause the other number belongs to something else ("at $900,000 a 10% deposit is $90,000"); of some
    home it is another home's.
    """
    verdicts = [(claim, check_claim(checker, claim)) for claim in checker.claims]
    right = {claim.field for claim, verdict in verdicts if verdict.verdict == "match"}
    told = {(claim.field, claim.clause.start) for claim, verdict in verdicts if verdict.verdict == "match"}
    wrong: list[Claim] = []
    for claim, verdict in verdicts:
        beside = claim.field in OF_A_BASE and (claim.field, claim.clause.start) in told
        another = claim.field in right and (claim.clause.may_be_of_another or not sums.names(claim))
        told_apart = claim.field not in PERIODIC_FIELDS and sums.names(claim)
        unnamed = verdict.verdict == "invented" and not told_apart and sums.explain(claim)
        stray = unnamed or (verdict.verdict == "mismatch" and (beside or another or sums.explain(claim)))
        if verdict.verdict == "mismatch" and not stray:
            stray = any(same_amount(claim, other) for other in wrong)
            wrong.append(claim)
        if verdict.verdict and not stray:
            field = field_of(claim, checker.record)
            find = claim.find
            yield Fact(
                field,
                claim.said,
                verdict.record,
                verdict.verdict,
                verdict.rule,
                find.quote,
                find.start,
                find.end,
            )


def _of_said(said: Said, text: str) -> Fact:
    quote = text[said.start : said.end]
    shown = said.key.replace("_", " ") if said.field == "features" else " ".join(quote.split())
    return Fact(said.field, shown, said.record, said.verdict, said.rule, quote, said.start, said.end)


KIND_OF_PARKING = re.compile(r"garag|carport|lock-?up", re.IGNORECASE)
"""What is a feature beside the count: "double garage"."""
OF_A_BASE = ("deposit", "stamp_duty", "cooling_off_days")
"""Told beside the price or the term that they are reckoned from, which is not theirs."""
ZONE = 120
"""How near a school's name and the word of its zone are one fact."""


def _once(facts: list[Fact]) -> Iterator[Fact]:
    """Facts that say the same of the same field count once."""
    seen: set[tuple[str, str, str]] = set()
    for fact in facts:
        said = "".join(char for char in fact.said.lower() if char.isalnum() or char == ".")
        key = (fact.field, said, fact.verdict)
        if fact.verdict == "match":
            key = (fact.field, fact.record or said, "match")
        elif fact.field == "state":
            key = (fact.field, normal_state(fact.said), fact.verdict)
        if key not in seen:
            seen.add(key)
            yield fact
