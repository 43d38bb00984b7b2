"""Reads a result file of any format into a table of scores, row by row, without its outputs."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from assay.formats.csv_rows import read_csv
from assay.formats.decoding import check_is_text, read_lines, read_text
from assay.formats.json_text import find_value, iterate_array, parse_json
from assay.formats.limits import MAX_RESULT_FILE
from assay.formats.parquet_rows import read_parquet
from assay.formats.places import Place
from assay.formats.result_rows import unknown_extension
from assay.formats.result_tables import MetricFacts, ResultTable, TableBuilder, TableFacts
from assay.formats.spreadsheets import restore

Rows = Iterator[tuple[int, Mapping[str, Any]]]
_TEXTS = ("case", "prompt", "model", "cluster", "expected", "vars")
_NOT_NEEDED = frozenset({"output", "tool_calls", "error_message", "tags", "finish_reason"})


def read_table(path: Path) -> ResultTable:
    """The scores of a .json, .jsonl, .csv or .parquet file as `assay run` and `assay export` write them.

    Only JSON names its job, data set and metrics; of the others the facts are empty. Memory: a few bytes a
    score (JSON: the file too, up to 500 MB). Raises InvalidInput with file, line and field.
    """
    readers = {".json": _read_json, ".jsonl": _read_jsonl, ".csv": _read_csv, ".parquet": _read_parquet}
    reader: Callable[[Path], Rows] | None = readers.get(path.suffix.lower())
    if reader is None:
        raise unknown_extension(str(path), list(readers))
    builder = TableBuilder(str(path))
    facts = TableFacts()
    for line, row in reader(path):
        if line == 0:
            facts = job_facts(row, Place(str(path), 1))
        else:
            builder.add(row, Place(str(path), line))
    return builder.finish(facts)


def is_result_file(text: str) -> bool:
    """Whether a name is that of a result file rather than of a job."""
    return Path(text).suffix.lower() in (".json", ".jsonl", ".csv", ".parquet")


def _read_jsonl(path: Path) -> Rows:
    check_is_text(path, "JSON Lines")
    for number, line in read_lines(path):
        if not line.isspace():
            place = Place(str(path), number)
            yield number, _object(parse_json(line, place, checked=False), place)


def _read_json(path: Path) -> Rows:
    """The job as line 0, then the results."""
    text = read_text(path, "JSON", MAX_RESULT_FILE, remedy="Write results as JSON Lines.")
    place = Place(str(path), 1)
    job = find_value(text, place, "job")
    if isinstance(job, Mapping):
        yield 0, job
    for line, value in iterate_array(text, place, "results", checked=False):
        yield line, _object(value, Place(str(path), line))


_LONG = (".reason", ".evidence")
"""Ends of columns that no comparison reads."""


def _read_csv(path: Path) -> Rows:
    """Texts as they were before they were made harmless for spreadsheets."""
    for line, row in read_csv(path):
        texts = {name: restore(row[name]) for name in _TEXTS if name in row}
        yield line, {restore(name): texts.get(name, value) for name, value in row.items()}


def _read_parquet(path: Path) -> Rows:
    return read_parquet(path, lambda name: name not in _NOT_NEEDED and not name.endswith(_LONG))


def _object(value: Any, place: Place) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise place.problem("a result must be an object")
    return value


def job_facts(job: Mapping[str, Any], place: Place) -> TableFacts:
    """Facts of a job document; of files that other versions wrote, what is there."""
    try:
        versions = dict(job.get("receipt", {}).get("metrics", {}))
        known = {name: MetricFacts(version=version) for name, version in versions.items()}
        for each in job.get("metrics", ()):
            facts = {part: each.get(part) for part in MetricFacts.__dataclass_fields__}
            known[str(each["name"])] = MetricFacts(**facts)
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise place.problem("this is not a job of ours", field="job") from problem
    return TableFacts(
        job=job.get("id"),
        name=job.get("name"),
        dataset=f"{job.get('dataset')} v{job.get('dataset_version')}",
        dataset_hash=job.get("dataset_hash"),
        margin=job.get("margin"),
        metrics=known,
    )
