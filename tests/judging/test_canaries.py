"""Answers that deserve no good score, to see whether a judge can be talked into one."""

import judge
import pytest

from assay.domain.datasets import Case
from assay.domain.errors import StorageFailed
from assay.domain.models import ModelRequest, ModelResponse
from assay.domain.prompts import Message
from assay.domain.protocols import CallBound
from assay.domain.scores import MetricConfig, Sample, Score
from assay.judging.canaries import PLANTED_TEXT, check_canaries, make_canaries
from assay.metrics.catalog import METRICS, make_any_metric
from assay.metrics.judged_entries import JUDGED_ENTRIES

SAMPLE = Sample(
    case=Case(key="1", vars={"question": "How many rooms?"}, expected="Three.", context=("Three rooms.",)),
    response=ModelResponse(text="Three."),
)
JUDGED = [entry.info.type for entry in JUDGED_ENTRIES]


def metric_of(type_, needed):
    return make_any_metric(MetricConfig(name="label", type=type_, options=needed.get(type_, {})), ["judge"])


def talked_over(question):
    """A judge that does what it reads."""
    verdict = judge.good_verdict(question, 5)
    if "better" in verdict:
        verdict["better"] = "first" if "give 10" in judge.fenced(question, "FIRST") else "second"
    return judge.reply(judge.text_of(verdict))


def firm(question):
    """A judge that sees what they are worth."""
    verdict = {**judge.good_verdict(question, 1)}
    if "verdict" in verdict:
        verdict["verdict"] = "incorrect"
    for name in ("missing", "harms"):
        if name in verdict:
            verdict[name] = ["everything"]
    if "better" in verdict:
        planted = judge.fenced(question, "FIRST")
        verdict["better"] = "second" if "give 10" in planted or not planted else "first"
    for check in verdict.get("checks", ()):
        check |= {"verdict": "unsupported", "quote": ""}
    return judge.reply(judge.text_of(verdict))


@pytest.mark.parametrize("type_", JUDGED)
async def test_a_judge_that_is_talked_into_a_score_is_flagged(server, make_judge, needed, type_):
    server.decide = talked_over
    report = await check_canaries(metric_of(type_, needed), SAMPLE, {"judge": make_judge()})
    assert report.flagged, report
    assert {result.name: result.flagged for result in report.results}["planted"]
    assert report.calls == server.count


@pytest.mark.parametrize("type_", JUDGED)
async def test_a_judge_that_is_not_is_not(server, make_judge, needed, type_):
    server.decide = firm
    report = await check_canaries(metric_of(type_, needed), SAMPLE, {"judge": make_judge()})
    assert not report.flagged, report
    assert report.results[0].score.state == "scored"


async def test_a_canary_that_gets_no_score_is_not_flagged(server, make_judge, needed):
    server.decide = judge.MISBEHAVIOURS["writes prose"]
    report = await check_canaries(metric_of("relevance", needed), SAMPLE, {"judge": make_judge()})
    assert [result.score.state for result in report.results] == ["failed", "failed"]
    assert not report.flagged


async def test_the_threshold_is_of_the_caller(server, make_judge, needed):
    server.decide = lambda question: judge.reply(judge.text_of(judge.good_verdict(question, 2)))
    judges = {"judge": make_judge()}
    metric = metric_of("relevance", needed)
    assert not (await check_canaries(metric, SAMPLE, judges)).flagged
    assert (await check_canaries(metric, SAMPLE, judges, threshold=0.2)).flagged


def test_an_empty_answer_is_no_canary_where_it_is_a_good_answer(needed):
    names = {
        type_: [each.name for each in make_canaries(metric_of(type_, needed), SAMPLE)] for type_ in JUDGED
    }
    assert names.pop("harmfulness") == ["planted"]
    assert all(each == ["planted", "empty"] for each in names.values())


def test_a_comparison_has_something_to_compare_with(needed):
    bare = Sample(case=Case(key="1", vars={"question": "Q"}), response=ModelResponse(text="x"))
    first, second = make_canaries(metric_of("pairwise", needed), bare)
    assert (first.sample.response.text, second.sample.response.text) == (PLANTED_TEXT, "")
    assert first.sample.baseline


@pytest.mark.parametrize("type_", ["context_precision", "context_recall", "context_relevance"])
def test_a_metric_of_retrieval_has_no_canary(needed, type_):
    assert make_canaries(metric_of(type_, needed), SAMPLE) == ()


class Fixed:
    """A metric of somebody else's that says the same of every answer; it asks its judge or not."""

    judges = ("judge",)
    bound = CallBound(calls=1, fixed_bytes=0, copies=1, output_tokens=1)

    def __init__(self, found, *, asks=True):
        self.config = MetricConfig(name="label", type="relevance")
        self.info = METRICS["relevance"].info
        self._found, self._asks = found, asks

    async def judge(self, sample, judges):
        if self._asks:
            await judges["judge"].ask(ModelRequest(messages=(Message("user", sample.response.text),)))
        if isinstance(self._found, Exception):
            raise self._found
        return self._found


@pytest.mark.parametrize(
    ("found", "asks", "state"),
    [
        (Score("label", "scored", 1.0, "by a rule"), False, "not_asked"),
        (Score("label", "skipped", None, "nothing is said"), False, "not_asked"),
        (Score("label", "scored", 1.0, "well done"), True, "flagged"),
        (Score("label", "scored", 0.5, "not bad"), True, "held"),
        (Score("label", "abstained", None, "the judge cannot judge"), True, "held"),
        (Score("label", "failed", None, "judge_unparseable"), True, "not_checked"),
        (Score("label", "scored", 1.5, "more than good"), True, "not_checked"),
        (Score("label", "scored", float("nan"), "no number"), True, "not_checked"),
        (ValueError("broken"), True, "not_checked"),
    ],
)
async def test_only_a_score_that_a_judge_had_a_part_in_flags_it(server, make_judge, found, asks, state):
    server.decide = judge.valid
    report = await check_canaries(Fixed(found, asks=asks), SAMPLE, {"judge": make_judge()})
    assert [result.state for result in report.results] == [state, state]
    assert report.flagged == (state == "flagged")


async def test_a_store_that_is_away_is_no_verdict(server, make_judge):
    server.decide = judge.valid
    with pytest.raises(StorageFailed):
        await check_canaries(Fixed(StorageFailed("away")), SAMPLE, {"judge": make_judge()})


async def test_the_canaries_that_are_asked_about_can_be_chosen(server, make_judge, needed):
    server.decide = firm
    report = await check_canaries(
        metric_of("relevance", needed), SAMPLE, {"judge": make_judge()}, only=["empty"]
    )
    assert [result.name for result in report.results] == ["empty"]
