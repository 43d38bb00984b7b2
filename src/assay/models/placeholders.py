"""The small substitution of options: `{{ name }}` in the strings of a structure, and paths into answers."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from assay.domain.errors import RequestRejected
from assay.domain.models import ModelConfig, ModelRequest
from assay.models.json_text import mapping, text_of

_PLACEHOLDER = re.compile(r"\{\{\s*([\w.-]+)\s*\}\}")
_MISSING = object()

NAMES = ("prompt", "messages", "vars", "model", "repeat")
"""What a request offers: the prompt's texts joined by empty lines, its messages, the case's variables,
the model's id and the number of the repeat."""


def values_of(config: ModelConfig, request: ModelRequest) -> dict[str, Any]:
    """What placeholders may name in a request."""
    texts = (content_text(message.content) for message in request.messages)
    return {
        "prompt": "\n\n".join(texts),
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
        "vars": request.vars,
        "model": config.model,
        "repeat": request.repeat,
    }


def content_text(content: Any) -> str:
    """The text of a message's content; of parts, the texts among them."""
    if isinstance(content, (list, tuple)):
        return "".join(text_of(mapping(part).get("text")) for part in content)
    return text_of(content)


def names_in(value: Any) -> set[str]:
    """The first names of all placeholders in a structure."""
    if isinstance(value, str):
        return {name.partition(".")[0] for name in _PLACEHOLDER.findall(value)}
    if isinstance(value, Mapping):
        return {name for item in value.values() for name in names_in(item)}
    if isinstance(value, (list, tuple)):
        return {name for item in value for name in names_in(item)}
    return set()


def fill(value: Any, values: Mapping[str, Any], quote: Callable[[str], str] = str) -> Any:
    """The structure with its placeholders replaced; what is put in is not searched again.

    A string that is one placeholder becomes the value itself, with its type; within a longer string, the
    value becomes text (JSON, unless it is text) and is passed through `quote`. Raises RequestRejected for a
    name that is not there.
    """
    if isinstance(value, str):
        whole = _PLACEHOLDER.fullmatch(value)
        if whole and quote is str:
            return _value(whole[1], values)
        return _PLACEHOLDER.sub(lambda match: quote(text_of(_value(match[1], values))), value)
    if isinstance(value, Mapping):
        return {name: fill(item, values, quote) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [fill(item, values, quote) for item in value]
    return value


def steps_of(path: str) -> tuple[str, ...]:
    """The steps of a path: `choices.0.text`, or a JSON pointer (RFC 6901) such as `/choices/0/text`."""
    if not path.startswith("/"):
        return tuple(path.split("."))
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/"))


def follow(value: Any, steps: Sequence[str], missing: Any = None) -> Any:
    """What a path leads to, or `missing`."""
    for step in steps:
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, (list, tuple)) and step.lstrip("-").isdecimal():
            index = int(step)
            if not -len(value) <= index < len(value):
                return missing
            value = value[index]
        else:
            return missing
    return value


def _value(name: str, values: Mapping[str, Any]) -> Any:
    found = follow(values, name.split("."), _MISSING)
    if found is _MISSING:
        known = ", ".join(sorted(mapping(values.get("vars")))) or "none"
        raise RequestRejected(f"nothing to put for {{{{ {name} }}}}; this case has vars: {known}", sent=False)
    return found
