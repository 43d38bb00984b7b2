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
        patterns: [...]              what is required or prohibited
        together:                    ... or these groups, what stands together in any order (rule_concepts)
          - {all: [[...], [...]], none: [...], rivals: [...], gap_not: [...], sentences: 1,
             in_order: false}
        allowed: [...]               right values of the group `value` of a pattern: others violate
        also_allowed: {where: [...], values: [...]}   values that are right in a text that has one of these
        ratio: {to: [...], at_most: 4}   a `value` in dollars over the amount that `to` finds nearest to it
        gap_not: [...]               a match whose group `gap` holds one of these is none
        max_spread_percent: 10       `value` is two amounts: the second may exceed the first by this much
        exceptions: [...]            found in the same sentence: not a violation
        cleared_by: [...]            found in the same sentence or the next: not a violation
        exceptions_anywhere: [...]   found anywhere: not a violation
        excused_by: [mention, negation]   which turns of phrase excuse a match; [] for none
        needs_judge: false           only a judge can decide, by `question`
        question: Does the answer ...?
        message: What is wrong.
        remedy: What to do.

`assay.metrics.rule_phrases` says how phrases are written, `assay.metrics.rule_checks` what the kinds mean.
`load_packs(["legal_au_prices", "our/rules.yaml"])` gives the packs; what is wrong in a file raises
InvalidInput with file, line and field, all problems of the file at once.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, get_args

from assay.domain.errors import InvalidInput
from assay.formats.places import Place, Problems
from assay.formats.yaml_text import parse_yaml
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
from assay.metrics.rule_concepts import Ratio, Together
from assay.metrics.rule_phrases import BadPhrase, Phrases, Terms
from assay.metrics.word_lists import load_word_lists

Kind = Literal["required", "prohibited", "advice", "citation"]
Severity = Literal["critical", "major", "minor"]
KINDS: tuple[Kind, ...] = get_args(Kind)
WEIGHTS: Mapping[Severity, float] = {"critical": 5.0, "major": 3.0, "minor": 1.0}
"""What a rule of each severity counts in a metric's value."""
EXCUSES = ("mention", "negation")
BUILT_IN = resources.files("assay.metrics") / "rules"
SHARED_TERMS = "_terms"
"""Names the file of terms that all packs may use."""
CLAUSE_PACKS = "contracts_"
"""Begins the names of files that `assay.metrics.clause_packs` reads."""
TEXT_FIELDS = ("id", "title", "kind", "category", "source", "severity", "message", "remedy", "question")
DATE_FIELDS = ("valid_from", "valid_to")
LIST_FIELDS = ("jurisdictions", "documents", "excused_by")
PHRASE_FIELDS = (
    *("when", "when_none", "patterns", "gap_not", "allowed"),
    *("exceptions", "cleared_by", "exceptions_anywhere"),
)
FIELDS = (
    *(*TEXT_FIELDS, *DATE_FIELDS, *LIST_FIELDS, *PHRASE_FIELDS),
    *("when_all", "together", "also_allowed", "ratio"),
    *("needs_judge", "needs_document", "max_spread_percent"),
)
TOGETHER_FIELDS = ("all", "none", "rivals", "gap_not", "sentences", "in_order")
NEEDED = ("id", "title", "kind", "source", "severity", "jurisdictions", "message")
PACK_FIELDS = ("pack", "title", "version", "defaults", "terms", "rules")
_ID = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*\Z")
_JURISDICTION = re.compile(r"[A-Z][A-Z0-9-]{1,11}\Z|\*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a pack. An empty `documents` means every kind of document."""

    id: str
    title: str
    kind: Kind
    category: str
    jurisdictions: frozenset[str]
    source: str
    severity: Severity
    message: str
    remedy: str
    valid_from: date | None
    valid_to: date | None
    documents: frozenset[str]
    when: Phrases
    when_all: tuple[Phrases, ...]
    when_none: Phrases
    patterns: Phrases
    gap_not: Phrases
    allowed: Phrases
    exceptions: Phrases
    cleared_by: Phrases
    exceptions_anywhere: Phrases
    excused_by: frozenset[str]
    needs_judge: bool
    needs_document: bool
    question: str
    together: tuple[Together, ...]
    also_allowed: tuple[Phrases, Phrases]
    ratio: Ratio | None
    max_spread_percent: float | None = None

    @property
    def weight(self) -> float:
        """What it counts in a metric's value."""
        return WEIGHTS[self.severity]

    def holds_on(self, day: date | None) -> bool:
        """Whether it is law on a day. With no day known: whether it has not ended."""
        return in_force(self.valid_from, self.valid_to, day)


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
    rules = _rules(_Reader(problems, terms), value.get("rules"), defaults)
    problems.raise_any()
    return Pack(
        id=value["pack"], title=value["title"], version=value["version"], rules=rules, file=file,
        digest=text_digest(text),
    )  # fmt: skip


def _rules(reader: "_Reader", value: Any, defaults: Mapping[str, Any]) -> tuple[Rule, ...]:
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


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads rules and notes what is wrong with them."""

    problems: Problems
    terms: Terms
    made: dict[tuple[str, ...], Phrases] = field(default_factory=dict)
    """Lists that are there already: rules share theirs, so that each is compiled and looked for once."""

    def rule(self, path: str, value: Mapping[str, Any]) -> Rule:
        check_names(self.problems, path, value, FIELDS)
        for name in NEEDED:
            if value.get(name) is None:
                self.problems.add(join_path(path, name), "is missing")
        texts = {name: self._text(path, value, name) for name in TEXT_FIELDS}
        days = {name: read_day(self.problems, join_path(path, name), value.get(name)) for name in DATE_FIELDS}
        lists = {
            name: frozenset(read_texts(self.problems, join_path(path, name), value.get(name)))
            for name in LIST_FIELDS
        }
        phrases = {name: self._phrases(join_path(path, name), value.get(name)) for name in PHRASE_FIELDS}
        when_all = self._groups(join_path(path, "when_all"), value.get("when_all"))
        fields: dict[str, Any] = {**texts, **days, **lists, **phrases, "when_all": when_all}
        for name in ("needs_judge", "needs_document"):
            fields[name] = self._flag(join_path(path, name), value.get(name, False))
        fields["max_spread_percent"] = self._number(path, "max_spread_percent", value)
        fields["together"] = self._together(join_path(path, "together"), value.get("together"))
        fields["also_allowed"] = self._also_allowed(
            join_path(path, "also_allowed"), value.get("also_allowed")
        )
        fields["ratio"] = self._ratio(join_path(path, "ratio"), value.get("ratio"))
        if value.get("excused_by") is None:
            fields["excused_by"] = frozenset(EXCUSES)
        self._check(path, fields)
        return Rule(**fields)

    def _text(self, path: str, value: Mapping[str, Any], name: str) -> str:
        return (
            ""
            if value.get(name) is None
            else read_text_field(self.problems, join_path(path, name), value[name])
        )

    def _flag(self, path: str, value: Any) -> bool:
        if not isinstance(value, bool):
            self.problems.add(path, f"must be true or false, not {value!r:.40}")
        return value is True

    def _number(self, path: str, name: str, fields: Mapping[str, Any]) -> float | None:
        value = fields.get(name)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and value >= 0):
            return value
        self.problems.add(join_path(path, name), f"must be a number, 0 or more, not {value!r:.40}")
        return None

    def _mapping(self, path: str, value: Any, known: Sequence[str]) -> Mapping[str, Any]:
        """A mapping of known fields; an empty one, with the fault noted, where it is none."""
        if not isinstance(value, dict):
            self.problems.add(path, f"must be a mapping of {', '.join(known)}")
            return {}
        check_names(self.problems, path, value, known)
        return value

    def _together(self, path: str, value: Any) -> tuple[Together, ...]:
        if value is not None and not isinstance(value, list):
            self.problems.add(path, "must be a list of mappings with `all`")
            return ()
        return tuple(self._group(join_path(path, number), item) for number, item in enumerate(value or ()))

    def _group(self, path: str, value: Any) -> Together:
        fields = self._mapping(path, value, TOGETHER_FIELDS)
        lists = self._groups(join_path(path, "all"), fields.get("all"))
        if not lists or not all(lists):
            self.problems.add(join_path(path, "all"), "must be lists of phrases, none of them empty")
        sentences = fields.get("sentences", 1)
        if sentences not in (1, 2) or isinstance(sentences, bool):
            self.problems.add(join_path(path, "sentences"), f"must be 1 or 2, not {sentences!r:.40}")
        phrases = {
            name: self._phrases(join_path(path, name), fields.get(name))
            for name in ("none", "rivals", "gap_not")
        }
        in_order = self._flag(join_path(path, "in_order"), fields.get("in_order", False))
        return Together(all=lists, sentences=sentences, in_order=in_order, **phrases)

    def _also_allowed(self, path: str, value: Any) -> tuple[Phrases, Phrases]:
        fields = {} if value is None else self._mapping(path, value, ("where", "values"))
        where, values = (
            self._phrases(join_path(path, name), fields.get(name)) for name in ("where", "values")
        )
        return where, values

    def _ratio(self, path: str, value: Any) -> Ratio | None:
        if value is None:
            return None
        fields = self._mapping(path, value, ("to", "at_least", "at_most"))
        low, high = (self._number(path, name, fields) for name in ("at_least", "at_most"))
        return Ratio(
            to=self._phrases(join_path(path, "to"), fields.get("to")),
            at_least=low or 0.0, at_most=math.inf if high is None else high,
        )  # fmt: skip

    def _phrases(self, path: str, value: Any) -> Phrases:
        entries = read_texts(self.problems, path, value)
        try:
            if entries not in self.made:
                self.made[entries] = Phrases(entries, self.terms)
            return self.made[entries]
        except BadPhrase as error:
            self.problems.add(join_path(path, error.args[1]), str(error.args[0]))
            return Phrases(())

    def _groups(self, path: str, value: Any) -> tuple[Phrases, ...]:
        if value is None:
            return ()
        if not isinstance(value, list):
            self.problems.add(path, "must be a list of lists of phrases")
            return ()
        return tuple(self._phrases(join_path(path, number), item) for number, item in enumerate(value))

    def _check(self, path: str, fields: Mapping[str, Any]) -> None:
        def unless(right: bool, name: str, message: str) -> None:
            if not right:
                self.problems.add(join_path(path, name), message)

        first, last = fields["valid_from"], fields["valid_to"]
        unless(
            not fields["id"] or bool(_ID.match(fields["id"])), "id", "is words of a-z, 0-9 and _ with dots"
        )
        unless(fields["kind"] in ("", *KINDS), "kind", f"must be one of {', '.join(KINDS)}")
        unless(fields["severity"] in ("", *WEIGHTS), "severity", f"must be one of {', '.join(WEIGHTS)}")
        unless(fields["excused_by"] <= set(EXCUSES), "excused_by", f"has only {', '.join(EXCUSES)}")
        for code in sorted(fields["jurisdictions"]):
            unless(bool(_JURISDICTION.match(code)), "jurisdictions", f"{code!r} is no code such as NSW, or *")
        unless(first is None or last is None or first <= last, "valid_to", "is before valid_from")
        judged = fields["needs_judge"]
        unless(
            not judged or bool(fields["question"]), "question", "is missing: a judge must be asked something"
        )
        searched = not judged and fields["kind"] in ("required", "prohibited", "advice")
        unless(
            not searched or bool(fields["patterns"] or fields["together"]),
            "patterns",
            "is missing: the rule would find nothing",
        )
