"""The one HTTP client of a process: pooled connections, four time limits, bounded answers.

Foreign errors become ours here and nowhere else. Redirects are not followed, cookies not kept, and
proxies only used when one is named: HTTP_PROXY and its like in the environment are not read, so that
a request goes where the configuration says. Nothing is repeated: that is the retry wrapper's part.
"""

import asyncio
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import FrameType, TracebackType
from typing import Protocol, Self

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import (
    BuilderError,
    DecodeError,
    DetailedPyreqwestError,
    PyreqwestError,
    RequestTimeoutError,
)
from pyreqwest.proxy import ProxyBuilder
from pyreqwest.request import StreamRequest
from pyreqwest.response import Response

from assay import __version__
from assay.domain.errors import InvalidResponse, ModelError, ModelTimeout, ModelUnavailable, RequestRejected
from assay.domain.models import Timeouts
from assay.domain.protocols import Clock

MAX_ANSWER_BYTES = 32 * 1024 * 1024
_LINGER_S = 1.0
"""How long the end of a body is waited for after its protocol said that all was said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where and how a model is asked. `max_bytes` bounds the answer after decompression."""

    url: str
    headers: Mapping[str, str]
    timeouts: Timeouts
    method: str = "POST"
    max_bytes: int = MAX_ANSWER_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer as it came. Header names are in lower case; `body` is empty if a sink took it.

    `latency_ms` runs from handing the request over (`started_at`, by the transport's clock) to the last byte.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    latency_ms: float
    started_at: float = 0.0
    streamed: bool = False


class Sink(Protocol):
    """Takes the body of an event stream piece by piece."""

    @property
    def complete(self) -> bool:
        """Whether the protocol has said that nothing follows."""

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes; may raise a ModelError, which ends the exchange."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportOptions:
    """How connections are kept. Ones older than `recycle_s` are replaced, which resolves names anew."""

    recycle_s: float = 300.0
    pool_idle_s: float = 30.0
    tcp_keepalive_s: float = 30.0
    proxy_url: str | None = None


class Transport:
    """Pooled connections that all models of a process share; close it when the process ends."""

    def __init__(self, *, clock: Clock, options: TransportOptions = TransportOptions()) -> None:
        self._clock, self._options = clock, options
        self._clients: dict[tuple[float, float], tuple[float, Client]] = {}
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def exchange(self, endpoint: Endpoint, body: bytes | None, sink: Sink | None = None) -> Reply:
        """Send one request and read its answer.

        A successful event stream goes to `sink`, anything else into the reply. Raises ModelUnavailable,
        ModelTimeout (the message names the limit), InvalidResponse, or RequestRejected for what cannot
        be sent at all; `sent` is False when there was no connection.
        """
        started = self._clock()
        watch = _Watch(endpoint.timeouts)
        content = b""
        try:
            async with asyncio.timeout_at(watch.deadline) as scope:
                watch.scope = scope
                async with self._request(endpoint, body) as response:
                    watch.heard()
                    headers = _headers(response)
                    streamed = sink is not None and response.status == 200 and _is_event_stream(headers)
                    content = await _read(response, headers, endpoint, sink if streamed else None, watch)
        except PyreqwestError as error:
            raise _ours(error, watch, endpoint) from error
        except TimeoutError as error:
            if sink is None or not sink.complete:
                raise watch.timeout() from error
        latency_ms = (self._clock() - started) * 1e3
        return Reply(
            status=response.status,
            headers=headers,
            body=content,
            latency_ms=latency_ms,
            started_at=started,
            streamed=streamed,
        )

    async def close(self) -> None:
        """Give all connections back; idempotent. No request may be under way."""
        self._closed = True
        clients = [client for _, client in self._clients.values()]
        self._clients.clear()
        for client in clients:
            await client.close()
        if clients:
            await _quiet_threads()

    def _request(self, endpoint: Endpoint, body: bytes | None) -> StreamRequest:
        if self._closed:
            raise ModelUnavailable("the transport is closed", sent=False)
        try:
            builder = self._client(endpoint.timeouts).request(endpoint.method, endpoint.url)
            builder = builder.headers(endpoint.headers).timeout(timedelta(seconds=endpoint.timeouts.total_s))
            if body is not None:
                builder = builder.body_bytes(body)
            # Without a limit the library would hold back the first 64 KiB of a stream.
            return builder.streamed_read_buffer_limit(0).build_streamed()
        except ValueError as error:
            message = f"the request to {endpoint.url} cannot be built: {error}"
            raise RequestRejected(message, sent=False) from error

    def _client(self, timeouts: Timeouts) -> Client:
        """The pool for these limits: the library knows connect and read limits a client, not a request.

        Its read limit is only the backstop that ends abandoned requests; `_Watch` is the precise one.
        """
        key = (timeouts.connect_s, max(timeouts.first_byte_s, timeouts.idle_s))
        now = self._clock()
        found = self._clients.get(key)
        if found is not None and now - found[0] < self._options.recycle_s:
            return found[1]
        client = self._build(*key)
        self._clients[key] = (now, client)  # requests under way keep the old client's connections alive
        return client

    def _build(self, connect_s: float, read_s: float) -> Client:
        options = self._options
        builder = (
            ClientBuilder()
            .user_agent(f"assay/{__version__}")
            .follow_redirects(False)
            .referer(False)
            .connect_timeout(timedelta(seconds=connect_s))
            .read_timeout(timedelta(seconds=read_s))
            .pool_idle_timeout(timedelta(seconds=options.pool_idle_s))
            .tcp_keepalive(timedelta(seconds=options.tcp_keepalive_s))
        )
        if options.proxy_url is None:
            return builder.no_proxy().build()
        return builder.proxy(ProxyBuilder.all(options.proxy_url)).build()


class _Watch:
    """Knows which time limit is running, and moves the deadline whenever bytes arrive."""

    __slots__ = ("_end", "_idle_s", "_limits", "_loop", "deadline", "phase", "scope")

    def __init__(self, limits: Timeouts) -> None:
        self._limits, self._idle_s = limits, limits.idle_s
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self._end = now + limits.total_s
        self.phase = "first byte"
        self.deadline = min(self._end, now + limits.first_byte_s)
        self.scope: asyncio.Timeout | None = None

    def heard(self) -> None:
        """Bytes have arrived: the limit between bytes starts anew."""
        self.phase = "idle"
        self.deadline = min(self._end, self._loop.time() + self._idle_s)
        if self.scope is not None and not self.scope.expired():
            self.scope.reschedule(self.deadline)

    def linger(self) -> None:
        """All was said: wait only a moment for the end of the body."""
        self._idle_s = min(self._idle_s, _LINGER_S)

    def timeout(self) -> ModelTimeout:
        """The error that names the limit which ended the exchange."""
        limits = self._limits
        if self.deadline >= self._end or self._loop.time() >= self._end:
            return ModelTimeout(f"total time limit: no complete answer within {limits.total_s:g} s")
        if self.phase == "idle":
            return ModelTimeout(f"idle time limit: the answer stalled for {limits.idle_s:g} s")
        return ModelTimeout(f"first byte time limit: no answer within {limits.first_byte_s:g} s")


async def _read(
    response: Response, headers: Mapping[str, str], endpoint: Endpoint, sink: Sink | None, watch: _Watch
) -> bytes:
    """The body, or nothing if the sink took it."""
    limit = endpoint.max_bytes
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_large(limit)
    parts: list[bytes] = []
    size = 0
    take = parts.append if sink is None else sink.feed
    read_chunk = response.body_reader.read_chunk
    try:
        while (chunk := await read_chunk()) is not None:
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            take(bytes(chunk))
            if sink is not None and sink.complete:
                watch.linger()
            watch.heard()
    except PyreqwestError:
        if sink is None or not sink.complete:
            raise
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(limit: int) -> InvalidResponse:
    return InvalidResponse(f"the answer is larger than {limit / 1024 / 1024:g} MiB")


def _headers(response: Response) -> dict[str, str]:
    """The headers; values that are not ASCII are left out, as nothing of ours reads such ones."""
    found = response.headers
    try:
        return dict(found.items())
    except ValueError:
        kept = {}
        for name in found.keys():  # noqa: SIM118  (iterating the map itself reads the values too)
            try:
                kept[name] = found[name]
            except ValueError:
                continue
        return kept


def _is_event_stream(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").lower().startswith("text/event-stream")


_NOT_CONNECTED = "client error (Connect)"
_BROKEN = ("reset by peer", "broken pipe", "connection aborted")


def _ours(error: PyreqwestError, watch: _Watch, endpoint: Endpoint) -> ModelError:
    """Translate the library's error.

    Its classes do not tell a refused connection from one that broke after the request had left, which
    decides whether the call may be charged; the causes that it lists do.
    """
    details = error.details if isinstance(error, DetailedPyreqwestError) else None
    causes = [cause["message"] for cause in (details and details["causes"]) or ()]
    reason = causes[-1] if causes else error.message
    if isinstance(error, BuilderError):
        return RequestRejected(f"the request to {endpoint.url} cannot be built: {reason}", sent=False)
    if _NOT_CONNECTED in causes:
        if isinstance(error, RequestTimeoutError):
            limit = endpoint.timeouts.connect_s
            return ModelTimeout(f"connect time limit: no connection within {limit:g} s", sent=False)
        return ModelUnavailable(f"no connection to {endpoint.url}: {reason}", sent=False)
    if isinstance(error, RequestTimeoutError):
        return watch.timeout()
    if any(sign in reason.lower() for sign in _BROKEN):
        return ModelUnavailable(f"the connection broke: {reason}")
    if watch.phase == "idle":
        return InvalidResponse(f"the answer was cut off or cannot be decoded: {reason}")
    if isinstance(error, DecodeError):
        return InvalidResponse(f"the answer is not HTTP: {reason}")
    return ModelUnavailable(f"the connection broke before an answer: {reason}")


async def _quiet_threads(limit_s: float = 1.0) -> None:
    """Wait until no thread of the HTTP library is waking an event loop.

    It does so by a call into Python. An interpreter that ends during such a call aborts the process, which
    happens now and then at the end of a short run on the standard event loop.
    """
    waited_s = 0.0
    while waited_s < limit_s:
        await asyncio.sleep(0.002)  # lets go of the interpreter lock, so that the call can finish
        waited_s += 0.002
        known = {thread.ident for thread in threading.enumerate()}
        foreign = (frame for ident, frame in sys._current_frames().items() if ident not in known)
        if not any(_wakes_a_loop(frame) for frame in foreign):
            return


def _wakes_a_loop(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_name == "call_soon_threadsafe":
            return True
        frame = frame.f_back
    return False
