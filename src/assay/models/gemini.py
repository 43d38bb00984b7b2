"""The Gemini API of Google (https://ai.google.dev/api/generate-content), version v1beta."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assay.domain.errors import InvalidResponse
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
from assay.models.json_text import excerpt, mapping, objects, string, text_of, tokens, write_json
from assay.models.sse import Event
from assay.models.transport import Reply, Transport

DEFAULT_BASE_URL = "https://generativelanguage.googleapis.com/v1beta"
_FILTERED = (
    "SAFETY",
    "RECITATION",
    "LANGUAGE",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
)
FINISHES: Mapping[str, Finish] = {
    "STOP": "complete",
    "MAX_TOKENS": "truncated",
    **dict.fromkeys(_FILTERED, "filtered"),
}
_TOP_LEVEL = ("safetySettings", "toolConfig", "cachedContent", "serviceTier", "labels")
_RENAMED = {
    "top_p": "topP",
    "top_k": "topK",
    "max_tokens": "maxOutputTokens",
    "max_completion_tokens": "maxOutputTokens",
    "max_output_tokens": "maxOutputTokens",
    "stop": "stopSequences",
    "stop_sequences": "stopSequences",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "logprobs": "responseLogprobs",
    "top_logprobs": "logprobs",
    "thinking_config": "thinkingConfig",
    "safety_settings": "safetySettings",
    "tool_config": "toolConfig",
    "cached_content": "cachedContent",
}
_RESERVED = RESERVED | {"candidateCount": RESERVED["n"], "candidate_count": RESERVED["n"]}


def make(config: ModelConfig, key: str | None, transport: Transport, clock: Clock) -> Hosted:
    """A model of Google's Gemini API. It has no options."""
    check_options(config, ())
    check_parameters(config, _RESERVED)
    base = (config.base_url or DEFAULT_BASE_URL).rstrip("/")
    method = "streamGenerateContent?alt=sse" if config.stream else "generateContent"
    headers = {"content-type": "application/json"}
    if key:
        headers["x-goog-api-key"] = key
    url = f"{base}/models/{config.model.removeprefix('models/')}:{method}"
    endpoint = make_endpoint(config, url, headers)
    return Hosted(config, GeminiDialect, endpoint, transport, clock)


class GeminiDialect:
    """The notation of generateContent. Parameters are taken in OpenAI's names and in Google's own."""

    def __init__(self, config: ModelConfig) -> None:
        self._config = config
        self._fixed: dict[str, Any] = {}
        self._generation: dict[str, Any] = dict(mapping(config.parameters.get("generationConfig")))
        for name, value in config.parameters.items():
            if name not in ("generationConfig", "tools", "response_format"):
                renamed = _RENAMED.get(name, name)
                place = self._fixed if renamed in _TOP_LEVEL else self._generation
                place[renamed] = [value] if renamed == "stopSequences" and isinstance(value, str) else value

    def encode(self, request: ModelRequest) -> bytes:
        """The body; system messages are its own field there."""
        contents = [_content(m) for m in request.messages if m.role not in ("system", "developer")]
        body: dict[str, Any] = {**self._fixed, "contents": contents}
        system = [
            part for m in request.messages if m.role in ("system", "developer") for part in _parts(m.content)
        ]
        if system:
            body["systemInstruction"] = {"parts": system}
        if tools := wanted_tools(self._config, request):
            body["tools"] = _tools(tools)
        generation = self._generation | _format(wanted_format(self._config, request))
        if generation:
            body["generationConfig"] = generation
        return write_json(body)

    def decode(self, document: dict[str, Any], reply: Reply, ttft_ms: float | None) -> ModelResponse:
        """The first candidate; thoughts are left out. A blocked prompt is a filtered result."""
        candidates = objects(document.get("candidates"))
        blocked = string(mapping(document.get("promptFeedback")).get("blockReason"))
        if not candidates and blocked is None:
            if document.get("error"):
                raise failure(reply, status=_status_in(document))
            raise not_an_answer("the answer has no candidates", reply)
        candidate = candidates[0] if candidates else {"finishReason": blocked}
        parts = objects(mapping(candidate.get("content")).get("parts"))
        reason = string(candidate.get("finishReason"))
        calls = tuple(_tool_call(part["functionCall"]) for part in parts if mapping(part.get("functionCall")))
        finish = FINISHES.get(reason or "", "other") if candidates else "filtered"
        return ModelResponse(
            text="".join(text_of(part.get("text")) for part in parts if not part.get("thought")),
            finish="tool" if calls and finish == "complete" else finish,
            finish_reason=reason,
            tool_calls=calls,
            usage=_usage(mapping(document.get("usageMetadata"))),
            latency_ms=reply.latency_ms,
            ttft_ms=ttft_ms,
            model=string(document.get("modelVersion")),
            provider_request_id=request_id(reply.headers) or string(document.get("responseId")),
            logprobs=candidate.get("logprobsResult"),
            headers=rate_headers(reply.headers),
        )

    def result_in_failure(self, reply: Reply) -> ModelResponse | None:  # noqa: ARG002  (the protocol's)
        """None: what Google filters, it answers with a reason."""
        return None

    def assembler(self) -> "PartAssembler":
        """A fresh assembler for one stream."""
        return PartAssembler()


@dataclass(slots=True)
class PartAssembler:
    """Puts the partial answers of a stream together. Google marks no end: the stream just ends."""

    spoke: bool = False
    complete: bool = False
    _document: dict[str, Any] = field(default_factory=dict)
    _candidate: dict[str, Any] = field(default_factory=dict)
    _parts: list[dict[str, Any]] = field(default_factory=list)

    def take(self, event: Event) -> None:
        """Add one partial answer; raises the error that it may be."""
        partial = object_in(event)
        if partial.get("error"):
            reply = Reply(status=200, headers={}, body=event.data, latency_ms=0.0)
            raise failure(reply, status=_status_in(partial))
        self._document |= partial
        for candidate in objects(partial.get("candidates"))[:1]:
            self._parts += objects(mapping(candidate.get("content")).get("parts"))
            self._candidate |= candidate
        self.spoke = self.spoke or bool(self._parts)

    def document(self) -> dict[str, Any]:
        """The whole answer; raises InvalidResponse if no part named a reason to end."""
        blocked = mapping(self._document.get("promptFeedback")).get("blockReason")
        if not self._candidate and blocked is not None:
            return {**self._document, "candidates": []}
        if self._candidate.get("finishReason") is None:
            partial = excerpt("".join(text_of(part.get("text")) for part in self._parts))
            raise InvalidResponse("the stream ended without a finish reason", body=partial)
        candidate = {**self._candidate, "content": {"parts": self._parts}}
        return {**self._document, "candidates": [candidate]}


def _content(message: Message) -> dict[str, Any]:
    role = "model" if message.role in ("assistant", "model") else "user"
    return {"role": role, "parts": _parts(message.content)}


def _parts(content: Any) -> list[Any]:
    if isinstance(content, (list, tuple)):
        return [_part(part) for part in content]
    return [{"text": text_of(content)}]


def _part(part: Any) -> Any:
    """A content part; OpenAI's texts and images are translated, all else is sent as it is."""
    if not isinstance(part, Mapping):
        return {"text": text_of(part)}
    if part.get("type") == "text":
        return {"text": part.get("text")}
    if part.get("type") != "image_url":
        return part
    url = text_of(mapping(part.get("image_url")).get("url"))
    if not url.startswith("data:"):
        return {"fileData": {"fileUri": url}}
    head, _, data = url.removeprefix("data:").partition(",")
    return {"inlineData": {"mimeType": head.partition(";")[0], "data": data}}


def _tools(tools: Any) -> list[Any]:
    """Functions in OpenAI's notation become one tool with declarations; others are sent as they are."""
    declared, others = [], []
    for tool in tools:
        if tool.get("type") != "function":
            others.append(tool)
            continue
        function = mapping(tool.get("function"))
        made: dict[str, Any] = {name: function[name] for name in ("name", "description") if name in function}
        if "parameters" in function:
            made["parametersJsonSchema"] = function["parameters"]
        declared.append(made)
    return [{"functionDeclarations": declared}, *others] if declared else others


def _format(wanted: Mapping[str, Any] | None) -> dict[str, Any]:
    kind = None if wanted is None else wanted.get("type")
    if wanted is None or kind not in ("json_object", "json_schema"):
        return {}
    schema = mapping(wanted.get("json_schema")).get("schema")
    form = {"responseMimeType": "application/json"}
    return form if schema is None else {**form, "responseJsonSchema": schema}


def _tool_call(call: dict[str, Any]) -> dict[str, Any]:
    function = {"name": call.get("name"), "arguments": text_of(call.get("args", {}))}
    return {"id": call.get("id"), "type": "function", "function": function}


def _usage(usage: dict[str, Any]) -> Usage:
    """Google counts thoughts beside the candidates and tool results beside the prompt; ours include them."""
    given, written = tokens(usage.get("promptTokenCount")), tokens(usage.get("candidatesTokenCount"))
    thoughts = tokens(usage.get("thoughtsTokenCount"))
    silent = written is None and thoughts is None
    return Usage(
        input_tokens=None if given is None else given + (tokens(usage.get("toolUsePromptTokenCount")) or 0),
        output_tokens=None if silent else (written or 0) + (thoughts or 0),
        cached_tokens=tokens(usage.get("cachedContentTokenCount")),
        reasoning_tokens=thoughts,
    )


def _status_in(document: dict[str, Any]) -> int:
    code = mapping(document.get("error")).get("code")
    return code if isinstance(code, int) and 400 <= code < 600 else 500
