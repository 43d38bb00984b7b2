"""Answers that need no call: stored ones, and those that another task is fetching already."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from assay.domain.models import ModelConfig, ModelRequest, ModelResponse, request_key
from assay.domain.protocols import Model, ResponseCache

MAX_BATCH = 500

FetchResponses = Callable[[Sequence[bytes]], Awaitable[Mapping[bytes, ModelResponse]]]
"""The stored answers of these keys; keys without one are absent."""


class Cached:
    """A model that is asked only what is not known yet.

    Requests with one key that run at the same time are one call; all but the first get the answer marked
    as cached, or the first one's error. Repeats differ in their keys, so they stay independent. When
    the first is cancelled, the next takes its place.
    """

    def __init__(self, model: Model, cache: ResponseCache) -> None:
        self._model = model
        self._cache = cache
        self._flights: dict[bytes, asyncio.Future[ModelResponse]] = {}

    @property
    def config(self) -> ModelConfig:
        """The configuration of the model behind."""
        return self._model.config

    async def close(self) -> None:
        """Close the model behind."""
        await self._model.close()

    async def generate(self, request: ModelRequest) -> ModelResponse:
        """The stored answer, or the model's."""
        key = request_key(self._model.config, request)
        while (flight := self._flights.get(key)) is not None:
            await asyncio.wait((flight,))
            if not flight.cancelled():
                return replace(flight.result(), cached=True)
        flight = asyncio.get_running_loop().create_future()
        self._flights[key] = flight
        try:
            response = await self._lead(key, request)
        except Exception as error:
            flight.set_exception(error)
            flight.exception()  # read here, because there may be no follower to read it
            raise
        else:
            flight.set_result(response)
            return response
        finally:
            del self._flights[key]
            flight.cancel()

    async def _lead(self, key: bytes, request: ModelRequest) -> ModelResponse:
        stored = await self._cache.find(key)
        if stored is None:
            return await self._model.generate(request)
        return stored if stored.cached else replace(stored, cached=True)


class BatchedCache:
    """A ResponseCache that turns lookups which wait together into one fetch.

    Lookups of one event-loop tick, and those that come while a fetch is under way, go together, at most
    `max_batch` keys at once. An error of a fetch reaches all who wait for it, and nobody else.
    """

    def __init__(self, fetch: FetchResponses, max_batch: int = MAX_BATCH) -> None:
        self._fetch = fetch
        self._max_batch = max_batch
        self._waiting: dict[bytes, list[asyncio.Future[ModelResponse | None]]] = {}
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, key: bytes) -> ModelResponse | None:
        """The stored answer, marked as cached, or None; raises what the fetch raised."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[ModelResponse | None] = loop.create_future()
        self._waiting.setdefault(key, []).append(answer)
        if self._fetching is None:
            self._fetching = loop.create_task(self._fetch_all())
        return await answer

    async def _fetch_all(self) -> None:
        """Fetch until nobody waits. As a task it starts after the present tick's lookups have come."""
        try:
            while self._waiting:
                await self._fetch_batch(self._next_batch())
        finally:
            self._fetching = None
            for answer in [answer for answers in self._waiting.values() for answer in answers]:
                answer.cancel()
            self._waiting.clear()

    def _next_batch(self) -> dict[bytes, list[asyncio.Future[ModelResponse | None]]]:
        batch = {}
        for key in list(self._waiting)[: self._max_batch]:
            wanted = [answer for answer in self._waiting.pop(key) if not answer.done()]
            if wanted:
                batch[key] = wanted
        return batch

    async def _fetch_batch(self, batch: dict[bytes, list[asyncio.Future[ModelResponse | None]]]) -> None:
        if not batch:
            return
        try:
            found = await self._fetch(list(batch))
        except Exception as error:
            for answer in _unanswered(batch):
                answer.set_exception(error)
            return
        except BaseException:
            for answer in _unanswered(batch):
                answer.cancel()
            raise
        for key, answers in batch.items():
            response = found.get(key)
            if response is not None and not response.cached:
                response = replace(response, cached=True)
            for answer in answers:
                if not answer.done():
                    answer.set_result(response)


def _unanswered(
    batch: Mapping[bytes, Sequence[asyncio.Future[ModelResponse | None]]],
) -> list[asyncio.Future[ModelResponse | None]]:
    return [answer for answers in batch.values() for answer in answers if not answer.done()]
