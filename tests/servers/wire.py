"""An HTTP/1.1 server that does on the wire whatever a test asks for, faults included."""

import asyncio
import gzip
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Self

import orjson

JSON = "application/json"
EVENTS = "text/event-stream"


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        """The body, decoded."""
        return orjson.loads(self.body)


class Wire:
    """One connection, from the side of the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        """Write and flush."""
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Break the connection with a TCP reset."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def hang(self) -> None:
        """Say nothing more until the client goes away."""
        await self.reader.read()


Answer = Callable[[Wire], Awaitable[None]]


class WireServer:
    """Answers with the answers given to it, in order; the last one again and again."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.open_requests = 0
        self.connections = 0
        self._answers: list[Answer] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def will(self, *answers: Answer) -> None:
        """Set what the next requests get."""
        self._answers = list(answers)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(Wire(reader, writer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, wire: Wire) -> None:
        self.connections += 1
        try:
            while True:
                self.asked.append(await _request(wire.reader))
                self.open_requests += 1
                try:
                    answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                    await answer(wire)
                finally:
                    self.open_requests -= 1
                if wire.writer.is_closing():
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            await _shut(wire.writer)


async def _shut(writer: asyncio.StreamWriter) -> None:
    """Close a connection, with nothing left to send but after an answer that closed it itself."""
    if not writer.is_closing():
        writer.transport.abort()
    try:
        await writer.wait_closed()
    except (ConnectionError, asyncio.CancelledError):
        writer.transport.abort()


async def _request(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, path, headers, body)


def head(status: int, headers: dict[str, str]) -> bytes:
    """The head of a response."""
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def respond(status: int, body: bytes, kind: str = JSON, headers: dict[str, str] | None = None) -> Answer:
    """A whole, correct response."""
    fields = {"content-type": kind, "content-length": str(len(body)), **(headers or {})}

    async def answer(wire: Wire) -> None:
        await wire.send(head(status, fields) + body)

    return answer


def zipped(body: bytes, kind: str = JSON) -> Answer:
    """A response in gzip."""
    return respond(200, gzip.compress(body), kind, {"content-encoding": "gzip"})


def in_chunks(
    pieces: Iterable[bytes], kind: str = EVENTS, *, pause_s: float = 0.0, end: str = "proper"
) -> Answer:
    """A chunked response. `end`: proper, stall, cut (closed in the middle), reset, or open (no end sent)."""
    pieces = list(pieces)

    async def answer(wire: Wire) -> None:
        await wire.send(head(200, {"content-type": kind, "transfer-encoding": "chunked"}))
        for piece in pieces:
            await wire.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            await asyncio.sleep(pause_s)
        await _end(wire, end)

    return answer


async def _end(wire: Wire, end: str) -> None:
    if end == "proper":
        await wire.send(b"0\r\n\r\n")
    elif end == "stall":
        await wire.hang()
    elif end == "cut":
        wire.writer.close()
    elif end == "reset":
        await asyncio.sleep(0.02)  # lets the client read what came before the reset
        wire.reset()


def partial(body: bytes, announced: int, end: str, kind: str = JSON) -> Answer:
    """A response that announces more bytes than it sends, and then ends as `in_chunks` does."""

    async def answer(wire: Wire) -> None:
        await wire.send(head(200, {"content-type": kind, "content-length": str(announced)}) + body)
        await _end(wire, end)

    return answer


async def silence(wire: Wire) -> None:
    """No answer at all."""
    await wire.hang()


async def reset_at_once(wire: Wire) -> None:
    """A reset in place of an answer."""
    wire.reset()


async def not_http(wire: Wire) -> None:
    """Bytes that are no HTTP."""
    await wire.send(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
    wire.writer.close()
