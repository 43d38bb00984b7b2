"""What holds for every metric and every text."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.domain.datasets import Case
from assay.domain.models import ModelResponse
from assay.domain.scores import MetricConfig, Sample
from assay.metrics.catalog import METRICS, make_metric

REQUIRED = {"json_schema": {"schema": {"type": "object", "required": ["a"]}}}
METRIC = {
    name: make_metric(MetricConfig(name=name, type=name, options=REQUIRED.get(name, {})))
    for name, entry in METRICS.items()
    if not entry.info.judged
}
QUALITY = [name for name in METRIC if METRICS[name].info.kind != "measure"]
SIMILARITY = [
    "exact", "contains", "contains_all", "contains_any", "starts_with", "levenshtein", "bleu", "chrf", "ter",
    "rouge_1", "rouge_l", "rouge_lsum", "meteor", "token_f1", "exact_squad",
]  # fmt: skip
MILLION = 1_000_000

# Lone surrogates are in: JSON and Python strings can hold them although UTF-8 cannot.
ANY_TEXT = st.text(st.characters(), max_size=60)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)


def score(name: str, answer: str, expected: object):
    sample = Sample(case=Case(key="1", vars={}, expected=expected), response=ModelResponse(text=answer))
    (found,) = METRIC[name].score_batch([sample])
    return found


@pytest.mark.parametrize("name", METRIC)
@settings(max_examples=40, deadline=None)
@given(answer=ANY_TEXT, expected=ANY_TEXT | ANY_JSON)
def test_any_answer_gives_a_score_with_a_reason(name, answer, expected):
    found = score(name, answer, expected)
    assert found.reason
    assert (found.value is not None) == (found.state == "scored")
    if found.value is not None:
        assert math.isfinite(found.value)
        if name in QUALITY:
            assert 0.0 <= found.value <= 1.0


@pytest.mark.parametrize("name", SIMILARITY)
@settings(max_examples=40, deadline=None)
@given(words=st.lists(st.text("abcdefghij", min_size=2, max_size=8), min_size=1, max_size=20))
def test_a_text_is_fully_similar_to_itself(name, words):
    text = " ".join(words)
    found = score(name, text, [text, "something else"] if name != "contains_all" else text)
    assert found.state == "scored"
    # METEOR counts one chunk against even a perfect match.
    assert found.value == pytest.approx(1.0 - 0.5 / len(words) ** 3 if name == "meteor" else 1.0, abs=1e-12)


@pytest.mark.parametrize("name", SIMILARITY)
@settings(max_examples=20, deadline=None)
@given(
    answer=st.text("ab c.", max_size=20),
    others=st.lists(st.text("ab c.", min_size=1, max_size=20), min_size=1),
)
def test_the_order_of_references_does_not_count(name, answer, others):
    forward, backward = score(name, answer, others), score(name, answer, others[::-1])
    assert (forward.state, forward.value) == (backward.state, pytest.approx(backward.value))


def million_characters() -> dict[str, str]:
    rng = random.Random(7)
    words = [f"w{rng.randrange(5000)}" for _ in range(MILLION // 5)]
    return {
        "words": " ".join(words)[:MILLION],
        "one letter": "a" * MILLION,
        "points": "." * (MILLION - 1) + "x",
        "digits": "9" * MILLION,
        "groups": "1,111" * (MILLION // 5),
        "lines": "a.\n" * (MILLION // 3),
        "brackets": "[" * MILLION,
        "fences": "```\n" * (MILLION // 4),
    }


MILLION_CHARACTERS = million_characters()


@pytest.mark.parametrize("name", METRIC)
@pytest.mark.parametrize("kind", MILLION_CHARACTERS)
def test_a_million_characters_are_scored_or_refused_with_the_limit(name, kind):
    text = MILLION_CHARACTERS[kind]
    for expected in ("a short text", text):
        if name == "regex" and expected is text:
            continue  # a megabyte is no pattern
        found = score(name, text, expected)
        assert found.state != "failed" or "limit" in found.reason, found.reason
        assert len(found.reason) < 1000


@pytest.mark.parametrize("name", ["levenshtein", "chrf", "ter", "meteor", "rouge_l", "rouge_lsum"])
def test_costly_metrics_refuse_what_would_take_too_long(name):
    found = score(name, MILLION_CHARACTERS["words"], MILLION_CHARACTERS["words"] + "x")
    assert found.state == "failed"
    assert "over the limit of" in found.reason
