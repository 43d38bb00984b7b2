"""What changed between two versions of a prompt."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from assay.domain.errors import InvalidInput
from assay.domain.prompts import Message, Prompt, PromptVersion
from assay.engine.render import compile_prompt

_PRETTY = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


@dataclass(frozen=True, slots=True, kw_only=True)
class PartDiff:
    """A part that differs: a message, the tools or the response format; `lines` are a unified diff."""

    part: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptDiff:
    """What differs between two versions. Variables are those that the templates read."""

    name: str
    first: int
    second: int
    parts: tuple[PartDiff, ...]
    variables_added: tuple[str, ...]
    variables_removed: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether the two versions are one and the same."""
        return not self.parts


def diff_prompts(first: PromptVersion, second: PromptVersion) -> PromptDiff:
    """The differences, message by message in order, then tools and response format."""
    before, after = _variables(first.prompt), _variables(second.prompt)
    names = (f"{first.prompt.name}:{first.version}", f"{second.prompt.name}:{second.version}")
    parts = [
        PartDiff(part=part, lines=lines)
        for part, old, new in _parts(first.prompt, second.prompt)
        if (lines := tuple(difflib.unified_diff(old, new, *names, lineterm="")))
    ]
    return PromptDiff(
        name=first.prompt.name,
        first=first.version,
        second=second.version,
        parts=tuple(parts),
        variables_added=tuple(sorted(after - before)),
        variables_removed=tuple(sorted(before - after)),
    )


def text_of(content: Any) -> str:
    """The content of a message for people: a text as it is, content parts as JSON."""
    return content if isinstance(content, str) else orjson.dumps(content, option=_PRETTY).decode()


def _parts(first: Prompt, second: Prompt) -> Iterator[tuple[str, list[str], list[str]]]:
    for number in range(max(len(first.messages), len(second.messages))):
        old, new = _message(first.messages, number), _message(second.messages, number)
        yield f"message {number + 1}", old, new
    yield "tools", _json_lines(first.tools), _json_lines(second.tools)
    yield "response format", _json_lines(first.response_format), _json_lines(second.response_format)


def _message(messages: Sequence[Message], number: int) -> list[str]:
    """Role and content as lines; none where there is no such message."""
    if number >= len(messages):
        return []
    message = messages[number]
    return [f"[{message.role}]", *text_of(message.content).split("\n")]


def _json_lines(value: Sequence[Any] | Mapping[str, Any] | None) -> list[str]:
    return orjson.dumps(value, option=_PRETTY).decode().split("\n") if value else []


def _variables(prompt: Prompt) -> frozenset[str]:
    """The variables of a prompt; none for one that an earlier version of the templates' language wrote."""
    try:
        return frozenset(compile_prompt(prompt).variables)
    except InvalidInput:
        return frozenset()
