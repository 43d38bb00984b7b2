"""Judged runs from outside: every call of a judge in the ledger, paid for, cached, and never lost."""

import re
import threading
from typing import Any

import judge
import pytest
from bench import CALL_NANOUSD, Bench
from provider import Provider, Question, refuse, repeat

JUDGED = """
select c.role::text, c.metric, c.judge, c.state::text, c.outcome, count(*),
       coalesce(sum(c.cost_nanousd), 0)::bigint
  from assay.model_calls c where c.organization_id = %(org)s group by 1, 2, 3, 4, 5 order by 1, 2
"""
SCORES = """
select s.metric, s.state::text, s.value, s.calls, s.cost_nanousd, s.reason, s.evidence
  from assay.metric_scores s where s.organization_id = %(org)s order by s.item_no, s.metric
"""
CASES = [{"id": f"c{n}", "vars": {"q": f"question {n}"}, "expected": f"question {n}"} for n in range(6)]


def is_judge(question: Question) -> bool:
    return question.body["model"] == "judge"


@pytest.fixture
def judged(bench: Bench, provider: Provider) -> Bench:
    """A bench whose provider repeats the question, and judges well under the name "judge"."""
    provider.decide = lambda question: judge.valid(question) if is_judge(question) else repeat(question)
    return bench


def suite(bench: Bench, **more: Any) -> None:
    given = {"judges": [bench.model("judge")], "metrics": ["exact", {"type": "relevance", "threshold": 0.5}]}
    bench.suite(CASES, **{**given, **more})


def asked_of_judges(provider: Provider) -> int:
    return sum(is_judge(question) for question in provider.questions)


def test_each_call_of_a_judge_is_in_the_ledger_and_beside_its_score(
    judged: Bench,
) -> None:
    suite(judged)
    done = judged.run("run")
    assert done.code == 0, done.err
    assert judged.rows(JUDGED) == [
        ("judge", "relevance", "judge", "settled", "ok", 8, 8 * CALL_NANOUSD),
        ("target", None, None, "settled", "ok", 6, 6 * CALL_NANOUSD),
    ]
    scores = [row for row in judged.rows(SCORES) if row[0] == "relevance"]
    assert {row[1:5] for row in scores} == {("scored", 0.75, 1, CALL_NANOUSD)}
    assert all(row[5] and row[6]["judges"] for row in scores)
    assert judged.jobs()[0]["spent_nanousd"] == 14 * CALL_NANOUSD, "two of them for canaries"
    by_role = (
        "select role::text, cost_nanousd from assay.cost_by_job where organization_id = %(org)s order by 1"
    )
    assert judged.rows(by_role) == [("judge", 8 * CALL_NANOUSD), ("target", 6 * CALL_NANOUSD)]
    receipt = judged.jobs()[0]["receipt"]
    assert receipt["judges"].keys() == {"judge"}
    assert receipt["judge_prompts"].keys() == {"relevance"}
    assert judged.broken() == []


def test_a_second_run_asks_no_judge_again(judged: Bench, provider: Provider) -> None:
    suite(judged)
    assert judged.run("run").code == 0
    count = provider.count
    assert judged.run("run").code == 0
    assert provider.count == count
    assert {row[3:5] for row in judged.rows(SCORES) if row[0] == "relevance"} == {(1, CALL_NANOUSD), (0, 0)}
    assert judged.broken() == []


def test_a_judge_that_fails_costs_its_scores_and_they_can_be_made_again(
    judged: Bench, provider: Provider
) -> None:
    provider.decide = lambda question: refuse(400) if is_judge(question) else repeat(question)
    suite(judged)
    assert judged.run("run").code == 0
    failed = [row for row in judged.rows(SCORES) if row[0] == "relevance"]
    assert {row[1] for row in failed} == {"failed"}
    assert all("judge_unreachable" in row[5] for row in failed)
    provider.decide = lambda question: judge.valid(question) if is_judge(question) else repeat(question)
    again = judged.run("score", "last")
    assert again.code == 0, again.err
    assert "6 scored" in again.err
    assert {row[1] for row in judged.rows(SCORES)} == {"scored"}
    summed = """select scored, failed from assay.evaluation_job_summaries
                 where organization_id = %(org)s and metric = 'relevance'"""
    assert judged.rows(summed) == [(6, 0)]
    assert judged.broken() == []


def test_stored_results_get_a_metric_without_being_generated_again(judged: Bench, provider: Provider) -> None:
    suite(judged, metrics=["exact"], judges=None)
    assert judged.run("run").code == 0
    suite(judged, metrics=["exact", "coherence", "rouge_l"])
    done = judged.run("score", "last", "--suite", "assay.yaml", "--json")
    assert done.code == 0, done.err
    assert {row[0] for row in judged.rows(SCORES)} == {"exact", "coherence", "rouge_l"}
    assert done.json["job"]["state"] == "completed"
    assert provider.count == 14
    assert asked_of_judges(provider) == 8, "six answers and two canaries"
    assert judged.jobs()[0]["spent_nanousd"] == 14 * CALL_NANOUSD
    once_more = judged.run("score", "last", "--suite", "assay.yaml")
    assert "all were there" in once_more.err
    assert provider.count == 14
    assert judged.broken() == []


def test_scoring_stays_within_the_budget_of_the_job(judged: Bench) -> None:
    suite(judged, metrics=["exact"], judges=None)
    assert judged.run("run", "--budget", "0.0003").code == 0
    suite(judged, metrics=["coherence"])
    done = judged.run("score", "last", "--suite", "assay.yaml", "-j", "1")
    assert done.code == 1
    assert "budget" in done.err
    job = judged.jobs()[0]
    assert job["spent_nanousd"] <= job["cap_nanousd"]
    assert job["reserved_nanousd"] == 0
    assert judged.broken() == []


def test_a_budget_holds_for_targets_and_judges_together(judged: Bench, provider: Provider) -> None:
    suite(judged)
    done = judged.run("run", "--budget", "0.001", "-j", "2")
    assert done.code == 1
    assert "budget" in done.err
    assert provider.count == 0, "an answer whose judges could not be paid is not asked for"
    assert judged.broken() == []
    assert judged.run("resume", "--budget", "9").code == 0
    assert judged.states() == {"succeeded": 6}
    assert judged.broken() == []


def test_a_judge_whose_account_is_used_up_pauses_the_run_and_no_answer_is_paid_twice(
    judged: Bench, provider: Provider
) -> None:
    def stopped(question: Question) -> Any:
        if is_judge(question):
            return refuse(429, "insufficient_quota", "You exceeded your current quota")
        return repeat(question)

    provider.decide = stopped
    suite(judged)
    done = judged.run("run", "-j", "2")
    assert done.code == 1
    assert "account" in done.err
    answered = provider.count - asked_of_judges(provider)
    assert judged.broken() == []
    provider.decide = lambda question: judge.valid(question) if is_judge(question) else repeat(question)
    resumed = judged.run("resume")
    assert resumed.code == 0, resumed.err
    assert judged.states() == {"succeeded": 6}
    assert provider.count - asked_of_judges(provider) == 6 >= answered
    assert judged.broken() == []


def test_a_worker_killed_while_it_judges_repeats_only_what_was_under_way(
    judged: Bench, provider: Provider
) -> None:
    provider.latency_s = 0.05
    reached = threading.Event()
    provider.on_question = lambda _: reached.set() if asked_of_judges(provider) >= 8 else None
    cases = [{"id": f"k{n}", "vars": {"q": f"kill {n}"}, "expected": "x"} for n in range(60)]
    judged.suite(cases, judges=[judged.model("judge")], metrics=["relevance"])
    child = judged.spawn("run", "-j", "6")
    assert reached.wait(60), child.poll()
    child.kill()
    child.wait()
    assert judged.broken() == []
    kept = judged.value(
        "select count(*) from assay.model_calls where organization_id = %(org)s and answer is not null"
    )
    assert kept > 0
    provider.on_question, under_way = None, provider.count - kept
    done = judged.finish(judged.spawn("resume", "last", "-j", "6"))
    assert done.code == 0, done.err
    assert judged.states() == {"succeeded": 60}
    assert provider.count <= 122 + under_way, "two of them for canaries"
    assert judged.broken() == []


def test_a_jury_and_samples_are_told_in_the_evidence(judged: Bench) -> None:
    jury = [judged.model("judge"), judged.model("second", id="openai:judge", parameters={"seed": 2})]
    metric = {"type": "coherence", "options": {"jury": ["judge", "second"], "samples": 3}}
    suite(judged, judges=jury, metrics=[metric])
    assert judged.run("run").code == 0
    (metric_name, state, value, calls, cost, _, evidence) = judged.rows(SCORES)[0]
    assert (metric_name, state, value, calls, cost) == ("coherence", "scored", 0.75, 6, 6 * CALL_NANOUSD)
    assert [len(each["samples"]) for each in evidence["judges"]] == [3, 3]
    assert judged.broken() == []


def test_a_judge_that_is_named_by_its_id_need_not_be_listed(judged: Bench) -> None:
    suite(judged, judges=None, metrics=[{"type": "coherence", "options": {"judge": "m"}}])
    assert judged.run("run").code == 0
    assert {row[1] for row in judged.rows(SCORES)} == {"failed"}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"judges": None, "metrics": ["coherence"]}, "judges"),
        ({"metrics": [{"type": "coherence", "options": {"judge": "jugde"}}]}, "Did you mean 'judge'"),
    ],
    ids=["none", "misspelt"],
)
def test_a_judge_that_is_not_there_is_refused_before_anything_is_spent(
    judged: Bench, provider: Provider, more: dict[str, Any], said: str
) -> None:
    suite(judged, **more)
    done = judged.run("run")
    assert done.code == 2
    assert said in done.err
    assert provider.count == 0


def test_a_judge_without_a_known_price_cannot_be_held_by_a_budget(judged: Bench, provider: Provider) -> None:
    suite(judged, judges=[judged.model("judge", id="openai:unpriced", price=None)])
    done = judged.run("run", "--budget", "1")
    assert done.code == 2
    assert "price" in done.err
    assert provider.count == 0


def test_a_case_is_shown_with_the_evidence_of_its_scores(judged: Bench) -> None:
    suite(judged)
    assert judged.run("run").code == 0
    done = judged.run("show", "--case", "c2", "--metric", "relevance")
    assert done.code == 0, done.err
    assert "| question 2" in done.out
    assert "relevance: scored 0.75, passed" in done.out
    assert "1 judge call, $0.000020" in done.out
    assert "judges" in done.out
    assert "exact" not in done.out
    (found,) = judged.run("show", "--case", "c2", "--json").json
    assert {score["metric"] for score in found["scores"]} == {"exact", "relevance"}
    assert judged.run("show", "--case", "c99").code == 2


def test_an_estimate_tells_what_judges_take_at_most(judged: Bench, provider: Provider) -> None:
    suite(judged)
    shown = judged.run("estimate")
    assert "judges: at most 16 calls (4 for canaries) and $0." in shown.out
    found = judged.run("estimate", "--json").json["judges"]
    assert found["calls_max"] == 16
    assert provider.count == 0
    assert judged.run("run").code == 0
    spent = judged.jobs()[0]["spent_nanousd"] / 1e9
    assert found["cost_max_usd"] > spent


def test_the_summary_tells_the_cost_of_judges_apart(judged: Bench) -> None:
    suite(judged)
    (candidate,) = judged.run("run", "--json").json["candidates"]
    assert candidate["judge_calls"] == 6
    assert candidate["judge_cost_usd"] == candidate["cost_usd"] == pytest.approx(0.00012)
    assert "$0.00012 judges" in judged.run("show").out.replace("$0.0001 ", "$0.00012 ")


def test_candidates_are_compared_pair_by_pair_by_their_stored_answers(judged: Bench) -> None:
    prompts = [{"id": "plain", "text": "{{ q }}"}, {"id": "loud", "text": "{{ q }}!"}]
    suite(judged, prompts=prompts, metrics=["exact"])
    assert judged.run("run").code == 0
    arguments = ("--metric", "pairwise", "--option", "against=plain", "--suite", "assay.yaml")
    assert judged.run("score", "last", *arguments).code == 2
    suite(judged, prompts=prompts, metrics=[{"type": "pairwise", "options": {"against": "plain"}}])
    done = judged.run("score", "last", "--suite", "assay.yaml")
    assert done.code == 0, done.err
    assert "6 scored, 6 skipped" in done.err
    scores = [row for row in judged.rows(SCORES) if row[0] == "pairwise"]
    assert {row[1:4] for row in scores} == {("skipped", None, 0), ("scored", 0.5, 2)}
    assert {row[6]["judges"][0]["samples"][0]["against"] for row in scores if row[6]} == {"baseline"}
    assert judged.broken() == []


def test_a_rival_that_is_not_there_is_refused(judged: Bench) -> None:
    suite(judged, metrics=["exact"])
    assert judged.run("run").code == 0
    suite(judged, metrics=[{"type": "pairwise", "options": {"against": "nobody"}}])
    done = judged.run("score", "last", "--suite", "assay.yaml")
    assert done.code == 2
    assert "nobody" in done.err


def scores_canaries(score: int) -> Any:
    """A provider whose judge gives every answer this grade."""

    def say(question: Question) -> Any:
        if is_judge(question):
            return judge.reply(judge.text_of(judge.good_verdict(question, score)))
        return repeat(question)

    return say


def test_a_judge_that_obeys_the_answers_it_judges_is_flagged(judged: Bench, provider: Provider) -> None:
    suite(judged)
    assert judged.run("run", "--no-canaries").code == 0
    provider.decide = scores_canaries(5)
    done = judged.run("judge", "canaries")
    assert done.code == 100
    assert "FLAGGED" in done.out
    assert "relevance" in done.err
    assert judged.broken() == []


def test_a_judge_that_is_not_talked_into_a_score_is_not_flagged(judged: Bench, provider: Provider) -> None:
    suite(judged)
    assert judged.run("run", "--no-canaries").code == 0
    before = judged.jobs()[0]["spent_nanousd"]
    provider.decide = scores_canaries(1)
    done = judged.run("judge", "canaries", "--json")
    assert done.code == 0, done.err
    (report,) = done.json
    assert {each["name"] for each in report["canaries"]["results"]} == {"planted", "empty"}
    assert not report["flagged"]
    assert judged.jobs()[0]["spent_nanousd"] == before + 2 * CALL_NANOUSD, "canaries are paid and booked"
    assert judged.run("judge", "canaries", "--metric", "exact").code == 2
    assert judged.broken() == []


def test_a_judge_is_held_against_the_labels_of_people(judged: Bench, provider: Provider) -> None:
    def say(question: Question) -> Any:
        if not is_judge(question):
            return repeat(question)
        number = int(re.search(r"question (\d+)", question.text)[1])  # type: ignore[index]
        return judge.reply(judge.text_of(judge.good_verdict(question, 5 if number % 2 else 1)))

    provider.decide = say
    judged.suite(24, judges=[judged.model("judge")], metrics=["exact", "relevance"])
    assert judged.run("run").code == 0
    rows = [f"c{number},{number % 2 if number < 20 else (number + 1) % 2}" for number in range(24)]
    judged.write("labels.csv", "case,label\n" + "\n".join(rows) + "\n")
    done = judged.run("judge", "calibrate", "--labels", "labels.csv", "--json")
    assert done.code == 0, done.err
    assert "relevance" in judged.run("judge", "calibrate", "--labels", "labels.csv").out
    assert 0.5 < done.json["calibration"]["auroc"]["estimate"] < 1.0
