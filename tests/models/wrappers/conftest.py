"""Virtual time, and a model whose answers a test writes."""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from assay.domain.events import Event
from assay.domain.models import ModelConfig, ModelRequest, ModelResponse
from assay.models.surroundings import Surroundings


class VirtualWorld:
    """A clock that moves only when told to, with the events that were emitted."""

    def __init__(self) -> None:
        self.now = 0.0
        self.events: list[Event] = []
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self.surroundings = Surroundings(
            clock=lambda: self.now, sleep=self.sleep, rng=Random(7), emit=self.events.append
        )

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._numbers), woken))
        await woken

    async def settle(self) -> None:
        """Let every task run until it waits for time."""
        for _ in range(25):
            await asyncio.sleep(0)

    async def advance(self, seconds: float) -> None:
        """Move the clock, waking sleepers at their moments."""
        end = self.now + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, woken = heapq.heappop(self._sleepers)
            self.now = max(self.now, due)
            if not woken.done():
                woken.set_result(None)
                await self.settle()
        self.now = end

    async def run(self, *awaitables: Awaitable[object]) -> list[object]:
        """Run to the end, moving the clock as far as it takes; errors are returned as values."""
        gathered = asyncio.gather(*awaitables, return_exceptions=True)
        await self.settle()
        while not gathered.done():
            assert self._sleepers, "everything waits, and nothing sleeps"
            await self.advance(max(0.0, self._sleepers[0][0] - self.now))
        return await gathered


class ScriptedModel:
    """A Model that answers by a function of the request."""

    def __init__(
        self, answer: Callable[[ModelRequest], Awaitable[ModelResponse]], config: ModelConfig | None = None
    ) -> None:
        self.config = config or ModelConfig(name="scripted", provider="test", model="m")
        self.requests: list[ModelRequest] = []
        self.running = self.peak = 0
        self.closed = False
        self._answer = answer

    async def generate(self, request: ModelRequest) -> ModelResponse:
        self.requests.append(request)
        self.running += 1
        self.peak = max(self.peak, self.running)
        try:
            return await self._answer(request)
        finally:
            self.running -= 1

    async def close(self) -> None:
        self.closed = True


def in_turn(*outcomes: ModelResponse | Exception) -> Callable[[ModelRequest], Awaitable[ModelResponse]]:
    """Give these outcomes one after the other; the last one for ever."""
    left = list(outcomes)

    async def answer(_: ModelRequest) -> ModelResponse:
        outcome = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return answer


class Ledger:
    """Notes the failed attempts that are told to it."""

    def __init__(self) -> None:
        self.attempts: list[tuple[ModelRequest, Exception, float]] = []

    async def attempt_failed(self, request: ModelRequest, error: Exception, latency_ms: float) -> None:
        self.attempts.append((request, error, latency_ms))


@pytest.fixture
def world() -> VirtualWorld:
    return VirtualWorld()


@pytest.fixture(scope="session")
def new_world() -> type[VirtualWorld]:
    return VirtualWorld


@pytest.fixture(scope="session")
def scripted() -> type[ScriptedModel]:
    return ScriptedModel


@pytest.fixture(scope="session")
def turns() -> Callable[..., Callable[[ModelRequest], Awaitable[ModelResponse]]]:
    return in_turn


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()
