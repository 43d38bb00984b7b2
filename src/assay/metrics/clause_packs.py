"""Clause packs: which clauses a kind of contract needs, as data with their legal source, read from YAML.

    pack: contracts_ours             an id; built-in packs are `assay/metrics/rules/contracts_*.yaml`
    title: Our engagement letters
    version: "1"
    contract: engagement             the kind of contract
    jurisdictions: [NSW, VIC]        where it is used; "*" is everywhere
    detect: [engagement letter]      phrases by which a text is known to be such a contract
    terms: {bank: [our bank]}        names for lists, put into phrases as {bank}
    conditions:
      strata: {cues: [strata plan], unless: [no strata]}     true when a cue is found
      year_built: {number: 're:built in (?P<value>[0-9]{4})'}  a number read from the text
    clauses:
      - id: deposit
        title: Deposit
        level: required              required | recommended | conditional
        why: Who holds the money.
        source: Some Act s 1         or a mapping of jurisdiction to text
        jurisdictions: [NSW]         left out: those of the pack
        valid_from: 2025-08-01       first and last day on which it is asked; both may be left out
        valid_to: 2030-01-01
        when: {strata: true}         or {year_built: {below: 1978}}, or {any: [..., ...]}
        headings: [deposit]          found in a heading: the section is looked at
        not_headings: [...]          ... but not where one of these is found too
        cues: [...]                  found in the text: that sentence is looked at
        says: [[rent, '{money}']]    ... or all of one list in a sentence, in any order
        not_cues: [...]              ... but not with one of these in the sentence
        requires: [...]              ... and, for cues, only with one of these in the sentence
        elements: {holder: [...]}    what must be said, by name
        blanks_allowed: true         lines to fill in, as for signatures, are no placeholders
        same_sentence: true          what is said of a cue stands in its sentence, in the headings above or
        before the
                                     list that it is an item of, as for documents; else next to it, too

`assay.metrics.rule_phrases` says how phrases are written, `assay.metrics.clause_terms` which words in
braces there are. Packs of one contract are taken together. What is wrong raises InvalidInput with file,
line and field.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, get_args

from assay.domain.errors import InvalidInput
from assay.formats.places import Place, Problems, did_you_mean
from assay.formats.yaml_text import parse_yaml
from assay.metrics.clause_terms import CLAUSE_TERMS
from assay.metrics.pack_fields import (
    check_names,
    in_force,
    join_path,
    names_file,
    read_built_in,
    read_day,
    read_pack_file,
    read_terms,
    read_text_field,
    read_texts,
)
from assay.metrics.pack_versions import text_digest
from assay.metrics.rule_packs import BUILT_IN, CLAUSE_PACKS
from assay.metrics.rule_phrases import BadPhrase, Phrases, Terms

Level = Literal["required", "recommended", "conditional"]
LEVELS: tuple[Level, ...] = get_args(Level)
PACK_FIELDS = (
    "pack", "title", "version", "contract", "jurisdictions", "detect", "terms", "conditions", "clauses",
)  # fmt: skip
CONDITION_FIELDS = ("cues", "unless", "number")
PHRASE_FIELDS = ("headings", "not_headings", "cues", "not_cues", "requires")
CLAUSE_FIELDS = (
    "id", "title", "level", "why", "source", "jurisdictions", "valid_from", "valid_to", "when",
    *PHRASE_FIELDS, "says", "elements", "blanks_allowed", "same_sentence",
)  # fmt: skip
COMPARISONS = ("below", "at_least")
YAML_DEPTH = 12
_ID = re.compile(r"[a-z][a-z0-9_]*\Z")

Test = Mapping[str, Any]
"""Condition name -> wanted value, or {below: n} or {at_least: n}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How a text shows that a condition holds. `number` reads a figure instead of yes or no."""

    cues: Phrases
    unless: Phrases
    number: Phrases


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A clause that a contract needs. `when` holds alternatives; none means always."""

    id: str
    title: str
    level: Level
    why: str
    source: str | Mapping[str, str]
    jurisdictions: frozenset[str]
    valid_from: date | None
    valid_to: date | None
    when: tuple[Test, ...]
    headings: Phrases
    not_headings: Phrases
    cues: Phrases
    not_cues: Phrases
    requires: Phrases
    says: tuple[tuple[Phrases, ...], ...]
    elements: Mapping[str, Phrases]
    blanks_allowed: bool
    same_sentence: bool

    def holds_on(self, day: date | None) -> bool:
        """Whether it is asked on a day. With no day known: whether it has not ended."""
        return in_force(self.valid_from, self.valid_to, day)

    def source_in(self, jurisdiction: str | None) -> str:
        """Its legal source in a jurisdiction."""
        if isinstance(self.source, str):
            return self.source
        country = (jurisdiction or "").partition("-")[0]
        for code in (jurisdiction, country, "AU", "US"):
            if code and code in self.source:
                return self.source[code]
        return "; ".join(self.source.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class ClausePack:
    """The clauses of one kind of contract, from one file."""

    id: str
    title: str
    version: str
    contract: str
    jurisdictions: frozenset[str]
    detect: tuple[Phrases, ...]
    conditions: Mapping[str, Condition]
    clauses: tuple[Clause, ...]
    file: str
    digest: str
    """Of its text."""


def list_clause_packs() -> tuple[str, ...]:
    """The ids of the built-in clause packs."""
    return tuple(sorted(_built_in()))


def load_clause_packs(names: Iterable[str]) -> tuple[ClausePack, ...]:
    """Built-in packs by id, others by path; raises InvalidInput, also for a clause that two packs have."""
    packs = tuple(_load(name) for name in dict.fromkeys(names))
    owners: dict[tuple[str, str], str] = {}
    for pack in packs:
        for clause in pack.clauses:
            key = (pack.contract, clause.id)
            if key in owners:
                raise InvalidInput(
                    f"{owners[key]} has the clause {clause.id!r} of {pack.contract!r} too",
                    file=pack.file,
                    field="clauses",
                )
            owners[key] = pack.file
    return packs


def _load(name: str) -> ClausePack:
    if names_file(name):
        return parse_clause_pack(read_pack_file(Path(name)), name)
    return _load_built_in(name)


@lru_cache(maxsize=64)
def _load_built_in(name: str) -> ClausePack:
    return parse_clause_pack(read_built_in(name, "clause", _built_in()), f"{name}.yaml")


def _built_in() -> Mapping[str, Traversable]:
    return {
        file.name.removesuffix(".yaml"): file
        for file in BUILT_IN.iterdir()
        if file.name.startswith(CLAUSE_PACKS) and file.name.endswith(".yaml")
    }


def parse_clause_pack(text: str, file: str) -> ClausePack:
    """A pack from YAML; raises InvalidInput with file, line and field, all problems at once."""
    value, lines = parse_yaml(text, Place(file), depth=YAML_DEPTH)
    problems = Problems(file, lines)
    if not isinstance(value, dict):
        raise Place(file, 1).problem("a clause pack is a mapping with `pack`, `contract` and `clauses`")
    check_names(problems, "", value, PACK_FIELDS)
    for name in ("pack", "title", "version", "contract"):
        read_text_field(problems, name, value.get(name))
    places = frozenset(read_texts(problems, "jurisdictions", value.get("jurisdictions") or ["*"]))
    reader = _Reader(problems, read_terms(problems, value.get("terms") or {}, CLAUSE_TERMS))
    conditions = reader.conditions(value.get("conditions") or {})
    clauses = reader.clauses(value.get("clauses"), places, conditions)
    signs = read_texts(problems, "detect", value.get("detect"))
    detect = tuple(reader.phrases("detect", sign) for sign in signs)
    problems.raise_any()
    return ClausePack(
        id=value["pack"], title=value["title"], version=value["version"], contract=value["contract"],
        jurisdictions=places, detect=detect, conditions=conditions, clauses=clauses, file=file,
        digest=text_digest(text),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads clauses and notes what is wrong with them."""

    problems: Problems
    terms: Terms

    def phrases(self, path: str, value: Any) -> Phrases:
        try:
            items = [value] if isinstance(value, str) else value
            return Phrases(read_texts(self.problems, path, items), self.terms)
        except BadPhrase as error:
            self.problems.add(join_path(path, error.args[1]), str(error.args[0]))
            return Phrases(())

    def mapping(self, path: str, value: Any) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        self.problems.add(path, "must be a mapping")
        return {}

    def conditions(self, value: Any) -> Mapping[str, Condition]:
        found = {}
        for name, item in self.mapping("conditions", value).items():
            path = f"conditions.{name}"
            fields = self.mapping(path, item)
            check_names(self.problems, path, fields, CONDITION_FIELDS)
            parts = {part: self.phrases(f"{path}.{part}", fields.get(part)) for part in CONDITION_FIELDS}
            if not parts["cues"] and not parts["number"]:
                self.problems.add(path, "needs `cues` or `number`, to be found in a text")
            found[name] = Condition(**parts)
        return found

    def clauses(
        self, value: Any, places: frozenset[str], conditions: Mapping[str, Condition]
    ) -> tuple[Clause, ...]:
        if not isinstance(value, list) or not value:
            self.problems.add("clauses", "must be a list of at least one clause")
            return ()
        found: dict[str, Clause] = {}
        for number, item in enumerate(value):
            path = f"clauses.{number}"
            clause = self.clause(path, self.mapping(path, item), places, conditions)
            if clause.id in found:
                self.problems.add(f"{path}.id", f"the clause {clause.id!r} is there twice")
            found[clause.id] = clause
        return tuple(found.values())

    def clause(
        self,
        path: str,
        value: Mapping[str, Any],
        places: frozenset[str],
        conditions: Mapping[str, Condition],
    ) -> Clause:
        check_names(self.problems, path, value, CLAUSE_FIELDS)
        texts = {
            name: read_text_field(self.problems, join_path(path, name), value.get(name))
            for name in ("id", "title", "level", "why")
        }
        phrases = {name: self.phrases(join_path(path, name), value.get(name)) for name in PHRASE_FIELDS}
        own = frozenset(read_texts(self.problems, f"{path}.jurisdictions", value.get("jurisdictions")))
        says = self.says(f"{path}.says", value.get("says"))
        self.check(path, texts, bool(phrases["headings"] or phrases["cues"] or says))
        fields: dict[str, Any] = {**texts, **phrases}
        return Clause(
            source=self.source(f"{path}.source", value.get("source")),
            jurisdictions=own or places,
            valid_from=read_day(self.problems, f"{path}.valid_from", value.get("valid_from")),
            valid_to=read_day(self.problems, f"{path}.valid_to", value.get("valid_to")),
            when=self.when(f"{path}.when", value.get("when"), conditions),
            says=says,
            elements=self.elements(f"{path}.elements", value.get("elements") or {}),
            blanks_allowed=self.flag(path, value, "blanks_allowed"),
            same_sentence=self.flag(path, value, "same_sentence"),
            **fields,
        )

    def flag(self, path: str, value: Mapping[str, Any], name: str) -> bool:
        if not isinstance(value.get(name, False), bool):
            self.problems.add(join_path(path, name), "must be true or false")
        return value.get(name) is True

    def check(self, path: str, texts: Mapping[str, str], can_be_found: bool) -> None:
        if texts["id"] and not _ID.match(texts["id"]):
            self.problems.add(f"{path}.id", "is lower-case letters, digits and _")
        if texts["level"] and texts["level"] not in LEVELS:
            self.problems.add(f"{path}.level", f"must be one of {', '.join(LEVELS)}")
        if not can_be_found:
            self.problems.add(path, "needs `headings`, `cues` or `says`, to be found in a text")

    def source(self, path: str, value: Any) -> str | Mapping[str, str]:
        if isinstance(value, dict) and value:
            return {
                code: read_text_field(self.problems, join_path(path, code), text)
                for code, text in value.items()
            }
        return read_text_field(self.problems, path, value)

    def elements(self, path: str, value: Any) -> Mapping[str, Phrases]:
        found = self.mapping(path, value)
        return {name: self.phrases(join_path(path, name), items) for name, items in found.items()}

    def says(self, path: str, value: Any) -> tuple[tuple[Phrases, ...], ...]:
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, list) and each for each in value):
            self.problems.add(path, "must be a list of lists of phrases")
            return ()
        return tuple(
            tuple(self.phrases(f"{path}.{number}.{place}", part) for place, part in enumerate(parts))
            for number, parts in enumerate(value)
        )

    def when(self, path: str, value: Any, conditions: Mapping[str, Condition]) -> tuple[Test, ...]:
        if value is None:
            return ()
        tests = self.mapping(path, value)
        alternatives = tests.get("any", [tests])
        if not isinstance(alternatives, list) or not all(isinstance(test, dict) for test in alternatives):
            self.problems.add(f"{path}.any", "must be a list of mappings")
            return ()
        for test in alternatives:
            for name, wanted in test.items():
                self.test(join_path(path, name), name, wanted, conditions)
        return tuple(alternatives)

    def test(self, path: str, name: str, wanted: Any, conditions: Mapping[str, Condition]) -> None:
        if name not in conditions:
            self.problems.add(path, f"there is no such condition{did_you_mean(name, conditions)}")
        elif isinstance(wanted, dict):
            check_names(self.problems, path, wanted, COMPARISONS)
        elif not isinstance(wanted, bool):
            self.problems.add(path, "must be true, false, {below: n} or {at_least: n}")
