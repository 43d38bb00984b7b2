"""The pytest plugin, from outside: whole suites in processes of their own."""

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from assay.domain.errors import InvalidInput
from assay.testing.run import read_options
from assay.testing.signals import read_mark

INI = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""
PLUGINS = ("-p", "assay.pytest_plugin", "-p", "xdist.plugin", "-p", "pytest_asyncio.plugin")
SIGNALS = """
import pytest

@pytest.mark.assay(dataset="cases.jsonl", metrics=["exact"]{more})
def test_answers(case, assay):
    assay.log_output(case.vars["said"])
"""

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run pytest with the plugin, and those that it must get on with, in a process of its own."""
    pytester.makefile(".ini", pytest=INI)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return lambda *arguments: pytester.runpytest_subprocess(*PLUGINS, *arguments)


def write_cases(folder: Path, right: int, wrong: int, **more: Any) -> None:
    rows = [
        {"id": f"c{n}", "vars": {"said": "yes" if n < right else "no"}, "expected": "yes", **more}
        for n in range(right + wrong)
    ]
    (folder / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_suite(pytester: pytest.Pytester, right: int, wrong: int, more: str = "") -> None:
    write_cases(pytester.path, right, wrong)
    pytester.makepyfile(test_app=SIGNALS.replace("{more}", more))


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def seen(result: pytest.RunResult, *patterns: str) -> None:
    result.stdout.fnmatch_lines([f"*{pattern}*" for pattern in patterns])


def junit(path: Path) -> dict[str, ElementTree.Element]:
    """The test cases of a JUnit file by name."""
    return {case.attrib["name"]: case for case in ElementTree.parse(path).iter("testcase")}  # noqa: S314


def properties(case: ElementTree.Element) -> dict[str, str]:
    return {each.attrib["name"]: each.attrib["value"] for each in case.iter("property")}


def test_a_low_score_is_a_signal_and_fails_no_test(pytester: pytest.Pytester, run: Run) -> None:
    write_suite(pytester, right=6, wrong=4)
    result = run("--assay-output", "out.jsonl")
    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=10)
    seen(
        result, "test_app.py::test_answers*10 cases, 10 cells", "metric*mean*interval*n*scored", "exact*0.60"
    )
    rows = rows_of(pytester.path / "out.jsonl")
    assert [row["case"] for row in rows] == [f"c{n}" for n in range(10)]
    assert [row["exact.value"] for row in rows] == [1.0] * 6 + [0.0] * 4
    assert {(row["prompt"], row["model"], row["state"]) for row in rows} == {
        ("test_app.py::test_answers", "pytest", "succeeded")
    }


def test_ids_of_tests_are_ids_of_cases(pytester: pytest.Pytester, run: Run) -> None:
    write_suite(pytester, right=2, wrong=0, more=", repeats=2")
    result = run("--collect-only", "-q")
    seen(result, "test_answers?c0-repeat1?", "*c0-repeat2?", "*c1-repeat1?", "*c1-repeat2?")
    write_suite(pytester, right=2, wrong=0)
    chosen = run("-v", "test_app.py::test_answers[c1]")
    chosen.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("right", "wrong", "code", "word"),
    [(60, 0, 0, "passed"), (10, 50, 1, "failed"), (48, 12, 0, "inconclusive")],
)
def test_a_gate_passes_fails_or_is_inconclusive_by_the_interval(
    pytester: pytest.Pytester, run: Run, right: int, wrong: int, code: int, word: str
) -> None:
    write_suite(pytester, right, wrong, more=', gate={"exact": 0.8}')
    result = run("--junitxml=out.xml")
    assert result.ret == code
    seen(result, f"exact at least 0.8: {word}, ", f"gates: 1 {word}")
    gate = junit(pytester.path / "out.xml")["gate[exact]"]
    assert gate.attrib["classname"] == "test_app.test_answers"
    assert properties(gate)["assay.verdict"] == {"passed": "pass", "failed": "fail"}.get(word, word)
    assert [child.tag for child in gate if child.tag != "properties"] == {
        "passed": [],
        "failed": ["failure"],
        "inconclusive": ["skipped"],
    }[word]


def test_a_failing_gate_is_in_the_summary_of_failures_and_no_test_is(
    pytester: pytest.Pytester, run: Run
) -> None:
    write_suite(pytester, right=10, wrong=50, more=', gate={"exact": 0.8}')
    result = run()
    seen(
        result,
        "gate exact of test_answers",
        "exact at least 0.8: failed, 0.17 ?0.09*0.28? over 60 cases",
        "FAILED test_app.py::test_answers::gate?exact?",
        "1 failed, 60 passed",
    )


def test_an_inconclusive_gate_fails_only_when_told_to(pytester: pytest.Pytester, run: Run) -> None:
    write_suite(pytester, right=48, wrong=12, more=', gate={"exact": 0.8}')
    lenient = run()
    assert lenient.ret == 0
    seen(lenient, "60 passed, 1 inconclusive")
    strict = run("--assay-strict")
    assert strict.ret == 1
    seen(strict, "exact at least 0.8: inconclusive", "1 failed, 60 passed")
    pytester.makefile(".ini", pytest=INI + "assay_strict = true\n")
    assert run().ret == 1


def test_gates_come_from_the_ini_file_the_mark_or_the_command_line(
    pytester: pytest.Pytester, run: Run
) -> None:
    pytester.makefile(".ini", pytest=INI + "assay_gate =\n  exact=0.99\n  exat=0.5\n")
    write_suite(pytester, right=40, wrong=20)
    ini = run()
    assert ini.ret == 1
    seen(ini, "exact at least 0.99: failed")
    seen(ini, "exat limit 0.5: inconclusive, no group of tests scores this metric")
    write_suite(pytester, right=40, wrong=20, more=', gate={"exact": 0.3}')
    assert run().ret == 0
    assert run("--assay-gate", "exact=0.9").ret == 1


def test_repeats_are_averaged_by_case_and_can_be_set_from_outside(
    pytester: pytest.Pytester, run: Run
) -> None:
    write_suite(pytester, right=8, wrong=2, more=", repeats=3")
    result = run("--assay-output", "out.jsonl")
    seen(result, "10 cases, 30 cells", "exact*0.80*10*30/30")
    assert [row["repeat"] for row in rows_of(pytester.path / "out.jsonl")][:3] == [0, 1, 2]
    run("--assay-repeats", "2").assert_outcomes(passed=20)


def test_coroutines_are_scored(pytester: pytest.Pytester, run: Run) -> None:
    write_cases(pytester.path, right=3, wrong=1)
    pytester.makepyfile(
        """
        import asyncio, pytest

        async def app(text):
            await asyncio.sleep(0)
            return text

        @pytest.mark.assay(dataset="cases.jsonl", metrics=["exact"])
        async def test_answers(case, assay):
            scores = assay.log_output(await app(case.vars["said"]))
            assert scores["exact"].state == "scored"
        """
    )
    result = run()
    result.assert_outcomes(passed=4)
    seen(result, "exact*0.75*4/4")


def test_workers_send_their_scores_and_the_gate_is_judged_once(pytester: pytest.Pytester, run: Run) -> None:
    write_suite(pytester, right=12, wrong=48, more=', gate={"exact": 0.8}, repeats=2')
    alone = run("--assay-output", "alone.jsonl")
    spread = run("-n", "2", "--assay-output", "spread.jsonl", "--junitxml=out.xml")
    assert alone.ret == spread.ret == 1
    seen(spread, "exact*0.20*60*120/120*failed", "gates: 1 failed", "1 failed, 120 passed")
    assert spread.stdout.str().count("= assay =") == 1

    def without_times(name: str) -> list[dict[str, Any]]:
        return [{**row, "latency_ms": None} for row in rows_of(pytester.path / name)]

    assert without_times("alone.jsonl") == without_times("spread.jsonl")
    found = junit(pytester.path / "out.xml")
    assert len(found) == 121
    assert properties(found["test_answers[c59-repeat2]"])["assay.exact"].startswith("0: ")
    assert found["gate[exact]"].find("failure") is not None


def test_a_worker_that_dies_leaves_a_gap_that_the_gate_counts(pytester: pytest.Pytester, run: Run) -> None:
    write_cases(pytester.path, right=20, wrong=0)
    pytester.makepyfile(
        """
        import os, pytest

        @pytest.mark.assay(dataset="cases.jsonl", metrics=["exact"], gate={"exact": 0.8})
        def test_answers(case, assay):
            if case.key == "c5":
                os._exit(3)
            assay.log_output(case.vars["said"])
        """
    )
    result = run("-n", "2", "--max-worker-restart=4")
    assert result.ret == 1
    seen(result, "exact*1.00*19*19/20*inconclusive", "1 of 20 cells without a score", "1 test never ended")


def test_an_application_that_breaks_fails_its_test_and_stays_in_the_denominator(
    pytester: pytest.Pytester, run: Run
) -> None:
    write_cases(pytester.path, right=40, wrong=0)
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.assay(dataset="cases.jsonl", metrics=["exact"], gate={"exact": 0.85})
        def test_answers(case, assay):
            if case.key in ("c1", "c2", "c3"):
                raise TimeoutError("the application is away")
            assay.log_output(case.vars["said"])
        """
    )
    result = run("--assay-output", "out.jsonl")
    result.assert_outcomes(passed=37, failed=3)
    seen(
        result,
        "exact*1.00*37/40*inconclusive",
        "3 of 40 cells without",
        "3 x no output: TimeoutError: the app",
    )
    broken = [row for row in rows_of(pytester.path / "out.jsonl") if row["state"] == "failed"]
    assert [(row["case"], row["error_code"], row["exact.value"]) for row in broken] == [
        (f"c{n}", "TimeoutError", None) for n in (1, 2, 3)
    ]


def test_a_test_that_logs_nothing_has_no_score(pytester: pytest.Pytester, run: Run) -> None:
    write_cases(pytester.path, right=2, wrong=0)
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.assay(dataset="cases.jsonl", metrics=["exact"])
        def test_answers(case, assay):
            if case.key == "c0":
                pytest.skip("not today")
        """
    )
    result = run("--assay-output", "out.jsonl")
    rows = rows_of(pytester.path / "out.jsonl")
    assert [(row["state"], row["error_code"]) for row in rows] == [
        ("cancelled", "Skipped"),
        ("failed", "no_output"),
    ]
    seen(result, "1 x skipped: not today", "1 x no output: no_output")


def test_a_metric_that_fails_is_recorded_with_its_reason_and_not_as_zero(
    pytester: pytest.Pytester, run: Run
) -> None:
    write_cases(pytester.path, right=10, wrong=0)
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.assay(
            dataset="cases.jsonl",
            metrics=["exact", "chrf"],
            gate={"exact": 0.5, "chrf": 0.9},
        )
        def test_answers(case, assay):
            output = "y" * 400_001 if case.key == "c3" else case.vars["said"]
            assay.log_output(output)
        """
    )
    result = run("--assay-output", "out.jsonl", "--junitxml=out.xml")
    assert result.ret == 0
    row = rows_of(pytester.path / "out.jsonl")[3]
    assert (row["chrf.state"], row["chrf.value"]) == ("failed", None)
    assert "too long" in row["chrf.reason"]
    assert row["exact.value"] == 0.0
    seen(result, "chrf*1.00*9*9/10*inconclusive", "1 x chrf failed: texts too long")
    assert properties(junit(pytester.path / "out.xml")["test_answers[c3]"])["assay.chrf"].startswith(
        "failed: texts too long"
    )


def test_a_metric_that_raises_costs_its_score_only(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makeconftest(
        """
        from assay.metrics import catalog

        class Broken:
            def score_batch(self, samples):
                raise ZeroDivisionError("nothing to divide by")

        real = catalog.make_metric

        def make(config):
            return Broken() if config.name == "broken" else real(config)

        import assay.testing.scoring
        assay.testing.scoring.make_metric = make
        """
    )
    write_suite(pytester, right=4, wrong=0)
    pytester.makepyfile(
        test_app=SIGNALS.replace("{more}", "").replace(
            '["exact"]', '["exact", {"contains": {"name": "broken"}}]'
        )
    )
    result = run()
    result.assert_outcomes(passed=4)
    seen(result, "broken*0/4", "4 x broken failed: ZeroDivisionError: nothing to divide by")


def test_the_share_at_the_threshold_can_be_gated(pytester: pytest.Pytester, run: Run) -> None:
    write_cases(pytester.path, right=30, wrong=30)
    suite = SIGNALS.replace('["exact"]', '[{"token_f1": {"threshold": 0.9}}]')
    pytester.makepyfile(test_app=suite.replace("{more}", ', gate={"token_f1.pass_rate": 0.8}'))
    result = run()
    assert result.ret == 1
    seen(result, "token_f1.pass_rate at least 0.8: failed, 0.50")


def test_a_measure_has_a_greatest_value(pytester: pytest.Pytester, run: Run) -> None:
    write_cases(pytester.path, right=20, wrong=20)
    suite = SIGNALS.replace('["exact"]', '["length_chars", "latency_ms"]')
    pytester.makepyfile(test_app=suite.replace("{more}", ', gate={"length_chars": 2.2, "latency_ms": 60000}'))
    result = run()
    assert result.ret == 1
    seen(result, "length_chars at most 2.2: failed, 2.5", "latency_ms at most 60000: passed")


def test_an_invariant_fails_at_once_and_is_told_apart(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile(
        """
        from assay.testing import assert_case

        def test_holds(assay):
            assay.assert_case("the price is $5", expected="$5", metrics=["contains"])

        def test_breaks(assay):
            assay.assert_case(output="no price", expected="$5", metrics=["contains", "exact"])

        def test_plain():
            assert_case("no price", expected="$5", metrics=["contains"])

        def test_plain_holds():
            scores = assert_case("$5", expected="$5", metrics=[{"rouge_l": {"threshold": 0.5}}])
            assert scores[0].passed
        """
    )
    result = run("--junitxml=out.xml")
    result.assert_outcomes(passed=2, failed=2)
    seen(
        result,
        "AssertionError: contains does not hold: 0, contains none of: '$5'",
        "output: 'no price'",
        "invariants: 1 held, 1 broken",
    )
    assert "metric " not in result.stdout.str()
    found = junit(pytester.path / "out.xml")
    assert properties(found["test_holds"])["assay.invariant"] == "holds: contains"
    assert properties(found["test_breaks"])["assay.invariant"].startswith("broken: contains")


def test_an_invariant_without_a_score_does_not_hold(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile(
        """
        import pytest
        from assay.domain.errors import InvalidInput
        from assay.testing import assert_case

        def test_nothing_expected():
            assert_case("x", metrics=["exact"])

        def test_graded_without_threshold():
            with pytest.raises(InvalidInput, match="cannot pass or fail"):
                assert_case("x", expected="x", metrics=["rouge_l"])

        def test_nothing_asked():
            with pytest.raises(InvalidInput, match="at least one"):
                assert_case("x", metrics=[])

        def test_none():
            with pytest.raises(InvalidInput, match="is None"):
                assert_case(None, expected="x", metrics=["exact"])
        """
    )
    result = run()
    result.assert_outcomes(passed=3, failed=1)
    seen(result, "exact gave no score (skipped): the case has no expected text")


def test_signals_and_invariants_share_a_test(pytester: pytest.Pytester, run: Run) -> None:
    write_cases(pytester.path, right=3, wrong=1)
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.assay(dataset="cases.jsonl", metrics=["exact"])
        def test_answers(case, assay):
            output = case.vars["said"]
            assay.log_output(output)
            assay.assert_case(output, metrics=[{"length_chars": {"threshold": 2.5}}])
        """
    )
    result = run()
    result.assert_outcomes(passed=1, failed=3)
    seen(result, "exact*0.75*4/4", "invariants: 1 held, 3 broken")


def test_a_test_may_bring_its_own_cases(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.assay(metrics=["exact"], repeats=2, name="sums")
        @pytest.mark.parametrize("a,b", [(1, 2), (2, 2)], ids=["one-two", "two-two"])
        def test_sum(a, b, assay):
            assay.log_output(str(a + b), expected=str(a + b), vars={"a": a, "b": b})

        @pytest.mark.assay(metrics=["exact"])
        class TestAlone:
            def test_alone(self, assay):
                assay.log_output({"a": 1}, expected='{"a":1}')

        @pytest.mark.assay(dataset=[{"id": "x", "vars": {"q": "1"}, "expected": "1"}], metrics=["exact"])
        def test_rows(case, assay):
            assay.log_output(case.vars["q"])
        """
    )
    result = run("--assay-output", "out.jsonl")
    result.assert_outcomes(passed=6)
    rows = rows_of(pytester.path / "out.jsonl")
    assert sorted((row["prompt"], row["case"], row["repeat"]) for row in rows) == [
        ("sums", "one-two", 0),
        ("sums", "one-two", 1),
        ("sums", "two-two", 0),
        ("sums", "two-two", 1),
        ("test_a_test_may_bring_its_own_cases.py::TestAlone::test_alone", "test_alone", 0),
        ("test_a_test_may_bring_its_own_cases.py::test_rows", "x", 0),
    ]
    assert {row["exact.value"] for row in rows} == {1.0}


@pytest.mark.parametrize(
    ("right", "code", "word"), [(90, 0, "passed"), (60, 1, "failed"), (86, 0, "inconclusive")]
)
def test_a_baseline_decides_by_non_inferiority(
    pytester: pytest.Pytester, run: Run, right: int, code: int, word: str
) -> None:
    write_suite(pytester, right=90, wrong=10)
    assert run("--assay-output", "before.jsonl").ret == 0
    write_suite(pytester, right=right, wrong=100 - right)
    result = run("--assay-baseline", "before.jsonl", "--assay-margin", "0.05", "--junitxml=out.xml")
    assert result.ret == code
    seen(result, f"exact no worse than the baseline by 0.05: {word}, difference", f"gates: 1 {word}")
    assert "gate[exact.baseline]" in junit(pytester.path / "out.xml")


def test_a_baseline_of_other_tests_decides_nothing(pytester: pytest.Pytester, run: Run) -> None:
    write_suite(pytester, right=5, wrong=0)
    pytester.makepyfile(test_other=SIGNALS.replace("{more}", ""))
    run("--assay-output", "before.jsonl")
    (pytester.path / "test_other.py").unlink()
    pytester.makepyfile(test_app=SIGNALS.replace("{more}", ', name="new"'))
    result = run("--assay-baseline", "before.jsonl", "--assay-margin", "0.05")
    assert result.ret == 0
    seen(
        result,
        "inconclusive, the baseline has no results of new; it has test_app.py::test_answers, test_other",
    )


def test_scores_that_are_lost_do_not_help_against_the_baseline(pytester: pytest.Pytester, run: Run) -> None:
    write_suite(pytester, right=60, wrong=40)
    run("--assay-output", "before.jsonl")
    pytester.makepyfile(
        test_app="""
        import pytest

        @pytest.mark.assay(dataset="cases.jsonl", metrics=["exact"])
        def test_answers(case, assay):
            assert int(case.key[1:]) >= 30, "away"
            assay.log_output(case.vars["said"])
        """
    )
    result = run("--assay-baseline", "before.jsonl", "--assay-margin", "0.05")
    seen(result, "exact no worse than the baseline by 0.05: inconclusive*30 of 100 cells without a score")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--assay-baseline", "cases.jsonl", "--assay-margin", "0.1"], "not a result of ours"),
        (["--assay-output", "away/out.jsonl"], "there is no folder"),
    ],
)
def test_options_that_cannot_be_used_are_refused_before_any_test(
    pytester: pytest.Pytester, run: Run, arguments: Sequence[str], words: str
) -> None:
    write_suite(pytester, right=2, wrong=0)
    result = run(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert words in result.stderr.str()
    assert "passed" not in result.stdout.str()


@pytest.mark.parametrize(
    ("gates", "baseline", "margin", "words"),
    [
        ([], "away.jsonl", 0.1, "there is no file"),
        ([], "cases.jsonl", None, "a baseline needs a margin"),
        ([], "cases.jsonl", 2.0, "above 0 and up to 1"),
        ([], "cases.jsonl", "much", "above 0 and up to 1"),
        (["exact"], None, None, "is not METRIC=LIMIT"),
        (["exact=high"], None, None, "is not a number"),
        (["exact=nan"], None, None, "is not a number"),
    ],
)
def test_wrong_options_say_what_is_wrong(
    tmp_path: Path, gates: list[str], baseline: str | None, margin: float | str | None, words: str
) -> None:
    write_cases(tmp_path, right=1, wrong=0)
    with pytest.raises(InvalidInput, match=words):
        read_options(gates, [], None if baseline is None else tmp_path / baseline, margin)


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ({"dataset": "away.jsonl", "metrics": ["exact"]}, "there is no file"),
        ({"dataset": 7, "metrics": ["exact"]}, "a file or a list of cases"),
        ({"dataset": [{"id": "a", "vars": {"x": object()}}]}, "is not JSON"),
        ({"metrics": ["exat"]}, "there is no metric 'exat'"),
        ({"metrics": "exact"}, "must be a list"),
        ({"metrics": ["exact"], "gates": {"exact": 1}}, "did you mean 'gate'"),
        ({"metrics": ["exact"], "gate": 0.8}, "must map metrics to limits"),
        ({"metrics": ["exact"], "gate": {"exat": 0.5}}, "did you mean 'exact'"),
        ({"metrics": ["exact"], "gate": {"exact": 80}}, "between 0 and 1"),
        ({"metrics": ["rouge_l"], "gate": {"rouge_l.pass_rate": 0.5}}, "has no threshold"),
        ({"metrics": ["exact"], "repeats": 0}, "from 1 to 1000"),
        ({"metrics": [{"exact": {"threshold": 7}}]}, "between 0 and 1"),
        ({"metrics": [{"exact": {"options": {"whole": True}}}]}, "has no option 'whole'"),
    ],
)
def test_a_wrong_mark_says_what_is_wrong(tmp_path: Path, mark: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        read_mark("test_app.py::test_answers", mark, [tmp_path])


def test_a_wrong_mark_is_an_error_of_collection(pytester: pytest.Pytester, run: Run) -> None:
    write_cases(pytester.path, right=2, wrong=0)
    pytester.makepyfile(
        test_name=SIGNALS.replace('["exact"]{more}', '["exat"]'),
        test_positional=SIGNALS.replace('dataset="cases.jsonl", metrics=["exact"]{more}', '"cases.jsonl"'),
        test_argument=SIGNALS.replace("{more}", "").replace("case, assay", "assay"),
    )
    result = run()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    seen(result, "there is no metric 'exat'")
    seen(result, "the mark takes named arguments")
    seen(result, "takes the arguments case and assay")
    assert "Traceback" not in result.stdout.str()


def test_misuse_inside_a_test_is_said(pytester: pytest.Pytester, run: Run) -> None:
    write_cases(pytester.path, right=1, wrong=0)
    pytester.makepyfile(
        """
        import pytest

        def test_without_a_mark(assay):
            assay.log_output("yes")

        @pytest.mark.assay(dataset="cases.jsonl", metrics=["exact"])
        def test_twice(case, assay):
            assay.log_output("yes")
            assay.log_output("no")

        @pytest.mark.assay(metrics=["exact"])
        def test_no_json(assay):
            assay.log_output("yes", vars={"x": object()})
        """
    )
    result = run()
    result.assert_outcomes(failed=3)
    seen(result, "there are no metrics to score with")
    seen(result, "was logged before")
    seen(result, "a value of type object is not JSON")


def test_a_run_that_is_stopped_judges_no_gate_and_keeps_its_results(
    pytester: pytest.Pytester, run: Run
) -> None:
    write_cases(pytester.path, right=6, wrong=0)
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.assay(dataset="cases.jsonl", metrics=["exact"], gate={"exact": 0.5})
        def test_answers(case, assay):
            assay.log_output(case.vars["said"])
            assert case.key != "c2"
        """
    )
    result = run("-x", "--assay-output", "out.jsonl")
    assert result.ret != 0
    seen(result, "exact*3/6", "3 tests never ended", "its gates were not judged")
    assert len(rows_of(pytester.path / "out.jsonl")) == 3


def test_a_run_of_some_cases_is_judged_on_these(pytester: pytest.Pytester, run: Run) -> None:
    write_suite(pytester, right=10, wrong=10, more=', gate={"exact": 0.6}')
    result = run("-k", "c0 or c1 or c2 or c3 or c4 or c5 or c6 or c7 or c8 or c9")
    seen(result, "cells", "exact*?/*")
    assert "without a score" not in result.stdout.str()


def test_what_an_application_says_is_data(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile(
        r"""
        import pytest

        @pytest.mark.assay(metrics=["exact"])
        def test_hostile(assay):
            assay.log_output("\x1b[31m]]>\x00<script>\ud800 yes", expected="yes")
        """
    )
    result = run("--assay-output", "out.jsonl", "--junitxml=out.xml", "-n", "1")
    result.assert_outcomes(passed=1)
    assert junit(pytester.path / "out.xml")
    assert rows_of(pytester.path / "out.jsonl")[0]["exact.value"] == 0.0


def test_a_run_without_marks_loads_nothing(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_nothing_heavy_is_there():
            heavy = ("scipy", "psycopg", "orjson", "rich", "assay.testing", "assay.metrics", "assay.reports")
            assert [name for name in heavy if name in sys.modules] == []
        """
    )
    result = run()
    result.assert_outcomes(passed=1)
    assert "= assay =" not in result.stdout.str()


def test_the_plugin_is_registered_once_however_it_is_named(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makefile(".ini", pytest=INI)
    info = pytester.mkdir("elsewhere-1.0.dist-info")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pytest11]\nassay.pytest_plugin = assay.pytest_plugin\n")
    write_suite(pytester, right=3, wrong=0)
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
    both = pytester.runpytest_subprocess("-p", "assay.pytest_plugin")
    both.assert_outcomes(passed=3)
    by_entry_point = pytester.runpytest_subprocess()
    by_entry_point.assert_outcomes(passed=3)
    seen(by_entry_point, "exact*1.00")


def test_gates_are_not_what_failed_last_time(pytester: pytest.Pytester, run: Run) -> None:
    write_suite(pytester, right=5, wrong=45, more=', gate={"exact": 0.8}')
    assert run().ret == 1
    again = run("--lf")
    seen(again, "no previously failed tests, not deselecting")


def test_results_are_those_of_this_run(pytester: pytest.Pytester, run: Run) -> None:
    write_suite(pytester, right=2, wrong=0)
    pytester.makepyfile(test_other="def test_other(): pass")
    run("--assay-output", "out.jsonl")
    run("--collect-only", "--assay-output", "out.jsonl")
    assert len(rows_of(pytester.path / "out.jsonl")) == 2
    run("test_other.py", "--assay-output", "out.jsonl")
    assert rows_of(pytester.path / "out.jsonl") == []
