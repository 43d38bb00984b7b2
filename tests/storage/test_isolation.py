"""Row-level security, generated from the catalog: a table that nobody thought of fails by being there.

Every table x select, insert, update, move, delete, truncate x each identity that the database can meet.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import psycopg
import pytest
from psycopg import sql

from assay.domain.ids import new_id
from assay.storage.pool import Database
from assay.storage.tenancy import Caller
from everything import fill
from tenants import Tenant, act_for, make_success

OPEN = {"state_transitions", "partitioned_tables", "alembic_version"}
"""What belongs to no tenant: read by all, written by none."""
PRIVATE = {"context_keys", "database_readers"}
"""What the owner's functions alone read."""
WRITERS = {
    "ab_test_assignments": "analyst",
    "ab_test_interactions": "analyst",
    "ab_test_outcomes": "analyst",
    "ab_test_variants": "manager D",
    "ab_tests": "manager",
    "alert_rules": "manager D",
    "alerts": "analyst",
    "annotation_queues": "analyst",
    "annotations": "analyst",
    "api_keys": "admin D",
    "audit_log": "nobody",
    "budget_reservations": "analyst",
    "budgets": "manager",
    "call_costs": "analyst",
    "dataset_cases": "analyst",
    "dataset_label_moves": "analyst",
    "dataset_labels": "analyst D",
    "dataset_versions": "analyst",
    "evaluation_job_summaries": "analyst",
    "evaluation_jobs": "analyst",
    "evaluation_queue": "analyst",
    "evaluation_results": "analyst",
    "job_candidates": "analyst",
    "job_models": "analyst",
    "job_prompts": "analyst",
    "judge_canaries": "analyst",
    "memberships": "admin D",
    "metric_scores": "analyst",
    "model_calls": "analyst",
    "model_configs": "analyst",
    "model_performance_cache": "analyst D",
    "model_prices": "manager",
    "organizations": "admin",
    "prompt_label_moves": "analyst",
    "prompt_labels": "analyst D",
    "prompt_templates": "analyst",
    "prompt_versions": "analyst",
    "provider_credentials": "admin D",
    "reports": "analyst",
    "schedules": "manager D",
    "tenant_data_keys": "admin D",
    "test_cases": "analyst",
    "test_datasets": "analyst",
    "users": "admin",
}
"""Who may write to each table of tenants at least; D: and delete from it."""
SECRETS = {"api_keys", "tenant_data_keys", "provider_credentials"}
"""What dashboards do not see either."""
ROLES = ["viewer", "analyst", "manager", "admin", "owner"]
DENIED, UNIQUE = "42501", "23505"
REFUSED_BY_RULES = {"P0403", "P0401", "P0404", "23503", "23505"}
"""Own rules of a table that a permitted change may break: what never changes, what others refer to."""
TABLES = """
select c.relname from pg_class c
 where c.relnamespace = 'assay'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1
"""


@pytest.fixture
def superuser(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A superuser's transaction of which nothing stays."""
    with psycopg.connect(dsn, autocommit=True) as connection, connection.transaction(force_rollback=True):
        yield connection


@pytest.fixture
def committed(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A superuser whose work stays."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


def values(connection: psycopg.Connection[Any], query: str) -> list[Any]:
    """The first column of a catalog query."""
    return [row[0] for row in connection.execute(query).fetchall()]


def test_every_table_has_its_entry_here(superuser: psycopg.Connection[Any]) -> None:
    assert set(values(superuser, TABLES)) == WRITERS.keys() | OPEN | PRIVATE


@dataclass(frozen=True)
class Identity:
    """Who asks: a database role, the tenant and caller of its context, and the role that this should give."""

    name: str
    database_role: str
    tenant: UUID | None
    caller: Caller
    role: str | None

    def may_write(self, table: str) -> bool:
        """Whether its own rows of a table are its to write."""
        writer = WRITERS[table].split()[0]
        if self.database_role != "assay_app" or self.role is None or writer == "nobody":
            return False
        return ROLES.index(self.role) >= ROLES.index(writer)

    def answer(
        self, connection: psycopg.Connection[Any], query: sql.Composed, parameters: Any = ()
    ) -> int | str:
        """How many rows a statement touches or gives, or the SQLSTATE; nothing of it stays."""
        try:
            with connection.transaction(force_rollback=True):
                connection.execute(sql.SQL("set local role {}").format(sql.Identifier(self.database_role)))
                if self.tenant is not None:
                    act_for(connection, self.tenant, self.caller)
                return connection.execute(query, parameters).rowcount
        except psycopg.Error as error:
            return error.sqlstate or "connection"


def identities(own: UUID, other: UUID, ids: dict[str, UUID]) -> list[Identity]:
    """All that may ask for rows of `own`; those whose role is None are to see nothing of it."""
    app, system = "assay_app", Caller()

    def user(name: str) -> Caller:
        return Caller(kind="user", actor_id=ids[name], role="owner")

    def key(name: str) -> Caller:
        return Caller(kind="key", actor_id=ids[name], role="owner")

    return [
        Identity("the system", app, own, system, "owner"),
        *[
            Identity(f"the system as {role}", app, own, Caller(role=role), role)
            for role in ("viewer", "manager")
        ],
        Identity("an owner", app, own, user("owner"), "owner"),
        Identity("a viewer who says owner", app, own, user("viewer"), "viewer"),
        Identity("a user who left", app, own, user("left"), None),
        Identity("a disabled user", app, own, user("disabled"), None),
        Identity("a key of an analyst", app, own, key("key"), "analyst"),
        Identity("a revoked key", app, own, key("revoked"), None),
        Identity("an expired key", app, own, key("expired"), None),
        Identity("another tenant", app, other, system, None),
        Identity("a member of it in the other tenant", app, other, user("owner"), None),
        Identity("a tenant that does not exist", app, new_id(), system, None),
        Identity("nobody", app, None, system, None),
        Identity("a dashboard", "assay_readonly", own, Caller(role="viewer"), "viewer"),
        Identity("a dashboard of nobody", "assay_readonly", None, system, None),
    ]


async def test_the_matrix_of_tables_verbs_and_identities(
    committed: psycopg.Connection[Any], tenant: Tenant, other_tenant: Tenant
) -> None:
    ids = await fill(committed, tenant)
    await fill(committed, other_tenant)
    own, other = tenant.organization_id, other_tenant.organization_id
    wrong = [
        (identity.name, table, *problem)
        for identity in identities(own, other, ids)
        for table in sorted(WRITERS)
        for problem in misbehaviour(committed, identity, table, (own, other))
    ]
    assert wrong == []


def misbehaviour(
    connection: psycopg.Connection[Any], asker: Identity, name: str, tenants: tuple[UUID, UUID]
) -> Iterator[tuple[str, int | str]]:
    """What a table answers to somebody that it should not, verb by verb."""
    own, other = tenants
    table = sql.Identifier("assay", name)
    key = sql.Identifier("id" if name == "organizations" else "organization_id")
    count = connection.execute(sql.SQL("select count(*) from {} where {} = %s").format(table, key), [own])
    rows = (count.fetchone() or (0,))[0]
    assert rows > 0, f"{name}: fill() puts no row into it"
    hidden = asker.database_role == "assay_readonly" and name in SECRETS
    app, writes = asker.database_role == "assay_app", asker.may_write(name)
    granted = app and WRITERS[name] != "nobody"

    seen = asker.answer(connection, sql.SQL("select from {} where {} = %s").format(table, key), [own])
    if seen != (DENIED if hidden else rows if asker.role else 0):
        yield "select", seen
    for owner in (own, other):
        insert = sql.SQL("insert into {0} select (jsonb_populate_record(null::{0}, %s::jsonb)).*").format(
            table
        )
        row = connection.execute(
            sql.SQL("select to_jsonb(t) from {} t where {} = %s limit 1").format(table, key), [owner]
        ).fetchone()
        assert row
        answer = asker.answer(connection, insert, [orjson.dumps(row[0]).decode()])
        if owner == own and answer != (UNIQUE if writes else DENIED):
            yield "insert", answer
        if owner == other and asker.tenant != other and answer != DENIED:
            yield "insert into the other tenant", answer
    update = sql.SQL("update {} set {} = {} where {} = %s").format(table, key, key, key)
    answer = asker.answer(connection, update, [own])
    if not (answer in (rows, *REFUSED_BY_RULES) if writes else answer == (0 if granted else DENIED)):
        yield "update", answer
    if asker.tenant != other and (answer := asker.answer(connection, update, [other])) != (
        0 if granted else DENIED
    ):
        yield "update of another tenant's", answer
    move = sql.SQL("update {} set {} = %s where {} = %s").format(table, key, key)
    answer = asker.answer(connection, move, [other, own])
    if not (answer in (DENIED, *REFUSED_BY_RULES) if writes else answer == (0 if granted else DENIED)):
        yield "move to another tenant", answer
    delete = sql.SQL("delete from {} where {} = %s").format(table, key)
    deletable = app and WRITERS[name].endswith(" D")
    answer = asker.answer(connection, delete, [own])
    if not (
        answer in (rows, *REFUSED_BY_RULES)
        if deletable and writes
        else answer == (0 if deletable else DENIED)
    ):
        yield "delete", answer
    if (answer := asker.answer(connection, sql.SQL("truncate {}").format(table))) != DENIED:
        yield "truncate", answer


def test_what_belongs_to_no_tenant_is_written_by_none_and_keys_are_read_by_none(
    superuser: psycopg.Connection[Any], tenant: Tenant
) -> None:
    for name in OPEN | PRIVATE:
        table = sql.Identifier("assay", name)
        for database_role in ("assay_app", "assay_readonly"):
            asker = Identity("", database_role, tenant.organization_id, Caller(), "owner")
            seen = asker.answer(superuser, sql.SQL("select from {}").format(table))
            assert (seen == DENIED) if name in PRIVATE else (isinstance(seen, int) and seen > 0), (name, seen)
            for verb in ("insert into {} default values", "delete from {}", "truncate {}"):
                assert asker.answer(superuser, sql.SQL(verb).format(table)) == DENIED, (name, verb)


async def test_partitions_are_reached_through_their_parents_only(
    superuser: psycopg.Connection[Any], tenant: Tenant
) -> None:
    await tenant.make_job(cases=1)
    query = """
    select c.relname, c.relrowsecurity and c.relforcerowsecurity from pg_class c
     where c.relnamespace = 'assay'::regnamespace and c.relispartition and c.relkind = 'r'
    """
    partitions = superuser.execute(query).fetchall()
    assert len(partitions) >= 6
    assert all(forced for _, forced in partitions)
    for name, _ in partitions:
        for database_role in ("assay_app", "assay_readonly"):
            asker = Identity("", database_role, tenant.organization_id, Caller(), "owner")
            for verb in ("select from {}", "delete from {}", "insert into {} default values"):
                answer = asker.answer(superuser, sql.SQL(verb).format(sql.Identifier("assay", name)))
                assert answer == DENIED, (name, verb)


async def test_a_suspended_tenant_sees_and_writes_nothing(
    committed: psycopg.Connection[Any], tenant: Tenant
) -> None:
    await tenant.make_job(cases=1)
    committed.execute(
        "update assay.organizations set suspended_at = clock_timestamp() where id = %s",
        [tenant.organization_id],
    )
    assert await tenant.rows("select from assay.evaluation_jobs") == []
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await tenant.rows(
            "insert into assay.test_datasets (organization_id, name) values (%s, 'x')",
            [tenant.organization_id],
        )


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
           (select coalesce(array_agg(p.polcmd::text order by p.polcmd), '{}') from pg_policy p
             where p.polrelid = c.oid and p.polroles = '{0}')
      from pg_class c
     where c.relnamespace = 'assay'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
    """
    for name, forced, verbs in superuser.execute(query).fetchall():
        if name not in OPEN:
            wanted = [] if name in PRIVATE else ["r"] if name == "audit_log" else ["a", "d", "r", "w"]
            assert (forced, verbs) == (True, wanted), name
    owners_only = "select distinct polroles::regrole[]::text from pg_policy where polroles <> '{0}'"
    assert values(superuser, owners_only) == ["{assay_owner}"]
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
     cross join lateral (values (p.polqual), (p.polwithcheck)) e (tree)
     where e.tree is not null and p.polroles = '{0}'
    """
    found = values(superuser, expressions)
    assert len(found) >= 5 * 10
    assert all("( SELECT assay.current_organization()" in text for text in found)
    assert all(text.count("assay.has_role(") == text.count("( SELECT assay.has_role(") for text in found)
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
       and (p.proleakproof or p.proconfig is null or p.proconfig[1] <> 'search_path=pg_catalog, pg_temp'
            or exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                        where a.grantee = 0))
    """
    assert values(superuser, functions) == []
    definers = """
    select proname::text from pg_proc where pronamespace = 'assay'::regnamespace and prosecdef order by 1
    """
    assert values(superuser, definers) == [
        "add_context_key",
        "add_partitions",
        "audit",
        "caller",
        "drop_partitions",
        "find_api_key",
        "prune_jobs",
    ]
    owners = """
    select p.proname::text from pg_proc p
     where p.pronamespace = 'assay'::regnamespace
       and not has_function_privilege('assay_app', p.oid, 'execute')
     order by 1
    """
    assert values(superuser, owners) == ["add_context_key", "drop_partitions"]


async def test_the_view_of_progress_shows_one_tenants_jobs(tenant: Tenant, other_tenant: Tenant) -> None:
    for who in (tenant, other_tenant):
        job = await who.make_job(cases=1)
        await job.queue.record([make_success(item) for item in await job.queue.claim(1)])
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
        (table, column) for table, column in superuser.execute(keys).fetchall() if table not in OPEN | PRIVATE
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
        query = "select current_user, coalesce(current_setting('assay.context', true), '')"
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
        await first.make_job(cases=1)
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
