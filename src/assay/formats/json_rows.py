"""Rows of JSON, JSON Lines and YAML files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assay.formats.decoding import check_is_text, read_lines, read_text
from assay.formats.json_text import is_json, iterate_array, parse_json
from assay.formats.limits import MAX_JSON_FILE, MAX_YAML_FILE
from assay.formats.places import Place
from assay.formats.yaml_text import parse_yaml

Row = tuple[int, dict[str, Any]]


def read_jsonl(path: Path) -> Iterator[Row]:
    """Line and object of each line of a JSON Lines file; blank lines are passed over."""
    check_is_text(path, "JSON Lines")
    for number, line in read_lines(path):
        if line.isspace():
            continue
        place = Place(str(path), number)
        if number == 1:
            _check_first_line(line, place)
        yield number, _object(parse_json(line, place), place)


def read_json(path: Path) -> Iterator[Row]:
    """Line and object of each element of a JSON array, or of `cases` in a JSON object (up to 50 MB)."""
    text = read_text(path, "JSON", MAX_JSON_FILE, remedy="Make it JSON Lines: jq -c '.[]' FILE > NEW.jsonl")
    first, _, rest = text.strip().partition("\n")
    if first.startswith("{") and rest and is_json(first):
        raise Place(str(path), 2).problem(
            "this is JSON Lines, not JSON", remedy="Name it .jsonl, or set `format: jsonl`."
        )
    for line, value in iterate_array(text, Place(str(path), 1), "cases"):
        yield line, _object(value, Place(str(path), line))


def read_yaml(path: Path) -> Iterator[Row]:
    """Line and mapping of each element of a YAML list, or of `cases` in a mapping (up to 10 MB)."""
    text = read_text(path, "YAML", MAX_YAML_FILE, remedy="Give large data as JSON Lines.")
    value, lines = parse_yaml(text, Place(str(path), 1), depth=2)
    prefix = ""
    if isinstance(value, dict) and "cases" in value:
        value, prefix = value["cases"], "cases."
    if not isinstance(value, list):
        raise Place(str(path), 1).problem("expected a list of cases, or a mapping with `cases`")
    for number, row in enumerate(value):
        line = lines.get(f"{prefix}{number}", 1)
        yield line, _object(row, Place(str(path), line))


def _check_first_line(line: str, place: Place) -> None:
    start = line.lstrip()[:1]
    if start == "[":
        raise place.problem(
            "this is a JSON array, not JSON Lines", remedy="Name it .json, or set `format: json`."
        )
    if line.strip() == "{":
        raise place.problem(
            "an object over several lines is JSON, not JSON Lines", remedy="Write each object in one line."
        )
    if start != "{":
        raise place.problem(
            "this is not JSON Lines: a line must be a JSON object",
            remedy="Name a table with a header .csv, or set `format`.",
        )


def _object(value: Any, place: Place) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise place.problem(f"a case must be an object, not {type(value).__name__}")
    return value
