"""Metrics in the user's own Python: what they are given, what they may give back, and their faults."""

import asyncio
import copy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput
from assay.domain.models import Finish, ModelResponse
from assay.domain.protocols import JudgedMetric
from assay.domain.scores import MetricConfig, Sample, Score
from assay.metrics.catalog import make_any_metric, make_metric
from assay.metrics.custom_result import Verdict, read_result
from assay.metrics.custom_target import ARGUMENTS

OWN = Path(__file__).parent / "own_metrics.py"
CASE = Case(
    key="c1", vars={"city": "Perth"}, expected=["x"], context=("a doc",), metadata={"source": {"page": 3}}
)


def answer(text: str = "Perth", case: Case = CASE, finish: Finish = "complete") -> Sample:
    return Sample(case=case, response=ModelResponse(text=text, finish=finish, tool_calls=({"id": "1"},)))


def ask(metric: Any, *samples: Sample) -> list[Score]:
    """The scores of samples, by whichever kind of metric it is."""
    if isinstance(metric, JudgedMetric):

        async def all_of() -> list[Score]:
            return [await metric.judge(sample, {}) for sample in samples]

        return asyncio.run(all_of())
    return list(metric.score_batch(samples))


Make = Callable[..., Any]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """make(source, name, **settings): a metric of a function in a file."""

    def made(source: str, name: str = "own", threshold: float | None = None, **options: Any) -> Any:
        path = tmp_path / "mine.py"
        path.write_text(source)
        options = {"target": f"{path}:{name}", **options}
        return make_any_metric(MetricConfig(name="m", type="python", options=options, threshold=threshold))

    return made


def returning(make: Make, result: str, **settings: Any) -> Score:
    """The score of a function that gives back `result`, a Python expression."""
    return ask(make(f"def own():\n    return {result}\n", **settings), answer())[0]


def test_a_function_gets_what_it_asks_for_by_name(make: Make) -> None:
    names = ", ".join(ARGUMENTS)
    metric = make(
        f"seen = {{}}\ndef own({names}):\n    seen.update(locals())\n    return {{'score': 1, 'evidence': "
        "{'seen': {name: repr(value) for name, value in seen.items()}}}\n",
        options={"limit": 3},
    )
    (score,) = ask(metric, answer())
    assert score.evidence is not None
    seen = score.evidence["seen"]
    assert list(seen) == list(ARGUMENTS)
    assert (seen["output"], seen["expected"], seen["vars"]) == ("'Perth'", "['x']", "{'city': 'Perth'}")
    assert (seen["context"], seen["metadata"]) == ("('a doc',)", "{'source': {'page': 3}}")
    assert (seen["tool_calls"], seen["options"]) == ("[{'id': '1'}]", "{'limit': 3}")
    assert seen["case"].startswith("Case(key='c1'") and seen["response"].startswith("ModelResponse(")


def test_defaults_are_left_alone_and_keyword_arguments_take_all(make: Make) -> None:
    (score,) = ask(make("def own(output, limit=5, *args):\n    return len(output) <= limit\n"), answer())
    assert score.value == 1.0
    (score,) = ask(make("def own(**given):\n    return len(given) / 10\n"), answer())
    assert score.value == len(ARGUMENTS) / 10


def test_a_reason_evidence_and_passed_are_kept(make: Make) -> None:
    score = returning(make, "{'score': 0.25, 'reason': 'rude', 'evidence': {'words': ['x']}, 'passed': True}")
    assert score == Score("m", "scored", 0.25, "rude", True, {"words": ["x"]})


def test_a_threshold_decides_over_what_the_function_says(make: Make) -> None:
    assert returning(make, "{'score': 0.25, 'passed': True}", threshold=0.5).passed is False
    assert returning(make, "True", threshold=0.5).passed is True


@pytest.mark.parametrize(
    ("result", "value", "passed"),
    [
        ("True", 1.0, True), ("False", 0.0, False), ("1", 1.0, None), ("0.5", 0.5, None),
        ("{'value': 0.5}", 0.5, None), ("__import__('fractions').Fraction(1, 4)", 0.25, None),
        ("__import__('numpy').float32(0.5)", 0.5, None), ("__import__('numpy').bool_(True)", 1.0, None),
        ("__import__('types').SimpleNamespace(score=0.5, reason='r')", 0.5, None), ("1 + 1e-12", 1.0, None),
    ],
)  # fmt: skip
def test_scores_come_in_many_forms(make: Make, result: str, value: float, passed: bool | None) -> None:
    score = returning(make, result)
    assert (score.state, score.value, score.passed) == ("scored", value, passed)
    assert score.reason


@pytest.mark.parametrize("result", ["None", "{'score': None}", "{'score': None, 'reason': 'no opinion'}"])
def test_none_abstains(make: Make, result: str) -> None:
    score = returning(make, result)
    assert (score.state, score.value) == ("abstained", None)
    assert ("no opinion" in score.reason) == ("no opinion" in result)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ("float('nan')", "not a finite number"), ("float('inf')", "not a finite number"),
        ("10 ** 400", "not a finite number"), ("1.5", "outside [0, 1]"), ("-0.1", "outside [0, 1]"),
        ("'0.5'", "the text '0.5'"), ("[0.5]", "of type list"), ("{}", "no `score`; it gave 'nothing'"),
        ("{'scor': 1}", "no `score`; it gave 'scor'"), ("{'score': '1'}", "the text '1'"),
        ("{'score': 1, 'reason': 5}", "type int as reason"), ("{'score': 1, 'passed': 'yes'}", "as passed"),
        ("{'score': 1, 'evidence': 'x'}", "as evidence"),
        ("{'score': 1, 'evidence': {'x': {1}}}", "is not JSON"),
        ("1 / 0", "ZeroDivisionError: division by zero (mine.py, line 2)"),
        ("__import__('sys').exit(3)", "SystemExit: 3 (mine.py, line 2)"),
        ("__import__('asyncio').sleep(0)", "declare it with `async def`"), ("complex(1)", "type complex"),
        ("__import__('decimal').Decimal('1')", "type Decimal"), ("lambda: 1", "type function"),
    ],
)  # fmt: skip
def test_what_is_no_score_is_a_failure_with_the_reason(make: Make, result: str, said: str) -> None:
    score = returning(make, result)
    assert (score.state, score.value, score.passed) == ("failed", None, None)
    assert said in score.reason


def test_an_error_on_one_answer_costs_that_score_only(make: Make) -> None:
    metric = make("def own(output):\n    return 1.0 / len(output)\n")
    assert [score.state for score in ask(metric, answer("a"), answer(""), answer("b"))] == [
        "scored", "failed", "scored"
    ]  # fmt: skip


def test_a_case_that_is_changed_is_changed_for_nobody_else(make: Make) -> None:
    source = (
        "def own(vars, expected, metadata, case, tool_calls, options):\n"
        "    for each in (vars, metadata['source'], case.vars, tool_calls[0], options):\n"
        "        each['new'] = 1\n"
        "    expected.append('y')\n"
        "    return len(vars) == 2\n"
    )
    metric, sample = make(source, options={"a": 1}), answer()
    before = copy.deepcopy(sample)
    assert [score.value for score in ask(metric, sample, sample)] == [1.0, 1.0]
    assert sample == before


def test_answers_that_were_withheld_are_abstained_on_unless_all_are_wanted(make: Make) -> None:
    source = "def own(response):\n    return response.finish == 'refused'\n"
    assert ask(make(source), answer(finish="refused"))[0].state == "abstained"
    assert ask(make(source, every_answer=True), answer(finish="refused"))[0].value == 1.0
    (score,) = ask(make(source), answer(finish="truncated"))
    assert score.reason.endswith("; the answer was truncated")


def test_the_output_is_valid_unicode(make: Make) -> None:
    (score,) = ask(make("def own(output):\n    return len(output.encode()) == 3\n"), answer("\ud800"))
    assert score.value == 1.0


CLASSES = """
class Scoring:
    def __init__(self, limit=10):
        self.limit = limit
    def score(self, output):
        return len(output) <= self.limit
class Calling(Scoring):
    score = None
    def __call__(self, output):
        return len(output) <= self.limit
class Batch(Scoring):
    calls = 0
    def score_batch(self, rows):
        Batch.calls += 1
        return [row["output"] in row["vars"].values() and 1 / len(row["output"]) <= 1 for row in rows]
class Short:
    def score_batch(self, rows):
        return [1.0] * (len(rows) - 1)
class Textual:
    def score_batch(self, rows):
        return "11"
class Async:
    async def score_batch(self, rows):
        return []
class Empty:
    pass
ready = Scoring(3)
class Nested:
    inner = Scoring
"""


def test_a_class_is_made_with_its_options(make: Make) -> None:
    for name, value in (("Scoring", 1.0), ("ready", 0.0), ("Nested.inner", 1.0)):
        assert ask(make(CLASSES, name), answer())[0].value == value
    assert ask(make(CLASSES, "Scoring", options={"limit": 3}), answer())[0].value == 0.0
    with pytest.raises(InvalidInput, match=r"cannot be made with these options: TypeError: .*limt"):
        make(CLASSES, "Scoring", options={"limt": 3})


def test_a_batch_is_scored_at_once_and_its_fault_found_one_by_one(make: Make) -> None:
    metric = make(CLASSES, "Batch")
    batch = metric.caller.target.call.__self__.__class__
    samples = [answer("Perth"), answer("no"), answer("x", finish="refused")]
    assert [score.value for score in ask(metric, *samples)] == [1.0, 0.0, None]
    assert batch.calls == 1
    nothing = Case(key="2", vars={"a": ""})
    scores = ask(metric, answer("Perth"), answer("", nothing), answer("no"))
    assert [score.state for score in scores] == ["scored", "failed", "scored"]
    assert "ZeroDivisionError" in scores[1].reason
    assert ask(metric) == []


@pytest.mark.parametrize(
    ("name", "said"), [("Short", "0 results for 1 answers"), ("Textual", "a str and no list")]
)
def test_a_batch_of_the_wrong_length_is_a_failure_of_each(make: Make, name: str, said: str) -> None:
    scores = ask(make(CLASSES, name), answer(), answer())
    assert [score.state for score in scores] == ["failed", "failed"]
    assert said in scores[0].reason


def test_an_asynchronous_function_runs_in_the_event_loop_and_asks_no_judge(make: Make) -> None:
    source = (
        "import asyncio\nasync def own(output):\n    await asyncio.sleep(0)\n    return len(output) / 10\n"
    )
    metric = make(source)
    assert isinstance(metric, JudgedMetric)
    assert (metric.judges, metric.bound.calls) == ((), 0)
    assert ask(metric, answer())[0].value == 0.5
    with pytest.raises(InvalidInput, match="is asynchronous, which needs a run"):
        make_metric(metric.config)


def test_an_asynchronous_function_that_takes_too_long_is_a_failure(make: Make) -> None:
    source = "import asyncio\nasync def own():\n    await asyncio.Event().wait()\n"
    (score,) = ask(make(source, timeout_s=0.01), answer())
    assert score.state == "failed"
    assert score.reason.endswith("mine.py:own took longer than 0.01 seconds")
    (score,) = ask(make("async def own():\n    raise TimeoutError('theirs')\n"), answer())
    assert "TimeoutError: theirs (mine.py, line 2)" in score.reason


def test_a_run_that_is_cancelled_is_not_a_score(make: Make) -> None:
    metric = make("import asyncio\nasync def own():\n    await asyncio.Event().wait()\n")

    async def cancelled() -> None:
        task = asyncio.create_task(metric.judge(answer(), {}))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())


@pytest.mark.parametrize(
    ("source", "name", "said"),
    [
        ("", "own", "has no 'own'"),
        ("def polite(): ...", "polit", "Did you mean 'polite'?"),
        ("own = 3", "own", "is of type int, which has no score"),
        (CLASSES, "Empty", "is of type Empty, which has no score"),
        (CLASSES, "Async", "score_batch of"),
        ("def own(outputs): ...", "own", "Did you mean 'output'?"),
        ("def own(answer): ...", "own", "Did you mean 'output'?"),
        ("def own(ground_truth): ...", "own", "Did you mean 'expected'?"),
        ("def own(output, /): ...", "own", "needs an argument 'output'"),
        ("own = min", "own", "does not say which parameters"),
        ("def own(:", "own", "SyntaxError"),
        (
            "x = 1\nimport not_there_at_all",
            "own",
            "ModuleNotFoundError: No module named 'not_there_at_all' (line 2)",
        ),
        ("def f():\n    return 1 / 0\nf()", "own", "ZeroDivisionError: division by zero (line 2)"),
        ("raise SystemExit(3)", "own", "SystemExit: 3"),
    ],
)
def test_what_cannot_be_loaded_is_said_before_any_call(make: Make, source: str, name: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        make(source, name)
    assert caught.value.field == "options.target"
    assert said in str(caught.value)


def test_options_need_somewhere_to_go(make: Make) -> None:
    with pytest.raises(InvalidInput, match="takes no options"):
        make("def own(output): ...", options={"a": 1})
    with pytest.raises(InvalidInput, match="must be an object"):
        make("def own(output): ...", options=True)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("polite", "does not name file and function"), (":polite", "does not name"),
        ("a.py:", "does not name"), ("nowhere/mine.py:own", "there is no file nowhere/mine.py"),
        ("not_there_at_all:own", "there is no module"),
    ],
)  # fmt: skip
def test_a_target_that_leads_nowhere_is_said(target: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        make_metric(MetricConfig(name="m", type="python", options={"target": target}))


def test_code_is_found_from_the_working_folder_with_its_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "neighbour_of_mine.py").write_text("LIMIT = 3\n")
    (tmp_path / "mine_in_folder.py").write_text(
        "from neighbour_of_mine import LIMIT\ndef own(output):\n    return len(output) > LIMIT\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for target in ("mine_in_folder.py:own", "mine_in_folder:own", "./mine_in_folder.py:own"):
        metric = make_metric(MetricConfig(name="m", type="python", options={"target": target}))
        assert ask(metric, answer())[0].value == 1.0
    assert sys.path[-1] == str(tmp_path)


def test_changed_code_is_read_again_and_has_another_version(make: Make) -> None:
    first = make("def own():\n    return 0.1\n")
    second = make("def own():\n    return 0.2\n")
    assert (ask(first, answer())[0].value, ask(second, answer())[0].value) == (0.1, 0.2)
    assert first.info.version != second.info.version
    assert make("def own():\n    return 0.1\n").info.version == first.info.version
    assert first.info.version.startswith("1+")


def test_a_long_reason_is_cut(make: Make) -> None:
    score = returning(make, "{'score': 1, 'reason': 'x' * 10**6}")
    assert len(score.reason) < 2100


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=3)
    | st.just(np.float64(0.5)) | st.just(np.array([1.0])) | st.complex_numbers(),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["score", "value", "reason", "evidence", "passed"]), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(result=ANY)
def test_any_result_is_a_score_in_range_or_none_with_a_reason(result: Any) -> None:
    found = read_result(result, "own")
    assert found.reason
    if isinstance(found, Verdict):
        assert 0.0 <= found.value <= 1.0
        assert found.passed in (None, True, False)
    else:
        assert found.state in ("failed", "abstained")
