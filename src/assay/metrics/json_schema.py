"""JSON Schema, bounded: no schema fetches anything, no pattern and no array can make a check hang."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from jsonschema import exceptions, validators
from jsonschema.protocols import Validator
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # it ships no types
from referencing.exceptions import Unresolvable
from referencing.jsonschema import specification_with

from assay.domain.errors import InvalidInput
from assay.metrics.entry import MetricSpec
from assay.metrics.matching import compile_pattern
from assay.metrics.sample_metric import Finding, SampleMetric, answer_metric, quote
from assay.metrics.structure import parse_answer

FIELD = "options.schema"
Errors = Iterator[exceptions.ValidationError]


def make_json_schema(spec: MetricSpec) -> SampleMetric:
    """1 when the answer is JSON and valid; `format` is a note, not a check, as the standard has it."""
    validator = make_validator(spec.options["schema"])
    fenced: bool = spec.options["fenced"]

    def judge(text: str) -> Finding:
        try:
            value = parse_answer(text, fenced)
        except orjson.JSONDecodeError as error:
            return Finding(0.0, f"$: not JSON: {error.msg}: {quote(text)}")
        fault = next(iter(validator.iter_errors(value)), None)
        if fault is None:
            return Finding(1.0, "valid against the schema")
        evidence = {"path": fault.json_path, "keyword": fault.validator}
        return Finding(0.0, f"{fault.json_path}: {quote(fault.message, 160)}", evidence)

    return answer_metric(spec, judge)


def make_validator(schema: dict[str, Any] | bool) -> Validator:
    """A validator for the schema's own draft (2020-12 unless it names one).

    Raises InvalidInput for a schema that is wrong, refers to what is not in it, or has a pattern that
    RE2 does not take.
    """
    dialect: Any = validators.validator_for(schema, default=validators.Draft202012Validator)
    try:
        dialect.check_schema(schema)
    except exceptions.SchemaError as error:
        reason = f"{error.json_path}: {error.message:.200}"
        raise InvalidInput(f"not a JSON Schema: {reason}", field=FIELD) from error
    extend: Any = validators.extend
    bounded = extend(dialect, _BOUNDED)
    # A reference to the root would otherwise choose the unbounded validator of the named draft.
    root = schema if isinstance(schema, bool) else {key: schema[key] for key in schema if key != "$schema"}
    for part in _parts(root):
        _check_patterns(part)
    _check_references(root, str(dialect.META_SCHEMA["$schema"]))
    validator: Validator = bounded(root, registry=REGISTRY)
    return validator


def _parts(value: Any) -> Iterator[Mapping[str, Any]]:
    pending = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, Mapping):
            yield part
            pending.extend(part.values())
        elif isinstance(part, list | tuple):
            pending.extend(part)


def _check_patterns(part: Mapping[str, Any]) -> None:
    patterns = part.get("patternProperties")
    named = list(patterns) if isinstance(patterns, Mapping) else []
    if named and "unevaluatedProperties" in part:
        raise InvalidInput("unevaluatedProperties beside patternProperties is not supported", field=FIELD)
    if isinstance(part.get("pattern"), str):
        named.append(part["pattern"])
    for pattern in named:
        try:
            compile_pattern(pattern)
        except InvalidInput as error:
            reason = f"{quote(pattern)} is {error.message}"
            raise InvalidInput(reason, field=FIELD, remedy=error.remedy) from error


def _check_references(root: Any, dialect: str) -> None:
    """Raises InvalidInput for a $ref that leads nowhere."""
    parts = list(_parts(root))
    if any("$id" in part or "id" in part for part in parts):
        return  # relative to a base that only validation knows; what leads nowhere fails there
    resolver = REGISTRY.resolver_with_root(specification_with(dialect).create_resource(root))
    for reference in (part["$ref"] for part in parts if isinstance(part.get("$ref"), str)):
        try:
            resolver.lookup(reference)
        except Unresolvable as error:
            raise InvalidInput(
                f"$ref {quote(reference)} is not in the schema",
                field=FIELD,
                remedy="Put what it refers to under $defs; nothing is fetched.",
            ) from error


def _pattern(validator: Any, pattern: str, instance: Any, _schema: Any) -> Errors:
    if validator.is_type(instance, "string") and not _found(pattern, instance):
        yield exceptions.ValidationError(f"{quote(instance)} does not match {pattern!r}")


def _found(pattern: str, text: str) -> bool:
    return compile_pattern(pattern).search(text.encode()) is not None


def _pattern_properties(validator: Any, patterns: Mapping[str, Any], instance: Any, _schema: Any) -> Errors:
    if not validator.is_type(instance, "object"):
        return
    for pattern, subschema in patterns.items():
        for key, value in instance.items():
            if _found(pattern, key):
                yield from validator.descend(value, subschema, path=key, schema_path=pattern)


def _additional_properties(validator: Any, allowed: Any, instance: Any, schema: Mapping[str, Any]) -> Errors:
    if not validator.is_type(instance, "object"):
        return
    named, patterns = schema.get("properties", {}), tuple(schema.get("patternProperties", ()))
    extras = [key for key in instance if key not in named and not any(_found(each, key) for each in patterns)]
    if allowed is False and extras:
        yield exceptions.ValidationError(f"unexpected properties: {quote(', '.join(extras))}")
    elif isinstance(allowed, Mapping):
        for key in extras:
            yield from validator.descend(instance[key], allowed, path=key)


def _unique_items(validator: Any, unique: Any, instance: Any, _schema: Any) -> Errors:
    if not unique or not validator.is_type(instance, "array"):
        return
    if len({_frozen(item) for item in instance}) < len(instance):
        yield exceptions.ValidationError(f"{quote(repr(instance[:20]))} has items that are not unique")


def _frozen(value: Any) -> Any:
    """A hashable stand-in, equal for equal JSON: 1 and 1.0 are one value, 1 and true are two."""
    if isinstance(value, dict):
        return ("object", frozenset((key, _frozen(item)) for key, item in value.items()))
    if isinstance(value, list):
        return ("array", tuple(map(_frozen, value)))
    return (isinstance(value, bool), value)


_BOUNDED = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "uniqueItems": _unique_items,
}
