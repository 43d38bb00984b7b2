"""Tool calls in the notations that models, frameworks and traces write them in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from assay.domain.datasets import Case
from assay.domain.models import ModelResponse
from assay.domain.text import valid_text
from assay.metrics.sample_metric import Unscored, quote

MAX_DEPTH = 16
"""How deep a document is searched for calls."""

NAMES = ("name", "tool_name", "tool")
ARGUMENTS = ("arguments", "args", "input", "tool_input", "parameters")
WRAPPERS = ("function", "function_call", "functionCall")
"""What holds name and arguments one level further down: OpenAI's and Google's notations."""
LISTS = ("tool_calls", "calls", "trajectory")
"""Lists whose items are calls, so that a name alone is one."""
CONTAINERS = (
    *LISTS, "function_call", "functionCall", "messages", "output", "steps", "content", "parts", "choices",
    "message", "candidates",
)  # fmt: skip
NO_CALLER = ("user", "human", "system", "developer", "tool", "function")
"""Roles whose messages make no calls."""
LISTED = 'Write a list such as ["search", {"name": "book", "arguments": {"day": 3}}].'


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `arguments` are None where only a name is expected; `fault` says why they are unreadable."""

    name: str
    arguments: Mapping[str, Any] | None
    fault: str | None = None


def find_calls(document: Any, *, named: bool = False) -> tuple[Call, ...]:
    """The calls in a document, in its order; with `named`, a name alone in its list is one."""
    return tuple(_walk(document, named, 0))


def made_calls(response: ModelResponse) -> tuple[Call, ...]:
    """The calls of an answer: those the provider reports, else those of a transcript in JSON that it is."""
    if response.tool_calls:
        return tuple(_reported(call) for call in response.tool_calls)
    return find_calls(parse_json(valid_text(response.text)))


def expected_calls(case: Case) -> tuple[Call, ...] | Unscored:
    """The calls of `metadata.expected_tool_calls`, else of `expected`; an empty list expects none."""
    found = case.metadata.get("expected_tool_calls")
    place = "expected" if found is None else "metadata.expected_tool_calls"
    found = case.expected if found is None else found
    if found is None:
        return Unscored("skipped", "the case has no expected tool calls")
    if isinstance(found, str):
        found = parse_json(valid_text(found))
        if found is None:
            return Unscored("skipped", f"{place} is a text and no list of tool calls. {LISTED}")
    return _read_expected(found, place)


def parse_json(text: str) -> Any:
    """The array or object that a text is, None for any other text."""
    if not text.lstrip().startswith(("[", "{")):
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _read_expected(found: Any, place: str) -> tuple[Call, ...] | Unscored:
    items = _items(found)
    strange = next((number for number, item in enumerate(items, 1) if not _is_readable(item)), None)
    if strange is not None:
        return Unscored("skipped", f"item {strange} of {place} is no tool call. {LISTED}")
    calls = find_calls(found, named=True)
    faulty = next((call for call in calls if call.fault), None)
    if faulty is not None:
        return Unscored("skipped", f"{place}: the arguments of {quote(faulty.name)} are {faulty.fault}")
    return calls


def _items(found: Any) -> Sequence[Any]:
    """What an expectation lists: the items of a list or of the list in an object, else the value itself."""
    if isinstance(found, Mapping):
        listed = next((found[key] for key in LISTS if isinstance(found.get(key), list | tuple)), None)
        return [found] if listed is None else listed
    return found if isinstance(found, list | tuple) else [found]


def _is_readable(item: Any) -> bool:
    if isinstance(item, Mapping):
        return "role" in item or _call_of(item, True) is not None or any(key in item for key in CONTAINERS)
    return isinstance(item, str) and bool(item)


def _walk(item: Any, named: bool, depth: int) -> Iterator[Call]:
    if depth > MAX_DEPTH:
        return
    if isinstance(item, list | tuple):
        for each in item:
            yield from _walk(each, named, depth + 1)
    elif isinstance(item, Mapping):
        call = None if "role" in item else _call_of(item, named)
        if call is not None:
            yield call
        elif item.get("role") not in NO_CALLER:
            yield from _inside(item, depth)
    elif isinstance(item, str) and named and item:
        yield Call(valid_text(item), None)


def _inside(item: Mapping[str, Any], depth: int) -> Iterator[Call]:
    """The calls of the first part that has any: some frameworks tell the same calls in two of them."""
    for key in CONTAINERS:
        if isinstance(item.get(key), list | tuple | Mapping):
            calls = tuple(_walk(item[key], key in LISTS, depth + 1))
            if calls:
                yield from calls
                return


def _call_of(item: Mapping[str, Any], named: bool) -> Call | None:
    inner = next((item[key] for key in WRAPPERS if isinstance(item.get(key), Mapping)), None)
    if inner is not None:
        item, named = inner, True
    name = next((item[key] for key in NAMES if isinstance(item.get(key), str)), None)
    key = next((key for key in ARGUMENTS if key in item), None)
    if not name or (key is None and not named):
        return None
    if key is None:
        return Call(valid_text(name), None)
    arguments, fault = _arguments(item[key])
    return Call(valid_text(name), arguments, fault)


def _arguments(value: Any) -> tuple[Mapping[str, Any], str | None]:
    """Arguments as an object, with why they are none; nothing at all is a call without arguments."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return {}, None
    if isinstance(value, str):
        try:
            value = orjson.loads(valid_text(value))
        except orjson.JSONDecodeError as error:
            return {}, f"not JSON ({error.msg} at character {error.colno}): {quote(value)}"
    return (value, None) if isinstance(value, Mapping) else ({}, f"no object: {quote(repr(value))}")


def _reported(item: Any) -> Call:
    """A call that a provider reports; one that cannot be read is kept as one without a name."""
    call = _call_of(item, True) if isinstance(item, Mapping) else None
    if call is None:
        return Call("", {}, f"a call without a name: {quote(repr(item))}")
    return call if call.arguments is not None else Call(call.name, {})
