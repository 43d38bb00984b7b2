"""What is kept up to date as rows come: counters, summaries, costs, the cache of performance, partitions."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from assay.domain.scores import Score
from tenants import Tenant, make_failure, make_success

COUNTS = """
select ready, leased, succeeded, failed, cancelled, planned from assay.job_progress where job_id = %s
"""


async def test_progress_is_that_of_the_cells_whatever_happens_to_them(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=10)
    assert await tenant.rows(COUNTS, [job.id]) == [(10, 0, 0, 0, 0, 10)]
    items = await job.queue.claim(6)
    assert await tenant.rows(COUNTS, [job.id]) == [(4, 6, 0, 0, 0, 10)]
    await job.queue.record(
        [make_success(items[0]), make_failure(items[1]), make_failure(items[2], retry_after_s=0)]
    )
    assert await tenant.rows(COUNTS, [job.id]) == [(5, 3, 1, 1, 0, 10)]
    await job.queue.release([items[3].lease_token], [])
    await tenant.crash(job)
    assert await tenant.rows(COUNTS, [job.id]) == [(8, 0, 1, 1, 0, 10)]
    await tenant.move(job, "cancelling")
    await job.queue.sweep()
    assert await tenant.rows(COUNTS, [job.id]) == [(0, 0, 1, 1, 8, 10)]
    assert await tenant.violations() == []


async def test_four_workers_at_once_leave_the_summaries_that_the_rows_have(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=60, prompts=2, models=2)

    async def work(number: int) -> None:
        queue, rng = tenant.queue(job, f"worker {number}"), random.Random(number)
        while items := await queue.claim(7):
            await queue.record([make_success(item, scores=scores_of(rng)) for item in items])

    await asyncio.gather(*(work(number) for number in range(4)))
    await job.queue.sweep()
    query = """
    select prompt, model, metric, scored, failed, abstained, skipped, round(mean::numeric, 9), pass_rate,
           coverage
      from assay.model_comparison where job_id = %s order by 1, 2, 3
    """
    counted = """
    select jp.name, jm.name, s.metric, count(s.value), count(*) filter (where s.state = 'failed'),
           count(*) filter (where s.state = 'abstained'), count(*) filter (where s.state = 'skipped'),
           round(avg(s.value)::numeric, 9), avg(s.passed::int)::double precision,
           count(s.value) / count(*)::double precision
      from assay.metric_scores s
      join assay.evaluation_results r using (organization_id, job_id, item_no)
      join assay.job_prompts jp using (organization_id, job_id, prompt_no)
      join assay.job_models jm using (organization_id, job_id, model_no)
     where s.job_id = %s group by 1, 2, 3 order by 1, 2, 3
    """
    found = await tenant.rows(query, [job.id])
    assert len(found) == 8
    assert found == await tenant.rows(counted, [job.id])
    assert await tenant.violations() == []


def scores_of(rng: random.Random) -> tuple[Score, ...]:
    """A score with a value, and one that may have none."""
    value = rng.random()
    state = rng.choice(["scored", "failed", "abstained", "skipped"])
    length = Score("length", state, 3.0 if state == "scored" else None, "characters")  # type: ignore[arg-type]  # one of the four
    return (Score("exact", "scored", value, "near", value > 0.5), length)


async def test_costs_go_to_the_day_the_model_and_the_role(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=4, models=2)
    items = await job.queue.claim(8)
    await job.queue.record(
        [make_success(items[0]), make_success(items[1], cost_nanousd=None), make_failure(items[2])]
    )
    await job.queue.release([items[3].lease_token], [items[3].lease_token])
    today = datetime.now(UTC).date()
    query = """select day, model, role::text, calls, unpriced, cost_nanousd
             from assay.cost_by_model order by model"""
    # items 0 and 2 are of the first model; of the second one has no price, one may have been paid
    assert await tenant.rows(query) == [
        (today, "e0", "target", 2, 0, 50),
        (today, "e1", "target", 2, 1, 100),
    ]
    assert await tenant.rows("select calls, cost_nanousd from assay.cost_by_job") == [(4, 150)]
    assert await tenant.violations() == []


async def test_a_completed_job_is_in_the_leaderboard_once_and_a_refresh_changes_nothing(
    tenant: Tenant,
) -> None:
    for _ in range(2):
        job = await tenant.make_job(cases=3)
        await job.queue.record([make_success(item) for item in await job.queue.claim(3)])
        assert (await job.queue.sweep()).state == "completed"
        await job.queue.sweep()
    query = (
        "select model, metric, jobs, scored, mean, nanousd_per_answer from assay.leaderboard order by metric"
    )
    expected = [("e0", "exact", 2, 6, 1.0, 50.0), ("e0", "length", 2, 6, 3.0, 50.0)]
    assert await tenant.rows(query) == expected
    assert await tenant.rows("select from assay.stale_caches") == []
    assert await tenant.value("select assay.refresh_performance((now() at time zone 'UTC')::date)") == 2
    assert await tenant.rows(query) == expected
    days = await tenant.rows(
        "select prompt, version, metric, scored from assay.prompt_performance order by metric"
    )
    assert days == [("p0", 1, "exact", 6), ("p0", 1, "length", 6)]


async def test_a_summary_that_was_damaged_is_stale_and_is_mended_from_the_rows(
    dsn: str, tenant: Tenant
) -> None:
    job = await tenant.make_job(cases=3)
    await job.queue.record([make_success(item) for item in await job.queue.claim(3)])
    await job.queue.sweep()
    damage = "update assay.evaluation_job_summaries set value_sum = 7, updated_at = now() where job_id = %s"
    with psycopg.connect(dsn) as superuser:
        superuser.execute(damage, [job.id])
    assert await tenant.rows("select job_id from assay.stale_caches") == [(job.id,)]
    assert [name[:3] for name, _ in await tenant.violations()] == ["I19"]
    await tenant.rows("select assay.rebuild_summaries(%s)", [job.id])
    await tenant.rows("select assay.refresh_performance((now() at time zone 'UTC')::date)")
    assert await tenant.violations() == []
    assert await tenant.rows("select from assay.stale_caches") == []


def id_at(moment: datetime) -> UUID:
    """An identifier as `new_id` would have made it then."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(
        int=milliseconds << 80 | 7 << 76 | random.getrandbits(12) << 64 | 2 << 62 | random.getrandbits(62)
    )


def test_times_of_ids_and_first_ids_agree(dsn: str) -> None:
    moment = datetime(2026, 2, 28, 23, 59, 59, 999_000, tzinfo=UTC)
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "select assay.time_of(%s), assay.first_id(%s) <= %s, assay.first_id(%s) > %s",
            [id_at(moment), moment, id_at(moment), moment + timedelta(milliseconds=1), id_at(moment)],
        ).fetchone()
    assert row == (moment, True, True)


CANARY = """
insert into assay.judge_canaries (organization_id, job_id, metric, canary, state, threshold, reason)
values (%s, %s, 'exact', 'empty', 'held', 0.5, 'it says nothing')
"""
COPY_JOB = """
insert into assay.evaluation_jobs
  (organization_id, id, name, state, plan, config_hash, dataset_version_id, prompt_count, model_count,
   repeat_count, planned)
select organization_id, %s, name, 'queued', plan, config_hash, dataset_version_id, 1, 1, 1, 3
  from assay.evaluation_jobs where id = %s
"""


async def job_of(tenant: Tenant, moment: datetime, *, finish: bool = True) -> UUID:
    """A job as if it had been made then, with three answers."""
    model = await tenant.make_job(cases=3)
    old_id = id_at(moment)
    await tenant.rows(COPY_JOB, [old_id, model.id])
    for table in ("job_prompts", "job_models"):
        number = table[4:-1]
        named = "prompt_version_id" if number == "prompt" else "model_config_id"
        await tenant.rows(
            f"""insert into assay.{table} select organization_id, %s, {number}_no, {named}, name
                  from assay.{table} where job_id = %s""",  # noqa: S608 - the two names above
            [old_id, model.id],
        )
    old = type(model)(old_id, model.shape, model.plan, model.dataset, model.queue)
    queue = tenant.queue(old)
    await queue.expand()
    await queue.record([make_success(item) for item in await queue.claim(3)][: 3 if finish else 2])
    await queue.sweep()
    return old_id


def partitions(connection: psycopg.Connection[Any]) -> dict[str, list[str]]:
    """The months that each partitioned table has."""
    found: dict[str, list[str]] = {}
    for table, month in connection.execute(
        "select table_name::text, month from assay.partitions()"
    ).fetchall():
        found.setdefault(table, []).append(f"{month:%Y-%m}")
    return found


async def test_the_first_job_of_a_month_makes_its_partitions_and_the_next_months(
    scratch_tenant: Tenant, scratch_dsn: str
) -> None:
    await job_of(scratch_tenant, datetime(2024, 12, 31, 12, tzinfo=UTC))
    with psycopg.connect(scratch_dsn) as connection:
        made = partitions(connection)
        assert list(made) == ["model_calls", "evaluation_results", "metric_scores"]
        for months in made.values():
            assert {"2024-12", "2025-01"} <= set(months)
        stored = connection.execute("select tableoid::regclass::text from assay.metric_scores").fetchall()
        assert set(stored) == {("assay.metric_scores_202412",)}


async def test_thirty_jobs_that_come_first_at_once_make_each_partition_once(scratch_tenant: Tenant) -> None:
    moment = datetime(2023, 6, 15, tzinfo=UTC)
    jobs = await asyncio.gather(*(job_of(scratch_tenant, moment) for _ in range(8)))
    assert len(set(jobs)) == 8
    assert await scratch_tenant.violations() == []


async def test_an_id_that_tells_no_time_is_refused(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=3)
    for wrong in (UUID(int=1), UUID("ffffffff-ffff-7fff-8fff-ffffffffffff")):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="UUIDv7"):
            await tenant.rows(COPY_JOB, [wrong, job.id])


async def test_months_that_are_over_are_dropped_whole_but_for_open_jobs(
    scratch_tenant: Tenant, scratch_dsn: str
) -> None:
    old = await job_of(scratch_tenant, datetime(2023, 1, 10, tzinfo=UTC))
    still_open = await job_of(scratch_tenant, datetime(2023, 3, 10, tzinfo=UTC), finish=False)
    young = await job_of(scratch_tenant, datetime(2023, 5, 10, tzinfo=UTC))
    for job_id in (old, young):
        await scratch_tenant.rows(CANARY, [scratch_tenant.organization_id, job_id])
    with psycopg.connect(scratch_dsn, autocommit=True) as owner:
        dropped = owner.execute(
            "select assay.drop_partitions('2023-05-01 00:00+00')::text collate \"C\" order by 1"
        ).fetchall()
        assert {name[-6:] for (name,) in dropped} == {"202301", "202302", "202304"}
        assert owner.execute("select assay.drop_partitions('2023-05-01 00:00+00')").fetchall() == []
    left = "select job_id, count(*) from assay.evaluation_results group by 1 order by 1"
    assert await scratch_tenant.rows(left) == [(still_open, 2), (young, 3)]
    query = "select id from assay.evaluation_jobs where pruned_at is not null"
    assert await scratch_tenant.rows(query) == [(old,)]
    words = "select job_id, state, reason from assay.judge_canaries order by 1"
    assert await scratch_tenant.rows(words) == [(old, "held", None), (young, "held", "it says nothing")]
    scores = "select scored, mean from assay.model_comparison where job_id = %s and metric = 'exact'"
    assert await scratch_tenant.rows(scores, [old]) == [(3, 1.0)]
    assert await scratch_tenant.rows(
        "select cost_nanousd from assay.cost_by_job where job_id = %s", [old]
    ) == [(150,)]
    assert await scratch_tenant.violations() == []


async def test_pruning_deletes_the_answers_of_finished_jobs_of_one_tenant(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    for who in (tenant, other_tenant):
        job = await who.make_job(cases=2)
        await job.queue.record([make_success(item) for item in await job.queue.claim(2)])
        await job.queue.sweep()
        await (await who.make_job(cases=2)).queue.claim(1)
    later = datetime.now(UTC) + timedelta(seconds=5)
    assert await tenant.value("select assay.prune_jobs(%s)", [later - timedelta(days=1)]) == 0
    assert await tenant.value("select assay.prune_jobs(%s)", [later]) == 1
    assert await tenant.value("select assay.prune_jobs(%s)", [later]) == 0
    assert await tenant.value("select count(*) from assay.evaluation_results") == 0
    assert await tenant.value("select count(*) from assay.evaluation_queue") == 2
    assert await tenant.value("select count(*) from assay.model_comparison") == 2
    assert await other_tenant.value("select count(*) from assay.evaluation_results") == 2
    assert await tenant.violations() == []
