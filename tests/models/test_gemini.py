import dialects
import orjson
import pytest
import wire

from assay.domain.errors import InvalidInput, ModelUnavailable, RateLimited
from assay.domain.models import ModelRequest
from assay.domain.prompts import Message
from assay.models.gemini import FINISHES

GEMINI = dialects.Gemini()


def answer(body):
    return wire.respond(200, orjson.dumps(body))


async def test_the_question_is_in_googles_notation(server, make, key):
    server.will(answer(GEMINI.body()))
    parameters = {
        "temperature": 0,
        "top_p": 0.5,
        "max_tokens": 9,
        "stop": "END",
        "seed": 7,
        "thinkingConfig": {"thinkingBudget": 0},
        "safety_settings": [{"category": "X"}],
        "generationConfig": {"topK": 3},
    }
    function = {"name": "look_up", "parameters": {"type": "object"}}
    request = ModelRequest(
        messages=(Message("system", "Be brief."), Message("user", "Hi"), Message("assistant", "Ho")),
        tools=({"type": "function", "function": function}, {"googleSearch": {}}),
        response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}},
    )
    await make("gemini", parameters=parameters).generate(request)
    (asked,) = server.asked
    assert asked.path == "/models/test-model:generateContent"
    assert asked.headers["x-goog-api-key"] == key
    assert asked.json == {
        "contents": [
            {"role": "user", "parts": [{"text": "Hi"}]},
            {"role": "model", "parts": [{"text": "Ho"}]},
        ],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "safetySettings": [{"category": "X"}],
        "tools": [
            {"functionDeclarations": [{"name": "look_up", "parametersJsonSchema": {"type": "object"}}]},
            {"googleSearch": {}},
        ],
        "generationConfig": {
            "topK": 3,
            "temperature": 0,
            "topP": 0.5,
            "maxOutputTokens": 9,
            "stopSequences": ["END"],
            "seed": 7,
            "thinkingConfig": {"thinkingBudget": 0},
            "responseMimeType": "application/json",
            "responseJsonSchema": {"type": "object"},
        },
    }


async def test_parts_in_openais_notation_are_translated(server, make):
    server.will(answer(GEMINI.body()))
    parts = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"fileData": {"fileUri": "files/1"}},
    ]
    await make("gemini").generate(ModelRequest(messages=(Message("user", parts),)))
    assert server.asked[0].json["contents"][0]["parts"] == [
        {"text": "What is it?"},
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
        {"fileData": {"fileUri": "https://example.com/a.png"}},
        {"fileData": {"fileUri": "files/1"}},
    ]


async def test_json_without_a_schema_only_names_the_type(server, make, ask):
    server.will(answer(GEMINI.body()))
    await make("gemini").generate(ask(response_format={"type": "json_object"}))
    assert server.asked[0].json["generationConfig"] == {"responseMimeType": "application/json"}


async def test_a_stream_has_its_own_method(server, make, ask):
    server.will(wire.in_chunks(GEMINI.events(["Hi"])))
    await make("gemini", stream=True, model="models/test-model").generate(ask())
    assert server.asked[0].path == "/models/test-model:streamGenerateContent?alt=sse"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("reason", "finish"), [*FINISHES.items(), ("MALFORMED_FUNCTION_CALL", "other"), ("OTHER", "other")]
)
async def test_every_finish_reason_has_its_class(reason, finish, stream, server, make, ask):
    events = wire.in_chunks(GEMINI.events(["Hi"], reason))
    server.will(events if stream else answer(GEMINI.body("Hi", reason)))
    response = await make("gemini", stream=stream).generate(ask())
    assert (response.finish, response.finish_reason) == (finish, reason)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_blocked_prompt_is_a_filtered_result(stream, server, make, ask):
    body = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 5}}
    server.will(wire.in_chunks([dialects.event(body)]) if stream else answer(body))
    response = await make("gemini", stream=stream).generate(ask())
    assert (response.text, response.finish, response.finish_reason) == ("", "filtered", "SAFETY")
    assert response.usage.input_tokens == 5
    assert response.usage.output_tokens is None


async def test_function_calls_are_tool_calls(server, make, ask):
    parts = [{"functionCall": {"name": "f", "args": {"a": 1}}}]
    candidate = {"content": {"parts": parts}, "finishReason": "STOP"}
    server.will(answer(GEMINI.body(candidates=[candidate])))
    response = await make("gemini").generate(ask())
    assert response.finish == "tool"
    assert response.tool_calls == (
        {"id": None, "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
    )


async def test_googles_retry_info_is_the_wait(server, make, ask):
    error = GEMINI.error("You exceeded your current quota", "RESOURCE_EXHAUSTED")
    kind = "type.googleapis.com/google.rpc."
    quota = {"@type": kind + "QuotaFailure", "violations": [{"quotaId": "RequestsPerMinutePerModel"}]}
    error["error"]["details"] = [quota, {"@type": kind + "RetryInfo", "retryDelay": "20.5s"}]
    server.will(wire.respond(429, orjson.dumps(error)))
    with pytest.raises(RateLimited) as caught:
        await make("gemini").generate(ask())
    assert caught.value.retry_after_s == 20.5
    quota["violations"][0]["quotaId"] = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
    server.will(wire.respond(429, orjson.dumps(error)))
    with pytest.raises(RateLimited) as caught:
        await make("gemini").generate(ask())
    assert caught.value.retry_after_s == 3600


async def test_an_error_inside_a_stream_is_that_error(server, make, ask):
    server.will(wire.in_chunks([*GEMINI.events(["Hi"], None), dialects.event(GEMINI.error("Broken"))]))
    with pytest.raises(ModelUnavailable, match="Broken"):
        await make("gemini", stream=True).generate(ask())


def test_several_candidates_are_refused(make):
    with pytest.raises(InvalidInput, match="repeats"):
        make("gemini", parameters={"candidateCount": 2})
