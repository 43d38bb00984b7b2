"""The evidence of metrics of tool calls: each call as matched, missing or extra, with its differences."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from assay.domain.text import valid_text
from assay.metrics.tool_arguments import STRICT, Tolerance, compare_arguments
from assay.metrics.tool_calls import Call

MAX_SHOWN = 50
LONGEST = 300
"""Characters of a value that evidence keeps."""


def call_evidence(
    expected: Sequence[Call],
    made: Sequence[Call],
    pairs: Iterable[tuple[int, int]],
    tolerance: Tolerance = STRICT,
) -> Mapping[str, Any]:
    """`calls`: the expected ones in order, then the others that were made; `not_shown` counts the rest.

    A matched call has the arguments that are wrong, missing and extra; values are cut after 300 characters.
    """
    pairing = dict(pairs)
    used = set(pairing.values())
    rows = [
        _matched(call, made[pairing[place]], tolerance) if place in pairing else _alone("missing", call)
        for place, call in enumerate(expected[:MAX_SHOWN])
    ]
    rows += [_alone("extra", call) for place, call in enumerate(made) if place not in used][:MAX_SHOWN]
    total = len(expected) + len(made) - len(used)
    shown = rows[:MAX_SHOWN]
    return {"calls": shown, **({"not_shown": total - len(shown)} if total > len(shown) else {})}


def _alone(status: str, call: Call) -> dict[str, Any]:
    row: dict[str, Any] = {"name": _shown(call.name), "status": status}
    if call.arguments is not None:
        row["arguments"] = _values(call.arguments)
    if call.fault is not None:
        row["fault"] = call.fault
    return row


def _matched(expected: Call, made: Call, tolerance: Tolerance) -> dict[str, Any]:
    row: dict[str, Any] = {"name": _shown(expected.name), "status": "matched"}
    if made.fault is not None:
        row["fault"] = made.fault
    if expected.arguments is None:
        return row
    found = compare_arguments(expected.arguments, made.arguments or {}, tolerance)
    row["right"] = [_shown(name) for name in found.right]
    wrong = {
        _shown(name): {"expected": _shown(left), "made": _shown(right)}
        for name, (left, right) in found.wrong.items()
    }
    parts = {"wrong": wrong, "missing": _values(found.missing), "extra": _values(found.extra)}
    return row | {name: part for name, part in parts.items() if part}


def _values(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {_shown(str(name)): _shown(value) for name, value in arguments.items()}


def _shown(value: Any) -> Any:
    """A value as evidence keeps it: numbers and short texts as they are, structures as their JSON."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 1 << 53 else str(value)[:LONGEST]
    text = value if isinstance(value, str) else _json(value)
    text = valid_text(text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _json(value: Any) -> str:
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
    except (orjson.JSONEncodeError, RecursionError):
        return repr(value)
