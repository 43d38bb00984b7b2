"""The schema holds its own rules: legal moves, growing tokens, what never changes, identifiers."""

import itertools
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from everything import fill
from tenants import Tenant, act_for, make_success

IMMUTABLE = {
    "ab_test_assignments",
    "ab_test_interactions",
    "ab_test_outcomes",
    "annotations",
    "audit_log",
    "dataset_cases",
    "dataset_label_moves",
    "dataset_versions",
    "evaluation_results",
    "model_configs",
    "model_prices",
    "prompt_label_moves",
    "prompt_versions",
    "reports",
    "test_cases",
}
ITEM_STATES = ("ready", "leased", "succeeded", "failed", "dead", "cancelled")
JOB_STATES = ("draft", "queued", "running", "paused", "completed", "failed", "cancelling", "cancelled")
LEGAL = {
    "item": {
        "ready": {"leased", "cancelled"},
        "leased": {"ready", "succeeded", "failed", "dead", "cancelled"},
        "failed": {"ready"},
        "dead": {"ready"},
    },
    "job": {
        "draft": {"queued", "cancelled"},
        "queued": {"running", "paused", "cancelling"},
        "running": {"paused", "completed", "failed", "cancelling"},
        "paused": {"running", "cancelling"},
        "cancelling": {"cancelled"},
    },
    "ab_test": {
        "draft": {"running", "cancelled"},
        "running": {"paused", "concluded", "stopped"},
        "paused": {"running", "concluded", "stopped"},
    },
}
FORCE_ITEM = """
update assay.evaluation_queue
   set state = %s, lease_token = 5, lease_expires_at = case when %s = 'leased' then clock_timestamp() end
 where job_id = %s and item_no = 0
"""
MOVE_ITEM = """
update assay.evaluation_queue
   set state = %s, lease_token = 6, lease_expires_at = case when %s = 'leased' then clock_timestamp() end
 where job_id = %s and item_no = 0
"""
ENOUGH_OF_EACH = """
update assay.evaluation_jobs
   set ready_items = 9, leased_items = 9, succeeded_items = 9, failed_items = 9, dead_items = 9,
       cancelled_items = 9
 where id = %s
"""
FORCE_JOB = "update assay.evaluation_jobs set state = %s where %s <> '' and id = %s"


@pytest.fixture
def superuser(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A superuser's transaction of which nothing stays."""
    with psycopg.connect(dsn, autocommit=True) as connection, connection.transaction(force_rollback=True):
        yield connection


def error_of(connection: psycopg.Connection[Any], query: str, parameters: Any, tenant: UUID) -> str | None:
    """The SQLSTATE with which the application's statement is refused, if it is; nothing of it stays."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("set local role assay_app")
            act_for(connection, tenant)
            assert connection.execute(query, parameters).rowcount == 1
    except psycopg.Error as error:
        return error.sqlstate
    return None


def without_triggers(connection: psycopg.Connection[Any], query: str, parameters: Any) -> None:
    """Do what only a superuser can."""
    connection.execute("set local session_replication_role = replica")
    connection.execute(query, parameters)
    connection.execute("set local session_replication_role = origin")


@pytest.mark.parametrize(
    ("entity", "states", "force", "move"),
    [("item", ITEM_STATES, FORCE_ITEM, MOVE_ITEM), ("job", JOB_STATES, FORCE_JOB, FORCE_JOB)],
)
async def test_only_the_listed_moves_are_possible(
    superuser: psycopg.Connection[Any],
    tenant: Tenant,
    entity: str,
    states: tuple[str, ...],
    force: str,
    move: str,
) -> None:
    job = await tenant.make_job(cases=1)
    without_triggers(superuser, ENOUGH_OF_EACH, [job.id])
    for before, after in itertools.permutations(states, 2):
        with superuser.transaction(force_rollback=True):
            without_triggers(superuser, force, [before, before, job.id])
            error = error_of(superuser, move, [after, after, job.id], tenant.organization_id)
        legal = after in LEGAL[entity].get(before, ())
        assert error == (None if legal else "P0401"), f"{before} -> {after}"


def test_the_states_and_moves_are_those_of_the_design(superuser: psycopg.Connection[Any]) -> None:
    query = "select enum_range(null::assay.item_state)::text[], enum_range(null::assay.job_state)::text[]"
    assert superuser.execute(query).fetchone() == (list(ITEM_STATES), list(JOB_STATES))
    moves = superuser.execute("select entity, from_state, to_state from assay.state_transitions").fetchall()
    assert set(moves) == {(e, f, t) for e, steps in LEGAL.items() for f, ends in steps.items() for t in ends}


@pytest.mark.parametrize(
    "change",
    [
        "state = 'leased', lease_expires_at = clock_timestamp()",
        "state = 'leased', lease_expires_at = clock_timestamp(), lease_token = 4",
        "state = 'leased', lease_expires_at = clock_timestamp(), lease_token = null",
        "lease_token = 4",
        "lease_token = null",
    ],
)
async def test_a_lease_without_a_greater_token_is_refused(
    superuser: psycopg.Connection[Any], tenant: Tenant, change: str
) -> None:
    job = await tenant.make_job(cases=1)
    without_triggers(superuser, FORCE_ITEM, ["ready", "ready", job.id])
    query = f"update assay.evaluation_queue set {change} where job_id = %s"  # noqa: S608 - from the list above
    assert error_of(superuser, query, [job.id], tenant.organization_id) == "P0402"


async def test_what_is_immutable_cannot_be_changed_even_by_a_superuser(
    superuser: psycopg.Connection[Any], tenant: Tenant
) -> None:
    await fill(superuser, tenant)
    triggers = superuser.execute(
        "select tgrelid::regclass::text from pg_trigger where tgname = 'immutable' and tgparentid = 0"
    )
    assert {name.removeprefix("assay.") for (name,) in triggers} == IMMUTABLE
    for table in IMMUTABLE:
        for verb in ("update {} set organization_id = organization_id", "delete from {}"):
            query = sql.SQL(verb + " where organization_id = %s").format(sql.Identifier("assay", table))
            with pytest.raises(psycopg.Error) as refused, superuser.transaction():
                superuser.execute(query, [tenant.organization_id])
            assert refused.value.sqlstate == "P0403"


def test_new_ids_are_version_seven_and_ordered_by_time(superuser: psycopg.Connection[Any]) -> None:
    ids = [row[0] for row in superuser.execute("select assay.new_id() from generate_series(1, 1000)")]
    assert len(set(ids)) == 1000
    assert {(value.version, value.variant) for value in ids} == {(7, "specified in RFC 4122")}
    milliseconds = [value.int >> 80 for value in ids]
    assert milliseconds == sorted(milliseconds)
    now = superuser.execute("select extract(epoch from clock_timestamp()) * 1000").fetchone()
    assert now
    assert abs(milliseconds[-1] - float(now[0])) < 60_000


async def test_what_refers_to_nothing_is_refused_and_keys_do_not_change(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=2)
    await job.queue.record([make_success(item) for item in await job.queue.claim(2)])
    orphan = """
    insert into assay.{0} select (jsonb_populate_record(t, '{{"item_no": 99}}')).* from assay.{0} t limit 1
    """
    for table in ("model_calls", "evaluation_results", "metric_scores"):
        with pytest.raises(psycopg.errors.ForeignKeyViolation, match="not there"):
            await tenant.rows(orphan.format(table))
    for table in ("evaluation_queue", "model_calls", "metric_scores", "evaluation_results"):
        with pytest.raises(psycopg.DatabaseError, match="do not change") as refused:
            await tenant.rows(f"update assay.{table} set item_no = 99 where item_no = 1")  # noqa: S608 - from the list
        assert refused.value.sqlstate == "P0403"


def test_every_table_and_column_has_its_comment(superuser: psycopg.Connection[Any]) -> None:
    query = """
    select c.relname || coalesce('.' || a.attname, '') from pg_class c
      left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and c.relkind in ('r', 'p')
     where c.relnamespace = 'assay'::regnamespace and c.relkind in ('r', 'p', 'v') and not c.relispartition
       and c.relname <> 'alembic_version'
       and (obj_description(c.oid, 'pg_class') is null
            or a.attnum is not null and col_description(c.oid, a.attnum) is null)
    """
    assert superuser.execute(query).fetchall() == []


def test_progress_and_the_lists_never_read_the_cells_of_a_job(superuser: psycopg.Connection[Any]) -> None:
    small = {"job_progress", "active_jobs", "model_comparison", "leaderboard", "cost_by_day", "cost_by_job"}
    query = """
    select distinct v.relname, t.relname
      from pg_depend d
      join pg_rewrite r on r.oid = d.objid
      join pg_class v on v.oid = r.ev_class
      join pg_class t on t.oid = d.refobjid
     where v.relnamespace = 'assay'::regnamespace and v.relkind = 'v'
       and t.relname in ('evaluation_queue', 'evaluation_results', 'metric_scores', 'model_calls')
    """
    readers = {view for view, _ in superuser.execute(query).fetchall()}
    assert readers & small == set()
    assert readers == {"recent_results", "failed_items", "queue_lag"}
