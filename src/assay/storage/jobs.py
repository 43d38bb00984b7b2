"""Jobs: created with their frozen plan, listed, and moved through their states."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row, dict_row

from assay.domain.errors import Conflict, NotFound
from assay.domain.jobs import JobHead, Plan, added_from_json, plan_from_json, plan_to_json
from assay.storage.model_configs import add_model_config
from assay.storage.pool import Connection
from assay.storage.prompts import add_prompt_version

ADD_ORGANIZATION = """
insert into assay.organizations (id, name)
select %(id)s, %(name)s where not exists (select from assay.organizations where id = %(id)s)
on conflict (id) do nothing
"""
ADD_JOB = """
insert into assay.evaluation_jobs
  (organization_id, id, parent_job_id, name, description, state, plan, config_hash, dataset_version_id,
   selection, prompt_count, model_count, repeat_count, planned, cap_nanousd, receipt, expanded_cases,
   canaries)
values
  (%(org)s, %(id)s, %(parent)s, %(name)s, %(description)s, 'queued', %(plan)s, %(config_hash)s, %(dataset)s,
   %(selection)s, %(prompts)s, %(models)s, %(repeats)s, %(planned)s, %(cap)s, %(receipt)s, %(expanded)s,
   %(canaries)s)
"""
ADD_JOB_PROMPT = """
insert into assay.job_prompts (organization_id, job_id, prompt_no, prompt_version_id, name)
values (%s, %s, %s, %s, %s)
"""
ADD_JOB_MODEL = """
insert into assay.job_models (organization_id, job_id, model_no, model_config_id, name)
values (%s, %s, %s, %s, %s)
"""
COPY_FAILED_ITEMS = """
insert into assay.evaluation_queue
  (organization_id, job_id, item_no, case_no, prompt_no, model_no, repeat_no, estimate_nanousd)
select organization_id, %(child)s, item_no, case_no, prompt_no, model_no, repeat_no, estimate_nanousd
  from assay.evaluation_queue
 where organization_id = %(org)s and job_id = %(parent)s and state in ('failed', 'dead')
 order by item_no
"""
HEADS = """
select j.id, j.name, j.state::text as state, j.planned,
       j.succeeded_items as succeeded, j.failed_items + j.dead_items as failed,
       to_char(j.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as created_at,
       to_char(j.finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as finished_at,
       j.spent_nanousd, j.parent_job_id, d.name || ' v' || v.version as dataset
  from assay.evaluation_jobs j
  join assay.dataset_versions v on v.organization_id = j.organization_id and v.id = j.dataset_version_id
  join assay.test_datasets d on d.organization_id = v.organization_id and d.id = v.dataset_id
"""
LIST_HEADS = HEADS + " where j.organization_id = %s order by j.created_at desc, j.id desc limit %s"
FIND_HEADS = (
    HEADS
    + """
 where j.organization_id = %(org)s
   and (j.name = %(name)s or j.id::text like any (array[%(id)s || '%%', '%%' || %(id)s]))
 order by j.created_at desc, j.id desc limit 2
"""
)
ID_PART = re.compile(r"[0-9a-fA-F-]+")
LAST_HEAD = HEADS + " where j.organization_id = %s order by j.created_at desc, j.id desc limit 1"
GET_JOB = """
select j.id, j.name, j.state::text as state, j.stop_reason, j.plan, j.added_metrics, j.canaries,
       j.config_hash, j.dataset_version_id, j.planned, j.cap_nanousd, j.spent_nanousd, j.reserved_nanousd,
       j.unpriced_calls, j.receipt, j.parent_job_id, d.name as dataset, v.version as dataset_version,
       v.content_hash as dataset_hash
  from assay.evaluation_jobs j
  join assay.dataset_versions v on v.organization_id = j.organization_id and v.id = j.dataset_version_id
  join assay.test_datasets d on d.organization_id = v.organization_id and d.id = v.dataset_id
 where j.organization_id = %s and j.id = %s
"""
COPY_SELECTION = """
update assay.evaluation_jobs c set selection = p.selection from assay.evaluation_jobs p
 where c.organization_id = %(org)s and c.id = %(child)s and p.organization_id = %(org)s and p.id = %(parent)s
"""
SET_CAP = """
update assay.evaluation_jobs set cap_nanousd = %(cap)s
 where organization_id = %(org)s and id = %(id)s and state in ('queued', 'running', 'paused')
   and spent_nanousd + reserved_nanousd <= %(cap)s
"""
SET_STATE = """
update assay.evaluation_jobs set state = %(state)s::assay.job_state, stop_reason = %(reason)s
 where organization_id = %(org)s and id = %(id)s and state::text = any (%(from)s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """What a job is created from. `selection` are half-open ranges of case numbers; None takes all.

    `canaries`: whether its judges are asked about canaries when it ends.
    """

    id: UUID
    name: str
    description: str
    plan: Plan
    config_hash: bytes
    dataset_version_id: UUID
    selection: Sequence[tuple[int, int]] | None
    planned: int
    cap_nanousd: int | None
    receipt: dict[str, Any]
    parent_job_id: UUID | None = None
    expanded_cases: int = 0
    canaries: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A stored job with its plan."""

    id: UUID
    name: str
    state: str
    stop_reason: str | None
    plan: Plan
    canaries: bool
    config_hash: bytes
    dataset_version_id: UUID
    planned: int
    cap_nanousd: int | None
    spent_nanousd: int
    reserved_nanousd: int
    unpriced_calls: int
    receipt: dict[str, Any]
    parent_job_id: UUID | None
    dataset: str
    dataset_version: int
    dataset_hash: bytes


async def ensure_organization(connection: Connection, organization_id: UUID, name: str) -> None:
    """Make the tenant of this transaction when it is new."""
    await connection.execute(ADD_ORGANIZATION, {"id": organization_id, "name": name})


async def add_job(connection: Connection, organization_id: UUID, job: NewJob) -> None:
    """Store a queued job with the versions of its prompts and models."""
    selection = (
        None if job.selection is None else "{" + ",".join(f"[{a},{b})" for a, b in job.selection) + "}"
    )
    values = {
        "org": organization_id,
        "id": job.id,
        "parent": job.parent_job_id,
        "name": job.name,
        "description": job.description,
        "plan": plan_to_json(job.plan).decode(),
        "config_hash": job.config_hash,
        "dataset": job.dataset_version_id,
        "selection": selection,
        "prompts": len(job.plan.prompts),
        "models": len(job.plan.models),
        "repeats": job.plan.repeats,
        "planned": job.planned,
        "cap": job.cap_nanousd,
        "receipt": orjson.dumps(job.receipt).decode(),
        "expanded": job.expanded_cases,
        "canaries": job.canaries,
    }
    await connection.execute(ADD_JOB, values)
    for number, prompt in enumerate(job.plan.prompts):
        added = await add_prompt_version(connection, organization_id, prompt)
        await connection.execute(ADD_JOB_PROMPT, [organization_id, job.id, number, added.id, prompt.name])
    for number, model in enumerate(job.plan.models):
        config_id = await add_model_config(connection, organization_id, model)
        await connection.execute(ADD_JOB_MODEL, [organization_id, job.id, number, config_id, model.name])


async def copy_failed_items(connection: Connection, organization_id: UUID, parent: UUID, child: UUID) -> int:
    """Give a child job its parent's cases, and the cells that ended without an answer; their number."""
    await connection.execute(COPY_SELECTION, {"org": organization_id, "parent": parent, "child": child})
    cursor = await connection.execute(
        COPY_FAILED_ITEMS, {"org": organization_id, "parent": parent, "child": child}
    )
    return cursor.rowcount


async def list_jobs(connection: Connection, organization_id: UUID, limit: int) -> list[JobHead]:
    """The newest jobs, newest first."""
    async with connection.cursor(row_factory=class_row(JobHead)) as cursor:
        await cursor.execute(LIST_HEADS, [organization_id, limit])
        return await cursor.fetchall()


async def resolve_job(connection: Connection, organization_id: UUID, reference: str) -> JobHead:
    """The job meant by an id, the end of one, a name, or "last". Raises NotFound, Conflict."""
    async with connection.cursor(row_factory=class_row(JobHead)) as cursor:
        if reference == "last":
            await cursor.execute(LAST_HEAD, [organization_id])
        else:
            part = reference.lower() if ID_PART.fullmatch(reference) else "no id"
            await cursor.execute(FIND_HEADS, {"org": organization_id, "name": reference, "id": part})
        found = await cursor.fetchall()
    if not found:
        raise NotFound(f"no job {reference!r}", remedy="See what there is: assay jobs")
    if len(found) > 1 and found[0].name != reference:
        raise Conflict(f"more than one job is meant by {reference!r}", remedy="Give more of its id.")
    return found[0]


async def get_job(connection: Connection, organization_id: UUID, job_id: UUID) -> Job:
    """One job with its plan; raises NotFound."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(GET_JOB, [organization_id, job_id])
        row = await cursor.fetchone()
    if row is None:
        raise NotFound(f"no job {job_id}", remedy="See what there is: assay jobs")
    plan = _whole_plan(row.pop("plan"), row.pop("added_metrics"))
    return Job(**row, plan=plan)


def _whole_plan(plan: dict[str, Any], added: dict[str, Any]) -> Plan:
    """The plan as the job was made, and the metrics that were added to it since."""
    made = plan_from_json(plan)
    metrics, judges = added_from_json(added)
    if not metrics:
        return made
    return replace(made, metrics=(*made.metrics, *metrics), judges=(*made.judges, *judges))


async def set_job_state(
    connection: Connection,
    organization_id: UUID,
    job_id: UUID,
    state: str,
    *,
    allowed: Sequence[str],
    reason: str | None,
) -> bool:
    """Move a job when it is in one of the allowed states; whether it moved."""
    values = {"state": state, "reason": reason, "org": organization_id, "id": job_id, "from": list(allowed)}
    cursor = await connection.execute(SET_STATE, values)
    return cursor.rowcount == 1


async def set_cap(connection: Connection, organization_id: UUID, job_id: UUID, cap_nanousd: int) -> bool:
    """Give an open job another budget; False when it is finished, or has spent and reserved more already."""
    cursor = await connection.execute(SET_CAP, {"org": organization_id, "id": job_id, "cap": cap_nanousd})
    return cursor.rowcount == 1
