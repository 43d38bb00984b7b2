import time

import orjson
import pytest

from assay.domain.errors import InvalidInput, ModelUnavailable, RateLimited, RequestRejected
from assay.domain.models import ModelConfig, ModelRequest, Usage, WorkTag
from assay.domain.prompts import Message
from assay.models.catalog import make_model
from assay.models.transport import Transport


@pytest.fixture
def slept():
    """The seconds that a model slept."""
    return []


@pytest.fixture
def make_local(slept):
    async def sleep(seconds):
        slept.append(seconds)

    def make(provider, **options):
        config = ModelConfig(name="m", provider=provider, model="m", options=options)
        transport = Transport(clock=time.monotonic)
        return make_model(config, environment={}, transport=transport, clock=time.monotonic, sleep=sleep)

    return make


def asked(text, **fields):
    return ModelRequest(messages=(Message("system", "s"), Message("user", text)), **fields)


def tagged(prompt, case, repeat=0):
    tag = WorkTag(item_no=0, lease_token=0, prompt=prompt, case=case)
    return ModelRequest(messages=(), tag=tag, repeat=repeat)


async def test_echo_answers_with_the_last_user_message(make_local):
    response = await make_local("echo").generate(asked("hello there"))
    assert (response.text, response.finish) == ("hello there", "complete")
    assert response.usage == Usage(input_tokens=3, output_tokens=2)


async def test_echo_answers_as_its_options_say(make_local, slept):
    model = make_local(
        "echo", reply="{{ vars.a }} of {{ model }}", latency_s=0.25, tokens=9, finish_reason="length"
    )
    response = await model.generate(asked("x", vars={"a": 1}))
    assert (response.text, response.finish, response.usage.output_tokens) == ("1 of m", "truncated", 9)
    assert (response.latency_ms, slept) == (250.0, [0.25])


async def test_echo_picks_replies_and_failures_by_seed_alone(make_local):
    async def run(seed):
        model = make_local("echo", replies=["a", "b", "c"], fail_rate=0.3, seed=seed)
        seen = []
        for number in range(200):
            try:
                seen.append((await model.generate(asked(str(number)))).text)
            except ModelUnavailable as error:
                seen.append(error.message)
        return seen

    first = await run(1)
    assert first == await run(1) != await run(2)
    assert {"a", "b", "c"} < set(first)
    assert 30 <= sum("purpose" in text for text in first) <= 90


async def test_an_echo_that_failed_can_succeed_when_asked_again(make_local):
    model = make_local("echo", fail_rate=0.5, fail_with="rate_limited", retry_after_s=2)
    for number in range(20):
        for _ in range(60):
            try:
                await model.generate(asked(str(number)))
                break
            except RateLimited as error:
                assert error.retry_after_s == 2
        else:
            pytest.fail("never succeeded")


@pytest.mark.parametrize(
    "options",
    [
        {"fail_rate": 2},
        {"latency_s": "x"},
        {"replies": []},
        {"fail_with": "magic"},
        {"reply": "{{ x }}"},
        {"a": 1},
    ],
)
def test_echo_refuses_options_that_make_no_sense(options, make_local):
    with pytest.raises(InvalidInput, match="options"):
        make_local("echo", **options)


@pytest.fixture
def recordings(tmp_path):
    """Writes a file of recordings."""

    def write(*entries):
        path = tmp_path / "outputs.jsonl"
        path.write_bytes(b"\n".join(e if isinstance(e, bytes) else orjson.dumps(e) for e in entries))
        return str(path)

    return write


async def test_replay_answers_with_what_was_recorded(make_local, recordings):
    file = recordings(
        {
            "prompt": "p",
            "case": "c1",
            "output": "any",
            "latency_ms": 5,
            "input_tokens": 3,
            "output_tokens": 4,
        },
        b"",
        {"prompt": "p", "case": "c1", "repeat": 1, "output": "second", "finish_reason": "length"},
        {"prompt": "p", "case": "c2", "output": {"a": 1}},
    )
    model = make_local("replay", file=file)
    first = await model.generate(tagged("p", "c1"))
    assert (first.text, first.latency_ms, first.usage) == ("any", 5.0, Usage(input_tokens=3, output_tokens=4))
    second = await model.generate(tagged("p", "c1", 1))
    assert (second.text, second.finish) == ("second", "truncated")
    assert (await model.generate(tagged("p", "c1", 2))).text == "any"
    assert (await model.generate(tagged("p", "c2"))).text == '{"a":1}'


async def test_replay_repeats_recorded_errors(make_local, recordings):
    file = recordings(
        {"prompt": "p", "case": "a", "error": "it broke"},
        {"prompt": "p", "case": "b", "error": {"code": "rate_limited", "message": "slow down"}},
    )
    model = make_local("replay", file=file)
    with pytest.raises(RequestRejected, match="it broke"):
        await model.generate(tagged("p", "a"))
    with pytest.raises(RateLimited, match="slow down"):
        await model.generate(tagged("p", "b"))


async def test_replay_names_the_cell_that_was_not_recorded(make_local, recordings):
    model = make_local("replay", file=recordings({"prompt": "p", "case": "a", "repeat": 0, "output": "x"}))
    with pytest.raises(RequestRejected, match="prompt 'p', case 'a', repeat 3") as caught:
        await model.generate(tagged("p", "a", 3))
    assert caught.value.sent is False
    with pytest.raises(RequestRejected, match="prompt and case"):
        await model.generate(asked("x"))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'{"case": "c", "output": ""}', "prompt"),
        (b'{"prompt": "p", "case": 3, "output": ""}', "case"),
        (b'{"prompt": "p", "case": "c"}', "output"),
        (b'{"prompt": "p", "case": "c", "repeat": -1, "output": ""}', "repeat"),
        (b'{"prompt": "p", "case": "ok", "output": ""}', "second recording"),
    ],
)
def test_replay_names_the_line_that_is_wrong(line, problem, make_local, recordings):
    with pytest.raises(InvalidInput, match=problem) as caught:
        make_local("replay", file=recordings({"prompt": "p", "case": "ok", "output": "x"}, line))
    assert caught.value.line == 2


def test_replay_names_the_file_that_is_missing(make_local, tmp_path):
    with pytest.raises(InvalidInput, match=r"gone\.jsonl"):
        make_local("replay", file=str(tmp_path / "gone.jsonl"))
