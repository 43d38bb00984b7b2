"""How much of an answer stands in its source."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.metrics.grounding import grounded_value, grounding

TEXT = st.text(st.sampled_from("ab \n.é"), max_size=30)


@pytest.mark.parametrize(
    ("answer", "documents", "share"),
    [
        ("The flat has two rooms.", ["The flat has two rooms and a view."], 1.0),
        ("It has three rooms", ["The flat has", "two rooms"], 2 / 4),
        ("rooms two has flat the", ["the flat has two rooms"], (1 / 5) ** 0.5),
        ("Günstig und hell", ["HELL, GÜNSTIG UND RUHIG"], (2 / 3) ** 0.5),
        ("two two two", ["two rooms"], (1 / 3) ** 0.5),
        ("?!", ["anything"], 0.0),
        ("anything", [], 0.0),
    ],
)
def test_the_share_is_of_words_in_the_same_order_and_of_words_in_any(
    answer: str, documents: list[str], share: float
) -> None:
    assert grounding(answer, documents) == pytest.approx(share)


@given(TEXT, TEXT)
def test_the_share_is_one_of_itself_and_never_falls_with_more_source(answer: str, more: str) -> None:
    words = any(letter.isalnum() for letter in answer)
    assert grounding(answer, [answer]) == (1.0 if words else 0.0)
    assert 0.0 <= grounding(answer, [more]) <= grounding(answer, [more, answer]) <= 1.0


def test_the_value_is_low_when_either_is() -> None:
    assert grounded_value(0.81, 1.0) == pytest.approx(0.9)
    assert grounded_value(0.9, 0.0) == grounded_value(0.0, 0.9) == 0.0
