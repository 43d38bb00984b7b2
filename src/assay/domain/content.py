"""Content hashes: the same content has the same hash on every machine and in every version."""

import hashlib
from typing import Any

import orjson


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys and no spaces; dataclasses, tuples and UUIDs are accepted."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)


def content_hash(value: Any) -> bytes:
    """SHA-256 (32 bytes) of the canonical JSON of a value."""
    return hashlib.sha256(canonical_json(value)).digest()
