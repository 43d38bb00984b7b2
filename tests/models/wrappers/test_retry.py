"""The retry layer: what is repeated, when, and what the ledger is told before."""

from random import Random

import pytest

from assay.domain.errors import (
    AccountStopped,
    InvalidResponse,
    ModelTimeout,
    ModelUnavailable,
    RateLimited,
    RequestRejected,
)
from assay.domain.events import CallFailed
from assay.domain.models import ModelRequest, ModelResponse
from assay.domain.prompts import Message
from assay.models.limit import Limited, Limiter, LimitPolicy
from assay.models.retry import Retried, RetryPolicy

ANSWER = ModelResponse(text="hi")


def ask(text):
    return ModelRequest(messages=(Message("user", text),))


def down(status=500):
    return ModelUnavailable("down", http_status=status)


@pytest.mark.parametrize(
    "error",
    [down(), ModelTimeout("idle"), InvalidResponse("not JSON"), ModelUnavailable("connection broken")],
)
async def test_what_can_pass_is_repeated_and_each_attempt_is_in_the_ledger_first(
    world, scripted, turns, ledger, error
):
    model = scripted(turns(error, error, ANSWER))
    request = ask("a")
    assert await world.run(Retried(model, ledger, world.surroundings).generate(request)) == [ANSWER]
    assert len(model.requests) == 3
    assert [(attempt[0], attempt[1]) for attempt in ledger.attempts] == [(request, error)] * 2


async def test_no_attempt_starts_before_the_ledger_has_stored_it(world, scripted, turns):
    model = scripted(turns(down(), ANSWER))

    class SlowLedger:
        async def attempt_failed(self, *_):
            assert len(model.requests) == 1
            await world.sleep(500.0)
            assert len(model.requests) == 1

    assert await world.run(Retried(model, SlowLedger(), world.surroundings).generate(ask("a"))) == [ANSWER]


async def test_a_ledger_that_refuses_ends_the_attempts(world, scripted, turns):
    class Fenced:
        async def attempt_failed(self, *_):
            raise RuntimeError("the lease is lost")

    model = scripted(turns(down()))
    (result,) = await world.run(Retried(model, Fenced(), world.surroundings).generate(ask("a")))
    assert isinstance(result, RuntimeError)
    assert len(model.requests) == 1


async def test_after_six_failures_the_last_error_is_raised_with_a_note(world, scripted, turns, ledger):
    model = scripted(turns(*(down() for _ in range(20))))
    (error,) = await world.run(Retried(model, ledger, world.surroundings).generate(ask("a")))
    assert isinstance(error, ModelUnavailable)
    assert len(model.requests) == 6
    assert len(ledger.attempts) == 5
    assert error.details["attempts"] == 6
    assert "6 attempts" in error.__notes__[0]
    failed = [event for event in world.events if isinstance(event, CallFailed)]
    assert [event.attempt for event in failed] == [1, 2, 3, 4, 5, 6]
    assert [event.wait_s is None for event in failed] == [False] * 5 + [True]


@pytest.mark.parametrize(
    "error",
    [RequestRejected("bad", http_status=400), AccountStopped("no credit", http_status=429)],
)
async def test_what_repeating_cannot_help_is_raised_at_once(world, scripted, turns, ledger, error):
    model = scripted(turns(error))
    assert await world.run(Retried(model, ledger, world.surroundings).generate(ask("a"))) == [error]
    assert (len(model.requests), ledger.attempts, world.now) == (1, [], 0.0)


async def test_waits_are_full_jitter_from_one_second_to_a_minute(world, scripted, turns, ledger):
    policy = RetryPolicy(max_attempts=12)
    await world.run(
        *(
            Retried(scripted(turns(down())), ledger, world.surroundings, policy).generate(ask(str(number)))
            for number in range(200)
        )
    )
    by_attempt = {}
    for event in world.events:
        if event.wait_s is not None:
            by_attempt.setdefault(event.attempt, []).append(event.wait_s)
    for attempt, waits in by_attempt.items():
        top = min(60.0, 2.0 ** (attempt - 1))
        assert 0.0 <= min(waits) < 0.1 * top
        assert 0.9 * top < max(waits) <= top


async def test_a_servers_wait_is_kept(world, scripted, turns, ledger):
    model = scripted(turns(ModelUnavailable("busy", http_status=503, retry_after_s=45.0), ANSWER))
    await world.run(Retried(model, ledger, world.surroundings).generate(ask("a")))
    assert world.now == 45.0


@pytest.mark.parametrize("kind", [RateLimited, ModelUnavailable])
async def test_a_wait_longer_than_a_minute_is_left_to_the_queue(world, scripted, turns, ledger, kind):
    model = scripted(turns(kind("later", retry_after_s=600.0)))
    (error,) = await world.run(Retried(model, ledger, world.surroundings).generate(ask("a")))
    assert (type(error), error.retry_after_s, world.now) == (kind, 600.0, 0.0)
    assert ledger.attempts == []


async def test_rate_limits_do_not_count_as_failures_but_are_bounded(world, scripted, turns, ledger):
    model = scripted(turns(*[RateLimited("slow")] * 7, *[down()] * 5, ANSWER))
    assert await world.run(Retried(model, ledger, world.surroundings).generate(ask("a"))) == [ANSWER]
    model = scripted(turns(RateLimited("slow")))
    (error,) = await world.run(Retried(model, ledger, world.surroundings).generate(ask("a")))
    assert len(model.requests) == 8
    assert 0.0 < error.retry_after_s <= 60.0


async def test_a_request_that_alone_fails_with_one_status_is_rejected_after_five(world, scripted, ledger):
    async def answer(request):
        await world.sleep(1.0)
        if request.messages[0].content == "poison":
            raise down()
        return ANSWER

    model = scripted(answer)
    retried = Retried(model, ledger, world.surroundings)
    results = await world.run(*(retried.generate(ask(text)) for text in ("poison", "a", "b")))
    assert isinstance(results[0], RequestRejected)
    assert "rejects this input" in results[0].message
    assert results[0].http_status == 500
    assert sum(request.messages[0].content == "poison" for request in model.requests) == 5


async def test_failures_of_a_request_add_up_over_its_turns_in_the_queue(world, scripted, ledger):
    async def answer(request):
        if request.messages[0].content == "poison":
            raise down()
        return ANSWER

    retried = Retried(scripted(answer), ledger, world.surroundings, RetryPolicy(max_attempts=2))
    kinds = []
    for _ in range(3):
        kinds += [type(result) for result in await world.run(retried.generate(ask("poison")))]
        await world.run(retried.generate(ask("fine")))
    assert kinds == [ModelUnavailable, ModelUnavailable, RequestRejected]


async def test_an_outage_is_not_taken_for_a_rejected_input(world, scripted, ledger):
    async def answer(_):
        await world.sleep(1.0)
        raise down(503)

    retried = Retried(scripted(answer), ledger, world.surroundings)
    results = await world.run(*(retried.generate(ask(str(number))) for number in range(20)))
    assert {type(result) for result in results} == {ModelUnavailable}


async def test_changing_statuses_are_no_verdict(world, scripted, turns, ledger):
    poison = scripted(turns(down(500), ANSWER, down(502), ANSWER, down(500), ANSWER, down(502), ANSWER))
    retried = Retried(poison, ledger, world.surroundings)
    results = []
    for _ in range(4):
        results += await world.run(retried.generate(ask("same")))
    assert results == [ANSWER] * 4


async def test_the_same_chance_gives_the_same_waits(new_world, scripted, turns, ledger):
    ends = []
    for _ in range(2):
        world = new_world()
        assert world.surroundings.rng.random() == Random(7).random()
        model = scripted(turns(down(), down(), down(), ANSWER))
        await world.run(Retried(model, ledger, world.surroundings).generate(ask("a")))
        ends.append(world.now)
    assert ends[0] == ends[1] > 0.0


async def test_a_failed_attempts_latency_leaves_out_the_wait_for_a_slot(world, scripted, ledger):
    async def answer(request):
        await world.sleep(2.0)
        if request.messages[0].content == "bad" and len(ledger.attempts) == 0:
            raise down()
        return ANSWER

    limiter = Limiter("m", LimitPolicy(start=1, maximum=1), world.surroundings)
    model = Retried(Limited(scripted(answer), limiter, world.surroundings), ledger, world.surroundings)
    await world.run(model.generate(ask("first")), model.generate(ask("bad")))
    assert [round(attempt[2]) for attempt in ledger.attempts] == [2000]


async def test_closing_closes_what_is_behind(world, scripted, turns, ledger):
    model = scripted(turns(ANSWER))
    limited = Limited(model, Limiter("m", LimitPolicy(), world.surroundings), world.surroundings)
    await Retried(limited, ledger, world.surroundings).close()
    assert model.closed
