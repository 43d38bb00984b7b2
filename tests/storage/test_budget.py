"""The budget: however many workers claim at once, what is spent and reserved never passes the cap."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from assay.domain.jobs import FailedAttempt
from assay.storage.pool import Database
from tenants import ESTIMATE, Tenant, make_failure, make_success


@pytest.fixture
async def crowd(dsn: str) -> AsyncIterator[Database]:
    """A pool that lets sixty-four workers in at once."""
    database = Database(dsn, max_connections=64, timeout_s=60.0)
    await database.open()
    yield database
    await database.close()


async def test_sixty_four_workers_at_once_never_pass_the_cap(crowd: Database, tenant: Tenant) -> None:
    job = await tenant.make_job(cases=200, cap_nanousd=100 * ESTIMATE + ESTIMATE // 2)
    tenant.database = crowd
    workers = [tenant.queue(job, f"w{n}") for n in range(64)]
    claims = await asyncio.gather(*(worker.claim(3) for worker in workers))
    items = [item for claim in claims for item in claim]
    assert len(items) == len({item.item_no for item in items}) == 100
    assert await tenant.money(job) == (100 * ESTIMATE, 0, 0)
    assert await tenant.violations() == []


async def test_money_that_was_not_needed_lets_more_calls_in(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=50, cap_nanousd=10 * ESTIMATE)
    calls = 0
    while items := await job.queue.claim(50):
        calls += len(items)
        await job.queue.record([make_success(item, cost_nanousd=ESTIMATE // 2) for item in items])
        assert await tenant.violations() == []
    reserved, spent, _ = await tenant.money(job)
    assert (calls, reserved, spent) == (19, 0, 19 * ESTIMATE // 2), (
        "10 + 5 + 2 + 1 + 1, then half a call is left"
    )


async def test_a_cap_of_nothing_admits_only_what_is_free(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=3, cap_nanousd=0)
    assert await job.queue.claim(3) == []
    free = await tenant.make_job(cases=3, cap_nanousd=0, estimate=(0, 0))
    assert len(await free.queue.claim(3)) == 3


async def test_failed_attempts_give_their_money_to_the_next(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=3, cap_nanousd=2 * ESTIMATE)
    items = await job.queue.claim(3)
    assert len(items) == 2
    for call_no in (1, 2, 3):
        failed = [
            FailedAttempt(
                item_no=item.item_no,
                lease_token=item.lease_token,
                call_no=call_no,
                code="model_timeout",
                message="",
                counts=True,
                http_status=None,
                provider_request_id=None,
                latency_ms=1.0,
            )
            for item in items
        ]
        await job.queue.next_attempts(failed)
        assert await tenant.money(job) == (2 * ESTIMATE, 0, 0)
    await job.queue.record(
        [make_failure(items[0], call_no=4), make_success(items[1], call_no=4, cost_nanousd=0)]
    )
    assert len(await job.queue.claim(3)) == 1
    assert await tenant.violations() == []
