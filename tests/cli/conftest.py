"""The command line, a provider and a database for the tests from outside."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "servers"))

from bench import Bench, end_children, make_environment  # noqa: E402  (found through the line above)
from provider import Provider  # noqa: E402

from assay.storage import embedded, migrate  # noqa: E402


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Path]:
    """A data folder that all workers of this run share, with its server running."""
    base = tmp_path_factory.getbasetemp()
    data = (base if worker_id == "master" else base.parent) / "assay-data"
    with embedded.start(data, idle_s=2.0) as server:
        migrate.upgrade(server.dsn())
        yield data


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider that repeats the question."""
    with Provider() as running:
        yield running


@pytest.fixture
def lonely(
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
    with embedded.start(data_dir) as server:
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
