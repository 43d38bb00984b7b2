"""Models: how one is configured, what it is asked and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from assay.domain.content import content_hash
from assay.domain.prompts import Message

Finish = Literal["complete", "truncated", "filtered", "refused", "tool", "paused", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Time limits of one attempt, in seconds. `idle_s` is the longest silence between bytes."""

    connect_s: float = 5.0
    first_byte_s: float = 120.0
    idle_s: float = 60.0
    total_s: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a model may be asked at once and a minute; None means that only the provider limits."""

    max_concurrency: int | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """US dollars for a million tokens, with the version of the table it was read from."""

    input_usd: float
    output_usd: float
    cached_input_usd: float | None = None
    cache_write_usd: float | None = None
    version: str = "suite"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """A model as a suite names it.

    `name` is the user's label, unique in a suite. `provider` is a name of the provider catalog,
    `model` the provider's own id. `parameters` go to the provider as they are (temperature, max_tokens).
    `key_variable` names the environment variable with the key, `credential` a stored one; the key itself is
    never part of a value.
    `fallbacks` are labels of models to ask, in order, when this one cannot answer.
    """

    name: str
    provider: str
    model: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    base_url: str | None = None
    key_variable: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    stream: bool = False
    timeouts: Timeouts = Timeouts()
    limits: Limits = Limits()
    price: Price | None = None
    fallbacks: tuple[str, ...] = ()
    credential: str | None = None

    @property
    def content_hash(self) -> bytes:
        """SHA-256 over what decides the answers: provider, endpoint, model, parameters, options."""
        return content_hash([self.provider, self.base_url, self.model, self.parameters, self.options])


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkTag:
    """Which cell of which grid a request is for: never sent, never part of the cache key.

    `metric` is set when a judge is asked, `call` tells apart what it is asked at the same time.
    """

    item_no: int
    lease_token: int
    prompt: str
    case: str
    metric: str | None = None
    call: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """What a model is asked. `repeat` makes repeated questions independent in the cache.

    `vars` are the case's variables, set only for providers that take them as they are (http);
    `parameters` go to the provider in place of those of the model's configuration (None takes one away);
    `tag` names the work item, by which the ledger and the replay provider find theirs.
    """

    messages: tuple[Message, ...]
    tools: tuple[Mapping[str, Any], ...] = ()
    response_format: Mapping[str, Any] | None = None
    repeat: int = 0
    vars: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tag: WorkTag | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call. `input_tokens` includes cached and cache-write tokens, `output_tokens`
    includes reasoning tokens; None means that the provider did not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelResponse:
    """What a model answered. `finish_reason` is the provider's word, `finish` its class.

    `latency_ms` runs from the first byte sent to the last received, `ttft_ms` to the first token
    (streaming only). `cached` answers cost nothing and keep the times of the original call.
    """

    text: str
    finish: Finish = "complete"
    finish_reason: str | None = None
    tool_calls: tuple[Mapping[str, Any], ...] = ()
    usage: Usage = Usage()
    latency_ms: float = 0.0
    ttft_ms: float | None = None
    model: str | None = None
    fingerprint: str | None = None
    provider_request_id: str | None = None
    logprobs: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cached: bool = False
    answered_by: str | None = None
    """Label of the fallback that answered in place of the model that was asked."""


def effective_parameters(config: ModelConfig, request: ModelRequest) -> Mapping[str, Any]:
    """What goes to the provider: the parameters of the model, with those of the request in their place."""
    if not request.parameters:
        return config.parameters
    merged = {**config.parameters, **request.parameters}
    return {name: value for name, value in merged.items() if value is not None}


def request_key(config: ModelConfig, request: ModelRequest) -> bytes:
    """The cache key: SHA-256 of all that decides the answer, and the repeat."""
    return content_hash(
        [
            config.provider,
            config.base_url,
            config.model,
            effective_parameters(config, request),
            config.options,
            request.messages,
            request.tools,
            request.response_format,
            request.repeat,
            request.vars,
        ]
    )
