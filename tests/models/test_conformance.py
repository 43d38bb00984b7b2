"""What every provider promises, over real HTTP, streaming and not, with all that can go wrong."""

import socket

import dialects
import orjson
import pytest
import wire

from assay.domain.errors import (
    AccountStopped,
    InvalidResponse,
    ModelTimeout,
    ModelUnavailable,
    RateLimited,
    RequestRejected,
)
from assay.domain.models import Timeouts, Usage

DIALECTS = pytest.mark.parametrize("dialect", dialects.ALL, ids=lambda d: d.provider)
STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


def both(test):
    """Run a test for every dialect, streaming and not."""
    return DIALECTS(STREAMED(test))


@both
async def test_an_answer_arrives_with_its_usage_and_times(dialect, stream, server, make, ask, key):
    server.will(dialects.answer(dialect, "Hello", stream=stream))
    response = await make(dialect.provider, stream=stream).generate(ask())
    assert response.text == "Hello"
    assert response.finish == "complete"
    assert response.usage.input_tokens == 100
    assert response.usage.output_tokens == 30
    assert response.usage.cached_tokens == 40
    assert response.usage.reasoning_tokens == 20
    assert response.latency_ms > 0
    assert (response.ttft_ms is not None) == stream
    assert response.ttft_ms is None or 0 < response.ttft_ms <= response.latency_ms
    (asked,) = server.asked
    assert asked.method == "POST"
    assert key in " ".join(asked.headers.values())
    assert "Say hello." in asked.body.decode()
    assert "Be brief." in asked.body.decode()


@both
async def test_connections_are_kept_and_used_again(dialect, stream, server, make, ask):
    server.will(dialects.answer(dialect, stream=stream))
    model = make(dialect.provider, stream=stream)
    for _ in range(5):
        await model.generate(ask())
    assert server.connections == 1


@both
async def test_a_burst_is_rate_limited_and_says_how_long(dialect, stream, server, make, ask):
    code, message = dialect.limited
    body = orjson.dumps(dialect.error(message, code))
    server.will(wire.respond(429, body, headers={"retry-after": "7", "x-request-id": "req_9"}))
    with pytest.raises(RateLimited) as caught:
        await make(dialect.provider, stream=stream).generate(ask())
    assert caught.value.retry_after_s == 7
    assert caught.value.http_status == 429
    assert caught.value.provider_request_id == "req_9"
    assert message in caught.value.message


@both
async def test_a_spent_account_stops(dialect, stream, server, make, ask):
    code, message = dialect.stopped
    server.will(wire.respond(429, orjson.dumps(dialect.error(message, code))))
    with pytest.raises(AccountStopped, match="429"):
        await make(dialect.provider, stream=stream).generate(ask())
    server.will(wire.respond(402, orjson.dumps(dialect.error("Pay."))))
    with pytest.raises(AccountStopped, match=r"Pay\."):
        await make(dialect.provider, stream=stream).generate(ask())


@both
async def test_overload_is_a_rate_limit(dialect, stream, server, make, ask):
    server.will(wire.respond(dialect.overloaded, orjson.dumps(dialect.error("The model is overloaded."))))
    with pytest.raises(RateLimited):
        await make(dialect.provider, stream=stream).generate(ask())


@both
@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 504])
async def test_a_failing_provider_is_unavailable(dialect, stream, status, server, make, ask):
    server.will(wire.respond(status, b"<html><title>Bad</title>Try later</html>", "text/html"))
    with pytest.raises(ModelUnavailable, match="Bad Try later") as caught:
        await make(dialect.provider, stream=stream).generate(ask())
    assert caught.value.retryable
    assert len(server.asked) == 1


@both
@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 413, 422])
async def test_a_refused_request_is_rejected_without_the_key(dialect, stream, status, server, make, ask, key):
    body = orjson.dumps(dialect.error(f"The key {key} may not do this."))
    server.will(wire.respond(status, body, headers={"location": server.url + "/elsewhere"}))
    with pytest.raises(RequestRejected, match=str(status)) as caught:
        await make(dialect.provider, stream=stream).generate(ask())
    assert not caught.value.retryable
    assert key not in str(caught.value)
    assert key not in (caught.value.body or "")
    assert len(server.asked) == 1


@both
async def test_a_refused_connection_was_never_sent(dialect, stream, make, ask):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    model = make(dialect.provider, stream=stream, base_url=f"http://127.0.0.1:{port}")
    with pytest.raises(ModelUnavailable, match="refused") as caught:
        await model.generate(ask())
    assert caught.value.sent is False


@both
async def test_an_unknown_host_was_never_sent(dialect, stream, make, ask):
    model = make(dialect.provider, stream=stream, base_url="http://nowhere.invalid")
    with pytest.raises(ModelUnavailable, match=r"nowhere\.invalid") as caught:
        await model.generate(ask())
    assert caught.value.sent is False


@both
async def test_a_reset_before_the_answer_was_sent(dialect, stream, server, make, ask):
    server.will(wire.reset_at_once)
    with pytest.raises(ModelUnavailable) as caught:
        await make(dialect.provider, stream=stream).generate(ask())
    assert caught.value.sent is True


@both
async def test_a_reset_in_the_answer_is_no_result(dialect, stream, server, make, ask):
    pieces = dialect.events(["Hel"], None) or [b"data: x\n"]
    whole = wire.partial(b'{"part', 1000, "reset")
    server.will(wire.in_chunks(pieces, end="reset") if stream else whole)
    with pytest.raises(ModelUnavailable, match="broke"):
        await make(dialect.provider, stream=stream).generate(ask())


@both
async def test_a_truncated_body_is_no_result(dialect, stream, server, make, ask):
    body = orjson.dumps(dialect.body())[:-20]
    cut = wire.in_chunks(dialect.events(["Hel"], None) or [b"data: x\n"], end="cut")
    server.will(cut if stream else wire.partial(body, len(body) + 20, "cut"))
    with pytest.raises(InvalidResponse, match="cut off"):
        await make(dialect.provider, stream=stream).generate(ask())


@both
async def test_half_a_document_is_no_result(dialect, stream, server, make, ask):
    body = orjson.dumps(dialect.body())[:-20]
    half = b"data: " + body + b"\n\n"
    server.will(wire.in_chunks([half]) if stream else wire.respond(200, body))
    with pytest.raises(InvalidResponse, match="not JSON") as caught:
        await make(dialect.provider, stream=stream).generate(ask())
    assert "Hello" in caught.value.body


@DIALECTS
async def test_a_stream_without_its_end_is_no_result(dialect, server, make, ask):
    server.will(wire.in_chunks(dialect.events(["Hel", "lo"], None)))
    with pytest.raises(InvalidResponse, match="stream ended"):
        await make(dialect.provider, stream=True).generate(ask())


@both
async def test_a_page_is_no_answer(dialect, stream, server, make, ask):
    server.will(wire.respond(200, b"<html>Welcome</html>", "text/html"))
    with pytest.raises(InvalidResponse) as caught:
        await make(dialect.provider, stream=stream).generate(ask())
    assert "Welcome" in caught.value.body


@DIALECTS
@pytest.mark.parametrize("body", [b"[]", b"{}", b"null", b"", b"\x00\xff", b'{"choices": [], "content": 3}'])
async def test_json_without_an_answer_is_none(dialect, body, server, make, ask):
    server.will(wire.respond(200, body))
    model = make(dialect.provider, **({"options": {"output": "a.b"}} if dialect.provider == "http" else {}))
    with pytest.raises(InvalidResponse):
        await model.generate(ask())


@both
async def test_bytes_that_are_no_http_are_no_answer(dialect, stream, server, make, ask):
    server.will(wire.not_http)
    with pytest.raises(InvalidResponse):
        await make(dialect.provider, stream=stream).generate(ask())


@both
async def test_a_slow_first_byte_ends_in_time(dialect, stream, server, make, ask):
    limits = Timeouts(first_byte_s=0.2)
    server.will(wire.silence)
    with pytest.raises(ModelTimeout, match=r"first byte time limit.*0\.2 s") as caught:
        await make(dialect.provider, stream=stream, timeouts=limits).generate(ask())
    assert caught.value.sent is True


@both
async def test_a_stall_ends_in_time(dialect, stream, server, make, ask):
    limits = Timeouts(idle_s=0.2)
    events = dialect.events(["Hel", "lo"])[:-1]
    server.will(wire.in_chunks(events, end="stall") if stream else wire.partial(b"{", 1000, "stall"))
    with pytest.raises(ModelTimeout, match=r"idle time limit.*0\.2 s"):
        await make(dialect.provider, stream=stream, timeouts=limits).generate(ask())


@both
async def test_a_drip_ends_at_the_total_limit(dialect, stream, server, make, ask):
    limits = Timeouts(total_s=0.3)
    kind = wire.EVENTS if stream else wire.JSON
    server.will(wire.in_chunks([b": \n"] * 50, kind, pause_s=0.05))
    with pytest.raises(ModelTimeout, match=r"total time limit.*0\.3 s"):
        await make(dialect.provider, stream=stream, timeouts=limits).generate(ask())


@both
async def test_ten_megabytes_are_taken(dialect, stream, server, make, ask):
    text = "word " * (2 * 1024 * 1024)
    server.will(dialects.answer(dialect, text, stream=stream))
    assert (await make(dialect.provider, stream=stream).generate(ask())).text == text


@both
async def test_an_endless_answer_is_cut_off(dialect, stream, server, make, ask):
    kind = wire.EVENTS if stream else wire.JSON
    server.will(wire.in_chunks([b":" * 1024 * 1024] * 40, kind, end="cut"))
    with pytest.raises(InvalidResponse, match="larger than 32 MiB"):
        await make(dialect.provider, stream=stream).generate(ask())


@DIALECTS
async def test_an_announced_flood_is_not_read(dialect, server, make, ask):
    server.will(wire.partial(b"{", 10**10, "stall"))
    with pytest.raises(InvalidResponse, match="larger than 32 MiB"):
        await make(dialect.provider).generate(ask())


@DIALECTS
async def test_a_zip_bomb_is_cut_off(dialect, server, make, ask):
    server.will(wire.zipped(b" " * 40 * 1024 * 1024))
    with pytest.raises(InvalidResponse, match="larger than 32 MiB"):
        await make(dialect.provider).generate(ask())


@DIALECTS
async def test_gzip_is_read(dialect, server, make, ask):
    server.will(wire.zipped(orjson.dumps(dialect.body("Hello"))))
    assert (await make(dialect.provider).generate(ask())).text == "Hello"
    assert "gzip" in server.asked[0].headers["accept-encoding"]


@DIALECTS
async def test_what_only_calls_itself_gzip_is_no_answer(dialect, server, make, ask):
    server.will(wire.respond(200, b"{}", headers={"content-encoding": "gzip"}))
    with pytest.raises(InvalidResponse):
        await make(dialect.provider).generate(ask())


@both
async def test_hostile_text_arrives_as_text(dialect, stream, server, make, ask):
    hostile = orjson.dumps("MARK")[1:-1]
    nasty = rb"\u0000 \ud83d\ude00 \ud800 \\ud800 " + b"\xff \xed\xa0\x80" + rb" \udc00"
    if stream:
        pieces = [piece.replace(hostile, nasty) for piece in dialect.events(["MARK"])]
        server.will(wire.in_chunks(pieces))
    else:
        server.will(wire.respond(200, orjson.dumps(dialect.body("MARK")).replace(hostile, nasty)))
    text = (await make(dialect.provider, stream=stream).generate(ask())).text
    assert text.startswith("\x00 \U0001f600 \ufffd \\ud800 \ufffd ")
    assert text.endswith(" \ufffd")
    text.encode()


@both
async def test_a_request_that_json_cannot_say_is_not_sent(dialect, stream, server, make, ask):
    with pytest.raises(RequestRejected) as caught:
        await make(dialect.provider, stream=stream).generate(ask("half a \ud800"))
    assert caught.value.sent is False
    assert server.asked == []


@both
async def test_headers_that_are_not_ascii_do_no_harm(dialect, stream, server, make, ask):
    body = b"".join(dialect.events(["Hello"])) if stream else orjson.dumps(dialect.body())
    kind = wire.EVENTS if stream else wire.JSON
    server.will(wire.respond(200, body, kind, {"x-note": "caf\xe9", "x-ratelimit-remaining-requests": "5"}))
    response = await make(dialect.provider, stream=stream).generate(ask())
    assert response.text == "Hello"
    assert response.headers == {"x-ratelimit-remaining-requests": "5"}


@DIALECTS
async def test_a_stream_may_be_cut_anywhere(dialect, server, make, ask):
    body = b"".join(dialect.events(["Grüße, ", "Welt 🎉"])).replace(b"\n", b"\r\n")
    server.will(wire.in_chunks([body[i : i + 7] for i in range(0, len(body), 7)]))
    assert (await make(dialect.provider, stream=True).generate(ask())).text == "Grüße, Welt 🎉"


@pytest.mark.parametrize(
    "dialect", [d for d in dialects.ALL if d.provider != "gemini"], ids=lambda d: d.provider
)
async def test_a_stream_that_was_finished_but_never_closed_is_a_result(dialect, server, make, ask):
    server.will(wire.in_chunks(dialect.events(["Hel", "lo"]), end="stall"))
    response = await make(dialect.provider, stream=True, timeouts=Timeouts(idle_s=0.5)).generate(ask())
    assert response.text == "Hello"


@both
async def test_an_answer_without_usage_says_nothing_of_it(dialect, stream, server, make, ask):
    if dialect.provider in ("http", "anthropic"):
        pytest.skip("the first has none by itself, the second always")
    name = "usage" if dialect.provider == "openai" else "usageMetadata"
    body = {key: value for key, value in dialect.body().items() if key != name}
    events = [piece.replace(f'"{name}"'.encode(), b'"other"') for piece in dialect.events(["Hi"])]
    server.will(wire.in_chunks(events) if stream else wire.respond(200, orjson.dumps(body)))
    assert (await make(dialect.provider, stream=stream).generate(ask())).usage == Usage()
