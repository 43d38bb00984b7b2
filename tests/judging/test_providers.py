"""Judges behind the protocols of other providers: where the form goes, and what comes back."""

import asyncio
import math
import time

import dialects
import judge
import orjson
import pytest
import wire

from assay.domain.datasets import Case
from assay.domain.models import ModelConfig, ModelResponse
from assay.domain.scores import MetricConfig, Sample
from assay.judging.templates import get_template
from assay.judging.verdicts import sent_schema
from assay.metrics.catalog import make_any_metric
from assay.models.catalog import make_model
from assay.models.transport import Transport

VERDICT = orjson.dumps({"reasoning": "So.", "cannot_judge": False, "score": 4}).decode()
SCHEMA = sent_schema(get_template("relevance").schema)
SAMPLE = Sample(
    case=Case(key="1", vars={"question": "How many rooms?"}), response=ModelResponse(text="Three.")
)


async def judged(provider, body, **fields):
    """The score by a judge of a provider that answers with this body, and what the provider was asked."""
    async with wire.WireServer() as server, Transport(clock=time.monotonic) as transport:
        server.will(wire.respond(200, orjson.dumps(body)))
        config = ModelConfig(
            name="judge",
            provider=provider,
            model="test-model",
            base_url=server.url,
            key_variable="K",
            **fields,
        )
        model = make_model(
            config, environment={"K": "key"}, transport=transport, clock=time.monotonic, sleep=asyncio.sleep
        )
        metric = make_any_metric(MetricConfig(name="label", type="relevance"), ["judge"])
        score = await metric.judge(SAMPLE, {"judge": judge.ModelJudge(model)})
        return score, [asked.json for asked in server.asked]


async def test_anthropic_is_given_the_schema_and_no_probabilities_are_asked_for():
    score, (asked,) = await judged("anthropic", dialects.Anthropic().body(VERDICT))
    assert (score.state, score.value) == ("scored", 0.75)
    assert asked["output_config"]["format"] == {"type": "json_schema", "schema": SCHEMA}
    assert "logprobs" not in asked and asked["temperature"] == 0
    assert "Three." not in orjson.dumps(asked["system"]).decode()


async def test_anthropic_answers_by_a_tool_where_the_suite_says_so():
    called = {"type": "tool_use", "id": "1", "name": "answer", "input": orjson.loads(VERDICT)}
    body = {**dialects.Anthropic().body(""), "content": [called], "stop_reason": "tool_use"}
    score, (asked,) = await judged("anthropic", body, options={"structured_output": "tool"})
    assert (score.state, score.value) == ("scored", 0.75)
    assert asked["tools"][0]["input_schema"] == SCHEMA


async def test_gemini_is_given_the_schema_and_its_probabilities_weigh_the_grade():
    before, after = VERDICT.split("4")
    shares = {"4": 0.5, "5": 0.5}
    chosen = [{"token": token, "logProbability": 0.0} for token in (before, "4", after)]
    likely = [{"token": token, "logProbability": math.log(share)} for token, share in shares.items()]
    body = dialects.Gemini().body(VERDICT)
    body["candidates"][0]["logprobsResult"] = {
        "chosenCandidates": chosen,
        "topCandidates": [{"candidates": []}, {"candidates": likely}, {"candidates": []}],
    }
    chosen[1]["logProbability"] = math.log(0.5)
    score, (asked,) = await judged("gemini", body)
    assert score.value == pytest.approx(0.875)
    generation = asked["generationConfig"]
    assert generation["responseLogprobs"] is True and generation["logprobs"] == 20
    assert SCHEMA in generation.values()
