"""The database from the outside: checked, saved, restored."""

import stat

import psycopg
import pytest
from bench import Bench

from assay.storage import migrate


@pytest.fixture
def own(bench: Bench, scratch_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A bench whose commands work on a database of its own."""
    monkeypatch.setenv("DATABASE_URL", scratch_dsn)
    bench.dsn = scratch_dsn
    return bench


def test_a_backup_brings_back_what_was_there(own: Bench) -> None:
    own.suite(3)
    assert own.run("run").code == 0
    done = own.run("db", "backup", own.folder / "b.dump")
    assert done.code == 0, done.err
    assert "tables" in done.err
    for name in ("b.dump", "b.dump.json"):
        assert stat.S_IMODE((own.folder / name).stat().st_mode) == 0o600
    shown = own.run("show", "--json").json
    assert own.run("run", "--no-cache").code == 0
    assert len(own.jobs()) == 2
    refused = own.run("db", "restore", own.folder / "b.dump")
    assert refused.code == 1
    assert "--replace" in refused.err
    done = own.run("db", "restore", own.folder / "b.dump", "--replace", "-j", "2")
    assert done.code == 0, done.err
    assert "counts and checksums are those of the backup" in done.err
    assert "old workers are fenced" in done.err
    kept = next(word for word in done.err.split() if "_before_" in word)
    try:
        assert len(own.jobs()) == 1
        assert own.run("show", "--json").json == shown
        assert own.run("run").code == 0
        assert own.run("db", "check").code == 0
        assert own.run("run", "--no-cache").code == 0
        assert own.value("select max(lease_token) from assay.model_calls") > 1_000_000_000
    finally:
        with psycopg.connect(own.dsn, autocommit=True) as connection:
            connection.execute(f'drop database "{kept}" with (force)')
    assert own.run("db", "backup", own.folder / "b.dump").code == 1


def test_the_check_says_what_is_wrong(own: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    own.suite(2)
    assert own.run("run").code == 0
    done = own.run("db", "check")
    assert done.code == 0
    assert f"revision {migrate.HEAD}" in done.err
    assert "every invariant holds in all tenants" in done.err
    with psycopg.connect(own.dsn, autocommit=True) as connection:
        connection.execute("update assay.evaluation_jobs set unpriced_calls = 3")
    done = own.run("db", "check")
    assert done.code == 1
    assert "I17 calls of unknown price that are not counted as such: 1" in done.err
    monkeypatch.setenv("DATABASE_URL", own.dsn.replace("user='postgres'", "user='assay_app'"))
    done = own.run("db", "check")
    assert done.code == 1
    assert "1 invariant does not hold in this tenant" in done.err


def test_what_is_no_backup_is_refused(own: Bench) -> None:
    file = own.write("b.dump", b"PGDMP")
    assert own.run("db", "restore", own.folder / "none").code == 2
    done = own.run("db", "restore", file)
    assert done.code == 2
    assert "b.dump.json" in done.err
    own.write("b.dump.json", "[]")
    assert "not the manifest of a backup" in own.run("db", "restore", file).err
