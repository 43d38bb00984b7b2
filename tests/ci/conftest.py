"""A database for the commands that the templates run."""

from pathlib import Path

import psycopg
import pytest

from assay.storage import embedded, migrate

ONE_AT_A_TIME = 20_260
"""The lock under which databases of the shared server are made."""


@pytest.fixture(scope="session")
def data_dir(server: embedded.EmbeddedServer) -> Path:
    """The data folder of the shared server, with the schema in the database that commands use."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", [ONE_AT_A_TIME])
        migrate.upgrade(server.dsn())
    return server.log_path.parents[1]
