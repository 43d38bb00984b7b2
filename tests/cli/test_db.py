"""The database from the outside: checked, saved, restored."""

import base64
import stat

import psycopg
import pytest
from bench import Bench

from assay.storage import migrate
from tenants import CONTEXT_KEY


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
    monkeypatch.setenv("ASSAY_CONTEXT_KEY", base64.b64encode(CONTEXT_KEY).decode())
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


KEPT = (
    "select id, spent_nanousd, finished_at from assay.evaluation_jobs order by id",
    "select to_jsonb(s) from assay.evaluation_job_summaries s order by s::text",
    "select to_jsonb(c) from assay.call_costs c order by c::text",
)


def age(own: Bench, job: int, days: int) -> None:
    """Let a job have ended days ago."""
    with psycopg.connect(own.dsn, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(
            "update assay.evaluation_jobs set finished_at = clock_timestamp() - make_interval(days => %s)"
            " where id = %s",
            [days, own.jobs()[job]["id"]],
        )


def test_old_answers_go_and_what_they_came_to_stays(own: Bench) -> None:
    own.suite(3)
    for _ in range(3):
        assert own.run("run", "--no-cache").code == 0
    for job, days in ((0, 200), (1, 181), (2, 179)):
        age(own, job, days)
    kept = [own.rows(query) for query in KEPT]
    count = "select count(*) from assay.{}"
    done = own.run("db", "prune", "--older-than", "180d", "--dry-run")
    assert done.code == 0
    assert "2 jobs with 6 cells ended more than 180d ago" in done.err
    assert own.value(count.format("evaluation_results")) == 9
    done = own.run("db", "prune", "--older-than", "180d")
    assert "the answers of 2 jobs are gone" in done.err
    for table in ("evaluation_results", "metric_scores", "model_calls", "evaluation_queue"):
        assert own.value(count.format(table)) == 3, table
    assert [own.rows(query) for query in KEPT] == kept
    assert own.run("db", "check").code == 0
    assert "0 jobs" in own.run("db", "prune", "--older-than", "180d").err
    for period in ("0d", "soon", "-1d", "180"):
        assert own.run("db", "prune", "--older-than", period).code == 2


def test_whole_months_are_dropped_for_all_tenants(own: Bench) -> None:
    own.suite(2)
    assert own.run("run").code == 0
    for month in ("2020-01", "2020-02"):
        own.rows("select assay.add_partitions(%(month)s::date)", month=f"{month}-01")
    there = own.value("select count(*) from assay.partitions()")
    done = own.run("db", "prune", "--older-than", "180d", "--partitions", "--dry-run")
    named = done.out.split("\n")[:-1]
    assert any("202001" in line for line in named)
    assert own.value("select count(*) from assay.partitions()") == there
    done = own.run("db", "prune", "--older-than", "180d", "--partitions")
    assert done.code == 0
    assert f"gone: {len(named)} partitions" in done.err
    assert own.value("select count(*) from assay.partitions()") == there - len(named)
    assert own.value("select count(*) from assay.evaluation_results") == 2
    assert own.run("show").code == 0
