"""The queue: leases, order, quarantine, the end of a job, and a cost that does not grow with the job."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.domain.ids import new_id
from assay.domain.jobs import FailedAttempt, WorkItem
from assay.storage.pool import Database
from tenants import ESTIMATE, MadeJob, Tenant, make_failure, make_success


def next_of(item: WorkItem, call_no: int = 1, *, counts: bool = True) -> FailedAttempt:
    """An attempt that failed and is followed by another on the same lease."""
    return FailedAttempt(
        item_no=item.item_no,
        lease_token=item.lease_token,
        call_no=call_no,
        code="model_unavailable",
        message="503",
        counts=counts,
        http_status=503,
        provider_request_id=None,
        latency_ms=3.0,
    )


async def test_a_claim_leases_with_growing_tokens_and_open_calls(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=6)
    first, second = await job.queue.claim(2), await job.queue.claim(10)
    assert [item.item_no for item in (*first, *second)] == list(range(6))
    assert [item.case.key for item in second] == ["c2", "c3", "c4", "c5"]
    assert max(item.lease_token for item in first) < min(item.lease_token for item in second)
    query = (
        "select item_no, lease_token, call_no, state::text, worker, estimate_nanousd from assay.model_calls"
    )
    calls = await tenant.rows(query + " where job_id = %s order by item_no", [job.id])
    expected = [(i.item_no, i.lease_token, 1, "intent", "worker", ESTIMATE) for i in (*first, *second)]
    assert calls == expected
    assert await tenant.items(job) == ["leased"] * 6
    assert await tenant.violations() == []


async def test_work_comes_by_priority_then_time_then_number(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=6)
    update = """
    update assay.evaluation_queue set priority = %s, available_at = %s::timestamptz
     where job_id = %s and item_no = %s
    """
    for number, priority, when in [
        (5, 0, "2020-01-03"),
        (4, 0, "2020-01-02"),
        (3, 9, "2020-01-01"),
        (0, 0, "2020-01-03"),
    ]:
        await tenant.rows(update, [priority, when, job.id, number])
    order = [(await job.queue.claim(1))[0].item_no for _ in range(6)]
    assert order == [4, 0, 5, 1, 2, 3]


@pytest.mark.parametrize("state", ["paused", "cancelling"])
async def test_a_job_that_is_paused_or_ends_gives_no_work(tenant: Tenant, state: str) -> None:
    job = await tenant.make_job()
    await tenant.move(job, state)
    assert await job.queue.claim(5) == []


async def test_skipped_models_and_waiting_suspects_are_left_alone(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=2, models=3)
    await tenant.rows(
        "update assay.evaluation_queue set solo = true where job_id = %s and item_no = 0", [job.id]
    )
    plain = await job.queue.claim(10, skip_models=(1,))
    assert [item.item_no for item in plain] == [2, 3, 5]
    assert [item.item_no for item in await job.queue.claim(10, solo=True)] == [0]


async def test_claimers_at_once_get_disjoint_cells(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=100, repeats=3)
    workers = [tenant.queue(job, f"w{n}") for n in range(8)]
    claims = await asyncio.gather(*(worker.claim(7) for worker in workers for _ in range(6)))
    numbers = [item.item_no for claim in claims for item in claim]
    assert len(numbers) == len(set(numbers)) == 300
    assert await tenant.violations() == []


async def test_a_claim_passes_over_rows_that_another_transaction_holds(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=4)
    async with tenant.database.transaction(tenant.organization_id) as connection:
        await connection.execute(
            "select from assay.evaluation_queue where job_id = %s and item_no in (0, 2) for update", [job.id]
        )
        assert [item.item_no for item in await job.queue.claim(4)] == [1, 3]


async def test_outcomes_answer_with_what_became_of_the_cell(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=4)
    items = await job.queue.claim(4)
    outcomes = [
        make_success(items[0]),
        make_failure(items[1]),
        make_failure(items[2], retry_after_s=0.0),
        make_failure(items[3], retry_after_s=900.0, counts=False),
    ]
    assert await job.queue.record(outcomes) == ["succeeded", "failed", "ready", "ready"]
    assert await job.queue.record(outcomes) == ["already", "fenced", "fenced", "fenced"]
    assert await tenant.items(job, "attempts") == [1, 1, 1, 0]
    assert [item.item_no for item in await job.queue.claim(4)] == [2]
    sweep = await job.queue.sweep()
    assert (sweep.ready, sweep.leased, sweep.state) == (True, True, "running")
    assert sweep.next_ready_s is not None
    assert 800 < sweep.next_ready_s <= 900
    assert await tenant.violations() == []


async def test_attempts_run_out_but_waiting_for_the_provider_uses_none_up(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=1, max_attempts=3)
    answers = []
    for counts in (True, False, False, True, True):
        (item,) = await job.queue.claim(1)
        answers += await job.queue.record([make_failure(item, retry_after_s=0.0, counts=counts)])
    assert answers == ["ready"] * 4 + ["failed"]
    assert await tenant.items(job, "state::text, attempts, error_code") == [
        ("failed", 3, "model_unavailable")
    ]
    assert (await job.queue.sweep()).state == "completed"
    assert await tenant.violations() == []


async def test_a_batch_may_be_large_and_hold_old_and_new_leases_of_one_cell(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=1200)
    lost = await job.queue.claim(5)
    await tenant.crash(job)
    held = await job.queue.claim(1200)
    outcomes = [make_success(item) for item in (*lost, *held, held[0])]
    answers = await job.queue.record(outcomes)
    assert answers == ["fenced"] * 5 + ["succeeded"] * 1201
    assert await tenant.value("select count(*) from assay.metric_scores where job_id = %s", [job.id]) == 2400
    assert await tenant.violations() == []


async def test_the_next_attempt_is_opened_once_and_only_under_a_held_lease(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=2)
    (lost,) = await job.queue.claim(1)
    await tenant.crash(job)
    held = await job.queue.claim(2)
    failed = [next_of(lost), *(next_of(item) for item in held)]
    tokens = {item.lease_token for item in held}
    assert await job.queue.next_attempts(failed) == tokens
    assert await job.queue.next_attempts(failed) == tokens
    assert await tenant.items(job, "attempts") == [3, 2]
    assert await job.queue.next_attempts([next_of(held[0], 2, counts=False)]) == {held[0].lease_token}
    assert await tenant.items(job, "attempts") == [3, 2]
    assert await job.queue.record([make_success(held[0], call_no=3), make_success(held[1], call_no=2)]) == [
        "succeeded",
        "succeeded",
    ]
    assert await tenant.violations() == []


async def test_a_heartbeat_extends_and_names_the_leases_that_are_held(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=3)
    (lost,) = await job.queue.claim(1)
    await tenant.crash(job)
    items = await job.queue.claim(3)
    await job.queue.record([make_success(items[0])])
    before = await tenant.items(job, "lease_expires_at")
    tokens = [lost.lease_token, *(item.lease_token for item in items)]
    assert await job.queue.heartbeat(tokens) == set(tokens[2:])
    after = await tenant.items(job, "lease_expires_at")
    assert before[0] == after[0] is None
    assert all(new > old for old, new in zip(before[1:], after[1:], strict=True))
    await tenant.move(job, "paused")
    assert await job.queue.heartbeat(tokens) == set(tokens[2:])
    await tenant.move(job, "cancelling")
    assert await job.queue.heartbeat(tokens) == set()


async def test_a_heartbeat_waits_for_nobody(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=3)
    tokens = [item.lease_token for item in await job.queue.claim(3)]
    async with tenant.database.transaction(tenant.organization_id) as connection:
        await connection.execute(
            "update assay.evaluation_queue set attempts = 2 where job_id = %s and item_no = 1", [job.id]
        )
        assert await asyncio.wait_for(job.queue.heartbeat(tokens), 5) == set(tokens)


async def test_batches_and_heartbeats_at_once_never_deadlock(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=100, repeats=3)
    items = await job.queue.claim(300)
    tokens = [item.lease_token for item in items]
    beats = [job.queue.heartbeat(tokens[::step]) for step in (1, -1) * 8]
    batches = [job.queue.record([make_success(item) for item in items[n::10]]) for n in range(10)]
    begun = await tenant.value("select deadlocks from pg_stat_database where datname = current_database()")
    done = await asyncio.gather(*batches, *beats)
    assert [answer for answers in done[:10] for answer in answers] == ["succeeded"] * 300
    assert begun == await tenant.value(
        "select deadlocks from pg_stat_database where datname = current_database()"
    )


async def test_released_leases_are_no_crashes(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=3)
    items = await job.queue.claim(3)
    tokens = [item.lease_token for item in items]
    await job.queue.release(tokens[:2], tokens[:1])
    assert await tenant.items(job, "state::text, attempts, crashes") == [
        ("ready", 1, 0),
        ("ready", 0, 0),
        ("leased", 1, 0),
    ]
    assert await tenant.money(job) == (ESTIMATE, ESTIMATE, 0)
    await job.queue.release(tokens[:2], tokens[:2])
    assert await tenant.money(job) == (ESTIMATE, ESTIMATE, 0)
    await tenant.move(job, "cancelling")
    await job.queue.release(tokens[2:], [])
    sweep = await job.queue.sweep()
    assert (await tenant.items(job), sweep.state) == (["cancelled"] * 3, "cancelled")
    assert await tenant.violations() == []


async def test_only_leases_that_ran_out_are_taken_back_and_none_after_a_restart(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=3)
    await job.queue.claim(1)
    await tenant.queue(job, "slow", lease_s=-1.0).claim(1)
    await tenant.queue(job, "dead").claim(1)
    assert await job.queue.lease_owners() == {"worker", "slow", "dead"}
    await job.queue.expire_leases("dead")
    a_century = tenant.queue(job, "worker", lease_s=3_000_000_000.0)
    assert (await a_century.sweep()).reclaimed == 1, "within one lease of the restart only the dead are swept"
    assert await tenant.items(job) == ["leased", "leased", "ready"]
    at_once = tenant.queue(job, "worker", lease_s=0.0)
    assert (await at_once.sweep()).reclaimed == 1
    assert (await at_once.sweep()).reclaimed == 0
    assert await tenant.items(job) == ["leased", "ready", "ready"]


async def test_a_cell_that_kills_workers_dies_alone(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=12, max_crashes=3)
    poison = {3, 8}

    async def work(*, solo: bool) -> int:
        """One life of a worker: it dies of poison, and what it held is lost."""
        items = await job.queue.claim(1 if solo else 4, solo=solo)
        if poison & {item.item_no for item in items}:
            await tenant.crash(job)
        elif items:
            await job.queue.record([make_success(item) for item in items])
        return len(items)

    for _ in range(60):
        if not await work(solo=False) and not await work(solo=True):
            break
    states = await tenant.items(job)
    assert {number for number, state in enumerate(states) if state == "dead"} == poison
    assert states.count("succeeded") == 10
    assert (await job.queue.sweep()).state == "completed"
    assert await tenant.violations() == []


async def test_a_job_ends_when_it_is_expanded_and_nothing_is_open(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=2, expand=False)
    await tenant.move(job, "running")
    assert (await job.queue.sweep()).state == "running"
    while await job.queue.expand():
        pass
    items = await job.queue.claim(2)
    await job.queue.record([make_success(items[0])])
    assert (await job.queue.sweep()).state == "running"
    await job.queue.record([make_failure(items[1])])
    sweeps = await asyncio.gather(*(job.queue.sweep() for _ in range(6)))
    assert {sweep.state for sweep in sweeps} == {"completed"}
    finished = "select finished_at is not null from assay.evaluation_jobs where id = %s"
    assert await tenant.value(finished, [job.id])


async def test_cancelling_stops_what_waits_and_leaves_what_runs(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=3)
    (item,) = await job.queue.claim(1)
    await tenant.move(job, "cancelling")
    sweep = await job.queue.sweep()
    assert (sweep.state, sweep.leased, sweep.ready) == ("cancelling", True, False)
    assert await tenant.items(job) == ["leased", "cancelled", "cancelled"]
    assert await job.queue.record([make_success(item)]) == ["succeeded"]
    assert (await job.queue.sweep()).state == "cancelled"
    assert await tenant.violations() == []


async def test_a_job_that_ends_gets_no_more_cells(tenant: Tenant) -> None:
    job = await tenant.make_job(expand=False)
    await tenant.move(job, "cancelling")
    assert await job.queue.expand() == 0
    assert (await job.queue.sweep()).state == "cancelled"
    assert await job.queue.expand() == 0
    assert await tenant.items(job) == []
    assert await tenant.violations() == []


async def test_a_sweep_of_a_job_that_is_not_there_fails(tenant: Tenant, other_tenant: Tenant) -> None:
    job = await tenant.make_job(cases=1)
    with pytest.raises(psycopg.errors.NoDataFound):
        await other_tenant.queue(job).sweep()


async def test_a_job_of_many_cells_is_expanded_in_parts(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=2500, prompts=2, models=2, repeats=2, expand=False)
    parts = []
    while made := await job.queue.expand():
        parts.append(made)
    assert parts == [16_000, 4_000]
    count = "select count(*), min(item_no), max(item_no) from assay.evaluation_queue where job_id = %s"
    assert await tenant.rows(count, [job.id]) == [(20_000, 0, 19_999)]
    assert await tenant.violations() == []


async def test_workers_that_expand_at_once_make_each_cell_once(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=4100, expand=False)
    made = await asyncio.gather(*(tenant.queue(job, f"w{n}").expand() for n in range(6)))
    assert sorted(made) == [0, 0, 0, 100, 2000, 2000]
    assert await tenant.violations() == []


@st.composite
def grids(draw: st.DrawFn) -> dict[str, object]:
    """Sizes of a grid, with gaps in the cases that take part, and ranges that reach beyond the data set."""
    cases = draw(st.integers(1, 12))
    cuts = draw(st.lists(st.integers(0, cases + 5), unique=True, max_size=6).map(sorted))
    ranges = [(cuts[n], cuts[n + 1]) for n in range(0, len(cuts) - 1, 2)]
    sizes = {name: draw(st.integers(1, 3)) for name in ("prompts", "models", "repeats")}
    estimate = draw(st.sampled_from([(7, 3), (0, 0), (None, None)]))
    return {"cases": cases, "selection": ranges or None, "estimate": estimate, **sizes}


async def expanded(tenant: Tenant, grid: dict[str, object]) -> None:
    """Make a job of this grid and look at each of its cells."""
    job = await tenant.make_job(**grid)
    shape = job.shape
    chosen = [
        case_no
        for case_no in range(shape.cases)
        if shape.selection is None or any(first <= case_no < last for first, last in shape.selection)
    ]
    base, per_byte = shape.estimate
    expected = []
    for case_no in chosen:
        estimate = None if base is None else base + per_byte * len(f'{{"q": "question {case_no}"}}')
        for prompt_no in range(shape.prompts):
            for model_no in range(shape.models):
                for repeat_no in range(shape.repeats):
                    place = (case_no * shape.prompts + prompt_no) * shape.models + model_no
                    number = place * shape.repeats + repeat_no
                    expected.append((number, case_no, prompt_no, model_no, repeat_no, estimate))
    columns = "item_no, case_no, prompt_no, model_no, repeat_no, estimate_nanousd"
    assert await tenant.items(job, columns) == expected
    assert await job.queue.expand() == 0
    await job.queue.record([make_success(item, cost_nanousd=0) for item in await job.queue.claim(1000)])
    await tenant.rows("update assay.evaluation_jobs set state = 'running' where state = 'queued'")
    assert (await job.queue.sweep()).state == "completed"


@given(grid=grids())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_cells_of_any_grid_have_the_numbers_of_their_places(dsn: str, grid: dict[str, object]) -> None:
    async def check() -> None:
        database = Database(dsn, max_connections=1)
        await database.open()
        try:
            await expanded(await Tenant.join(database, new_id()), grid)
        finally:
            await database.close()

    asyncio.run(check())


@pytest.fixture
async def unanalyzed(scratch_dsn: str) -> AsyncIterator[Tenant]:
    """A tenant in a database whose planner has no statistics and never gets any; one connection."""
    with psycopg.connect(scratch_dsn, autocommit=True) as connection:
        tables = connection.execute(
            "select oid::regclass from pg_class where relkind = 'r' and relnamespace = 'assay'::regnamespace"
        )
        for (table,) in tables.fetchall():
            connection.execute(f"alter table {table} set (autovacuum_enabled = false)")
    database = Database(scratch_dsn, max_connections=1)
    await database.open()
    yield await Tenant.join(database, uuid4())
    await database.close()


async def rows_read(tenant: Tenant, job: MadeJob, dsn: str) -> int:
    """Rows and index entries that a few rounds of claim, next attempt, heartbeat, record and sweep read."""

    def count() -> int:
        with psycopg.connect(dsn) as connection:
            row = connection.execute(
                "select (select sum(coalesce(seq_tup_read, 0)) from pg_stat_user_tables)"
                " + (select sum(idx_tup_read) from pg_stat_user_indexes)"
            ).fetchone()
        assert row
        return int(row[0])

    await tenant.rows("select pg_stat_force_next_flush()")
    before = count()
    for _ in range(4):
        items = await job.queue.claim(50)
        await job.queue.heartbeat([item.lease_token for item in items])
        await job.queue.next_attempts([next_of(item) for item in items[:10]])
        await job.queue.release([items[49].lease_token], [])
        await job.queue.record(
            [make_success(item, call_no=1 + (n < 10)) for n, item in enumerate(items[:49])]
        )
        keys = [item.lease_token.to_bytes(32, "big") for item in items]
        assert len(await job.queue.find_answers(keys)) == 49
        await job.queue.sweep()
    await tenant.rows("select pg_stat_force_next_flush()")
    return count() - before


@pytest.mark.parametrize("held_back", [False, True])
async def test_work_reads_no_more_of_a_large_job_than_of_a_small_one(
    unanalyzed: Tenant, scratch_dsn: str, dsn: str, held_back: bool
) -> None:
    with psycopg.connect(dsn) as elsewhere:
        if held_back:
            # A transaction that writes, even into another database, keeps dead rows and their entries alive.
            elsewhere.execute("create temporary table long_transaction ()")
        # Plans are cached while the tables are almost empty: the worst that a connection can have.
        tiny = await unanalyzed.make_job(cases=3, repeats=100)
        await rows_read(unanalyzed, tiny, scratch_dsn)
        small = await rows_read(unanalyzed, await unanalyzed.make_job(cases=2_000), scratch_dsn)
        large = await rows_read(unanalyzed, await unanalyzed.make_job(cases=20_000), scratch_dsn)
        elsewhere.rollback()
    assert large < 1.2 * small + 1_000, (small, large)
    assert large < 200 * 80, "entries and rows of four rounds of fifty cells"
