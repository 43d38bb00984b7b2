"""What a call will cost, told before it is made: an expectation to show and a bound to reserve.

The bound counts one token for each byte. Byte-level tokenizers, which all current models use, never make
more; English prose has 4.7 bytes a token (cl100k and o200k on news and licence texts), code 3.4, JSON with
numbers 2.5, tables of decimals 1.4, base64 1.4, so no single ratio below would hold for all texts. A
ratio that was measured on the data at hand tightens the bound.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from assay.domain.content import canonical_json
from assay.domain.models import ModelConfig, ModelRequest, effective_parameters
from assay.domain.prompts import Message, Prompt
from assay.models.prices import RATE_TO_NANOUSD, Pricing

DEFAULT_OUTPUT_LIMIT = 1024
"""Taken for a model whose parameters set no limit; the estimate says so, and is then not a true bound."""
SENT_OUTPUT_LIMITS = {"anthropic": 4096}
"""Limits that a provider's calls carry when the parameters set none, because its API demands one."""
OUTPUTLESS_PROVIDERS = frozenset({"openai-embeddings"})
"""They answer with vectors, which are no tokens."""
DEFAULT_OUTPUT_TOKENS = 256
"""Expected length of an answer before any was seen."""
ASCII_BYTES_PER_TOKEN = 4.2
OTHER_BYTES_PER_TOKEN = 3.0
OBSERVED_MARGIN = 1.5
"""How much denser in tokens than the observed mean a text may be before it exceeds its bound."""
MESSAGE_TOKENS, MESSAGE_TOKENS_MAX = 4, 8
REQUEST_TOKENS, REQUEST_TOKENS_MAX = 3, 16
TOOL_PROMPT_TOKENS_MAX = 600
"""What providers add of their own when tools are given."""
IMAGE_TOKENS, IMAGE_TOKENS_MAX = 1_000, 5_000

_LIMIT_NAMES = ("max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens", "num_predict")
_CHOICES_NAMES = ("n", "candidate_count", "candidateCount")
_NESTED_NAMES = ("generation_config", "generationConfig", "options")
_TAG = re.compile(r"\{\{(.*?)\}\}|\{%(.*?)%\}", re.DOTALL)
_NAME = re.compile(r"(?<![\w.'\"])[A-Za-z_]\w*")
_KEYWORDS = frozenset(("if", "elif", "else", "for", "in", "is", "not", "and", "or", "set", "loop", "endfor"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Means of earlier calls, where there are any: bytes of input for a token, tokens of an answer."""

    bytes_per_token: float | None = None
    output_tokens: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEstimate:
    """A call's expected tokens and cost, and their upper bounds; costs are None when no price is known.

    `output_limit_assumed`: the parameters set no limit, so DEFAULT_OUTPUT_LIMIT stands for it.
    """

    input_tokens: int
    input_tokens_max: int
    expected_output_tokens: int
    output_tokens_max: int
    cost_nanousd: int | None
    cost_max_nanousd: int | None
    output_limit_assumed: bool


class LinearBound(NamedTuple):
    """Upper bound of a call's cost: base + per_byte * octet_length(the case's variables as JSON text)."""

    base_nanousd: int
    per_byte_nanousd: int


class _Size(NamedTuple):
    """What a model reads: bytes of text, and tokens that are not text."""

    ascii_bytes: int
    other_bytes: int
    extra_tokens: int
    extra_tokens_max: int

    def tokens(self, observed: Observed) -> int:
        if observed.bytes_per_token:
            text = (self.ascii_bytes + self.other_bytes) / observed.bytes_per_token
        else:
            text = self.ascii_bytes / ASCII_BYTES_PER_TOKEN + self.other_bytes / OTHER_BYTES_PER_TOKEN
        return self.extra_tokens + -int(-text // 1)

    def tokens_max(self, observed: Observed) -> int:
        text = (self.ascii_bytes + self.other_bytes) * tokens_per_byte_max(observed)
        return self.extra_tokens_max + -int(-text // 1)


def estimate_call(
    config: ModelConfig, request: ModelRequest, pricing: Pricing | None, observed: Observed | None = None
) -> CallEstimate:
    """Expected and greatest tokens and cost of a call."""
    observed = observed or Observed()
    size = _size(request.messages, request.tools, request.response_format)
    tokens, tokens_max = size.tokens(observed), size.tokens_max(observed)
    limit, assumed = output_limit(_asked(config, request))
    answer = _expected_output(limit, observed)
    return CallEstimate(
        input_tokens=tokens,
        input_tokens_max=tokens_max,
        expected_output_tokens=answer,
        output_tokens_max=limit,
        cost_nanousd=None if pricing is None else _plain_cost(pricing, tokens, answer),
        cost_max_nanousd=None if pricing is None else pricing.cost_max_nanousd(tokens_max, limit),
        output_limit_assumed=assumed,
    )


def expected_tokens(config: ModelConfig, request: ModelRequest) -> float:
    """Tokens that a call will count against a quota a minute, as far as can be told before it."""
    size = _size(request.messages, request.tools, request.response_format)
    return float(
        size.tokens(Observed()) + _expected_output(output_limit(_asked(config, request))[0], Observed())
    )


def text_tokens(text: str, observed: Observed | None = None) -> int:
    """Expected tokens of a text."""
    return _Size(*_text_bytes(text), 0, 0).tokens(observed or Observed())


def tokens_per_byte_max(observed: Observed) -> float:
    """The densest that a text is taken to be: a token a byte, or the observed ratio with a margin."""
    ratio = observed.bytes_per_token
    if not ratio:
        return 1.0
    with_margin = OBSERVED_MARGIN / ratio
    return with_margin if ratio < 1.0 else min(1.0, with_margin)


def linear_bound(
    config: ModelConfig,
    prompt: Prompt,
    pricing: Pricing,
    *,
    largest_bytes: int | None = None,
    observed: Observed | None = None,
) -> LinearBound:
    """The bound of a prompt's calls as a line over the bytes of a case's variables (their JSON text).

    `largest_bytes` is the longest of these texts: it tells which price tier can be reached; without it the
    dearest tier is taken. A variable that the templates use k times counts k times, and each loop once
    more for the text that it repeats. Variables that come from the suite belong into the prompt's texts.
    """
    density = tokens_per_byte_max(observed or Observed())
    copies = _copies(prompt)
    fixed = _size(prompt.messages, prompt.tools, prompt.response_format).tokens_max(observed or Observed())
    reach = None if largest_bytes is None else fixed + copies * largest_bytes * density
    tiers = [rates for rates in pricing.tiers if reach is None or rates.above_tokens < reach]
    input_rate = max(rates.input_max for rates in tiers)
    output_rate = max(rates.output_max for rates in tiers)
    base = fixed * input_rate + output_limit(config)[0] * output_rate
    per_byte = copies * density * input_rate
    return LinearBound(
        -(-base // RATE_TO_NANOUSD) + pricing.request_nanousd, -int(-per_byte // RATE_TO_NANOUSD)
    )


def _asked(config: ModelConfig, request: ModelRequest) -> ModelConfig:
    """The configuration with the parameters that the request sets."""
    if not request.parameters:
        return config
    return replace(config, parameters=effective_parameters(config, request))


def output_limit(config: ModelConfig) -> tuple[int, bool]:
    """The most tokens that a call may answer with (all choices together), and whether that is assumed."""
    if config.provider in OUTPUTLESS_PROVIDERS:
        return 0, False
    parameters = config.parameters
    places = [parameters, *(parameters[name] for name in _NESTED_NAMES if name in parameters)]
    limit = _largest(places, _LIMIT_NAMES) or SENT_OUTPUT_LIMITS.get(config.provider)
    return (limit or DEFAULT_OUTPUT_LIMIT) * (_largest(places, _CHOICES_NAMES) or 1), limit is None


def _largest(places: list[Any], names: tuple[str, ...]) -> int | None:
    values = (place.get(name) for place in places if isinstance(place, Mapping) for name in names)
    return max((value for value in values if isinstance(value, int) and value > 0), default=None)


def _expected_output(limit: int, observed: Observed) -> int:
    expected = DEFAULT_OUTPUT_TOKENS if observed.output_tokens is None else round(observed.output_tokens)
    return min(limit, expected)


def _plain_cost(pricing: Pricing, input_tokens: int, output_tokens: int) -> int:
    rates = pricing.rates(input_tokens)
    units = input_tokens * rates.input + output_tokens * (rates.output or 0)
    return (units + RATE_TO_NANOUSD // 2) // RATE_TO_NANOUSD + pricing.request_nanousd


def _text_bytes(text: str) -> tuple[int, int]:
    if text.isascii():
        return len(text), 0
    ascii_bytes = len(text.encode("ascii", "ignore"))
    return ascii_bytes, len(text.encode("utf-8", "surrogatepass")) - ascii_bytes


def _size(messages: tuple[Message, ...], tools: tuple[Mapping[str, Any], ...], response_format: Any) -> _Size:
    ascii_bytes = other_bytes = 0
    for text in _texts(messages, tools, response_format):
        plain, other = _text_bytes(text)
        ascii_bytes, other_bytes = ascii_bytes + plain, other_bytes + other
    images = sum(_is_image(part) for message in messages for part in _parts(message))
    extra = REQUEST_TOKENS + MESSAGE_TOKENS * len(messages) + IMAGE_TOKENS * images
    extra_max = REQUEST_TOKENS_MAX + MESSAGE_TOKENS_MAX * len(messages) + IMAGE_TOKENS_MAX * images
    return _Size(ascii_bytes, other_bytes, extra, extra_max + (TOOL_PROMPT_TOKENS_MAX if tools else 0))


def _texts(
    messages: tuple[Message, ...], tools: tuple[Mapping[str, Any], ...], response_format: Any
) -> Iterator[str]:
    for message in messages:
        yield message.role
        for part in _parts(message):
            if isinstance(part, str):
                yield part
            elif isinstance(part, Mapping) and isinstance(part.get("text"), str):
                yield part["text"]
            elif not _is_image(part):
                yield canonical_json(part).decode()
    for extra in (*tools, *([response_format] if response_format else [])):
        yield canonical_json(extra).decode()


def _parts(message: Message) -> list[Any]:
    return message.content if isinstance(message.content, list) else [message.content]


def _is_image(part: Any) -> bool:
    return isinstance(part, Mapping) and (
        "image" in str(part.get("type", "")) or "inline_data" in part or "inlineData" in part
    )


def _copies(prompt: Prompt) -> int:
    names: Counter[str] = Counter()
    loops = 0
    for text in _texts(prompt.messages, (), None):
        for match in _TAG.finditer(text):
            words = _NAME.findall(match.group(1) or match.group(2) or "")
            loops += "for" in words
            names.update(word for word in words if word not in _KEYWORDS)
    return max(names.values(), default=1) + loops
