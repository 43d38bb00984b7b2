"""Rule packs: rules as data, with their legal source and dates, read from YAML.

A pack is one file. Built-in packs are in `assay/metrics/rules/` and have the file's name without its end;
anybody adds a pack by naming a path where a metric takes `packs`. What a file holds:

    pack: my_agency                  an id
    title: Our house rules
    version: "1"                     changes when a verdict could change
    defaults: {jurisdictions: [NSW], severity: major}      fields for rules that do not set them
    terms: {amount: ["re:\\$[0-9]+"]}  names for lists, put into phrases as {amount}
    rules:
      - id: nsw.example              unique over all packs that are used together
        title: What the rule asks
        kind: required               required | prohibited | advice | citation
        category: disclosure         any word; figures are told by it
        jurisdictions: [NSW]         codes; AU means all of Australia, "*" everywhere
        source: Conveyancing Act 1919 (NSW) s 52A
        valid_from: 2010-07-01       first and last day on which the rule holds; both may be left out
        valid_to: 2025-07-31
        severity: major              critical | major | minor
        documents: [listing, email]  kinds of document; left out: all
        needs_document: false        true: a text whose kind is not known is not meant
        when: [...]                  applies only if one of these is found (left out: always)
        when_all: [[...], [...]]     ... and one of each of these lists
        when_none: [...]             ... and none of these
        occasions:                   ... and what one of these asks for (rule_concepts)
          - {all: [[...], [...]], of: [[...], [...]], at_least: 1, together: [...]}
        patterns: [...]              what is required or prohibited
        together:                    ... or these groups, what stands together in any order (rule_concepts)
          - {all: [[...], [...]], none: [...], rivals: [...], gap_not: [...], sentences: 1,
             in_order: false, reach: 520}
        allowed: [...]               right values of the group `value` of a pattern: others violate
        also_allowed: {where: [...], values: [...]}   values that are right in a text that has one of these
        ratio: {to: [...], at_most: 4}   a `value` in dollars over the amount that `to` finds nearest to it,
                                     but for amounts just after one of the phrases of `unless`; a list of
                                     such: the one with the nearest amount counts
        gap_not: [...]               a match whose group `gap` holds one of these is none
        max_spread_percent: 10       `value` is two amounts: the second may exceed the first by this much
        exceptions: [...]            found in the same sentence: not a violation
        cleared_by: [...]            found in the same sentence or the next: not a violation
        exceptions_anywhere: [...]   found anywhere: not a violation
        gives_way_to: nsw.other_rule   a sentence that violates that rule is left to that one
        excused_by: [mention, negation]   which turns of phrase excuse a match; [] for none
        needs_judge: false           only a judge can decide, by `question`
        question: Does the answer ...?
        message: What is wrong.
        remedy: What to do.

`assay.metrics.rule_phrases` says how phrases are written, `assay.metrics.rule_checks` what the kinds mean.
`load_packs(["legal_au_prices", "our/rules.yaml"])` gives the packs; what is wrong in a file raises
InvalidInput with file, line and field, all problems of the file at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from assay.domain.errors import InvalidInput
from assay.formats.places import Place, Problems
from assay.formats.yaml_text import parse_yaml
from assay.metrics.pack_fields import (
    check_names,
    names_file,
    read_built_in,
    read_pack_file,
    read_terms,
    read_text_field,
)
from assay.metrics.pack_versions import text_digest
from assay.metrics.rule import Rule
from assay.metrics.rule_phrases import Terms
from assay.metrics.rule_reader import RuleReader
from assay.metrics.word_lists import load_word_lists

BUILT_IN = resources.files("assay.metrics") / "rules"
SHARED_TERMS = "_terms"
"""Names the file of terms that all packs may use."""
CLAUSE_PACKS = "contracts_"
"""Begins the names of files that `assay.metrics.clause_packs` reads."""
PACK_FIELDS = ("pack", "title", "version", "defaults", "terms", "rules")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A file of rules."""

    id: str
    title: str
    version: str
    rules: tuple[Rule, ...]
    file: str
    digest: str
    """Of its text."""


def list_packs() -> tuple[str, ...]:
    """The ids of the built-in packs."""
    return tuple(sorted(_built_in()))


def load_packs(names: Iterable[str]) -> tuple[Pack, ...]:
    """Built-in packs by id, others by path, in order. A path has a `/` or ends in .yaml or .yml.

    Raises InvalidInput for a pack that is not there, is wrong, or has a rule's id that another has.
    """
    packs = tuple(load_pack(name) for name in dict.fromkeys(names))
    owners: dict[str, str] = {}
    for pack in packs:
        for rule in pack.rules:
            if rule.id in owners:
                raise InvalidInput(
                    f"the rule {rule.id!r} is in {owners[rule.id]} too", file=pack.file, field="rules"
                )
            owners[rule.id] = pack.file
    return packs


def load_pack(name: str) -> Pack:
    """One pack, by the id of a built-in one or by path; raises InvalidInput."""
    if names_file(name):
        return parse_pack(read_pack_file(Path(name)), name)
    return _load_built_in(name)


@lru_cache(maxsize=64)
def _load_built_in(name: str) -> Pack:
    return parse_pack(read_built_in(name, "rule", _built_in()), f"{name}.yaml")


def _built_in() -> Mapping[str, Traversable]:
    """Id -> file of the packs; files that begin with an underscore are not packs."""
    names = ((file, file.name) for file in BUILT_IN.iterdir())
    return {
        name.removesuffix(".yaml"): file
        for file, name in names
        if name.endswith(".yaml") and not name.startswith(("_", CLAUSE_PACKS))
    }


@lru_cache(maxsize=1)
def load_shared_terms() -> Terms:
    """The terms that every pack may use."""
    file = f"{SHARED_TERMS}.yaml"
    problems = Problems(file, {})
    terms = read_terms(problems, load_word_lists(SHARED_TERMS))
    problems.raise_any()
    return terms


def parse_pack(text: str, file: str) -> Pack:
    """A pack from YAML; raises InvalidInput with file, line and field."""
    value, lines = parse_yaml(text, Place(file))
    problems = Problems(file, lines)
    if not isinstance(value, dict):
        raise Place(file, 1).problem("a rule pack is a mapping with `pack`, `title`, `version` and `rules`")
    check_names(problems, "", value, PACK_FIELDS)
    for name in ("pack", "title", "version"):
        read_text_field(problems, name, value.get(name))
    defaults = value.get("defaults") or {}
    if not isinstance(defaults, dict):
        problems.add("defaults", "must be a mapping of fields of rules")
        defaults = {}
    terms = read_terms(problems, value.get("terms") or {}, shared=load_shared_terms())
    rules = _rules(RuleReader(problems, terms), value.get("rules"), defaults)
    problems.raise_any()
    return Pack(
        id=value["pack"], title=value["title"], version=value["version"], rules=rules, file=file,
        digest=text_digest(text),
    )  # fmt: skip


def _rules(reader: RuleReader, value: Any, defaults: Mapping[str, Any]) -> tuple[Rule, ...]:
    if not isinstance(value, list) or not value:
        reader.problems.add("rules", "must be a list of at least one rule")
        return ()
    found: dict[str, Rule] = {}
    for number, item in enumerate(value):
        path = f"rules.{number}"
        if not isinstance(item, dict):
            reader.problems.add(path, "a rule is a mapping")
            continue
        rule = reader.rule(path, {**defaults, **item})
        if rule.id in found:
            reader.problems.add(f"{path}.id", f"the rule {rule.id!r} is there twice")
        found[rule.id] = rule
    return tuple(found.values())
