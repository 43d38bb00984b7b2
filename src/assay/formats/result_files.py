"""Results as JSON Lines, JSON, CSV and Parquet, each written as it comes."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, Protocol

from assay.domain.results import Result
from assay.domain.text import valid_text
from assay.formats.arrow import load_arrow
from assay.formats.result_rows import columns_of, json_bytes, row_of
from assay.formats.spreadsheets import defuse

ROWS_A_GROUP = 4096
TEXT_A_GROUP = 32_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultHeader:
    """What is known before the first result: the metrics' names, and the job as it is to be shown."""

    metrics: tuple[str, ...]
    job: Mapping[str, Any] = field(default_factory=dict)


class ResultSink(Protocol):
    """Writes results into an open file, in the order in which they come."""

    def write(self, results: Sequence[Result]) -> None:
        """Write further results."""

    def finish(self, summary: Mapping[str, Any] | None, /) -> None:
        """Write what comes after the last result."""


class JsonlSink:
    """An object a line."""

    def __init__(self, file: IO[bytes], header: ResultHeader) -> None:
        self.file, self.metrics = file, header.metrics

    def write(self, results: Sequence[Result]) -> None:
        """Write further results."""
        self.file.writelines(json_bytes(row_of(result, self.metrics)) + b"\n" for result in results)

    def finish(self, _summary: Mapping[str, Any] | None) -> None:
        """JSON Lines end with the last line; there is no place for the summary."""


class JsonSink:
    """`{"job": ..., "results": [...], "summary": ...}`; the summary comes last because it is made last."""

    def __init__(self, file: IO[bytes], header: ResultHeader) -> None:
        self.file, self.metrics = file, header.metrics
        self.between = b"\n"
        file.write(b'{"job":' + json_bytes(header.job) + b',\n"results":[')

    def write(self, results: Sequence[Result]) -> None:
        """Write further results."""
        for result in results:
            self.file.write(self.between + json_bytes(row_of(result, self.metrics)))
            self.between = b",\n"

    def finish(self, summary: Mapping[str, Any] | None) -> None:
        """Close the array and add the summary."""
        self.file.write(b'\n],\n"summary":' + json_bytes(summary) + b"}\n")


class CsvSink:
    """A row a result; lists and objects as JSON, texts defused for spreadsheets, nothing for None."""

    def __init__(self, file: IO[bytes], header: ResultHeader) -> None:
        self.metrics = header.metrics
        self.columns = columns_of(header.metrics)
        self.text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        self.writer = csv.writer(self.text, lineterminator="\r\n")
        self.writer.writerow([defuse(valid_text(column)) for column in self.columns])

    def write(self, results: Sequence[Result]) -> None:
        """Write further results."""
        for result in results:
            self.writer.writerow([csv_cell(value) for value in row_of(result, self.metrics).values()])

    def finish(self, _summary: Mapping[str, Any] | None) -> None:
        """A table has no place for the summary."""
        self.text.detach()


def csv_cell(value: Any) -> Any:
    """A value as a cell: numbers as they are, all else as text that no spreadsheet will run."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    return defuse(as_text(value))


def as_text(value: Any) -> str:
    """A text as it is, anything else as JSON."""
    return valid_text(value if isinstance(value, str) else json_bytes(value).decode())


class ParquetSink:
    """Typed columns in row groups of about 4,000 results; `vars` and the like are texts with JSON."""

    def __init__(self, file: IO[bytes], header: ResultHeader) -> None:
        self.metrics = header.metrics
        self.columns = columns_of(header.metrics)
        self.arrow = load_arrow()
        core = self.arrow.core
        types = {
            "text": core.string(),
            "json": core.string(),
            "integer": core.int64(),
            "number": core.float64(),
            "boolean": core.bool_(),
            "texts": core.list_(core.string()),
        }
        self.schema = core.schema([(name, types[kind]) for name, kind in self.columns.items()])
        self.writer = self.arrow.parquet.ParquetWriter(file, self.schema, compression="zstd")
        self.rows: list[dict[str, Any]] = []
        self.size = 0

    def write(self, results: Sequence[Result]) -> None:
        """Write further results, a row group at a time."""
        for result in results:
            row = row_of(result, self.metrics)
            self.rows.append({name: self._cell(name, value) for name, value in row.items()})
            self.size += sum(len(value) for value in self.rows[-1].values() if isinstance(value, str))
            if len(self.rows) >= ROWS_A_GROUP or self.size >= TEXT_A_GROUP:
                self._flush()

    def _cell(self, name: str, value: Any) -> Any:
        kind = self.columns[name]
        if value is None:
            return None
        if kind == "texts":
            return [valid_text(text) for text in value]
        return as_text(value) if kind in ("text", "json") else value

    def _flush(self) -> None:
        if self.rows:
            table = self.arrow.core.Table.from_pylist(self.rows, schema=self.schema)
            self.writer.write_table(table)
        self.rows, self.size = [], 0

    def finish(self, _summary: Mapping[str, Any] | None) -> None:
        """Write the last row group and the footer; a table has no place for the summary."""
        self._flush()
        self.writer.close()
