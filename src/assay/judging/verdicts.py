"""Verdicts: values of the schema that a judge was given, and nothing else.

The schemas of verdicts use a small part of JSON Schema: `type` (a name or a list of names), `properties`,
`required`, `items`, `enum`, `minimum`, `maximum`, `minItems`, `maxItems`, `description`. An object has no
other properties than those named, and a property that is not `required` may be left out.
"""

import re
from collections.abc import Mapping
from typing import Any

from assay.domain.text import valid_text
from assay.judging.strict_json import UnusableReply

Schema = Mapping[str, Any]
_DECIMAL = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,14})?")
_MOST_STEPS = 20
_SENT = ("type", "description", "enum")


def read_verdict(value: Any, schema: Schema, place: str = "") -> Any:
    """The value as the schema has it. Raises UnusableReply that says what is wrong, and where.

    A text that is exactly a decimal number stands for it where a number is asked for; capitals and spaces
    round one of several given words do not count. Nothing else is converted: no score is made up.
    """
    names = _names(schema)
    if value is None and "null" in names:
        return None
    if "object" in names:
        return _object(value, schema, place)
    if "array" in names:
        return _array(value, schema, place)
    if "boolean" in names:
        return _must(isinstance(value, bool), value, "true or false", place)
    if "string" in names:
        return _text(value, schema, place)
    return _number(value, schema, "integer" in names, place)


def sent_schema(schema: Schema) -> dict[str, Any]:
    """The schema in the part of JSON Schema that providers take: each property required, no others allowed,
    a small range of integers as its values."""
    sent = {name: schema[name] for name in _SENT if name in schema}
    names = _names(schema)
    if "object" in names:
        sent["properties"] = {name: sent_schema(inner) for name, inner in schema["properties"].items()}
        sent["required"] = list(schema["properties"])
        sent["additionalProperties"] = False
    elif "array" in names:
        sent["items"] = sent_schema(schema["items"])
    elif "integer" in names and schema.get("maximum", _MOST_STEPS) - schema.get("minimum", 0) < _MOST_STEPS:
        sent["enum"] = [*range(schema["minimum"], schema["maximum"] + 1)]
        if "null" in names:
            sent["enum"].append(None)
    return sent


def with_range(schema: Schema, name: str, low: int, high: int) -> dict[str, Any]:
    """The schema of an object with another range for one of its integers."""
    properties = schema["properties"]
    return {
        **schema,
        "properties": {**properties, name: {**properties[name], "minimum": low, "maximum": high}},
    }


def _names(schema: Schema) -> tuple[str, ...]:
    kind = schema["type"]
    return (kind,) if isinstance(kind, str) else tuple(kind)


def _object(value: Any, schema: Schema, place: str) -> dict[str, Any]:
    _must(isinstance(value, dict), value, "an object", place)
    properties: Mapping[str, Schema] = schema["properties"]
    for name in schema.get("required", ()):
        if name not in value:
            raise UnusableReply(f"{_inside(place, name)} is missing")
    for name in value:
        if name not in properties:
            raise UnusableReply(f"{_inside(place, _named(name))} is no field of the form")
    return {
        name: read_verdict(value[name], inner, _inside(place, name))
        for name, inner in properties.items()
        if name in value
    }


def _array(value: Any, schema: Schema, place: str) -> list[Any]:
    _must(isinstance(value, list), value, "a list", place)
    fewest, most = schema.get("minItems", 0), schema.get("maxItems")
    if len(value) < fewest or (most is not None and len(value) > most):
        raise UnusableReply(f"{place or 'the list'} has {len(value)} items, not {fewest} to {most}")
    return [read_verdict(item, schema["items"], f"{place}[{number}]") for number, item in enumerate(value)]


def _text(value: Any, schema: Schema, place: str) -> str:
    text = valid_text(_must(isinstance(value, str), value, "a text", place))
    words = schema.get("enum")
    if words is None:
        return text
    for word in words:
        if text.strip().casefold() == word.casefold():
            return str(word)
    raise UnusableReply(f"{place} must be one of {', '.join(words)}")


def _number(value: Any, schema: Schema, whole: bool, place: str) -> int | float:
    if isinstance(value, str) and _DECIMAL.fullmatch(value.strip()):
        value = float(value) if "." in value else int(value)
    wanted = "a whole number" if whole else "a number"
    _must(isinstance(value, int | float) and not isinstance(value, bool), value, wanted, place)
    if whole and value != int(value):
        raise UnusableReply(f"{place} must be a whole number, not {_shown(value)}")
    low, high = schema.get("minimum"), schema.get("maximum")
    if (low is not None and value < low) or (high is not None and value > high):
        raise UnusableReply(f"{place} must be from {low} to {high}, not {_shown(value)}")
    return int(value) if whole else value


def _must(fits: bool, value: Any, wanted: str, place: str) -> Any:
    if not fits:
        raise UnusableReply(f"{place or 'the reply'} must be {wanted}, not {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    """A value for a judge to read again: numbers as they are, of texts only that they are texts."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, int | float):
        return f"{value!r:.40}"
    return "a text" if isinstance(value, str) else "an object" if isinstance(value, dict) else "a list"


def _named(name: str) -> str:
    return name if re.fullmatch(r"\w{1,40}", name) else "a field"


def _inside(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
