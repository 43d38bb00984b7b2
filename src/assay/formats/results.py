"""Result files: written beside their final name and renamed when they are whole; read back to compare."""

import contextlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from assay.domain.errors import InvalidInput
from assay.domain.results import Result
from assay.formats.decoding import read_lines, read_text
from assay.formats.drafts import not_writable, part_of
from assay.formats.json_text import iterate_array, parse_json
from assay.formats.limits import MAX_RESULT_FILE
from assay.formats.places import Place
from assay.formats.result_files import (
    CsvSink,
    JsonlSink,
    JsonSink,
    ParquetSink,
    ResultHeader,
    ResultSink,
)
from assay.formats.result_rows import result_of, unknown_extension

Writer = Callable[[IO[bytes], ResultHeader], ResultSink]
Writers = Mapping[str, Writer]
WRITERS: Writers = {".jsonl": JsonlSink, ".json": JsonSink, ".csv": CsvSink, ".parquet": ParquetSink}
"""End of a file's name -> what writes it. More kinds: hand `{**WRITERS, ".html": ...}` to `open_writer`."""


class ResultWriter:
    """A result file in the making. As a context manager it ends with `close`, or after an error `discard`."""

    def __init__(self, path: Path, header: ResultHeader, writer: Writer) -> None:
        self.path = path
        self.summary: Mapping[str, Any] | None = None
        """What formats with a place for it write after the results; set it before the end."""
        self._part = part_of(path)
        try:
            self._file: IO[bytes] = self._part.open("xb")
        except OSError as problem:
            raise not_writable(path, problem) from problem
        try:
            self._sink = writer(self._file, header)
        except BaseException:
            self._file.close()
            self._part.unlink()
            raise

    def write(self, results: Sequence[Result]) -> None:
        """Write further results."""
        self._sink.write(results)

    def close(self) -> None:
        """Finish the file and give it its name; a file of that name is replaced."""
        try:
            self._sink.finish(self.summary)
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._part.replace(self.path)
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(Exception):  # a sink that is not finished writes when it is collected
            self._sink.finish(None)
        self._file.close()
        self._part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()


def open_writer(
    path: Path,
    *,
    metrics: Sequence[str],
    job: Mapping[str, Any] | None = None,
    writers: Writers = WRITERS,
) -> ResultWriter:
    """A writer for a file whose format its name tells; `job` is what formats with a header show of it."""
    check_writable(path, writers)
    return ResultWriter(path, ResultHeader(metrics=tuple(metrics), job=job or {}), writer_for(path, writers))


def writer_for(path: Path, writers: Writers = WRITERS) -> Writer:
    """What writes files of this name (the longest end counts); raises InvalidInput, listing what there is."""
    return writers[_end_of(path, writers)]


def _end_of(path: Path, known: Collection[str]) -> str:
    name = path.name.lower()
    fitting = [end for end in known if name.endswith(end) and name != end]
    if not fitting:
        raise unknown_extension(str(path), list(known))
    return max(fitting, key=len)


def check_writable(path: Path, known: Collection[str] = tuple(WRITERS)) -> None:
    """Raise InvalidInput unless a file with one of these ends can be written here. Leaves nothing behind.

    To be called before the first model is: nothing is worse than results that cannot be kept.
    """
    _end_of(path, known)
    part = part_of(path)
    try:
        if path.is_dir():
            raise InvalidInput("this is a folder; give a file's name", file=str(path))
        part.touch(exist_ok=False)
        part.unlink()
    except OSError as problem:
        raise not_writable(path, problem) from problem


def read_results(path: Path) -> Iterator[Result]:
    """The results of a .jsonl or .json file that a writer made (JSON: up to 500 MB)."""
    readers = {".jsonl": _read_jsonl, ".json": _read_json}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise unknown_extension(str(path), list(readers))
    return reader(path)


def _read_jsonl(path: Path) -> Iterator[Result]:
    for number, line in read_lines(path):
        if not line.isspace():
            place = Place(str(path), number)
            yield result_of(_object(parse_json(line, place, checked=False), place), place)


def _read_json(path: Path) -> Iterator[Result]:
    text = read_text(path, "JSON", MAX_RESULT_FILE, remedy="Write results as JSON Lines.")
    for line, value in iterate_array(text, Place(str(path), 1), "results", checked=False):
        place = Place(str(path), line)
        yield result_of(_object(value, place), place)


def _object(value: Any, place: Place) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise place.problem("a result must be an object")
    return value
