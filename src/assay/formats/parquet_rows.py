"""Rows of Parquet files."""

import datetime
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from assay.formats.arrow import Arrow, load_arrow
from assay.formats.decoding import check_not_empty
from assay.formats.limits import check_value
from assay.formats.places import Place

Row = tuple[int, dict[str, Any]]
BATCH_ROWS = 256
MAX_ROW_GROUP = 512 * 1024 * 1024
_MAGIC = b"PAR1"


def every_column(_: str) -> bool:
    """Reads all of a file."""
    return True


def read_parquet(path: Path, wanted: Callable[[str], bool] = every_column) -> Iterator[Row]:
    """Row number, from 1, and the values of the `wanted` columns; dates become ISO texts, decimals texts.

    Memory: one batch of rows, and the row group that it comes from.
    """
    place = Place(str(path))
    if not check_not_empty(path).startswith(_MAGIC):
        raise place.problem("this is not a Parquet file: it does not begin with PAR1")
    arrow = load_arrow()
    try:
        file = arrow.parquet.ParquetFile(path)
    except arrow.problems as problem:
        raise place.problem(f"the Parquet file is damaged: {problem}") from problem
    with file:
        _check_groups(file, place)
        columns = [name for name in file.schema_arrow.names if wanted(name)]
        yield from _rows(file, columns, arrow, place)


def _check_groups(file: Any, place: Place) -> None:
    for number in range(file.metadata.num_row_groups):
        size = file.metadata.row_group(number).total_byte_size
        if size > MAX_ROW_GROUP:
            raise place.problem(
                f"row group {number} has {size:,} bytes; the limit is {MAX_ROW_GROUP:,}",
                remedy="Write the file with smaller row groups.",
            )


def _rows(file: Any, columns: list[str], arrow: Arrow, place: Place) -> Iterator[Row]:
    number = 0
    batches = file.iter_batches(batch_size=BATCH_ROWS, columns=columns)
    while True:
        try:
            batch = next(batches, None)
            rows = batch.to_pylist() if batch is not None else None
        except arrow.problems as problem:
            raise Place(place.file, number + 1).problem(
                f"the Parquet file is damaged: {problem}"
            ) from problem
        if rows is None:
            return
        for row in rows:
            number += 1
            yield number, _plain_row(row, Place(place.file, number))


def _plain_row(row: dict[str, Any], place: Place) -> dict[str, Any]:
    plain = {}
    for column, value in row.items():
        try:
            plain[column] = _plain(value)
            check_value(plain[column])
        except ValueError as problem:
            raise place.problem(str(problem), field=column) from problem
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value
