"""The budget: however many workers claim at once, what is spent and reserved never passes the cap."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from assay.domain.ids import new_id
from assay.domain.jobs import FailedAttempt
from assay.storage import budgets
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


async def set_budget(tenant: Tenant, period: str, cap_nanousd: int, name: str = "b") -> None:
    """Give a tenant a budget."""
    async with tenant.database.transaction(tenant.organization_id) as connection:
        assert await budgets.set_budget(connection, tenant.organization_id, name, period, cap_nanousd)


async def state_of(tenant: Tenant) -> list[tuple[str, int, int, int]]:
    """Name, spent, reserved and left of each budget."""
    async with tenant.database.transaction(tenant.organization_id) as connection:
        found = await budgets.list_budgets(connection, tenant.organization_id)
    return [(b.name, b.spent_nanousd, b.reserved_nanousd, b.left_nanousd) for b in found]


async def test_a_budget_holds_for_all_jobs_of_the_tenant_together(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    await set_budget(tenant, "month", 7 * ESTIMATE)
    first, second = await tenant.make_job(cases=5), await tenant.make_job(cases=5)
    items = await first.queue.claim(5)
    assert (len(items), len(await second.queue.claim(5)), await second.queue.claim(5)) == (5, 2, [])
    assert await state_of(tenant) == [("b", 0, 7 * ESTIMATE, 0)]
    await first.queue.record([make_success(item) for item in items])  # each cost half of its estimate
    assert await state_of(tenant) == [("b", 250, 2 * ESTIMATE, 250)]
    assert len(await second.queue.claim(5)) == 2
    assert len(await (await other_tenant.make_job(cases=9)).queue.claim(9)) == 9


async def test_the_tightest_of_several_budgets_and_caps_holds(tenant: Tenant) -> None:
    for period, cap in (("day", 4), ("month", 6), ("total", 8)):
        await set_budget(tenant, period, cap * ESTIMATE, period)
    job = await tenant.make_job(cases=9, cap_nanousd=5 * ESTIMATE)
    assert len(await job.queue.claim(9)) == 4
    await set_budget(tenant, "day", 99 * ESTIMATE, "day")
    assert len(await job.queue.claim(9)) == 1
    assert [left for *_, left in await state_of(tenant)] == [94 * ESTIMATE, ESTIMATE, 3 * ESTIMATE]


async def test_lost_released_and_late_calls_are_in_the_budget_as_in_the_job(tenant: Tenant) -> None:
    await set_budget(tenant, "total", 100 * ESTIMATE)
    job = await tenant.make_job(cases=4)
    items = await job.queue.claim(4)
    await job.queue.release([items[0].lease_token, items[1].lease_token], [items[1].lease_token])
    await tenant.crash(job)
    assert await state_of(tenant) == [("b", 3 * ESTIMATE, 0, 97 * ESTIMATE)]
    await job.queue.record([make_success(items[2])])  # too late for its result, not for its price
    assert await state_of(tenant) == [("b", 2 * ESTIMATE + 50, 0, 98 * ESTIMATE - 50)]
    assert (await tenant.money(job))[1] == 2 * ESTIMATE + 50


async def test_a_budget_counts_from_when_it_was_set(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=4)
    before = await job.queue.claim(2)
    await set_budget(tenant, "day", 1 * ESTIMATE)
    await job.queue.record([make_success(item) for item in before])
    assert await state_of(tenant) == [("b", 0, 0, ESTIMATE)]
    assert len(await job.queue.claim(2)) == 1


async def test_cells_of_unknown_price_wait_while_there_is_a_budget(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=2, estimate=(None, None))
    await set_budget(tenant, "day", 10**9)
    assert await job.queue.claim(2) == []
    async with tenant.database.transaction(tenant.organization_id) as connection:
        assert await budgets.end_budget(connection, tenant.organization_id, "b")
        assert not await budgets.end_budget(connection, tenant.organization_id, "b")
    assert len(await job.queue.claim(2)) == 2
    assert await state_of(tenant) == []


async def test_many_workers_of_many_jobs_never_pass_the_tenants_budget(crowd: Database) -> None:
    tenant = await Tenant.join(crowd, new_id())
    await set_budget(tenant, "month", 60 * ESTIMATE)
    jobs = [await tenant.make_job(cases=30) for _ in range(4)]
    claimed = 0

    async def work(number: int) -> None:
        nonlocal claimed
        queue = tenant.queue(jobs[number % 4], f"w{number}")
        while items := await queue.claim(3):
            claimed += len(items)
            await queue.record([make_success(item, cost_nanousd=ESTIMATE) for item in items])

    await asyncio.gather(*(work(number) for number in range(24)))
    assert claimed == 60
    assert await state_of(tenant) == [("b", 60 * ESTIMATE, 0, 0)]
    assert await tenant.violations() == []
