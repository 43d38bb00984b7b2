"""Retrieval by ids, held to published figures and to scikit-learn's nDCG."""

import json
from math import log2
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.domain.datasets import Case
from assay.domain.models import ModelResponse
from assay.domain.scores import MetricConfig, Sample
from assay.metrics.catalog import make_metric

GOLDEN = json.loads((Path(__file__).parent / "golden" / "ndcg.json").read_text(encoding="utf-8"))
ALL = ("precision", "recall", "mrr", "ndcg", "hit")


def found(name, retrieved=None, relevant=None, answer="", finish="complete", **given):
    metadata = {"retrieved_ids": retrieved, "relevant_ids": relevant, **given.pop("metadata", {})}
    case = Case(key="1", vars=given.pop("vars", {}), expected=given.pop("expected", None), metadata=metadata)
    metric = make_metric(MetricConfig(name="label", type=f"retrieval_{name}", options=given))
    (score,) = metric.score_batch([Sample(case=case, response=ModelResponse(text=answer, finish=finish))])
    return score


@pytest.mark.parametrize(
    ("name", "k", "value"),
    [
        ("precision", None, 2 / 5), ("precision", 2, 1 / 2), ("precision", 1, 0.0), ("precision", 10, 2 / 10),
        ("recall", None, 2 / 3), ("recall", 2, 1 / 3), ("recall", 1, 0.0), ("recall", 10, 2 / 3),
        ("mrr", None, 1 / 2), ("mrr", 1, 0.0), ("hit", None, 1.0), ("hit", 1, 0.0), ("hit", 2, 1.0),
        ("ndcg", None, (1 / log2(3) + 1 / log2(5)) / (1 + 1 / log2(3) + 1 / log2(4))),
        ("ndcg", 2, (1 / log2(3)) / (1 + 1 / log2(3))),
    ],
)  # fmt: skip
def test_the_measures_at_k_are_those_worked_out_by_hand(name, k, value):
    assert found(name, ["x", "a", "y", "b", "z"], ["a", "b", "c"], k=k).value == pytest.approx(value)


def test_the_example_of_graded_documents_has_its_known_ndcg():
    """Grades 3 2 3 0 1 2 of six documents; two more, of grades 3 and 2, were not found."""
    grades = {"d1": 3, "d2": 2, "d3": 3, "d4": 0, "d5": 1, "d6": 2, "d7": 3, "d8": 2}
    score = found("ndcg", ["d1", "d2", "d3", "d4", "d5", "d6"], grades, k=6)
    assert score.value == pytest.approx(0.785, abs=5e-4)
    assert score.reason == "DCG 6.861 of 8.74"


def test_an_exponential_gain_counts_high_grades_more():
    value = found("ndcg", ["a", "b"], {"a": 1, "b": 3}, gain="exponential").value
    assert value == pytest.approx((1 + 7 / log2(3)) / (7 + 1 / log2(3)))


@pytest.mark.parametrize("row", GOLDEN["rows"])
def test_ndcg_is_that_of_scikit_learn(row):
    assert found("ndcg", row["retrieved"], row["grades"], k=row["k"]).value == pytest.approx(
        row["value"], abs=1e-9
    )


@pytest.mark.parametrize("name", ALL)
def test_nothing_retrieved_is_a_miss_and_nothing_relevant_is_skipped(name):
    assert (found(name, [], ["a"]).state, found(name, [], ["a"]).value) == ("scored", 0.0)
    for relevant in ([], {}, {"a": 0}):
        assert found(name, ["a"], relevant).state == "skipped"


@pytest.mark.parametrize("name", ALL)
def test_the_best_order_of_all_relevant_ones_is_worth_1(name):
    assert found(name, ["a", "b"], {"a": 2, "b": 1}).value == 1.0


def test_what_is_missing_is_said():
    assert "no expected id" in found("recall", ["a"]).reason
    assert "no retrieved ids: answer is no list" in found("recall", None, ["a"], answer="Three rooms.").reason


@pytest.mark.parametrize(
    "relevant", [[True], [["a"]], {"a": -1}, {"a": "x"}, {"a": float("nan")}, {"a": 101}, 1.5]
)
def test_what_is_no_id_or_grade_is_skipped(relevant):
    score = found("recall", ["a"], relevant)
    assert score.state == "skipped" and "no list of ids" in score.reason


@pytest.mark.parametrize("answer", ['["a", "b"]', '[{"id": "a"}, {"id": "b", "score": 0.3}]'])
def test_the_ids_may_be_the_answer(answer):
    assert found("recall", None, ["a", "c"], answer=answer).value == 0.5
    for finish in ("filtered", "refused", "paused"):
        assert found("recall", None, ["a"], answer=answer, finish=finish).state == "abstained"
    assert found("recall", ["a"], ["a"], answer="Sorry.", finish="refused").state == "scored"


def test_paths_say_where_the_ids_are():
    case = Case(
        key="1",
        vars={"search": {"hits": [{"id": 7}, {"id": 8}]}},
        expected="The answer.",
        metadata={"gold": '["7"]', "relevant_ids": ["z"]},
    )
    options = {"retrieved": "vars.search.hits", "relevant": "metadata.gold"}
    for name, answer, chosen in (
        ("here", "", options),
        ("there", '{"ids": [7, 8]}', {**options, "retrieved": "answer.ids"}),
    ):
        metric = make_metric(MetricConfig(name=name, type="retrieval_mrr", options=chosen))
        (score,) = metric.score_batch([Sample(case=case, response=ModelResponse(text=answer))])
        assert (score.value, score.evidence["found"]) == (1.0, [{"id": "7", "rank": 1, "grade": 1.0}])


def test_expected_holds_the_relevant_ids_when_the_metadata_does_not():
    assert found("recall", ["a", "b"], expected=["a"]).value == 1.0
    assert found("recall", ["a", "b"], expected="a").value == 1.0
    assert found("recall", ["a", "b"], expected={"a": 2, "c": 1}).value == 0.5


def test_an_id_that_comes_again_counts_once_and_the_reason_says_so():
    score = found("precision", ["a", "a", "x"], ["a"])
    assert score.value == 0.5 and score.reason.endswith("; 1 repeated ids left out")


IDS = st.lists(st.sampled_from("abcdefgh"), max_size=8)


@given(retrieved=IDS, relevant=IDS, k=st.none() | st.integers(1, 10))
def test_all_measures_are_in_the_unit_interval_and_agree_on_a_miss(retrieved, relevant, k):
    scores = {name: found(name, retrieved, relevant, k=k) for name in ALL}
    if not relevant:
        assert {score.state for score in scores.values()} == {"skipped"}
        return
    assert all(0.0 <= score.value <= 1.0 for score in scores.values())
    assert len({score.value > 0 for score in scores.values()}) == 1
