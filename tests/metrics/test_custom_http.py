"""Metrics of the user's own scoring service, against a server on the wire."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "servers"))

import wire

from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput
from assay.domain.models import Finish, ModelRequest, ModelResponse, Usage
from assay.domain.protocols import JudgedMetric, Model, Reply
from assay.domain.scores import MetricConfig, Sample, Score
from assay.metrics.catalog import make_any_metric
from assay.metrics.custom_http import endpoint_of, payload_of, strict_json
from assay.models.catalog import make_model
from assay.models.prices import PriceTable
from assay.models.transport import Transport

CASE = Case(
    key="c1", vars={"city": "Perth"}, expected="x", context=("a doc",), metadata={"source": {"page": 3}}
)


class Asking:
    """A judge that is a model, asked as it is."""

    def __init__(self, model: Model) -> None:
        self._model, self.config = model, model.config

    async def ask(self, request: ModelRequest) -> Reply:
        """Its answer."""
        return Reply(await self._model.generate(request), None)


@pytest.fixture
async def server() -> AsyncIterator[wire.WireServer]:
    """A server that does what it is told."""
    async with wire.WireServer() as running:
        yield running


@pytest.fixture
async def score(server: wire.WireServer) -> AsyncIterator[Callable[..., Any]]:
    """score(text, finish=, threshold=, **options): the score that the server gives an answer."""
    async with Transport(clock=time.monotonic) as transport:

        async def one(
            text: str = "Perth",
            *,
            finish: Finish = "complete",
            threshold: float | None = None,
            **options: Any,
        ) -> Score:
            options = {"url": f"{server.url}/score", "timeout_s": 20, **options}
            config = MetricConfig(name="polite", type="http", options=options, threshold=threshold)
            metric = make_any_metric(config)
            assert isinstance(metric, JudgedMetric)
            assert metric.judges == ("polite",)
            model = make_model(
                endpoint_of(config),
                environment={"SCORE_KEY": "sk-1", "SCORE_URL": server.url},
                transport=transport,
                clock=time.monotonic,
                sleep=asyncio.sleep,
            )
            response = ModelResponse(text=text, finish=finish)
            return await metric.judge(Sample(case=CASE, response=response), {"polite": Asking(model)})

        yield one


def replying(document: Any, status: int = 200) -> wire.Answer:
    return wire.respond(status, json.dumps(document).encode())


async def test_a_service_gets_the_whole_sample_and_gives_score_and_reason(score, server) -> None:
    server.will(replying({"score": 0.8, "reason": "kind", "evidence": {"words": ["please"]}}))
    found = await score("half \ud800 a pair")
    assert (found.state, found.value, found.reason) == ("scored", 0.8, "kind")
    assert (found.evidence, found.calls, found.cost_nanousd) == ({"words": ["please"]}, 1, None)
    (asked,) = server.asked
    assert asked.headers["content-type"] == "application/json"
    assert asked.json == {
        "output": "half \ufffd a pair", "expected": "x", "vars": {"city": "Perth"}, "context": ["a doc"],
        "metadata": {"source": {"page": 3}}, "tool_calls": [], "finish": "complete", "case": "c1",
        "metric": "polite",
    }  # fmt: skip


async def test_body_headers_key_and_paths_can_be_those_of_the_service(score, server) -> None:
    server.will(replying({"result": {"value": True}, "why": ["because"]}))
    found = await score(
        url="${SCORE_URL}/v2",
        headers={"x-token": "{{ key }}", "x-team": "a"},
        key_variable="SCORE_KEY",
        body={"text": "{{output}}", "of": "{{ vars.city }}", "page": "{{ metadata.source.page }}", "n": [1]},
        score="result.value",
        reason="/why/0",
        threshold=0.5,
    )
    assert (found.value, found.reason, found.passed) == (1.0, "because", True)
    (asked,) = server.asked
    assert (asked.path, asked.headers["x-token"], asked.headers["x-team"]) == ("/v2", "sk-1", "a")
    assert asked.json == {"text": "Perth", "of": "Perth", "page": 3, "n": [1]}


async def test_what_the_answer_says_is_no_placeholder(score, server) -> None:
    server.will(replying(1))
    await score("{{ vars.city }} {{ key }}", body={"text": "{{ output }}"})
    assert server.asked[0].json == {"text": "{{ vars.city }} {{ key }}"}


@pytest.mark.parametrize(("document", "value"), [(0.5, 0.5), (True, 1.0), (0, 0.0), ({"score": False}, 0.0)])
async def test_a_number_or_boolean_is_a_score_too(score, server, document: Any, value: float) -> None:
    server.will(replying(document))
    found = await score()
    assert (found.value, bool(found.reason)) == (value, True)


async def test_a_score_that_is_null_abstains(score, server) -> None:
    server.will(replying({"score": None, "reason": "no opinion"}))
    found = await score()
    assert (found.state, found.value, found.reason, found.calls) == ("abstained", None, "no opinion", 1)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no score"), (b"fine", "no score"), (b"<html>", "no score"), (b"{", "no score"),
        (b"null", "no score: null"), (b"NaN", "NaN is no JSON"), (b'{"score": NaN}', "NaN is no JSON"),
        (b'{"score": Infinity}', "Infinity is no JSON"), (b'{"score": 1e999}', "too large for a number"),
        (b'{"score": 1, "score": 0}', "a key stands in it twice"), (b'{"score": 1.01}', "outside [0, 1]"),
        (b"-1", "outside [0, 1]"), (b'{"score": "0.5"}', "the text '0.5'"), (b'"0.5"', "the text '0.5'"),
        (b'{"score": [1]}', "type list"), (b"[1]", "type list"), (b"{}", "nothing at 'score'"),
        (b'{"Score": 1}', "nothing at 'score'"), (b'{"score": 1, "reason": {}}', "as reason"),
        (b'{"score": 1, "evidence": []}', "as evidence"), (b"\xff\xfe", "no score"),
        (b"[" * 100_000, "no score"), (b"9" * 5000, "no score"),
    ],
)  # fmt: skip
async def test_a_reply_that_is_no_score_is_a_failure_with_its_text(
    score, server, body: bytes, said: str
) -> None:
    server.will(wire.respond(200, body))
    found = await score()
    assert (found.state, found.value, found.calls) == ("failed", None, 1)
    assert said in found.reason
    assert found.evidence is not None
    assert found.evidence["reply"][:10] == body.decode("utf-8", "replace")[:10]
    assert len(found.evidence["reply"]) < 2100


async def test_a_megabyte_is_read_and_its_reason_cut(score, server) -> None:
    server.will(replying({"score": 0.5, "reason": "x" * 1_000_000}))
    found = await score("y" * 1_000_000)
    assert (found.value, len(found.reason) < 2100) == (0.5, True)
    server.will(wire.respond(200, b"z" * 1_000_000))
    found = await score()
    assert (found.state, found.evidence is not None and len(found.evidence["reply"]) < 2100) == (
        "failed",
        True,
    )


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503, 302])
async def test_an_error_of_the_service_is_a_failure(score, server, status: int) -> None:
    server.will(replying({"detail": "the model is not loaded", "score": 1.0}, status))
    found = await score()
    assert (found.state, found.value) == ("failed", None)
    assert found.reason.startswith("the service gave no score: ")
    assert len(server.asked) == 1


async def test_a_slow_service_is_a_failure_that_names_the_limit(score, server) -> None:
    server.will(wire.silence)
    found = await score(timeout_s=0.2)
    assert found.state == "failed"
    assert "0.2" in found.reason


async def test_a_broken_connection_is_a_failure(score, server) -> None:
    server.will(wire.reset_at_once)
    assert (await score()).state == "failed"
    found = await score(url="http://127.0.0.1:1/score")
    assert (found.state, found.calls, found.cost_nanousd) == ("failed", 0, 0)


async def test_an_answer_that_was_withheld_is_not_sent_unless_all_are_wanted(score, server) -> None:
    server.will(replying(1))
    assert (await score(finish="refused")).state == "abstained"
    assert server.asked == []
    assert (await score(finish="refused", every_answer=True)).value == 1.0
    assert server.asked[0].json["finish"] == "refused"
    assert (await score(finish="truncated")).reason.endswith("; the answer was truncated")


@pytest.mark.parametrize(
    ("options", "field", "said"),
    [
        ({}, "options.url", "needs this option"),
        ({"url": "ftp://x/y"}, "options.url", "not an http or https address"),
        ({"url": "x"}, "options.url", "Write https://host/path."),
        ({"url": "http://me:secret@x/"}, "options.url", "not an http"),
        ({"url": "http://[x"}, "options.url", "not an http"),
        ({"url": "http://{{ output }}/"}, "options.url", "not an http"),
        ({"url": "http://x", "body": {"a": "{{ answer }}"}}, "options.body", "There are: output, expected"),
        ({"url": "http://x", "headers": True}, "options.headers", "an object"),
        ({"url": "http://x", "timeout_s": 0}, "options.timeout_s", "more than 0"),
    ],
)
def test_what_is_wrong_is_said_before_any_call(options: dict[str, Any], field: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        make_any_metric(MetricConfig(name="m", type="http", options=options))
    assert caught.value.field == field
    assert said in str(caught.value)


def test_a_service_and_a_judge_of_one_name_are_refused() -> None:
    config = MetricConfig(name="polite", type="http", options={"url": "http://x"})
    assert make_any_metric(config, ["other"]).judges == ("polite",)
    with pytest.raises(InvalidInput, match="a judge is called 'polite' too"):
        make_any_metric(config, ["other", "polite"])


def test_the_endpoint_keeps_secrets_as_references_and_has_the_name_of_the_metric() -> None:
    options = {"url": "${HOST:-http://x}/s", "headers": {"x-token": "${TOKEN}"}, "timeout_s": 3}
    config = endpoint_of(MetricConfig(name="polite", type="http", options=options))
    assert (config.name, config.provider, config.headers) == ("polite", "http", {"x-token": "${TOKEN}"})
    assert (config.options["url"], config.timeouts.total_s) == ("${HOST:-http://x}/s", 3.0)


def test_a_service_costs_nothing_only_if_that_is_said() -> None:
    for free, cost in ((False, None), (True, 0)):
        config = endpoint_of(MetricConfig(name="m", type="http", options={"url": "http://x", "free": free}))
        pricing = PriceTable(datetime(2026, 11, 1, tzinfo=UTC)).resolve(config)
        assert (pricing and pricing.cost_nanousd(Usage())) == cost


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(text=st.text(st.characters(), max_size=20), value=JSON)
def test_any_sample_can_be_sent(text: str, value: Any) -> None:
    case = Case(key="k", vars={"v": value}, expected=value)
    payload = payload_of(Sample(case=case, response=ModelResponse(text=text)), "m")
    assert json.loads(json.dumps(payload, ensure_ascii=False).encode())["case"] == "k"


@settings(max_examples=100, deadline=None)
@given(value=JSON.filter(lambda value: "nan" not in repr(value) and "inf" not in repr(value)))
def test_json_without_faults_is_read_as_it_is(value: Any) -> None:
    assert strict_json(json.dumps(value)) == value
