"""Embeddings over OpenAI's protocol, asked like any model: texts in user messages, vectors as a JSON text.

https://platform.openai.com/docs/api-reference/embeddings; spoken by vLLM, Ollama, llama.cpp and others too.
"""

from collections.abc import Sequence
from functools import partial
from math import isfinite
from typing import Any

from assay.domain.errors import InvalidInput, InvalidResponse, RequestRejected
from assay.domain.models import ModelConfig, ModelRequest, ModelResponse, Usage
from assay.domain.protocols import Clock
from assay.models.classification import failure, rate_headers, request_id
from assay.models.hosted import (
    RESERVED,
    Assembler,
    Hosted,
    check_options,
    check_parameters,
    make_endpoint,
    not_an_answer,
)
from assay.models.json_text import excerpt, mapping, objects, read_json, string, tokens, write_json
from assay.models.openai import DEFAULT_BASE_URL
from assay.models.placeholders import content_text
from assay.models.transport import Endpoint, Reply, Transport

TEXTS_MAX = 64
"""How many texts one request may hold."""
NUMBERS_MAX = 262_144
"""How many numbers one answer may hold: 64 vectors of 4,096."""
OWN_PLACES = RESERVED | {
    "input": "The texts come from the request.",
    "encoding_format": "Vectors are read as numbers.",
}

Vectors = list[list[float]]


def make(config: ModelConfig, key: str | None, transport: Transport, clock: Clock) -> "Embeddings":
    """An embeddings model of OpenAI, or of a server with its protocol at `base_url`.

    Options: `api_version` (a query parameter), `key_header` (instead of a bearer token). Parameters go as
    they are: `dimensions`.
    """
    check_options(config, ("api_version", "key_header"))
    check_parameters(config, OWN_PLACES)
    if config.stream:
        raise _not_streamed()
    url = (config.base_url or DEFAULT_BASE_URL).rstrip("/") + "/embeddings"
    version = config.options.get("api_version")
    if version is not None:
        url = f"{url}?api-version={version}"
    headers = {"content-type": "application/json", "accept": "application/json"}
    if key:
        key_header = str(config.options.get("key_header", "")).lower()
        headers |= {key_header: key} if key_header else {"authorization": f"Bearer {key}"}
    return Embeddings(config, make_endpoint(config, url, headers), transport, clock)


class Embeddings:
    """A Model whose answer is a JSON array: one vector for each user message, in order."""

    def __init__(self, config: ModelConfig, endpoint: Endpoint, transport: Transport, clock: Clock) -> None:
        self._config, self._endpoint, self._transport, self._clock = config, endpoint, transport, clock

    @property
    def config(self) -> ModelConfig:
        """The configuration that this model was made from."""
        return self._config

    async def generate(self, request: ModelRequest) -> ModelResponse:
        """Embed once; the numbers keep seven digits, as a float32 does. Raises a ModelError.

        RequestRejected, before anything is sent, for other messages than a user's or too many of them.
        """
        speak = partial(EmbeddingDialect, texts=texts_in(request))
        hosted = Hosted(self._config, speak, self._endpoint, self._transport, self._clock)
        return await hosted.generate(request)

    async def close(self) -> None:
        """Nothing to give back: the connections belong to the transport."""


class EmbeddingDialect:
    """The notation of embeddings, for one request: the answer must have a vector for each of its texts."""

    def __init__(self, config: ModelConfig, texts: Sequence[str]) -> None:
        self._config, self._texts = config, texts

    def encode(self, _: ModelRequest) -> bytes:
        """The body."""
        return write_json({"model": self._config.model, **self._config.parameters, "input": self._texts})

    def decode(self, document: dict[str, Any], reply: Reply, _: float | None) -> ModelResponse:
        """The vectors in the order of the texts. Raises InvalidResponse for any that is not whole."""
        if not isinstance(document.get("data"), list):
            if document.get("error"):
                raise failure(reply, status=500)
            raise not_an_answer("the answer has no list of vectors", reply)
        rows = objects(document["data"])
        try:
            found = check_vectors([row.get("embedding") for row in _in_order(rows)], len(self._texts))
        except InvalidResponse as error:
            raise not_an_answer(error.message, reply) from error
        short = [[float(f"{number:.7g}") for number in vector] for vector in found]
        return ModelResponse(
            text=write_json(short).decode(),
            finish_reason="stop",
            usage=Usage(
                input_tokens=tokens(mapping(document.get("usage")).get("prompt_tokens")), output_tokens=0
            ),
            latency_ms=reply.latency_ms,
            model=string(document.get("model")),
            provider_request_id=request_id(reply.headers),
            headers=rate_headers(reply.headers),
        )

    def result_in_failure(self, _: Reply) -> ModelResponse | None:
        """None: an error is never vectors."""
        return None

    def assembler(self) -> Assembler:
        """There is no stream of vectors. Raises InvalidInput."""
        raise _not_streamed()


def _not_streamed() -> InvalidInput:
    return InvalidInput("embeddings are not streamed", field="stream", remedy="Leave it out.")


def texts_in(request: ModelRequest) -> list[str]:
    """The texts to embed. Raises RequestRejected for a request that cannot be embedded."""
    if any(message.role != "user" for message in request.messages):
        raise RequestRejected("an embeddings model takes messages of the user only", sent=False)
    if not 1 <= len(request.messages) <= TEXTS_MAX:
        said = f"{len(request.messages)} texts to embed: the limit is 1 to {TEXTS_MAX}"
        raise RequestRejected(said, sent=False)
    return [content_text(message.content) for message in request.messages]


def read_vectors(text: str, count: int) -> Vectors:
    """The vectors of an answer's text. Raises InvalidResponse unless they are `count` of one length."""
    return check_vectors(read_json(text.encode()), count)


def check_vectors(value: Any, count: int) -> Vectors:
    """The value if it is `count` vectors of finite numbers, all of one length. Raises InvalidResponse."""
    if not isinstance(value, list) or not all(isinstance(vector, list) and vector for vector in value):
        raise InvalidResponse(f"no vectors: {excerpt(str(value), 80)}")
    if len(value) != count:
        raise InvalidResponse(f"{len(value)} vectors for {count} texts")
    sizes = sorted({len(vector) for vector in value})
    if len(sizes) > 1:
        raise InvalidResponse(f"vectors of different lengths: {sizes[0]} and {sizes[-1]}")
    if sizes[0] * count > NUMBERS_MAX:
        raise InvalidResponse(f"{sizes[0] * count:,} numbers: the limit is {NUMBERS_MAX:,}")
    if not all(_is_finite(number) for vector in value for number in vector):
        raise InvalidResponse("a vector holds what is no finite number")
    return value


def _is_finite(value: Any) -> bool:
    return type(value) in (int, float) and isfinite(value)


def _in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By their index where all have one of their own; else as they came."""
    indices = [row.get("index") for row in rows]
    if sorted(index for index in indices if type(index) is int) != list(range(len(rows))):
        return rows
    return sorted(rows, key=lambda row: int(row["index"]))
