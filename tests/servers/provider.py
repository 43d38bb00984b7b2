"""An OpenAI-compatible provider in a thread of its own, for tests that start runs and processes."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import orjson
import wire

INPUT_TOKENS, OUTPUT_TOKENS = 10, 5


@dataclass(frozen=True)
class Question:
    """A request: its number from 0, the last message, how often the same was asked before, and the rest."""

    number: int
    text: str
    seen: int
    body: dict[str, Any]
    headers: dict[str, str]


Decide = Callable[[Question], wire.Answer]


class Provider(wire.WireServer):
    """Repeats the question after `latency_s`, or does what `decide` says. Counts all that comes."""

    def __init__(self) -> None:
        super().__init__()
        self.questions: list[Question] = []
        self.latency_s = 0.0
        self.decide: Decide = repeat
        self.peak = 0
        self.on_question: Callable[[int], None] | None = None
        self._seen: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def count(self) -> int:
        """How many requests have come."""
        return len(self.questions)

    @property
    def counts(self) -> Counter[str]:
        """How often each question has come."""
        return Counter(question.text for question in self.questions)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.__aenter__(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.__aexit__(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self, connection: wire.Wire) -> None:
        try:
            while True:
                question = self._note(await wire._request(connection.reader))
                self.open_requests += 1
                self.peak = max(self.peak, self.open_requests)
                try:
                    if self.latency_s:
                        await asyncio.sleep(self.latency_s)
                    await self.decide(question)(connection)
                finally:
                    self.open_requests -= 1
                if connection.writer.is_closing():
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            connection.writer.close()

    def _note(self, asked: wire.Asked) -> Question:
        body = asked.json
        text = body["messages"][-1]["content"]
        key = f"{body['model']} {text}"
        question = Question(len(self.questions), text, self._seen[key], body, asked.headers)
        self._seen[key] += 1
        self.questions.append(question)
        if self.on_question is not None:
            self.on_question(question.number)
        return question


def say(text: str) -> wire.Answer:
    """A completion with this text."""
    document = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "test-model-2026",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {
            "prompt_tokens": INPUT_TOKENS,
            "completion_tokens": OUTPUT_TOKENS,
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        },
    }
    return wire.respond(200, orjson.dumps(document))


def repeat(question: Question) -> wire.Answer:
    """A completion that is the question."""
    return say(question.text)


def refuse(status: int, code: str = "problem", message: str = "refused", **headers: str) -> wire.Answer:
    """An error as OpenAI writes it."""
    body = {"error": {"message": message, "type": code, "param": None, "code": code}}
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return wire.respond(status, orjson.dumps(body), headers=fields)
