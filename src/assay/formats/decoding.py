"""Files as text: encodings, and files that are not what their names say."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from assay.domain.errors import InvalidInput
from assay.formats.limits import MAX_ROW
from assay.formats.places import Place

_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"PAR1", "a Parquet file", "Name it .parquet."),
    (b"PK\x03\x04", "a ZIP archive or a spreadsheet (.xlsx)", "Unpack it, or save the sheet as CSV."),
    (b"\x1f\x8b", "compressed with gzip", "Decompress it first: gunzip FILE."),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "Decompress it first: unzstd FILE."),
    (b"BZh", "compressed with bzip2", "Decompress it first: bunzip2 FILE."),
    (b"\xfd7zXZ\x00", "compressed with xz", "Decompress it first: unxz FILE."),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it first."),
    (b"\xd0\xcf\x11\xe0", "an old Excel file (.xls)", "Save the sheet as CSV."),
    (b"SQLite format 3", "an SQLite database", "Export the table as CSV."),
    (b"%PDF", "a PDF", "Give a file with one case in a row."),
    (b"\x89PNG", "an image", "Give a file with one case in a row."),
    (b"version https://git-lfs", "a pointer of Git LFS", "Fetch the file itself: git lfs pull."),
    (b"<!DOCTYPE", "a web page", "Look whether the download needs a login."),
    (b"<!doctype", "a web page", "Look whether the download needs a login."),
    (b"<html", "a web page", "Look whether the download needs a login."),
)
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
HEAD_BYTES = 4096


def read_head(path: Path) -> bytes:
    """The first bytes of a file; raises InvalidInput for one that cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except FileNotFoundError as problem:
        raise InvalidInput("there is no such file", file=str(path)) from problem
    except IsADirectoryError as problem:
        raise InvalidInput("this is a folder, not a file", file=str(path)) from problem
    except OSError as problem:
        raise InvalidInput(f"the file cannot be read: {problem.strerror}", file=str(path)) from problem


def check_not_empty(path: Path) -> bytes:
    """The first bytes of a file; raises InvalidInput for one that has nothing but space."""
    head = read_head(path)
    if not head.removeprefix(codecs.BOM_UTF8).strip():
        _refuse_empty(path)
    return head


def _refuse_empty(path: Path) -> None:
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            if block.removeprefix(codecs.BOM_UTF8).strip():
                return
    raise InvalidInput("the file is empty", file=str(path))


def check_is_text(path: Path, kind: str) -> bytes:
    """The head of a text file; raises InvalidInput for archives, spreadsheets, pages and the like."""
    head = check_not_empty(path)
    for magic, what, remedy in _MAGIC:
        if head.startswith(magic):
            raise InvalidInput(f"this is {what}, not {kind}", file=str(path), line=1, remedy=remedy)
    return head


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Line number and line, with its end, of a text in UTF-8, or in UTF-16 with a byte order mark.

    Raises InvalidInput with line and byte offset where the text is something else, for NUL bytes and
    for lines of more than 16 MB. Memory: one line.
    """
    head = read_head(path)
    encoding, mark = "utf-8", b""
    for candidate, name in _MARKS:
        if head.startswith(candidate):
            encoding, mark = name, candidate
    lines = _utf8_lines(path, len(mark)) if encoding == "utf-8" else _utf16_lines(path)
    for number, line in lines:
        if "\x00" in line:
            raise InvalidInput(
                "a NUL byte",
                file=str(path),
                line=number,
                remedy="Save the file as UTF-8; a text in UTF-16 needs a byte order mark.",
            )
        yield number, line


def _utf8_lines(path: Path, skip: int) -> Iterator[tuple[int, str]]:
    offset = skip
    with path.open("rb") as file:
        file.seek(skip)
        number = 0
        while raw := file.readline(MAX_ROW + 1):
            number += 1
            if len(raw) > MAX_ROW:
                raise _too_long(path, number)
            try:
                yield number, raw.decode()
            except UnicodeDecodeError as problem:
                raise _not_utf8(path, number, offset + problem.start, raw[problem.start]) from problem
            offset += len(raw)


def _utf16_lines(path: Path) -> Iterator[tuple[int, str]]:
    with path.open(encoding="utf-16", newline="") as file:
        number = 0
        while True:
            number += 1
            try:
                line = file.readline(MAX_ROW + 1)
            except UnicodeError as problem:
                raise InvalidInput(
                    f"not UTF-16, though its first bytes say so: {problem}", file=str(path), line=number
                ) from problem
            if not line:
                return
            if len(line) > MAX_ROW:
                raise _too_long(path, number)
            yield number, line


def read_text(path: Path, kind: str, limit: int, *, remedy: str | None = None) -> str:
    """A whole text file of at most `limit` bytes; errors as in `read_lines`."""
    check_is_text(path, kind)
    size = path.stat().st_size
    if size > limit:
        raise InvalidInput(f"{size:,} bytes; {kind} may have {limit:,}", file=str(path), remedy=remedy)
    return "".join(line for _, line in read_lines(path))


def _too_long(path: Path, number: int) -> InvalidInput:
    return Place(str(path), number).problem(f"a line of more than {MAX_ROW:,} bytes")


def _not_utf8(path: Path, number: int, offset: int, byte: int) -> InvalidInput:
    return Place(str(path), number).problem(
        f"not UTF-8: byte 0x{byte:02x} at offset {offset:,}",
        remedy="Convert the file, e.g.: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW",
    )
