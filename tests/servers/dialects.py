"""What servers of each protocol say, written by hand from the providers' documentation."""

from dataclasses import dataclass
from typing import Any

import orjson
import wire


def event(data: Any, name: str | None = None) -> bytes:
    """One server-sent event."""
    text = data if isinstance(data, bytes) else orjson.dumps(data)
    return (b"event: %s\n" % name.encode() if name else b"") + b"data: " + text + b"\n\n"


@dataclass(frozen=True)
class OpenAi:
    """Chat completions."""

    provider: str = "openai"
    path: str = "/chat/completions"
    overloaded: int = 503

    def body(self, text: str = "Hello", finish: str = "stop", **message: Any) -> dict[str, Any]:
        """A completion."""
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": "gpt-test-2026",
            "system_fingerprint": "fp_1",
            "choices": [
                {
                    "index": 0,
                    "finish_reason": finish,
                    "logprobs": None,
                    "message": {"role": "assistant", "content": text, "refusal": None, **message},
                }
            ],
            "usage": {
                "prompt_tokens": 100,
                "completion_tokens": 30,
                "total_tokens": 130,
                "prompt_tokens_details": {"cached_tokens": 40},
                "completion_tokens_details": {"reasoning_tokens": 20},
            },
        }

    def events(self, pieces: list[str], finish: str | None = "stop") -> list[bytes]:
        """The chunks of a stream."""
        fixed = {"id": "chatcmpl-1", "model": "gpt-test-2026", "system_fingerprint": "fp_1"}
        deltas: list[dict[str, Any]] = [
            {"role": "assistant", "content": ""},
            *({"content": p} for p in pieces),
        ]
        chunks = [
            event({**fixed, "choices": [{"index": 0, "delta": d, "finish_reason": None}]}) for d in deltas
        ]
        if finish is None:
            return chunks
        last = {**fixed, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}
        usage = {**fixed, "choices": [], "usage": self.body()["usage"]}
        return [*chunks, event(last), event(usage), event(b"[DONE]")]

    def error(self, message: str, code: str = "problem") -> dict[str, Any]:
        """An error document."""
        return {"error": {"message": message, "type": code, "param": None, "code": code}}

    stopped = ("insufficient_quota", "You exceeded your current quota.")
    limited = ("rate_limit_exceeded", "Rate limit reached.")


@dataclass(frozen=True)
class Anthropic:
    """Messages."""

    provider: str = "anthropic"
    path: str = "/messages"
    overloaded: int = 529

    def body(self, text: str = "Hello", finish: str = "end_turn", **extra: Any) -> dict[str, Any]:
        """A message."""
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-test",
            "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": text}],
            "stop_reason": finish,
            "usage": {
                "input_tokens": 50,
                "cache_read_input_tokens": 40,
                "cache_creation_input_tokens": 10,
                "output_tokens": 30,
                "output_tokens_details": {"thinking_tokens": 20},
            },
            **extra,
        }

    def events(self, pieces: list[str], finish: str | None = "end_turn") -> list[bytes]:
        """The events of a stream."""
        usage = self.body()["usage"]
        message = {**self.body(), "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
        events = [
            event({"type": "message_start", "message": message}, "message_start"),
            event({"type": "ping"}, "ping"),
            event({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            *(
                event(
                    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": p}},
                    "content_block_delta",
                )
                for p in pieces
            ),
        ]
        if finish is None:
            return events
        ending = {"type": "message_delta", "delta": {"stop_reason": finish}, "usage": {"output_tokens": 30}}
        return [
            *events,
            event({"type": "content_block_stop", "index": 0}, "content_block_stop"),
            event(ending, "message_delta"),
            event({"type": "message_stop"}, "message_stop"),
        ]

    def error(self, message: str, code: str = "api_error") -> dict[str, Any]:
        """An error document."""
        return {"type": "error", "error": {"type": code, "message": message}, "request_id": "req_body"}

    stopped = ("invalid_request_error", "Your credit balance is too low to access the Anthropic API.")
    limited = ("rate_limit_error", "Number of request tokens has exceeded your per-minute rate limit.")


@dataclass(frozen=True)
class Gemini:
    """generateContent."""

    provider: str = "gemini"
    path: str = "/models/test-model:generateContent"
    overloaded: int = 503

    def body(self, text: str = "Hello", finish: str = "STOP", **extra: Any) -> dict[str, Any]:
        """A response."""
        parts = [{"text": "hm", "thought": True}, {"text": text}]
        return {
            "candidates": [
                {"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}
            ],
            "usageMetadata": {
                "promptTokenCount": 100,
                "cachedContentTokenCount": 40,
                "candidatesTokenCount": 10,
                "thoughtsTokenCount": 20,
                "totalTokenCount": 130,
            },
            "modelVersion": "gemini-test",
            "responseId": "resp_1",
            **extra,
        }

    def events(self, pieces: list[str], finish: str | None = "STOP") -> list[bytes]:
        """The partial responses of a stream."""
        parts = [
            event({"candidates": [{"content": {"role": "model", "parts": [{"text": p}]}}]}) for p in pieces
        ]
        if finish is None:
            return parts
        whole = self.body()
        return [*parts, event({**whole, "candidates": [{"finishReason": finish, "index": 0}]})]

    def error(self, message: str, code: str = "INTERNAL") -> dict[str, Any]:
        """An error document."""
        return {"error": {"code": 500, "message": message, "status": code}}

    stopped = ("billing_error", "Billing is not enabled.")
    limited = ("RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan.")


@dataclass(frozen=True)
class App:
    """A user's own application."""

    provider: str = "http"
    path: str = "/"
    overloaded: int = 503

    def body(self, text: str = "Hello", **extra: Any) -> dict[str, Any]:
        """An answer."""
        return {"answer": text, "used": {"in": 100, "out": 30, "cached": 40, "thought": 20}, **extra}

    def events(self, pieces: list[str], finish: str | None = "") -> list[bytes]:
        """The events of a stream."""
        if finish is None:
            return []
        events = [event({"answer": p}) for p in pieces]
        return [*events, event({"used": self.body()["used"]}), event(b"[DONE]")]

    def error(self, message: str, code: str = "problem") -> dict[str, Any]:
        """An error document."""
        return {"detail": {"message": message, "code": code}}

    stopped = ("insufficient_quota", "No quota is left.")
    limited = ("slow", "Slow down.")


Dialect = OpenAi | Anthropic | Gemini | App
ALL: tuple[Dialect, ...] = (OpenAi(), Anthropic(), Gemini(), App())


def answer(dialect: Dialect, text: str = "Hello", *, stream: bool = False) -> wire.Answer:
    """A correct answer in a dialect."""
    if stream:
        return wire.in_chunks(dialect.events([text[:2], text[2:]]))
    return wire.respond(200, orjson.dumps(dialect.body(text)))
