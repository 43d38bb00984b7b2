"""Cases to files, one batch after the other, in a form that can be read back."""

import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import orjson

from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput
from assay.formats.drafts import draft_of
from assay.formats.result_files import csv_cell
from assay.formats.results import check_writable

COLUMNS = ("id", "vars", "expected", "context", "metadata", "tags", "cluster", "weight", "split")

Sink = Callable[[IO[bytes], Iterable[Case]], int]


def write_cases(path: Path, cases: Iterable[Case]) -> int:
    """Write the cases to a file whose format its name tells; their number. Memory: one case.

    The file gets its name when it is whole. JSON Lines and JSON are exact: read back with the column
    `split` named, they are the same version. In CSV, texts are made harmless for spreadsheets, and what is
    expected is text. Raises InvalidInput for another extension or a place that cannot be written.
    """
    check_case_file(path)
    with draft_of(path) as part, part.open("xb") as file:
        count = _SINKS[path.suffix.lower()](file, cases)
        file.flush()
        os.fsync(file.fileno())
    return count


def check_case_file(path: Path) -> None:
    """Raise InvalidInput unless cases can be written to this file."""
    if path.suffix.lower() not in _SINKS:
        raise InvalidInput(
            f"cases are not written as {path.suffix or 'a file without extension'}",
            file=str(path),
            remedy=f"Take one of {', '.join(_SINKS)}.",
        )
    check_writable(path)


def _row(case: Case) -> dict[str, Any]:
    values = (
        case.key,
        case.vars,
        case.expected,
        list(case.context),
        case.metadata,
        list(case.tags),
        case.cluster,
        case.weight,
        case.split,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _filled(case: Case) -> dict[str, Any]:
    """The row without what is empty."""
    row = _row(case)
    empty = {name for name in ("context", "metadata", "tags") if not row[name]}
    return {name: value for name, value in row.items() if value is not None and name not in empty}


def _json(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)


def _write_jsonl(file: IO[bytes], cases: Iterable[Case]) -> int:
    count = 0
    for case in cases:
        file.write(_json(_filled(case)) + b"\n")
        count += 1
    return count


def _write_json(file: IO[bytes], cases: Iterable[Case]) -> int:
    count = 0
    file.write(b"[")
    for case in cases:
        file.write((b",\n" if count else b"\n") + _json(_filled(case)))
        count += 1
    file.write(b"\n]\n")
    return count


def _write_csv(file: IO[bytes], cases: Iterable[Case]) -> int:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    count = 0
    for case in cases:
        writer.writerow(_cells(case))
        count += 1
    text.detach()
    return count


def _cells(case: Case) -> Iterator[Any]:
    for name, value in _row(case).items():
        yield "" if name in ("context", "metadata", "tags") and not value else csv_cell(value)


_SINKS: Mapping[str, Sink] = {".jsonl": _write_jsonl, ".json": _write_json, ".csv": _write_csv}
