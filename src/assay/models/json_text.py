"""JSON from and to models: what they send is hostile, what we send must be writable."""

import re
from typing import Any

import orjson

from assay.domain.errors import InvalidResponse, RequestRejected

_ESCAPE = re.compile(
    r"\\(?:(u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def read_json(body: bytes) -> Any:
    """The value of a JSON text.

    Bytes that are not UTF-8 and halves of surrogate pairs become U+FFFD; NaN and Infinity are no JSON.
    Raises InvalidResponse.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    text = body.decode("utf-8-sig", "replace")
    try:
        return orjson.loads(_ESCAPE.sub(_whole_escape, text))
    except orjson.JSONDecodeError as error:
        raise InvalidResponse(f"the answer is not JSON: {error}", body=excerpt(text)) from error


def write_json(value: Any) -> bytes:
    """The JSON text of a request. Raises RequestRejected for what JSON cannot say (half a surrogate)."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise RequestRejected(f"the request cannot be written as JSON: {error}", sent=False) from error


def text_of(value: Any) -> str:
    """Text as it is; anything else as JSON; None as nothing."""
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode()


def tokens(value: Any) -> int | None:
    """A token count, or None for anything that is not one."""
    return value if type(value) is int and value >= 0 else None


def mapping(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one: for parts that a provider may leave out."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; nothing for anything that is not a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def string(value: Any) -> str | None:
    """The value if it is text."""
    return value if isinstance(value, str) else None


def excerpt(text: str, length: int = 2000) -> str:
    """The beginning of a text, marked where it was cut."""
    return text if len(text) <= length else f"{text[:length]}…"


def _whole_escape(match: re.Match[str]) -> str:
    return "\\ufffd" if match[2] else match[0]
