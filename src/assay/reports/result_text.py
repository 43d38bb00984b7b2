"""One answer with all that is known of its scores, as text for a terminal."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from assay.domain.money import NANO
from assay.domain.results import Result
from assay.domain.scores import Score
from assay.reports.untrusted import one_line
from assay.reports.wording import plural

ANSWER_CHARS = 2_000
VALUE_CHARS = 300
INDENT = "  "
FIRST = ("verdict", "state", "rule", "field", "clause", "claim", "said", "record", "quote", "value", "reason")
"""What is told of a finding before the rest."""


def result_text(result: Result) -> str:
    """The answer, then each score: state, value, reason, what it cost, and its evidence as a tree."""
    return "\n".join(_lines(result)) + "\n"


def _lines(result: Result) -> Iterator[str]:
    repeat = f" | repeat {result.repeat}" if result.repeat else ""
    yield f"{_line(result.case)} | {_line(result.prompt)} | {_line(result.model)}{repeat}"
    if result.response is None:
        why = f"{result.error_code or ''} {_line(result.error_message or '')}"
        yield f"{INDENT}{result.state}: {why}".rstrip()
        return
    text = result.response.text
    cut = "…" if len(text) > ANSWER_CHARS else ""
    yield from (f"{INDENT}| {_line(line)}" for line in (text[:ANSWER_CHARS] + cut).split("\n"))
    for score in result.scores:
        yield from _score(score)


def _score(score: Score) -> Iterator[str]:
    value = "" if score.value is None else f" {score.value:.4g}"
    passed = {True: ", passed", False: ", not passed", None: ""}[score.passed]
    yield f"{INDENT}{_line(score.metric)}: {score.state}{value}{passed}"
    yield f"{INDENT * 2}{_line(score.reason)}"
    if score.calls:
        cost = "at an unknown price" if score.cost_nanousd is None else f"${score.cost_nanousd / NANO:.6f}"
        yield f"{INDENT * 2}{plural(score.calls, 'judge call')}, {cost}"
    if score.evidence:
        yield from _tree(score.evidence, 2)


def _tree(value: Any, depth: int) -> Iterator[str]:
    """Mappings and lists as indented lines; findings, which are flat mappings, take a line each."""
    named = isinstance(value, Mapping)
    pairs = value.items() if named else [("-", item) for item in value]
    for name, item in pairs:
        label = f"{INDENT * depth}{_line(str(name))}"
        if not named and isinstance(item, Mapping) and not any(map(_is_deep, item.values())):
            yield f"{label} {_finding(item)}"
        elif isinstance(item, Mapping | list | tuple) and item:
            yield label
            yield from _tree(item, depth + 1)
        else:
            yield f"{label} {_leaf(item)}"


def _is_deep(value: Any) -> bool:
    """Whether a value takes more than a word or a list of words."""
    items = value if isinstance(value, list | tuple) else [value]
    return any(isinstance(item, Mapping | list | tuple) for item in items)


def _finding(item: Mapping[str, Any]) -> str:
    """What was found first, then what it is of, then the rest; what is not known is left out."""
    known = {name: value for name, value in item.items() if value not in (None, "", [], ())}
    if {"start", "end"} <= known.keys():
        known["at"] = f"{known.pop('start')}-{known.pop('end')}"
    names = sorted(known, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
    return "; ".join(f"{_line(name)} {_leaf(known[name])}" for name in names)


def _leaf(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return _line(text)


def _line(text: str) -> str:
    return one_line(text, VALUE_CHARS)
