"""The book and the migrations make identical databases, from many processes at once, on PostgreSQL 15 too."""

import asyncio
import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from assay.domain.errors import StorageFailed
from assay.domain.ids import new_id
from assay.storage import embedded, migrate
from assay.storage.pool import Database
from assay.storage.queue import JobQueue
from revision_0001 import add_tenant, upgrade_to
from tenants import Tenant, make_success

pytestmark = pytest.mark.xdist_group("migrations")  # roles belong to the whole server: one install at a time

BOOK = Path(__file__).parents[2] / "migrations" / "create_evaluation_tables.sql"

CATALOG = {
    "columns": """
      select c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
             pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum)
        from pg_attribute a
        join pg_class c on c.oid = a.attrelid
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
       where c.relnamespace = 'assay'::regnamespace and a.attnum > 0 and c.relkind <> 'i'
    """,
    "relations": """
      select c.relname, c.relkind::text, r.rolname, c.relacl::text, c.reloptions::text, c.relrowsecurity,
             c.relforcerowsecurity, obj_description(c.oid, 'pg_class')
        from pg_class c join pg_roles r on r.oid = c.relowner where c.relnamespace = 'assay'::regnamespace
    """,
    "constraints": """
      select conname, conrelid::regclass::text, contype::text, pg_get_constraintdef(oid) from pg_constraint
       where connamespace = 'assay'::regnamespace
    """,
    "indexes": "select indexname, indexdef from pg_indexes where schemaname = 'assay'",
    "views": "select viewname, definition from pg_views where schemaname = 'assay'",
    "policies": """
      select tablename, policyname, permissive, roles::text, cmd, qual, with_check from pg_policies
       where schemaname = 'assay'
    """,
    "functions": """
      select p.oid::regprocedure::text, pg_get_functiondef(p.oid), r.rolname, p.proacl::text,
             obj_description(p.oid, 'pg_proc')
        from pg_proc p join pg_roles r on r.oid = p.proowner where p.pronamespace = 'assay'::regnamespace
    """,
    "triggers": """
      select tgrelid::regclass::text, pg_get_triggerdef(oid) from pg_trigger
       where not tgisinternal and tgrelid::regclass::text like 'assay.%'
    """,
    "types": """
      select t.typname, t.typtype::text, r.rolname, t.typacl::text,
             (select array_agg(e.enumlabel::text order by e.enumsortorder)
                from pg_enum e where e.enumtypid = t.oid)
        from pg_type t join pg_roles r on r.oid = t.typowner where t.typnamespace = 'assay'::regnamespace
    """,
    "sequences": "select * from pg_sequences where schemaname = 'assay'",
    "schema": """
      select nspname, nspowner::regrole::text, nspacl::text, obj_description(oid, 'pg_namespace')
        from pg_namespace where nspname = 'assay'
    """,
    "default privileges": "select defaclrole::regrole, defaclobjtype, defaclacl::text from pg_default_acl",
    "moves": "select * from assay.state_transitions",
    "revision": "select version_num from assay.alembic_version",
}


def catalog(dsn: str) -> dict[str, list[tuple[Any, ...]]]:
    """All that the schema is, as the server tells it."""
    with psycopg.connect(dsn) as connection:
        connection.execute("set search_path = pg_catalog")
        return {
            part: sorted(connection.execute(query).fetchall(), key=repr) for part, query in CATALOG.items()
        }


def run_book(dsn: str) -> None:
    """Install as the book's first lines say."""
    command = [embedded.psql_path(), dsn, "-Xq", "-v", "ON_ERROR_STOP=1", "-f", BOOK]
    subprocess.run(command, check=True, capture_output=True)


async def work_through(dsn: str) -> None:
    """Run a small job from its data set to its end."""
    database = Database(dsn)
    await database.open()
    try:
        tenant = await Tenant.join(database, new_id())
        job = await tenant.make_job(cases=20, repeats=2, cap_nanousd=10_000)
        lost = await job.queue.claim(5)
        await tenant.crash(job)
        while items := await job.queue.claim(8):
            await job.queue.heartbeat([item.lease_token for item in items])
            await job.queue.record([make_success(item) for item in (*lost, *items)])
        assert (await job.queue.sweep()).state == "completed"
        assert await tenant.items(job) == ["succeeded"] * 40
        assert await tenant.violations() == []
    finally:
        await database.close()


def test_the_book_and_the_migrations_make_identical_databases(empty_dsn: str, scratch_dsn: str) -> None:
    upgrade_to(empty_dsn, "head")
    by_book, by_migration = catalog(scratch_dsn), catalog(empty_dsn)
    assert len(by_book["functions"]) > 10
    assert len(by_book["policies"]) > 50
    for part, rows in by_migration.items():
        assert by_book[part] == rows, part


async def test_an_upgrade_from_the_first_revision_keeps_every_row_and_the_work_goes_on(
    empty_dsn: str,
) -> None:
    upgrade_to(empty_dsn, "0001")
    done, done_job = add_tenant(empty_dsn, finished=True)
    open_tenant, open_job = add_tenant(empty_dsn, finished=False)
    before = rows_of(empty_dsn)
    assert {table: len(rows) for table, rows in before.items() if not rows} == {}
    migrate.upgrade(empty_dsn)
    migrate.require_head(empty_dsn)
    assert rows_of(empty_dsn) == before
    database = Database(empty_dsn)
    await database.open()
    try:
        finished = Tenant(database, done)
        assert await finished.violations() == []
        assert await finished.rows("select succeeded, failed, spent_nanousd from assay.job_progress") == [
            (6, 0, 300)
        ]
        assert await finished.rows("select metric, scored, mean from assay.model_comparison") == [
            ("exact", 6, 0.5)
        ]
        assert await finished.rows("select model, jobs, mean from assay.leaderboard") == [("e", 1, 0.5)]
        assert await finished.rows("select calls, cost_nanousd from assay.cost_by_day") == [(6, 300)]
        assert await finished.rows("select version_count, case_count from assay.test_datasets") == [(1, 3)]
        assert await finished.rows("select from assay.audit_log") == []
        assert await finished.rows("select from assay.stale_caches") == []
        tenant = Tenant(database, open_tenant)
        assert await tenant.violations() == []
        queue = JobQueue(
            database, open_tenant, open_job, worker="new", metric_versions={"exact": "1", "length": "2"}
        )
        (highest,) = await tenant.rows("select max(lease_token) from assay.evaluation_queue")
        await queue.expire_leases("dead")
        await queue.sweep()
        items = await queue.claim(10)
        assert len(items) == 4
        assert min(item.lease_token for item in items) > highest[0]
        await queue.record([make_success(item) for item in items])
        assert (await queue.sweep()).state == "completed"
        assert await tenant.violations() == []
        assert done_job != open_job
    finally:
        await database.close()


def rows_of(dsn: str) -> dict[str, list[Any]]:
    """The rows of all tables of the first revision, by the columns that it had."""
    with psycopg.connect(dsn) as connection:
        return {
            table: connection.execute(
                f"select {columns} from assay.{table} order by 1, 2, 3"  # noqa: S608 - the list below
            ).fetchall()
            for table, columns in COLUMNS_0001.items()
        }


COLUMNS_0001 = {
    "organizations": "id, name, created_at",
    "prompt_templates": "organization_id, id, name, created_at",
    "prompt_versions": "organization_id, id, template_id, version, content_hash, messages, tools, created_at",
    "model_configs": "organization_id, id, name, content_hash, provider, model, parameters, options",
    "test_datasets": "organization_id, id, name, created_at",
    "dataset_versions": "organization_id, id, dataset_id, version, content_hash, case_count, created_at",
    "test_cases": "organization_id, id, dataset_id, content_hash, key, vars, expected, tags, cluster, weight",
    "dataset_cases": "organization_id, dataset_version_id, case_no, case_id",
    "evaluation_jobs": """organization_id, id, name, state::text, plan, planned, expanded_cases, cap_nanousd,
      reserved_nanousd, spent_nanousd, receipt, created_at, updated_at, started_at, finished_at""",
    "job_prompts": "organization_id, job_id, prompt_no, prompt_version_id, name",
    "job_models": "organization_id, job_id, model_no, model_config_id, name",
    "evaluation_queue": """organization_id, job_id, item_no, case_no, repeat_no, state::text, attempts,
      crashes, available_at, estimate_nanousd, lease_token, lease_owner, lease_expires_at""",
    "model_calls": """organization_id, job_id, item_no, lease_token, call_no, role::text, state::text,
      outcome, estimate_nanousd, cost_nanousd, input_tokens, opened_at, closed_at""",
    "evaluation_results": """organization_id, job_id, item_no, lease_token, output, cost_nanousd, request_key,
      created_at""",
    "metric_scores": "organization_id, job_id, item_no, metric, version, state::text, value, passed, reason",
}


async def test_an_upgrade_that_must_wait_for_a_lock_gives_up_and_leaves_all_as_it_was(empty_dsn: str) -> None:
    upgrade_to(empty_dsn, "0001")
    add_tenant(empty_dsn, finished=True)
    before = rows_of(empty_dsn)
    with psycopg.connect(empty_dsn) as reader:
        reader.execute("select from assay.evaluation_jobs")
        with pytest.raises(StorageFailed, match="could not be brought up to date"):
            await asyncio.to_thread(migrate.upgrade, empty_dsn)
    assert migrate.find_revision(empty_dsn) == "0001"
    assert rows_of(empty_dsn) == before


async def test_a_database_made_by_the_book_works_and_is_up_to_date(empty_dsn: str) -> None:
    run_book(empty_dsn)
    migrate.require_head(empty_dsn)
    before = catalog(empty_dsn)
    migrate.upgrade(empty_dsn)
    assert catalog(empty_dsn) == before
    await work_through(empty_dsn)


def test_the_book_is_one_transaction(empty_dsn: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.sql"
    broken.write_text(
        BOOK.read_text().replace("grant usage on schema assay", "grant nonsense on schema assay")
    )
    command = [embedded.psql_path(), empty_dsn, "-Xq", "-v", "ON_ERROR_STOP=1", "-f", broken]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 3
    assert migrate.find_revision(empty_dsn) is None
    run_book(empty_dsn)
    migrate.require_head(empty_dsn)


def test_an_upgrade_from_four_processes_at_once_is_one_upgrade(empty_dsn: str, scratch_dsn: str) -> None:
    script = "import sys; from assay.storage.migrate import upgrade; upgrade(sys.argv[1])"
    processes = [
        subprocess.Popen([sys.executable, "-c", script, empty_dsn], stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    errors = [process.communicate(timeout=120)[1] for process in processes]
    assert [(p.returncode, e) for p, e in zip(processes, errors, strict=True)] == [(0, "")] * 4
    assert catalog(empty_dsn) == catalog(scratch_dsn)


def test_a_database_of_another_version_is_refused_with_a_remedy(empty_dsn: str) -> None:
    assert migrate.find_revision(empty_dsn) is None
    with pytest.raises(StorageFailed, match=r"holds schema \(none\).*needs 0004") as refused:
        migrate.require_head(empty_dsn)
    assert "assay db upgrade" in str(refused.value)
    run_book(empty_dsn)
    with psycopg.connect(empty_dsn) as connection:
        connection.execute("update assay.alembic_version set version_num = '9999'")
    with pytest.raises(StorageFailed, match="holds schema 9999"):
        migrate.require_head(empty_dsn)
    with pytest.raises(StorageFailed, match="could not be brought up to date"):
        migrate.upgrade(empty_dsn)


def test_a_server_that_is_away_is_told_as_such(tmp_path: Path) -> None:
    away = f"host={tmp_path} dbname=postgres"
    for ask in (migrate.find_revision, migrate.require_head, migrate.upgrade):
        with pytest.raises(StorageFailed):
            ask(away)


@pytest.fixture
def oldest_dsn() -> Iterator[str]:
    """A server of PostgreSQL 15, as a user who may create roles and databases but is no superuser."""
    initdb, postgres = shutil.which("initdb"), shutil.which("postgres")
    if not initdb or not postgres:
        pytest.skip("PostgreSQL 15 is not installed")
    version = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True).stdout
    if " 15." not in version:
        pytest.skip(f"the installed server is not PostgreSQL 15 but {version.strip()}")
    user = "nobody" if os.geteuid() == 0 else None
    # PostgreSQL refuses to run as root, and others may not enter the folder of the tests.
    with tempfile.TemporaryDirectory(prefix="assay-pg15-", ignore_cleanup_errors=True) as root:
        folder = Path(root)
        if user:
            os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
        data = folder / "data"
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
        make = [initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(make, check=True, user=user, **quiet)
        serve = [postgres, "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
        with subprocess.Popen(serve, user=user, **quiet) as server:
            try:
                yield _installer(folder)
            finally:
                server.terminate()


def _installer(folder: Path) -> str:
    give_up_at = time.monotonic() + 30
    while True:
        with contextlib.suppress(psycopg.OperationalError):
            with psycopg.connect(
                f"host={folder} user=postgres dbname=postgres", autocommit=True
            ) as connection:
                connection.execute("create role installer login createrole createdb")
                connection.execute("create database evaluation owner installer")
            return f"host={folder} user=installer dbname=evaluation"
        assert time.monotonic() < give_up_at
        time.sleep(0.05)


def test_postgresql_15_and_no_superuser_are_enough(oldest_dsn: str) -> None:
    run_book(oldest_dsn)
    migrate.upgrade(oldest_dsn)
    migrate.require_head(oldest_dsn)
    other = oldest_dsn.replace("dbname=evaluation", "dbname=migrated")
    with psycopg.connect(oldest_dsn, autocommit=True) as connection:
        connection.execute("create database migrated")
    upgrade_to(other, "0001")
    migrate.upgrade(other)
    assert catalog(other) == catalog(oldest_dsn)
    asyncio.run(work_through(oldest_dsn))
