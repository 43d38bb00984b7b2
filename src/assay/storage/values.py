"""Single values out of queries."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import sql

from assay.storage.pool import Connection

Parameters = Sequence[Any] | Mapping[str, Any]


async def find_value(connection: Connection, query: str | sql.Composed, parameters: Parameters) -> Any:
    """The first column of the first row; None when there is no row."""
    row = await (await connection.execute(query, parameters)).fetchone()
    return None if row is None else row[0]


async def get_value(connection: Connection, query: str | sql.Composed, parameters: Parameters) -> Any:
    """The first column of a row that must be there: it was just written, or found, in this transaction."""
    found = await find_value(connection, query, parameters)
    if found is None:
        raise LookupError("a row that was just written cannot be read")
    return found
