"""A model without a network: deterministic answers for dry runs and tests."""

import hashlib
from collections.abc import Mapping
from typing import Any

from assay.domain.errors import (
    AccountStopped,
    InvalidInput,
    InvalidResponse,
    ModelError,
    ModelTimeout,
    ModelUnavailable,
    RateLimited,
    RequestRejected,
)
from assay.domain.models import ModelConfig, ModelRequest, ModelResponse, Usage, request_key
from assay.domain.protocols import Sleep
from assay.models.hosted import check_options
from assay.models.json_text import text_of
from assay.models.openai import FINISHES
from assay.models.placeholders import NAMES, content_text, fill, names_in, values_of

OPTIONS = (
    "reply",
    "replies",
    "latency_s",
    "fail_rate",
    "fail_with",
    "retry_after_s",
    "seed",
    "tokens",
    "finish_reason",
)
FAILURES: Mapping[str, type[ModelError]] = {
    kind.code: kind
    for kind in (
        RateLimited,
        AccountStopped,
        ModelUnavailable,
        ModelTimeout,
        InvalidResponse,
        RequestRejected,
    )
}


class Echo:
    """Answers with the last user message, or as its options say.

    `reply`: a text with placeholders; `replies`: texts of which chance picks one; `latency_s`: how long an
    answer takes; `fail_rate`: the share of attempts that fail with the error whose code is `fail_with`;
    `tokens`: how many an answer counts, else its words; `finish_reason` in OpenAI's words.
    Chance is a hash of `seed`, the request and the number of the attempt: the same run gives the same.
    """

    def __init__(self, config: ModelConfig, sleep: Sleep) -> None:
        _check(config)
        self._config, self._sleep = config, sleep
        self._failed: dict[bytes, int] = {}

    @property
    def config(self) -> ModelConfig:
        """The configuration that this model was made from."""
        return self._config

    async def generate(self, request: ModelRequest) -> ModelResponse:
        """Answer after `latency_s`, or raise the error of `fail_with`."""
        options = self._config.options
        latency_s = float(options.get("latency_s", 0.0))
        if latency_s > 0:
            await self._sleep(latency_s)
        self._fail_by_chance(request)
        text = self._text(request)
        reason = str(options.get("finish_reason", "stop"))
        asked = sum(len(content_text(message.content).split()) for message in request.messages)
        return ModelResponse(
            text=text,
            finish=FINISHES.get(reason, "other"),
            finish_reason=reason,
            usage=Usage(input_tokens=asked, output_tokens=int(options.get("tokens", len(text.split())))),
            latency_ms=latency_s * 1e3,
            model=self._config.model,
        )

    async def close(self) -> None:
        """Nothing to give back."""

    def _text(self, request: ModelRequest) -> str:
        options = self._config.options
        if "replies" in options:
            replies = options["replies"]
            chance = self._chance(request_key(self._config, request), "reply")
            template = replies[int(chance * len(replies))]
        elif "reply" in options:
            template = options["reply"]
        else:
            asked = [m for m in request.messages if m.role == "user"] or list(request.messages)
            return content_text(asked[-1].content) if asked else ""
        return text_of(fill(template, values_of(self._config, request)))

    def _fail_by_chance(self, request: ModelRequest) -> None:
        options = self._config.options
        rate = float(options.get("fail_rate", 0.0))
        if rate <= 0:
            return
        key = request_key(self._config, request)
        attempt = self._failed.get(key, 0)
        if self._chance(key, f"fail {attempt}") >= rate:
            self._failed.pop(key, None)
            return
        self._failed[key] = attempt + 1
        kind = FAILURES[str(options.get("fail_with", ModelUnavailable.code))]
        wait = options.get("retry_after_s")
        raise kind(f"echo fails on purpose (attempt {attempt + 1})", retry_after_s=wait)

    def _chance(self, key: bytes, purpose: str) -> float:
        seed = self._config.options.get("seed", 0)
        digest = hashlib.sha256(key + f"{purpose} {seed}".encode()).digest()
        return int.from_bytes(digest[:7], "big") / (1 << 56)


def _check(config: ModelConfig) -> None:
    check_options(config, OPTIONS)
    options = config.options
    _check_number(options, "latency_s", 3600.0)
    _check_number(options, "fail_rate", 1.0)
    _check_number(options, "retry_after_s", 86400.0)
    _check_number(options, "tokens", 1e9)
    if options.get("fail_with", ModelUnavailable.code) not in FAILURES:
        raise InvalidInput(f"must be one of {', '.join(FAILURES)}", field="options.fail_with")
    replies = options.get("replies", ("",))
    if not isinstance(replies, (list, tuple)) or not replies:
        raise InvalidInput("must be a list of at least one text", field="options.replies")
    unknown = names_in([options.get("reply"), *replies]) - set(NAMES)
    if unknown:
        raise InvalidInput(
            f"no such placeholder: {', '.join(sorted(unknown))}",
            field="options.reply",
            remedy=f"There are: {', '.join(NAMES)}.",
        )


def _check_number(options: Mapping[str, Any], name: str, most: float) -> None:
    value = options.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
        raise InvalidInput(f"must be a number from 0 to {most:g}", field=f"options.{name}")
