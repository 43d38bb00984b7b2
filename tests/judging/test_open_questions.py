"""What both metrics of rules with a judge share: limits of calls and texts, the bound, passages."""

import json
from typing import Any

import judge
import orjson
import provider
import pytest
from packs import CONTRACT, LEGAL, TEXT, WHOLE, many_rules, rules

from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput
from assay.domain.models import ModelConfig, ModelRequest, ModelResponse
from assay.domain.protocols import JudgedMetric, Reply
from assay.domain.scores import MetricConfig, Sample
from assay.metrics.catalog import METRICS, asks_judge, make_any_metric
from assay.metrics.open_questions import QUESTION_CHARS, QUESTIONS_A_CALL, OpenQuestion, batches, find_passage
from assay.metrics.sample_metric import SampleMetric
from assay.testing import check_metric


async def test_many_questions_are_put_in_bounded_calls(server, with_judge, tmp_path):
    (tmp_path / "ours.yaml").write_text(many_rules(2 * QUESTIONS_A_CALL + 1))
    found = await with_judge(LEGAL, TEXT, packs=str(tmp_path / "ours.yaml"))
    assert found.value == 1.0
    assert found.calls == server.count == 3
    shown = [question.text.count("\n- ours.r") for question in server.questions]
    assert shown == [QUESTIONS_A_CALL, QUESTIONS_A_CALL, 1]
    assert found.reason.endswith("the judge decided 25 of 25 questions")


async def test_a_batch_that_fails_leaves_the_others_decided(server, with_judge, tmp_path):
    (tmp_path / "ours.yaml").write_text(many_rules(QUESTIONS_A_CALL + 1))
    good = judge.valid

    def say(question: provider.Question) -> Any:
        return judge.reply("") if "- ours.r0:" in question.text else good(question)

    server.decide = say
    found = await with_judge(LEGAL, TEXT, packs=str(tmp_path / "ours.yaml"))
    assert (found.state, found.value) == ("scored", 1.0)
    assert "12 not checked" in found.reason
    assert "the judge decided 1 of 13 questions; judge_unparseable: it is empty" in found.reason


def test_batches_are_within_both_limits_and_lose_nothing():
    questions = [OpenQuestion(f"r{n}", "x" * (37 * n % 2_500)) for n in range(80)]
    made = list(batches(questions))
    assert [each for batch in made for each in batch] == questions
    assert all(len(batch) <= QUESTIONS_A_CALL for batch in made)
    assert all(sum(len(each.line) for each in batch) <= QUESTION_CHARS for batch in made)
    for step in (2, 3, 7):
        assert len(list(batches(questions[::step]))) <= len(made), "a part never takes more calls"


def test_a_question_that_no_call_has_room_for_is_refused(tmp_path):
    (tmp_path / "ours.yaml").write_text(many_rules(1, "x" * QUESTION_CHARS))
    options = {"packs": str(tmp_path / "ours.yaml"), "judge": "judge"}
    with pytest.raises(InvalidInput) as caught:
        make_any_metric(MetricConfig(name="label", type=LEGAL, options=options), ["judge"])
    assert caught.value.field == "options.packs"
    assert "ours.r0" in str(caught.value)


async def test_a_megabyte_is_scored_by_the_rules_and_never_sent(server, legal, contract):
    found = await legal("alpha " + "a " * 499_997)
    assert (found.state, found.value) == ("scored", 0.0)
    assert "1,000,000 characters are over the limit of 100,000" in found.reason
    assert rules(found)["ours.kind"]["verdict"] == "not_checked"
    assert (await contract("a " * 500_000)).state == "failed"
    assert server.count == 0


@pytest.mark.parametrize("type_", [LEGAL, CONTRACT])
async def test_the_bound_holds_when_all_has_to_be_repaired(server, make_judge, tmp_path, type_):
    text = "z" * 3000
    if type_ == LEGAL:
        (tmp_path / "ours.yaml").write_text(many_rules(30, "Is it so? " * 40))
        options: dict[str, Any] = {"packs": str(tmp_path / "ours.yaml")}
    else:
        options = {"contract": "sale_of_land", "jurisdiction": "NSW", "include_recommended": True}
    config = MetricConfig(name="label", type=type_, options={**options, "judge": "judge"})
    metric = make_any_metric(config, ["judge"])
    server.decide = judge.repaired(judge.MISBEHAVIOURS["writes a megabyte"])
    sample = Sample(case=Case(key="1", vars={}), response=ModelResponse(text=text))
    found = await metric.judge(sample, {"judge": make_judge()})
    assert found.state == "scored", found.reason
    bound = metric.bound
    assert 0 < server.count == found.calls <= bound.calls
    sent = [
        orjson.dumps([each.body["messages"], each.body.get("response_format")]) for each in server.questions
    ]
    assert all(question.body["max_tokens"] <= bound.output_tokens for question in server.questions)
    assert sum(map(len, sent)) <= found.calls * (bound.fixed_bytes + len(text))


@pytest.mark.parametrize("type_", [LEGAL, CONTRACT])
def test_without_the_option_no_model_is_asked_whatever_judges_there_are(type_):
    config = MetricConfig(name="label", type=type_)
    metric = make_any_metric(config, ["judge"])
    assert isinstance(metric, SampleMetric)
    assert not metric.info.judged and not asks_judge(config)
    asked = MetricConfig(name="label", type=type_, options={"judge": "judge"})
    judged = make_any_metric(asked, ["first", "judge"])
    assert isinstance(judged, JudgedMetric) and judged.info.judged and asks_judge(asked)
    assert judged.judges == ("judge",)
    assert judged.info.version == metric.info.version
    assert METRICS[type_].may_ask and not METRICS[type_].info.judged
    with pytest.raises(InvalidInput, match="there is no judge 'judge'"):
        make_any_metric(asked, [])


@pytest.mark.parametrize(
    ("quotation", "found"),
    [
        ("suit the", "suit  the"),
        ('"it\u2019s fine"', "it's fine"),
        ("Only \u2026 the quiet", "Only those who love the quiet"),
        ("\u770b\u623f\u65f6\u95f4", "\u770b\u623f\u65f6\u95f4"),
        ("\u770b\u623f\u65f6\u597d", None),
        ("", None),
        ("a", None),
    ],
)
def test_a_passage_is_found_however_it_is_spaced_and_quoted(quotation, found):
    text = "Would suit  the old, it's fine. Only those who love the quiet. \u770b\u623f\u65f6\u95f4"
    place = find_passage(quotation, text)
    assert (None if place is None else text[place[0] : place[1]]) == found


class Obliging:
    """A judge without a network that finds the first words of every text broken or present."""

    config = ModelConfig(name="judge", provider="openai", model="judge")

    async def ask(self, request: ModelRequest) -> Reply:
        """An answer to every question that it was asked."""
        schema = request.response_format["json_schema"]["schema"]
        fields = schema["properties"]["answers"]["items"]["properties"]
        key, yes = ("rule", "yes") if "rule" in fields else ("clause", "present")
        listed = [
            {key: each, "reason": "So.", "quote": "The viewing is", "answer": yes}
            for each in fields[key]["enum"]
        ]
        return Reply(ModelResponse(text=json.dumps({"answers": listed, "cannot_judge": False})), 1)


@pytest.mark.parametrize("type_", [LEGAL, CONTRACT])
def test_the_contract_of_metrics_is_kept_with_a_judge(type_, house):
    options = {"packs": [str(house)]} if type_ == LEGAL else {"contract": "services", "jurisdiction": "NSW"}
    config = MetricConfig(name="label", type=type_, options={**options, "judge": "judge"})
    check_metric(config, judges={"judge": Obliging()})


async def test_a_whole_contract_and_an_empty_text_need_no_judge(server, contract, legal):
    assert (await contract("")).state == "abstained"
    assert (await contract(WHOLE)).value == 1.0
    assert (await legal("")).state == "scored", "the rule by words holds of an empty text"
    assert server.count == 0


@pytest.mark.parametrize("finish", ["filtered", "refused", "paused"])
async def test_withheld_answers_are_abstained_on_without_a_call(server, legal, contract, finish):
    for asked in (legal, contract):
        found = await asked("x", finish=finish)
        assert (found.state, found.calls, server.count) == ("abstained", 0, 0)


@pytest.mark.parametrize("answer", ["\ud800 half a pair", "\x00", "{{ code }} {{ schema }}", "alpha \u2028"])
async def test_odd_answers_are_judged_like_others(legal, contract, answer):
    assert (await legal(answer)).evidence["judge"]["asked"]
    assert (await contract(answer)).state == "scored"
