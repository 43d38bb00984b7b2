import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.domain.errors import AccountStopped, ModelUnavailable, RateLimited, RequestRejected
from assay.models.classification import STOPPED, failure
from assay.models.transport import Reply
from assay.models.waits import retry_after_s

DATE = {"date": "Mon, 23 Nov 2026 14:00:00 GMT"}


def reply(status, document=None, headers=None, body=None):
    body = orjson.dumps(document) if body is None else body
    return Reply(status=status, headers=headers or {}, body=body, latency_ms=1.0)


def openai(code, message="m"):
    return {"error": {"type": code, "code": code, "message": message}}


def anthropic(code, message="m", **details):
    return {"type": "error", "error": {"type": code, "message": message, "details": details}}


@pytest.mark.parametrize(
    ("status", "document", "error"),
    [
        (429, openai("rate_limit_exceeded"), RateLimited),
        (429, openai("slow_down"), RateLimited),
        (503, openai("server_is_overloaded"), RateLimited),
        (503, {"message": "maintenance"}, ModelUnavailable),
        (529, anthropic("overloaded_error"), RateLimited),
        (429, anthropic("rate_limit_error"), RateLimited),
        (429, anthropic("rate_limit_error", error_code="enforced_spend_limit_reached"), AccountStopped),
        (
            400,
            anthropic("invalid_request_error", "Your credit balance is too low to access it"),
            AccountStopped,
        ),
        (
            400,
            anthropic("invalid_request_error", "You have reached your specified API usage limits."),
            AccountStopped,
        ),
        (400, anthropic("invalid_request_error", "max_tokens: required"), RequestRejected),
        (402, anthropic("billing_error"), AccountStopped),
        (402, {"error": "Insufficient Balance"}, AccountStopped),
        (
            503,
            {"error": {"code": 503, "status": "UNAVAILABLE", "message": "The model is overloaded."}},
            RateLimited,
        ),
        (500, {"error": {"code": 500, "status": "INTERNAL", "message": "x"}}, ModelUnavailable),
        (404, {"error": "model 'x' not found"}, RequestRejected),
        (422, {"detail": [{"loc": ["body"], "msg": "field required"}]}, RequestRejected),
        (418, None, RequestRejected),
        *((429, openai(code), AccountStopped) for code in STOPPED if " " not in code),
    ],
)
def test_the_table_decides_by_status_and_code(status, document, error):
    assert type(failure(reply(status, document))) is error


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"error": {"message": "plain"}}', "plain"),
        (b'[{"error": {"message": "in a list"}}]', "in a list"),
        (b'{"error": "only text"}', "only text"),
        (b'{"message": "without error", "code": 400}', "without error"),
        (b'{"detail": [{"msg": "field required"}]}', "field required"),
        (b"<html><script>evil()</script><h1>No</h1> luck</html>", "400: No luck"),
        (b"text", "400: text"),
        (b"", "without a message"),
        (b"\xff\x00", "400"),
    ],
)
def test_the_providers_message_is_shown(body, shown):
    assert shown in failure(reply(400, body=body)).message


def test_long_messages_are_cut():
    error = failure(reply(400, openai("x", "y" * 10_000)))
    assert len(error.message) < 600
    assert len(error.body) < 2100


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": "Mon, 23 Nov 2026 14:00:30 GMT", **DATE}, 30),
        ({"retry-after": "Mon, 23 Nov 2026 14:00:30 GMT"}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0.5s"}, 360.5),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "20ms"}, 0.02),
        ({"x-ratelimit-remaining-tokens": "5", "x-ratelimit-reset-tokens": "20s"}, None),
        (
            {
                "anthropic-ratelimit-input-tokens-remaining": "0",
                "anthropic-ratelimit-input-tokens-reset": "2026-11-23T14:00:12Z",
                **DATE,
            },
            12,
        ),
        ({"x-ratelimit-reset": "1795442405000", **DATE}, 5),
        ({"x-ratelimit-reset": "1795442405", **DATE}, 5),
        ({"x-ratelimit-reset": "3"}, 3),
    ],
)
def test_the_wait_is_read_from_the_headers(headers, wait):
    assert retry_after_s(headers, None) == (None if wait is None else pytest.approx(wait))


NAMES = ["retry-after", "retry-after-ms", "x-ratelimit-reset", "date", "x-ratelimit-reset-tokens"]
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "message", "code", "details", "detail", "@type"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(st.integers(300, 599), JSON, st.dictionaries(st.sampled_from(NAMES), st.text(max_size=12)))
def test_no_answer_is_without_a_class(status, document, headers):
    headers["x-ratelimit-remaining-tokens"] = "0"
    error = failure(reply(status, document, headers))
    assert error.http_status == status
    assert error.retry_after_s is None or error.retry_after_s >= 0
