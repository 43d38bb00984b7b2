"""Canaries in the store: one worker asks, what is settled stays, and no tenant touches another one's."""

import asyncio
from typing import Any
from uuid import UUID

import psycopg
import pytest

from assay.domain.canaries import CanaryName, CanaryOutcome, CanaryState
from assay.domain.errors import StorageFailed
from assay.storage.judge_canaries import asking_workers, claim_canaries, read_canaries, store_canaries
from tenants import MadeJob, Tenant

BOTH = [("exact", "planted"), ("exact", "empty")]


def outcome(state: CanaryState, canary: CanaryName = "planted", **given: Any) -> CanaryOutcome:
    values: dict[str, Any] = {"value": 0.9 if state == "flagged" else None, "reason": "because"}
    return CanaryOutcome(metric="exact", canary=canary, state=state, threshold=0.5, **{**values, **given})


async def claim(tenant: Tenant, job: UUID, worker: str, dead: tuple[str, ...] = ()) -> set[tuple[str, str]]:
    async with tenant.database.transaction(tenant.organization_id) as connection:
        place = (tenant.organization_id, job)
        return await claim_canaries(connection, place, BOTH, 0.5, (worker, dead))


async def store(tenant: Tenant, job: UUID, *outcomes: CanaryOutcome) -> None:
    async with tenant.database.transaction(tenant.organization_id) as connection:
        await store_canaries(connection, tenant.organization_id, job, outcomes)


async def read(tenant: Tenant, *jobs: UUID) -> list[CanaryOutcome]:
    async with tenant.database.transaction(tenant.organization_id) as connection:
        return await read_canaries(connection, tenant.organization_id, jobs)


async def test_of_many_workers_one_asks(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=1)
    claims = await asyncio.gather(*(claim(tenant, job.id, f"worker {n}") for n in range(8)))
    assert sorted(map(len, claims)) == [0] * 7 + [2]
    assert {each.state for each in await read(tenant, job.id)} == {"asking"}


async def test_what_a_dead_worker_was_about_and_what_was_not_checked_can_be_claimed(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=1)
    await claim(tenant, job.id, "first")
    async with tenant.database.transaction(tenant.organization_id) as connection:
        assert await asking_workers(connection, tenant.organization_id, job.id) == ["first"]
    assert await claim(tenant, job.id, "second", ("another",)) == set()
    assert await claim(tenant, job.id, "second", ("first",)) == set(BOTH)
    await store(tenant, job.id, outcome("not_checked"), outcome("held", "empty"))
    assert await claim(tenant, job.id, "third") == {("exact", "planted")}


async def test_what_is_settled_gives_way_to_what_is_settled_only(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=1)
    await store(tenant, job.id, outcome("not_checked", reason="no money"))
    await store(tenant, job.id, outcome("flagged", calls=2, cost_nanousd=None))
    await store(tenant, job.id, outcome("not_checked"))
    assert await read(tenant, job.id) == [outcome("flagged", calls=2, cost_nanousd=None)]
    await store(tenant, job.id, outcome("held", value=0.5, calls=1))
    assert await read(tenant, job.id) == [outcome("held", value=0.5, calls=3, cost_nanousd=None)]


async def test_a_job_that_retries_another_has_the_verdicts_of_both(tenant: Tenant) -> None:
    first, second = await tenant.make_job(cases=1), await tenant.make_job(cases=1)
    await store(tenant, first.id, outcome("flagged"), outcome("held", "empty"))
    await store(tenant, second.id, outcome("not_checked"), outcome("flagged", "empty"))
    assert await read(tenant, first.id, second.id) == [outcome("flagged"), outcome("flagged", "empty")]


async def test_words_that_postgresql_cannot_hold_are_kept_as_far_as_it_can(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=1)
    await store(tenant, job.id, outcome("held", reason="a\0b\ud800"))
    (found,) = await read(tenant, job.id)
    assert found.reason
    assert found.reason.startswith("a")


@pytest.mark.parametrize(
    "wrong",
    [
        "'flagged', null, 0.5, 0.5",
        "'flagged', null, 0.5, null",
        "'held', null, 0.5, 0.6",
        "'asking', null, 0.5, null",
        "'held', 'somebody', 0.5, null",
        "'innocent', null, 0.5, null",
        "'held', null, 1.5, null",
        "'held', null, 0.5, 'NaN'",
    ],
)
async def test_an_outcome_that_its_value_does_not_bear_out_is_refused(tenant: Tenant, wrong: str) -> None:
    job = await tenant.make_job(cases=1)
    with pytest.raises(psycopg.errors.CheckViolation):
        await tenant.rows(
            f"""insert into assay.judge_canaries
                (organization_id, job_id, metric, canary, state, worker, threshold, value)
                values (%s, %s, 'exact', 'empty', {wrong})""",  # noqa: S608 - from the list above
            [tenant.organization_id, job.id],
        )


@pytest.fixture
async def flagged(tenant: Tenant) -> MadeJob:
    """A job of the tenant whose judge was flagged."""
    job = await tenant.make_job(cases=1)
    await store(tenant, job.id, outcome("flagged"))
    return job


async def test_another_tenant_cannot_clear_a_judge_that_was_flagged(
    tenant: Tenant, other_tenant: Tenant, flagged: MadeJob
) -> None:
    """Who knows the ids of a tenant and its job, and may run any SQL as the application."""
    attacks = (
        "update assay.judge_canaries set state = 'held', value = 0 where job_id = %(job)s",
        "update assay.judge_canaries set organization_id = %(own)s where job_id = %(job)s",
        "update assay.evaluation_jobs set canaries = false where id = %(job)s",
    )
    values = {"job": flagged.id, "org": tenant.organization_id, "own": other_tenant.organization_id}
    async with other_tenant.database.transaction(other_tenant.organization_id) as connection:
        for attack in attacks:
            assert (await connection.execute(attack, values)).rowcount == 0, attack
        assert await read_canaries(connection, tenant.organization_id, [flagged.id]) == []
        assert await asking_workers(connection, tenant.organization_id, flagged.id) == []
    with pytest.raises((psycopg.errors.InsufficientPrivilege, StorageFailed)):
        async with other_tenant.database.transaction(other_tenant.organization_id) as connection:
            await store_canaries(connection, tenant.organization_id, flagged.id, [outcome("held")])
    with pytest.raises((psycopg.errors.InsufficientPrivilege, StorageFailed)):
        async with other_tenant.database.transaction(other_tenant.organization_id) as connection:
            place = (tenant.organization_id, flagged.id)
            await claim_canaries(connection, place, [("length", "empty")], 0.5, ("thief", ["worker"]))
    for delete in ("delete from assay.judge_canaries", "truncate assay.judge_canaries"):
        for who in (tenant, other_tenant):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await who.rows(delete)
    assert await read(tenant, flagged.id) == [outcome("flagged")]


async def test_a_canary_of_another_tenants_job_is_one_of_no_job(
    other_tenant: Tenant, flagged: MadeJob
) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        await store(other_tenant, flagged.id, outcome("held"))


async def test_pruning_takes_what_the_judge_said_and_only_of_this_tenant(
    tenant: Tenant, other_tenant: Tenant, flagged: MadeJob
) -> None:
    await tenant.rows("update assay.evaluation_jobs set state = 'cancelling' where id = %s", [flagged.id])
    await flagged.queue.sweep()
    other = await other_tenant.make_job(cases=1)
    await store(other_tenant, other.id, outcome("flagged"))
    assert await tenant.value("select assay.prune_jobs(clock_timestamp())") == 1
    assert await read(tenant, flagged.id) == [outcome("flagged", reason=None)]
    assert await read(other_tenant, other.id) == [outcome("flagged")]
