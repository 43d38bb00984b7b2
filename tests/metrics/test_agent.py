"""Tool calls: how they are read, matched, and how their arguments and their order are scored."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput
from assay.domain.models import ModelResponse
from assay.domain.scores import MetricConfig, Sample, Score
from assay.metrics.catalog import make_metric
from assay.metrics.tool_arguments import Tolerance, same_value
from assay.metrics.tool_calls import Call, find_calls, made_calls

AGENT = ("tool_call_f1", "argument_match", "trajectory")


def call(name: str, arguments: Any = None, **given: Any) -> dict[str, Any]:
    """A call in OpenAI's notation, as all providers' calls come; `arguments` is the text as it is."""
    text = json.dumps(given) if arguments is None else arguments
    return {"id": "call_1", "type": "function", "function": {"name": name, "arguments": text}}


def wanted(name: str, **arguments: Any) -> dict[str, Any]:
    return {"name": name, "arguments": arguments}


def rate(
    type_: str, made: Any, expected: Any = None, *, case: dict[str, Any] | None = None, **options: Any
) -> Score:
    response = made if isinstance(made, ModelResponse) else ModelResponse(text="", tool_calls=tuple(made))
    metric = make_metric(MetricConfig(name="m", type=type_, options=options))
    sample = Sample(case=Case(key="1", expected=expected, **{"vars": {}, **(case or {})}), response=response)
    (score,) = metric.score_batch([sample])
    return score


def f1(*arguments: Any, **options: Any) -> float | None:
    return rate("tool_call_f1", *arguments, **options).value


OPENAI = {"role": "assistant", "content": None, "tool_calls": [call("find", city="Perth")]}
SHAPES = {
    "openai": [{"role": "user", "content": "x"}, OPENAI, {"role": "tool", "name": "find", "content": "{}"}],
    "legacy": {"role": "assistant", "function_call": {"name": "find", "arguments": '{"city": "Perth"}'}},
    "responses": {
        "output": [
            {"type": "reasoning", "summary": []},
            {"type": "function_call", "call_id": "1", "name": "find", "arguments": '{"city": "Perth"}'},
            {"type": "function_call_output", "call_id": "1", "output": "{}"},
        ]
    },
    "anthropic": {
        "messages": [
            {"role": "assistant", "content": [
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "1", "name": "find", "input": {"city": "Perth"}},
            ]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "found"}]},
        ]
    },
    "gemini": [{"role": "model", "parts": [{"functionCall": {"name": "find", "args": {"city": "Perth"}}}]}],
    "langchain": {
        "messages": [
            {"type": "human", "content": "x"},
            {
                "type": "ai",
                "content": [{"type": "tool_use", "name": "find", "input": {"city": "Perth"}}],
                "tool_calls": [{"name": "find", "args": {"city": "Perth"}, "id": "1", "type": "tool_call"}],
            },
            {"type": "tool", "name": "find", "content": "{}"},
        ]
    },
    "vertex": [{"tool_name": "find", "tool_input": {"city": "Perth"}}],
    "agent action": {"steps": [{"tool": "find", "tool_input": {"city": "Perth"}, "log": "..."}]},
    "plain": [{"name": "find", "arguments": {"city": "Perth"}}],
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_a_transcript_is_read_in_the_notation_of_each_framework(shape: str) -> None:
    text = json.dumps(SHAPES[shape])
    assert made_calls(ModelResponse(text=text)) == (Call("find", {"city": "Perth"}),)
    assert (
        rate("trajectory", ModelResponse(text=text), [wanted("find", city="Perth")], order="exact").value == 1
    )


def test_calls_that_the_provider_reports_win_over_those_in_the_text() -> None:
    response = ModelResponse(text=json.dumps(SHAPES["plain"]), tool_calls=(call("book"),))
    assert made_calls(response) == (Call("book", {}),)


@pytest.mark.parametrize(
    "text", ["Perth is fine.", "[1, 2]", '{"name": "Bob"}', "[" * 5000, '{"role": "user"}', ""]
)
def test_an_answer_that_is_no_transcript_makes_no_call(text: str) -> None:
    assert made_calls(ModelResponse(text=text)) == ()


def test_a_reported_call_that_cannot_be_read_is_kept_and_said() -> None:
    score = rate("tool_call_f1", [{"id": "1"}, call("find")], ["find"])
    assert score.value == pytest.approx(2 / 3)
    assert score.evidence is not None
    assert score.evidence["calls"][1]["fault"].startswith("a call without a name")


def test_f1_counts_calls_as_a_multiset() -> None:
    assert f1([call("a"), call("b"), call("a")], ["a", "b", "a"]) == 1.0
    assert f1([call("a"), call("b")], ["a", "a", "b"]) == pytest.approx(0.8)
    assert f1([call("c")], ["a"]) == 0.0
    assert f1([], ["a"]) == 0.0


def test_nothing_expected_and_nothing_made_is_right_and_anything_else_wrong() -> None:
    assert [rate(name, [], []).value for name in AGENT] == [1.0, 1.0, 1.0]
    assert f1([call("a")], []) == 0.0
    assert rate("argument_match", [call("a")], []).state == "skipped"
    found = {order: rate("trajectory", [call("a")], [], order=order).value for order in ORDERS}
    assert found == {"exact": 0.0, "in_order": 1.0, "any_order": 1.0, "precision": 0.0, "recall": 1.0}


def test_arguments_count_as_asked() -> None:
    made = [call("a", x=1, y=2)]
    assert f1(made, [wanted("a", x=1)], arguments="ignore") == 1.0
    assert f1(made, [wanted("a", x=1)], arguments="subset") == 1.0
    assert f1(made, [wanted("a", x=1)], arguments="exact") == 0.0
    assert f1(made, [wanted("a", x=2)], arguments="subset") == 0.0
    assert f1(made, ["a"], arguments="exact") == 1.0, "a name alone expects any arguments"
    assert f1(made, [{"name": "a", "arguments": {}}], arguments="exact") == 0.0


def test_the_matching_is_the_largest_and_not_the_first() -> None:
    made = [call("a", x=1), call("a", x=2)]
    assert f1(made, ["a", wanted("a", x=1)], arguments="exact") == 1.0


def test_arguments_that_are_not_json_are_a_finding() -> None:
    for broken in ('{"x": 1', "[1]", '"x"', "NaN"):
        score = rate("tool_call_f1", [call("a", broken)], [wanted("a", x=1)], arguments="exact")
        assert (score.state, score.value) == ("scored", 0.0)
        assert score.evidence is not None
        assert score.evidence["calls"][1]["fault"].startswith(("not JSON", "no object"))
        assert rate("argument_match", [call("a", broken)], [wanted("a", x=1)]).value == 0.0
    assert rate("argument_match", [call("a", '{"x"')], [wanted("a")]).value == 0.0
    assert made_calls(ModelResponse(text="", tool_calls=(call("a", ""),))) == (Call("a", {}),)


def test_arguments_are_shared_out_over_the_matched_calls() -> None:
    made = [call("book", day=3, room="Blue", extra=True), call("find", city="perth")]
    expected = [wanted("find", city="Perth"), wanted("book", day="3", room="Red", people=2)]
    score = rate("argument_match", made, expected)
    assert score.value == pytest.approx(1 / 5)
    assert score.evidence == {
        "calls": [
            {
                "name": "find", "status": "matched", "right": [],
                "wrong": {"city": {"expected": "Perth", "made": "perth"}},
            },
            {
                "name": "book", "status": "matched", "right": ["day"], "missing": {"people": 2},
                "wrong": {"room": {"expected": "Red", "made": "Blue"}}, "extra": {"extra": True},
            },
        ]
    }  # fmt: skip
    assert rate("argument_match", made, expected, ignore_case=True).value == pytest.approx(2 / 5)


def test_calls_of_one_name_are_paired_so_that_most_arguments_are_right() -> None:
    made = [call("a", x=1, y=1), call("a", x=2, y=2)]
    assert rate("argument_match", made, [wanted("a", x=2, y=2), wanted("a", x=1, y=1)]).value == 1.0
    assert rate("argument_match", [call("a", x=2), call("a", x=1)], [wanted("a", x=1)]).value == 1.0


def test_expected_calls_that_were_not_made_count_when_asked() -> None:
    made, expected = [call("a", x=1)], [wanted("a", x=1), wanted("b", y=1, z=2), "c"]
    score = rate("argument_match", made, expected)
    assert (score.value, score.reason) == (
        1.0, "1 of 1 arguments right in 1 matched calls; 2 expected calls were not made"
    )  # fmt: skip
    assert rate("argument_match", made, expected, missing_calls="wrong").value == pytest.approx(1 / 4)
    assert rate("argument_match", [], expected).state == "skipped"
    assert rate("argument_match", [], expected, missing_calls="wrong").value == 0.0
    assert rate("argument_match", [call("a", q=1)], ["a"]).value == 1.0, (
        "a name alone expects nothing of them"
    )


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1, 1.0, True), (1, "1", True), ("1.50", 1.5, True), (0.1 + 0.2, 0.3, True), (1, 2, False),
        ("1", "1.0", False), (True, "true", True), (True, 1, False), (False, "", False), (None, None, True),
        (None, 0, False), ("a", "A", False), ({"a": [1]}, '{"a": ["1"]}', True), ([1, 2], [2, 1], False),
        ('{"a":1}', '{"a": 1}', True), ("[x", "[x", True), ({"a": 1}, {"a": 1, "b": 2}, False),
        (10**400, 1.0, False), ("9" * 5000, 1, False), ("nan", "nan", True), (1e300, "1e300", True),
    ],
)  # fmt: skip
def test_values_are_compared_by_what_they_mean(left: Any, right: Any, same: bool) -> None:
    assert same_value(left, right) is same
    assert same_value(right, left) is same


def test_tolerance_and_case_are_asked_for() -> None:
    assert same_value(100, 100.4, Tolerance(absolute=0.5))
    assert not same_value(100, 100.6, Tolerance(absolute=0.5))
    assert same_value({"a": ["Straße"]}, {"a": ["STRASSE"]}, Tolerance(ignore_case=True))


ORDERS = ("exact", "in_order", "any_order", "precision", "recall")


@pytest.mark.parametrize(
    ("made", "expected", "values"),
    [
        ("abc", "abc", (1, 1, 1, 1, 1)),
        ("acb", "abc", (0, 2 / 3, 1, 1, 1)),
        ("axbc", "abc", (0, 1, 1, 3 / 4, 1)),
        ("ab", "abc", (0, 2 / 3, 0, 1, 2 / 3)),
        ("aab", "ab", (0, 1, 1, 2 / 3, 1)),
        ("xyz", "abc", (0, 0, 0, 0, 0)),
        ("", "abc", (0, 0, 0, 0, 0)),
    ],
)
def test_a_trajectory_is_judged_by_its_order(made: str, expected: str, values: tuple[float, ...]) -> None:
    found = [
        rate("trajectory", [call(name) for name in made], list(expected), order=order).value
        for order in ORDERS
    ]
    assert found == pytest.approx(list(values))


def test_a_trajectory_compares_arguments_unless_told_otherwise() -> None:
    made = [call("a", x=1), call("b", y=2)]
    expected = [wanted("a", x=1), wanted("b", y=3)]
    assert rate("trajectory", made, expected).value == 0.5
    assert rate("trajectory", made, expected, arguments="ignore").value == 1.0
    assert (
        rate("trajectory", [call("a", x=1, z=0), call("b", y=3)], expected, arguments="subset").value == 1.0
    )


def test_metadata_says_what_is_expected_beside_an_expected_text() -> None:
    case = {"metadata": {"expected_tool_calls": ["find"]}}
    assert rate("tool_call_f1", [call("find")], "Perth", case=case).value == 1.0


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ({"tool_calls": ["find"]}, 1.0),
        ({"tool_calls": []}, 0.0),
        ({"messages": [OPENAI]}, 1.0),
        ('["find"]', 1.0),
        ({"name": "find"}, 1.0),
        ([{"function": {"name": "find"}}], 1.0),
        ([{"role": "assistant", "content": "find"}], 0.0),
    ],
)
def test_expected_calls_are_written_in_several_ways(expected: Any, value: float) -> None:
    assert f1([call("find")], expected) == value


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        (None, "no expected"),
        ("find", "is a text and no list"),
        (["find", 5], "item 2 of expected is no tool call"),
        ([""], "item 1"),
        (7, "item 1"),
        ({"answer": "x"}, "item 1"),
        ([{"name": "a", "arguments": "{x"}], "the arguments of 'a' are not JSON"),
    ],
)
def test_a_case_that_expects_no_calls_that_can_be_read_is_skipped_with_the_reason(
    expected: Any, said: str
) -> None:
    for name in AGENT:
        score = rate(name, [call("find")], expected)
        assert score.state == "skipped"
        assert said in score.reason


def test_stored_traces_are_read_at_a_path() -> None:
    case = {"metadata": {"trace": {"steps": SHAPES["plain"]}}, "vars": {"log": json.dumps(SHAPES["openai"])}}
    for path in ("metadata.trace", "metadata.trace.steps", "vars.log"):
        assert rate("tool_call_f1", [], ["find"], case=case, calls=path).value == 1.0
    for path, said in (("metadata.no", "nothing at metadata.no"), ("vars.log.x", "nothing at")):
        score = rate("tool_call_f1", [], ["find"], case=case, calls=path)
        assert score.state == "skipped"
        assert said in score.reason
    assert rate("tool_call_f1", [], ["a"], case={"vars": {"t": "words"}}, calls="vars.t").state == "skipped"
    with pytest.raises(InvalidInput) as caught:
        rate("tool_call_f1", [], ["find"], calls="trace")
    assert caught.value.field == "options.calls"


def test_too_many_calls_are_refused_with_the_limit() -> None:
    for name in AGENT:
        score = rate(name, [call("a")] * 501, ["a"])
        assert score.state == "failed"
        assert "limit of 500" in score.reason


def test_evidence_is_bounded_and_fit_for_json() -> None:
    made = [call("a", text="x" * 10_000, deep={"y": "z" * 10_000})] * 200
    for name in AGENT:
        score = rate(name, made, [wanted("\ud800", text="\udfff")] * 200 + ["a"])
        size = len(json.dumps(score.evidence, ensure_ascii=False).encode())
        assert size < 60_000
        assert score.evidence is None or score.evidence["not_shown"] > 0


NAMES = st.sampled_from("abc")
CALLS = st.lists(st.builds(lambda name, x: wanted(name, x=x), NAMES, st.integers(0, 2)), max_size=6)


@settings(max_examples=60, deadline=None)
@given(made=CALLS, expected=CALLS)
def test_the_measures_hold_together(made: list[Any], expected: list[Any]) -> None:
    calls = [call(each["name"], **each["arguments"]) for each in made]
    value = {order: rate("trajectory", calls, expected, order=order).value or 0.0 for order in ORDERS}
    assert value["exact"] <= value["in_order"] <= value["recall"]
    assert (value["recall"] == 1.0) == (value["any_order"] == 1.0)
    if made and expected:
        precision, recall = value["precision"], value["recall"]
        harmonic = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        assert f1(calls, expected, arguments="exact") == pytest.approx(harmonic)
    assert f1(calls, made, arguments="exact") == 1.0
    assert f1(calls, expected) == f1(calls[::-1], expected)
    assert (value["exact"] == 1.0) == (made == expected)


def largest_matching(expected: list[Any], made: list[Any]) -> int:
    """How many calls can be paired at most, a name alone with any call of that name; by trying all ways."""
    if not expected:
        return 0
    first, rest = expected[0], expected[1:]
    best = largest_matching(rest, made)
    for place, each in enumerate(made):
        if first == each or first == each["name"]:
            best = max(best, 1 + largest_matching(rest, made[:place] + made[place + 1 :]))
    return best


def longest_common(expected: list[Any], made: list[Any]) -> int:
    """The length of the longest common subsequence, by trying all ways."""
    if not expected or not made:
        return 0
    if expected[0] in (made[0], made[0]["name"]):
        return 1 + longest_common(expected[1:], made[1:])
    return max(longest_common(expected[1:], made), longest_common(expected, made[1:]))


FEW = st.lists(
    st.builds(lambda name, x: wanted(name, x=x), st.sampled_from("ab"), st.integers(0, 1)), max_size=5
)
SOME_NAMED = st.lists(
    st.builds(lambda name, x: wanted(name, x=x), st.sampled_from("ab"), st.integers(0, 1))
    | st.sampled_from("ab"),
    min_size=1,
    max_size=5,
)


@settings(max_examples=150, deadline=None)
@given(made=FEW, expected=SOME_NAMED)
def test_the_pairs_are_as_many_as_all_ways_of_pairing_give(made: list[Any], expected: list[Any]) -> None:
    calls = [call(each["name"], **each["arguments"]) for each in made]
    recall = rate("trajectory", calls, expected, order="recall").value
    assert recall == pytest.approx(largest_matching(expected, made) / len(expected))
    in_order = rate("trajectory", calls, expected, order="in_order").value or 0.0
    assert in_order <= recall
    if all(isinstance(each, dict) for each in expected):
        assert in_order == pytest.approx(longest_common(expected, made) / len(expected))


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["name", "arguments", "args", "tool_calls", "function", "messages", "role"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(document=ANY, expected=ANY)
def test_any_document_gives_calls_with_names_and_never_an_error(document: Any, expected: Any) -> None:
    assert all(each.name for each in find_calls(document))
    reported = tuple(document) if isinstance(document, list) else (document,)
    for name in AGENT:
        assert rate(name, reported, expected).state in ("scored", "skipped")
