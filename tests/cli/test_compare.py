"""Jobs side by side, and what is inside one: paired by case, adjusted, or said to be unknown."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import orjson
import pytest
from bench import CALL_NANOUSD, Bench
from provider import Provider, Question, refuse, repeat, say

from assay.stats.comparison import compare_paired
from assay.stats.multiplicity import holm

HOSTILE = '<script>alert(1)</script>"]]> | `x` @all '


def number_of(question: Question) -> int:
    return int(question.text.split()[-1])


def wrong_below(limit: int, prompt: str = ""):
    """Answers that are wrong for the first questions, of one prompt only if it is named."""

    def decide(question: Question):
        named = question.text.startswith(prompt)
        return say("wrong") if named and number_of(question) < limit else say(question.text.split(": ")[-1])

    return decide


def two_jobs(bench: Bench, provider: Provider) -> tuple[str, str]:
    """Forty cases: the first job fails the odd ones, the second passes all but the first two."""
    bench.suite(40)
    provider.decide = lambda question: say("wrong") if number_of(question) % 2 else repeat(question)
    assert bench.run("run").code == 0
    provider.decide = wrong_below(2)
    assert bench.run("run", "--no-cache").code == 0
    first, second = (job["id"] for job in bench.jobs())
    return first, second


def three_prompts(bench: Bench, provider: Provider, **more: object) -> None:
    """One job of three prompts: `a` fails 20 of 40 cases, `b` 4, `c` none."""
    prompts = [{"id": name, "text": f"{name}: {{{{ q }}}}"} for name in "abc"]
    bench.suite(40, prompts=prompts, **more)
    limits = {"a": 20, "b": 4, "c": 0}
    provider.decide = lambda question: wrong_below(limits[question.text[0]])(question)
    assert bench.run("run").code == 0


def test_two_jobs_on_the_same_cases_are_paired(bench: Bench, provider: Provider) -> None:
    first, second = two_jobs(bench, provider)
    done = bench.run("compare", first, second, "--json")
    assert done.code == 0, done.err
    document = done.json
    assert [job["id"] for job in document["jobs"]] == [first, second]
    (metric,) = document["metrics"]
    (pair,) = metric["pairs"]
    before = [float(n % 2 == 0) for n in range(40)]
    after = [float(n >= 2) for n in range(40)]
    alone = compare_paired(before, after, kind="binary", rng=np.random.default_rng(0))
    assert (pair["difference"], pair["low"], pair["high"], pair["p"]) == pytest.approx(
        (alone.difference, alone.interval.low, alone.interval.high, alone.p)
    )
    assert pair["candidate"].endswith(f"@{second[-6:]}") and pair["baseline"].endswith(f"@{first[-6:]}")
    assert (pair["n"], pair["verdict"], pair["test"]) == (40, "better", "mcnemar_midp")
    assert (pair["improved"], pair["worsened"], pair["same"]) == (19, 1, 20)
    assert metric["family"]["text"] == "one test, nothing to adjust"
    # The one case that became worse comes first among equally large changes.
    assert [change["case"] for change in pair["changes"]] == ["c0", "c3", "c5", "c7", "c9"]
    assert pair["changes"][0]["answers_from"] == ["question 0"]
    assert pair["changes"][0]["answers_to"] == ["wrong"]
    shown = bench.run("compare", first[-6:], "last", "--top", "1")
    assert shown.code == 0
    assert "beats" in shown.out
    assert re.findall(r"^ [+-]  (\S+) ", shown.out, re.MULTILINE) == ["c0"]


def test_prompts_of_one_job_are_compared_ranked_and_priced(bench: Bench, provider: Provider) -> None:
    three_prompts(bench, provider)
    done = bench.run("compare", "--json")
    assert done.code == 0, done.err
    (metric,) = done.json["metrics"]
    assert metric["family"] == {
        "method": "holm",
        "size": 3,
        "tests": 3,
        "text": "Holm over all 3 pairs of this metric",
    }
    assert [pair["p_adjusted"] for pair in metric["pairs"]] == pytest.approx(
        holm([pair["p"] for pair in metric["pairs"]]).tolist()
    )
    assert {(pair["candidate"], pair["baseline"]) for pair in metric["pairs"]} == {
        ("c", "b"),
        ("c", "a"),
        ("b", "a"),
    }
    rows = metric["ranking"]["rows"]
    assert [row["candidate"] for row in rows] == ["c", "b", "a"]
    assert (rows[2]["low"], rows[2]["high"]) == (3, 3)
    front = {row["candidate"]: row for row in done.json["front"]["rows"]}
    assert {row["cost_usd"] for row in front.values()} == {CALL_NANOUSD / 1e9}
    assert front["c"]["on_front"] and not front["a"]["on_front"]
    assert "c" in front["a"]["dominated_by"]
    shown = bench.run("compare").out
    assert "Ranking" in shown and "Cost and quality" in shown and "Holm over all 3 pairs" in shown


def test_a_baseline_makes_a_family_of_its_own(bench: Bench, provider: Provider) -> None:
    three_prompts(bench, provider)
    done = bench.run("compare", "--baseline", "a", "--json")
    (metric,) = done.json["metrics"]
    assert done.json["scheme"] == "baseline"
    assert [(pair["candidate"], pair["baseline"]) for pair in metric["pairs"]] == [("b", "a"), ("c", "a")]
    assert metric["family"]["size"] == 2
    unknown = bench.run("compare", "--baseline", "z")
    assert unknown.code == 2
    assert "a, b, c" in unknown.err


def test_namesakes_of_two_jobs_are_compared(bench: Bench, provider: Provider) -> None:
    three_prompts(bench, provider)
    provider.decide = wrong_below(0)
    bench.run("run", "--no-cache")
    first, second = (job["id"] for job in bench.jobs())
    found = bench.run("compare", first, second, "--json").json
    assert found["scheme"] == "counterparts"
    (metric,) = found["metrics"]
    assert [pair["candidate"].partition(" ")[0] for pair in metric["pairs"]] == ["a", "b", "c"]
    assert all(pair["candidate"].split(" ")[0] == pair["baseline"].split(" ")[0] for pair in metric["pairs"])
    assert [pair["verdict"] for pair in metric["pairs"]] == ["better", "inconclusive", "inconclusive"]


def test_by_prompt_and_by_model_average_the_other(bench: Bench, provider: Provider) -> None:
    prompts = [{"id": name, "text": f"{name}: {{{{ q }}}}"} for name in "ab"]
    bench.suite(30, prompts=prompts, models=[bench.model("small"), bench.model("large")])
    provider.decide = lambda question: (
        say("wrong")
        if question.body["model"] == "small" and question.text[0] == "a"
        else wrong_below(0)(question)
    )
    bench.run("run")
    by_prompt = bench.run("compare", "--by", "prompt", "--json").json["metrics"][0]["pairs"][0]
    assert (by_prompt["candidate"], by_prompt["baseline"], by_prompt["difference"]) == ("b", "a", 0.5)
    assert (by_prompt["mean_baseline"], by_prompt["mean_candidate"]) == (0.5, 1.0)
    by_model = bench.run("compare", "--by", "model", "--json").json
    assert [candidate["label"] for candidate in by_model["candidates"]] == ["small", "large"]
    assert by_model["candidates"][0]["planned"] == 60


def test_segments_are_an_exploration_of_their_own(bench: Bench, provider: Provider) -> None:
    cases = [
        {"id": f"c{n}", "vars": {"q": f"question {n}"}, "expected": f"question {n}", "tags": tags}
        for n, tags in enumerate([["early"]] * 20 + [["late"]] * 18 + [[]] * 2)
    ]
    bench.suite(cases, prompts=[{"id": name, "text": f"{name}: {{{{ q }}}}"} for name in "ab"])
    provider.decide = wrong_below(15, prompt="a")
    bench.run("run")
    done = bench.run("compare", "--segments", "--json")
    segments = done.json["metrics"][0]["segments"]
    assert segments["exploratory"] is True
    assert segments["family"]["method"] == "bh"
    rows = {row["tag"]: row for row in segments["rows"]}
    assert {tag: row["n"] for tag, row in rows.items()} == {"early": 20, "late": 18, None: 2}
    before, after = [float(n >= 15) for n in range(20)], [1.0] * 20
    alone = compare_paired(before, after, kind="binary", rng=np.random.default_rng(0))
    assert rows["early"]["difference"] == alone.difference
    assert rows["early"]["p"] == pytest.approx(alone.p)
    assert rows["early"]["verdict"] == "better" and rows["late"]["verdict"] == "inconclusive"
    shown = bench.run("compare", "--segment", "early").out
    assert "exploratory" in shown and "early" in shown and "late" not in shown
    unknown = bench.run("compare", "--segment", "nowhere")
    assert unknown.code == 2
    assert "early, late" in unknown.err


def test_repeats_say_how_steady_the_answers_are(bench: Bench, provider: Provider) -> None:
    bench.suite(20, repeats=3, prompts=[{"id": name, "text": f"{name}: {{{{ q }}}}"} for name in "ab"])
    # Of the ten even cases `a` answers one of three times wrong.
    provider.decide = lambda question: (
        say("wrong")
        if question.text[0] == "a" and number_of(question) % 2 == 0 and question.seen == 0
        else wrong_below(0)(question)
    )
    bench.run("run")
    done = bench.run("compare", "--json")
    assert done.json["metrics"][0]["pairs"][0]["regressed"] == []
    a, b = done.json["metrics"][0]["repeats"]
    assert (a["candidate"], b["candidate"]) == ("a", "b")
    assert a["pass_at_k"]["1"]["estimate"] == pytest.approx(5 / 6)
    assert a["pass_at_k"]["3"]["estimate"] == 1.0
    assert a["pass_hat_k"]["3"]["estimate"] == 0.5
    assert a["flake_rate"]["estimate"] == pytest.approx(0.5 * 2 / 3)
    assert [case["key"] for case in a["flaky"]] == [f"c{n}" for n in range(0, 20, 2)]
    assert a["flaky"][0] == {"key": "c0", "passes": 2, "answers": 3}
    assert b["flaky"] == [] and b["flake_rate"]["estimate"] == 0.0
    assert "10 of 20" in bench.run("compare").out


def test_other_cases_are_refused_unless_forced(bench: Bench) -> None:
    bench.suite(12)
    bench.run("run")
    bench.suite(10)
    bench.run("run")
    first, second = (job["id"] for job in bench.jobs())
    refused = bench.run("compare", first, second)
    assert refused.code == 1
    assert "data sets differ" in refused.err
    assert "--force" in refused.err
    forced = bench.run("compare", first, second, "--force")
    assert forced.code == 0, forced.err
    assert "data sets differ" in forced.out
    found = bench.run("compare", first, second, "--force", "--json").json
    assert found["forced"] is True
    assert "data sets differ" in found["notes"][0]
    (pair,) = found["metrics"][0]["pairs"]
    assert (pair["n"], pair["absent"]) == (10, 2)
    assert any("2 cases not in both" in warning for warning in found["warnings"])


def test_other_options_of_a_metric_are_refused_unless_forced(bench: Bench) -> None:
    bench.suite(4)
    bench.run("run")
    bench.suite(4, metrics=[{"type": "exact", "options": {"ignore_case": True}}])
    bench.run("run")
    first, second = (job["id"] for job in bench.jobs())
    refused = bench.run("compare", first, second)
    assert refused.code == 1
    assert "exact" in refused.err
    assert bench.run("compare", first, second, "--force").code == 0


def test_jobs_without_a_common_case_are_inconclusive_and_say_why(bench: Bench) -> None:
    for prefix in ("x", "y"):
        bench.suite(
            [{"id": f"{prefix}{n}", "vars": {"q": f"question {n}"}, "expected": "no"} for n in range(5)]
        )
        bench.run("run")
    first, second = (job["id"] for job in bench.jobs())
    done = bench.run("compare", first, second, "--force", "--json")
    assert done.code == 0, done.err
    (pair,) = done.json["metrics"][0]["pairs"]
    assert pair["verdict"] == "inconclusive"
    assert [pair[name] for name in ("n", "difference", "low", "high", "p", "p_adjusted", "test")] == [
        0,
        *[None] * 6,
    ]
    assert pair["reason"] == "no pairs"
    assert "cannot be compared" in bench.run("compare", first, second, "--force").out


def test_a_candidate_without_any_answer_gets_no_number(bench: Bench, provider: Provider) -> None:
    bench.suite(12, prompts=[{"id": name, "text": f"{name}: {{{{ q }}}}"} for name in "abc"])
    provider.decide = lambda question: (
        refuse(400) if question.text[0] == "a" else wrong_below(6, prompt="b")(question)
    )
    bench.run("run")
    done = bench.run("compare", "--json")
    assert done.code == 0, done.err
    (metric,) = done.json["metrics"]
    dead = [pair for pair in metric["pairs"] if "a" in (pair["candidate"], pair["baseline"])]
    assert [(pair["difference"], pair["verdict"], pair["unscored"]) for pair in dead] == [
        (None, "inconclusive", 12)
    ] * 2
    assert metric["family"]["size"] == 1
    assert metric["ranking"]["left_out"] == ["a"]
    assert [row["candidate"] for row in metric["ranking"]["rows"]] == ["c", "b"]
    assert any("12 cells without an answer" in warning for warning in done.json["warnings"])


def test_unanswered_cases_are_left_out_and_could_turn_the_result(bench: Bench, provider: Provider) -> None:
    bench.suite(40, prompts=[{"id": name, "text": f"{name}: {{{{ q }}}}"} for name in "ab"])

    def decide(question: Question):
        if question.text[0] == "a":
            return wrong_below(8)(question)
        return refuse(400) if number_of(question) >= 30 else wrong_below(0)(question)

    provider.decide = decide
    bench.run("run")
    found = bench.run("compare", "--json").json
    (pair,) = found["metrics"][0]["pairs"]
    assert (pair["candidate"], pair["n"], pair["unscored"]) == ("b", 30, 10)
    assert pair["difference"] == pytest.approx(8 / 30)
    assert pair["bounds"] == pytest.approx([-2 / 40, 18 / 40])
    assert any("could lie anywhere from" in warning for warning in found["warnings"])


def test_one_cluster_and_equal_scores_are_no_evidence(bench: Bench, provider: Provider) -> None:
    cases = [
        {"id": f"c{n}", "vars": {"q": f"question {n}"}, "expected": f"question {n}", "cluster": "one"}
        for n in range(10)
    ]
    bench.suite(cases, prompts=[{"id": name, "text": f"{name}: {{{{ q }}}}"} for name in "ab"])
    provider.decide = wrong_below(5, prompt="a")
    bench.run("run")
    (pair,) = bench.run("compare", "--json").json["metrics"][0]["pairs"]
    assert (pair["difference"], pair["p"], pair["verdict"]) == (None, None, "inconclusive")
    assert "one cluster" in pair["reason"]
    bench.suite(10, prompts=[{"id": name, "text": f"{name}: {{{{ q }}}}"} for name in "ab"])
    provider.decide = wrong_below(0)
    bench.run("run", "--no-cache")
    found = bench.run("compare", "--json").json
    (pair,) = found["metrics"][0]["pairs"]
    assert (pair["difference"], pair["p"], pair["verdict"]) == (0.0, 1.0, "inconclusive")
    assert any("cannot tell candidates apart" in warning for warning in found["warnings"])


def test_a_margin_makes_equal_scores_equivalent(bench: Bench) -> None:
    bench.suite(40, prompts=[{"id": name, "text": "{{ q }}"} for name in ("one", "two")])
    bench.run("run")
    (pair,) = bench.run("compare", "--margin", "0.2", "--json").json["metrics"][0]["pairs"]
    assert (pair["verdict"], pair["margin"]) == ("equivalent", 0.2)


def test_measures_say_which_way_is_better(bench: Bench, provider: Provider) -> None:
    prompts = [{"id": "short", "text": "{{ q }}"}, {"id": "long", "text": "{{ q }}{{ q }}"}]
    bench.suite(12, prompts=prompts, metrics=["exact", "length_chars", "latency_ms"])
    bench.run("run")
    found = bench.run("compare", "--metric", "latency_ms", "--metric", "exact", "--json").json
    assert [metric["metric"] for metric in found["metrics"]] == ["exact", "latency_ms"]
    assert [metric["better"] for metric in found["metrics"]] == ["higher", "lower"]
    assert found["metrics"][1]["pairs"][0]["margin"] is None
    unknown = bench.run("compare", "--metric", "nothing")
    assert unknown.code == 2
    assert "latency_ms" in unknown.err
    assert provider.count == 24


def test_a_retried_cell_counts_as_its_newest_job_left_it(bench: Bench, provider: Provider) -> None:
    bench.suite(12, prompts=[{"id": name, "text": f"{name}: {{{{ q }}}}"} for name in "ab"])
    provider.decide = lambda question: refuse(400) if number_of(question) < 6 else wrong_below(0)(question)
    bench.run("run")
    provider.decide = wrong_below(6, prompt="a")
    assert bench.run("retry").code == 0
    (pair,) = bench.run("compare", "last", "--json").json["metrics"][0]["pairs"]
    assert (pair["n"], pair["difference"]) == (12, 0.5)
    assert pair["changes"][0]["answers_from"] == ["wrong"]
    assert pair["changes"][0]["answers_to"] == ["question 0"]


def test_files_hold_the_same_comparison(bench: Bench, provider: Provider, tmp_path: Path) -> None:
    three_prompts(bench, provider)
    names = ["out.json", "out.md", "out.html", "out.svg"]
    done = bench.run("compare", *(part for name in names for part in ("-o", name)), "--json")
    assert done.code == 0, done.err
    assert orjson.loads((tmp_path / "out.json").read_bytes()) == done.json
    assert "Holm over all 3 pairs" in (tmp_path / "out.md").read_text()
    root = ElementTree.fromstring((tmp_path / "out.svg").read_text())  # noqa: S314 - our own file
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "Cost and quality (hollow: not on the front)" in texts
    assert texts.count("better") == 2
    refused = bench.run("compare", "-o", "out.docx")
    assert refused.code == 2
    assert ".svg" in refused.err


def test_hostile_names_and_answers_stay_text(bench: Bench, provider: Provider, tmp_path: Path) -> None:
    cases = [
        {"id": f"c{n}{HOSTILE}", "vars": {"q": f"question {n}"}, "expected": f"question {n}"}
        for n in range(8)
    ]
    prompts = [{"id": f"a{HOSTILE}"[:60], "text": "a: {{ q }}"}, {"id": "b", "text": "b: {{ q }}"}]
    bench.suite(cases, prompts=prompts)
    hostile, others = say(HOSTILE + "\x1b[31m"), wrong_below(0)
    provider.decide = lambda question: (
        hostile if question.text[0] == "a" and number_of(question) < 4 else others(question)
    )
    assert bench.run("run").code == 0
    done = bench.run("compare", "-o", "out.md", "-o", "out.html", "-o", "out.svg")
    assert done.code == 0, done.err
    for name in ("out.md", "out.html", "out.svg"):
        text = (tmp_path / name).read_text()
        assert "<script" not in text and "\x1b" not in text, name
        assert "script" in text, name
    assert "\x1b[31m" not in done.out
    ElementTree.fromstring((tmp_path / "out.svg").read_text())  # noqa: S314 - our own file
    assert not re.search(r"(?<!;)@all", (tmp_path / "out.md").read_text())


def test_what_cannot_be_compared_is_refused(bench: Bench) -> None:
    bench.suite(1)
    bench.run("run")
    assert bench.run("compare", "last", "nothing").code == 2
    twice = bench.run("compare", "last", "last")
    assert twice.code == 2
    assert "named twice" in twice.err
    alone = bench.run("compare", "last")
    assert alone.code == 2
    assert "second job" in alone.err
    untagged = bench.run("compare", "last", "--segments")
    assert untagged.code == 2
