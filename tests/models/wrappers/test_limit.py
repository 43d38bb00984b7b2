"""The limiter: who may call, how many at once and when."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from assay.domain.errors import ModelUnavailable, RateLimited
from assay.domain.events import LimitChanged
from assay.domain.models import Limits, ModelConfig, ModelRequest, ModelResponse, Usage
from assay.domain.prompts import Message
from assay.models.limit import Limited, Limiter, LimitPolicy, limit_policy, limiters_for
from assay.models.pace import seconds_until_reset

REQUEST = ModelRequest(messages=(Message("user", "hello"),))
ANSWER = ModelResponse(text="hi")


async def clean_calls(world, limiter, count):
    async def call():
        await limiter.acquire()
        await world.sleep(1.0)
        limiter.succeeded(ANSWER)

    await world.run(*(call() for _ in range(count)))


def answer_after(world, seconds):
    async def answer(_):
        await world.sleep(seconds)
        return ANSWER

    return answer


async def test_a_named_concurrency_is_reached_at_once(world, scripted):
    for limits, concurrency in ((Limits(max_concurrency=50), None), (Limits(), 50)):
        policy = limit_policy(limits, concurrency=concurrency)
        model = scripted(answer_after(world, 1.0))
        limited = Limited(model, Limiter("m", policy, world.surroundings), world.surroundings)
        await world.run(*(limited.generate(REQUEST) for _ in range(60)))
        assert model.peak == 50


async def test_calls_start_in_the_order_in_which_they_came(world):
    limiter = Limiter("m", LimitPolicy(start=1), world.surroundings)
    order = []

    async def call(number):
        await limiter.acquire()
        order.append(number)
        await world.sleep(1.0)
        limiter.release()

    await world.run(*(call(number) for number in range(30)))
    assert order == list(range(30))


async def test_slow_start_doubles_until_the_first_429_and_grows_by_a_twentieth_after(world):
    limiter = Limiter("m", LimitPolicy(maximum=500), world.surroundings)
    await clean_calls(world, limiter, 20 + 40)
    assert limiter.limit == 80
    await limiter.acquire()
    limiter.rate_limited(None)
    assert limiter.limit == 64
    await world.advance(15.0)
    await clean_calls(world, limiter, 64)
    assert limiter.limit == 67
    assert all(isinstance(event, LimitChanged) and event.model == "m" for event in world.events)
    assert [event.limit for event in world.events] == [40, 80, 64, 67]


async def test_the_limit_does_not_grow_when_it_is_not_used(world):
    limiter = Limiter("m", LimitPolicy(), world.surroundings)
    for _ in range(10):
        await clean_calls(world, limiter, 10)
    assert limiter.limit == 20


async def test_the_limit_never_exceeds_the_users_maximum(world):
    limiter = Limiter("m", limit_policy(Limits(max_concurrency=30)), world.surroundings)
    await clean_calls(world, limiter, 500)
    assert limiter.limit == 30
    assert world.events == []


async def test_a_burst_of_429_is_one_cut(world):
    limiter = Limiter("m", LimitPolicy(), world.surroundings)
    for _ in range(20):
        await limiter.acquire()
    for _ in range(20):
        limiter.rate_limited(None)
    assert limiter.limit == 16
    await world.advance(14.9)
    await limiter.acquire()
    limiter.rate_limited(None)
    assert limiter.limit == 16
    await world.advance(1.1)
    await limiter.acquire()
    limiter.rate_limited(None)
    assert limiter.limit == 12


async def test_successes_of_the_cooldown_do_not_grow_the_limit(world):
    limiter = Limiter("m", LimitPolicy(), world.surroundings)
    await limiter.acquire()
    limiter.rate_limited(1.0)
    await clean_calls(world, limiter, 16 * 10)
    assert world.now < 15.0
    assert limiter.limit == 16


async def test_a_servers_wait_holds_every_call_of_the_model(world, scripted):
    started = []

    async def answer(_):
        started.append(world.now)
        if len(started) == 1:
            raise RateLimited("slow down", retry_after_s=30.0)
        await world.sleep(1.0)
        return ANSWER

    limiter = Limiter("m", LimitPolicy(start=1), world.surroundings)
    one, two = (Limited(scripted(answer), limiter, world.surroundings) for _ in range(2))
    results = await world.run(one.generate(REQUEST), two.generate(REQUEST), one.generate(REQUEST))
    assert isinstance(results[0], RateLimited)
    assert started == [0.0, 30.0, 31.0]


async def test_a_pause_too_long_to_sit_out_turns_waiting_and_new_calls_away(world):
    limiter = Limiter("m", LimitPolicy(start=1), world.surroundings)
    await limiter.acquire()
    waiting = asyncio.ensure_future(limiter.acquire())
    await world.settle()
    limiter.rate_limited(600.0)
    for late in (waiting, limiter.acquire()):
        with pytest.raises(RateLimited) as caught:
            await late
        assert caught.value.retry_after_s == 600.0
        assert not caught.value.sent
    assert (limiter.in_flight, limiter.waiting) == (0, 0)
    await world.advance(600.0)
    await limiter.acquire()


async def test_server_errors_stop_growth_but_cut_nothing(world, scripted, turns):
    limiter = Limiter("m", LimitPolicy(start=4), world.surroundings)
    model = scripted(turns(ANSWER, ANSWER, ANSWER, ModelUnavailable("down", http_status=500)))
    limited = Limited(model, limiter, world.surroundings)
    results = await world.run(*(limited.generate(REQUEST) for _ in range(4)))
    assert isinstance(results[3], ModelUnavailable)
    assert results[3].details["latency_ms"] == 0.0
    await clean_calls(world, limiter, 3)
    assert limiter.limit == 4
    await clean_calls(world, limiter, 4)
    assert limiter.limit == 8


async def test_cached_answers_are_neutral(world, scripted, turns):
    limiter = Limiter("m", LimitPolicy(start=1), world.surroundings)
    limited = Limited(scripted(turns(ModelResponse(text="", cached=True))), limiter, world.surroundings)
    await world.run(*(limited.generate(REQUEST) for _ in range(20)))
    assert limiter.limit == 1


@pytest.mark.parametrize("style", ["x-ratelimit", "anthropic"])
async def test_headers_slow_calls_down_before_a_fixed_window_is_used_up(world, scripted, style):
    """A provider with 60 calls in each minute of its clock sees 200 calls and refuses none."""
    seen: dict[int, int] = {}

    async def answer(_):
        window, second = divmod(world.now, 60.0)
        seen[int(window)] = seen.get(int(window), 0) + 1
        left = 60 - seen[int(window)]
        if left < 0:
            raise RateLimited("too many")
        await world.sleep(0.2)
        reset_s = 60.0 - second
        if style == "x-ratelimit":
            headers = {
                "x-ratelimit-remaining-requests": str(left),
                "x-ratelimit-reset-requests": f"{reset_s:.3f}s",
            }
        else:
            minutes, seconds = divmod(int(reset_s), 60)
            headers = {
                "date": "Mon, 06 Oct 2025 10:00:00 GMT",
                "anthropic-ratelimit-requests-remaining": str(left),
                "anthropic-ratelimit-requests-reset": f"2025-10-06T10:{minutes:02}:{seconds:02}Z",
            }
        return ModelResponse(text="", headers=headers)

    limiter = Limiter("m", LimitPolicy(start=8, maximum=8), world.surroundings)
    limited = Limited(scripted(answer), limiter, world.surroundings)
    results = await world.run(*(limited.generate(REQUEST) for _ in range(200)))
    refused = sum(isinstance(result, RateLimited) for result in results)
    assert refused == 0
    assert world.now < 240.0


async def test_headers_keep_a_refilling_bucket_at_its_full_rate(world, scripted):
    """A provider that refills one call a second, of at most 30, refuses none of 300 and is kept busy."""
    state = {"level": 30.0, "at": 0.0}

    async def answer(_):
        state["level"] = min(30.0, state["level"] + world.now - state["at"]) - 1.0
        state["at"] = world.now
        if state["level"] < 0.0:
            state["level"] += 1.0
            raise RateLimited("too many")
        headers = {
            "x-ratelimit-remaining-requests": str(int(state["level"])),
            "x-ratelimit-reset-requests": f"{30.0 - state['level']:.3f}s",
        }
        await world.sleep(0.2)
        return ModelResponse(text="", headers=headers)

    limiter = Limiter("m", LimitPolicy(start=8, maximum=8), world.surroundings)
    limited = Limited(scripted(answer), limiter, world.surroundings)
    results = await world.run(*(limited.generate(REQUEST) for _ in range(300)))
    assert not any(isinstance(result, RateLimited) for result in results)
    assert world.now < 1.1 * 300.0


async def test_requests_a_minute_are_kept_from_the_first_second_on(world, scripted):
    starts = []

    async def answer(_):
        starts.append(world.now)
        return ANSWER

    policy = limit_policy(Limits(requests_per_minute=600), concurrency=100)
    limited = Limited(scripted(answer), Limiter("m", policy, world.surroundings), world.surroundings)
    await world.run(*(limited.generate(REQUEST) for _ in range(300)))
    assert sum(start < 1.0 for start in starts) <= 20
    assert max(sum(start <= at < start + 10.0 for at in starts) for start in starts) <= 111
    assert 28.0 <= world.now <= 30.0


async def test_an_idle_minute_is_no_credit_for_a_burst(world):
    limiter = Limiter("m", LimitPolicy(requests_per_minute=60), world.surroundings)
    await world.advance(600.0)
    before = world.now
    await world.run(*(limiter.acquire() for _ in range(10)))
    assert world.now - before == pytest.approx(5.0)


async def test_tokens_a_minute_count_what_was_really_used(world, scripted):
    async def answer(_):
        return ModelResponse(text="", usage=Usage(input_tokens=900, output_tokens=100))

    policy = limit_policy(Limits(tokens_per_minute=60_000))
    for guess in (10.0, 4_000.0):
        before = world.now
        limiter = Limiter("m", policy, world.surroundings)
        model = scripted(answer)
        limited = Limited(model, limiter, world.surroundings, tokens_of=lambda *_, guess=guess: guess)
        for _ in range(61):
            await world.run(limited.generate(REQUEST))
        assert 55.0 <= world.now - before <= 65.0


async def test_a_call_larger_than_the_quota_waits_for_a_full_bucket_and_starts(world):
    limiter = Limiter("m", LimitPolicy(tokens_per_minute=600), world.surroundings)
    await world.run(limiter.acquire(5_000.0))
    assert world.now == pytest.approx(4.0)


async def test_a_slot_granted_to_a_call_that_is_cancelled_goes_to_the_next(world):
    limiter = Limiter("m", LimitPolicy(start=1, requests_per_minute=60), world.surroundings)
    await limiter.acquire()
    await world.advance(10.0)
    first, second = (asyncio.ensure_future(limiter.acquire()) for _ in range(2))
    await world.settle()
    limiter.release()
    first.cancel()
    await world.settle()
    assert first.cancelled()
    assert second.done()
    assert (limiter.in_flight, limiter.waiting) == (1, 0)


async def test_a_light_call_is_not_held_by_the_wait_of_a_heavy_one_that_was_cancelled(world):
    limiter = Limiter("m", LimitPolicy(tokens_per_minute=600), world.surroundings)
    heavy = asyncio.ensure_future(limiter.acquire(50.0))
    await world.settle()
    light = asyncio.ensure_future(limiter.acquire(11.0))
    await world.settle()
    heavy.cancel()
    await world.advance(0.2)
    assert light.done()


async def test_models_of_one_account_share_a_limiter_with_the_strictest_limits(world):
    configs = [
        ModelConfig(name="cold", provider="openai", model="a", limits=Limits(max_concurrency=9)),
        ModelConfig(name="hot", provider="openai", model="a", limits=Limits(max_concurrency=7)),
        ModelConfig(name="other key", provider="openai", model="a", key_variable="OTHER_KEY"),
    ]
    limiters = limiters_for(configs, world.surroundings)
    assert limiters["cold"] is limiters["hot"]
    assert limiters["cold"].limit == 7
    assert limiters["other key"].limit == 20


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("2m59.56s", 179.56),
        ("120ms", 0.12),
        ("1h2m3s", 3723.0),
        ("7.5", 7.5),
        ("2025-10-06T10:01:30Z", 91.0),
        ("", 0.0),
        ("soon", 0.0),
    ],
)
def test_reset_headers_are_read_in_every_notation(text, seconds):
    assert seconds_until_reset(text, "Mon, 06 Oct 2025 10:00:00 GMT") == pytest.approx(seconds)


def test_a_reset_time_without_a_date_is_no_hint():
    assert seconds_until_reset("2025-10-06T10:01:30Z") == 0.0


class LimiterMachine(RuleBasedStateMachine):
    """Any order of asking, answering, cancelling and waiting; `new_world` is set by the test."""

    new_world = None

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.world = self.new_world()
        policy = LimitPolicy(start=3, maximum=6, requests_per_minute=240, tokens_per_minute=6_000)
        self.limiter = Limiter("m", policy, self.world.surroundings)
        self.tasks = []
        self.finish = {}
        self.order = []

    def do(self, coroutine):
        return self.loop.run_until_complete(coroutine)

    async def call(self, number, tokens):
        await self.limiter.acquire(tokens)
        self.order.append(number)
        assert self.limiter.in_flight <= self.limiter.limit
        self.finish[number] = self.loop.create_future()
        try:
            outcome = await self.finish[number]
        except asyncio.CancelledError:
            self.limiter.release()
            raise
        finally:
            del self.finish[number]
        outcome()

    @rule(tokens=st.sampled_from((0.0, 10.0, 400.0)))
    def ask(self, tokens):
        async def start():
            self.tasks.append(asyncio.ensure_future(self.call(len(self.tasks), tokens)))
            await self.world.settle()

        self.do(start())

    @precondition(lambda self: self.finish)
    @rule(data=st.data(), outcome=st.sampled_from(("success", "429", "429 wait", "5xx", "other")))
    def answer(self, data, outcome):
        number = data.draw(st.sampled_from(sorted(self.finish)))
        end = {
            "success": lambda: self.limiter.succeeded(ANSWER),
            "429": lambda: self.limiter.rate_limited(None),
            "429 wait": lambda: self.limiter.rate_limited(7.0),
            "5xx": self.limiter.failed,
            "other": self.limiter.release,
        }[outcome]
        self.finish[number].set_result(end)
        self.do(self.world.settle())

    @precondition(lambda self: any(not task.done() for task in self.tasks))
    @rule(data=st.data(), free_another=st.booleans(), ticks=st.integers(0, 2))
    def cancel(self, data, free_another, ticks):
        """Cancel a call: while it waits, while it runs, or just when its slot has been granted."""
        alive = [number for number, task in enumerate(self.tasks) if not task.done()]
        number = data.draw(st.sampled_from(alive))
        others = [running for running in self.finish if running != number]

        async def free_and_cancel():
            if free_another and others:
                self.finish[others[0]].set_result(self.limiter.release)
            for _ in range(ticks):
                await asyncio.sleep(0)
            self.tasks[number].cancel()
            await self.world.settle()

        self.do(free_and_cancel())

    @rule(seconds=st.sampled_from((0.1, 1.0, 20.0)))
    def pass_time(self, seconds):
        self.do(self.world.advance(seconds))

    @invariant()
    def every_slot_has_its_call(self):
        assert self.limiter.in_flight == len(self.finish)
        assert 1 <= self.limiter.limit <= 6

    @invariant()
    def who_waits_is_counted(self):
        alive = sum(not task.done() for task in self.tasks)
        assert self.limiter.waiting == alive - len(self.finish)

    @invariant()
    def starts_are_in_order(self):
        assert all(before < after for before, after in pairwise(self.order))

    def teardown(self):
        for _ in range(len(self.tasks) + 1):
            for finish in list(self.finish.values()):
                finish.set_result(self.limiter.release)
            self.do(self.world.advance(100.0))
        assert all(task.done() for task in self.tasks), "a call waits for ever"
        assert (self.limiter.in_flight, self.limiter.waiting) == (0, 0)
        self.loop.close()


def test_no_order_of_calls_answers_cancellations_and_time_loses_a_slot(new_world):
    machine = type("Machine", (LimiterMachine,), {"new_world": staticmethod(new_world)})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=60, stateful_step_count=25, deadline=None)
    )
