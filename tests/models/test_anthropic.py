import dialects
import orjson
import pytest
import wire

from assay.domain.errors import InvalidInput, InvalidResponse, RateLimited, RequestRejected
from assay.domain.models import ModelRequest
from assay.domain.prompts import Message
from assay.models.anthropic import FINISHES

ANTHROPIC = dialects.Anthropic()
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False}
FORMAT = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": SCHEMA}}


def answer(body):
    return wire.respond(200, orjson.dumps(body))


async def test_the_question_is_in_anthropics_notation(server, make, ask, key):
    server.will(answer(ANTHROPIC.body()))
    function = {"name": "look_up", "description": "Looks up.", "parameters": {"type": "object"}}
    model = make("anthropic", parameters={"temperature": 0, "stop": "END"})
    await model.generate(ask(tools=({"type": "function", "function": function},)))
    (asked,) = server.asked
    assert asked.path == "/messages"
    assert asked.headers["x-api-key"] == key
    assert asked.headers["anthropic-version"] == "2023-06-01"
    assert asked.json == {
        "model": "test-model",
        "max_tokens": 4096,
        "temperature": 0,
        "stop_sequences": ["END"],
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [{"role": "user", "content": "Say hello."}],
        "tools": [{"name": "look_up", "description": "Looks up.", "input_schema": {"type": "object"}}],
    }


async def test_images_in_openais_notation_are_translated(server, make):
    server.will(answer(ANTHROPIC.body()))
    parts = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "document", "source": {"type": "text"}},
    ]
    await make("anthropic").generate(ModelRequest(messages=(Message("user", parts),)))
    assert server.asked[0].json["messages"][0]["content"] == [
        parts[0],
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        parts[3],
    ]


async def test_a_schema_is_asked_for_natively_beside_the_effort(server, make, ask):
    server.will(answer(ANTHROPIC.body('{"a":1}')))
    model = make("anthropic", parameters={"output_config": {"effort": "low"}, "max_completion_tokens": 9})
    response = await model.generate(ask(response_format=FORMAT))
    assert response.text == '{"a":1}'
    asked = server.asked[0].json
    assert asked["output_config"] == {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}}
    assert asked["max_tokens"] == 9


@pytest.mark.parametrize("stream", [False, True])
async def test_a_schema_can_be_asked_for_by_a_tool(stream, server, make, ask):
    block = {"type": "tool_use", "id": "t1", "name": "answer"}
    events = [
        *ANTHROPIC.events([], None)[:2],
        dialects.event({"type": "content_block_start", "index": 0, "content_block": {**block, "input": {}}}),
        *(
            dialects.event(
                {
                    "type": "content_block_delta",
                    "index": 0,
                    "delta": {"type": "input_json_delta", "partial_json": p},
                }
            )
            for p in ('{"a"', ":1}")
        ),
        dialects.event({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {}}),
        dialects.event({"type": "message_stop"}),
    ]
    whole = answer(ANTHROPIC.body(finish="tool_use", content=[{**block, "input": {"a": 1}}]))
    server.will(wire.in_chunks(events) if stream else whole)
    model = make("anthropic", options={"structured_output": "tool"}, stream=stream)
    response = await model.generate(ask(response_format=FORMAT))
    assert (response.text, response.finish, response.tool_calls) == ('{"a":1}', "complete", ())
    assert server.asked[0].json["tool_choice"] == {"type": "tool", "name": "answer"}
    assert server.asked[0].json["tools"][0]["input_schema"] == SCHEMA


async def test_json_without_a_schema_is_refused_before_sending(server, make, ask):
    with pytest.raises(RequestRejected, match="json_schema") as caught:
        await make("anthropic").generate(ask(response_format={"type": "json_object"}))
    assert caught.value.sent is False
    assert server.asked == []


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("reason", "finish"), [*FINISHES.items(), ("tired", "other")])
async def test_every_stop_reason_has_its_class(reason, finish, stream, server, make, ask):
    events = wire.in_chunks(ANTHROPIC.events(["Hi"], reason))
    server.will(events if stream else answer(ANTHROPIC.body("Hi", reason)))
    response = await make("anthropic", stream=stream).generate(ask())
    assert (response.finish, response.finish_reason) == (finish, reason)


@pytest.mark.parametrize("stream", [False, True])
async def test_input_tokens_include_the_cache(stream, server, make, ask):
    server.will(dialects.answer(ANTHROPIC, stream=stream))
    usage = (await make("anthropic", stream=stream).generate(ask())).usage
    assert (usage.input_tokens, usage.cached_tokens, usage.cache_write_tokens) == (100, 40, 10)


async def test_tool_calls_are_in_openais_notation(server, make, ask):
    blocks = [
        {"type": "text", "text": "Well."},
        {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
    ]
    server.will(answer(ANTHROPIC.body(finish="tool_use", content=blocks)))
    response = await make("anthropic").generate(ask())
    assert response.text == "Well."
    assert response.tool_calls == (
        {"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
    )


async def test_an_overload_inside_a_stream_is_a_rate_limit(server, make, ask):
    error = dialects.event(ANTHROPIC.error("Overloaded", "overloaded_error"), "error")
    server.will(wire.in_chunks([*ANTHROPIC.events(["Hel"], None), error]))
    with pytest.raises(RateLimited, match="Overloaded") as caught:
        await make("anthropic", stream=True).generate(ask())
    assert caught.value.http_status == 529


async def test_a_stream_without_message_stop_is_no_result(server, make, ask):
    server.will(wire.in_chunks(ANTHROPIC.events(["Hello"])[:-1]))
    with pytest.raises(InvalidResponse, match="stop reason"):
        await make("anthropic", stream=True).generate(ask())


def test_an_unknown_way_to_structure_is_refused(make):
    with pytest.raises(InvalidInput, match="native or tool"):
        make("anthropic", options={"structured_output": "magic"})
