"""The user's own application, asked over HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlsplit

from assay.domain.errors import InvalidInput, InvalidResponse, ModelError, ModelUnavailable
from assay.domain.models import ModelConfig, ModelRequest, ModelResponse, Usage
from assay.domain.protocols import Clock
from assay.models.classification import failure, rate_headers, request_id, without_key
from assay.models.hosted import EventSink, check_options, make_endpoint, not_an_answer
from assay.models.json_text import excerpt, mapping, read_json, text_of, tokens, write_json
from assay.models.placeholders import NAMES, fill, follow, names_in, steps_of, values_of
from assay.models.sse import Event
from assay.models.transport import Endpoint, Reply, Transport

OPTIONS = ("url", "method", "body", "headers", "output", "response", "usage")
METHODS = ("POST", "GET", "PUT", "PATCH")
OUTPUT_FIELDS = ("output", "text", "answer", "response")
_DEFAULT_BODY = {"prompt": "{{ prompt }}"}
_COUNTS = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")


def make(config: ModelConfig, key: str | None, transport: Transport, clock: Clock) -> "HttpApp":
    """An application at `options.url`, else at `base_url`, else at the model's id.

    Options: `method`; `body` and `url` with placeholders (a JSON structure; null sends no body); `headers`,
    whose values may hold `{{ key }}`; `output`, the path to the text in a JSON answer; `response` (auto, json
    or text); `usage`, paths to token counts.
    """
    check_options(config, OPTIONS)
    options = config.options
    url = url_of(config)
    method = str(options.get("method", "POST")).upper()
    if method not in METHODS:
        raise InvalidInput(f"must be one of {', '.join(METHODS)}", field="options.method")
    if "{{" in urlsplit(url).netloc:
        raise InvalidInput("the host must not depend on a case", field="options.url")
    unknown = names_in([url, options.get("body")]) - set(NAMES)
    if unknown:
        known = ", ".join(NAMES)
        raise InvalidInput(
            f"no such placeholder: {', '.join(sorted(unknown))}",
            field="options",
            remedy=f"There are: {known}.",
        )
    check_usage(options.get("usage", {}))
    headers = {name: _filled_header(value, key) for name, value in _headers(config, key).items()}
    endpoint = make_endpoint(replace(config, headers=headers), url, {"accept": "application/json, text/*"})
    return HttpApp(config, replace(endpoint, method=method), transport, clock, key)


def url_of(config: ModelConfig) -> str:
    """The application's address: `options.url`, else `base_url`, else the model's id."""
    return str(config.options.get("url") or config.base_url or config.model)


def check_usage(usage: Any) -> None:
    """Refuse a `usage` option that is not a table of paths."""
    if not isinstance(usage, Mapping) or not set(usage) <= set(_COUNTS):
        raise InvalidInput(f"must map some of {', '.join(_COUNTS)} to paths", field="options.usage")


class HttpApp:
    """A Model that is any HTTP service. The transport is shared and not closed here."""

    def __init__(
        self, config: ModelConfig, endpoint: Endpoint, transport: Transport, clock: Clock, key: str | None
    ) -> None:
        self._config, self._endpoint, self._key = config, endpoint, key
        self._transport, self._clock = transport, clock
        self._body = config.options.get("body", None if endpoint.method == "GET" else _DEFAULT_BODY)
        self._answers = Answers.of(config)
        self._fixed_url = not names_in(endpoint.url)

    @property
    def config(self) -> ModelConfig:
        """The configuration that this model was made from."""
        return self._config

    async def generate(self, request: ModelRequest) -> ModelResponse:
        """Ask once. Raises a ModelError."""
        values = values_of(self._config, request)
        endpoint, body = self._question(values)
        sink = EventSink(TextAssembler(self._answers), self._clock) if self._config.stream else None
        try:
            reply = await self._transport.exchange(endpoint, body, sink)
            if not 200 <= reply.status < 300:
                raise failure(reply, key=self._key)
            if sink is None:
                return self._answers.response(self._answers.read(reply), reply)
            return self._streamed(sink, reply)
        except ModelError as error:
            error.body = error.body and without_key(error.body, self._key)
            raise

    async def close(self) -> None:
        """Nothing to give back: the connections belong to the transport."""

    def _question(self, values: Mapping[str, Any]) -> tuple[Endpoint, bytes | None]:
        endpoint = self._endpoint
        if not self._fixed_url:
            endpoint = replace(endpoint, url=fill(endpoint.url, values, lambda text: quote(text, safe="")))
        if self._body is None:
            return endpoint, None
        filled = fill(self._body, values)
        is_text = isinstance(self._body, str) and isinstance(filled, str)
        kind = "text/plain; charset=utf-8" if is_text else "application/json"
        headers = {"content-type": kind, **endpoint.headers}
        body = filled.encode("utf-8", "replace") if is_text else write_json(filled)
        return replace(endpoint, headers=headers), body

    def _streamed(self, sink: EventSink, reply: Reply) -> ModelResponse:
        if not reply.streamed:
            raise not_an_answer("the answer is not an event stream", reply)
        sink.flush()
        return self._answers.response(sink.assembler.document(), reply, sink.ttft_ms(reply))


@dataclass(frozen=True, slots=True)
class Answers:
    """How the text and the token counts are found in an application's answers."""

    kind: str
    output: tuple[str, ...] | None
    usage: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, config: ModelConfig) -> "Answers":
        """Read from a model's options."""
        kind, output = str(config.options.get("response", "auto")), config.options.get("output")
        if kind not in ("auto", "json", "text"):
            raise InvalidInput("must be auto, json or text", field="options.response")
        usage = {name: steps_of(str(path)) for name, path in config.options.get("usage", {}).items()}
        return cls(kind, None if output is None else steps_of(str(output)), usage)

    def read(self, reply: Reply) -> dict[str, Any]:
        """The answer's text, with the JSON that it was found in. Raises InvalidResponse."""
        announced = reply.headers.get("content-type", "")
        is_json = self.kind == "json" or self.output is not None or "json" in announced
        if self.kind == "text" or not is_json:
            if self.kind == "auto" and announced and not announced.startswith("text/plain"):
                raise not_an_answer(f"the answer is {excerpt(announced, 100)}, not JSON or plain text", reply)
            return {"text": reply.body.decode("utf-8", "replace"), "json": None}
        document = read_json(reply.body)
        found = self.find(document)
        if found is None:
            wanted = ".".join(self.output) if self.output else f"any of {', '.join(OUTPUT_FIELDS)}"
            raise not_an_answer(f"the answer has nothing at {wanted}", reply)
        return {"text": text_of(found), "json": document}

    def find(self, document: Any) -> Any:
        """What the output path leads to, else the first of the usual fields; None if there is none."""
        if self.output is not None:
            return follow(document, self.output)
        if isinstance(document, dict):
            return next((document[name] for name in OUTPUT_FIELDS if document.get(name) is not None), None)
        return document

    def response(self, found: dict[str, Any], reply: Reply, ttft_ms: float | None = None) -> ModelResponse:
        """The response for what was found."""
        counts = {name: tokens(follow(found["json"], steps)) for name, steps in self.usage.items()}
        return ModelResponse(
            text=found["text"],
            usage=Usage(**counts),
            latency_ms=reply.latency_ms,
            ttft_ms=ttft_ms,
            provider_request_id=request_id(reply.headers),
            headers=rate_headers(reply.headers),
        )


@dataclass(slots=True)
class TextAssembler:
    """Joins the texts of a stream's events. The event `[DONE]` ends it, as does the end of the stream."""

    answers: Answers
    spoke: bool = False
    complete: bool = False
    _pieces: list[str] = field(default_factory=list)
    _last: dict[str, Any] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Add one event; one named error ends the stream with a ModelUnavailable."""
        if event.name == "error":
            message = excerpt(event.data.decode("utf-8", "replace"), 500)
            raise ModelUnavailable(f"the application reports an error: {message}")
        if event.data.strip() == b"[DONE]":
            self.complete = True
            return
        self._pieces.append(self._text(event.data))
        self.spoke = self.spoke or bool(self._pieces[-1])

    def document(self) -> dict[str, Any]:
        """The joined text; raises InvalidResponse if the stream had none."""
        if not self._pieces:
            raise InvalidResponse("the stream ended without an event")
        return {"text": "".join(self._pieces), "json": self._last}

    def _text(self, data: bytes) -> str:
        if self.answers.output is None and not data.startswith(b"{"):
            return data.decode("utf-8", "replace")
        document = read_json(data)
        self._last |= mapping(document)
        return text_of(self.answers.find(document))


def _headers(config: ModelConfig, key: str | None) -> dict[str, str]:
    named = config.options.get("headers", {})
    if not isinstance(named, Mapping):
        raise InvalidInput("must be a table of names and values", field="options.headers")
    headers = {str(name): str(value) for name, value in {**config.headers, **named}.items()}
    if key and "key" not in names_in(headers):
        headers.setdefault("authorization", "Bearer {{ key }}")
    return headers


def _filled_header(value: str, key: str | None) -> str:
    wanted = names_in(value)
    if wanted - {"key"} or (wanted and not key):
        problem = "only {{ key }} can be put into a header" if wanted - {"key"} else "there is no key"
        raise InvalidInput(problem, field="headers", remedy="Set key_variable to the variable that holds it.")
    return text_of(fill(value, {"key": key}))
