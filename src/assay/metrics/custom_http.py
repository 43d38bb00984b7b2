"""Metrics of the user's own scoring service, asked over HTTP."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any
from urllib.parse import urlsplit

from assay.domain.errors import InvalidInput, ModelError
from assay.domain.models import ModelConfig, ModelRequest, Price, Timeouts
from assay.domain.prompts import Message
from assay.domain.protocols import CallBound, Judge, Reply
from assay.domain.scores import MetricConfig, MetricInfo, Sample, Score
from assay.domain.text import valid_text
from assay.metrics.custom_result import Verdict, read_result, to_score
from assay.metrics.entry import MetricSpec
from assay.metrics.sample_metric import UNANSWERED, Unscored
from assay.models.json_text import excerpt
from assay.models.placeholders import follow, names_in, steps_of

PAYLOAD = (
    "output", "expected", "vars", "context", "metadata", "tool_calls", "finish", "case", "metric",
)  # fmt: skip
"""What the service is sent, and what placeholders of `body` may name."""
WHOLE = "{{ vars }}"
"""The provider's placeholder for all of it: the payload travels as the request's variables."""
LARGEST_INTEGER = 1 << 53
HEAD_BYTES = 512
_OPENING = re.compile(r"\{\{\s*(?=[\w.-]+\s*\}\})")
_MISSING = object()


def endpoint_of(config: MetricConfig) -> ModelConfig:
    """The service of an `http` metric as a model of the provider `http`, labelled by the metric's name.

    References to the environment in address and headers are resolved when the model is made; redirects are
    not followed and addresses are checked as for any application behind that provider.
    """
    options = config.options
    if not options.get("url"):
        raise InvalidInput("the metric 'http' needs this option", field="options.url")
    limit_s = float(options.get("timeout_s") or 30.0)
    body = options.get("body")
    return ModelConfig(
        name=config.name,
        provider="http",
        model=options["url"],
        headers=options.get("headers") or {},
        key_variable=options.get("key_variable"),
        options={
            "url": options["url"],
            "body": WHOLE if body is None else _in_payload(body),
            "response": "text",
        },
        price=Price(input_usd=0.0, output_usd=0.0) if options.get("free") else None,
        timeouts=Timeouts(connect_s=min(5.0, limit_s), first_byte_s=limit_s, idle_s=limit_s, total_s=limit_s),
    )


def services_of(metrics: Sequence[MetricConfig]) -> tuple[ModelConfig, ...]:
    """The services of the metrics that have one: judges beside those of the suite."""
    return tuple(endpoint_of(config) for config in metrics if config.type == "http")


def make_http(spec: MetricSpec) -> "HttpMetric":
    """A metric of a scoring service. Raises InvalidInput for an unusable address or placeholder."""
    options = spec.options
    _check_url(options["url"])
    if isinstance(options["headers"], bool):
        raise InvalidInput("must be an object", field="options.headers")
    if options["timeout_s"] <= 0:
        raise InvalidInput("must be more than 0", field="options.timeout_s")
    unknown = sorted(names_in(options["body"]) - set(PAYLOAD))
    if unknown:
        raise InvalidInput(
            f"no such placeholder: {', '.join(unknown)}",
            field="options.body",
            remedy=f"There are: {', '.join(PAYLOAD)}.",
        )
    paths = {name: steps_of(options[name]) for name in ("score", "reason")}
    return HttpMetric(spec.info, spec.config, spec.judges, paths, options["every_answer"])


@dataclass(frozen=True, slots=True)
class HttpMetric:
    """A JudgedMetric whose one judge is a service of the user's own."""

    info: MetricInfo
    config: MetricConfig
    judges: tuple[str, ...]
    paths: Mapping[str, Sequence[str]]
    every_answer: bool

    @property
    def bound(self) -> CallBound:
        """One call with case and answer."""
        return CallBound(calls=1, fixed_bytes=HEAD_BYTES)

    async def judge(self, sample: Sample, judges: Mapping[str, Judge]) -> Score:
        """The score that the service gives; a reply that is none is a failure, with its text as evidence."""
        why_not = None if self.every_answer else UNANSWERED.get(sample.response.finish)
        if why_not is not None:
            return Score(self.config.name, "abstained", None, why_not)
        try:
            reply = await judges[self.judges[0]].ask(self._request(sample))
        except ModelError as error:
            evidence = {"reply": excerpt(error.body)} if error.body else None
            reason = f"the service gave no score: {error.message}"
            return Score(self.config.name, "failed", None, reason, evidence=evidence)
        return self._score(reply, sample)

    def _request(self, sample: Sample) -> ModelRequest:
        payload = payload_of(sample, self.config.name)
        return ModelRequest(messages=(Message("user", payload["output"]),), vars=payload)

    def _score(self, reply: Reply, sample: Sample) -> Score:
        found = self._read(reply.response.text)
        score = to_score(self.config, found, sample.response.finish)
        raw = {"reply": excerpt(reply.response.text)} if score.state == "failed" else score.evidence
        calls = 0 if reply.response.cached else 1
        return Score(
            score.metric, score.state, score.value, score.reason, score.passed, raw, calls, reply.cost_nanousd
        )

    def _read(self, text: str) -> Verdict | Unscored:
        try:
            document = strict_json(text)
        except (ValueError, RecursionError) as error:
            return Unscored("failed", f"the service's reply is no score: {error}"[:300])
        if not isinstance(document, Mapping):
            if document is None:
                return Unscored("failed", "the service's reply is no score: null")
            return read_result(document, "the service")
        score = follow(document, self.paths["score"], _MISSING)
        if score is _MISSING:
            place = ".".join(self.paths["score"])
            return Unscored("failed", f"the service's reply has nothing at {place!r}")
        found = {name: document[name] for name in ("evidence", "passed") if name in document}
        reason = follow(document, self.paths["reason"])
        return read_result({"score": score, "reason": reason, **found}, "the service")


def payload_of(sample: Sample, metric: str) -> dict[str, Any]:
    """What a service is sent of a sample, fit for JSON: no lone surrogates, no numbers beyond 64 bits."""
    case, response = sample.case, sample.response
    payload: dict[str, Any] = _plain(
        {
            "output": response.text,
            "expected": case.expected,
            "vars": case.vars,
            "context": case.context,
            "metadata": case.metadata,
            "tool_calls": response.tool_calls,
            "finish": response.finish,
            "case": case.key,
            "metric": metric,
        }
    )
    return payload


def strict_json(text: str) -> Any:
    """A JSON text, with no NaN, no infinite number and no key twice. Raises ValueError."""
    return json.loads(
        text, object_pairs_hook=_once, parse_constant=_refuse_constant, parse_float=_finite_number
    )


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return valid_text(value)
    if isinstance(value, Mapping):
        return {valid_text(str(name)): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, int) and not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
        return str(value)
    return value


def _in_payload(body: Any) -> Any:
    """A body whose placeholders name the payload: `{{ output }}` becomes `{{ vars.output }}`."""
    if isinstance(body, str):
        return _OPENING.sub("{{ vars.", body)
    if isinstance(body, Mapping):
        return {name: _in_payload(item) for name, item in body.items()}
    return [_in_payload(item) for item in body] if isinstance(body, list | tuple) else body


def _check_url(url: str) -> None:
    if "${" in url:
        return
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:
        usable = False
    if not usable or "{{" in url:
        raise InvalidInput(
            f"{url!r} is not an http or https address", field="options.url", remedy="Write https://host/path."
        )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands in it twice")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _finite_number(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"{text[:20]} is too large for a number")
    return value
