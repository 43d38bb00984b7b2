"""Checks a suite against the table, with messages for people.

Understands the part of JSON Schema that `suite_schema` uses. A JSON Schema library would accept the same
files; this one says which key was meant, and reports all problems with their places.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from assay.formats.places import Problems, did_you_mean
from assay.formats.suite_schema import DEFINITIONS, Schema

_KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list, tuple),
    "object": (Mapping,),
    "null": (type(None),),
}
_WORDS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}


def check(value: Any, schema: Schema, path: str, problems: Problems) -> None:
    """Note in `problems` what is wrong with a value and all that is in it."""
    schema = _resolve(schema)
    if "anyOf" in schema:
        _check_alternatives(value, schema["anyOf"], path, problems)
        return
    if "enum" in schema:
        if value not in schema["enum"]:
            problems.add(path, f"{value!r} is not possible{did_you_mean(str(value), schema['enum'])}")
        return
    kind = schema["type"]
    if not _is(value, kind):
        problems.add(path, f"expected {_WORDS[kind]}, found {found(value)}")
    elif kind == "object":
        _check_object(value, schema, path, problems)
    elif kind == "array":
        _check_array(value, schema, path, problems)
    elif kind == "string":
        _check_text(value, schema, path, problems)
    elif kind in ("integer", "number"):
        _check_number(value, schema, path, problems)


def found(value: Any) -> str:
    """What a value is, for messages."""
    if isinstance(value, bool):
        return "true" if value else "false"
    for kind, types in _KINDS.items():
        if isinstance(value, types):
            shown = f" {value!r}" if kind in ("string", "integer", "number") and len(repr(value)) < 40 else ""
            return _WORDS[kind] + shown
    return type(value).__name__


def _resolve(schema: Schema) -> Schema:
    reference = schema.get("$ref")
    return DEFINITIONS[reference.removeprefix("#/$defs/")] if reference else schema


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _check_alternatives(value: Any, schemas: list[Schema], path: str, problems: Problems) -> None:
    """Check by the alternative that was meant: of the value's kind, with its required keys."""
    options = [_resolve(schema) for schema in schemas]
    fitting = [option for option in options if _is(value, option["type"])]
    if not fitting:
        words = " or ".join(dict.fromkeys(_WORDS[option["type"]] for option in options))
        problems.add(path, f"expected {words}, found {found(value)}")
        return
    for option in fitting[:-1]:
        if all(key in value for key in option.get("required", ())):
            check(value, option, path, problems)
            return
    check(value, fitting[-1], path, problems)


def _check_object(value: Mapping[str, Any], schema: Schema, path: str, problems: Problems) -> None:
    properties: Mapping[str, Schema] = schema.get("properties", {})
    rest = schema.get("additionalProperties", True)
    reserved = schema.get("propertyNames", {}).get("not", {}).get("enum", ())
    size = len(value)
    if not schema.get("minProperties", 0) <= size <= schema.get("maxProperties", size) or any(
        key in reserved for key in value
    ):
        problems.add(path, schema["errorMessage"])
        return
    for key, item in value.items():
        inner = f"{path}.{key}" if path else key
        if key in properties:
            check(item, properties[key], inner, problems)
        elif rest is False:
            problems.add(inner, f"unknown key {key!r}{did_you_mean(key, properties)}")
        elif isinstance(rest, Mapping):
            check(item, rest, inner, problems)
    _check_required(value, schema, path, problems)


def _check_required(value: Mapping[str, Any], schema: Schema, path: str, problems: Problems) -> None:
    for key in schema.get("required", ()):
        if key not in value:
            problems.add(path, f"{key!r} is missing")
    if "oneOf" in schema:
        names = [option["required"][0] for option in schema["oneOf"]]
        given = [name for name in names if name in value]
        if not given:
            problems.add(path, f"one of {', '.join(names)} is missing")
        elif len(given) > 1:
            problems.add(path, f"{' and '.join(given)} exclude each other")


def _check_array(value: list[Any], schema: Schema, path: str, problems: Problems) -> None:
    if len(value) < schema.get("minItems", 0):
        problems.add(path, "the list is empty")
    for number, item in enumerate(value):
        check(item, schema["items"], f"{path}.{number}" if path else str(number), problems)


def _check_text(value: str, schema: Schema, path: str, problems: Problems) -> None:
    if len(value.strip()) < schema.get("minLength", 0):
        problems.add(path, "the text is empty")
    elif "pattern" in schema and not re.search(schema["pattern"], value):
        problems.add(path, f"{value!r} is not possible: {schema['errorMessage']}")


def _check_number(value: float, schema: Schema, path: str, problems: Problems) -> None:
    if not math.isfinite(value):
        problems.add(path, f"{value} is not a number that can be used")
    elif "minimum" in schema and value < schema["minimum"]:
        problems.add(path, f"{value} is less than {schema['minimum']}")
    elif "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        problems.add(path, f"{value} is not greater than {schema['exclusiveMinimum']}")
    elif "maximum" in schema and value > schema["maximum"]:
        problems.add(path, f"{value} is more than {schema['maximum']}")
