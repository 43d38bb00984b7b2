"""JSON, read strictly: what other readers let pass silently is an error with its line."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from assay.domain.errors import InvalidInput
from assay.formats.limits import MAX_DEPTH, MAX_FIELD, check_integer, check_value
from assay.formats.places import Place

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]|\n|[^\s{}\[\]:,"]+')
_SPACE = re.compile(r"[ \t\n\r]*")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"the key {key!r} is there twice")
            seen.add(key)
    return result


def _integer(digits: str) -> int:
    if len(digits) > 20:
        raise ValueError(f"an integer of {len(digits)} digits; write it as text")
    value = int(digits)
    check_integer(value)
    return value


def _number(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"the number {digits[:20]} is too large")
    return value


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON; write null")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_number, parse_constant=_constant
)


def parse_json(text: str, place: Place, *, field: str | None = None, checked: bool = True) -> Any:
    """The value of a JSON text that begins at `place`.

    Raises InvalidInput for what is not JSON, for duplicate keys, NaN and Infinity and integers beyond
    64 bits, and if `checked` for more than 32 levels, texts above 1 MB, NUL and lone surrogates.
    """
    start = _skip_space(text, 0)
    value, end = parse_part(text, start, _at(place, text, start), field=field, checked=checked)
    end = _skip_space(text, end)
    if end != len(text):
        raise _at(place, text, end).problem("there is more text after the JSON value", field=field)
    return value


def parse_part(
    text: str, start: int, place: Place, *, field: str | None = None, checked: bool = True
) -> tuple[Any, int]:
    """The value that begins at `start`, which is at `place`, and where it ends; errors as in `parse_json`."""
    try:
        value, end = _DECODER.raw_decode(text, start)
        if checked and _needs_check(text, start, end):
            check_value(value)
    except json.JSONDecodeError as problem:
        line = (place.line or 1) + text.count("\n", start, problem.pos)
        raise Place(place.file, line).problem(
            f"not JSON: {problem.msg} (column {problem.colno})", field=field
        ) from problem
    except RecursionError as problem:
        raise place.problem(f"nested deeper than {MAX_DEPTH} levels", field=field) from problem
    except ValueError as problem:
        raise place.problem(str(problem), field=field) from problem
    return value, end


def iterate_array(
    text: str, place: Place, key: str | None = None, *, checked: bool = True
) -> Iterator[tuple[int, Any]]:
    """The elements of a JSON array with their lines, one after the other.

    The array is the text itself, or the value of `key` in the object that the text is.
    """
    position = _skip_space(text, 0)
    if key is not None and text[position : position + 1] == "{":
        position = _find_key(text, position, place, key)
    if text[position : position + 1] != "[":
        wanted = f" or an object with {key!r}" if key else ""
        raise _at(place, text, position).problem(f"expected a list{wanted}")
    position = _skip_space(text, position + 1)
    line, counted = place.line or 1, 0
    while text[position : position + 1] != "]":
        line, counted = line + text.count("\n", counted, position), position
        value, position = parse_part(text, position, Place(place.file, line), checked=checked)
        yield line, value
        position = _next_element(text, position, place)


def find_value(text: str, place: Place, key: str) -> Any:
    """The value of `key` in the object that a JSON text is; None where it has none, or is no object.

    What comes after the value is not read.
    """
    position = _skip_space(text, 0)
    if text[position : position + 1] != "{":
        return None
    try:
        position = _find_key(text, position, place, key)
    except InvalidInput:
        return None
    value, _ = parse_part(text, position, _at(place, text, position), field=key, checked=False)
    return value


def json_lines(text: str) -> dict[str, int]:
    """Field path -> line for every value in a text that is known to be JSON."""
    lines: dict[str, int] = {"": 1}
    stack: list[list[Any]] = []
    line = 1
    for match in _TOKEN.finditer(text):
        part = match.group()
        if part == "\n":
            line += 1
        elif part in "]}":
            stack.pop()
        elif part == ",":
            stack[-1][1] = None if stack[-1][0] == "{" else stack[-1][1] + 1
        elif stack and stack[-1][0] == "{" and stack[-1][1] is None:
            stack[-1][1] = json.loads(part)
            lines[_path(stack)] = line
        else:
            lines.setdefault(_path(stack), line)
            if part in "{[":
                stack.append([part, None if part == "{" else 0])
    return lines


def _path(stack: list[list[Any]]) -> str:
    return ".".join(str(key) for _, key in stack)


def _needs_check(text: str, start: int, end: int) -> bool:
    if end - start > MAX_FIELD or text.find("\\u", start, end) >= 0:
        return True
    return text.count("[", start, end) + text.count("{", start, end) > MAX_DEPTH


def _skip_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _next_element(text: str, position: int, place: Place) -> int:
    position = _skip_space(text, position)
    sign = text[position : position + 1]
    if sign == "]":
        return position
    following = _skip_space(text, position + 1)
    if sign != "," or text[following : following + 1] in ("]", ""):
        raise _at(place, text, position).problem("not JSON: expected a comma or the end of the list")
    return following


def _find_key(text: str, position: int, place: Place, key: str) -> int:
    position = _skip_space(text, position + 1)
    while text[position : position + 1] == '"':
        name, position = parse_part(text, position, _at(place, text, position))
        position = _skip_space(text, position)
        if text[position : position + 1] != ":":
            raise _at(place, text, position).problem("not JSON: expected a colon")
        position = _skip_space(text, position + 1)
        if name == key:
            return position
        _, position = parse_part(text, position, _at(place, text, position))
        position = _skip_space(text, position)
        position = _skip_space(text, position + 1) if text[position : position + 1] == "," else position
    raise place.problem(f"expected a list, or an object with the key {key!r}")


def _at(place: Place, text: str, position: int) -> Place:
    return Place(place.file, (place.line or 1) + text.count("\n", 0, position))


def is_json(text: str) -> bool:
    """Whether a text is a JSON object or array."""
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        parse_json(text, Place(""))
    except InvalidInput:
        return False
    return True
