"""The Messages API of Anthropic (https://docs.anthropic.com/en/api/messages), version 2023-06-01."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assay.domain.errors import InvalidInput, InvalidResponse, RequestRejected
from assay.domain.models import Finish, ModelConfig, ModelRequest, ModelResponse, Usage
from assay.domain.prompts import Message
from assay.domain.protocols import Clock
from assay.models.classification import failure, rate_headers, request_id
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

DEFAULT_BASE_URL = "https://api.anthropic.com/v1"
DEFAULT_MAX_TOKENS = 4096
FINISHES: Mapping[str, Finish] = {
    "end_turn": "complete",
    "stop_sequence": "complete",
    "max_tokens": "truncated",
    "model_context_window_exceeded": "truncated",
    "tool_use": "tool",
    "pause_turn": "paused",
    "refusal": "refused",
}
ERROR_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""The status that an error would have had, had it come before the stream began."""

_ANSWER_TOOL = "answer"
_RENAMED = {"max_completion_tokens": "max_tokens", "stop": "stop_sequences"}
_OWN_PLACE = ("tools", "response_format", "output_config", "tool_choice")


def make(config: ModelConfig, key: str | None, transport: Transport, clock: Clock) -> Hosted:
    """A model of Anthropic.

    Options: `version` of the API; `structured_output: "tool"` asks for a schema by a forced tool, for models
    older than the API's own mechanism.
    """
    check_options(config, ("version", "structured_output"))
    check_parameters(config, RESERVED)
    if config.options.get("structured_output", "native") not in ("native", "tool"):
        raise InvalidInput("must be native or tool", field="options.structured_output")
    headers = {
        "content-type": "application/json",
        "accept": "text/event-stream" if config.stream else "application/json",
        "anthropic-version": str(config.options.get("version", "2023-06-01")),
    }
    if key:
        headers["x-api-key"] = key
    base = (config.base_url or DEFAULT_BASE_URL).rstrip("/")
    endpoint = make_endpoint(config, f"{base}/messages", headers)
    return Hosted(config, AnthropicDialect, endpoint, transport, clock)


class AnthropicDialect:
    """The notation of the Messages API."""

    def __init__(self, config: ModelConfig) -> None:
        self._config = config
        self._by_tool = config.options.get("structured_output") == "tool"
        fixed: dict[str, Any] = {"model": config.model, "max_tokens": DEFAULT_MAX_TOKENS}
        for name, value in config.parameters.items():
            if name not in _OWN_PLACE:
                fixed[_RENAMED.get(name, name)] = value
        if isinstance(fixed.get("stop_sequences"), str):
            fixed["stop_sequences"] = [fixed["stop_sequences"]]
        if config.stream:
            fixed["stream"] = True
        self._head = write_json(fixed)[:-1] + b","

    def encode(self, request: ModelRequest) -> bytes:
        """The body; system messages are its own field there."""
        variable: dict[str, Any] = {"messages": [_message(m) for m in request.messages if not _is_system(m)]}
        system = [block for m in request.messages if _is_system(m) for block in _blocks(m.content)]
        if system:
            variable["system"] = system
        if tools := wanted_tools(self._config, request):
            variable["tools"] = [_tool(tool) for tool in tools]
        for name in ("output_config", "tool_choice"):
            if name in self._config.parameters:
                variable[name] = self._config.parameters[name]
        wanted = wanted_format(self._config, request)
        if wanted is not None and wanted.get("type") != "text":
            self._ask_for_schema(variable, wanted)
        return self._head + write_json(variable)[1:]

    def decode(self, document: dict[str, Any], reply: Reply, ttft_ms: float | None) -> ModelResponse:
        """The text and tool calls of the blocks; thinking is left out."""
        if not isinstance(document.get("content"), list):
            if document.get("type") == "error":
                raise failure(reply, status=_status_in(document))
            raise not_an_answer("the answer has no content", reply)
        blocks, reason = objects(document["content"]), document.get("stop_reason")
        text = "".join(text_of(block.get("text")) for block in blocks if block.get("type") == "text")
        calls = [block for block in blocks if block.get("type") == "tool_use"]
        finish = FINISHES.get(text_of(reason), "other")
        if self._by_tool and [call.get("name") for call in calls] == [_ANSWER_TOOL]:
            text, calls = text_of(calls[0].get("input")), []
            finish = "complete" if finish == "tool" else finish
        return ModelResponse(
            text=text,
            finish=finish,
            finish_reason=string(reason),
            tool_calls=tuple(_tool_call(call) for call in calls),
            usage=_usage(mapping(document.get("usage"))),
            latency_ms=reply.latency_ms,
            ttft_ms=ttft_ms,
            model=string(document.get("model")),
            provider_request_id=request_id(reply.headers) or string(document.get("id")),
            headers=rate_headers(reply.headers),
        )

    def result_in_failure(self, reply: Reply) -> ModelResponse | None:  # noqa: ARG002  (the protocol's)
        """None: what Anthropic filters, it answers with a stop reason."""
        return None

    def assembler(self) -> "BlockAssembler":
        """A fresh assembler for one stream."""
        return BlockAssembler()

    def _ask_for_schema(self, variable: dict[str, Any], wanted: Mapping[str, Any]) -> None:
        schema = mapping(wanted.get("json_schema")).get("schema")
        if wanted.get("type") != "json_schema" or not isinstance(schema, dict):
            message = f"Anthropic cannot answer in the format {wanted.get('type')!r}: use json_schema"
            raise RequestRejected(message, sent=False)
        if self._by_tool:
            tool = {"name": _ANSWER_TOOL, "description": "Give the answer.", "input_schema": schema}
            variable["tools"] = [*variable.get("tools", ()), tool]
            variable["tool_choice"] = {"type": "tool", "name": _ANSWER_TOOL}
        else:
            form = {"format": {"type": "json_schema", "schema": schema}}
            variable["output_config"] = {**variable.get("output_config", {}), **form}


@dataclass(slots=True)
class BlockAssembler:
    """Puts the events of a stream together to a message."""

    spoke: bool = False
    complete: bool = False
    _message: dict[str, Any] = field(default_factory=dict)
    _usage: dict[str, Any] = field(default_factory=dict)
    _blocks: dict[int, dict[str, Any]] = field(default_factory=dict)
    _pieces: dict[int, list[str]] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Add one event; raises the error that an event may be. Unknown events are passed over."""
        data = object_in(event)
        kind = data.get("type")
        if kind == "error":
            reply = Reply(status=200, headers={}, body=event.data, latency_ms=0.0)
            raise failure(reply, status=_status_in(data))
        if kind == "message_start":
            self._message = mapping(data.get("message"))
            self._usage |= mapping(self._message.get("usage"))
        elif kind == "content_block_start":
            self._blocks[_index(data)] = dict(mapping(data.get("content_block")))
        elif kind == "content_block_delta":
            self._add(_index(data), mapping(data.get("delta")))
        elif kind == "message_delta":
            self._message |= mapping(data.get("delta"))
            self._usage |= {k: v for k, v in mapping(data.get("usage")).items() if v is not None}
        elif kind == "message_stop":
            self.complete = True

    def document(self) -> dict[str, Any]:
        """The message; raises InvalidResponse if the stream ended before it did."""
        if not self.complete or self._message.get("stop_reason") is None:
            partial = excerpt("".join(piece for pieces in self._pieces.values() for piece in pieces))
            raise InvalidResponse("the stream ended without a stop reason", body=partial)
        content = [self._whole(index) for index in sorted(self._blocks)]
        return {**self._message, "content": content, "usage": self._usage}

    def _add(self, index: int, delta: dict[str, Any]) -> None:
        piece = text_of(delta.get("text") or delta.get("partial_json"))
        if piece:
            self._pieces.setdefault(index, []).append(piece)
        self.spoke = self.spoke or bool(piece or delta.get("thinking"))

    def _whole(self, index: int) -> dict[str, Any]:
        block, said = self._blocks[index], "".join(self._pieces.get(index, ()))
        if block.get("type") == "tool_use":
            return {**block, "input": read_json(said.encode()) if said else block.get("input", {})}
        return {**block, "text": text_of(block.get("text")) + said} if block.get("type") == "text" else block


def _is_system(message: Message) -> bool:
    return message.role in ("system", "developer")


def _message(message: Message) -> dict[str, Any]:
    role = "assistant" if message.role == "assistant" else "user"
    content = message.content if isinstance(message.content, str) else _blocks(message.content)
    return {"role": role, "content": content}


def _blocks(content: Any) -> list[Any]:
    if isinstance(content, (list, tuple)):
        return [_block(part) for part in content]
    return [{"type": "text", "text": text_of(content)}]


def _block(part: Any) -> Any:
    """A content part; OpenAI's images are translated, all else is sent as it is."""
    if not isinstance(part, Mapping) or part.get("type") != "image_url":
        return part
    url = text_of(mapping(part.get("image_url")).get("url"))
    if not url.startswith("data:"):
        return {"type": "image", "source": {"type": "url", "url": url}}
    head, _, data = url.removeprefix("data:").partition(",")
    source = {"type": "base64", "media_type": head.partition(";")[0], "data": data}
    return {"type": "image", "source": source}


def _tool(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    """A tool in OpenAI's notation translated; any other is sent as it is."""
    if tool.get("type") != "function":
        return tool
    function = mapping(tool.get("function"))
    made = {"name": function.get("name"), "input_schema": function.get("parameters", {"type": "object"})}
    return made | {name: function[name] for name in ("description", "strict") if name in function}


def _tool_call(block: dict[str, Any]) -> dict[str, Any]:
    function = {"name": block.get("name"), "arguments": text_of(block.get("input", {}))}
    return {"id": block.get("id"), "type": "function", "function": function}


def _usage(usage: dict[str, Any]) -> Usage:
    """Anthropic's input_tokens leave out what was read from and written to the cache; ours do not."""
    fresh, read = tokens(usage.get("input_tokens")), tokens(usage.get("cache_read_input_tokens"))
    written = tokens(usage.get("cache_creation_input_tokens"))
    return Usage(
        input_tokens=None if fresh is None else fresh + (read or 0) + (written or 0),
        output_tokens=tokens(usage.get("output_tokens")),
        cached_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=tokens(mapping(usage.get("output_tokens_details")).get("thinking_tokens")),
    )


def _index(data: dict[str, Any]) -> int:
    index = data.get("index")
    return index if isinstance(index, int) else 0


def _status_in(document: dict[str, Any]) -> int:
    return ERROR_STATUSES.get(text_of(mapping(document.get("error")).get("type")), 500)
