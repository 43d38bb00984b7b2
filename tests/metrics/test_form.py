"""Length, readability and refusal."""

import pytest

from assay.domain.models import ModelResponse
from assay.metrics.readability import count_syllables, count_text

SYLLABLES = {
    1: "the cat walked makes eye time were whole jumped free made house noise queue guess rhythm league",
    2: "table little people wanted needed houses boxes wishes being going create science quiet question",
    3: "idea area video radio beautiful family different example actual obvious period opinion",
    4: "information evaluate experience material society variety reliable",
    5: "university evaluation opportunity readability",
}


@pytest.mark.parametrize(
    ("word", "syllables"), [(word, count) for count, words in SYLLABLES.items() for word in words.split()]
)
def test_syllables(word, syllables):
    assert count_syllables(word) == syllables


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", 3),
        ("It costs 3.5 dollars... fine", 2),
        ('He said "no." Then left', 2),
        ("A heading\n\nA paragraph.", 2),
        ("no end", 1),
    ],
)
def test_sentences(text, sentences):
    assert count_text(text).sentences == sentences


def test_the_formulas_are_fleschs_and_kincaids(score):
    text = "The cat sat on the table. It was happy."  # 9 words, 2 sentences, 11 syllables
    assert score("readability", text).value == pytest.approx(206.835 - 1.015 * 9 / 2 - 84.6 * 11 / 9)
    assert score("readability_grade", text).value == pytest.approx(0.39 * 9 / 2 + 11.8 * 11 / 9 - 15.59)


def test_a_text_without_words_has_no_readability(score):
    assert score("readability", "123 !!!").state == "skipped"


def test_length_counts_words_and_characters_and_a_threshold_is_a_maximum(score):
    assert score("length", "two words").value == 2
    assert score("length_chars", "naïve 😀").value == 7
    assert score("length", "", threshold=0).passed is True
    assert score("length", "two words", threshold=2).passed is True
    assert score("length", "now three words", threshold=2).passed is False
    assert score("readability", "The cat sat.", threshold=60).passed is True


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, but I cannot assist with this request.",
        "I cannot provide medical advice.",
        "Unfortunately, I am unable to share that information.",
        "As an AI language model, I can't have opinions on this.",
        "I must respectfully decline.",
        "I won't write that.",
        "Sorry, this is against my guidelines, so no.",
        "I'm not comfortable with this topic.",
        "I'd rather not discuss it.",
        "I can not in good conscience do so.",
        "   \n",
        "",
    ],
)
def test_refusals_are_recognised(score, answer):
    assert (score("refusal", answer).value, score("refusal", answer).passed) == (0, False)


@pytest.mark.parametrize(
    "answer",
    [
        "The capital of France is Paris.",
        "You cannot divide by zero, so the expression is undefined.",
        "Sure! I can help with that.",
        "The witness said he could not remember the car.",
        "Here is the letter. " + "Some text. " * 60 + "I cannot provide more.",
        "The seller declined to comment and refused the offer.",
        "He apologised because the train was late.",
    ],
)
def test_answers_are_not_taken_for_refusals(score, answer):
    assert score("refusal", answer).value == 1


def test_the_providers_own_signals_decide(score):
    assert score("refusal", "Anything", finish="refused").value == 0
    assert score("refusal", "Any", finish="filtered").state == "abstained"
    assert score("refusal", ModelResponse(text="", tool_calls=({"name": "search"},))).value == 1
