"""What every test may use: one embedded PostgreSQL for all of them, a pool, and a tenant of their own."""

import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))

from assay.domain.ids import new_id
from assay.storage import embedded, migrate
from assay.storage.pool import Database
from tenants import CONTEXT_KEY, Tenant

# A busy machine is slow, not wrong: no test of ours fails for the time that it took.
settings.register_profile("assay", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("assay")

ONE_AT_A_TIME = 20_260
SETTINGS = {"fsync": "off", "full_page_writes": "off", "max_connections": "200"}
TEMPLATE, TESTS = "assay_template", "assay_tests"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.EmbeddedServer]:
    """The PostgreSQL of this test run, shared by its processes; ends when the last of them does."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with embedded.start(shared / "shared-database", idle_s=2, settings=SETTINGS) as running:
        with psycopg.connect(running.dsn(), autocommit=True) as connection:
            connection.execute("select pg_advisory_lock(%s)", [ONE_AT_A_TIME])
            if not connection.execute("select from pg_database where datname = %s", [TESTS]).fetchall():
                connection.execute(f"drop database if exists {TEMPLATE}")
                connection.execute(f"create database {TEMPLATE}")
                migrate.upgrade(running.dsn(dbname=TEMPLATE), CONTEXT_KEY)
                connection.execute(f"create database {TESTS} template {TEMPLATE}")
        yield running


@pytest.fixture(scope="session")
def dsn(server: embedded.EmbeddedServer) -> str:
    """The database that the tests share, as its superuser."""
    return server.dsn(dbname=TESTS)


@pytest.fixture
def scratch_dsn(server: embedded.EmbeddedServer) -> Iterator[str]:
    """A database of this test's own, with the schema, as its superuser."""
    yield from _temporary_database(server, TEMPLATE)


@pytest.fixture
def empty_dsn(server: embedded.EmbeddedServer) -> Iterator[str]:
    """A database of this test's own, with nothing in it, as its superuser."""
    yield from _temporary_database(server, "template0")


def _temporary_database(server: embedded.EmbeddedServer, template: str) -> Iterator[str]:
    name = f"scratch_{uuid4().hex}"
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"create database {name} template {template}")
        yield server.dsn(dbname=name)
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    """A pool on the shared database."""
    pool = Database(dsn)
    await pool.open()
    yield pool
    await pool.close()


@pytest.fixture
def organization_id() -> UUID:
    """An id for a tenant that nobody else uses; its row is made by whoever needs it."""
    return new_id()


@pytest.fixture
async def tenant(database: Database, organization_id: UUID) -> Tenant:
    """A fresh tenant that exists, with ways to make data sets, jobs and outcomes."""
    return await Tenant.join(database, organization_id)


@pytest.fixture
async def scratch_tenant(scratch_dsn: str) -> AsyncIterator[Tenant]:
    """A tenant in a database of this test's own."""
    database = Database(scratch_dsn)
    await database.open()
    yield await Tenant.join(database, new_id())
    await database.close()


@pytest.fixture
async def other_tenant(database: Database) -> Tenant:
    """A second tenant in the same database."""
    return await Tenant.join(database, new_id())
