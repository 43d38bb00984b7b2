"""Embeddings over OpenAI's protocol, with all that can go wrong, and the embedder in this process."""

import json
import threading
from collections import OrderedDict
from datetime import UTC, datetime

import numpy as np
import orjson
import pytest
import wire

from assay.domain.errors import (
    InvalidInput,
    InvalidResponse,
    ModelUnavailable,
    RateLimited,
    RequestRejected,
)
from assay.domain.models import ModelConfig, ModelRequest, Usage
from assay.domain.prompts import Message
from assay.models import local_embedder as local
from assay.models.catalog import parse_model_id
from assay.models.embeddings import NUMBERS_MAX, TEXTS_MAX, read_vectors
from assay.models.estimate import estimate_call
from assay.models.prices import PriceTable

EMBEDDINGS = "openai-embeddings"
TWO = [[0.6, 0.8, 0.0], [1, 0.0, -1e-9]]


def request(*texts: str) -> ModelRequest:
    return ModelRequest(messages=tuple(Message("user", text) for text in texts))


def body(vectors, **fields):
    rows = [{"object": "embedding", "index": at, "embedding": each} for at, each in enumerate(vectors)]
    return {
        "object": "list",
        "data": rows,
        "model": "embed-2026",
        "usage": {"prompt_tokens": 9, "total_tokens": 9},
    } | fields


def answer(document, status=200, **fields):
    return wire.respond(status, orjson.dumps(document), **fields)


async def test_texts_go_out_together_and_vectors_come_back_in_their_order(server, make, key):
    shuffled = body(TWO) | {"data": body(TWO)["data"][::-1]}
    server.will(answer(shuffled, headers={"x-request-id": "req_1", "x-ratelimit-remaining-tokens": "10"}))
    model = make(EMBEDDINGS, model="embed", parameters={"dimensions": 3})
    response = await model.generate(request("one", "two"))
    (asked,) = server.asked
    assert asked.path == "/embeddings"
    assert asked.headers["authorization"] == f"Bearer {key}"
    assert asked.json == {"model": "embed", "dimensions": 3, "input": ["one", "two"]}
    assert json.loads(response.text) == TWO
    assert response.usage == Usage(input_tokens=9, output_tokens=0)
    assert (response.model, response.provider_request_id) == ("embed-2026", "req_1")
    assert response.latency_ms > 0
    assert response.finish == "complete"
    assert response.headers == {"x-ratelimit-remaining-tokens": "10"}


async def test_numbers_keep_seven_digits(server, make):
    server.will(answer(body([[0.123456789123456789, -1.23456789e-12]])))
    response = await make(EMBEDDINGS).generate(request("one"))
    assert response.text == "[[0.1234568,-1.234568e-12]]"


async def test_parameters_of_the_request_take_the_place_of_the_models(server, make):
    server.will(answer(body([[1.0]])))
    asked = ModelRequest(messages=(Message("user", "one"),), parameters={"dimensions": 1})
    await make(EMBEDDINGS, parameters={"dimensions": 3}).generate(asked)
    assert server.asked[-1].json["dimensions"] == 1


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (body([[1.0]]), "1 vectors for 2 texts"),
        (body([[1.0]] * 3), "3 vectors for 2 texts"),
        (body([[1.0, 2.0], [1.0]]), "different lengths: 1 and 2"),
        (body([[1.0], [None]]), "no finite number"),
        (body([[1.0], ["0.5"]]), "no finite number"),
        (body([[True], [1.0]]), "no finite number"),
        (body([[], []]), "no vectors"),
        (body(["AACAPw==", "AACAPw=="]), "no vectors"),
        (body([[1.0], [1.0]], data=None), "no list of vectors"),
        ({"choices": []}, "no list of vectors"),
        (body([[0.5] * (NUMBERS_MAX // 2 + 1)] * 2), "the limit is"),
        ([1], "not a JSON object"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_vectors_that_are_not_whole_are_no_answer(document, said, server, make):
    server.will(answer(document))
    with pytest.raises(InvalidResponse, match=said):
        await make(EMBEDDINGS).generate(request("one", "two"))


@pytest.mark.parametrize("text", [b'{"data": [{"embedding": [NaN]}]}', b'{"data": [{"embedding": [0.1, 0.'])
async def test_nan_and_half_an_answer_are_no_json(text, server, make):
    server.will(wire.respond(200, text))
    with pytest.raises(InvalidResponse, match="not JSON"):
        await make(EMBEDDINGS).generate(request("one"))


async def test_errors_are_those_of_every_provider(server, make, key):
    model = make(EMBEDDINGS)
    server.will(answer({"error": {"message": "slow down"}}, 429, headers={"retry-after": "7"}))
    with pytest.raises(RateLimited) as caught:
        await model.generate(request("one"))
    assert caught.value.retry_after_s == 7
    server.will(answer({"error": {"message": "broken"}}, 500))
    with pytest.raises(ModelUnavailable, match="broken"):
        await model.generate(request("one"))
    server.will(answer({"error": {"message": f"{key} may not"}}, 401))
    with pytest.raises(RequestRejected) as refused:
        await model.generate(request("one"))
    assert key not in str(refused.value)
    server.will(answer({"error": {"message": "in an answer of status 200"}}))
    with pytest.raises(ModelUnavailable, match="status 200"):
        await model.generate(request("one"))


async def test_what_cannot_be_embedded_is_never_sent(server, make, ask):
    model = make(EMBEDDINGS)
    for asked in (ask(), ModelRequest(messages=()), request(*["a"] * (TEXTS_MAX + 1))):
        with pytest.raises(RequestRejected) as caught:
            await model.generate(asked)
        assert caught.value.sent is False
    assert server.asked == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"stream": True}, "stream"),
        ({"parameters": {"input": "a"}}, "parameters.input"),
        ({"parameters": {"encoding_format": "base64"}}, "parameters.encoding_format"),
        ({"options": {"stream_usage": False}}, "options.stream_usage"),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_call(fields, field, make):
    with pytest.raises(InvalidInput) as caught:
        make(EMBEDDINGS, **fields)
    assert caught.value.field == field


async def test_the_version_and_the_keys_header_are_options(server, make, key):
    server.will(answer(body([[1.0]])))
    options = {"api_version": "2024-10-21", "key_header": "api-key"}
    await make(EMBEDDINGS, options=options).generate(request("one"))
    (asked,) = server.asked
    assert asked.path == "/embeddings?api-version=2024-10-21"
    assert asked.headers["api-key"] == key
    assert "authorization" not in asked.headers


def test_an_id_names_it_and_its_price_and_bound_count_input_only():
    provider, model = parse_model_id("openai-embeddings:text-embedding-3-small")
    config = ModelConfig(name="e", provider=provider, model=model)
    pricing = PriceTable(datetime(2026, 11, 1, tzinfo=UTC)).resolve(config)
    assert pricing is not None
    assert pricing.cost_nanousd(Usage(input_tokens=1_000_000, output_tokens=0)) == 20_000_000
    estimate = estimate_call(config, request("a text"), pricing)
    assert (estimate.expected_output_tokens, estimate.output_tokens_max) == (0, 0)
    assert estimate.cost_max_nanousd is not None
    assert not estimate.output_limit_assumed


@pytest.mark.parametrize("text", ["Paris", "[1, 2]", "{}", "[[1], [2], [3]]", '[["a"], ["b"]]'])
def test_a_text_that_is_not_the_vectors_asked_for_is_refused(text):
    with pytest.raises(InvalidResponse):
        read_vectors(text, 2)


def vector(text: str):
    found = local.local_embedder().embed([text])[text].vector
    assert found is not None
    return found


def test_the_local_embedder_puts_meanings_of_sixteen_languages_side_by_side():
    dog, bank = vector("The dog runs in the park"), vector("The bank raised the interest rate")
    assert np.linalg.norm(dog) == pytest.approx(1.0)
    for text in ("Der Hund läuft im Park", "犬が公園を走っている", "El perro corre en el parque"):
        assert vector(text) @ dog > 0.8
        assert vector(text) @ bank < 0.3


@pytest.mark.parametrize(
    "text", ["הכלב רץ בפארק", "कुत्ता पार्क में दौड़ता है", "Ο σκύλος τρέχει", "ძაღლი პარკში დარბის"]
)
def test_a_script_that_it_was_not_trained_on_has_no_vector(text):
    assert local.local_embedder().embed([text])[text].vector is None


@pytest.mark.parametrize("text", ["😀😀🎉", "", "\u200b", "\ufffd\ufffd"])
def test_signs_that_it_does_not_know_have_no_vector(text):
    found = local.local_embedder().embed([text])[text]
    assert found.vector is None
    assert found.problem


@pytest.mark.parametrize(
    "text", ["Great work! 🎉🎉", "γ is the third letter", "Bình đẳng", "12345", "x = f(y)"]
)
def test_a_few_foreign_signs_do_no_harm(text):
    assert vector(text).shape == (local.DIMENSIONS,)


@pytest.fixture
def forgetful(monkeypatch) -> local.LocalEmbedder:
    """The embedder, with nothing remembered."""
    monkeypatch.setattr(local.local_embedder(), "_memo", OrderedDict())
    return local.local_embedder()


def test_a_batch_over_threads_gives_what_each_text_gives(forgetful):
    texts = [f"Flat {number} has {number % 5} rooms near the {number}th station" for number in range(100)]
    together = forgetful.embed([*texts, *texts])
    assert together.keys() == set(texts)
    forgetful._memo.clear()
    for text in texts[::17]:
        assert np.abs(vector(text) - together[text].vector).max() < 1e-6


def test_a_long_text_is_the_weighted_mean_of_its_windows(forgetful, monkeypatch):
    text = " ".join(f"Sentence {number} says a little." for number in range(60))
    whole = vector(text)
    monkeypatch.setattr(local, "WINDOW_PIECES", 100)
    forgetful._memo.clear()
    assert 0.8 < vector(text) @ whole < 0.9999


def test_vectors_are_kept_for_texts_that_come_again_up_to_a_limit(forgetful, monkeypatch):
    monkeypatch.setattr(local, "MEMO_TEXTS", 3)
    first = forgetful.embed(["a house"])["a house"]
    assert forgetful.embed(["a house"])["a house"] is first
    forgetful.embed(["a garden", "a pool", "a garage"])
    assert len(forgetful._memo) == 3
    assert forgetful.embed(["a house"])["a house"] is not first


def test_threads_that_ask_first_together_load_it_once():
    found = []
    threads = [threading.Thread(target=lambda: found.append(local.local_embedder())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1
