"""The load server over real HTTP: what a client would rely on, and what a measurement would."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "load_server.py"
QUESTION = {"model": "bench", "messages": [{"role": "user", "content": "Describe the house."}]}
BODY = json.dumps(QUESTION).encode()
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: bench\r\nContent-Length: %d\r\n\r\n" % len(BODY)


class Running:
    """A load server in a process of its own, and a client with keep-alive."""

    def __init__(self, address: str, session: aiohttp.ClientSession) -> None:
        self.address, self._session = address, session

    async def ask(self, content: str = "hello") -> tuple[int, dict[str, Any]]:
        """The status and the document of one chat completion."""
        question = {"model": "bench", "messages": [{"role": "user", "content": content}]}
        async with self._session.post(f"{self.address}/v1/chat/completions", json=question) as reply:
            return reply.status, await reply.json()

    async def stats(self) -> dict[str, Any]:
        """What it counted."""
        async with self._session.get(f"{self.address}/stats") as reply:
            assert reply.status == 200
            counted: dict[str, Any] = await reply.json()
            return counted

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A bare connection."""
        host, _, port = self.address.removeprefix("http://").partition(":")
        return await asyncio.open_connection(host, int(port))


@asynccontextmanager
async def running(*options: str) -> AsyncIterator[Running]:
    """A load server with these options, ended at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(PROGRAM),
        "--follow-stdin",
        *options,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        address = (await process.stdout.readline()).decode().strip()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            yield Running(address, session)
    finally:
        process.stdin.close()
        assert await process.wait() == 0


Start = Callable[..., Coroutine[Any, Any, Running]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts load servers that end with the test."""
    async with AsyncExitStack() as stack:

        async def open_one(*options: str) -> Running:
            return await stack.enter_async_context(running(*options))

        yield open_one


async def test_an_answer_is_a_chat_completion_of_the_length_that_was_asked_for(start: Start) -> None:
    server = await start("--answer-words", "55")
    status, document = await server.ask()
    (choice,) = document["choices"]
    assert status == 200
    assert choice["finish_reason"] == "stop"
    assert choice["message"]["role"] == "assistant"
    assert len(choice["message"]["content"].split()) == 55
    usage = document["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 55


async def test_the_answer_follows_from_the_question_also_on_another_server(start: Start) -> None:
    first, second = await start(), await start("--seed", "9")
    texts = [(await first.ask(f"case {n}"))[1]["choices"][0]["message"]["content"] for n in range(20)]
    again = [(await second.ask(f"case {n}"))[1]["choices"][0]["message"]["content"] for n in range(20)]
    assert texts == again
    assert len(set(texts)) == 20


async def test_stats_count_requests_and_how_many_were_under_way_at_once(start: Start) -> None:
    server = await start("--latency-ms", "300")
    await asyncio.gather(*(server.ask(str(number)) for number in range(30)))
    stats = await server.stats()
    assert (stats["requests"], stats["answered"], stats["in_flight"]) == (30, 30, 0)
    assert 1 < stats["peak_in_flight"] <= 30


async def test_no_answer_comes_before_its_latency(start: Start) -> None:
    server = await start("--latency-ms", "120", "--jitter-ms", "20")
    loop = asyncio.get_running_loop()
    began = loop.time()
    await server.ask()
    assert loop.time() - began >= 0.1


async def test_one_connection_serves_requests_in_pieces_and_several_in_one_piece(start: Start) -> None:
    server = await start()
    reader, writer = await server.connect()
    request = HEAD + BODY
    for piece in (request[:20], request[20 : len(HEAD) + 5], request[len(HEAD) + 5 :] + request + request):
        writer.write(piece)
        await writer.drain()
    answers = [await _read_response(reader) for _ in range(3)]
    writer.close()
    assert [status for status, _ in answers] == [200, 200, 200]
    assert len({body for _, body in answers}) == 1
    assert (await server.stats())["connections"] == 2


async def test_requests_on_one_connection_are_answered_in_their_order(start: Start) -> None:
    server = await start("--latency-ms", "20")
    reader, writer = await server.connect()
    writer.write(HEAD + BODY + b"GET /nowhere HTTP/1.1\r\nHost: bench\r\n\r\n")
    assert [(await _read_response(reader))[0] for _ in range(2)] == [200, 404]
    writer.close()


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"POST /v1/chat/completions HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"POST /v1/chat/completions HTTP/1.1\r\nHost: b\r\nContent-Length: many\r\n\r\n", 400),
        (b"POST /v1/chat/completions HTTP/1.1\r\nHost: b\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"x" * 70_000, 413),
    ],
    ids=["chunked", "no number", "too long", "no end of the head"],
)
async def test_what_it_cannot_read_is_refused_and_the_connection_closed(
    start: Start, request_head: bytes, status: int
) -> None:
    server = await start()
    reader, writer = await server.connect()
    writer.write(request_head)
    assert (await _read_response(reader))[0] == status
    assert await reader.read() == b""
    writer.close()


async def test_connection_close_is_honoured(start: Start) -> None:
    server = await start()
    reader, writer = await server.connect()
    writer.write(HEAD.replace(b"Host: bench", b"Host: bench\r\nConnection: close") + BODY)
    assert (await _read_response(reader))[0] == 200
    assert await reader.read() == b""
    writer.close()


async def test_faults_come_in_their_three_kinds_and_are_counted(start: Start) -> None:
    server = await start("--fault-rate", "0.5")
    outcomes: dict[str, int] = {"200": 0, "500": 0, "429": 0, "reset": 0}
    for number in range(120):
        reader, writer = await server.connect()
        writer.write(HEAD + BODY)
        try:
            status, _ = await _read_response(reader)
            outcomes[str(status)] += 1
        except (ConnectionResetError, asyncio.IncompleteReadError):
            outcomes["reset"] += 1
        writer.close()
        assert sum(outcomes.values()) == number + 1
    stats = await server.stats()
    assert stats["faults"] == {
        "status_500": outcomes["500"],
        "status_429": outcomes["429"],
        "reset": outcomes["reset"],
    }
    assert all(count > 5 for count in outcomes.values())
    assert stats["requests"] == 120


async def test_a_429_says_when_to_come_back(start: Start) -> None:
    server = await start("--fault-rate", "1")
    head = b""
    for _ in range(60):
        reader, writer = await server.connect()
        writer.write(HEAD + BODY)
        with suppress(ConnectionResetError):
            head = await reader.read(4096)
        writer.close()
        if head.startswith(b"HTTP/1.1 429 "):
            assert b"\r\nretry-after: 1\r\n" in head
            return
    pytest.fail("no 429 came in 60 faults")


async def test_a_client_that_leaves_is_no_longer_in_flight(start: Start) -> None:
    server = await start("--latency-ms", "60000")
    _, writer = await server.connect()
    writer.write(HEAD + BODY)
    await writer.drain()
    while (await server.stats())["in_flight"] != 1:
        await asyncio.sleep(0.01)
    writer.close()
    while (stats := await server.stats())["in_flight"]:
        await asyncio.sleep(0.01)
    assert (stats["abandoned"], stats["answered"]) == (1, 0)


async def _read_response(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    length = next(int(line[15:]) for line in lines if line.lower().startswith(b"content-length:"))
    return int(lines[0].split()[1]), await reader.readexactly(length)
