"""What must be true of every job, asked of the database: migrations/invariants.sql."""

from typing import Any
from uuid import UUID

import psycopg

from assay.domain.errors import StorageFailed
from assay.storage.migrate import MIGRATIONS
from assay.storage.pool import ENTER_TENANT, SERVER_TIME
from assay.storage.tenancy import SYSTEM, find_signer

PASSES = "select rolsuper or rolbypassrls from pg_roles where rolname = current_user"


def find_violations(
    dsn: str, organization_id: UUID, context_key: bytes | None = None
) -> tuple[list[tuple[str, int]], bool]:
    """(invariant, rows that violate it) for each that does not hold, and whether all tenants were looked at.

    A login that row-level security holds sees the jobs of `organization_id` only. Raises StorageFailed.
    """
    text = (MIGRATIONS / "invariants.sql").read_text(encoding="utf-8")
    try:
        with psycopg.connect(dsn, connect_timeout=10) as connection:
            whole = connection.execute(PASSES).fetchone() == (True,)
            if not whole:
                row: Any = connection.execute(SERVER_TIME).fetchone()
                context = find_signer(dsn, context_key).sign(organization_id, SYSTEM, row[0])
                connection.execute(ENTER_TENANT, [context, SYSTEM.correlation_id])
            rows = connection.execute(text.encode()).fetchall()
    except psycopg.Error as error:
        raise StorageFailed(f"PostgreSQL refused: {error}", remedy="See: assay doctor") from error
    return [(str(name), int(count)) for name, count in rows if count], whole
