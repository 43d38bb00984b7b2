"""Values from the probabilities of tokens."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.judging.weighing import Weigh, digits, weighted_value

YES = Weigh(worth={"yes": 1.0, "no": 0.0})
FIVE = digits(1, 5, "score")


def openai(*places):
    """Places as OpenAI reports them: (token said, {token: probability})."""
    return {
        "content": [
            {
                "token": said,
                "logprob": math.log(shares.get(said, 1.0)),
                "top_logprobs": [{"token": t, "logprob": math.log(p)} for t, p in shares.items()],
            }
            for said, shares in places
        ]
    }


def gemini(*places):
    """The same as Google reports them."""
    return {
        "chosenCandidates": [
            {"token": said, "tokenId": 1, "logProbability": math.log(shares.get(said, 1.0))}
            for said, shares in places
        ],
        "topCandidates": [
            {"candidates": [{"token": t, "logProbability": math.log(p)} for t, p in shares.items()]}
            for _, shares in places
        ],
    }


@pytest.mark.parametrize("shape", [openai, gemini])
def test_the_expected_grade_is_that_of_g_eval(shape):
    shares = {"4": 0.6, "5": 0.3, "3": 0.08, "x": 0.02}
    found = weighted_value(shape(('{"score": ', {}), ("4", shares), ("}", {})), FIVE, "4")
    assert found.value == pytest.approx((4 * 0.6 + 5 * 0.3 + 3 * 0.08) / 0.98)
    assert found.shares["4"] == pytest.approx(0.6)


@pytest.mark.parametrize("shape", [openai, gemini])
def test_yes_is_worth_its_share_of_yes_and_no(shape):
    shares = {"Yes": 0.5, " yes": 0.1, "no": 0.2, "NO": 0.1, "Maybe": 0.1}
    assert weighted_value(shape(("\n", {}), ("Yes", shares)), YES, "yes").value == pytest.approx(0.6 / 0.9)


def test_a_token_with_a_space_or_quotes_is_the_same_word():
    found = weighted_value(openai(('{"score":', {}), (" 2", {" 2": 0.9, "3": 0.1})), FIVE, "2")
    assert found.value == pytest.approx(2.1)


def test_the_last_field_of_that_name_counts():
    places = ('{"r": "\\"score\\": 1", "score": 1, "score": ', {}), ("5", {"5": 1.0})
    assert weighted_value(openai(*places), FIVE, "5").value == 5.0


@pytest.mark.parametrize(
    "logprobs",
    [
        None,
        {},
        [],
        "x",
        {"content": None},
        {"content": [None, 3]},
        {"content": [{"token": 3, "logprob": "x"}]},
        {"chosenCandidates": [None], "topCandidates": [None]},
        openai(("four", {"four": 1.0})),
        openai(('{"score": 4}', {'{"score": 4}': 1.0})),
        openai(('{"score": ', {}), ("4", {"4": 0.3, "x": 0.7})),
        openai(('{"score": ', {}), ("1", {"1": 1.0}), ("0", {"0": 1.0})),
    ],
)
def test_without_usable_probabilities_there_is_no_expected_grade(logprobs):
    assert all(weighted_value(logprobs, FIVE, said) is None for said in FIVE.worth)


def test_probabilities_of_another_grade_than_the_verdict_do_not_count():
    assert weighted_value(openai(('{"score": ', {}), ("4", {"4": 1.0})), FIVE, "5") is None


def test_probabilities_that_were_rounded_up_still_count():
    found = weighted_value(openai(('{"score": ', {}), ("4", {"4": 0.7001, "5": 0.3})), FIVE, "4")
    assert found.value == pytest.approx(4.3, abs=1e-3)


def test_grades_of_two_digits_are_not_weighed():
    assert digits(1, 10, "score") is None and digits(-1, 5, "score") is None
    assert digits(0, 9, "score").worth["9"] == 9.0


ANY = st.recursive(
    st.none() | st.floats() | st.text(max_size=3) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["content", "token", "logprob", "top_logprobs", "chosenCandidates", "topCandidates"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(ANY)
def test_any_report_of_a_provider_gives_a_value_on_the_scale_or_none(logprobs):
    for weigh, said, low, high in ((YES, "yes", 0.0, 1.0), (FIVE, "4", 1.0, 5.0)):
        found = weighted_value(logprobs, weigh, said)
        assert found is None or low <= found.value <= high
