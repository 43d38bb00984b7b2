import asyncio
import socket
import subprocess
import sys
import time

import pytest
import wire
from hypothesis import given
from hypothesis import strategies as st

from assay.domain.errors import InvalidResponse, ModelTimeout, ModelUnavailable
from assay.domain.models import Timeouts
from assay.models.json_text import read_json
from assay.models.transport import Endpoint, Transport, TransportOptions

PATIENT = Timeouts()


def endpoint(url, **fields):
    return Endpoint(url=url, headers={}, timeouts=fields.pop("timeouts", PATIENT), **fields)


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
def full_listener():
    """The address of a socket that takes no more connections."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for one in waiting:
            one.close()


async def test_a_connection_that_does_not_come_was_never_sent(full_listener, transport):
    limits = Timeouts(connect_s=0.2)
    with pytest.raises(ModelTimeout, match=r"connect time limit.*0\.2 s") as caught:
        await transport.exchange(endpoint(full_listener, timeouts=limits), b"{}")
    assert caught.value.sent is False


async def test_a_thousand_stalled_calls_leave_nothing_behind(server, transport):
    server.will(wire.silence)
    limits = Timeouts(connect_s=20.0, first_byte_s=0.5, idle_s=0.2)
    before = len(asyncio.all_tasks())
    for _ in range(5):
        calls = [transport.exchange(endpoint(server.url, timeouts=limits), b"{}") for _ in range(200)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {ModelTimeout}
    await until(lambda: server.open_requests == 0)
    await until(lambda: len(asyncio.all_tasks()) <= before)


async def test_a_cancelled_stream_ends_at_the_server_too(server, transport):
    server.will(wire.in_chunks([b"data: x\n\n"], end="stall"))
    task = asyncio.create_task(transport.exchange(endpoint(server.url), b"{}"))
    await until(lambda: server.open_requests == 1)
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: server.open_requests == 0)


async def test_connections_are_replaced_when_they_are_old(server):
    now = [0.0]
    server.will(wire.respond(200, b"{}"))
    async with Transport(clock=lambda: now[0], options=TransportOptions(recycle_s=300.0)) as transport:
        for at in (0.0, 299.0, 301.0, 302.0):
            now[0] = at
            await transport.exchange(endpoint(server.url), b"{}")
    assert server.connections == 2


async def test_variables_for_proxies_are_not_read_but_a_named_proxy_is_used(server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    server.will(wire.respond(200, b"{}"))
    async with Transport(clock=time.monotonic) as transport:
        assert (await transport.exchange(endpoint(server.url), b"{}")).status == 200
    options = TransportOptions(proxy_url=server.url)
    async with Transport(clock=time.monotonic, options=options) as transport:
        assert (await transport.exchange(endpoint("http://far.invalid/v1"), b"{}")).status == 200
    assert server.asked[-1].path == "http://far.invalid/v1"


async def test_redirects_and_cookies_are_left_alone(server, transport):
    headers = {"location": server.url + "/other", "set-cookie": "a=b"}
    server.will(wire.respond(307, b"", headers=headers))
    assert (await transport.exchange(endpoint(server.url), b"{}")).status == 307
    assert (await transport.exchange(endpoint(server.url), b"{}")).status == 307
    assert len(server.asked) == 2
    assert "cookie" not in server.asked[1].headers


async def test_an_answer_up_to_the_limit_is_taken(server, transport):
    server.will(wire.respond(200, b"x" * 1000))
    assert len((await transport.exchange(endpoint(server.url, max_bytes=1000), b"")).body) == 1000
    with pytest.raises(InvalidResponse, match="larger"):
        await transport.exchange(endpoint(server.url, max_bytes=999), b"")


async def test_the_latency_is_measured_with_the_clock_that_is_given(server):
    now = [5.0]
    answer = wire.respond(200, b"{}")

    async def slowly(connection):
        now[0] += 0.25
        await answer(connection)

    server.will(slowly)
    async with Transport(clock=lambda: now[0]) as transport:
        assert (await transport.exchange(endpoint(server.url), b"{}")).latency_ms == 250.0


async def test_a_closed_transport_sends_nothing(server):
    transport = Transport(clock=time.monotonic)
    await transport.close()
    await transport.close()
    with pytest.raises(ModelUnavailable, match="closed") as caught:
        await transport.exchange(endpoint(server.url), b"{}")
    assert caught.value.sent is False
    assert server.asked == []


SHORT_RUN = """
import asyncio, sys, time
from assay.domain.models import Timeouts
from assay.models.transport import Endpoint, Transport

async def main():
    async with Transport(clock=time.monotonic) as transport:
        endpoint = Endpoint(url=sys.argv[1], headers={}, timeouts=Timeouts())
        for _ in range(3):
            await asyncio.gather(*(transport.exchange(endpoint, b"{}") for _ in range(32)))

asyncio.run(main())
"""


async def test_a_short_run_ends_without_an_abort(server):
    server.will(wire.respond(200, b"{}"))

    def run():
        return subprocess.run([sys.executable, "-c", SHORT_RUN, server.url], capture_output=True, timeout=60)

    for _ in range(8):
        ended = await asyncio.to_thread(run)
        assert (ended.returncode, ended.stderr) == (0, b"")


@given(st.binary(max_size=60))
def test_any_bytes_are_json_or_no_answer(body):
    try:
        value = read_json(body)
    except InvalidResponse:
        return
    assert value is None or isinstance(value, (bool, int, float, str, list, dict))


@given(
    st.lists(
        st.sampled_from([r"\ud83d", r"\ude00", r"\\", r"\u0041", r"\n", "x", r"\udfff", r"\""]), max_size=8
    )
)
def test_half_surrogates_become_replacement_characters(pieces):
    text = read_json(b'"' + "".join(pieces).encode() + b'"')
    text.encode()
