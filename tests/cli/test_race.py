"""Races through the command line: they end early, say so, and nothing of them is lost."""

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest
from bench import PRICE, Bench

RATES = {"plain": 66, "careful": 92, "terse": 55}
"""Models of `echo`, and how many in a hundred of their answers are right."""
ENDED = """
select coalesce(error_code, state::text), count(*) from assay.evaluation_queue
 where organization_id = %(org)s group by 1
"""
ANSWERS = "select count(*) from assay.evaluation_results where organization_id = %(org)s"
CALLS = "select count(*) from assay.model_calls where organization_id = %(org)s and outcome = 'ok'"
HELD = """
select count(*) from assay.evaluation_queue
 where organization_id = %(org)s and state = 'ready' and available_at > clock_timestamp() + interval '1 day'
"""


def model(label: str, right: int, **options: Any) -> dict[str, Any]:
    replies = ["yes"] * right + ["no"] * (100 - right)
    return {"id": f"echo:{label}", "label": label, "options": {"replies": replies, **options}, "price": PRICE}


def write_suite(
    bench: Bench, cases: int = 300, options: Mapping[str, Any] | None = None, **more: Any
) -> None:
    """A suite whose candidates are RATES; `options` are those of every model."""
    rows = [{"id": f"c{n}", "vars": {"q": f"q{n}"}, "expected": "yes"} for n in range(cases)]
    models = [model(label, right, **(options or {})) for label, right in RATES.items()]
    bench.suite(rows, **{"models": models, **more})


def raced(bench: Bench, *arguments: object) -> dict[str, Any]:
    done = bench.run("run", "--json", *arguments)
    assert done.code == 0, done.err
    race: dict[str, Any] = done.json["race"]
    return race


def test_a_race_ends_early_and_says_what_it_saved(bench: Bench) -> None:
    write_suite(bench)
    done = bench.run("run", "--race", "--json", "-o", "all.html", "-o", "all.md", "-o", "all.xml")
    assert done.code == 0, done.err
    race = done.json["race"]
    assert race["winner"] == "careful"
    assert "the full grid on this data set would choose it" in race["sentence"]
    assert "95% certainty" in race["sentence"]
    assert done.json["headline"] == race["sentence"]
    ended = dict(bench.rows(ENDED))
    assert ended["race_decided"] == race["saved_cells"] > 100
    assert ended["succeeded"] == 900 - race["saved_cells"]
    assert bench.value(ANSWERS) == ended["succeeded"]
    assert bench.jobs()[0]["state"] == "completed"
    assert bench.broken() == []
    by_label = {each["candidate"]: each for each in race["candidates"]}
    assert by_label["careful"]["ending"] == "won"
    assert "careful is better" in by_label["terse"]["reason"]
    assert by_label["terse"]["seen"] < 300
    coverage = {each["candidate"]: (each["scored"], each["planned"]) for each in done.json["metrics"]}
    assert all(scored < planned == 300 for scored, planned in coverage.values())
    tokens = sum(each["saved_tokens"] for each in race["candidates"])
    assert race["saved_tokens"] == pytest.approx(tokens)
    assert race["saved_tokens"] == pytest.approx(2 * race["saved_cells"])
    assert "estimated" in race["savings"]
    assert any("the race chose whom to ask" in warning for warning in done.json["warnings"])
    assert not any("cancelled" in warning for warning in done.json["warnings"])
    for name in ("all.html", "all.md", "all.xml"):
        assert "careful" in (bench.folder / name).read_text(encoding="utf-8")
    assert "Saved against the full grid" in (bench.folder / "all.md").read_text(encoding="utf-8")
    assert 'id="race"' in (bench.folder / "all.html").read_text(encoding="utf-8")
    assert "careful is better" in (bench.folder / "all.xml").read_text(encoding="utf-8")
    shown = bench.run("show", "last")
    assert "careful wins the race on exact" in " ".join(shown.out.split())


def test_what_a_race_says_does_not_depend_on_when_it_is_asked(bench: Bench) -> None:
    write_suite(bench)
    race = raced(bench, "--race")
    assert bench.run("show", "last", "--json").json["race"] == race


def test_a_suite_can_ask_for_a_race_and_options_win(bench: Bench) -> None:
    write_suite(bench, cases=120, race={"within": 0.1, "batch": 10})
    race = raced(bench)
    assert (race["within"], race["alpha"], race["metric"]) == (0.1, 0.05, "exact")
    race = raced(bench, "--race-within", "0.2", "--race-alpha", "0.1")
    assert (race["within"], race["alpha"]) == (0.2, 0.1)
    write_suite(bench, cases=20, race=False)
    assert raced(bench) is None


def test_repeats_of_a_case_are_one_piece_of_evidence(bench: Bench) -> None:
    write_suite(bench, cases=80, repeats=3)
    race = raced(bench, "--race")
    assert race["winner"] == "careful"
    assert all(each["seen"] <= 80 for each in race["candidates"])
    assert race["planned"] == 720
    assert bench.broken() == []


def test_only_what_was_asked_for_may_be_claimed(bench: Bench) -> None:
    write_suite(bench, cases=400, options={"latency_s": 0.05})
    child = bench.spawn("run", "--race", "-j", "4")
    while bench.value(ANSWERS) < 40:
        assert child.poll() is None
        time.sleep(0.02)
    held = bench.value(HELD)
    child.kill()
    child.wait()
    assert held > 1000


@pytest.mark.parametrize("answers", [20, 120])
def test_a_race_that_was_killed_goes_on_from_its_scores(bench: Bench, answers: int) -> None:
    write_suite(bench, options={"latency_s": 0.03})
    child = bench.spawn("run", "--race", "-j", "6")
    while bench.value(ANSWERS) < answers:
        assert child.poll() is None, child.communicate()
        time.sleep(0.01)
    child.kill()
    child.wait()
    assert bench.broken() == []
    done = bench.run("resume", "last", "--json")
    assert done.code == 0, done.err
    assert done.json["race"]["winner"] == "careful"
    ended = dict(bench.rows(ENDED))
    assert set(ended) == {"succeeded", "race_decided"}
    assert ended["race_decided"] > 50
    assert bench.value(ANSWERS) == bench.value(CALLS) == ended["succeeded"]
    assert bench.broken() == []


def test_two_workers_share_a_race(bench: Bench) -> None:
    write_suite(bench, options={"latency_s": 0.03})
    first = bench.spawn("run", "--race", "--json", "-j", "4")
    while bench.value(ANSWERS) < 10:
        assert first.poll() is None, first.communicate()
        time.sleep(0.01)
    second = bench.finish(bench.spawn("resume", "last", "--json", "-j", "4"))
    done = bench.finish(first)
    assert (done.code, second.code) == (0, 0), done.err + second.err
    assert done.json["race"] == second.json["race"]
    assert done.json["race"]["winner"] == "careful"
    assert bench.value(ANSWERS) == bench.value(CALLS)
    assert bench.broken() == []


def test_a_race_that_runs_out_of_budget_is_not_decided_and_can_go_on(bench: Bench) -> None:
    write_suite(bench)
    models = [{**model(label, right), "parameters": {"max_tokens": 10}} for label, right in RATES.items()]
    write_suite(bench, models=models)
    done = bench.run("run", "--race", "--budget", "0.0003", "--json")
    assert done.code == 1
    assert "budget" in done.err
    assert done.json["race"]["winner"] is None
    assert "not decided yet" in done.json["headline"]
    assert bench.broken() == []
    more = bench.run("resume", "--budget", "1", "--json")
    assert more.code == 0, more.err
    assert more.json["race"]["winner"] == "careful"
    assert bench.broken() == []


def test_a_race_in_which_every_cell_fails_has_no_winner(bench: Bench) -> None:
    write_suite(bench, cases=12, options={"fail_rate": 1.0, "fail_with": "request_rejected"})
    done = bench.run("run", "--race", "--json")
    assert done.code == 1
    assert done.json["race"]["winner"] is None
    assert "no winner" in done.json["race"]["sentence"]
    assert "No cell has an answer" in done.json["headline"]
    assert bench.states() == {"failed": 36}
    assert bench.broken() == []


def test_a_race_that_failures_leave_open_ends_with_a_code_of_its_own(bench: Bench) -> None:
    write_suite(bench, cases=40, options={"fail_rate": 0.6, "fail_with": "request_rejected"})
    done = bench.run("run", "--race", "--json")
    assert done.code == 3
    assert "without a score leave it open" in done.json["headline"]
    assert set(bench.states()) == {"succeeded", "failed"}


def test_failed_cells_of_a_race_can_be_asked_again_all_of_them(bench: Bench) -> None:
    write_suite(bench, cases=150, options={"fail_rate": 0.2, "fail_with": "request_rejected", "seed": 3})
    before = raced(bench, "--race")
    failed = bench.states()["failed"]
    missing = sum(each["missing"] for each in before["candidates"])
    assert 0 < missing <= failed
    done = bench.run("retry", "--json")
    assert done.code in (0, 1), done.err
    assert bench.jobs()[1]["state"] == "completed"
    assert sum(bench.states().values()) == 450 + failed
    assert done.json["race"]["planned"] == 450
    assert bench.broken() == []


def test_constant_scores_end_within_the_tolerance(bench: Bench) -> None:
    models = [model(label, 100) for label in ("one", "two", "three")]
    write_suite(bench, models=models)
    race = raced(bench, "--race", "--race-within", "0.1")
    assert race["winner"] is not None
    assert not race["exact"]
    assert "or one at most 0.1 better" in race["sentence"]
    assert race["saved_cells"] > 0


def test_one_candidate_cannot_race(bench: Bench) -> None:
    bench.suite(3)
    done = bench.run("run", "--race")
    assert done.code == 2
    assert "--race: there is one candidate only" in done.err
    assert bench.jobs() == []


@pytest.mark.parametrize(
    ("metric", "problem"),
    [("latency_ms", "'latency_ms' has no bounds"), ("exakt", "the suite has no metric 'exakt'")],
)
def test_a_metric_that_cannot_decide_a_race_is_named(bench: Bench, metric: str, problem: str) -> None:
    write_suite(bench, cases=3, metrics=["latency_ms", "exact"])
    done = bench.run("run", "--race-metric", metric)
    assert done.code == 2
    assert f"--race-metric: {problem}" in done.err
    assert "Take one of: exact." in done.err
    write_suite(bench, cases=3, metrics=["latency_ms", "exact"], race={"metric": metric})
    done = bench.run("run")
    line = next(
        n
        for n, text in enumerate((bench.folder / "assay.yaml").read_text().splitlines(), 1)
        if text.strip() == json.dumps({"metric": metric})[1:-1]
    )
    assert f"assay.yaml:{line}: race.metric: {problem}" in done.err


def test_a_race_needs_a_metric_with_bounds(bench: Bench) -> None:
    write_suite(bench, cases=3, metrics=["latency_ms"])
    done = bench.run("run", "--race")
    assert done.code == 2
    assert "--race-metric: no metric has scores between 0 and 1" in done.err


def test_a_race_takes_the_first_metric_with_bounds(bench: Bench) -> None:
    write_suite(bench, cases=30, metrics=["latency_ms", "exact"])
    assert raced(bench, "--race")["metric"] == "exact"
