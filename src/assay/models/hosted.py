"""A model behind HTTP: one dialect, spoken over the shared transport."""

import difflib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import urlsplit

from assay.domain.errors import InvalidInput, InvalidResponse, ModelError
from assay.domain.models import ModelConfig, ModelRequest, ModelResponse, effective_parameters
from assay.domain.protocols import Clock
from assay.models.classification import failure, without_key
from assay.models.json_text import excerpt, read_json
from assay.models.sse import Event, EventDecoder
from assay.models.transport import Endpoint, Reply, Transport


class Assembler(Protocol):
    """Puts the events of one stream together to what the provider would have answered without streaming."""

    @property
    def spoke(self) -> bool:
        """Whether a token has arrived."""

    @property
    def complete(self) -> bool:
        """Whether the protocol has said that nothing follows."""

    def take(self, event: Event) -> None:
        """Take one event; raises a ModelError for an error inside the stream."""

    def document(self) -> dict[str, Any]:
        """The whole answer; raises InvalidResponse if the stream ended before it did."""


class Dialect(Protocol):
    """How one provider's protocol writes a question and an answer."""

    def encode(self, request: ModelRequest) -> bytes:
        """The body of the request."""

    def decode(self, document: dict[str, Any], reply: Reply, ttft_ms: float | None) -> ModelResponse:
        """The answer in a document; raises a ModelError if there is none."""

    def result_in_failure(self, reply: Reply) -> ModelResponse | None:
        """The result that an answer with an error status is nonetheless: a filter that stopped the prompt."""

    def assembler(self) -> Assembler:
        """A fresh assembler for one stream."""


class Hosted:
    """A Model that asks one endpoint in one dialect. The transport is shared and not closed here."""

    def __init__(
        self,
        config: ModelConfig,
        speak: Callable[[ModelConfig], Dialect],
        endpoint: Endpoint,
        transport: Transport,
        clock: Clock,
    ) -> None:
        self._config, self._speak, self._dialect, self._endpoint = config, speak, speak(config), endpoint
        self._transport, self._clock = transport, clock
        self._key = _key_in(endpoint.headers, str(config.options.get("key_header", "")).lower())

    @property
    def config(self) -> ModelConfig:
        """The configuration that this model was made from."""
        return self._config

    async def generate(self, request: ModelRequest) -> ModelResponse:
        """Ask once. Raises a ModelError."""
        body = self._dialect_for(request).encode(request)
        try:
            if self._config.stream:
                return await self._listen(body)
            reply = await self._transport.exchange(self._endpoint, body)
            if reply.status != 200:
                return self._result_or_failure(reply)
            return self._dialect.decode(document_in(reply), reply, None)
        except ModelError as error:
            error.body = error.body and without_key(error.body, self._key)
            raise

    async def close(self) -> None:
        """Nothing to give back: the connections belong to the transport."""

    def _dialect_for(self, request: ModelRequest) -> Dialect:
        """That of the configuration, or one with the parameters of this request in place of its own."""
        if not request.parameters:
            return self._dialect
        return self._speak(replace(self._config, parameters=effective_parameters(self._config, request)))

    async def _listen(self, body: bytes) -> ModelResponse:
        sink = EventSink(self._dialect.assembler(), self._clock)
        reply = await self._transport.exchange(self._endpoint, body, sink)
        if reply.status != 200:
            return self._result_or_failure(reply)
        if not reply.streamed:
            raise _wrong_type(reply, "an event stream")
        sink.flush()
        return self._dialect.decode(sink.assembler.document(), reply, sink.ttft_ms(reply))

    def _result_or_failure(self, reply: Reply) -> ModelResponse:
        result = self._dialect.result_in_failure(reply)
        if result is None:
            raise failure(reply, key=self._key)
        return result


class EventSink:
    """Feeds the events of a stream to an assembler, and notes when the first token came."""

    def __init__(self, assembler: Assembler, clock: Clock) -> None:
        self.assembler = assembler
        self.spoke_at: float | None = None
        self._clock, self._decoder = clock, EventDecoder()

    @property
    def complete(self) -> bool:
        """Whether the protocol has said that nothing follows."""
        return self.assembler.complete

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the stream."""
        for event in self._decoder.feed(chunk):
            self._take(event)

    def flush(self) -> None:
        """Take what the end of the stream completes."""
        for event in self._decoder.flush():
            self._take(event)

    def ttft_ms(self, reply: Reply) -> float | None:
        """From handing the request over to the first token, by the clock of the reply; None without a token.

        What only the end of the stream completed came with its last byte, however late it is looked at.
        """
        if self.spoke_at is None:
            return None
        return min((self.spoke_at - reply.started_at) * 1e3, reply.latency_ms)

    def _take(self, event: Event) -> None:
        if self.assembler.complete:
            return
        self.assembler.take(event)
        if self.spoke_at is None and self.assembler.spoke:
            self.spoke_at = self._clock()


def document_in(reply: Reply) -> dict[str, Any]:
    """The JSON object of a successful reply; raises InvalidResponse."""
    kind = reply.headers.get("content-type", "json")
    if "json" not in kind:
        raise _wrong_type(reply, "JSON")
    document = read_json(reply.body)
    if not isinstance(document, dict):
        raise not_an_answer("the answer is not a JSON object", reply)
    return document


def object_in(event: Event) -> dict[str, Any]:
    """The JSON object that is an event's data; raises InvalidResponse."""
    document = read_json(event.data)
    if not isinstance(document, dict):
        raise InvalidResponse("an event of the stream is not a JSON object", body=_text(event.data))
    return document


def not_an_answer(reason: str, reply: Reply) -> InvalidResponse:
    """The error for an answer that is not one of the protocol."""
    return InvalidResponse(reason, http_status=reply.status, body=_text(reply.body))


def make_endpoint(config: ModelConfig, url: str, headers: Mapping[str, str]) -> Endpoint:
    """The endpoint of a model; headers of the configuration win. Raises InvalidInput for unusable ones."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInput(
            f"{url!r} is not an http or https address", field="base_url", remedy="Write https://host/path."
        )
    if parts.username is not None:
        message = "an address must not hold credentials"
        raise InvalidInput(message, field="base_url", remedy="Use key_variable.")
    merged = {name.lower(): value for name, value in headers.items()}
    merged |= {name.lower(): str(value) for name, value in config.headers.items()}
    for name, value in merged.items():
        if not (name + value).isascii() or not (name + value).isprintable():
            raise InvalidInput(f"the header {name!r} holds what no header can", field="headers")
    return Endpoint(url=url, headers=merged, timeouts=config.timeouts)


def check_parameters(config: ModelConfig, reserved: Mapping[str, str]) -> None:
    """Refuse parameters that have their own place; `reserved` maps each to the remedy."""
    for name, remedy in reserved.items():
        if name in config.parameters:
            raise InvalidInput("cannot be a parameter", field=f"parameters.{name}", remedy=remedy)


def check_options(config: ModelConfig, known: Collection[str]) -> None:
    """Refuse options that the provider does not have, with the likeliest that it does."""
    for name in config.options:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            listed = ", ".join(sorted(known)) or "none"
            remedy = f"Did you mean {near[0]!r}?" if near else f"It has: {listed}."
            raise InvalidInput(
                f"the provider {config.provider} has no such option", field=f"options.{name}", remedy=remedy
            )


def wanted_tools(config: ModelConfig, request: ModelRequest) -> Sequence[Any]:
    """The prompt's tools, else those of the model's parameters."""
    found = request.tools or config.parameters.get("tools")
    return found if isinstance(found, (list, tuple)) else ()


def wanted_format(config: ModelConfig, request: ModelRequest) -> Mapping[str, Any] | None:
    """The prompt's response format, else that of the model's parameters."""
    found = request.response_format or config.parameters.get("response_format")
    return found if isinstance(found, Mapping) else None


RESERVED = {
    "model": "Write it in the model's id.",
    "messages": "They come from the prompt.",
    "stream": "Set `stream: true` beside `parameters`.",
    "n": "Use `repeats`: each answer is then a result of its own.",
}
"""Parameters that have their own place in a suite."""


def _wrong_type(reply: Reply, wanted: str) -> InvalidResponse:
    kind = excerpt(reply.headers.get("content-type", "no content type"), 100)
    return not_an_answer(f"the answer is {kind}, not {wanted}", reply)


def _text(body: bytes) -> str:
    return excerpt(body[:8000].decode("utf-8", "replace"))


def _key_in(headers: Mapping[str, str], own: str) -> str | None:
    for name in (own, "authorization", "x-api-key", "api-key", "x-goog-api-key"):
        if name in headers:
            return headers[name].removeprefix("Bearer ")
    return None
