"""Limit and retry against a server that speaks HTTP and refuses in bursts."""

import asyncio
import time
from random import Random

from assay.domain.errors import ModelUnavailable, RateLimited
from assay.domain.events import LimitChanged
from assay.domain.models import ModelConfig, ModelRequest, ModelResponse
from assay.domain.prompts import Message
from assay.models.limit import Limited, Limiter, LimitPolicy
from assay.models.retry import Retried, RetryPolicy
from assay.models.surroundings import Surroundings

LIMIT = 6
PAUSE_S = 0.25


class BurstyServer:
    """Answers after 10 ms; from each 25th request on it refuses everything for PAUSE_S."""

    def __init__(self):
        self.in_flight = self.peak = self.answered = self.refused = self.accepted = 0
        self.refuse_until = 0.0

    async def serve(self, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            status, headers = await self.decide()
        finally:
            self.in_flight -= 1
        writer.write(f"HTTP/1.1 {status}\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def decide(self):
        now = time.monotonic()
        if now >= self.refuse_until:
            self.accepted += 1
            if self.accepted % 25:
                await asyncio.sleep(0.01)
                self.answered += 1
                return "200 OK", ""
            self.refuse_until = now + PAUSE_S
        self.refused += 1
        return "429 Too Many Requests", f"Retry-After: {PAUSE_S}\r\n"


class HttpModel:
    """A provider of twenty lines: one request on one connection."""

    def __init__(self, port):
        self.config = ModelConfig(name="http", provider="test", model="m")
        self.port = port
        self.sent_at, self.refused_at = [], []

    async def generate(self, request):
        self.sent_at.append(time.monotonic())
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(f"POST /{request.messages[0].content} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        finally:
            writer.close()
            await writer.wait_closed()
        status = int(head[0].split()[1])
        headers = dict(line.lower().split(": ") for line in head[1:] if line)
        if status == 429:
            self.refused_at.append(time.monotonic())
            raise RateLimited("429", http_status=429, retry_after_s=float(headers["retry-after"]))
        if status != 200:
            raise ModelUnavailable("no", http_status=status)
        return ModelResponse(text="ok", headers=headers)

    async def close(self):
        pass


async def test_bursts_of_429_lose_nothing_and_no_request_leaves_during_a_pause(ledger):
    burst = BurstyServer()
    server = await asyncio.start_server(burst.serve, "127.0.0.1", 0)
    events = []
    world = Surroundings(clock=time.monotonic, sleep=asyncio.sleep, rng=Random(3), emit=events.append)
    provider = HttpModel(server.sockets[0].getsockname()[1])
    limiter = Limiter("http", LimitPolicy(start=LIMIT, maximum=LIMIT, cooldown_s=0.1), world)
    model = Retried(Limited(provider, limiter, world), ledger, world, RetryPolicy(base_s=0.01))
    requests = [ModelRequest(messages=(Message("user", str(number)),)) for number in range(100)]
    async with server:
        answers = await asyncio.gather(*(model.generate(request) for request in requests))
    assert [answer.text for answer in answers] == ["ok"] * 100
    assert burst.answered == 100
    assert burst.refused == len(ledger.attempts) > 0
    assert burst.peak <= LIMIT
    for refused_at in provider.refused_at:
        assert not [at for at in provider.sent_at if refused_at < at < refused_at + PAUSE_S]
    assert any(isinstance(event, LimitChanged) and event.limit < LIMIT for event in events)
    assert limiter.in_flight == 0
