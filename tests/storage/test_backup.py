"""Backups of a busy database, and the drill: restore, prove, fence, go on."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from assay.domain.canaries import CanaryOutcome
from assay.domain.errors import AssayError, Conflict, InvalidInput, OptionalPartMissing, StorageFailed
from assay.domain.ids import new_id
from assay.storage import embedded, migrate
from assay.storage.backup import Manifest, back_up, file_sha256, manifest_path, read_manifest
from assay.storage.invariants import find_violations
from assay.storage.judge_canaries import store_canaries
from assay.storage.pool import Database
from assay.storage.postgres_programs import find_program, start_program
from assay.storage.restore import fence, restore
from assay.storage.table_sums import TableSum, differences, prepare, sum_tables
from revision_0001 import add_tenant, upgrade_to
from tenants import CONTEXT_KEY, Tenant, make_failure, make_success

ENVIRONMENT = dict(os.environ)


@dataclass(frozen=True, slots=True)
class Busy:
    """A database with two tenants, and a pool on it."""

    dsn: str
    pool: Database
    first: Tenant
    second: Tenant


@pytest.fixture
async def busy(scratch_dsn: str) -> AsyncIterator[Busy]:
    """Two tenants in a database of this test's own."""
    pool = Database(scratch_dsn)
    await pool.open()
    first, second = [await Tenant.join(pool, new_id()) for _ in range(2)]
    yield Busy(scratch_dsn, pool, first, second)
    await pool.close()


@pytest.fixture
def dropped(server: embedded.EmbeddedServer) -> Iterator[Callable[[str], str]]:
    """Databases that are dropped at the end of the test."""
    names: list[str] = []

    def note(name: str) -> str:
        names.append(name)
        return name

    yield note
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        for name in names:
            connection.execute(
                sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
            )


def sums(dsn: str) -> dict[str, TableSum]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        prepare(connection)
        return dict(sum_tables(connection))


def rows(dsn: str, query: str, *parameters: Any) -> list[Any]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query, parameters).fetchall()


def databases(dsn: str) -> set[str]:
    return {name for (name,) in rows(dsn, "select datname from pg_database")}


def schema_text(dsn: str) -> list[str]:
    """The schema with owners and rights, as pg_dump writes it."""
    command = [embedded.pg_dump_path(), "--schema-only", "--schema=assay", dsn]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line for line in text.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]


TABLES_OF_TENANT = """
select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id'
 where c.relnamespace = 'assay'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1
"""


def rows_of(dsn: str, tenant: Tenant) -> dict[str, list[str]]:
    """Every row of a tenant as a text, by table."""
    found = {}
    with psycopg.connect(dsn) as connection:
        for (name,) in connection.execute(TABLES_OF_TENANT).fetchall():
            query = sql.SQL("select t::text from assay.{} t where organization_id = %s order by 1")
            cursor = connection.execute(query.format(sql.Identifier(name)), [tenant.organization_id])
            found[name] = [text for (text,) in cursor.fetchall()]
    return found


async def test_the_drill(busy: Busy, empty_dsn: str, tmp_path: Path) -> None:
    finished = await busy.first.make_job(cases=30)
    while items := await finished.queue.claim(8):
        await finished.queue.record([make_success(i) if i.item_no % 5 else make_failure(i) for i in items])
    await finished.queue.sweep()
    flagged = CanaryOutcome(metric="exact", canary="planted", state="flagged", threshold=0.5, value=0.9)
    async with busy.pool.transaction(busy.first.organization_id) as connection:
        await store_canaries(connection, busy.first.organization_id, finished.id, [flagged])
    held = await busy.second.make_job(cases=40, cap_nanousd=100_000)
    old_leases = await held.queue.claim(6)
    going = await busy.second.make_job(cases=2_000)
    stop = asyncio.Event()

    async def work() -> int:
        done = 0
        while not stop.is_set() and (items := await going.queue.claim(5)):
            await going.queue.record([make_success(item) for item in items])
            done += len(items)
        return done

    worker = asyncio.create_task(work())
    while not await busy.second.value("select count(*) from assay.evaluation_results"):
        await asyncio.sleep(0.01)
    manifest = await asyncio.to_thread(back_up, busy.dsn, tmp_path / "b.dump", ENVIRONMENT)
    written_meanwhile = await busy.second.value("select count(*) from assay.evaluation_results")
    stop.set()
    assert await worker >= written_meanwhile
    # The backup is of one moment, in the middle of the work.
    assert 24 < manifest.tables["evaluation_results"].rows < await total(busy.dsn)

    done = await restore(empty_dsn, tmp_path / "b.dump", ENVIRONMENT)
    assert done.kept is None
    assert done.ended_leases >= 6
    assert rows_of(empty_dsn, busy.first) == rows_of(busy.dsn, busy.first)
    untouched = {"evaluation_results", "metric_scores", "test_cases", "dataset_cases", "organizations"}
    restored = sums(empty_dsn)
    assert {name: restored[name] for name in untouched} == {name: manifest.tables[name] for name in untouched}
    assert find_violations(empty_dsn, new_id()) == ([], True)
    assert schema_text(empty_dsn) == schema_text(busy.dsn)
    await go_on(busy, empty_dsn, held, old_leases)


async def total(dsn: str) -> int:
    return int(rows(dsn, "select count(*) from assay.evaluation_results")[0][0])


async def go_on(busy: Busy, dsn: str, job: Any, old_leases: list[Any]) -> None:
    """An old worker is refused by the restored database, and a new one finishes the job there."""
    pool = Database(dsn)
    await pool.open()
    try:
        there = Tenant(pool, busy.second.organization_id)
        old_worker, new_worker = there.queue(job), there.queue(job, "new")
        statuses = await old_worker.record([make_success(item) for item in old_leases])
        assert set(statuses) == {"fenced"}
        assert (
            await there.value("select count(*) from assay.evaluation_results where job_id = %s", [job.id])
            == 0
        )
        assert await old_worker.heartbeat([item.lease_token for item in old_leases]) == set()
        newest = max(item.lease_token for item in old_leases)
        while items := await new_worker.claim(50):
            assert min(item.lease_token for item in items) > newest + 900_000_000
            await new_worker.record([make_success(item) for item in items])
        assert (await new_worker.sweep()).state == "completed"
        assert await there.violations() == []
        # What the old worker's calls have cost is counted: it told so, although its answers were refused.
        assert (await there.money(job))[1] == (40 + 6) * 50
    finally:
        await pool.close()


async def test_a_backup_of_an_older_schema_is_brought_up_to_date(
    server: embedded.EmbeddedServer, empty_dsn: str, tmp_path: Path, dropped: Callable[[str], str]
) -> None:
    upgrade_to(empty_dsn, "0001")
    finished, _ = add_tenant(empty_dsn, finished=True)
    _, going_job = add_tenant(empty_dsn, finished=False)
    manifest = back_up(empty_dsn, tmp_path / "old.dump", ENVIRONMENT)
    assert manifest.revision == "0001"
    name = dropped(f"scratch_{uuid4().hex}")
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
    target = server.dsn(dbname=name)
    assert (await restore(target, tmp_path / "old.dump", ENVIRONMENT)).ended_leases == 1
    migrate.require_head(target)
    assert find_violations(target, new_id()) == ([], True)
    answers = "select count(*) from assay.evaluation_results where organization_id = %s"
    assert rows(target, answers, finished) == [(6,)]
    leased = "select count(*) from assay.evaluation_queue where job_id = %s and state = 'leased'"
    assert rows(target, leased, going_job) == [(0,)]


async def test_a_database_that_was_put_back_by_other_means_is_fenced(busy: Busy) -> None:
    job = await busy.second.make_job(cases=40, cap_nanousd=100_000)
    old_leases = await job.queue.claim(6)
    assert await fence(busy.dsn) == 6
    await go_on(busy, busy.dsn, job, old_leases)
    assert await fence(busy.dsn) == 0
    with pytest.raises(StorageFailed, match="does not see all tenants"):
        await fence(make_conninfo(busy.dsn, user="assay_app"))


async def test_a_backup_is_readable_by_its_owner_only_and_leaves_nothing_else(
    busy: Busy, tmp_path: Path
) -> None:
    await busy.first.make_job(cases=3)
    file = tmp_path / "b.dump"
    manifest = back_up(busy.dsn, file, ENVIRONMENT)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.dump", "b.dump.json"]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    assert read_manifest(file) == manifest
    assert manifest.sha256 == file_sha256(file)
    assert manifest.revision == migrate.HEAD
    assert manifest.tables == sums(busy.dsn)
    with pytest.raises(Conflict, match="there already"):
        back_up(busy.dsn, file, ENVIRONMENT)


async def test_a_backup_that_fails_leaves_no_file(busy: Busy, empty_dsn: str, tmp_path: Path) -> None:
    name = make_conninfo(busy.dsn, user="assay_app")
    for dsn, said in ((name, "does not see all tenants"), (empty_dsn, "no schema")):
        with pytest.raises(StorageFailed, match=said):
            back_up(dsn, tmp_path / "b.dump", ENVIRONMENT)
    with pytest.raises(StorageFailed, match="pg_dump failed"):
        back_up(busy.dsn, tmp_path / "b.dump", {**ENVIRONMENT, "PGOPTIONS": "-c role=assay_readonly"})
    with pytest.raises(InvalidInput, match="cannot be written"):
        back_up(busy.dsn, tmp_path / "none" / "b.dump", ENVIRONMENT)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
async def saved(busy: Busy, tmp_path: Path) -> Path:
    """A backup of a small job."""
    job = await busy.first.make_job(cases=5)
    await job.queue.record([make_success(item) for item in await job.queue.claim(3)])
    back_up(busy.dsn, tmp_path / "b.dump", ENVIRONMENT)
    return tmp_path / "b.dump"


async def test_a_restore_refuses_a_database_that_is_in_use(busy: Busy, saved: Path) -> None:
    before = sums(busy.dsn)
    with pytest.raises(Conflict, match="--replace"):
        await restore(busy.dsn, saved, ENVIRONMENT)
    assert sums(busy.dsn) == before


async def test_a_replaced_database_is_kept_and_its_sessions_end(
    busy: Busy, saved: Path, dropped: Callable[[str], str]
) -> None:
    late = await busy.second.make_job(cases=4)
    before = sums(busy.dsn)
    with psycopg.connect(busy.dsn, autocommit=True) as session:
        name = session.info.dbname
        done = await restore(busy.dsn, saved, ENVIRONMENT, replace=True, jobs=2)
        assert done.kept is not None
        dropped(done.kept)
        with pytest.raises(psycopg.OperationalError):
            session.execute("select 1")
    assert sums(make_conninfo(busy.dsn, dbname=done.kept)) == before
    assert not {each for each in databases(busy.dsn) if each.startswith(f"{name}_restore")}
    # Under the old name there is what was saved, and nothing that came after.
    assert rows(busy.dsn, "select id from assay.evaluation_jobs where id = %s", late.id) == []
    assert rows(busy.dsn, "select count(*) from assay.evaluation_results") == [(3,)]
    assert schema_text(busy.dsn) == schema_text(make_conninfo(busy.dsn, dbname=done.kept))


def edit(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the manifest of a dump."""
    document = json.loads(manifest_path(file).read_text())
    change(document)
    manifest_path(file).write_text(json.dumps(document))


async def test_rows_that_are_not_those_that_were_saved_stop_the_restore(busy: Busy, saved: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["tables"]["evaluation_results"]["rows"] = 4
        document["tables"]["test_cases"]["checksum"] = "0" * 32

    edit(saved, change)
    before = sums(busy.dsn)
    with pytest.raises(StorageFailed) as caught:
        await restore(busy.dsn, saved, ENVIRONMENT, replace=True)
    assert "evaluation_results: 4 rows were saved, 3 are there" in str(caught.value)
    assert "test_cases: 5 rows, but other ones" in str(caught.value)
    assert sums(busy.dsn) == before
    own = conninfo_to_dict(busy.dsn)["dbname"]
    assert {name for name in databases(busy.dsn) if name.startswith(str(own)[:40])} == {own}


async def test_a_database_that_was_not_proven_is_worked_on_by_nobody(saved: Path, empty_dsn: str) -> None:
    edit(saved, lambda document: document["tables"]["test_cases"].update(rows=6))
    with pytest.raises(StorageFailed, match="test_cases"):
        await restore(empty_dsn, saved, ENVIRONMENT)
    with pytest.raises(StorageFailed, match="schema"):
        migrate.require_head(empty_dsn)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"revision": "9999"}, InvalidInput, "9999"),
        ({"format": 2}, InvalidInput, "format 2"),
        ({"major": 99}, Conflict, "PostgreSQL 99"),
        ({"sha256": "0" * 64}, InvalidInput, "was changed"),
        ({"tables": 3}, InvalidInput, "not the manifest"),
        ({"more": 3}, InvalidInput, "not the manifest"),
    ],
)
async def test_a_backup_that_cannot_be_restored_here_is_refused(
    saved: Path, empty_dsn: str, change: dict[str, Any], error: type[AssayError], said: str
) -> None:
    edit(saved, lambda document: document.update(change))
    with pytest.raises(error, match=said):
        await restore(empty_dsn, saved, ENVIRONMENT)
    assert rows(empty_dsn, "select to_regnamespace('assay')") == [(None,)]


async def test_a_dump_that_was_changed_or_lost_its_manifest_is_refused(saved: Path, empty_dsn: str) -> None:
    data = bytearray(saved.read_bytes())
    data[len(data) // 2] ^= 1
    saved.write_bytes(data)
    with pytest.raises(InvalidInput, match="was changed"):
        await restore(empty_dsn, saved, ENVIRONMENT)
    manifest_path(saved).write_text("{")
    with pytest.raises(InvalidInput, match="not the manifest"):
        await restore(empty_dsn, saved, ENVIRONMENT)
    manifest_path(saved).unlink()
    with pytest.raises(InvalidInput, match="cannot be read"):
        await restore(empty_dsn, saved, ENVIRONMENT)


async def test_a_database_with_more_than_ours_is_not_replaced(busy: Busy, saved: Path) -> None:
    with psycopg.connect(busy.dsn, autocommit=True) as connection:
        connection.execute("create table public.theirs ()")
    with pytest.raises(Conflict, match="public"):
        await restore(busy.dsn, saved, ENVIRONMENT, replace=True)


async def test_no_superuser_is_needed(
    server: embedded.EmbeddedServer, busy: Busy, saved: Path, dropped: Callable[[str], str]
) -> None:
    name = f"keeper_{uuid4().hex[:12]}"
    role = sql.Identifier(name)
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(sql.SQL("create role {} login createdb bypassrls").format(role))
        connection.execute(sql.SQL("grant assay_owner, assay_app, assay_readonly to {}").format(role))
        connection.execute(sql.SQL("create database {0} owner {0} template template0").format(role))
    try:
        dsn = server.dsn(user=name, dbname=dropped(name))
        await restore(dsn, saved, ENVIRONMENT)
        again = saved.with_name("again.dump")
        made = back_up(make_conninfo(busy.dsn, user=name), again, ENVIRONMENT)
        assert made.tables == read_manifest(saved).tables
        kept = (await restore(dsn, again, ENVIRONMENT, replace=True)).kept
        assert kept is not None
        dropped(kept)
        assert find_violations(dsn, new_id()) == ([], True)
    finally:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            for database in databases(server.dsn()):
                if database.startswith(name[:40]):
                    connection.execute(
                        sql.SQL("drop database {} with (force)").format(sql.Identifier(database))
                    )
            connection.execute(sql.SQL("drop role {}").format(role))


async def test_each_change_of_a_row_shows_in_the_sums(busy: Busy) -> None:
    await busy.first.make_job(cases=3)
    before = sums(busy.dsn)
    assert differences(before, sums(busy.dsn)) == []
    with psycopg.connect(busy.dsn) as connection:
        prepare(connection)
        connection.execute("set session_replication_role = replica")
        for query, said in (
            (
                "update assay.test_cases set weight = 1.5 where key = 'c1'",
                "test_cases: 3 rows, but other ones",
            ),
            ("delete from assay.test_cases where key = 'c1'", "test_cases: 3 rows were saved, 2 are there"),
            ("create table assay.more ()", "more: not in the backup"),
            ("alter table assay.test_cases rename to cases", "cases: not in the backup"),
        ):
            with connection.transaction(force_rollback=True):
                connection.execute(query)
                assert said in differences(before, sum_tables(connection))


def test_the_sums_do_not_depend_on_who_asks(busy: Busy) -> None:
    plain = sums(busy.dsn)
    odd = "-c timezone=Asia/Kathmandu -c datestyle=German -c extra_float_digits=-3 -c bytea_output=escape"
    assert sums(make_conninfo(busy.dsn, options=odd)) == plain


def test_a_password_is_in_no_argument_and_keys_stay_behind() -> None:
    tell = "import os, sys, json; print(json.dumps([sys.argv, dict(os.environ)]))"
    environment = {"PATH": os.environ["PATH"], "OPENAI_API_KEY": "sk-canary", "PGSSLMODE": "disable"}
    process = start_program([sys.executable, "-c", tell], "postgresql://ada:pass-canary@host/db", environment)
    arguments, seen = json.loads(process.communicate()[0])
    assert "pass-canary" not in " ".join(arguments)
    assert "user=ada" in arguments[-1]
    assert seen["PGPASSWORD"] == "pass-canary"
    assert seen["PGSSLMODE"] == "disable"
    assert "OPENAI_API_KEY" not in seen


def test_a_program_has_to_be_of_the_servers_version(tmp_path: Path) -> None:
    major = int(
        subprocess.run([embedded.pg_dump_path(), "--version"], capture_output=True, text=True)
        .stdout.split()[2]
        .split(".")[0]
    )
    assert find_program("pg_dump", major, {}) == embedded.pg_dump_path()
    own = tmp_path / "pg_dump"
    own.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 99.1'\n")
    own.chmod(0o755)
    assert find_program("pg_dump", 99, {"PATH": str(tmp_path)}) == own
    with pytest.raises(OptionalPartMissing) as caught:
        find_program("pg_dump", 98, {"PATH": str(tmp_path)})
    for part in ("PostgreSQL 98", f"{major} (", "99 (", "postgresql-client-98"):
        assert part in str(caught.value)


async def test_violations_are_named_for_all_tenants_or_for_ones_own(busy: Busy) -> None:
    job = await busy.first.make_job(cases=2)
    with psycopg.connect(busy.dsn, autocommit=True) as connection:
        connection.execute("update assay.evaluation_jobs set reserved_nanousd = 7 where id = %s", [job.id])
    wrong = "I07 reserved money that is not that of the open calls"
    assert find_violations(busy.dsn, new_id()) == ([(wrong, 1)], True)
    as_app = make_conninfo(busy.dsn, user="assay_app")
    assert find_violations(as_app, busy.first.organization_id, CONTEXT_KEY) == ([(wrong, 1)], False)
    assert find_violations(as_app, busy.second.organization_id, CONTEXT_KEY) == ([], False)


def test_a_manifest_counts_its_rows() -> None:
    manifest = Manifest(
        format=1,
        assay="0",
        created_at="",
        major=18,
        revision="0001",
        dump_bytes=1,
        sha256="",
        roles=(),
        tables={"a": TableSum(2, ""), "b": TableSum(3, "")},
    )
    assert manifest.rows == 5
