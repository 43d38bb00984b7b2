"""Metrics of rules that ask a judge, in runs: every call in the ledger, paid for, cached, estimated."""

import json
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
TEXT = "Flat for rent in Hobart. It would suit somebody who has no little ones to look after."
CONTRACT = """\
1. Scope. We write a report about the roof by 1 May 2026.
2. Talk. Our lips are sealed about your affairs.
"""
HINT = "suit somebody who has no little ones"
METRICS: list[Any] = [
    {"type": "legal_compliance", "options": {"jurisdiction": "TAS", "judge": "judge"}},
    {
        "type": "contract_completeness",
        "options": {"contract": "services", "text": "vars.draft", "judge": "judge"},
    },
]
WITHOUT = [
    {**each, "options": {k: v for k, v in each["options"].items() if k != "judge"}} for each in METRICS
]


def says(question: Question) -> Any:
    """Repeats the question; as a judge it finds the hint, and that secrets are kept."""
    if question.body["model"] != "judge":
        return repeat(question)
    verdict: Any = judge.good_verdict(question)
    found = {
        "au.implied_preference": ("yes", HINT),
        "confidentiality": ("present", "Our lips are sealed about your affairs."),
    }
    for each in verdict["answers"]:
        name = each.get("rule") or each.get("clause")
        if name in found:
            each["answer"], each["quote"] = found[name]
    return judge.reply(json.dumps(verdict))


@pytest.fixture
def judged(bench: Bench, provider: Provider) -> Bench:
    """A bench whose provider repeats the question and judges under the name "judge"."""
    provider.decide = says
    return bench


def suite(bench: Bench, metrics: list[Any] = METRICS) -> None:
    cases = [{"id": "c1", "vars": {"q": TEXT, "draft": CONTRACT}}]
    bench.suite(cases, judges=[bench.model("judge", parameters={})], metrics=metrics)


def scores(bench: Bench) -> dict[str, Any]:
    return {row[0]: row[1:] for row in bench.rows(SCORES)}


def test_the_judge_is_in_the_ledger_paid_for_and_told_in_the_evidence(judged: Bench) -> None:
    suite(judged)
    done = judged.run("run")
    assert done.code == 0, done.err
    assert judged.rows(JUDGED) == [
        ("judge", "contract_completeness", "judge", "settled", "ok", 1, CALL_NANOUSD),
        ("judge", "legal_compliance", "judge", "settled", "ok", 1, CALL_NANOUSD),
        ("target", None, None, "settled", "ok", 1, CALL_NANOUSD),
    ]
    assert judged.jobs()[0]["spent_nanousd"] == 3 * CALL_NANOUSD
    assert judged.jobs()[0]["receipt"]["judge_prompts"].keys() == {"legal_rules", "contract_clauses"}
    state, value, calls, cost, reason, evidence = scores(judged)["legal_compliance"]
    assert (state, calls, cost) == ("scored", 1, CALL_NANOUSD)
    assert 0 < value < 1
    assert f"au.implied_preference violated '{HINT}'" in reason
    assert evidence["judge"]["judge"] == "judge"
    state, value, calls, cost, reason, evidence = scores(judged)["contract_completeness"]
    assert (state, calls, cost) == ("scored", 1, CALL_NANOUSD)
    by_judge = [each["clause"] for each in evidence["clauses"] if each.get("decided_by") == "judge"]
    assert by_judge == ["confidentiality"]
    assert judged.broken() == []


def test_a_second_run_asks_no_judge_again(judged: Bench, provider: Provider) -> None:
    suite(judged)
    assert judged.run("run").code == 0
    first, count = scores(judged), provider.count
    assert judged.run("run").code == 0
    assert provider.count == count
    cached = [row for row in judged.rows(SCORES) if row[3] == 0]
    assert {row[0]: row[2] for row in cached} == {name: row[1] for name, row in first.items()}
    assert {row[4] for row in cached} == {0}
    assert {row[6]["judge"]["cached_calls"] for row in cached} == {1}
    assert judged.broken() == []


def test_without_the_option_the_suites_judge_is_not_asked(judged: Bench, provider: Provider) -> None:
    suite(judged, WITHOUT)
    estimate = judged.run("estimate", "--json")
    assert estimate.json["judges"] is None
    assert judged.run("run").code == 0
    assert provider.count == 1
    found = scores(judged)
    assert {row[0] for row in found.values()} == {"scored"}
    assert {row[2:4] for row in found.values()} == {(0, 0)}
    assert "not_checked" not in json.dumps([row[5] for row in found.values()])


def test_an_estimate_tells_what_the_judge_takes_at_most(judged: Bench, provider: Provider) -> None:
    suite(judged)
    found = judged.run("estimate", "--json").json["judges"]
    assert found["calls_max"] == 4, "one call of each metric, repaired once"
    assert provider.count == 0
    assert judged.run("run").code == 0
    assert found["cost_max_usd"] > judged.jobs()[0]["spent_nanousd"] / 1e9


def test_a_budget_that_the_judge_could_break_starts_nothing(judged: Bench, provider: Provider) -> None:
    suite(judged)
    done = judged.run("run", "--budget", "0.001")
    assert done.code == 1
    assert "budget" in done.err
    assert provider.count == 0
    assert judged.broken() == []


def test_a_judge_that_fails_leaves_the_scores_of_the_rules(judged: Bench, provider: Provider) -> None:
    suite(judged, WITHOUT)
    assert judged.run("run").code == 0
    alone = scores(judged)
    provider.decide = lambda question: refuse(400) if question.body["model"] == "judge" else repeat(question)
    suite(judged)
    assert judged.run("run").code == 0
    last = [row for row in judged.rows(SCORES) if "judge_unreachable" in row[5]]
    assert {row[0]: row[2] for row in last} == {name: row[1] for name, row in alone.items()}
    assert judged.broken() == []


def test_a_judge_is_asked_about_stored_answers(judged: Bench, provider: Provider) -> None:
    suite(judged, ["length"])
    assert judged.run("run").code == 0
    suite(judged)
    done = judged.run("score", "last", "--suite", "assay.yaml")
    assert done.code == 0, done.err
    assert "2 judge calls" in done.err
    assert provider.count == 3
    assert scores(judged)["legal_compliance"][2] == 1
    assert judged.broken() == []


def test_a_judge_that_is_not_there_is_refused_before_anything_is_spent(
    judged: Bench, provider: Provider
) -> None:
    suite(judged, [{"type": "legal_compliance", "options": {"judge": "jugde"}}])
    done = judged.run("run")
    assert done.code == 2
    assert "Did you mean 'judge'" in done.err
    assert provider.count == 0


def test_what_is_only_rules_with_a_judge_has_no_canaries(judged: Bench) -> None:
    suite(judged)
    assert judged.run("run").code == 0
    done = judged.run("judge", "canaries", "--json")
    assert [each["canaries"]["results"] for each in done.json] == [[], []]
    assert done.code == 0


@pytest.mark.parametrize("type_", ["legal_compliance", "contract_completeness"])
def test_the_catalog_shows_what_the_judge_would_be_asked(lonely: Bench, type_: str) -> None:
    prompt = {"legal_compliance": "legal_rules", "contract_completeness": "contract_clauses"}[type_]
    shown = lonely.run("metrics", "show", type_)
    assert "option   judge: label of the model that" in shown.out
    assert f"judge prompt {prompt}, version 1, sha256 " in shown.out
    document = lonely.run("metrics", "show", type_, "--json").json
    assert document["judged"] is False
    (made,) = document["judge_prompts"]
    assert made["name"] == prompt and made["source"]
    assert "answers" in made["schema"]["properties"]


def test_a_metric_with_a_judge_is_not_checked_without_one(judged: Bench) -> None:
    suite(judged)
    checked = judged.run("metrics", "check", "legal_compliance", "--suite", "assay.yaml")
    assert checked.code == 2
    assert "asks a model to judge" in checked.err
    suite(judged, WITHOUT)
    assert judged.run("metrics", "check", "legal_compliance", "--suite", "assay.yaml").code == 0
