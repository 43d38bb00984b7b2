"""The cells of a race in the queue: held back, opened, watched, closed."""

from contextlib import aclosing

import pytest

from assay.domain.races import RaceCell
from assay.storage.races import RaceCells, stream_race_cells
from tenants import MadeJob, Tenant, make_failure, make_success

RACE = """
update assay.evaluation_jobs set plan = plan || '{"race": {"metric": "exact"}}' where id = %s
"""


@pytest.fixture
async def job(tenant: Tenant) -> MadeJob:
    """A race of two candidates over ten cases; a cell's number is case * 2 + model."""
    made = await tenant.make_job(cases=10, models=2, expand=False)
    await tenant.rows(RACE, [made.id])
    while await made.queue.expand():
        pass
    return made


def cells_of(tenant: Tenant, job: MadeJob) -> RaceCells:
    return RaceCells(tenant.database, tenant.organization_id, job.id, "exact")


async def opened(tenant: Tenant, job: MadeJob) -> list[RaceCell]:
    async with tenant.database.transaction(tenant.organization_id) as connection:
        source = stream_race_cells(connection, tenant.organization_id, job.id, "exact")
        async with aclosing(source):
            return [cell async for cells in source for cell in cells]


async def test_cells_of_a_race_wait_until_they_are_opened(tenant: Tenant, job: MadeJob) -> None:
    assert await job.queue.claim(5) == []
    sweep = await job.queue.sweep()
    assert sweep.ready and not sweep.leased
    assert sweep.next_ready_s is not None and sweep.next_ready_s > 1e9
    assert await opened(tenant, job) == []
    await cells_of(tenant, job).open([3, 8])
    assert await opened(tenant, job) == [RaceCell(3, "open"), RaceCell(8, "open")]
    assert [item.item_no for item in await job.queue.claim(5)] == [3, 8]
    assert await tenant.violations() == []


async def test_opening_twice_opens_once(tenant: Tenant, job: MadeJob) -> None:
    cells = cells_of(tenant, job)
    await cells.open([3])
    (item,) = await job.queue.claim(5)
    await cells.open([3])
    assert await job.queue.claim(5) == []
    await job.queue.record([make_failure(item, retry_after_s=3600.0)])
    await cells.open([3])
    assert await job.queue.claim(5) == []


async def test_how_cells_ended_is_told_by_the_metric_that_decides(tenant: Tenant, job: MadeJob) -> None:
    cells = cells_of(tenant, job)
    await cells.open([0, 1, 2])
    first, second, _ = await job.queue.claim(3)
    await job.queue.record([make_success(first), make_failure(second)])
    ended = [RaceCell(0, "scored", 1.0), RaceCell(1, "failed")]
    assert await cells.ended([0, 1, 2]) == ended
    assert await opened(tenant, job) == [*ended, RaceCell(2, "open")]


async def test_closing_cancels_what_waits_of_a_candidate_and_says_why(tenant: Tenant, job: MadeJob) -> None:
    cells = cells_of(tenant, job)
    await cells.open([0, 1])
    items = await job.queue.claim(2)
    assert await cells.close([(0, 1, "m0 is better")]) == 9
    assert await cells.close([(0, 1, "again")]) == 0
    rows = await tenant.items(job, "state::text, error_code, error_message")
    assert rows[3] == ("cancelled", "race_decided", "m0 is better")
    assert rows[1][0] == "leased"
    assert await cells.ended([3]) == [RaceCell(3, "closed")]
    await cells.open([3, 5])
    assert await job.queue.claim(5) == []
    await job.queue.record([make_success(item) for item in items])
    assert await cells.close([(0, 0, "it won")]) == 9
    assert (await job.queue.sweep()).state == "completed"
    assert await tenant.violations() == []


async def test_cells_of_other_jobs_are_not_held_back(tenant: Tenant) -> None:
    plain = await tenant.make_job(cases=2)
    assert len(await plain.queue.claim(5)) == 2


async def test_no_tenant_opens_or_closes_the_cells_of_another(
    tenant: Tenant, other_tenant: Tenant, job: MadeJob
) -> None:
    foreign = RaceCells(tenant.database, other_tenant.organization_id, job.id, "exact")
    await foreign.open([0, 1])
    assert await foreign.close([(0, 0, "mine")]) == 0
    assert await foreign.ended([0, 1]) == []
    assert await opened(tenant, job) == []
    assert set(await tenant.items(job)) == {"ready"}
