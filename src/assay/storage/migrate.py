"""The schema's version: found, checked and brought up to date."""

import importlib
from pathlib import Path
from typing import Any

import psycopg

from assay.domain.errors import StorageFailed
from assay.storage.tenancy import Signer, ensure_key

HEAD = "0004"
"""The revision that this version of Assay works with."""

MIGRATIONS = Path(__file__).parent / "migrations"
BOOK = MIGRATIONS / "create_evaluation_tables.sql"
LOCK = 4_711_001
CURRENT = "select version_num from assay.alembic_version"


def find_revision(dsn: str) -> str | None:
    """The revision of the schema in a database; None when it has none. Raises StorageFailed."""
    try:
        with psycopg.connect(dsn, connect_timeout=10) as connection:
            row = connection.execute(CURRENT).fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return None
    except psycopg.Error as error:
        raise StorageFailed(
            f"PostgreSQL cannot be used: {error}", remedy="Check DATABASE_URL, or run: assay doctor"
        ) from error
    return None if row is None else str(row[0])


def require_head(dsn: str) -> None:
    """Raises StorageFailed unless the schema is the one that this version works with."""
    found = find_revision(dsn)
    if found != HEAD:
        raise StorageFailed(
            f"the database holds schema {found or '(none)'}, this version of Assay needs {HEAD}",
            remedy="Bring it up to date: assay db upgrade",
        )


def ensure_head(dsn: str, key: bytes | None = None) -> Signer:
    """Bring the schema of our own server up to date if it is not, over one connection if it is.

    Returns the signer of contexts that it believes. Raises StorageFailed like `upgrade`.
    """
    try:
        with psycopg.connect(dsn, connect_timeout=10) as connection:
            row = connection.execute(CURRENT).fetchone()
            if row is not None and row[0] == HEAD:
                return ensure_key(connection, key)
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        pass
    except psycopg.Error as error:
        raise StorageFailed(f"PostgreSQL cannot be used: {error}", remedy="Run: assay doctor") from error
    return upgrade(dsn, key)


def upgrade(dsn: str, key: bytes | None = None) -> Signer:
    """Install the schema, or run the migrations that are missing; the signer of contexts that it believes.

    `key`: sign by this one; else by the newest that the database has, made when it has none. Safe to call
    from several processes at once. Raises StorageFailed when the server refuses, or holds a schema of a newer
    version of Assay.
    """
    find_revision(dsn)  # a server that is away is told from one that refuses
    try:
        with psycopg.connect(dsn, autocommit=True) as guard:
            guard.execute("select pg_advisory_lock(%s)", [LOCK])
            found = find_revision(dsn)
            if found is None:
                guard.execute(BOOK.read_bytes())
            elif found != HEAD:
                _migrate(dsn)
            return ensure_key(guard, key)
    except psycopg.Error as error:
        raise StorageFailed(
            f"the schema could not be brought up to date: {error}",
            remedy="The role needs the right to create roles and schemas: see docs/database.md",
        ) from error


def _migrate(dsn: str) -> None:
    # SQLAlchemy and Alembic cost half a second of CPU: loaded only when there is something to migrate.
    command: Any = importlib.import_module("alembic.command")
    configuration: Any = importlib.import_module("alembic.config")
    errors: Any = importlib.import_module("alembic.util.exc")
    sqlalchemy: Any = importlib.import_module("sqlalchemy")
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(dsn), poolclass=sqlalchemy.pool.NullPool
    )
    config = configuration.Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except (sqlalchemy.exc.SQLAlchemyError, errors.CommandError) as error:
        raise StorageFailed(
            f"the schema could not be brought up to date: {error}",
            remedy="Stop what uses the database, then run it again: see docs/database.md",
        ) from error
