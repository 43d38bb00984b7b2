import dialects
import orjson
import pytest
import wire

from assay.domain.errors import AccountStopped, InvalidInput, ModelUnavailable, RateLimited
from assay.domain.models import ModelRequest
from assay.domain.prompts import Message
from assay.models.openai import FINISHES

OPENAI = dialects.OpenAi()
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": {"type": "object"}}}


def answer(body):
    return wire.respond(200, orjson.dumps(body))


async def test_parameters_tools_and_format_reach_the_wire_as_they_are(server, make, ask):
    server.will(answer(OPENAI.body()))
    model = make("openai", parameters={"temperature": 0, "max_completion_tokens": 5}, headers={"X-Team": "a"})
    await model.generate(ask(tools=(TOOL,), response_format=SCHEMA))
    (asked,) = server.asked
    assert asked.path == "/chat/completions"
    assert asked.headers["authorization"].startswith("Bearer sk-")
    assert asked.headers["x-team"] == "a"
    assert asked.json == {
        "model": "test-model",
        "temperature": 0,
        "max_completion_tokens": 5,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Say hello."},
        ],
        "tools": [TOOL],
        "response_format": SCHEMA,
    }


async def test_the_prompts_format_wins_over_the_parameters(server, make, ask):
    server.will(answer(OPENAI.body()))
    model = make("openai", parameters={"response_format": {"type": "json_object"}, "tools": [TOOL]})
    await model.generate(ask())
    assert server.asked[-1].json["response_format"] == {"type": "json_object"}
    assert server.asked[-1].json["tools"] == [TOOL]
    await model.generate(ask(response_format=SCHEMA))
    assert server.asked[-1].json["response_format"] == SCHEMA


async def test_a_stream_asks_for_usage_unless_told_not_to(server, make, ask):
    server.will(wire.in_chunks(OPENAI.events(["Hi"])))
    await make("openai", stream=True).generate(ask())
    assert server.asked[-1].json["stream_options"] == {"include_usage": True}
    await make("openai", stream=True, options={"stream_usage": False}).generate(ask())
    assert "stream_options" not in server.asked[-1].json
    assert server.asked[-1].json["stream"] is True


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("reason", "finish"), [*FINISHES.items(), ("eos", "other")])
async def test_every_finish_reason_has_its_class(reason, finish, stream, server, make, ask):
    events = wire.in_chunks(OPENAI.events(["Hi"], reason))
    server.will(events if stream else answer(OPENAI.body("Hi", reason)))
    response = await make("openai", stream=stream).generate(ask())
    assert (response.finish, response.finish_reason) == (finish, reason)


async def test_what_identifies_the_answer_is_kept(server, make, ask):
    body = OPENAI.body()
    body["choices"][0]["logprobs"] = {"content": [{"token": "Hello", "logprob": -0.1}]}
    headers = {"x-request-id": "req_7", "x-ratelimit-remaining-tokens": "10", "server": "x"}
    server.will(wire.respond(200, orjson.dumps(body), headers=headers))
    response = await make("openai").generate(ask())
    assert response.model == "gpt-test-2026"
    assert response.fingerprint == "fp_1"
    assert response.provider_request_id == "req_7"
    assert response.headers == {"x-ratelimit-remaining-tokens": "10"}
    assert response.logprobs == body["choices"][0]["logprobs"]


async def test_a_refusal_is_a_result_of_its_own(server, make, ask):
    server.will(answer(OPENAI.body(None, refusal="I cannot help.")))
    response = await make("openai").generate(ask())
    assert (response.text, response.finish) == ("I cannot help.", "refused")


@pytest.mark.parametrize(
    ("content", "text"), [(None, ""), ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab")]
)
async def test_content_may_be_nothing_or_parts(content, text, server, make, ask):
    server.will(answer(OPENAI.body(content)))
    assert (await make("openai").generate(ask())).text == text


async def test_tool_calls_are_put_together_from_a_stream(server, make, ask):
    def chunk(call, finish=None):
        delta = {"tool_calls": [call]} if call else {}
        return dialects.event({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    calls = [
        {"index": 0, "id": "c1", "type": "function", "function": {"name": "look_up", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"a":'}},
        {"index": 1, "id": "c2", "type": "function", "function": {"name": "other", "arguments": "{}"}},
        {"index": 0, "function": {"arguments": "1}"}},
    ]
    server.will(wire.in_chunks([*map(chunk, calls), chunk(None, "tool_calls"), dialects.event(b"[DONE]")]))
    response = await make("openai", stream=True).generate(ask())
    assert response.finish == "tool"
    assert response.ttft_ms is not None
    assert [call["id"] for call in response.tool_calls] == ["c1", "c2"]
    assert response.tool_calls[0]["function"] == {"name": "look_up", "arguments": '{"a":1}'}


async def test_the_old_function_call_is_a_tool_call(server, make, ask):
    call = {"name": "look_up", "arguments": "{}"}
    server.will(answer(OPENAI.body(None, "function_call", function_call=call)))
    response = await make("openai").generate(ask())
    assert response.finish == "tool"
    assert response.tool_calls == ({"id": None, "type": "function", "function": call},)


async def test_an_error_inside_an_answer_is_an_error(server, make, ask):
    server.will(answer({"error": {"message": "Upstream failed", "code": 502}}))
    with pytest.raises(ModelUnavailable, match="Upstream failed"):
        await make("openai").generate(ask())


@pytest.mark.parametrize(
    ("code", "error"), [("rate_limit_exceeded", RateLimited), ("insufficient_quota", AccountStopped)]
)
async def test_an_error_inside_a_stream_is_that_error(code, error, server, make, ask):
    events = [*OPENAI.events(["Hel"], None), dialects.event(OPENAI.error("Oh no", code))]
    server.will(wire.in_chunks(events))
    with pytest.raises(error, match="Oh no"):
        await make("openai", stream=True).generate(ask())


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({}, "/openai/v1/chat/completions"),
        (
            {"options": {"api_version": "2024-10-21"}},
            "/openai/deployments/test-model/chat/completions?api-version=2024-10-21",
        ),
    ],
)
async def test_azure_has_its_own_address_and_key_header(fields, path, server, make, ask, key):
    server.will(answer(OPENAI.body()))
    await make("azure", **fields).generate(ask())
    (asked,) = server.asked
    assert asked.path == path
    assert asked.headers["api-key"] == key
    assert "authorization" not in asked.headers


async def test_a_prompt_that_azure_filters_is_a_filtered_result(server, make, ask):
    error = {"error": {"message": "Filtered.", "code": "content_filter", "status": 400}}
    server.will(wire.respond(400, orjson.dumps(error)))
    response = await make("azure").generate(ask())
    assert (response.text, response.finish) == ("", "filtered")


@pytest.mark.parametrize("name", ["model", "messages", "stream", "n"])
def test_parameters_that_have_their_own_place_are_refused(name, make):
    with pytest.raises(InvalidInput, match=f"parameters.{name}"):
        make("openai", parameters={name: 1})


@pytest.mark.parametrize("url", ["ftp://host/v1", "nonsense", "https://user:pass@host/v1"])
def test_addresses_that_cannot_be_asked_are_refused(url, make):
    with pytest.raises(InvalidInput, match="base_url"):
        make("openai", base_url=url)


def test_an_unknown_option_is_refused_with_the_likeliest(make):
    with pytest.raises(InvalidInput, match="api_version"):
        make("openai", options={"api_versoin": "1"})


def test_a_header_that_would_break_the_request_is_refused(make):
    with pytest.raises(InvalidInput, match="headers"):
        make("openai", headers={"x-a": "b\r\nx-evil: 1"})


async def test_a_hostile_document_never_crashes(server, make):
    bodies = [
        {"choices": [{"message": {"content": 3, "tool_calls": {"a": 1}}, "finish_reason": ["x"]}]},
        {"choices": [{"message": {"refusal": {"a": []}, "function_call": 7}, "logprobs": 1}], "usage": [1]},
        {"choices": [{"message": {}}], "usage": {"prompt_tokens": "7", "completion_tokens": -1}, "id": 3},
    ]
    for body in bodies:
        server.will(answer(body))
        response = await make("openai").generate(ModelRequest(messages=(Message("user", "x"),)))
        assert isinstance(response.text, str)
        assert response.usage.input_tokens is None
