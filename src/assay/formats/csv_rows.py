"""Rows of CSV and TSV files."""

import csv
from collections.abc import Iterator
from pathlib import Path

from assay.formats.decoding import check_is_text, read_lines
from assay.formats.json_text import is_json
from assay.formats.limits import MAX_FIELD, MAX_ROW
from assay.formats.places import Place

Row = tuple[int, dict[str, str]]


class _Feed:
    """Lines for the csv module, which reads as many as a row has."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = read_lines(path)
        self.number = 0
        self.row_size = 0

    def __iter__(self) -> Iterator[str]:
        for number, line in self.lines:
            self.number = number
            self.row_size += len(line)
            if self.row_size > MAX_ROW:
                raise Place(str(self.path), number).problem(
                    f"a row of more than {MAX_ROW:,} bytes", remedy="Look for a quote that is not closed."
                )
            yield line


def read_csv(path: Path) -> Iterator[Row]:
    """Line and cells of each row of a CSV file; `;` parts the cells where the header has no comma."""
    return _rows(path, ",", "CSV")


def read_tsv(path: Path) -> Iterator[Row]:
    """Line and cells of each row of a file whose cells are parted by tabs."""
    return _rows(path, "\t", "TSV")


def _rows(path: Path, delimiter: str, kind: str) -> Iterator[Row]:
    check_is_text(path, kind)
    csv.field_size_limit(max(MAX_FIELD, csv.field_size_limit()))
    feed = _Feed(path)
    lines = iter(feed)
    head = next(lines)
    if is_json(head):
        raise Place(str(path), 1).problem(
            f"this is JSON, not {kind}", remedy="Name it .jsonl (an object a line) or .json, or set `format`."
        )
    if delimiter == "," and "," not in head and ";" in head:
        delimiter = ";"
    reader = csv.reader(_prepend(head, lines), delimiter=delimiter, strict=True)
    header = _check_header(next(_cells(reader, feed), (1, []))[1], Place(str(path), 1))
    for line, cells in _cells(reader, feed):
        if len(cells) != len(header):
            raise Place(str(path), line).problem(
                f"{len(cells)} cells, but the header has {len(header)} columns",
                remedy="Put cells with commas, quotes or line breaks into double quotes.",
            )
        yield line, dict(zip(header, cells, strict=True))


def _prepend(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _cells(reader: Iterator[list[str]], feed: _Feed) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, with the line in which each begins."""
    while True:
        line = feed.number if feed.number == 1 and feed.row_size else feed.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            raise Place(str(feed.path), line).problem(
                _words(str(problem)), remedy="Look for a quote that is not closed or not doubled."
            ) from problem
        feed.row_size = 0
        if any(len(cell) > MAX_FIELD for cell in cells):
            raise Place(str(feed.path), line).problem(f"a cell of more than {MAX_FIELD:,} characters")
        if cells and cells != [""]:
            yield line, cells


def _words(problem: str) -> str:
    if "field larger" in problem:
        return f"a cell of more than {MAX_FIELD:,} characters"
    return f"not CSV: {problem}"


def _check_header(header: list[str], place: Place) -> list[str]:
    seen: set[str] = set()
    for number, name in enumerate(header, start=1):
        if not name.strip():
            raise place.problem(f"column {number} has no name", remedy="The first row names the columns.")
        if name in seen:
            raise place.problem(f"two columns are called {name!r}", field=name)
        seen.add(name)
    return header
