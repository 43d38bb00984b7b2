"""Retention: the answers of old jobs go; the jobs, their summaries and their costs stay."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg

from assay.domain.errors import StorageFailed
from assay.storage.pool import Connection

PRUNE = "select assay.prune_jobs(clock_timestamp() - %s, %s)"
COUNT = """
select count(*), coalesce(sum(planned), 0)::bigint from assay.evaluation_jobs
 where organization_id = %s and pruned_at is null and finished_at < clock_timestamp() - %s
   and state in ('completed', 'failed', 'cancelled')
"""
DROP = "select assay.drop_partitions(clock_timestamp() - %s)"
# What drop_partitions would take: months that are over as a whole and have no open job.
DROPPABLE = """
select p.partition::text, p.bytes from assay.partitions() p
 where (p.month + interval '1 month') at time zone 'UTC' <= clock_timestamp() - %s
   and not exists (select from assay.evaluation_jobs j
                    where j.id >= assay.first_id(p.month::timestamp at time zone 'UTC')
                      and j.id < assay.first_id((p.month + interval '1 month') at time zone 'UTC')
                      and j.state not in ('completed', 'failed', 'cancelled'))
 order by p.month, p.partition
"""


@dataclass(frozen=True, slots=True)
class Prunable:
    """Jobs that ended long enough ago, and how many cells they have."""

    jobs: int
    cells: int


async def prune_jobs(connection: Connection, age: timedelta, limit: int) -> int:
    """Delete the answers of at most `limit` jobs that ended before `age`; how many jobs it were."""
    row = await (await connection.execute(PRUNE, [age, limit])).fetchone()
    return int(row[0]) if row else 0


async def count_prunable(connection: Connection, organization_id: UUID, age: timedelta) -> Prunable:
    """What `prune_jobs` would find."""
    row = await (await connection.execute(COUNT, [organization_id, age])).fetchone()
    return Prunable(*row) if row else Prunable(0, 0)


def drop_partitions(dsn: str, age: timedelta) -> list[str]:
    """Drop the months of all tenants that are over since `age`, without open jobs; the partitions that went.

    For the role that owns the schema. Raises StorageFailed.
    """
    with _connect(dsn) as connection:
        return [str(row[0]) for row in connection.execute(DROP, [age]).fetchall()]


def list_droppable(dsn: str, age: timedelta) -> list[tuple[str, int]]:
    """The partitions that `drop_partitions` would drop, with their bytes. Raises StorageFailed."""
    with _connect(dsn) as connection:
        return [(str(name), int(size)) for name, size in connection.execute(DROPPABLE, [age]).fetchall()]


@contextmanager
def _connect(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    try:
        with psycopg.connect(dsn, connect_timeout=10) as connection:
            # What is locked now can be dropped tomorrow; runs must not wait behind it.
            connection.execute("set lock_timeout = '10s'")
            yield connection
    except psycopg.Error as error:
        raise StorageFailed(
            f"PostgreSQL refused: {error}",
            remedy="It takes the login that owns the schema. If that is it, try again when it is less busy.",
        ) from error
