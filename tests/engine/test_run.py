"""The loop over a real queue: what it stores, what it hands back, and when it ends."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import pytest

from assay.domain.errors import AccountStopped, ModelUnavailable, RateLimited, RequestRejected, StorageFailed
from assay.domain.events import AccountPaused, CallFailed, ItemsRecorded, RunEnded, RunStarted
from assay.domain.jobs import Recorded, WorkItem
from assay.domain.models import ModelRequest, ModelResponse
from assay.engine.policy import RunPolicy, StopSignal
from assay.engine.run import run
from assay.models.retry import RetryPolicy
from assay.storage.queue import JobQueue
from scenes import QUICK, Scene, yes

HOLDS = """
select count(*) from assay.evaluation_queue where job_id = %s and lease_token = %s and state = 'leased'
"""
AT_ONCE = "update assay.evaluation_queue set available_at = '-infinity' where job_id = %s and item_no = 0"
IN_A_MOMENT = """
update assay.evaluation_queue set available_at = clock_timestamp() + interval '0.4 s' where job_id = %s
"""


async def test_every_cell_is_asked_scored_and_stored_once(stage) -> None:
    scene: Scene = await stage(cases=50, prompts=2, models=2, repeats=2)
    assert await scene.run() == "completed"
    assert await scene.states() == {"succeeded": 400}
    for model in scene.models:
        assert set(Counter(model.asked).values()) == {4}
        assert model.peak <= QUICK.concurrency
    scores = "select count(*), count(distinct metric) from assay.metric_scores where job_id = %s"
    assert await scene.tenant.rows(scores, [scene.job.id]) == [(800, 2)]
    assert await scene.tenant.violations() == []


async def test_events_tell_the_run_from_beginning_to_end(stage) -> None:
    scene: Scene = await stage(cases=20)
    await scene.run()
    assert isinstance(scene.events[0], RunStarted)
    assert scene.events[0].planned == 20
    assert scene.events[-1] == RunEnded(job_id=str(scene.job.id), reason="completed")
    assert sum(event.succeeded for event in scene.events if isinstance(event, ItemsRecorded)) == 20


async def test_what_is_held_is_bounded_by_the_window(stage) -> None:
    held = 0
    most = 0

    class Counting(JobQueue):
        async def claim(
            self, count: int, *, solo: bool = False, skip_models: Sequence[int] = ()
        ) -> list[WorkItem]:
            nonlocal held, most
            items = await super().claim(count, solo=solo, skip_models=skip_models)
            held += len(items)
            most = max(most, held)
            return items

        async def record(self, outcomes) -> list[Recorded]:
            nonlocal held
            answers = await super().record(outcomes)
            held -= len(answers)
            return answers

    scene: Scene = await stage(cases=300)
    assert await scene.run(as_class(scene, Counting)) == "completed"
    assert most <= scene.policy.window(float("1e9")) < 300


async def test_a_drain_hands_back_what_was_not_sent(stage) -> None:
    scene: Scene = await stage(cases=30)
    released = asyncio.Event()

    async def slow(request: ModelRequest) -> ModelResponse:
        if scene.models[0].open == QUICK.concurrency:
            scene.stop.drain()
            asyncio.get_running_loop().call_later(0.1, released.set)
        await released.wait()
        return await yes(request)

    scene.models[0].ask = slow
    assert await scene.run() == "interrupted"
    assert await scene.states() == {"succeeded": 4, "ready": 26}
    assert await scene.tenant.items(scene.job, "attempts") == [1] * 4 + [0] * 26
    assert {state for _, _, state, _ in await scene.calls()} == {"settled"}
    assert await scene.tenant.violations() == []
    assert (await scene.tenant.money(scene.job))[0] == 0


async def test_a_drain_in_the_middle_of_a_claim_leaves_no_lease(stage) -> None:
    class Slow(JobQueue):
        async def claim(
            self, count: int, *, solo: bool = False, skip_models: Sequence[int] = ()
        ) -> list[WorkItem]:
            items = await super().claim(count, solo=solo, skip_models=skip_models)
            scene.stop.drain()
            await asyncio.sleep(0.1)
            return items

    scene: Scene = await stage(cases=30)
    assert await scene.run(as_class(scene, Slow)) == "interrupted"
    assert await scene.states() == {"ready": 30}
    assert scene.models[0].asked == []
    assert set(await scene.tenant.items(scene.job, "attempts")) == {0}
    assert await scene.tenant.violations() == []


async def test_a_drain_does_not_wait_for_cells_between_two_attempts(stage) -> None:
    scene: Scene = await stage(cases=4)
    scene.retry = RetryPolicy(base_s=600.0, cap_s=600.0)

    async def fail(_: ModelRequest) -> ModelResponse:
        asyncio.get_running_loop().call_later(0.2, scene.stop.drain)
        raise ModelUnavailable("503", http_status=503, retry_after_s=50.0)

    scene.models[0].ask = fail
    assert await scene.run() == "interrupted"
    assert await scene.states() == {"ready": 4}
    for item_no in range(4):
        calls = [call[1:] for call in await scene.calls() if call[0] == item_no]
        assert calls == [(1, "settled", "model_unavailable"), (2, "settled", "released")]
    assert await scene.tenant.items(scene.job, "attempts") == [1] * 4
    assert await scene.tenant.violations() == []


async def test_an_abort_leaves_no_lease_and_counts_what_was_sent_as_unknown(stage) -> None:
    scene: Scene = await stage(cases=30)

    async def hang(_: ModelRequest) -> ModelResponse:
        if scene.models[0].open == QUICK.concurrency:
            scene.stop.abort()
        await asyncio.Event().wait()
        raise AssertionError

    scene.models[0].ask = hang
    assert await scene.run() == "interrupted"
    assert await scene.states() == {"ready": 30}
    states = Counter(state for _, _, state, _ in await scene.calls())
    assert states["unknown"] == 4
    assert set(states) == {"unknown", "settled"}
    assert await scene.tenant.violations() == []


async def test_a_lease_that_was_lost_is_dropped_and_the_cell_answered_once(stage) -> None:
    scene: Scene = await stage(cases=6)
    first = True

    async def lose(request: ModelRequest) -> ModelResponse:
        nonlocal first
        if first:
            first = False
            while await scene.tenant.value(HOLDS, [scene.job.id, request.tag.lease_token]):
                await scene.tenant.crash(scene.job, "here")  # a heartbeat in between saves the lease
            await asyncio.Event().wait()
        return await yes(request)

    scene.models[0].ask = lose
    assert await scene.run() == "completed"
    assert await scene.states() == {"succeeded": 6}
    assert await scene.tenant.violations() == []


async def test_a_job_that_is_cancelled_elsewhere_ends_within_a_heartbeat(stage) -> None:
    scene: Scene = await stage(cases=40)

    async def cancel(_: ModelRequest) -> ModelResponse:
        if scene.models[0].open == QUICK.concurrency:
            await scene.tenant.move(scene.job, "cancelling")
        await asyncio.Event().wait()
        raise AssertionError

    scene.models[0].ask = cancel
    assert await scene.run() == "cancelled"
    assert await scene.states() == {"cancelled": 40}
    assert len(scene.models[0].asked) == 4
    assert (
        await scene.tenant.value(
            "select count(*) from assay.model_calls where job_id = %s and state = 'unknown'", [scene.job.id]
        )
        == 4
    )
    assert await scene.tenant.violations() == []


async def test_a_job_that_is_paused_elsewhere_finishes_what_is_under_way(stage) -> None:
    scene: Scene = await stage(cases=60, policy=replace(QUICK, batch_size=4))

    async def pause(request: ModelRequest) -> ModelResponse:
        if len(scene.models[0].asked) == 5:
            await scene.tenant.move(scene.job, "paused")
        return await yes(request)

    scene.models[0].ask = pause
    assert await scene.run() == "paused"
    states = await scene.states()
    assert states["succeeded"] == len(scene.models[0].asked)
    assert states["succeeded"] + states["ready"] == 60
    assert await scene.tenant.violations() == []


async def test_a_stopped_account_waits_for_the_cells_of_other_models(stage) -> None:
    scene: Scene = await stage(cases=3, models=2)
    limited: set[str] = set()

    async def stopped(_: ModelRequest) -> ModelResponse:
        raise AccountStopped("no credit", http_status=429)

    async def slow_down(request: ModelRequest) -> ModelResponse:
        if request.tag.case not in limited:
            limited.add(request.tag.case)
            raise RateLimited("slow down", http_status=429, retry_after_s=0.4)
        return await yes(request)

    scene.models[0].ask, scene.models[1].ask = stopped, slow_down
    assert await scene.run() == "account_stopped"
    assert (
        await scene.tenant.items(scene.job, "model_no, state::text") == [(0, "ready"), (1, "succeeded")] * 3
    )
    assert await scene.tenant.items(scene.job, "attempts") == [0, 1] * 3
    assert len([event for event in scene.events if isinstance(event, AccountPaused)]) == 1
    assert await scene.tenant.violations() == []


async def test_a_stopped_account_is_not_asked_for_cells_that_were_claimed_ahead(stage) -> None:
    scene: Scene = await stage(cases=40)

    async def stopped(_: ModelRequest) -> ModelResponse:
        await asyncio.sleep(0.05)
        raise AccountStopped("no credit", http_status=402)

    scene.models[0].ask = stopped
    assert await scene.run() == "account_stopped"
    assert await scene.states() == {"ready": 40}
    assert len(scene.models[0].asked) <= 3 * QUICK.concurrency
    later = await scene.tenant.items(scene.job, "available_at > clock_timestamp()")
    assert not any(later), "who fills it up and resumes need not wait"
    assert await scene.tenant.violations() == []


async def test_a_run_without_a_budget_never_ends_for_want_of_money(stage) -> None:
    class Shy(JobQueue):
        refusals = 4

        async def claim(
            self, count: int, *, solo: bool = False, skip_models: Sequence[int] = ()
        ) -> list[WorkItem]:
            if not solo and self.refusals:
                self.refusals -= 1  # as when another worker holds the rows for a moment
                return []
            return await super().claim(count, solo=solo, skip_models=skip_models)

    scene: Scene = await stage(cases=5)
    assert await scene.run(as_class(scene, Shy)) == "completed"


async def test_a_budget_that_fits_no_further_call_ends_the_run(stage) -> None:
    scene: Scene = await stage(cases=30, cap_nanousd=1000, policy=replace(QUICK, capped=True))
    assert await scene.run() == "budget"
    reserved, spent, _ = await scene.tenant.money(scene.job)
    assert reserved == 0
    assert spent <= 1000
    assert await scene.tenant.violations() == []


async def test_cells_that_wait_for_their_time_are_waited_for(stage) -> None:
    scene: Scene = await stage(cases=3)
    await scene.tenant.rows(IN_A_MOMENT, [scene.job.id])
    assert await scene.run() == "completed"


async def test_a_defect_costs_its_cell_and_is_told(stage) -> None:
    scene: Scene = await stage(cases=6)

    async def broken(request: ModelRequest) -> ModelResponse:
        if request.tag.case == "c3":
            raise ZeroDivisionError("one over zero")
        return await yes(request)

    scene.models[0].ask = broken
    assert await scene.run() == "completed"
    assert await scene.states() == {"succeeded": 5, "failed": 1}
    (told,) = [event for event in scene.events if isinstance(event, CallFailed)]
    assert told.code == "internal_error"
    assert "c3" in told.message
    assert "ZeroDivisionError" in told.message


async def test_a_lost_database_ends_the_run_and_blames_no_cell(stage) -> None:
    scene: Scene = await stage(cases=20)

    async def away(request: ModelRequest) -> ModelResponse:
        if request.tag.case == "c3":
            raise StorageFailed("PostgreSQL did not come back")
        return await yes(request)

    scene.models[0].ask = away
    with pytest.raises(StorageFailed):
        await scene.run()
    assert "failed" not in await scene.states()


async def test_a_call_that_loses_its_cancellation_does_not_keep_the_run_from_ending(stage) -> None:
    scene: Scene = await stage(cases=2)
    waiting = asyncio.Event()

    async def deaf(request: ModelRequest) -> ModelResponse:
        if request.tag.case == "c0":
            await waiting.wait()
            raise StorageFailed("PostgreSQL did not come back")
        waiting.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()
        raise AssertionError("nobody sets the event")

    scene.models[0].ask = deaf
    with pytest.raises(StorageFailed):
        await scene.run()


async def test_failures_up_to_the_limit_end_the_run(stage) -> None:
    scene: Scene = await stage(cases=100, policy=replace(QUICK, max_errors=3))

    async def refuse(_: ModelRequest) -> ModelResponse:
        await asyncio.sleep(0.01)
        raise RequestRejected("bad", http_status=400)

    scene.models[0].ask = refuse
    assert await scene.run() == "errors"
    states = await scene.states()
    assert 3 <= states["failed"] == len(scene.models[0].asked) < 100
    assert await scene.tenant.violations() == []


async def test_a_call_that_keeps_failing_has_all_its_attempts_in_the_ledger(stage) -> None:
    scene: Scene = await stage(cases=5)
    scene.retry = RetryPolicy(base_s=0.01)

    async def fail(request: ModelRequest) -> ModelResponse:
        if request.tag.case == "c2":
            raise ModelUnavailable(f"always so {scene.models[0].asked.count('c2')}")
        return await yes(request)

    scene.models[0].ask = fail
    assert await scene.run() == "completed"
    assert scene.models[0].asked.count("c2") == 6
    calls = [call[1:] for call in await scene.calls() if call[0] == 2]
    assert calls == [(n, "settled", "model_unavailable") for n in range(1, 7)]
    assert await scene.tenant.items(scene.job, "attempts, error_message") == [
        *[(1, None)] * 2,
        (6, "always so 6"),
        *[(1, None)] * 2,
    ]
    assert await scene.tenant.violations() == []


async def test_a_cell_whose_lease_was_lost_twice_runs_alone(stage) -> None:
    scene: Scene = await stage(cases=5)
    for _ in range(2):
        (claimed,) = await scene.job.queue.claim(1)
        assert claimed.item_no == 0
        await scene.tenant.crash(scene.job)
        await scene.tenant.rows(AT_ONCE, [scene.job.id])
    assert await scene.tenant.items(scene.job, "solo") == [True] + [False] * 4
    alone: list[int] = []

    async def look(request: ModelRequest) -> ModelResponse:
        if request.tag.item_no == 0:
            await asyncio.sleep(0.05)
            alone.append(scene.models[0].open)
        return await yes(request)

    scene.models[0].ask = look
    assert await scene.run() == "completed"
    assert alone == [1]
    assert await scene.tenant.violations() == []


async def test_two_workers_share_a_job(stage) -> None:
    scene: Scene = await stage(cases=150)

    async def brief(request: ModelRequest) -> ModelResponse:
        await asyncio.sleep(0.005)
        return await yes(request)

    scene.models[0].ask = brief
    queues = [scene.tenant.queue(scene.job, name) for name in ("one", "two")]
    runs = [run(scene.context(queue, StopSignal()), planned=150, done=0) for queue in queues]
    async with asyncio.timeout(120):
        assert await asyncio.gather(*runs) == ["completed", "completed"]
    assert set(Counter(scene.models[0].asked).values()) == {1}
    workers = "select count(distinct worker) from assay.model_calls where job_id = %s"
    assert await scene.tenant.value(workers, [scene.job.id]) == 2
    assert await scene.tenant.violations() == []


def as_class(scene: Scene, kind: type[JobQueue]) -> JobQueue:
    """The job's queue with a part of it slowed or watched."""
    queue = scene.tenant.queue(scene.job, "here")
    queue.__class__ = kind
    return queue


def test_a_slow_provider_is_given_a_narrow_window() -> None:
    policy = RunPolicy(concurrency=10)
    assert policy.window(pace=5) == 15
    assert policy.window(pace=100) == 50
    assert policy.window(pace=1e6) == 84
