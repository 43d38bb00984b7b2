"""The cache: one call for one question, and one lookup for many."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.domain.errors import RequestRejected, StorageFailed
from assay.domain.models import ModelRequest, ModelResponse, WorkTag, request_key
from assay.domain.prompts import Message
from assay.models.cache import BatchedCache, Cached


def ask(text, repeat=0, item_no=0):
    tag = WorkTag(item_no=item_no, lease_token=1, prompt="p", case="c")
    return ModelRequest(messages=(Message("user", text),), repeat=repeat, tag=tag)


class Stored:
    """A ResponseCache in memory."""

    def __init__(self, **answers):
        self.answers = answers
        self.lookups = 0

    async def find(self, key):
        self.lookups += 1
        await asyncio.sleep(0)
        return self.answers.get(key.hex())


def slow_answer(world):
    async def answer(request):
        await world.sleep(1.0)
        return ModelResponse(text=request.messages[0].content)

    return answer


async def test_a_stored_answer_is_marked_and_makes_no_call(scripted, turns):
    model = scripted(turns(ModelResponse(text="new")))
    stored = Stored(**{request_key(model.config, ask("a")).hex(): ModelResponse(text="old", latency_ms=7.0)})
    answer = await Cached(model, stored).generate(ask("a"))
    assert answer == ModelResponse(text="old", latency_ms=7.0, cached=True)
    assert model.requests == []


async def test_an_unknown_answer_is_asked_for_and_not_marked(scripted, turns):
    model = scripted(turns(ModelResponse(text="new")))
    assert not (await Cached(model, Stored()).generate(ask("a"))).cached


async def test_one_question_at_one_time_is_one_call(world, scripted):
    model = scripted(slow_answer(world))
    stored = Stored()
    cached = Cached(model, stored)
    answers = await world.run(*(cached.generate(ask("a", item_no=number)) for number in range(5)))
    assert len(model.requests) == stored.lookups == 1
    assert [answer.cached for answer in answers] == [False, True, True, True, True]


async def test_repeats_are_independent_calls(world, scripted):
    model = scripted(slow_answer(world))
    cached = Cached(model, Stored())
    answers = await world.run(*(cached.generate(ask("a", repeat=number)) for number in range(5)))
    assert len(model.requests) == 5
    assert not any(answer.cached for answer in answers)


async def test_who_waits_for_a_failing_call_fails_with_it(world, scripted):
    async def answer(_):
        await world.sleep(1.0)
        raise RequestRejected("no", http_status=400)

    model = scripted(answer)
    cached = Cached(model, Stored())
    results = await world.run(*(cached.generate(ask("a")) for _ in range(3)))
    assert len(model.requests) == 1
    assert all(isinstance(result, RequestRejected) for result in results)
    await world.run(cached.generate(ask("a")))
    assert len(model.requests) == 2, "a failure is not remembered"


async def test_when_the_first_is_cancelled_the_next_takes_its_place(world, scripted):
    model = scripted(slow_answer(world))
    cached = Cached(model, Stored())
    tasks = [asyncio.ensure_future(cached.generate(ask("a"))) for _ in range(3)]
    await world.settle()
    tasks[0].cancel()
    answers = await world.run(*tasks)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert [answer.cached for answer in answers[1:]] == [False, True]
    assert len(model.requests) == 2


async def test_a_cancelled_follower_harms_nobody(world, scripted):
    model = scripted(slow_answer(world))
    cached = Cached(model, Stored())
    tasks = [asyncio.ensure_future(cached.generate(ask("a"))) for _ in range(3)]
    await world.settle()
    tasks[1].cancel()
    answers = await world.run(*tasks)
    assert [type(answer) for answer in answers] == [ModelResponse, asyncio.CancelledError, ModelResponse]
    assert len(model.requests) == 1


def key(number):
    return number.to_bytes(32, "big")


class Table:
    """A fetch that knows the even keys and notes its batches."""

    def __init__(self, world=None):
        self.batches = []
        self.world = world

    async def fetch(self, keys):
        self.batches.append(list(keys))
        if self.world is not None:
            await self.world.sleep(1.0)
        return {each: ModelResponse(text=each.hex()) for each in keys if each[-1] % 2 == 0}


async def test_lookups_of_one_moment_are_one_fetch(world):
    table = Table()
    cache = BatchedCache(table.fetch)
    answers = await world.run(*(cache.find(key(number % 10)) for number in range(40)))
    assert table.batches == [[key(number) for number in range(10)]]
    assert [answer and answer.text for answer in answers[:3]] == [key(0).hex(), None, key(2).hex()]
    assert all(answer.cached for answer in answers if answer)


async def test_lookups_during_a_fetch_are_the_next_one_and_batches_have_a_size(world):
    table = Table(world)
    cache = BatchedCache(table.fetch, max_batch=4)
    first = [asyncio.ensure_future(cache.find(key(number))) for number in range(6)]
    await world.settle()
    second = [asyncio.ensure_future(cache.find(key(number))) for number in range(6, 9)]
    await world.run(*first, *second)
    assert [len(batch) for batch in table.batches] == [4, 4, 1]


async def test_an_error_reaches_all_who_wait_and_nobody_after(world):
    calls = []

    async def fetch(keys):
        calls.append(keys)
        if len(calls) == 1:
            raise StorageFailed("away")
        return {}

    cache = BatchedCache(fetch)
    results = await world.run(*(cache.find(key(number)) for number in range(3)))
    assert [type(result) for result in results] == [StorageFailed] * 3
    assert await cache.find(key(1)) is None


async def test_a_failing_fetch_passes_over_who_was_cancelled(world):
    async def fetch(_):
        await world.sleep(1.0)
        raise StorageFailed("away")

    cache = BatchedCache(fetch)
    tasks = [asyncio.ensure_future(cache.find(key(number))) for number in (1, 1, 2)]
    await world.settle()
    tasks[0].cancel()
    results = await world.run(*tasks)
    assert [type(result) for result in results] == [asyncio.CancelledError, StorageFailed, StorageFailed]


async def test_a_fetch_that_is_cancelled_leaves_nobody_waiting():
    async def fetch(_):
        raise asyncio.CancelledError

    cache = BatchedCache(fetch)
    with pytest.raises(asyncio.CancelledError):
        await cache.find(key(1))
    with pytest.raises(asyncio.CancelledError):
        await cache.find(key(1))


@given(
    lookups=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4), st.booleans()), max_size=30),
    max_batch=st.integers(1, 6),
)
@settings(max_examples=60, deadline=None)
async def test_cancelled_lookups_take_no_answer_from_others(new_world, lookups, max_batch):
    world = new_world()
    cache = BatchedCache(Table(world).fetch, max_batch=max_batch)
    tasks = []
    for number, ticks, cancelled in lookups:
        task = asyncio.ensure_future(cache.find(key(number)))
        tasks.append((number, task, cancelled))
        for _ in range(ticks):
            await asyncio.sleep(0)
        if cancelled:
            task.cancel()
    results = await world.run(*(task for _, task, _ in tasks))
    for (number, _, cancelled), result in zip(tasks, results, strict=True):
        if cancelled:
            assert isinstance(result, asyncio.CancelledError)
        else:
            assert (result.text if result else None) == (key(number).hex() if number % 2 == 0 else None)
