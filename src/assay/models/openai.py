"""Chat completions of OpenAI, of Azure, and of all who speak their protocol.

Streaming and Azure: https://platform.openai.com/docs/api-reference/chat and the v1 API of Azure OpenAI.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assay.domain.errors import InvalidInput, InvalidResponse
from assay.domain.models import Finish, ModelConfig, ModelRequest, ModelResponse, Usage
from assay.domain.protocols import Clock
from assay.models.classification import failure, problem_of, rate_headers, request_id
from assay.models.hosted import (
    RESERVED,
    Hosted,
    check_options,
    check_parameters,
    make_endpoint,
    not_an_answer,
    object_in,
    wanted_format,
    wanted_tools,
)
from assay.models.json_text import excerpt, mapping, objects, read_json, string, text_of, tokens, write_json
from assay.models.sse import Event
from assay.models.transport import Reply, Transport

DEFAULT_BASE_URL = "https://api.openai.com/v1"
FINISHES: Mapping[str, Finish] = {
    "stop": "complete",
    "length": "truncated",
    "tool_calls": "tool",
    "function_call": "tool",
    "content_filter": "filtered",
}


def make(
    config: ModelConfig,
    key: str | None,
    transport: Transport,
    clock: Clock,
    default_base_url: str = DEFAULT_BASE_URL,
) -> Hosted:
    """A model of OpenAI or of a server with its protocol at `base_url`.

    Options: `api_version` (a query parameter), `key_header` (instead of a bearer token),
    `stream_usage: false` for servers that do not know `stream_options`.
    """
    check_options(config, ("api_version", "key_header", "stream_usage"))
    base = (config.base_url or default_base_url).rstrip("/")
    return _make(config, key, f"{base}/chat/completions", (transport, clock))


def make_azure(config: ModelConfig, key: str | None, transport: Transport, clock: Clock) -> Hosted:
    """A deployment of Azure OpenAI: `base_url` is the resource, the model's id the deployment.

    With the option `api_version` the dated API is used, without it v1.
    """
    check_options(config, ("api_version", "key_header", "stream_usage"))
    if config.base_url is None:
        raise InvalidInput(
            "Azure has an address for each resource",
            field="base_url",
            remedy="Write https://NAME.openai.azure.com.",
        )
    base = config.base_url.rstrip("/")
    if "/openai" not in base:
        dated = "api_version" in config.options
        base += f"/openai/deployments/{config.model}" if dated else "/openai/v1"
    return _make(config, key, f"{base}/chat/completions", (transport, clock), key_header="api-key")


def _make(
    config: ModelConfig, key: str | None, url: str, wiring: tuple[Transport, Clock], key_header: str = ""
) -> Hosted:
    check_parameters(config, RESERVED)
    version = config.options.get("api_version")
    if version is not None:
        url = f"{url}?api-version={version}"
    key_header = str(config.options.get("key_header", key_header)).lower()
    headers = {"content-type": "application/json", "accept": "application/json"}
    if config.stream:
        headers["accept"] = "text/event-stream"
    if key:
        headers |= {key_header: key} if key_header else {"authorization": f"Bearer {key}"}
    endpoint = make_endpoint(config, url, headers)
    return Hosted(config, OpenAiDialect, endpoint, *wiring)


class OpenAiDialect:
    """The notation of chat completions. What is the same in all requests of a model is written once."""

    def __init__(self, config: ModelConfig) -> None:
        self._config = config
        fixed = {"model": config.model, **config.parameters}
        for name in ("tools", "response_format"):
            fixed.pop(name, None)
        if config.stream:
            fixed["stream"] = True
            if config.options.get("stream_usage", True):
                fixed.setdefault("stream_options", {"include_usage": True})
        self._head = write_json(fixed)[:-1] + b',"messages":'

    def encode(self, request: ModelRequest) -> bytes:
        """The body: the fixed part, the messages, and the prompt's tools and format."""
        body = self._head + write_json(request.messages)
        if tools := wanted_tools(self._config, request):
            body += b',"tools":' + write_json(tools)
        if response_format := wanted_format(self._config, request):
            body += b',"response_format":' + write_json(response_format)
        return body + b"}"

    def decode(self, document: dict[str, Any], reply: Reply, ttft_ms: float | None) -> ModelResponse:
        """The first choice. Raises the error of an error document, InvalidResponse without a choice."""
        choices = document.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
            if document.get("error"):
                raise failure(reply, status=_status_in(document))
            raise not_an_answer("the answer has no choice with a message", reply)
        message = choice["message"]
        reason, refusal = choice.get("finish_reason"), message.get("refusal")
        return ModelResponse(
            text=_content_text(message.get("content")) or text_of(refusal),
            finish="refused" if refusal else FINISHES.get(text_of(reason), "other"),
            finish_reason=string(reason),
            tool_calls=_tool_calls(message),
            usage=_usage(document.get("usage")),
            latency_ms=reply.latency_ms,
            ttft_ms=ttft_ms,
            model=string(document.get("model")),
            fingerprint=string(document.get("system_fingerprint")),
            provider_request_id=request_id(reply.headers) or string(document.get("id")),
            logprobs=choice.get("logprobs"),
            headers=rate_headers(reply.headers),
        )

    def result_in_failure(self, reply: Reply) -> ModelResponse | None:
        """Azure answers 400 when its filter stops a prompt: a result, as elsewhere."""
        if reply.status != 400 or b"content_filter" not in reply.body:
            return None
        if "content_filter" not in problem_of(read_json(reply.body)).codes:
            return None
        return ModelResponse(
            text="",
            finish="filtered",
            finish_reason="content_filter",
            latency_ms=reply.latency_ms,
            provider_request_id=request_id(reply.headers),
            headers=rate_headers(reply.headers),
        )

    def assembler(self) -> "ChunkAssembler":
        """A fresh assembler for one stream."""
        return ChunkAssembler()


@dataclass(slots=True)
class ChunkAssembler:
    """Puts the chunks of a stream together to a completion."""

    spoke: bool = False
    complete: bool = False
    _head: dict[str, Any] = field(default_factory=dict)
    _text: list[str] = field(default_factory=list)
    _refusal: list[str] = field(default_factory=list)
    _calls: dict[int, dict[str, Any]] = field(default_factory=dict)
    _logprobs: list[Any] = field(default_factory=list)
    _finish: str | None = None

    def take(self, event: Event) -> None:
        """Add one chunk; raises the error that a chunk may be."""
        if event.data.strip() == b"[DONE]":
            self.complete = True
            return
        chunk = object_in(event)
        if chunk.get("error"):
            reply = Reply(status=200, headers={}, body=event.data, latency_ms=0.0)
            raise failure(reply, status=_status_in(chunk))
        for name in ("id", "model", "system_fingerprint", "usage"):
            if chunk.get(name):
                self._head[name] = chunk[name]
        for choice in objects(chunk.get("choices")):
            if choice.get("index", 0) == 0:
                self._add(choice)

    def document(self) -> dict[str, Any]:
        """The completion; raises InvalidResponse if no chunk named a reason to end."""
        if self._finish is None:
            partial = excerpt("".join(self._text))
            raise InvalidResponse("the stream ended without a finish reason", body=partial)
        calls = [self._calls[index] for index in sorted(self._calls)]
        message = {"content": "".join(self._text), "refusal": "".join(self._refusal), "tool_calls": calls}
        logprobs = {"content": self._logprobs} if self._logprobs else None
        choice = {"message": message, "finish_reason": self._finish, "logprobs": logprobs}
        return {**self._head, "choices": [choice]}

    def _add(self, choice: dict[str, Any]) -> None:
        delta = mapping(choice.get("delta"))
        content = _content_text(delta.get("content"))
        if content:
            self._text.append(content)
        if isinstance(delta.get("refusal"), str):
            self._refusal.append(delta["refusal"])
        for call in _calls_in(delta):
            self._add_call(call)
        logprobs = mapping(choice.get("logprobs")).get("content")
        if isinstance(logprobs, list):
            self._logprobs.extend(logprobs)
        if isinstance(choice.get("finish_reason"), str):
            self._finish = choice["finish_reason"]
        self.spoke = self.spoke or any(delta.get(name) for name in _SPEECH)

    def _add_call(self, call: dict[str, Any]) -> None:
        index = call.get("index", 0)
        whole = self._calls.setdefault(
            index if isinstance(index, int) else 0,
            {"id": None, "type": "function", "function": {"name": "", "arguments": ""}},
        )
        function = mapping(call.get("function"))
        whole["id"] = call.get("id") or whole["id"]
        whole["function"]["name"] += text_of(function.get("name"))
        whole["function"]["arguments"] += text_of(function.get("arguments"))


_SPEECH = ("content", "refusal", "tool_calls", "function_call", "reasoning_content", "reasoning")


def _calls_in(delta: dict[str, Any]) -> list[dict[str, Any]]:
    found = objects(delta.get("tool_calls"))
    return [*found, {"function": delta["function_call"]}] if delta.get("function_call") else found


def _tool_calls(message: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    if calls := objects(message.get("tool_calls")):
        return tuple(calls)
    legacy = message.get("function_call")
    return ({"id": None, "type": "function", "function": legacy},) if isinstance(legacy, dict) else ()


def _content_text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(text_of(mapping(part).get("text")) for part in content)
    return text_of(content)


def _usage(usage: Any) -> Usage:
    found = mapping(usage)
    given = mapping(found.get("prompt_tokens_details"))
    written = mapping(found.get("completion_tokens_details"))
    cached = given.get("cached_tokens", found.get("prompt_cache_hit_tokens"))
    return Usage(
        input_tokens=tokens(found.get("prompt_tokens")),
        output_tokens=tokens(found.get("completion_tokens")),
        cached_tokens=tokens(cached),
        cache_write_tokens=tokens(given.get("cache_write_tokens")),
        reasoning_tokens=tokens(written.get("reasoning_tokens")),
    )


def _status_in(document: dict[str, Any]) -> int:
    code = mapping(document.get("error")).get("code")
    try:
        status = int(code or 0)
    except (TypeError, ValueError):
        return 500
    return status if 400 <= status < 600 else 500
