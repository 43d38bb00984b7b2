"""Login roles for dashboards and notebooks: each reads one tenant's rows, and no secrets."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from assay.domain.errors import Conflict, NotFound, StorageFailed

CREATE = "create role {} login inherit password {} in role assay_readonly"
BIND = "insert into assay.database_readers (role_name, organization_id) values (%s, %s)"
UNBIND = "delete from assay.database_readers where role_name = %s returning true"
LIST = "select role_name::text, organization_id from assay.database_readers order by 1"


def add_reader(dsn: str, name: str, organization_id: UUID) -> str:
    """Make a login role that sees this tenant; its password, which is stored nowhere else.

    Needs the right to create roles. Raises Conflict when there is a role of that name, StorageFailed.
    """
    password = secrets.token_urlsafe(24)
    with _owner(dsn) as connection:
        try:
            connection.execute(sql.SQL(CREATE).format(sql.Identifier(name), sql.Literal(password)))
        except psycopg.errors.DuplicateObject as error:
            raise Conflict(f"there is a role {name!r} already", remedy="Choose another name.") from error
        connection.execute(BIND, [name, organization_id])
    return password


def remove_reader(dsn: str, name: str) -> None:
    """Take a reader's role away. Raises NotFound, StorageFailed."""
    with _owner(dsn) as connection:
        if connection.execute(UNBIND, [name]).fetchone() is None:
            raise NotFound(f"there is no reader {name!r}", remedy="See them: assay db readers list")
        connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


def list_readers(dsn: str) -> list[tuple[str, UUID]]:
    """The readers and their tenants."""
    with _owner(dsn) as connection:
        return connection.execute(LIST).fetchall()


@contextmanager
def _owner(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    try:
        with psycopg.connect(dsn, connect_timeout=10) as connection:
            yield connection
    except psycopg.errors.InsufficientPrivilege as error:
        raise StorageFailed(
            f"this login may not do that: {error}", remedy="Log in as who ran `assay db upgrade`."
        ) from error
    except psycopg.Error as error:
        raise StorageFailed(
            f"PostgreSQL cannot be used: {error}", remedy="Check DATABASE_URL, or run: assay doctor"
        ) from error
