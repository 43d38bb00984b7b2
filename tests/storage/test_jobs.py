"""Jobs: found by what a user types, moved only from where they may be, retried as children."""

from uuid import UUID

import pytest

from assay.domain.errors import Conflict, NotFound
from assay.domain.jobs import JobHead
from assay.storage import jobs
from assay.storage.jobs import Job
from tenants import MadeJob, Tenant, make_failure, make_success


async def resolve(tenant: Tenant, reference: str) -> JobHead:
    """What a reference means to a tenant."""
    async with tenant.database.transaction(tenant.organization_id) as connection:
        return await jobs.resolve_job(connection, tenant.organization_id, reference)


async def get(tenant: Tenant, job_id: UUID) -> Job:
    """A stored job."""
    async with tenant.database.transaction(tenant.organization_id) as connection:
        return await jobs.get_job(connection, tenant.organization_id, job_id)


async def rename(tenant: Tenant, job: MadeJob, name: str) -> None:
    """Give a job a name of its own."""
    await tenant.rows("update assay.evaluation_jobs set name = %s where id = %s", [name, job.id])


async def test_a_job_is_found_by_id_its_ends_its_name_or_as_the_last(tenant: Tenant) -> None:
    first, second = await tenant.make_job(cases=1), await tenant.make_job(cases=2)
    await rename(tenant, first, "50%_done")
    await rename(tenant, second, "nightly")
    text = str(first.id)
    for reference in (text, text.upper(), text[:-1], text[-6:], "50%_done"):
        assert (await resolve(tenant, reference)).id == first.id
    assert (await resolve(tenant, "last")).id == (await resolve(tenant, "nightly")).id == second.id
    await rename(tenant, first, "nightly")
    assert (await resolve(tenant, "nightly")).id == second.id, "the newest of a name"
    with pytest.raises(Conflict):
        await resolve(tenant, text[:2])


async def test_what_means_no_job_is_not_found(tenant: Tenant, other_tenant: Tenant) -> None:
    job = await tenant.make_job(cases=1)
    for reference in ("", "%", "_", "\\", "no id", "x" * 500):
        with pytest.raises(NotFound):
            await resolve(tenant, reference)
    for reference in (str(job.id), "last", "job"):
        with pytest.raises(NotFound):
            await resolve(other_tenant, reference)
    with pytest.raises(NotFound):
        await get(other_tenant, job.id)


async def test_a_stored_job_comes_back_with_its_plan(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=4, prompts=2, models=2, cap_nanousd=5_000)
    stored = await get(tenant, job.id)
    assert stored.plan == job.plan
    assert (stored.dataset, stored.dataset_version, stored.dataset_hash) == (
        "cases",
        1,
        job.dataset.content_hash,
    )
    assert (stored.state, stored.planned, stored.cap_nanousd) == ("queued", 16, 5_000)
    async with tenant.database.transaction(tenant.organization_id) as connection:
        (head,) = await jobs.list_jobs(connection, tenant.organization_id, 10)
    assert (head.id, head.planned, head.dataset, head.finished_at) == (job.id, 16, "cases v1", None)


async def test_jobs_share_the_versions_of_equal_prompts_and_models(tenant: Tenant) -> None:
    for _ in range(3):
        await tenant.make_job(cases=1, prompts=2, models=2)
    for table in ("prompt_versions", "model_configs"):
        assert await tenant.value(f"select count(*) from assay.{table}") == 2  # noqa: S608 - from the line above


async def test_a_job_moves_only_from_where_it_may_be(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=1)

    async def move(state: str, *allowed: str) -> bool:
        async with tenant.database.transaction(tenant.organization_id) as connection:
            return await jobs.set_job_state(
                connection, tenant.organization_id, job.id, state, allowed=allowed, reason="asked"
            )

    assert not await move("running", "paused")
    assert await move("paused", "queued", "running")
    assert (await get(tenant, job.id)).stop_reason == "asked"


async def test_a_child_gets_the_cells_that_failed(tenant: Tenant) -> None:
    parent = await tenant.make_job(cases=4)
    items = await parent.queue.claim(4)
    await parent.queue.record(
        [make_success(items[0]), *(make_failure(item) for item in items[1:3]), make_success(items[3])]
    )
    child = await tenant.make_child(parent)
    assert await tenant.items(child, "item_no, state::text, attempts, estimate_nanousd") == [
        (1, "ready", 0, 100),
        (2, "ready", 0, 100),
    ]
    assert await child.queue.expand() == 0
    await child.queue.record([make_success(item) for item in await child.queue.claim(9)])
    assert (await child.queue.sweep()).state == "completed"
    assert await tenant.violations() == []
