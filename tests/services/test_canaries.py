"""Which metrics of a job have canaries, and what these may cost."""

from datetime import UTC, datetime

import pytest

from assay.domain.models import ModelConfig, Price
from assay.domain.scores import MetricConfig
from assay.judging.canaries import PLANTED_TEXT, RIVAL_TEXT
from assay.metrics.catalog import METRICS, make_any_metric
from assay.models.prices import PriceTable
from assay.services.judging import BYTES_PER_TOKEN_MAX, CANARY_TOKENS, Judging, make_judging

JUDGE = ModelConfig(name="judge", provider="openai", model="j", price=Price(input_usd=1.0, output_usd=2.0))


def judging_of(type_: str, *, judge: ModelConfig = JUDGE, **options: object) -> Judging:
    config = MetricConfig(name="label", type=type_, options=options)
    metric = make_any_metric(config, [judge.name])
    return make_judging([metric], [judge], PriceTable(datetime(2026, 11, 1, tzinfo=UTC)))  # type: ignore[list-item]


@pytest.mark.parametrize("type_", ["context_precision", "context_recall", "context_relevance"])
def test_metrics_that_do_not_read_the_answer_have_none(type_: str) -> None:
    assert judging_of(type_).with_canaries == ()
    assert judging_of(type_).canary_calls_max == 0


def test_a_service_of_the_users_own_is_no_judge_that_could_be_talked_into_something() -> None:
    assert METRICS["http"].info.judged
    assert judging_of("http", url="http://localhost:1/score").with_canaries == ()


def test_neither_is_an_embedder() -> None:
    embedder = ModelConfig(name="e", provider="openai-embeddings", model="e")
    assert judging_of("semantic_similarity", judge=embedder, embedder="e").with_canaries == ()


@pytest.mark.parametrize(("type_", "calls"), [("relevance", 4), ("harmfulness", 2), ("faithfulness", 8)])
def test_each_canary_takes_as_many_calls_as_an_answer(type_: str, calls: int) -> None:
    judging = judging_of(type_)
    assert judging.canary_calls_max == calls
    bound = judging.canary_bound()
    assert bound is not None
    assert bound.base_nanousd > 0


def test_an_unknown_price_is_an_unknown_bound() -> None:
    unpriced = ModelConfig(name="judge", provider="openai", model="nobody-knows")
    assert judging_of("relevance", judge=unpriced).canary_bound() is None


def test_a_canary_and_what_it_is_compared_with_are_no_longer_than_is_reserved_for() -> None:
    assert len((PLANTED_TEXT + RIVAL_TEXT).encode()) <= CANARY_TOKENS * BYTES_PER_TOKEN_MAX
