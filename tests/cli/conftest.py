"""The command line, a provider and a database for the tests from outside."""

import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "servers"))

from bench import Bench, end_children, make_environment
from provider import Provider

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


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider that repeats the question."""
    with Provider() as running:
        yield running


@pytest.fixture
def lonely(
    server: embedded.EmbeddedServer,
    data_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Bench]:
    """A bench whose models have nobody at the other end."""
    environment = make_environment(data_dir, tmp_path)
    for name in set(environment) | {"DATABASE_URL"}:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    bench = Bench(tmp_path, environment, server.dsn(), capsys)
    try:
        yield bench
    finally:
        end_children(bench)


@pytest.fixture
def bench(lonely: Bench, provider: Provider) -> Bench:
    """A bench with a provider."""
    lonely.provider = provider
    return lonely
