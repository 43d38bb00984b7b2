"""Fields of packs (rules and clauses as data), read and checked: every fault is noted with its place."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from assay.domain.errors import InvalidInput
from assay.formats.places import Problems, did_you_mean
from assay.metrics.rule_phrases import BUILT_IN_TERMS, BadPhrase, Terms, expand_entries

MAX_PACK_BYTES = 1_000_000
NO_TERMS: Terms = {}
_TERM_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


def names_file(name: str) -> bool:
    """Whether a pack's name is the path of a file, not the id of a built-in pack."""
    return "/" in name or name.endswith((".yaml", ".yml"))


def read_built_in(name: str, kind: str, files: Mapping[str, Traversable]) -> str:
    """The text of a built-in pack of a kind (`rule`, `clause`), by its id; raises InvalidInput."""
    if name not in files:
        raise InvalidInput(
            f"there is no {kind} pack {name!r}{did_you_mean(name, files)}",
            field="options.packs",
            remedy="A pack of your own is named by its path, such as rules/ours.yaml.",
        )
    return files[name].read_text(encoding="utf-8")


def read_pack_file(path: Path) -> str:
    """The text of a pack's file; raises InvalidInput when it cannot be read or is too large."""
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InvalidInput(f"the rule pack cannot be read: {reason}", file=str(path)) from error
    if len(content) > MAX_PACK_BYTES:
        raise InvalidInput(f"a rule pack has at most {MAX_PACK_BYTES:,} bytes", file=str(path))
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput("the rule pack is not UTF-8", file=str(path)) from error


def check_names(problems: Problems, path: str, value: Mapping[str, Any], known: Sequence[str]) -> None:
    """Note each field that nobody knows."""
    for name in value:
        if name not in known:
            problems.add(join_path(path, name), f"there is no such field{did_you_mean(name, known)}")


def join_path(path: str, name: str | int) -> str:
    """The path of a field or item below another."""
    return f"{path}.{name}" if path else str(name)


def read_text_field(problems: Problems, path: str, value: Any) -> str:
    """A text that is not empty, or an empty one with the fault noted."""
    if isinstance(value, str) and value.strip():
        return value.strip()
    problems.add(path, "is missing" if value is None else f"must be a text, not {value!r:.60}")
    return ""


def read_texts(problems: Problems, path: str, value: Any) -> tuple[str, ...]:
    """A list of texts, or none."""
    if value is None:
        return ()
    if not isinstance(value, list):
        problems.add(path, "must be a list of texts")
        return ()
    for number, item in enumerate(value):
        if not isinstance(item, str) or not item.strip():
            problems.add(join_path(path, number), f"must be a text, not {item!r:.60}")
    return tuple(item.strip() for item in value if isinstance(item, str) and item.strip())


def read_terms(
    problems: Problems, value: Any, built_in: Terms = BUILT_IN_TERMS, shared: Terms = NO_TERMS
) -> Terms:
    """Name -> regular expressions; a term may use those before it, and take the name of a shared one."""
    terms = {**shared, **built_in}
    if not isinstance(value, dict):
        problems.add("terms", "must be a mapping of a name to a list of phrases")
        return terms
    for name, entries in value.items():
        path = join_path("terms", name)
        if not _TERM_NAME.match(name) or name in built_in:
            problems.add(path, "a term's name is lower-case letters, digits and _, and no built-in term's")
            continue
        expressions: list[str] = []
        for number, entry in enumerate(read_texts(problems, path, entries)):
            try:
                expressions.extend(expand_entries(entry, terms))
            except BadPhrase as error:
                problems.add(join_path(path, number), str(error.args[0]))
        terms[name] = tuple(expressions)
    return terms


def in_force(valid_from: date | None, valid_to: date | None, day: date | None) -> bool:
    """Whether something is asked on a day, the first and the last one included.

    With no day known: whether it has not ended.
    """
    if day is None:
        return valid_to is None
    return (valid_from is None or valid_from <= day) and (valid_to is None or day <= valid_to)


def read_day(problems: Problems, path: str, value: Any) -> date | None:
    """A day as 2025-08-01, or None."""
    if value is None:
        return None
    try:
        if isinstance(value, str) and _DAY.match(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    problems.add(path, f"must be a day such as 2025-08-01, not {value!r:.40}")
    return None
