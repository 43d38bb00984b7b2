"""Finding the one JSON object of a reply."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.judging.strict_json import MAX_REPLY_CHARS, UnusableReply, find_object

GOOD = {"reasoning": 'It {is} "so".', "score": 4}
TEXT = json.dumps(GOOD)


@pytest.mark.parametrize(
    "reply",
    [
        TEXT,
        f"\n  {TEXT}  \n",
        f"```json\n{TEXT}\n```",
        f"Here you are:\n```\n{TEXT}\n```\nI hope this {{ helps }}",
        f"Sure! {TEXT} Anything else?",
        f"<think>maybe {{\"score\": 1}} or 2</think>\n{TEXT}",
        f"The {{answer}} is fine. {TEXT}",
        f"{TEXT}\nAgain: {TEXT}",
        f"```json\n{TEXT}",
        f"[{TEXT}]",
        TEXT.replace('"It', '"It\n'),
    ],
)  # fmt: skip
def test_the_object_is_found(reply):
    assert find_object(reply)["score"] == 4


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("", "empty"),
        ("   \n", "empty"),
        ("<think>hm</think>", "empty"),
        ("four", "no complete JSON object"),
        ("4", "no complete JSON object"),
        ("[1, 2]", "no complete JSON object"),
        ("null", "no complete JSON object"),
        (TEXT[:-1], "no complete JSON object"),
        (TEXT + '\n{"score": 5}', "several JSON objects that differ"),
        (f'```\n{TEXT}\n```\n```\n{{"score": 5}}\n```', "several JSON objects that differ"),
        (f'They said {{"score": 5}}.\n```\n{TEXT}\n```', "several JSON objects that differ"),
        ('{"score": NaN}', "NaN"),
        ('{"score": -Infinity}', "-Infinity"),
        ('ok: {"score": Infinity}', "Infinity"),
        ('{"score": 1e999}', "too large"),
        ('{"score": 1, "score": 5}', "same key twice"),
        ('{"a": {"b": 1, "b": 1}}', "same key twice"),
        ('{"score": ' + "9" * 5000 + "}", "no complete JSON object"),
        ('{"a":' * 20_000 + "1" + "}" * 20_000, "no complete JSON object"),
        ("{" * MAX_REPLY_CHARS, "no complete JSON object"),
        ("```x\n" * 40_000, "no complete JSON object"),
        ("x" * (MAX_REPLY_CHARS + 1), "more than 200,000 characters"),
    ],
)
def test_what_is_not_one_object_is_refused_with_the_reason(reply, said):
    with pytest.raises(UnusableReply, match=said):
        find_object(reply)


@given(st.text('{}[]":,\\`\n 0123456789.eE+-truefalsnNaIity<>/hk', max_size=200))
def test_any_text_is_an_object_or_refused(text):
    try:
        assert isinstance(find_object(text), dict)
    except UnusableReply as problem:
        assert str(problem)


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.recursive(st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)),
    ),
    st.text("abc \n.!?", max_size=30),
)
def test_an_object_in_prose_is_read_as_it_was_written(value, prose):
    assert find_object(f"{prose}\n{json.dumps(value)}\n{prose}") == value
