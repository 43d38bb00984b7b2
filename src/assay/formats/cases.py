"""Cases from files, one after the other: a data set need not fit into memory."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput
from assay.domain.suites import DatasetSource
from assay.formats.case_fields import CaseBuilder, check_fields
from assay.formats.csv_rows import read_csv, read_tsv
from assay.formats.json_rows import read_json, read_jsonl, read_yaml
from assay.formats.limits import MAX_CASES
from assay.formats.parquet_rows import read_parquet
from assay.formats.places import Place, did_you_mean

Rows = Callable[[Path], Iterable[tuple[int, Mapping[str, Any]]]]
READERS: Mapping[str, Rows] = {
    "csv": read_csv,
    "tsv": read_tsv,
    "jsonl": read_jsonl,
    "json": read_json,
    "yaml": read_yaml,
    "parquet": read_parquet,
}
EXTENSIONS: Mapping[str, str] = {
    **{f".{name}": name for name in READERS},
    ".yml": "yaml",
    ".ndjson": "jsonl",
}
_CELLS = frozenset(["csv", "tsv"])


def read_cases(source: DatasetSource) -> Iterator[Case]:
    """The cases of a data set, in order, with their lines (for Parquet: rows).

    CSV, TSV, JSON Lines and Parquet are streamed; JSON is read up to 50 MB, YAML up to 10 MB. Raises
    InvalidInput, with file, line, field and remedy, at the first thing that cannot be used; an unknown
    format at once, all else while the cases are read. Ids are unique and at most a million.
    """
    if source.path is None:
        return _unique(source, lambda: source.cases)
    name, path = _check_source(source.path, source)
    return _unique(source, lambda: _stream(path, name, source.fields))


def stream_cases(source: DatasetSource) -> Iterator[Case]:
    """As `read_cases` of a file, but any number of cases and no memory of their ids.

    For a reader that finds ids that come twice by itself, as the store does.
    """
    if source.path is None:
        return iter(source.cases)
    name, path = _check_source(source.path, source)
    return _stream(path, name, source.fields)


def _check_source(path: Path, source: DatasetSource) -> tuple[str, Path]:
    check_fields(source.fields, Place(str(path)))
    return format_of(path, source.format), path


def _stream(path: Path, name: str, fields: Mapping[str, str]) -> Iterator[Case]:
    builder = CaseBuilder(fields, cells=name in _CELLS)
    for position, (line, row) in enumerate(READERS[name](path), start=1):
        yield builder.build(row, position, Place(str(path), line))
    builder.check_seen(Place(str(path)))


def format_of(path: Path, name: str | None = None) -> str:
    """The format of a data file by its name, or as set; raises InvalidInput for one that is not known."""
    if name is not None:
        if name not in READERS:
            raise InvalidInput(
                f"unknown format {name!r}{did_you_mean(name, READERS)}", file=str(path), field="format"
            )
        return name
    found = EXTENSIONS.get(path.suffix.lower())
    if found is None:
        raise InvalidInput(
            f"the extension {path.suffix!r} is of no known format",
            file=str(path),
            remedy=f"Known are {', '.join(EXTENSIONS)}; or set `format` in the data set.",
        )
    return found


def _unique(source: DatasetSource, cases: Callable[[], Iterable[Case]]) -> Iterator[Case]:
    """The cases, each id once. Ids are remembered as 8 bytes; a second look makes sure and finds the line."""
    file = str(source.path) if source.path is not None else source.name
    seen: set[int] = set()
    for count, case in enumerate(cases(), start=1):
        if count > MAX_CASES:
            raise InvalidInput(f"more than {MAX_CASES:,} cases", file=file, line=case.line)
        digest = int.from_bytes(hashlib.blake2b(case.key.encode(), digest_size=8).digest())
        if digest in seen:
            _check_duplicate(file, case, count, cases())
        seen.add(digest)
        yield case
    if not seen:
        raise InvalidInput("there are no cases", file=file, remedy="Give at least one row.")


def _check_duplicate(file: str, case: Case, count: int, again: Iterable[Case]) -> None:
    for number, earlier in enumerate(again, start=1):
        if number == count:
            return
        if earlier.key == case.key:
            raise InvalidInput(
                f"the id {case.key!r} is there twice, first in line {earlier.line}",
                file=file,
                line=case.line,
                field="id",
                remedy="Make ids unique, or say in the data set which field has them: fields: {id: ...}",
            )
