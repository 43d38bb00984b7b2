"""What the judges of a job made of its canaries: claimed, so that one worker asks, and stored."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from assay.domain.canaries import SETTLED, CanaryOutcome
from assay.storage.pool import Connection
from assay.storage.queue import encode_batch

ASKING = """
select distinct c.worker from assay.judge_canaries c
 where c.organization_id = %s and c.job_id = %s and c.state = 'asking'
"""
CLAIM = """
insert into assay.judge_canaries as c (organization_id, job_id, metric, canary, state, worker, threshold)
select %(org)s, %(job)s, k.metric, k.canary, 'asking', %(worker)s, %(threshold)s
  from unnest(%(metrics)s::text[], %(canaries)s::text[]) as k (metric, canary)
on conflict (organization_id, job_id, metric, canary) do update
   set state = 'asking', worker = excluded.worker, threshold = excluded.threshold, value = null,
       reason = null, checked_at = clock_timestamp()
 where c.state = 'not_checked' or c.state = 'asking' and c.worker = any (%(dead)s)
returning c.metric, c.canary
"""
# What was found out is not lost to an attempt that found out nothing.
STORE = """
insert into assay.judge_canaries as c
  (organization_id, job_id, metric, canary, state, threshold, value, reason, calls, cost_nanousd)
select %(org)s, %(job)s, o.metric, o.canary, o.state, o.threshold, o.value, o.reason, o.calls, o.cost_nanousd
  from jsonb_to_recordset(%(outcomes)s::jsonb) as o (
    metric text, canary text, state text, threshold double precision, value double precision, reason text,
    calls int, cost_nanousd bigint)
on conflict (organization_id, job_id, metric, canary) do update
   set state = excluded.state, worker = null, threshold = excluded.threshold, value = excluded.value,
       reason = excluded.reason, calls = c.calls + excluded.calls,
       cost_nanousd = c.cost_nanousd + excluded.cost_nanousd,
       checked_at = clock_timestamp()
 where excluded.state = any (%(settled)s) or c.state <> all (%(settled)s)
"""
READ = """
select distinct on (c.metric, c.canary)
       c.metric, c.canary, c.state, c.threshold, c.value, c.reason, c.calls, c.cost_nanousd
  from assay.judge_canaries c
 where c.organization_id = %(org)s and c.job_id = any (%(jobs)s)
 order by c.metric, c.canary desc, (c.state = any (%(settled)s)) desc,
       array_position(%(jobs)s::uuid[], c.job_id) desc
"""
FIRST_SCORED = """
select s.item_no from assay.metric_scores s
 where s.organization_id = %s and s.job_id = %s and s.metric = %s and s.state = 'scored'
 order by s.item_no limit 1
"""


async def asking_workers(connection: Connection, organization_id: UUID, job_id: UUID) -> list[str]:
    """Who is about canaries of a job."""
    cursor = await connection.execute(ASKING, [organization_id, job_id])
    return [row[0] for row in await cursor.fetchall()]


async def claim_canaries(
    connection: Connection,
    job: tuple[UUID, UUID],
    canaries: Sequence[tuple[str, str]],
    threshold: float,
    workers: tuple[str, Sequence[str]],
) -> set[tuple[str, str]]:
    """Which of these (metric, canary) this worker is to ask about: what nobody else is about or has settled.

    `job` is the tenant and the job; `workers` who asks, and who is known to be dead.
    """
    values = {
        "org": job[0],
        "job": job[1],
        "metrics": [metric for metric, _ in canaries],
        "canaries": [canary for _, canary in canaries],
        "threshold": threshold,
        "worker": workers[0],
        "dead": list(workers[1]),
    }
    return set(await (await connection.execute(CLAIM, values)).fetchall())


async def store_canaries(
    connection: Connection, organization_id: UUID, job_id: UUID, outcomes: Sequence[CanaryOutcome]
) -> None:
    """Store outcomes, in place of earlier ones; a settled one gives way to a settled one only.

    What they cost is added to what the earlier ones did.
    """
    values: dict[str, Any] = {
        "org": organization_id,
        "job": job_id,
        "outcomes": encode_batch(asdict(outcome) for outcome in outcomes),
        "settled": list(SETTLED),
    }
    await connection.execute(STORE, values)


async def read_canaries(
    connection: Connection, organization_id: UUID, jobs: Sequence[UUID]
) -> list[CanaryOutcome]:
    """The canaries of a job and those that it retries (the first one first), each as it was left last."""
    values = {"org": organization_id, "jobs": list(jobs), "settled": list(SETTLED)}
    async with connection.cursor(row_factory=class_row(CanaryOutcome)) as cursor:
        await cursor.execute(READ, values)
        return await cursor.fetchall()


async def find_scored_item(
    connection: Connection, organization_id: UUID, job_id: UUID, metric: str
) -> int | None:
    """The first cell that a metric has scored."""
    row = await (await connection.execute(FIRST_SCORED, [organization_id, job_id, metric])).fetchone()
    return None if row is None else int(row[0])
