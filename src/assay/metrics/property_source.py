"""Where a case has the record of its property."""

import json
from collections.abc import Mapping
from typing import Any

from assay.domain.datasets import Case

PLACES = ("expected", "vars.property", "vars.listing", "vars.record", "metadata.record")
"""Where a record is looked for when the option `record` does not say."""


def source_of(case: Case, path: str | None) -> Any:
    """What the option `record` names, or the first of the usual places that holds a mapping."""
    places = (
        [path] if path else ["expected", "vars.property", "vars.listing", "vars.record", "metadata.record"]
    )
    for place in places:
        value = _at(case, place)
        if value is not None and (path or isinstance(value, Mapping) or _looks_like_json(value)):
            return value
    return None


def _looks_like_json(value: Any) -> bool:
    return isinstance(value, str) and value.lstrip()[:1] == "{"


def _at(case: Case, path: str) -> Any:
    head, *rest = path.split(".")
    value: Any = {"expected": case.expected, "vars": case.vars, "metadata": case.metadata}.get(head)
    for key in rest:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def mapping_of(source: Any) -> Mapping[str, Any] | None:
    """The record as an object; JSON text of one counts."""
    if isinstance(source, str):
        try:
            source = json.loads(source)
        except (ValueError, RecursionError):
            return None
    return source if isinstance(source, Mapping) else None
