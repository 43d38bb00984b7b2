"""Row-level security, generated from the catalog: a new table is tested by being there."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson
import psycopg
import pytest
from psycopg import sql

from assay.domain.ids import new_id
from assay.storage.pool import Database
from tenants import Tenant, make_success

OPEN_TABLES = {"state_transitions", "alembic_version"}
"""What belongs to no tenant: read by all, written by none."""
DENIED = "42501"
UNIQUE, IMMUTABLE = "23505", "P0403"
TABLES = """
select c.relname from pg_class c
 where c.relnamespace = 'assay'::regnamespace and c.relkind in ('r', 'p') order by 1
"""


@pytest.fixture
def superuser(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A superuser's transaction of which nothing stays."""
    with psycopg.connect(dsn, autocommit=True) as connection, connection.transaction(force_rollback=True):
        yield connection


def tenant_tables(connection: psycopg.Connection[Any]) -> list[str]:
    """Every table that holds rows of tenants."""
    return [name for (name,) in connection.execute(TABLES) if name not in OPEN_TABLES]


def values(connection: psycopg.Connection[Any], query: str) -> list[Any]:
    """The first column of a catalog query."""
    return [row[0] for row in connection.execute(query).fetchall()]


async def fill(tenant: Tenant) -> None:
    """Put a row of the tenant into every table."""
    job = await tenant.make_job(cases=1)
    await job.queue.record([make_success(item) for item in await job.queue.claim(1)])


class Identity:
    """A role and a tenant, and what the database answers to them."""

    def __init__(self, connection: psycopg.Connection[Any], role: str, tenant: UUID | None) -> None:
        self.connection, self.role, self.tenant = connection, role, tenant

    def answer(self, query: sql.Composed, parameters: Any = ()) -> int | str:
        """How many rows a statement touches or gives, or the SQLSTATE; nothing of it stays."""
        try:
            with self.connection.transaction(force_rollback=True):
                self.connection.execute(sql.SQL("set local role {}").format(sql.Identifier(self.role)))
                if self.tenant is not None:
                    self.connection.execute(
                        "select set_config('assay.organization_id', %s, true)", [str(self.tenant)]
                    )
                return self.connection.execute(query, parameters).rowcount
        except psycopg.Error as error:
            return error.sqlstate or "connection"


@pytest.mark.parametrize("role", ["assay_app", "assay_readonly"])
async def test_each_table_shows_and_takes_only_the_rows_of_its_tenant(
    superuser: psycopg.Connection[Any], tenant: Tenant, other_tenant: Tenant, role: str
) -> None:
    await fill(tenant)
    await fill(other_tenant)
    own, other = tenant.organization_id, other_tenant.organization_id
    for name in tenant_tables(superuser):
        table = sql.Identifier("assay", name)
        key = sql.Identifier("id" if name == "organizations" else "organization_id")
        count = superuser.execute(
            sql.SQL("select count(*) from {} where {} = %s").format(table, key), [own]
        ).fetchone()
        assert count
        assert count[0] > 0, f"{name}: fill() puts no row into it"
        for identity in (own, None, new_id()):
            asker = Identity(superuser, role, identity)
            mine = identity == own
            seen = asker.answer(sql.SQL("select from {}").format(table))
            assert seen == (count[0] if mine else 0), (name, "select")
            assert asker.answer(sql.SQL("select from {} where {} = %s").format(table, key), [other]) == 0
            assert_writes(superuser, asker, name, (own, other))


def assert_writes(
    superuser: psycopg.Connection[Any], asker: Identity, name: str, tenants: tuple[UUID, UUID]
) -> None:
    """What inserting, updating, deleting, copying and truncating answer."""
    own, other = tenants
    table = sql.Identifier("assay", name)
    key = sql.Identifier("id" if name == "organizations" else "organization_id")
    app, mine = asker.role == "assay_app", asker.tenant == own
    insert = sql.SQL("insert into {0} select (jsonb_populate_record(null::{0}, %s::jsonb)).*").format(table)
    for owner in (own, other):
        row = superuser.execute(
            sql.SQL("select to_jsonb(t) from {} t where {} = %s limit 1").format(table, key), [owner]
        ).fetchone()
        assert row
        answer = asker.answer(insert, [orjson.dumps(row[0]).decode()])
        allowed = app and mine and owner == own
        assert answer == (UNIQUE if allowed else DENIED), (name, "insert", owner == own)
    update = sql.SQL("update {} set {} = {} where {} = %s").format(table, key, key, key)
    move = sql.SQL("update {} set {} = %s where {} = %s").format(table, key, key)
    assert asker.answer(update, [other]) == (0 if app else DENIED), (name, "update of another tenant's")
    answer = asker.answer(update, [own])
    assert (
        (answer == IMMUTABLE or (isinstance(answer, int) and answer > 0))
        if app and mine
        else (answer == (0 if app else DENIED))
    ), (name, "update of its own", answer)
    stolen = asker.answer(move, [other, own])
    assert stolen in ((DENIED, IMMUTABLE) if app and mine else (0 if app else DENIED,)), (
        name,
        "move",
        stolen,
    )
    for statement in ("delete from {}", "truncate {}"):
        assert asker.answer(sql.SQL(statement).format(table)) == DENIED, (name, statement)


async def test_copy_into_a_table_of_tenants_is_refused(tenant: Tenant) -> None:
    copy_in = "copy assay.test_datasets (organization_id, name) from stdin"
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="row-level security"):
        async with (
            tenant.database.transaction(tenant.organization_id) as connection,
            connection.cursor() as cursor,
            cursor.copy(copy_in) as copy,
        ):
            await copy.write_row((tenant.organization_id, "x"))


def test_every_table_is_owned_by_nobody_who_logs_in_and_forces_its_policies(
    superuser: psycopg.Connection[Any],
) -> None:
    query = """
    select c.relname, c.relrowsecurity and c.relforcerowsecurity,
           (select array_agg(p.polcmd::text order by p.polcmd) from pg_policy p where p.polrelid = c.oid)
      from pg_class c where c.relnamespace = 'assay'::regnamespace and c.relkind in ('r', 'p')
    """
    for name, forced, verbs in superuser.execute(query).fetchall():
        if name not in OPEN_TABLES:
            assert (forced, verbs) == (True, ["a", "d", "r", "w"]), name
    owners = """
    select c.relname from pg_class c join pg_roles r on r.oid = c.relowner
     where c.relnamespace = 'assay'::regnamespace and r.rolname <> 'assay_owner' and c.relkind <> 'i'
    """
    assert values(superuser, owners) == ["alembic_version"]
    roles = """
    select rolname, rolcanlogin, rolsuper, rolbypassrls, rolinherit from pg_roles where rolname like 'assay_%'
    """
    assert sorted(superuser.execute(roles).fetchall()) == [
        ("assay_app", True, False, False, False),
        ("assay_owner", False, False, False, False),
        ("assay_readonly", True, False, False, False),
    ]
    memberships = """
    select r.rolname from pg_auth_members m join pg_roles r on r.oid = m.member where r.rolname like 'assay_%'
    """
    assert values(superuser, memberships) == []


def test_policies_ask_for_the_tenant_once_a_statement(superuser: psycopg.Connection[Any]) -> None:
    expressions = """
    select pg_get_expr(e.tree, p.polrelid) from pg_policy p
     cross join lateral (values (p.polqual), (p.polwithcheck)) e (tree) where e.tree is not null
    """
    found = values(superuser, expressions)
    assert len(found) >= 5 * 10
    assert all("( SELECT assay.current_organization()" in text for text in found)
    superuser.execute("set local role assay_app")
    plan = superuser.execute("explain (costs off) select from assay.evaluation_results").fetchall()
    assert any("InitPlan" in line for (line,) in plan)


def test_views_run_as_who_asks_and_functions_are_not_for_everyone(superuser: psycopg.Connection[Any]) -> None:
    views = """
    select c.relname from pg_class c where c.relnamespace = 'assay'::regnamespace
       and (c.relkind = 'm' or c.relkind = 'v'
            and not coalesce(c.reloptions, '{}') @> '{security_invoker=true}')
    """
    assert values(superuser, views) == []
    functions = """
    select p.proname from pg_proc p
     where p.pronamespace = 'assay'::regnamespace
       and (p.prosecdef or p.proleakproof or p.proconfig is null
            or p.proconfig[1] <> 'search_path=pg_catalog, pg_temp'
            or exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                        where a.grantee = 0))
    """
    assert values(superuser, functions) == []


async def test_the_view_of_progress_shows_one_tenants_jobs(tenant: Tenant, other_tenant: Tenant) -> None:
    await fill(tenant)
    await fill(other_tenant)
    query = "select organization_id, planned, succeeded from assay.job_progress"
    assert await tenant.rows(query) == [(tenant.organization_id, 1, 1)]


def test_keys_of_tenants_begin_with_the_tenant(superuser: psycopg.Connection[Any]) -> None:
    keys = """
    select c.relname, a.attname from pg_index i
      join pg_class c on c.oid = i.indrelid
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
     where c.relnamespace = 'assay'::regnamespace and i.indisunique
    """
    found = [
        (table, column) for table, column in superuser.execute(keys).fetchall() if table not in OPEN_TABLES
    ]
    assert {(table, column) for table, column in found if column != "organization_id"} == {
        ("organizations", "id")
    }
    references = """
    select f.conname, f.confrelid::regclass::text,
           (select array_agg(a.attname::text order by k.place)
              from unnest(f.conkey) with ordinality k (number, place)
              join pg_attribute a on a.attrelid = f.conrelid and a.attnum = k.number)
      from pg_constraint f where f.connamespace = 'assay'::regnamespace and f.contype = 'f'
    """
    for name, target, columns in superuser.execute(references).fetchall():
        assert columns[0] == "organization_id", name
        assert len(columns) > 1 or target == "assay.organizations", name


async def test_a_reference_to_another_tenants_row_is_a_reference_to_nothing(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    job, other = await tenant.make_job(cases=1), await other_tenant.make_job(cases=1)
    foreign = await other_tenant.value(
        "select prompt_version_id from assay.job_prompts where job_id = %s", [other.id]
    )
    insert = """
    insert into assay.job_prompts (organization_id, job_id, prompt_no, prompt_version_id, name)
    values (%s, %s, 7, %s, 'x')
    """
    errors = []
    for target in (foreign, new_id()):
        with pytest.raises(psycopg.errors.ForeignKeyViolation) as refused:
            await tenant.rows(insert, [tenant.organization_id, job.id, target])
        errors.append(str(refused.value).replace(str(target), "it"))
    assert errors[0] == errors[1]


async def test_names_of_other_tenants_are_free(tenant: Tenant, other_tenant: Tenant) -> None:
    insert = """
    insert into assay.test_datasets (organization_id, name) values (%s, 'secret')
    on conflict do nothing returning 1
    """
    for who in (tenant, other_tenant):
        assert await who.rows(insert, [who.organization_id]) == [(1,)]


async def test_functions_touch_only_the_callers_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    job = await tenant.make_job(cases=2)
    items = await job.queue.claim(1)
    intruder = other_tenant.queue(job)
    assert await intruder.claim(5) == []
    assert await intruder.heartbeat([items[0].lease_token]) == set()
    await intruder.release([items[0].lease_token], [])
    await intruder.expire_leases("worker")
    with pytest.raises(psycopg.errors.NoDataFound):
        await intruder.record([make_success(items[0])])
    with pytest.raises(psycopg.errors.NoDataFound):
        await intruder.expand()
    assert await tenant.items(job, "state::text, lease_expires_at > clock_timestamp()") == [
        ("leased", True),
        ("ready", None),
    ]


async def left_behind(database: Database) -> tuple[str, str]:
    """Role and tenant of the pool's only connection when nobody uses it."""
    async with database._pool.connection() as connection:
        query = "select current_user, coalesce(current_setting('assay.organization_id', true), '')"
        row = await (await connection.execute(query)).fetchone()
    assert row
    return row


@pytest.mark.parametrize(
    "way", ["return", "exception", "sql error", "cancel", "cancel query", "killed backend"]
)
async def test_a_pooled_connection_carries_no_tenant_into_its_next_use(dsn: str, way: str) -> None:
    database = Database(dsn, max_connections=1)
    await database.open()
    try:
        first = await Tenant.join(database, new_id())
        await fill(first)
        await misuse(database, first, way)
        assert await left_behind(database) == ("postgres", "")
        second = await Tenant.join(database, new_id())
        assert await second.rows("select from assay.evaluation_jobs") == []
        assert await second.rows("select id from assay.organizations") == [(second.organization_id,)]
    finally:
        await database.close()


async def misuse(database: Database, tenant: Tenant, way: str) -> None:
    """End a transaction of a tenant in one of the ways that there are."""
    inside = asyncio.Event()

    async def use() -> None:
        async with database.transaction(tenant.organization_id) as connection:
            assert (await (await connection.execute("select current_user")).fetchone()) == ("assay_app",)
            inside.set()
            if way == "exception":
                raise LookupError
            if way == "sql error":
                await connection.execute("select 1 / 0")
            if way == "cancel":
                await asyncio.Event().wait()
            if way == "cancel query":
                await connection.execute("select pg_sleep(60)")
            if way == "killed backend":
                await kill(connection)

    task = asyncio.create_task(use())
    if way.startswith("cancel"):
        await inside.wait()
        await asyncio.sleep(0.05)
        task.cancel()
    (outcome,) = await asyncio.gather(task, return_exceptions=True)
    expected = {
        "return": type(None),
        "exception": LookupError,
        "sql error": psycopg.errors.DivisionByZero,
        "killed backend": psycopg.OperationalError,
    }
    assert isinstance(outcome, expected.get(way, asyncio.CancelledError))


async def kill(connection: psycopg.AsyncConnection[Any]) -> None:
    """End the server's side of a connection, then try to use it."""
    host, name, pid = connection.info.host, connection.info.dbname, connection.info.backend_pid
    async with await psycopg.AsyncConnection.connect(host=host, dbname=name, user="postgres") as other:
        await other.execute("select pg_terminate_backend(%s, 10000)", [pid])
    await connection.execute("select 1")


def test_a_thousand_interleaved_transactions_see_their_own_tenant(dsn: str) -> None:
    async def check() -> None:
        database = Database(dsn, max_connections=2)
        await database.open()
        tenants = [await Tenant.join(database, new_id()) for _ in range(4)]

        async def look(tenant: Tenant) -> None:
            assert await tenant.rows("select id from assay.organizations") == [(tenant.organization_id,)]

        await asyncio.gather(*(look(tenant) for tenant in tenants * 250))
        await database.close()

    asyncio.run(check())
