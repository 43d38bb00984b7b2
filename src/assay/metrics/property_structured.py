"""Answers that are a JSON object: each known field is a claim of its own."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from assay.extract.dates import Day
from assay.extract.finds import Find, Span
from assay.metrics.property_claims import Claim
from assay.metrics.property_clauses import Clauses
from assay.metrics.property_descriptions import type_of
from assay.metrics.property_fields import ALIASES, COUNT_FIELDS, DATE_FIELDS
from assay.metrics.property_record import read_record


def read_structured(text: str) -> Mapping[str, Any] | None:
    """The object that a text is, alone or in a code fence; None when it is none."""
    body = text.strip()
    if body.startswith("```"):
        body = body.strip("`").removeprefix("json").strip()
    if not body.startswith("{"):
        return None
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and value else None


def structured_claims(text: str, value: Mapping[str, Any], clauses: Clauses) -> Iterator[Claim]:
    """The claims of an object's fields, under any of their usual names."""
    said = read_record(value)
    for field, values in said.fields.items():
        for each in values:
            claimed = _claimed(field, each)
            if claimed is not None:
                yield _claim(text, field, claimed, clauses)
    if said.address.street:
        yield _claim(text, "address", said.address, clauses)
    for field in ("suburb", "state", "postcode"):
        if getattr(said.address, field):
            yield _claim(text, field, getattr(said.address, field), clauses)


def _claimed(field: str, value: Any) -> Any:
    """The value in the form that a claim of the field has; None for fields that make no claim."""
    if field in DATE_FIELDS:
        return value if isinstance(value, Day) else None
    if field == "property_type":
        return type_of(str(value)) or None
    if not isinstance(value, Span):
        return None
    if field in COUNT_FIELDS:
        return value.low
    return (int(value.low), int(value.high)) if field == "year_built" else value


def _claim(text: str, field: str, value: Any, clauses: Clauses) -> Claim:
    start, end = _place(text, field)
    find = Find(value, "day" if field == "cooling_off_days" else "sqm", start, end, text[start:end])
    return Claim(field, value, find, clauses.at(start))


def _place(text: str, field: str) -> tuple[int, int]:
    """Where the field's key stands, with its value up to the end of the line or the next comma."""
    lowered = text.lower()
    for alias in sorted((alias for alias, name in ALIASES.items() if name == field), key=len, reverse=True):
        for form in (alias, alias.replace("_", " ")):
            start = lowered.find(f'"{form}"')
            if start >= 0:
                ends = [
                    at
                    for at in (text.find(",", start), text.find("\n", start), text.find("}", start))
                    if at > 0
                ]
                return start, min(ends, default=len(text))
    return 0, min(len(text), 80)
