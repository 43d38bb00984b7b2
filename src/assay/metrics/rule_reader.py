"""Reads one rule of a pack from YAML, and notes what is wrong with it."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from assay.formats.places import Problems
from assay.metrics.pack_fields import check_names, join_path, read_day, read_text_field, read_texts
from assay.metrics.rule import EXCUSES, KINDS, WEIGHTS, Rule
from assay.metrics.rule_amounts import Ratio
from assay.metrics.rule_concepts import REACH, Occasion, Together
from assay.metrics.rule_phrases import BadPhrase, Phrases, Terms

TEXT_FIELDS = (
    *("id", "title", "kind", "category", "source", "severity", "message", "remedy"),
    *("question", "gives_way_to"),
)
DATE_FIELDS = ("valid_from", "valid_to")
LIST_FIELDS = ("jurisdictions", "documents", "excused_by")
PHRASE_FIELDS = (
    *("when", "when_none", "patterns", "gap_not", "allowed"),
    *("exceptions", "cleared_by", "exceptions_anywhere"),
)
FIELDS = (
    *(*TEXT_FIELDS, *DATE_FIELDS, *LIST_FIELDS, *PHRASE_FIELDS),
    *("when_all", "occasions", "together", "also_allowed", "ratio"),
    *("needs_judge", "needs_document", "max_spread_percent"),
)
TOGETHER_FIELDS = ("all", "none", "rivals", "gap_not", "sentences", "in_order", "reach")
OCCASION_FIELDS = ("all", "of", "at_least", "together")
OWN_WHEN = "{when}"
"""In a group: the list that the rule has as its `when`."""
NEEDED = ("id", "title", "kind", "source", "severity", "jurisdictions", "message")
_ID = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*\Z")
_JURISDICTION = re.compile(r"[A-Z][A-Z0-9-]{1,11}\Z|\*\Z")


@dataclass(frozen=True, slots=True)
class RuleReader:
    """Reads the rules of a pack and notes what is wrong with them."""

    problems: Problems
    terms: Terms
    made: dict[tuple[str, ...], Phrases] = field(default_factory=dict)
    """Lists that are there already: rules share theirs, so that each is compiled and looked for once."""

    def rule(self, path: str, value: Mapping[str, Any]) -> Rule:
        """The rule at a path of the file; its faults go to `problems`."""
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
        when = value.get("when")
        fields["together"] = self._together(join_path(path, "together"), value.get("together"), when)
        fields["occasions"] = self._occasions(join_path(path, "occasions"), value.get("occasions"), when)
        fields["also_allowed"] = self._also_allowed(
            join_path(path, "also_allowed"), value.get("also_allowed")
        )
        fields["ratio"] = self._ratios(join_path(path, "ratio"), value.get("ratio"))
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

    def _items(self, path: str, value: Any) -> list[tuple[str, Any]]:
        """Path and value of each item of a list of mappings."""
        if value is not None and not isinstance(value, list):
            self.problems.add(path, "must be a list of mappings with `all`")
            return []
        return [(join_path(path, number), item) for number, item in enumerate(value or ())]

    def _together(self, path: str, value: Any, when: Any) -> tuple[Together, ...]:
        return tuple(self._group(place, item, when) for place, item in self._items(path, value))

    def _occasions(self, path: str, value: Any, when: Any) -> tuple[Occasion, ...]:
        return tuple(self._occasion(place, item, when) for place, item in self._items(path, value))

    def _occasion(self, path: str, value: Any, when: Any) -> Occasion:
        fields = self._mapping(path, value, OCCASION_FIELDS)
        lists, of = (self._groups(join_path(path, name), fields.get(name)) for name in ("all", "of"))
        at_least = fields.get("at_least", 0)
        if isinstance(at_least, bool) or not isinstance(at_least, int) or not 0 <= at_least <= len(of):
            self.problems.add(
                join_path(path, "at_least"),
                f"must be 0 to {len(of)}, the lists in `of`, not {at_least!r:.40}",
            )
            at_least = 0
        together = self._together(join_path(path, "together"), fields.get("together"), when)
        if not (lists or at_least or together):
            self.problems.add(path, "asks for nothing, and so is always there")
        return Occasion(all=lists, of=of, at_least=at_least, together=together)

    def _group(self, path: str, value: Any, when: Any) -> Together:
        fields = self._mapping(path, value, TOGETHER_FIELDS)
        lists = self._groups(join_path(path, "all"), _with_own(fields.get("all"), when))
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
        reach = fields.get("reach", REACH)
        if isinstance(reach, bool) or not isinstance(reach, int) or not 0 < reach <= REACH:
            self.problems.add(join_path(path, "reach"), f"must be 1 to {REACH}, not {reach!r:.40}")
            reach = REACH
        return Together(all=lists, sentences=sentences, in_order=in_order, reach=reach, **phrases)

    def _also_allowed(self, path: str, value: Any) -> tuple[Phrases, Phrases]:
        fields = {} if value is None else self._mapping(path, value, ("where", "values"))
        where, values = (
            self._phrases(join_path(path, name), fields.get(name)) for name in ("where", "values")
        )
        return where, values

    def _ratios(self, path: str, value: Any) -> tuple[Ratio, ...]:
        """One mapping, or a list of them."""
        if value is None:
            return ()
        if not isinstance(value, list):
            return (self._ratio(path, value),)
        return tuple(self._ratio(join_path(path, number), item) for number, item in enumerate(value))

    def _ratio(self, path: str, value: Any) -> Ratio:
        fields = self._mapping(path, value, ("to", "unless", "at_least", "at_most"))
        low, high = (self._number(path, name, fields) for name in ("at_least", "at_most"))
        return Ratio(
            to=self._phrases(join_path(path, "to"), fields.get("to")),
            unless=self._phrases(join_path(path, "unless"), fields.get("unless")),
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


def _with_own(lists: Any, when: Any) -> Any:
    """The lists of a group with the rule's `when` in its place."""
    return [when if each == [OWN_WHEN] else each for each in lists] if isinstance(lists, list) else lists
