"""Which error an answer without a result is: one table, read from the top, the first match decides."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from assay.domain.errors import AccountStopped, ModelError, ModelUnavailable, RateLimited, RequestRejected
from assay.models.json_text import excerpt, mapping
from assay.models.transport import Reply
from assay.models.waits import retry_after_s


@dataclass(frozen=True, slots=True)
class Rule:
    """An error for these statuses if one of `signs` is among the error's codes or in its message.

    No statuses: any. No signs: always. A sign with a space is looked for in the message, others are codes.
    """

    error: type[ModelError]
    statuses: range | tuple[int, ...] = ()
    signs: tuple[str, ...] = ()

    def matches(self, status: int, problem: "Problem") -> bool:
        """Whether this rule decides."""
        if self.statuses and status not in self.statuses:
            return False
        return not self.signs or any(problem.shows(sign) for sign in self.signs)


@dataclass(frozen=True, slots=True)
class Problem:
    """What a provider says is wrong: its message, and all the codes it gives for it, in lower case."""

    message: str
    codes: tuple[str, ...] = ()

    def shows(self, sign: str) -> bool:
        """Whether a sign of the table is there."""
        return sign in self.message.lower() if " " in sign else sign in self.codes


STOPPED = (
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "enforced_spend_limit_reached",
    "billing_hard_limit_reached",
    "billing_not_active",
    "billing_error",
    "credit balance is too low",
    "api usage limits",
    "insufficient balance",
    "insufficient credits",
    "account is not active",
)
OVERLOADED = (
    "rate_limit_error",
    "rate_limit_exceeded",
    "resource_exhausted",
    "overloaded_error",
    "server_is_overloaded",
    "slow_down",
    "engine_overloaded",
    "unavailable",
    "is overloaded",
    "currently overloaded",
    "high demand",
    "high load",
)
RULES = (
    Rule(AccountStopped, (402,)),
    Rule(AccountStopped, (400, 401, 403, 429, 500), STOPPED),
    Rule(RateLimited, (429, 529)),
    Rule(RateLimited, (500, 502, 503, 504), OVERLOADED),
    Rule(ModelUnavailable, (408, 409, 425)),
    Rule(ModelUnavailable, range(500, 600)),
    Rule(RequestRejected),
)
"""Sources: the error pages of OpenAI, Anthropic and Gemini, read in autumn 2026."""

_REQUEST_IDS = ("x-request-id", "request-id", "apim-request-id", "x-goog-request-id")
_RATE_PREFIXES = ("x-ratelimit-", "anthropic-ratelimit-", "ratelimit", "retry-after")
_READ_BYTES = 4000
_SHORTEST_KEY = 6
_TAG = re.compile(r"<(?:script|style)\b.*?</(?:script|style)>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_ADVICE = {
    401: "is the key right?",
    403: "may this key use this model?",
    404: "are model and base_url right?",
}


def failure(reply: Reply, *, status: int | None = None, key: str | None = None) -> ModelError:
    """The error for an answer without a result; `status` if the body says another one than HTTP did."""
    status = status or reply.status
    text = reply.body[:_READ_BYTES].decode("utf-8", "replace")
    document = _document(reply.body)
    problem = problem_of(document, text)
    kind = next(rule.error for rule in RULES if rule.matches(status, problem))
    message = f"the provider answered {status}: {excerpt(problem.message, 500) or 'without a message'}"
    if 300 <= status < 400:
        target = reply.headers.get("location", "elsewhere")
        message = f"the provider redirects ({status}) to {excerpt(target, 200)}; redirects are not followed"
    elif kind is RequestRejected and status in _ADVICE:
        message = f"{message} ({_ADVICE[status]})"
    return kind(
        without_key(message, key),
        http_status=status,
        retry_after_s=retry_after_s(reply.headers, document),
        provider_request_id=request_id(reply.headers) or _body_request_id(document),
        body=without_key(excerpt(text), key) or None,
    )


def problem_of(document: Any, text: str = "") -> Problem:
    """Read a problem from an error document of any of the notations in use, else from plain text or HTML."""
    if isinstance(document, list) and document:
        document = document[0]
    outer = mapping(document)
    error = outer.get("error", outer.get("detail", outer))
    if isinstance(error, str):
        return Problem(error, _codes(outer))
    inner = mapping(error)
    message = inner.get("message") or outer.get("message")
    if not isinstance(message, str):
        message = orjson.dumps(error).decode() if error else _plain(text)
    return Problem(message, _codes(inner) + _codes(mapping(inner.get("details"))))


def rate_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Of an answer's headers those about rate limits."""
    return {name: value for name, value in headers.items() if name.startswith(_RATE_PREFIXES)}


def request_id(headers: Mapping[str, str]) -> str | None:
    """The provider's name for the request, by which its support finds it."""
    return next((headers[name] for name in _REQUEST_IDS if name in headers), None)


def without_key(text: str, key: str | None) -> str:
    """The text with the key blotted out, should the provider have repeated it."""
    return text.replace(key, "[key]") if key and len(key) >= _SHORTEST_KEY else text


def _codes(value: Mapping[str, Any]) -> tuple[str, ...]:
    found = (value.get(name) for name in ("code", "type", "status", "error_code"))
    return tuple(code.lower() for code in found if isinstance(code, str))


def _body_request_id(document: Any) -> str | None:
    found = mapping(document).get("request_id")
    return found if isinstance(found, str) else None


def _document(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _plain(text: str) -> str:
    return " ".join(_TAG.sub(" ", text).split()) if "<" in text else text.strip()
