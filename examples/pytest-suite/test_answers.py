"""A pytest suite that scores an application. It needs no key, no network and no database.

  cd examples/pytest-suite
  pytest

What to look at: two of the twelve answers are wrong, and still no test fails. Answers are signals: what
counts is the gate on all of them. The last two tests are invariants: each must hold by itself.
"""

import pytest
from app import answer, answer_later

from assay.testing import assert_case

METRICS = ["contains", {"rouge_l": {"threshold": 0.5}}, {"length": {"name": "words", "threshold": 12}}]


@pytest.mark.assay(dataset="cases.jsonl", metrics=METRICS, gate={"contains": 0.5, "words": 12})
def test_answers(case, assay):
    assay.log_output(answer(case.vars["question"]))


@pytest.mark.assay(dataset="cases.jsonl", metrics=["contains"], repeats=3)
async def test_answers_later(case, assay):
    assay.log_output(await answer_later(case.vars["question"]))


def test_a_person_is_offered_when_the_question_is_not_understood(assay):
    assay.assert_case(answer("Where is my order?"), expected="colleague", metrics=["contains"])


def test_a_day_is_understood_in_capitals():
    assert_case(answer("MONDAY?"), expected="9 am to 5 pm", metrics=["contains"])
