"""A stand-in for an OpenAI-compatible provider that costs next to nothing, for measurements.

    python benchmarks/load_server.py --latency-ms 200 --port 8099

Answers POST /v1/chat/completions after a chosen time, with a text that follows from the request: the same
question gets the same answer, others get others. GET /stats counts. It speaks just enough HTTP/1.1 for
clients that keep their connections: bodies with a Content-Length, no chunks, no streaming.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from importlib import import_module
from importlib.util import find_spec

SENTENCES = 64
SENTENCE_WORDS = 11
MAX_BODY_BYTES = 16 * 1024 * 1024
MAX_HEAD_BYTES = 64 * 1024
FAULTS = ("status_500", "status_429", "reset")
_TEXT = """
the house street garden price kitchen room sunny quiet near station school park bath level wide double
brick roof timber floor north aspect rent bond weekly lease agent auction sold owner stone modern large
small bright secure parking storage balcony view river beach city suburb walk minutes from with and over
beside under a of to its has offers includes newly renovated original freshly
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How the provider behaves. `fault_rate` is the share of calls that fail, in [0, 1]."""

    latency_ms: float = 0.0
    jitter_ms: float = 0.0
    fault_rate: float = 0.0
    answer_words: int = 55
    seed: int = 0


@dataclass(slots=True)
class Stats:
    """What was counted since the start."""

    requests: int = 0
    answered: int = 0
    in_flight: int = 0
    peak_in_flight: int = 0
    connections: int = 0
    abandoned: int = 0
    faults: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FAULTS, 0))


def make_sentences(words: int = SENTENCE_WORDS, count: int = SENTENCES) -> list[str]:
    """The sentences of which answers are made; references made of them share n-grams with answers."""
    rng, vocabulary = random.Random(20240229), _TEXT.split()
    return [" ".join(rng.choices(vocabulary, k=words)).capitalize() + "." for _ in range(count)]


class Answers:
    """Texts that follow from the bytes of the request."""

    def __init__(self, words: int) -> None:
        self._length = max(1, round(words / SENTENCE_WORDS))
        self._words = words
        self._sentences = make_sentences(min(SENTENCE_WORDS, words))
        start = {"id": "", "object": "chat.completion", "created": 1700000000, "model": "bench"}
        self._head = json.dumps(start, separators=(",", ":")).replace('"id":""', '"id":"%s"')[:-1]

    def document(self, body: bytes) -> bytes:
        """A chat completion as JSON."""
        digest = blake2b(body, digest_size=16).digest()
        chosen = [self._sentences[digest[n % 16] % SENTENCES] for n in range(self._length)]
        text = " ".join(chosen)
        asked, answered = len(body) // 4 + 1, self._words * 4 // 3 + 1
        return (
            f'{self._head % digest.hex()},"system_fingerprint":"fp_bench","choices":[{{"index":0,'
            f'"message":{{"role":"assistant","content":"{text}"}},"finish_reason":"stop"}}],'
            f'"usage":{{"prompt_tokens":{asked},"completion_tokens":{answered},'
            f'"total_tokens":{asked + answered}}}}}'
        ).encode()


class Provider:
    """What all connections share: the behaviour, the counters and chance."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.stats = Stats()
        self._answers = Answers(behaviour.answer_words)
        self._rng = random.Random(behaviour.seed)

    def delay_s(self) -> float:
        """How long this call takes."""
        behaviour = self.behaviour
        if not behaviour.jitter_ms:
            return behaviour.latency_ms / 1000
        spread = self._rng.uniform(-behaviour.jitter_ms, behaviour.jitter_ms)
        return max(0.0, behaviour.latency_ms + spread) / 1000

    def reply(self, body: bytes) -> bytes | None:
        """A whole HTTP response; None for a connection that breaks."""
        if self.behaviour.fault_rate and self._rng.random() < self.behaviour.fault_rate:
            return self._fault(self._rng.choice(FAULTS))
        self.stats.answered += 1
        return response(200, self._answers.document(body))

    def _fault(self, kind: str) -> bytes | None:
        self.stats.faults[kind] += 1
        if kind == "reset":
            return None
        if kind == "status_429":
            error = b'{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}'
            return response(429, error, b"retry-after: 1\r\n")
        return response(500, b'{"error":{"message":"a fault on purpose","type":"server_error"}}')

    def report(self) -> bytes:
        """The counters as JSON."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        counted = {**asdict(self.stats), "cpu_s": used.ru_utime + used.ru_stime}
        return response(200, json.dumps(counted).encode())


_REASONS = {
    200: b"OK",
    400: b"Bad Request",
    404: b"Not Found",
    411: b"Length Required",
    413: b"Content Too Large",
    429: b"Too Many Requests",
    500: b"Internal Server Error",
}


def response(status: int, body: bytes, more: bytes = b"") -> bytes:
    """An HTTP response with a JSON body; `more` are further header lines."""
    return b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n%s\r\n%s" % (
        status,
        _REASONS[status],
        len(body),
        more,
        body,
    )


class Connection(asyncio.Protocol):
    """One connection of a client; requests on it are answered in their order."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._buffer = bytearray()
        self._busy = False
        self._closing = False
        self._timer: asyncio.TimerHandle | None = None
        self._call_later = asyncio.get_running_loop().call_later

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # TCP gives a Transport
        self._provider.stats.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """The client has gone, perhaps without waiting for its answer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._provider.stats.in_flight -= 1
            self._provider.stats.abandoned += 1

    def data_received(self, data: bytes) -> None:
        """Bytes of one or more requests."""
        self._buffer += data
        if not self._busy:
            self._next()

    def _next(self) -> None:
        buffer = self._buffer
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(buffer) > MAX_HEAD_BYTES:
                self._refuse(413)
            return
        head = bytes(buffer[:end]).lower()
        length = _content_length(head)
        if length is None:
            self._refuse(411 if b"\r\ntransfer-encoding:" in head else 400)
        elif length > MAX_BODY_BYTES:
            self._refuse(413)
        elif len(buffer) >= end + 4 + length:
            body = bytes(buffer[end + 4 : end + 4 + length])
            del buffer[: end + 4 + length]
            self._closing = b"\r\nconnection: close" in head
            self._take(head, body)

    def _take(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"post /v1/chat/completions "):
            self._begin(body)
        elif head.startswith(b"get /stats "):
            self._write(self._provider.report())
        else:
            self._write(response(404, b'{"error":{"message":"no such place"}}'))

    def _begin(self, body: bytes) -> None:
        provider = self._provider
        stats = provider.stats
        stats.requests += 1
        stats.in_flight += 1
        if stats.in_flight > stats.peak_in_flight:
            stats.peak_in_flight = stats.in_flight
        delay_s = provider.delay_s()
        if delay_s:
            self._busy = True
            self._timer = self._call_later(delay_s, self._finish, body)
        else:
            self._finish(body)

    def _finish(self, body: bytes) -> None:
        self._timer = None
        self._busy = False
        self._provider.stats.in_flight -= 1
        reply = self._provider.reply(body)
        if reply is None:
            self._transport.abort()
        else:
            self._write(reply)

    def _write(self, reply: bytes) -> None:
        self._transport.write(reply)
        if self._closing:
            self._transport.close()
        elif self._buffer:
            self._next()

    def _refuse(self, status: int) -> None:
        self._transport.write(response(status, b'{"error":{"message":"cannot read this"}}'))
        self._transport.close()


def _content_length(head: bytes) -> int | None:
    """The length of the body; 0 when a GET names none, None when it cannot be known."""
    at = head.find(b"\r\ncontent-length:")
    if at < 0:
        return 0 if head.startswith(b"get ") else None
    stop = head.find(b"\r\n", at + 2)
    value = head[at + 17 : stop if stop >= 0 else len(head)].strip()
    return int(value) if value.isdigit() else None


async def serve(behaviour: Behaviour, port: int, *, follow_stdin: bool) -> None:
    """Serve on 127.0.0.1 until SIGINT or SIGTERM, or until standard input closes; prints the address."""
    loop = asyncio.get_running_loop()
    provider = Provider(behaviour)
    server = await loop.create_server(lambda: Connection(provider), "127.0.0.1", port, backlog=1024)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if follow_stdin:
        loop.add_reader(sys.stdin.fileno(), _stop_at_end_of_input, stop)
    address = server.sockets[0].getsockname()
    print(f"http://127.0.0.1:{address[1]}", flush=True)
    await stop.wait()
    server.close()


def _stop_at_end_of_input(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        stop.set()


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="An OpenAI-compatible server for measurements.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--jitter-ms", type=float, default=0.0, help="plus or minus, uniform")
    parser.add_argument("--fault-rate", type=float, default=0.0, help="share of 500, 429 and resets, 0 to 1")
    parser.add_argument("--answer-words", type=int, default=55)
    parser.add_argument("--seed", type=int, default=0, help="of jitter and faults")
    parser.add_argument("--follow-stdin", action="store_true", help="end when standard input closes")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the server from a command line."""
    given = _parse(arguments)
    behaviour = Behaviour(
        latency_ms=given.latency_ms,
        jitter_ms=given.jitter_ms,
        fault_rate=given.fault_rate,
        answer_words=given.answer_words,
        seed=given.seed,
    )
    run: Callable[..., None] = import_module("uvloop").run if find_spec("uvloop") else asyncio.run
    with suppress(KeyboardInterrupt):
        run(serve(behaviour, given.port, follow_stdin=given.follow_stdin))


if __name__ == "__main__":
    main()
