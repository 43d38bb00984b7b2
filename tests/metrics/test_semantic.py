"""Metrics of meaning: with the embedder in this process, and with an embeddings model over HTTP."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "servers"))

import wire

from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput
from assay.domain.models import ModelConfig, ModelRequest, ModelResponse
from assay.domain.protocols import CallBound, JudgedMetric, Reply
from assay.domain.scores import MetricConfig, Sample
from assay.metrics.catalog import make_any_metric, make_metric
from assay.metrics.judged_embeddings import TEXTS_MAX
from assay.metrics.sentences import sentences, whole, word_windows
from assay.models.catalog import make_model
from assay.models.local_embedder import NAME
from assay.models.transport import Transport

ANSWER = "The auction is on Saturday. The home has three bedrooms! It is near the station."
EXPECTED = "There are three bedrooms. The auction takes place on Saturday."
OTHER = "Interest rates were raised by the bank."
SYMMETRIC = ["semantic_similarity", "embedding_match", "char_ngram_similarity"]
WORDS = st.lists(
    st.sampled_from(
        ("the", "a", "house", "garden", "has", "three", "not", "near.", "Auction!", "2026", "$5")
    ),
    min_size=1,
    max_size=14,
).map(" ".join)


def sample(answer: str, expected: object, **fields) -> Sample:
    return Sample(
        case=Case(key="1", vars={}, expected=expected), response=ModelResponse(text=answer, **fields)
    )


def test_the_nearer_meaning_scores_higher_though_it_shares_fewer_words(score):
    near = score("semantic_similarity", "The vendor turned the offer down.", "The seller rejected the bid.")
    far = score("semantic_similarity", "The seller rejected the tenant.", "The seller painted the shed.")
    assert near.value > far.value + 0.1
    assert near.evidence["embedder"] == NAME
    assert NAME in near.reason


def test_the_best_of_several_expected_texts_counts(score):
    alone = score("semantic_similarity", ANSWER, EXPECTED)
    several = score("semantic_similarity", ANSWER, [OTHER, EXPECTED])
    assert several.value == pytest.approx(alone.value, abs=1e-6)
    assert "the nearest of 2 expected texts" in several.reason
    assert score("semantic_similarity", ANSWER, OTHER, value=EXPECTED).value == pytest.approx(alone.value)


def test_a_negative_cosine_counts_as_0_and_is_told(score):
    found = score("semantic_similarity", "lol", "The statutory cooling-off period is five business days.")
    texts = ["No.", "7", "Blue whales sing.", "42 Wallaby Way"]
    below = [score("semantic_similarity", one, other) for one in texts for other in texts if one != other]
    negative = [each for each in [found, *below] if each.evidence["cosine"] < 0]
    assert negative
    assert {each.value for each in negative} == {0.0}
    assert all("counted as 0" in each.reason for each in negative)


def test_a_match_says_what_is_least_supported_and_where_it_stands(score):
    found = score("embedding_match", ANSWER, EXPECTED)
    evidence = found.evidence
    assert found.value == evidence["f1"]
    assert evidence["recall"] > evidence["precision"]
    assert (evidence["unit"], evidence["answered"], evidence["expected"]) == ("sentences", 3, 2)
    least = evidence["least_supported"]
    assert least["text"] == "It is near the station."
    assert ANSWER[least["start"] : least["end"]] == least["text"]
    precision, recall = (evidence[name] for name in ("precision", "recall"))
    assert found.value == pytest.approx(2 * precision * recall / (precision + recall), abs=1e-5)


@pytest.mark.parametrize("measure", ["f1", "precision", "recall"])
def test_the_measure_of_a_match_is_an_option(score, measure):
    found = score("embedding_match", ANSWER, EXPECTED, measure=measure)
    assert found.value == found.evidence[measure]


def test_windows_of_words_can_be_matched_in_place_of_sentences(score):
    found = score("embedding_match", "one two three four", "one two three", unit="window", window=2)
    assert (found.evidence["answered"], found.evidence["expected"]) == (3, 2)
    assert found.evidence["unit"] == "windows of 2 words"
    assert found.evidence["recall"] == pytest.approx(1.0)
    assert found.evidence["least_supported"]["text"] == "three four"


@pytest.mark.parametrize("name", SYMMETRIC)
@settings(max_examples=12, deadline=None)
@given(first=WORDS, second=WORDS)
def test_similarity_is_symmetric_and_in_the_unit_interval(name, first, second):
    metric = make_metric(MetricConfig(name="s", type=name))
    there, back, same = metric.score_batch(
        [sample(first, second), sample(second, first), sample(first, first)]
    )
    assert there.value == pytest.approx(back.value, abs=1e-6)
    assert 0.0 <= there.value <= 1.0
    assert same.value == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("name", SYMMETRIC)
@settings(max_examples=6, deadline=None)
@given(pairs=st.lists(st.tuples(WORDS, WORDS), max_size=6))
def test_a_batch_is_scored_as_each_of_its_answers(name, pairs):
    metric = make_metric(MetricConfig(name="s", type=name))
    samples = [sample(*pair) for pair in pairs]
    together = [score.value for score in metric.score_batch(samples)]
    assert together == pytest.approx([metric.score_batch([each])[0].value for each in samples], abs=2e-6)


@pytest.mark.parametrize("name", SYMMETRIC)
def test_an_empty_answer_is_like_an_empty_text_only(score, name):
    assert score(name, " \n", "A house.").value == 0.0
    assert score(name, "A house.", "").value == 0.0
    assert score(name, "", "").value == 1.0
    assert score(name, "", ["A house.", " "]).value == 1.0


@pytest.mark.parametrize("name", ["semantic_similarity", "embedding_match"])
@pytest.mark.parametrize(
    ("answer", "expected", "said"),
    [
        ("הכלב רץ בפארק", EXPECTED, "the answer has no vector: it is written in a script"),
        (EXPECTED, "हमारा घर", "the expected text has no vector"),
        ("😀😀😀", EXPECTED, "the answer has no vector: most of its signs are unknown"),
    ],
)
def test_what_the_embedder_cannot_read_is_abstained_on_and_not_scored(score, name, answer, expected, said):
    found = score(name, answer, expected)
    assert (found.state, found.value) == ("abstained", None)
    assert said in found.reason
    assert NAME in found.reason


def test_a_sentence_that_cannot_be_read_is_left_out_and_told(score):
    found = score("embedding_match", "The home has three bedrooms.\n😀😀😀", EXPECTED)
    assert found.evidence["answered"] == 1
    assert "signs are unknown" in found.evidence["left_out"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("semantic_similarity", "a" * 100_001),
        ("embedding_match", "A b.\n" * 2_001),
        ("char_ngram_similarity", "a" * 400_001),
    ],
)
def test_what_would_take_too_long_is_refused_with_the_limit(score, name, text):
    found = score(name, text, "a b")
    assert found.state == "failed"
    assert "over the limit of" in found.reason


def test_an_answer_that_breaks_costs_its_own_score_only():
    metric = make_metric(MetricConfig(name="s", type="semantic_similarity"))
    broken = sample("a house", "a house")
    object.__setattr__(broken.response, "text", None)
    scores = metric.score_batch([sample("a house", "a house"), broken, sample("a home", "a home")])
    assert [score.state for score in scores] == ["scored", "failed", "scored"]


def test_characters_in_common_are_what_the_fallback_counts(score):
    found = score("char_ngram_similarity", "Cat", "cats")
    # " cat " has " c" "ca" "at" "t " and three of three; " cats " five and four; five are in both
    assert found.value == pytest.approx(5 / (7 * 9) ** 0.5)
    assert found.reason == "5 shared 2- and 3-grams of 7 answered and 9 expected"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ('He said "no." Then he left.', ['He said "no."', "Then he left."]),
        ("It costs 1.5 million, i.e. much", ["It costs 1.5 million, i.e. much"]),
        ("- first\n- second\n\n", ["- first", "- second"]),
        ("一つ。二つ！「三つ。」四つ", ["一つ。", "二つ！", "「三つ。」", "四つ"]),
        ("   ", []),
    ],
)
def test_sentences_end_at_marks_and_lines(text, parts):
    assert [part.text for part in sentences(text)] == parts


@settings(max_examples=200, deadline=None)
@given(st.text('aB .!?\n。」"', max_size=40), st.integers(1, 4))
def test_parts_are_where_they_say_and_lose_nothing(text, size):
    for parts in (sentences(text), whole(text), word_windows(text, size)):
        assert all(text[part.start : part.end] == part.text for part in parts)
        covered = {at for part in parts for at in range(part.start, part.end)}
        assert {at for at, sign in enumerate(text) if not sign.isspace()} <= covered


# An embeddings model over HTTP, in a judge's place.

BAD = {
    "too few": ([[1.0]], "1 vectors for 2 texts"),
    "of different lengths": ([[1.0, 2.0], [1.0]], "different lengths"),
    "not a number": ([[1.0], [None]], "no finite number"),
    "without direction": ([[0.0, 0.0], [1.0, 0.0]], "no direction"),
}


def vectors(found: object) -> wire.Answer:
    rows = [{"index": at, "embedding": each} for at, each in enumerate(found)]
    document = {"data": rows, "model": "embed-2026", "usage": {"prompt_tokens": 4}}
    return wire.respond(200, orjson.dumps(document))


class Asking:
    """A judge that asks a model over HTTP, and says what it costs."""

    def __init__(self, model) -> None:
        self.model = model
        self.requests: list[ModelRequest] = []

    @property
    def config(self) -> ModelConfig:
        return self.model.config

    async def ask(self, request: ModelRequest) -> Reply:
        self.requests.append(request)
        return Reply(await self.model.generate(request), 7)


@pytest.fixture
async def server() -> AsyncIterator[wire.WireServer]:
    async with wire.WireServer() as running:
        yield running


@pytest.fixture
async def judge(server) -> AsyncIterator[Asking]:
    config = ModelConfig(name="vectors", provider="openai-embeddings", model="embed", base_url=server.url)
    async with Transport(clock=time.monotonic) as transport:
        yield Asking(
            make_model(config, environment={}, transport=transport, clock=time.monotonic, sleep=asyncio.sleep)
        )


@pytest.fixture
def judged() -> Callable[..., JudgedMetric]:
    def make(type_: str = "semantic_similarity", **options) -> JudgedMetric:
        config = MetricConfig(name="s", type=type_, options={"embedder": "vectors", **options}, threshold=0.5)
        metric = make_any_metric(config, ["judge", "vectors"])
        assert isinstance(metric, JudgedMetric)
        return metric

    return make


async def test_both_texts_are_embedded_in_one_call_that_is_paid_for(server, judge, judged):
    server.will(vectors([[3.0, 4.0], [4.0, 3.0]]))
    metric = judged()
    assert metric.judges == ("vectors",)
    assert metric.info.judged
    assert metric.bound == CallBound(calls=1, fixed_bytes=0)
    score = await metric.judge(sample("one", "two"), {"vectors": judge})
    assert (score.state, score.value, score.passed) == ("scored", 0.96, True)
    assert (score.calls, score.cost_nanousd) == (1, 7)
    assert score.evidence == {"embedder": "openai-embeddings:embed-2026", "cosine": 0.96}
    assert [asked.json["input"] for asked in server.asked] == [["one", "two"]]


async def test_equal_texts_are_sent_once(server, judge, judged):
    server.will(vectors([[3.0, 4.0]]))
    score = await judged().judge(sample("one", ["one", "one"]), {"vectors": judge})
    assert score.value == 1.0
    assert server.asked[0].json["input"] == ["one"]


async def test_a_match_sends_all_sentences_of_both_texts(server, judge, judged):
    server.will(vectors([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
    score = await judged("embedding_match").judge(sample("One. Two.", "Three."), {"vectors": judge})
    assert score.value == pytest.approx(0.5**0.5, abs=1e-6)
    assert server.asked[0].json["input"] == ["One.", "Two.", "Three."]
    assert judged("embedding_match", unit="window", window=4).bound.copies == 4


@pytest.mark.parametrize("case", BAD)
async def test_vectors_that_cannot_be_compared_make_a_failed_score_with_the_reason(
    case, server, judge, judged
):
    found, said = BAD[case]
    server.will(vectors(found))
    score = await judged().judge(sample("one", "two"), {"vectors": judge})
    assert (score.state, score.value) == ("failed", None)
    assert said in score.reason
    assert "vectors" in score.reason


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (wire.respond(429, b'{"error": {"message": "Slow down."}}'), "Slow down."),
        (wire.respond(500, b'{"error": {"message": "Broken."}}'), "Broken."),
        (wire.respond(200, b'{"data": [{"index": 0, "embedding": [0.1, 0.'), "not JSON"),
        (wire.respond(200, b'{"data": [{"index": 0, "embedding": [NaN]}]}'), "not JSON"),
    ],
    ids=["429", "500", "truncated", "NaN"],
)
async def test_a_call_that_fails_makes_a_failed_score_with_the_reason(answer, said, server, judge, judged):
    server.will(answer)
    score = await judged().judge(sample("one", "two"), {"vectors": judge})
    assert (score.state, score.value) == ("failed", None)
    assert score.reason.startswith("vectors: ")
    assert said in score.reason


class Chat:
    """A judge that answers with words."""

    config = ModelConfig(name="vectors", provider="echo", model="echo")

    async def ask(self, _: ModelRequest) -> Reply:
        return Reply(ModelResponse(text="I am a chat model.", cached=True), 0)


async def test_a_judge_that_is_no_embeddings_model_makes_a_failed_score(judged):
    score = await judged().judge(sample("one", "two"), {"vectors": Chat()})
    assert score.state == "failed"
    assert "did not answer with vectors" in score.reason
    assert (score.calls, score.cost_nanousd) == (0, 0)


@pytest.mark.parametrize(
    ("given", "state", "said"),
    [
        (sample("one", None), "skipped", "no expected text"),
        (sample("", "two", finish="refused"), "abstained", "refused"),
        (sample("a" * 100_001, "two"), "failed", "over the limit"),
        (sample("A b.\n" * 3, [f"C {number}." for number in range(TEXTS_MAX)]), "failed", "over the limit"),
        (sample("", ""), "scored", "are empty"),
    ],
)
async def test_what_needs_no_vectors_is_not_asked_for(given, state, said, judge, judged):
    score = await judged().judge(given, {"vectors": judge})
    assert score.state == state
    assert said in score.reason
    assert judge.requests == []


def test_an_embedder_that_the_suite_does_not_list_is_refused():
    config = MetricConfig(name="s", type="embedding_match", options={"embedder": "vector"})
    with pytest.raises(InvalidInput, match="'vectors'") as caught:
        make_any_metric(config, ["judge", "vectors"])
    assert caught.value.field == "options.embedder"
    with pytest.raises(InvalidInput, match="judges"):
        make_any_metric(config, [])
