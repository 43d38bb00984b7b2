"""Counts and checksums of all tables, by which two databases are known to hold the same rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

TABLES = """
select c.relname from pg_class c
 where c.relnamespace = to_regnamespace('assay') and c.relkind in ('r', 'p') and not c.relispartition
 order by 1
"""
# What a row looks like as a text must not depend on who asks.
SETTINGS = """
select set_config('datestyle', 'ISO, YMD', false), set_config('intervalstyle', 'postgres', false),
       set_config('timezone', 'UTC', false), set_config('extra_float_digits', '1', false),
       set_config('bytea_output', 'hex', false), set_config('row_security', 'off', false),
       set_config('statement_timeout', '0', false), set_config('lock_timeout', '60s', false),
       set_config('idle_in_transaction_session_timeout', '0', false)
"""
SUM = """
select count(*), coalesce(sum(('x' || left(h, 16))::bit(64)::bigint::numeric), 0),
       coalesce(sum(('x' || right(h, 16))::bit(64)::bigint::numeric), 0)
  from (select md5(t::text) as h from assay.{} t) s
"""


@dataclass(frozen=True, slots=True)
class TableSum:
    """Rows of a table, and a checksum that does not depend on their order.

    The checksum is the sum of the MD5s of the rows' texts, each half modulo 2^64: it finds what was lost or
    changed by accident. It is no proof against somebody who wants to deceive.
    """

    rows: int
    checksum: str


def prepare(connection: psycopg.Connection[Any]) -> None:
    """Settings of a session that sums; call it before the transaction."""
    connection.execute(SETTINGS)


def sum_tables(connection: psycopg.Connection[Any]) -> Mapping[str, TableSum]:
    """Every table of the schema by name; a partitioned one counts whole."""
    names = [row[0] for row in connection.execute(TABLES).fetchall()]
    return {name: _sum(connection, name) for name in names}


def _sum(connection: psycopg.Connection[Any], table: str) -> TableSum:
    row = connection.execute(sql.SQL(SUM).format(sql.Identifier(table))).fetchone()
    rows, left, right = row or (0, 0, 0)
    return TableSum(int(rows), f"{int(left) % 2**64:016x}{int(right) % 2**64:016x}")


def differences(expected: Mapping[str, TableSum], found: Mapping[str, TableSum]) -> list[str]:
    """What differs, a line a table."""
    lines = []
    for name in sorted(expected.keys() | found.keys()):
        old, new = expected.get(name), found.get(name)
        if old == new:
            continue
        if old is None or new is None:
            lines.append(f"{name}: {'not in the backup' if old is None else 'not restored'}")
        elif old.rows != new.rows:
            lines.append(f"{name}: {old.rows:,} rows were saved, {new.rows:,} are there")
        else:
            lines.append(f"{name}: {old.rows:,} rows, but other ones")
    return lines
