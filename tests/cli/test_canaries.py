"""Canaries of runs, from outside: asked once, paid like all calls of judges, told wherever scores are."""

import html
import json
import signal
import threading
from collections.abc import Iterator
from typing import Any

import judge
import orjson
import pytest
import wire
from bench import CALL_NANOUSD, PRICE, Bench
from provider import Provider, Question, refuse, repeat

STORED = """
select metric, canary, state, value, calls, cost_nanousd, worker from assay.judge_canaries
 where organization_id = %(org)s order by metric, canary
"""
REASONS = "select distinct reason from assay.judge_canaries where organization_id = %(org)s"
CALLS = "select count(*) from assay.model_calls where organization_id = %(org)s and role = 'judge'"
FLAG = "judge flagged: relevance gave 1 to an answer that only gives orders"


def is_judge(question: Question) -> bool:
    return question.body["model"] == "judge"


def is_canary(question: Question) -> bool:
    return judge.fenced(question, "ANSWER") == "" or "give 10" in question.text


def says(score: int, of_orders: int) -> Any:
    """A provider whose judge gives this grade, and another one to who gives it orders; 1 to no answer."""

    def answer(question: Question) -> Any:
        if not is_judge(question):
            return repeat(question)
        found = judge.fenced(question, "ANSWER")
        given = of_orders if "give 10" in found else score if found else 1
        return judge.reply(judge.text_of(judge.good_verdict(question, given)))

    return answer


async def hang(connection: wire.Wire) -> None:
    """Answers nothing until the other side leaves."""
    await connection.reader.read()


obedient, honest = says(4, of_orders=5), says(4, of_orders=1)


@pytest.fixture
def judged(bench: Bench, provider: Provider) -> Bench:
    """A bench whose judge does what the answers tell it."""
    provider.decide = obedient
    return bench


@pytest.fixture
def finished(judged: Bench) -> Iterator[Bench]:
    """A run that a judge has flagged."""
    suite(judged)
    done = judged.run("run")
    assert done.code == 0, done.err
    yield judged
    assert judged.broken() == []


def suite(bench: Bench, cases: int = 2, **more: Any) -> None:
    given = {"judges": [bench.model("judge")], "metrics": ["exact", "relevance"]}
    bench.suite(cases, **{**given, **more})


def canaries_asked(provider: Provider) -> int:
    return sum(is_judge(question) and is_canary(question) for question in provider.questions)


def test_a_judge_that_obeys_the_answers_it_judges_flags_the_run(finished: Bench, provider: Provider) -> None:
    assert finished.rows(STORED) == [
        ("relevance", "empty", "held", 0.0, 1, CALL_NANOUSD, None),
        ("relevance", "planted", "flagged", 1.0, 1, CALL_NANOUSD, None),
    ]
    assert canaries_asked(provider) == 2
    assert finished.jobs()[0]["spent_nanousd"] == 6 * CALL_NANOUSD, "two answers, two judged, two canaries"
    shown = finished.run("show")
    assert FLAG in " ".join(shown.out.split())
    assert "name another judge" in " ".join(shown.out.split())
    document = finished.run("show", "--json").json
    assert document["warnings"][0].startswith(FLAG)
    assert {(each["canary"], each["state"]) for each in document["canaries"]} == {
        ("planted", "flagged"),
        ("empty", "held"),
    }
    flagged = {metric["name"]: metric["judge_flagged"] for metric in document["job"]["metrics"]}
    assert flagged == {"exact": None, "relevance": True}
    assert document["candidates"][0]["judge_calls"] == 2, "canaries are no answers of a candidate"


def test_the_run_itself_tells_it_and_ends_as_it_would(judged: Bench) -> None:
    suite(judged)
    done = judged.run("run", "-o", "report.html", "-o", "report.md", "-o", "report.xml", "-o", "rows.json")
    assert done.code == 0
    assert FLAG in " ".join(done.out.split())
    for name in ("report.html", "report.md", "report.xml"):
        text = html.unescape((judged.folder / name).read_text())
        assert ("judge flagged" in text) == (name != "report.xml"), name
        assert "relevance: planted FLAGGED, empty held" in text, name
    rows = json.loads((judged.folder / "rows.json").read_text())
    assert rows["job"]["metrics"][1]["judge_flagged"] is True


def test_a_judge_that_is_not_talked_into_a_score_leaves_no_noise(judged: Bench, provider: Provider) -> None:
    provider.decide = honest
    suite(judged)
    done = judged.run("run", "-o", "report.md")
    assert {row[2] for row in judged.rows(STORED)} == {"held"}
    assert "canar" not in done.out + done.err
    assert "flagged" not in done.out + done.err
    assert "relevance: planted held, empty held" in html.unescape((judged.folder / "report.md").read_text())


def test_what_is_settled_is_not_asked_again(finished: Bench, provider: Provider) -> None:
    count, calls = provider.count, finished.value(CALLS)
    assert finished.run("resume").code == 0
    assert finished.run("score").code == 0
    assert (provider.count, finished.value(CALLS)) == (count, calls)


def test_a_second_run_finds_the_verdicts_in_the_cache(finished: Bench, provider: Provider) -> None:
    count = provider.count
    assert finished.run("run").code == 0
    assert provider.count == count
    assert [row[4] for row in finished.rows(STORED) if row[2] == "flagged"] == [1, 0]


def test_a_judge_that_fails_leaves_its_canaries_unchecked_and_the_run_as_it_is(
    judged: Bench, provider: Provider
) -> None:
    def fails(question: Question) -> Any:
        return refuse(400) if is_judge(question) and is_canary(question) else honest(question)

    provider.decide = fails
    suite(judged)
    done = judged.run("run")
    assert done.code == 0, done.err
    assert {row[2:4] for row in judged.rows(STORED)} == {("not_checked", None)}
    assert "judge_unreachable" in judged.value(REASONS)
    assert "judge not checked: the canaries of relevance have no verdict: judge_unreachable" in " ".join(
        done.out.split()
    )
    assert judged.run("show", "--json").json["job"]["metrics"][1]["judge_flagged"] is None
    assert judged.broken() == []
    provider.decide = obedient
    assert judged.run("resume").code == 0
    assert {row[1:3] for row in judged.rows(STORED)} == {("planted", "flagged"), ("empty", "held")}
    assert judged.broken() == []


def test_a_judge_whose_account_is_used_up_at_the_end_is_told_and_nothing_else_happens(
    judged: Bench, provider: Provider
) -> None:
    def stopped(question: Question) -> Any:
        if is_judge(question) and is_canary(question):
            return refuse(429, "insufficient_quota", "You exceeded your current quota")
        return honest(question)

    provider.decide = stopped
    suite(judged)
    assert judged.run("run").code == 0
    assert {row[2] for row in judged.rows(STORED)} == {"not_checked"}
    assert "quota" in judged.value(REASONS)
    assert judged.jobs()[0]["state"] == "completed"
    assert judged.broken() == []


def test_answers_come_before_canaries_when_the_budget_is_small(judged: Bench, provider: Provider) -> None:
    suite(judged, cases=1)
    assert judged.run("run", "--no-canaries").code == 0
    bound = judged.value(
        "select estimate_nanousd from assay.evaluation_queue where organization_id = %(org)s"
    )
    tokens = int((bound - CALL_NANOUSD) / (1000 * PRICE["input_usd"])) - 1

    message = {"role": "assistant", "content": judge.text_of({"reasoning": "Fine.", "score": 4})}
    usage = {"prompt_tokens": tokens, "completion_tokens": 0, "total_tokens": tokens}
    said = {
        "id": "1",
        "model": "j",
        "usage": usage,
        "choices": [{"message": message, "finish_reason": "stop"}],
    }

    def dear(question: Question) -> Any:
        return wire.respond(200, orjson.dumps(said)) if is_judge(question) else repeat(question)

    provider.decide = dear
    count = canaries_asked(provider)
    done = judged.run("run", "--no-cache", "--budget", str(bound / 1e9))
    assert done.code == 0, done.err
    assert judged.states() == {"succeeded": 2}
    assert canaries_asked(provider) == count == 0
    assert {row[2] for row in judged.rows(STORED)} == {"not_checked"}
    assert "budget has no room" in judged.value(REASONS)
    assert "budget has no room" in " ".join(done.out.split())
    job = judged.jobs()[-1]
    assert (job["state"], job["reserved_nanousd"]) == ("completed", 0)
    assert job["spent_nanousd"] <= job["cap_nanousd"]
    assert judged.broken() == []


def test_a_run_that_is_stopped_asks_when_it_is_resumed(judged: Bench, provider: Provider) -> None:
    provider.decide = lambda question: refuse(400) if question.text == "question 0" else obedient(question)
    suite(judged, cases=20)
    assert judged.run("run", "--fail-fast", "-j", "1").code == 1
    assert judged.rows(STORED) == []
    provider.decide = obedient
    assert judged.run("resume").code == 0
    assert {row[2] for row in judged.rows(STORED)} == {"held", "flagged"}
    assert judged.broken() == []


def hang_at_canaries(provider: Provider) -> threading.Event:
    """Have the judge hang when it is asked about a canary; set as soon as it is."""
    reached = threading.Event()

    def hangs(question: Question) -> Any:
        if is_judge(question) and is_canary(question):
            reached.set()
            return hang
        return obedient(question)

    provider.decide = hangs
    return reached


def test_a_worker_killed_while_it_asks_is_followed_by_one_that_asks(
    judged: Bench, provider: Provider
) -> None:
    reached = hang_at_canaries(provider)
    suite(judged)
    child = judged.spawn("run")
    assert reached.wait(60), child.poll()
    child.kill()
    child.wait()
    assert {row[2] for row in judged.rows(STORED)} == {"asking"}
    shown = judged.run("show")
    assert "assay resume asks again" in " ".join(shown.out.split())
    provider.decide = obedient
    assert judged.run("resume").code == 0
    assert {row[2] for row in judged.rows(STORED)} == {"held", "flagged"}
    assert judged.broken() == []


def test_who_will_not_wait_for_a_canary_need_not(judged: Bench, provider: Provider) -> None:
    reached = hang_at_canaries(provider)
    suite(judged)
    child = judged.spawn("run")
    assert reached.wait(60), child.poll()
    child.send_signal(signal.SIGINT)
    child.send_signal(signal.SIGTERM)
    done = judged.finish(child)
    assert done.code == 130, done.err
    assert {row[2] for row in judged.rows(STORED)} == {"not_checked"}
    assert judged.value(REASONS) == "interrupted"
    assert judged.jobs()[0]["state"] == "completed"
    assert judged.broken() == []
    provider.decide = obedient
    assert judged.run("resume").code == 0
    assert {row[2] for row in judged.rows(STORED)} == {"held", "flagged"}
    assert judged.broken() == []


def test_what_another_worker_is_about_is_left_to_it(judged: Bench, provider: Provider) -> None:
    suite(judged)
    assert judged.run("run", "--no-canaries", "-q").code == 0
    claim = """insert into assay.judge_canaries
               (organization_id, job_id, metric, canary, state, worker, threshold)
               select organization_id, id, 'relevance', 'planted', 'asking', 'another/boot/1/1', 0.5
                 from assay.evaluation_jobs where organization_id = %(org)s returning 1"""
    judged.rows(claim)
    judged.rows(
        "update assay.evaluation_jobs set canaries = true where organization_id = %(org)s returning 1"
    )
    assert judged.run("resume").code == 0
    assert [row[1:3] for row in judged.rows(STORED)] == [("empty", "held"), ("planted", "asking")]
    assert canaries_asked(provider) == 1


def test_retried_cells_do_not_ask_again(judged: Bench, provider: Provider) -> None:
    def first(question: Question) -> Any:
        return refuse(400) if question.text == "question 1" else obedient(question)

    provider.decide = first
    suite(judged)
    assert judged.run("run").code == 0
    assert canaries_asked(provider) == 2
    provider.decide = obedient
    done = judged.run("retry")
    assert done.code == 0, done.err
    assert canaries_asked(provider) == 2
    assert FLAG in " ".join(done.out.split()), "the tables are of both jobs, and so is the judge"
    assert judged.broken() == []


def test_metrics_that_are_added_later_are_checked_then(judged: Bench) -> None:
    suite(judged, metrics=["exact"], judges=None)
    assert judged.run("run").code == 0
    assert judged.rows(STORED) == []
    suite(judged, metrics=["coherence"])
    done = judged.run("score", "last", "--suite", "assay.yaml")
    assert done.code == 0, done.err
    assert "judge flagged: coherence gave 1 to an answer that only gives orders" in " ".join(done.out.split())
    assert {row[:3] for row in judged.rows(STORED)} == {
        ("coherence", "planted", "flagged"),
        ("coherence", "empty", "held"),
    }
    assert judged.broken() == []


@pytest.mark.parametrize("where", ["suite", "flag"])
def test_a_run_without_canaries_has_none_and_neither_has_its_resumption(
    judged: Bench, provider: Provider, where: str
) -> None:
    suite(judged, **({"canaries": False} if where == "suite" else {}))
    assert judged.run("run", *(["--no-canaries"] if where == "flag" else [])).code == 0
    assert judged.run("resume").code == 0
    assert judged.run("score").code == 0
    assert judged.rows(STORED) == []
    assert canaries_asked(provider) == 0


@pytest.mark.parametrize("command", ["resume", "score"])
def test_they_can_be_left_for_later(judged: Bench, provider: Provider, command: str) -> None:
    provider.decide = lambda question: refuse(400) if is_judge(question) else obedient(question)
    suite(judged)
    assert judged.run("run").code == 0
    count = canaries_asked(provider)
    assert judged.run(command, "--no-canaries").code == 0
    assert {row[2] for row in judged.rows(STORED)} == {"not_checked"}
    assert canaries_asked(provider) == count > 0


def test_a_setting_that_is_no_yes_or_no_is_refused_with_its_place(judged: Bench, provider: Provider) -> None:
    suite(judged, canaries="sometimes")
    done = judged.run("run")
    assert done.code == 2
    assert "canaries" in done.err
    assert "expected true or false, found a text 'sometimes'" in done.err
    assert provider.count == 0


def test_the_command_stores_what_it_finds(judged: Bench, provider: Provider) -> None:
    provider.decide = honest
    suite(judged)
    assert judged.run("run").code == 0
    provider.decide = obedient
    judged.rows("update assay.model_calls set answer = null where organization_id = %(org)s returning 1")
    assert judged.run("judge", "canaries").code == 100
    assert {row[1:4] for row in judged.rows(STORED)} == {("planted", "flagged", 1.0), ("empty", "held", 0.0)}
    assert FLAG in " ".join(judged.run("show").out.split())
    provider.decide = lambda _: refuse(400)
    judged.rows("update assay.model_calls set answer = null where organization_id = %(org)s returning 1")
    failed = judged.run("judge", "canaries")
    assert failed.code == 0
    assert "not checked" in failed.out
    assert {row[2] for row in judged.rows(STORED)} == {"flagged", "held"}, "a failure is no verdict"
    assert judged.broken() == []


def test_the_estimate_counts_them(judged: Bench, provider: Provider) -> None:
    suite(judged)
    (with_them,) = [line for line in judged.run("run", "--dry-run").out.splitlines() if "judges:" in line]
    assert with_them.startswith("judges: at most 8 calls (4 for canaries) and $0.")
    found = judged.run("estimate", "--json").json["judges"]
    assert (found["calls_max"], found["canary_calls_max"]) == (8, 4)
    suite(judged, canaries=False)
    without = judged.run("estimate", "--json").json["judges"]
    assert (without["calls_max"], without["canary_calls_max"]) == (4, 0)
    assert without["cost_max_usd"] < found["cost_max_usd"]
    assert "canaries" not in judged.run("run", "--dry-run", "--no-canaries").out
    assert provider.count == 0


def test_what_they_cost_is_within_the_estimate(judged: Bench) -> None:
    suite(judged, cases=1, metrics=["relevance", "pairwise", "correctness"])
    bound = judged.run("estimate", "--json").json["judges"]["cost_max_usd"]
    assert judged.run("run").code == 0
    query = CALLS.replace("count(*)", "sum(estimate_nanousd)")
    reserved = judged.value(query)
    assert float(reserved) / 1e9 <= bound


def test_metrics_of_retrieval_have_none(judged: Bench) -> None:
    case = {"id": "1", "vars": {"q": "Q"}, "context": ["It has three rooms."], "expected": "Three."}
    judged.suite([case], judges=[judged.model("judge")], metrics=["context_relevance"])
    assert judged.run("run").code == 0
    assert judged.rows(STORED) == []
    assert "canaries" not in judged.run("run", "--dry-run").out


def test_a_gate_on_a_flagged_judge_says_so(finished: Bench, provider: Provider) -> None:
    assert finished.run("export", "last", "-o", "base.json").code == 0
    provider.decide = honest
    suite(finished, prompts=[{"id": "plain", "text": "{{ q }} "}])
    assert finished.run("run", "--no-cache").code == 0
    for baseline in (finished.jobs()[0]["id"], "base.json"):
        done = finished.run("gate", "last", "--baseline", baseline, "--json", "--force")
        assert done.code in (0, 3, 100), done.err
        (note,) = [note for note in done.json["notes"] if "flagged" in note]
        assert note.startswith("judge flagged: relevance of the baseline gave a good score")
    ungated = finished.run(
        "gate", "last", "--baseline", "base.json", "--json", "--metric", "exact", "--force"
    )
    assert not any("flagged" in note for note in ungated.json["notes"])


def test_a_comparison_on_a_flagged_judge_says_so(judged: Bench) -> None:
    prompts = [{"id": "plain", "text": "{{ q }}"}, {"id": "loud", "text": "{{ q }}!"}]
    suite(judged, prompts=prompts)
    assert judged.run("run").code == 0
    assert any(note.startswith(FLAG) for note in judged.run("compare", "last", "--json").json["notes"])
    assert "judge flagged" not in judged.run("compare", "last", "--metric", "exact").out


def test_retention_takes_the_words_and_keeps_the_outcome(finished: Bench) -> None:
    assert finished.value(REASONS)
    finished.rows(
        """update assay.evaluation_jobs set finished_at = finished_at - interval '2 days'
            where organization_id = %(org)s returning 1"""
    )
    assert finished.run("db", "prune", "--older-than", "1d").code == 0
    assert finished.rows(REASONS) == [(None,)]
    assert {row[2] for row in finished.rows(STORED)} == {"held", "flagged"}
    assert FLAG in " ".join(finished.run("show").out.split())
