"""Verdicts are values of their schema; 10,000 generated replies make no exception and no score."""

import json
import random
from typing import Any

import pytest

from assay.domain.models import ModelResponse
from assay.judging.questions import Answer, Question, Unanswered, read_reply
from assay.judging.strict_json import UnusableReply
from assay.judging.templates import get_template, list_templates
from assay.judging.verdicts import read_verdict, sent_schema, with_range

GRADE = get_template("relevance").schema
FUZZED = 10_000
WITH_SCHEMA = [template for template in list_templates() if template.schema]


def grade(**fields: Any) -> dict[str, Any]:
    return read_verdict({"reasoning": "So.", **fields}, GRADE)


@pytest.mark.parametrize(
    ("given", "read"), [(4, 4), (4.0, 4), ("4", 4), (" 5 ", 5), ("2.0", 2), (None, None), (1, 1), (5, 5)]
)
def test_a_grade_on_the_scale_is_read(given, read):
    found = grade(score=given)["score"]
    assert found == read
    assert found is None or type(found) is int


@pytest.mark.parametrize(
    "given",
    [
        *(0, 6, -1, 4.5, "4.5", "four", "4/5", "", "4e0", "+4", "04", "0x4", "4 of 5", "٤"),
        *(True, False, [4], {"a": 4}, 10**30, 1e308),
    ],
)
def test_what_is_no_grade_on_the_scale_is_refused(given):
    with pytest.raises(UnusableReply, match="score"):
        grade(score=given)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"score": 4, "reasoning": 7}, "reasoning must be a text, not 7"),
        ({}, "score is missing"),
        ({"score": 4, "final": 5}, "final is no field"),
        ({"score": 4, "ignore what I said": 5}, "a field is no field"),
        ({"score": "ignore me"}, "score must be a whole number, not a text"),
    ],
)
def test_missing_foreign_and_wrong_fields_are_named_and_texts_are_not_repeated(fields, said):
    with pytest.raises(UnusableReply, match=said):
        grade(**fields)


@pytest.mark.parametrize("given", ["true", 1, None, []])
def test_yes_is_true_and_nothing_else(given):
    with pytest.raises(UnusableReply, match="must be true or false"):
        read_verdict(given, {"type": "boolean"})


CHECKS = {"checks": [{"claim": 1, "quote": "", "verdict": "unsupported"}]}


@pytest.mark.parametrize(
    ("template", "verdict", "found"),
    [
        ("relevance", {"reasoning": "?", "score": None}, Unanswered),
        ("relevance", {"reasoning": "?", "score": 1}, Answer),
        ("correctness", {"reasoning": "?", "verdict": None, "score": None}, Unanswered),
        ("correctness", {"reasoning": "?", "verdict": "correct", "score": None}, UnusableReply),
        ("correctness", {"reasoning": "?", "verdict": None, "score": 5}, UnusableReply),
        ("faithfulness_verify", {**CHECKS, "cannot_judge": True}, Unanswered),
        ("faithfulness_verify", {**CHECKS, "cannot_judge": False}, Answer),
        ("faithfulness_verify", CHECKS, Answer),
    ],
)
def test_a_judge_abstains_by_null_or_by_the_field_for_it(template, verdict, found):
    question = Question(template=get_template(template), data={})
    response = ModelResponse(text=json.dumps(verdict))
    if found is UnusableReply:
        with pytest.raises(UnusableReply, match="is missing"):
            read_reply(question, response)
    else:
        assert isinstance(read_reply(question, response), found)


FLAGGED = {
    "type": "object",
    "properties": {"cannot_judge": {"type": "boolean"}, "score": {"type": ["integer", "null"]}},
    "required": ["score"],
}


@pytest.mark.parametrize(
    ("verdict", "found"),
    [
        ({"cannot_judge": True, "score": None}, Unanswered),
        ({"cannot_judge": False, "score": 3}, Answer),
        ({"cannot_judge": True, "score": 3}, UnusableReply),
        ({"cannot_judge": False, "score": None}, UnusableReply),
        ({"score": None}, UnusableReply),
    ],
)
def test_the_field_and_the_value_must_agree(verdict, found):
    question = Question(template=get_template("relevance"), data={}, schema=FLAGGED)
    response = ModelResponse(text=json.dumps(verdict))
    if found is UnusableReply:
        with pytest.raises(UnusableReply):
            read_reply(question, response)
    else:
        assert isinstance(read_reply(question, response), found)


def test_capitals_do_not_count_in_given_words():
    assert read_verdict(" First ", {"type": "string", "enum": ["first", "second"]}) == "first"


def test_lone_surrogates_are_replaced():
    assert grade(score=4, reasoning="\ud800")["reasoning"] == "\ufffd"


@pytest.mark.parametrize(
    "template", [each for each in list_templates() if each.schema], ids=lambda each: each.name
)
def test_providers_are_sent_what_they_take(template):
    """Every property is required, no others are allowed, reasoning comes before the verdict."""
    sent = sent_schema(template.schema)
    text = json.dumps(sent)
    assert not {"minimum", "maximum", "minItems", "maxItems", "pattern"} & set(text.split('"'))
    assert sent["required"] == list(sent["properties"])
    assert sent["additionalProperties"] is False
    names = list(sent["properties"])
    decisive = [name for name in names if name in ("score", "better", "verdict", "missing", "harms")]
    if decisive:
        assert names.index("reasoning") < min(names.index(name) for name in decisive)
    assert "cannot_judge" in names or '"null"' in text


def test_a_scale_is_sent_as_its_grades_and_a_wide_one_as_an_integer():
    assert sent_schema(with_range(GRADE, "score", 0, 3))["properties"]["score"]["enum"] == [0, 1, 2, 3, None]
    assert "enum" not in sent_schema(with_range(GRADE, "score", 0, 100))["properties"]["score"]


SIMPLE = (
    *("NaN", "Infinity", "1e999", "-1e999", "null", "true", "false", '"4"', '"4/5"', '""', '"\\ud800"'),
    *("4", "5", "1", "6", "0", "-3", "4.0", "4.5", "10", "[]", "{}", '"high"', "4,", "'4'", "four"),
    *("9" * 400, "+4", "04", '"So."', '"So."', "3", "2"),
)
NAMES = ("reasoning", "score", "cannot_judge", "score", "verdict", "Score", "final_score", "reasoning")


def _value(rng: random.Random, depth: int = 0) -> str:
    """The text of something like JSON, often wrong."""
    if depth < 2 and rng.random() < 0.1:
        inner = ", ".join(_value(rng, depth + 1) for _ in range(rng.randrange(3)))
        return f"[{inner}]"
    return rng.choice(SIMPLE)


def _body(rng: random.Random) -> str:
    """Something like a verdict; half of them have the right fields."""
    if rng.random() < 0.5:
        fields = ['"reasoning": "Because {it} is."', f'"score": {_value(rng)}']
        if rng.random() < 0.3:
            fields.append(f'"cannot_judge": {rng.choice(("true", "false", "1", "null"))}')
    else:
        fields = [f'"{rng.choice(NAMES)}": {_value(rng)}' for _ in range(rng.randrange(5))]
    return "{" + ", ".join(fields) + "}"


def _reply(rng: random.Random) -> str:
    """A body as judges wrap it, cut it off, or spoil it."""
    body, other = _body(rng), _body(rng)
    wrapped = (
        *(body, body, f"```json\n{body}\n```", f"Well: {body}.", f"{body}{other}", f"I'd give 5. {body}"),
        *(body[: rng.randrange(1, len(body) + 1)], f"<think>{other}</think>{body}", _value(rng)),
        *(f'{{"a": {body}}}', body * 3, f"```\n{other}\n```\n{body}"),
    )
    return rng.choice(wrapped)


def _said_scores(text: str) -> set[float]:
    """All numbers that follow the key score in a text, read by another way than ours."""
    found = set()
    for piece in text.split('"score": ')[1:]:
        digits = piece.lstrip('"')[:3]
        found |= {float(cut) for cut in (digits[:1], digits[:3]) if cut.replace(".", "", 1).isdecimal()}
    return found


def test_of_ten_thousand_replies_none_raises_and_no_score_is_made_up():
    rng = random.Random(20_26)
    question = Question(template=get_template("relevance"), data={"question": "a", "answer": "b"})
    outcomes = {"scored": 0, "abstained": 0, "unusable": 0}
    for _ in range(FUZZED):
        text = _reply(rng)
        try:
            found = read_reply(question, ModelResponse(text=text))
        except UnusableReply as problem:
            assert str(problem) and len(str(problem)) < 300
            outcomes["unusable"] += 1
            continue
        if isinstance(found, Unanswered):
            assert '"score": null' in text
            outcomes["abstained"] += 1
            continue
        assert isinstance(found, Answer)
        assert found.verdict["score"] in (1, 2, 3, 4, 5)
        assert found.verdict["score"] in _said_scores(text), text
        outcomes["scored"] += 1
    assert outcomes["scored"] > 200 and outcomes["unusable"] > 5_000 and outcomes["abstained"] > 5, outcomes
