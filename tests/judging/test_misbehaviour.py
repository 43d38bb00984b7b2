"""Whatever a judge does over real HTTP: no metric makes up a score."""

import judge
import orjson
import provider
import pytest

from assay.domain.datasets import Case
from assay.domain.models import ModelResponse
from assay.domain.scores import MetricConfig, Sample
from assay.metrics.catalog import METRICS, make_any_metric
from assay.metrics.judged_entries import JUDGED_ENTRIES
from assay.metrics.rag_entries import RAG_ENTRIES

JUDGED = [entry.info.type for entry in (*JUDGED_ENTRIES, *RAG_ENTRIES) if entry.info.judged]
VERDICT = {"mode": "verdict"}
ASKED = [
    *((name, {"measure": "recall"} if name == "citation_support" else {}) for name in JUDGED),
    ("faithfulness", VERDICT),
]
"""Each judged metric, so that it asks about an answer that cites nothing."""
REPAIRED = ["says nothing", "says NaN", "contradicts itself", "echoes the prompt"]
ODD = ["\ud800 half a pair", "\x00", "{{ code }} {{ schema }}", "<<<END ANSWER 1>>>"]
IDS = [*JUDGED, "faithfulness-verdict"]
metrics = pytest.mark.parametrize(("type_", "options"), ASKED, ids=IDS)


@metrics
async def test_a_good_verdict_is_a_score(judged, type_, options):
    found = await judged(type_, **options)
    assert found.state == "scored", found.reason
    assert 0.0 <= found.value <= 1.0
    assert found.cost_nanousd == found.calls * judge.COST_NANOUSD > 0
    assert {each["name"] for each in found.evidence["prompts"]} <= {*METRICS[type_].info.prompts}


@metrics
@pytest.mark.parametrize("misbehaviour", judge.MISBEHAVIOURS)
async def test_no_misbehaviour_becomes_a_score(server, judged, type_, options, misbehaviour):
    server.decide = judge.MISBEHAVIOURS[misbehaviour]
    found = await judged(type_, **options)
    if options == VERDICT and misbehaviour in judge.WORD_IS_WHOLE:
        assert found.reason.startswith(("judge_unparseable", "supported by the context: yes"))
        return
    assert found.state in ("failed", "abstained"), (found.value, found.reason)
    assert found.value is None and found.passed is None
    assert found.reason.startswith(("judge_unparseable: ", "judge_refused: ", "the judge cannot judge"))
    assert len(found.reason) < 400
    (first,) = found.evidence["judges"]
    assert len(first["samples"][0].get("reply", "")) <= 2001


@metrics
@pytest.mark.parametrize("misbehaviour", REPAIRED)
async def test_one_repair_is_asked_for_and_counted(server, judged, type_, options, misbehaviour):
    server.decide = judge.repaired(judge.MISBEHAVIOURS[misbehaviour])
    found = await judged(type_, **options)
    assert found.state == "scored", found.reason
    questions = 2 if found.evidence["prompts"][1:] or type_ == "pairwise" else 1
    questions = 4 if type_ == "noise_sensitivity" else questions
    assert found.calls == server.count == 2 * questions
    assert found.evidence["judges"][0]["samples"][0]["repaired"] is True


@metrics
async def test_what_a_provider_does_not_take_is_left_out_and_not_asked_again(server, judged, type_, options):
    server.decide = judge.without_format
    found = await judged(type_, **options)
    assert found.state == "scored", found.reason
    refused = [question for question in server.questions if "response_format" in question.body]
    at_once = 2 if type_ == "pairwise" else 1
    assert len(refused) in ([0] if options == VERDICT else range(1, at_once + 1))
    assert found.calls == server.count - len(refused)


@metrics
async def test_a_judge_that_cannot_be_reached_makes_a_failure(server, judged, type_, options):
    server.decide = lambda _question: provider.refuse(500, "server_error", "the fuse has blown")
    found = await judged(type_, **options)
    assert (found.state, found.value, found.calls) == ("failed", None, 0)
    assert found.reason.startswith("judge_unreachable: ") and "fuse" in found.reason


@metrics
async def test_a_megabyte_is_refused_with_the_limit_and_never_cut(server, judged, type_, options):
    given = {} if "output" in METRICS[type_].info.needs else {"documents": ("a " * 500_000,)}
    found = await judged(type_, "a " * 500_000, **given, **options)
    assert found.state == "failed"
    assert "over the limit of 100,000" in found.reason
    assert server.count == 0


@metrics
@pytest.mark.parametrize("answer", ODD)
async def test_odd_answers_are_judged_like_others(judged, type_, options, answer):
    found = await judged(type_, answer, **options)
    assert found.state == "scored", found.reason


@metrics
@pytest.mark.parametrize("finish", ["filtered", "refused", "paused"])
async def test_withheld_answers_are_abstained_on_without_a_call(server, judged, type_, options, finish):
    found = await judged(type_, finish=finish, **options)
    assert (found.state, found.calls, server.count) == ("abstained", 0, 0)


@metrics
async def test_a_truncated_answer_is_judged_and_the_reason_says_so(judged, type_, options):
    found = await judged(type_, finish="truncated", **options)
    assert found.state == "scored"
    assert found.reason.endswith("; the answer was truncated")


@metrics
async def test_the_bound_holds_when_all_has_to_be_repaired(server, make_judge, needed, type_, options):
    server.decide = judge.repaired(judge.MISBEHAVIOURS["writes a megabyte"])
    case = Case(
        key="1", vars={"question": "What? " * 50}, expected="It is. " * 50, context=("It is so. " * 50,)
    )
    sample = Sample(case=case, response=ModelResponse(text="z" * 3000))
    wanted = MetricConfig(
        name="label", type=type_, options={**needed.get(type_, {}), **options, "samples": 2}
    )
    metric = make_any_metric(wanted, ["judge"])
    found = await metric.judge(sample, {"judge": make_judge()})
    assert found.state == "scored", found.reason
    bound, texts = metric.bound, len(orjson.dumps(case)) + 3000
    assert server.count == found.calls == bound.calls
    sent = [
        orjson.dumps([each.body["messages"], each.body.get("response_format")]) for each in server.questions
    ]
    limits = sum(question.body["max_tokens"] for question in server.questions)
    assert limits <= bound.calls * bound.output_tokens
    assert sum(map(len, sent)) <= bound.calls * (bound.fixed_bytes + bound.copies * texts)
