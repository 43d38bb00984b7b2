"""YAML with the line of every value, read with the rules of YAML 1.2's JSON schema.

`yes`, `no` and `on` are words, dates and times stay texts, a number with a leading zero is a text: what
a test expects must not change its type on the way. Only `true`, `false`, `null`, `~` and numbers as JSON
writes them have a type. Tags are refused (but `!!str`), keys must be texts and unique, and aliases are
counted each time they are used, so that a small file cannot become a large one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from assay.formats.limits import MAX_DEPTH, check_scalar
from assay.formats.places import Place

MAX_VALUES = 1_000_000
LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_NUMBER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_WORDS |= {"True": True, "False": False, "Null": None, "TRUE": True, "FALSE": False, "NULL": None}
_TEXT_TAG = "tag:yaml.org,2002:str"


def parse_yaml(text: str, place: Place, *, depth: int = MAX_DEPTH) -> tuple[Any, dict[str, int]]:
    """The value of a YAML document, and field path -> line for values down to `depth` levels.

    Raises InvalidInput with the line for what is not YAML and for what the rules above refuse.
    """
    reader = _Reader(place, depth)
    try:
        events = yaml.parse(text, Loader=LOADER)
        return reader.document(iter(events)), reader.lines
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark
        line = min(mark.line, text.rstrip().count("\n")) + 1 if mark else place.line
        raise Place(place.file, line).problem(f"not YAML: {problem.problem}") from problem
    except yaml.YAMLError as problem:
        raise place.problem(f"not YAML: {' '.join(str(problem).split())}") from problem


@dataclass(slots=True)
class _Reader:
    place: Place
    depth: int
    lines: dict[str, int] = field(default_factory=dict)
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)
    open_anchors: set[str] = field(default_factory=set)
    count: int = 0

    def document(self, events: Iterator[Any]) -> Any:
        value = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self.problem(event, "more than one document in the file")
                value = self.value(next(events), events, ())
        return value

    def value(self, event: Any, events: Iterator[Any], path: tuple[str, ...]) -> Any:
        if len(path) <= self.depth:
            self.lines.setdefault(".".join(path), event.start_mark.line + 1)
        if len(path) > MAX_DEPTH:
            raise self.problem(event, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event)
        before = self.count
        self.spend(event, 1)
        if event.anchor:
            self.open_anchors.add(event.anchor)
        value = self.node(event, events, path)
        if event.anchor:
            self.open_anchors.discard(event.anchor)
            self.anchors[event.anchor] = (value, self.count - before)
        return value

    def node(self, event: Any, events: Iterator[Any], path: tuple[str, ...]) -> Any:
        if event.tag is not None and event.tag not in ("!", _TEXT_TAG):
            raise self.problem(event, f"the tag {event.tag} is not allowed")
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(events, path)
        return self.mapping(events, path)

    def sequence(self, events: Iterator[Any], path: tuple[str, ...]) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self.value(event, events, (*path, str(len(items)))))
        return items

    def mapping(self, events: Iterator[Any], path: tuple[str, ...]) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self.key(event)
            following = next(events)
            if key == "<<" and _is_plain(event):
                merged = self.merge(following, self.value(following, events, path), merged)
                continue
            if key in own:
                raise self.problem(event, f"the key {key!r} is there twice", (*path, key))
            if len(path) < self.depth:
                self.lines[".".join((*path, key))] = event.start_mark.line + 1
            own[key] = self.value(following, events, (*path, key))
        return {**merged, **own}

    def key(self, event: Any) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise self.problem(event, "a key must be a text")
        self.spend(event, 1)
        return str(event.value)

    def merge(self, event: Any, value: Any, merged: dict[str, Any]) -> dict[str, Any]:
        sources = value if isinstance(value, list) else [value]
        for source in sources:
            if not isinstance(source, dict):
                raise self.problem(event, "<< takes a mapping or a list of mappings")
            merged = {**source, **merged}
        return merged

    def scalar(self, event: Any, path: tuple[str, ...]) -> Any:
        text: str = event.value
        try:
            value = _plain(text) if _is_plain(event) and event.tag is None else text
            check_scalar(value)
        except ValueError as problem:
            raise self.problem(event, str(problem), path) from problem
        return value

    def alias(self, event: Any) -> Any:
        if event.anchor in self.open_anchors:
            raise self.problem(event, f"the alias *{event.anchor} stands inside what it repeats")
        if event.anchor not in self.anchors:
            raise self.problem(event, f"the alias *{event.anchor} repeats nothing")
        value, size = self.anchors[event.anchor]
        self.spend(event, size)
        return value

    def spend(self, event: Any, count: int) -> None:
        self.count += count
        if self.count > MAX_VALUES:
            raise self.problem(event, f"more than {MAX_VALUES:,} values, with aliases written out")

    def problem(self, event: Any, message: str, path: tuple[str, ...] = ()) -> Exception:
        place = Place(self.place.file, event.start_mark.line + 1)
        return place.problem(message, field=".".join(path) or None)


def _is_plain(event: Any) -> bool:
    return not event.style  # libyaml's binding says "" where the Python parser says None


def _plain(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _NOT_FINITE.match(text):
        raise ValueError(f"{text} is not a number that can be used")
    if len(text) > 400:
        return text
    if _INTEGER.match(text):
        return int(text)
    return float(text) if _NUMBER.match(text) else text
