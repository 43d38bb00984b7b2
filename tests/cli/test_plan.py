"""How many cases or repeats: from a job, from a result file, from assumptions, or a reason why not."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from bench import Bench, Outcome
from provider import Provider, repeat, say

from assay.domain.models import ModelResponse
from assay.domain.results import Result
from assay.domain.scores import Score
from assay.formats.results import open_writer

GOLDEN = json.loads((Path(__file__).parents[1] / "stats" / "golden.json").read_text(encoding="utf-8"))
ANSWER_NANOUSD = 1_000_000

Cell = Callable[[int, str, int], float]


def write_results(
    path: Path,
    score: Cell,
    *,
    cases: int = 100,
    repeats: int = 1,
    candidates: Sequence[str] = ("plain", "careful"),
    cost_nanousd: int | None = ANSWER_NANOUSD,
    cluster: Callable[[int], str | None] = lambda _: None,
) -> Path:
    cells = [(c, name, r) for c in range(cases) for name in candidates for r in range(repeats)]
    rows = [
        Result(
            item_no=number,
            case_no=case,
            case=f"c{case}",
            prompt=name,
            model="m",
            repeat=answer,
            state="succeeded",
            cluster=cluster(case),
            response=ModelResponse(text="x"),
            scores=(Score("exact", "scored", score(case, name, answer), "made"),),
            cost_nanousd=cost_nanousd,
        )
        for number, (case, name, answer) in enumerate(cells)
    ]
    with open_writer(path, metrics=["exact"]) as writer:
        writer.write(rows)
    return path


def noisy(seed: int = 1, gain: float = 0.1) -> Cell:
    """Pass or fail by a rate of the case, `careful` a little better."""
    draw = Random(seed)
    rates: dict[int, float] = {}

    def score(case: int, name: str, _repeat: int) -> float:
        rate = rates.setdefault(case, draw.random())
        return float(draw.random() < rate + (gain if name == "careful" else 0.0))

    return score


def fixed(gains: int, losses: int) -> Cell:
    """So many cases that only `careful` passes, so many that only `plain` does; the others pass on both."""

    def score(case: int, name: str, _repeat: int) -> float:
        if case < gains:
            return float(name == "careful")
        return float(name == "plain") if case < gains + losses else 1.0

    return score


def planned(lonely: Bench, *arguments: object) -> dict[str, Any]:
    done = lonely.run("plan", *arguments, "--json")
    assert done.code == 0, done.err
    document: dict[str, Any] = done.json
    return document


def refused(done: Outcome, *words: str) -> None:
    assert done.code == 1
    for word in words:
        assert word in done.out
    assert "show a true difference" not in done.out


def test_the_cases_of_millers_example_are_planned(lonely: Bench) -> None:
    golden = GOLDEN["power_miller_969"]
    inputs = golden["inputs"]
    plan = planned(
        lonely, "--assume-variance", inputs["omega2"], "--difference", inputs["delta"],
        "--alpha", inputs["alpha"], "--power", inputs["power"],
    )  # fmt: skip
    assert plan["by_cases"]["cases"] == golden["expected"]["n"] == 969


@pytest.mark.parametrize(("repeats", "name"), [(1, "K1"), (10, "K10")])
def test_repeats_take_the_noise_of_answering_away_as_in_millers_formula(
    lonely: Bench, repeats: int, name: str
) -> None:
    golden = GOLDEN["power_miller_K"]
    inputs = golden["inputs"]
    plan = planned(
        lonely, "--assume-variance", inputs["omega2"], "--assume-noise", inputs["sigma2"],
        "--difference", inputs["delta"], "--repeats", repeats,
    )  # fmt: skip
    assert plan["by_cases"]["cases"] == -(-golden["expected"][name] // 1)
    assert plan["by_cases"]["calls"] == 2 * repeats * plan["by_cases"]["cases"]


def test_pass_rates_are_planned_by_discordance(lonely: Bench) -> None:
    plan = planned(lonely, "--assume-rate", 0.7, "--discordance", 0.2, "--difference", 0.03)
    assert plan["by_cases"]["cases"] == 1742
    assert plan["by_cases"]["cost_usd"] is None
    unrelated = planned(lonely, "--assume-rate", 0.7, "--difference", 0.03)
    assert unrelated["basis"]["discordance"] == pytest.approx(0.7 * 0.27 + 0.73 * 0.3)
    assert unrelated["by_cases"]["cases"] > plan["by_cases"]["cases"]


def test_a_job_says_what_it_can_show_and_what_the_rest_costs(bench: Bench, provider: Provider) -> None:
    bench.suite(40, prompts=[{"id": "plain", "text": "{{ q }}"}, {"id": "loud", "text": "!{{ q }}"}])

    def decide(question: Any) -> Any:
        right = question.text.removeprefix("!")
        return (
            say(right) if int(right.split()[1]) % (4 if question.text.startswith("!") else 2) else say("no")
        )

    provider.decide = decide
    assert bench.run("run").code == 0
    plan = planned(bench, "last", "--difference", 0.05)
    assert (plan["basis"]["first"], plan["basis"]["second"]) == ("plain", "loud")
    assert (plan["basis"]["cases"], plan["basis"]["gains"], plan["basis"]["losses"]) == (40, 10, 0)
    summary = bench.run("show", "--json").json
    more = summary["verdicts"][0]["pairs"][0]["more_cases"]
    assert more is None or plan["by_cases"]["cases"] == 40 + more
    # 10 tokens in at $1, 5 out at $2 a million, for each of the two sides.
    assert plan["by_cases"]["cost_usd"] == pytest.approx(plan["by_cases"]["cases"] * 2 * 20e-6)
    shown = bench.run("plan")
    assert shown.code == 0, shown.err
    assert "40 cases with 1 answer each show a true difference of" in shown.out
    assert "What more answers a case would bring is unknown" in shown.out


def test_the_plan_and_the_reports_call_for_the_same_number_of_cases(bench: Bench, provider: Provider) -> None:
    bench.suite(24, prompts=[{"id": "plain", "text": "{{ q }}"}, {"id": "loud", "text": "!{{ q }}"}])
    flip = {0: "!", 1: ""}
    provider.decide = lambda question: (
        say("no")
        if question.text in {f"{flip[n % 2]}question {n}" for n in range(6)}
        else say(question.text.removeprefix("!"))
    )
    assert bench.run("run").code == 0
    (verdict,) = bench.run("show", "--json").json["verdicts"]
    assert verdict["pairs"][0]["more_cases"] > 0
    plan = planned(bench, "--difference", 0.05)
    assert plan["by_cases"]["cases"] == 24 + verdict["pairs"][0]["more_cases"]


def test_repeats_are_weighed_against_cases(lonely: Bench) -> None:
    path = write_results(lonely.folder / "r.jsonl", noisy(), repeats=3)
    plan = planned(lonely, path, "--difference", 0.05)
    basis = plan["basis"]
    assert basis["repeats"] == 3
    assert basis["noise_first"] == pytest.approx(1 / 6, abs=0.04)  # E[p(1 - p)] of uniform rates
    cases, repeats = plan["doubled"]
    assert cases["calls"] == repeats["calls"] == 2 * plan["present"]["calls"]
    assert cases["detectable"] <= repeats["detectable"] < plan["present"]["detectable"]
    assert plan["by_repeats"]["detectable"] <= 0.05
    assert plan["by_repeats"]["cases"] == 100
    assert plan["by_cases"]["cost_usd"] == pytest.approx(plan["by_cases"]["calls"] * 0.001)
    shown = lonely.run("plan", path, "--difference", "0.05")
    assert "Cases buy more" in shown.out
    assert "10 answers" in shown.out


def test_repeats_that_cannot_reach_a_difference_are_said_to(lonely: Bench) -> None:
    path = write_results(
        lonely.folder / "r.jsonl", lambda case, name, answer: fixed(20, 10)(case, name, answer), repeats=2
    )
    shown = lonely.run("plan", path, "--difference", "0.01")
    assert shown.code == 0
    assert "cannot show it, however many" in shown.out


def test_an_unknown_price_stays_unknown(lonely: Bench) -> None:
    path = write_results(lonely.folder / "r.jsonl", noisy(), cost_nanousd=None)
    assert planned(lonely, path, "--difference", 0.05)["by_cases"]["cost_usd"] is None
    shown = lonely.run("plan", path, "--difference", "0.05")
    assert "cost unknown" in shown.out
    assert "$0" not in shown.out


def test_clusters_that_move_together_need_more_cases(lonely: Bench) -> None:
    def together(case: int, name: str, _repeat: int) -> float:
        return float((case // 5 % 3 == 0) == (name == "careful"))

    alone = write_results(lonely.folder / "alone.jsonl", together)
    by_document = write_results(
        lonely.folder / "documents.jsonl", together, cluster=lambda case: f"d{case // 5}"
    )
    plain = planned(lonely, alone, "--difference", 0.05)
    clustered = planned(lonely, by_document, "--difference", 0.05)
    effect = clustered["basis"]["design_effect"]
    assert effect == pytest.approx(5.0, rel=0.1)
    assert clustered["by_cases"]["cases"] == pytest.approx(effect * plain["by_cases"]["cases"], rel=0.01)
    assert "design effect" in lonely.run("plan", by_document).out


@pytest.mark.parametrize(
    ("score", "sizes", "words"),
    [
        (noisy(), {"cases": 6}, ("6 cases", "fewer than 10")),
        (lambda *_: 1.0, {}, ("the same", "no variance was seen")),
        (lambda _, name, __: float(name == "careful"), {}, ("the same +1", "no variance was seen")),
        (noisy(), {"candidates": ("plain",)}, ("nothing to pair", "--assume-rate")),
        (noisy(), {"cluster": lambda case: f"d{case % 4}"}, ("4 clusters", "fewer than 10")),
    ],
    ids=["few", "constant", "all-gain", "one-candidate", "few-clusters"],
)
def test_what_cannot_be_planned_is_explained(
    lonely: Bench, score: Cell, sizes: dict[str, Any], words: tuple[str, ...]
) -> None:
    path = write_results(lonely.folder / "r.jsonl", score, **sizes)
    refused(lonely.run("plan", path, "--difference", "0.05"), *words)
    document = lonely.run("plan", path, "--json").json
    assert document["reason"]
    assert document["present"] is None and document["by_cases"] is None and document["table"] == []


def test_repeats_of_cases_that_were_answered_once_are_not_guessed(lonely: Bench) -> None:
    path = write_results(lonely.folder / "r.jsonl", noisy())
    refused(lonely.run("plan", path, "--repeats", "3"), "answered once", "--repeat 3")


def test_the_pair_that_varies_most_is_planned_for_unless_another_is_named(lonely: Bench) -> None:
    path = write_results(lonely.folder / "r.jsonl", noisy(), candidates=("plain", "careful", "wild"))
    shown = lonely.run("plan", path, "--difference", "0.05")
    assert "vary most" in shown.out
    assert "--alpha 0.017" in shown.out
    named = planned(lonely, path, "--candidates", "plain", "careful")
    assert (named["basis"]["first"], named["basis"]["second"]) == ("plain", "careful")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--metric", "nothing"], "There is: exact"),
        (["--candidates", "plain", "nobody"], "no candidate 'nobody'"),
        (["--difference", "2"], "cannot differ by 2"),
        (["--assume-rate", "0.7"], "not from both"),
    ],
)
def test_a_wrong_question_is_refused(lonely: Bench, arguments: list[str], word: str) -> None:
    path = write_results(lonely.folder / "r.jsonl", noisy())
    done = lonely.run("plan", path, *arguments)
    assert done.code == 2
    assert word in done.err


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--assume-rate", "0.7", "--discordance", "0.01", "--difference", "0.05"], "between 0.05 and 0.55"),
        (["--assume-rate", "0.9", "--difference", "0.2"], "cannot rise"),
        (["--assume-rate", "0.9", "--assume-variance", "0.1"], "either a pass rate or a variance"),
        (["--assume-rate", "0.9", "--repeats", "3"], "noise of answering"),
        (["--assume-variance", "0"], "without any variance"),
        (["--discordance", "0.2"], "either a pass rate or a variance"),
    ],
)
def test_assumptions_that_contradict_one_another_are_refused(
    lonely: Bench, arguments: list[str], word: str
) -> None:
    done = lonely.run("plan", *arguments)
    assert done.code == 2
    assert word in done.err


def test_a_measure_is_planned_in_its_unit(bench: Bench) -> None:
    bench.suite(
        12,
        metrics=["exact", "length_chars"],
        prompts=[{"id": "a", "text": "{{ q }}"}, {"id": "b", "text": "{{ q }}{{ q | length % 2 * 'x' }}"}],
    )
    assert bench.run("run").code == 0
    shown = bench.run("plan", "last", "--metric", "length_chars", "--difference", "2")
    assert shown.code == 0, shown.err
    assert "2 characters" in shown.out


def test_planning_asks_no_model(bench: Bench, provider: Provider) -> None:
    bench.suite(12, prompts=[{"id": "a", "text": "{{ q }}"}, {"id": "b", "text": "!{{ q }}"}])
    provider.decide = repeat
    bench.run("run")
    before = provider.count
    bench.run("plan", "--difference", "0.1")
    assert provider.count == before
