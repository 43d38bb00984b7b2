"""JSON answers."""

import pytest

from assay.domain.errors import InvalidInput

HOUSE = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "price": {"type": "number"},
        "rooms": {"type": "array", "items": {"$ref": "#/$defs/room"}},
        "nested": {"$ref": "#"},
    },
    "required": ["price"],
    "additionalProperties": False,
    "$defs": {"room": {"type": "object", "properties": {"area": {"type": "number", "minimum": 1}}}},
}


@pytest.mark.parametrize(
    ("answer", "options", "value"),
    [
        ('{"a": [1, 2.5, null]}', {}, 1),
        ("3", {}, 1),
        ("", {}, 0),
        ("{'a': 1}", {}, 0),
        ("NaN", {}, 0),
        ('{"a": 1', {}, 0),
        ('```json\n{"a": 1}\n```', {}, 0),
        ('Here:\n```json\n{"a": 1}\n```\nDone.', {"fenced": True}, 1),
        ('{"a": 1}', {"fenced": True}, 1),
        ("```json\n{}", {"fenced": True}, 1),
        ("```", {"fenced": True}, 0),
    ],
)
def test_json_valid(score, answer, options, value):
    assert score("json_valid", answer, **options).value == value


def test_a_schema_fault_names_its_path(score):
    found = score("json_schema", '{"price": 1, "rooms": [{"area": 5}, {"area": "big"}]}', schema=HOUSE)
    assert (found.value, found.passed) == (0, False)
    assert found.reason.startswith("$.rooms[1].area: ")
    assert found.evidence == {"path": "$.rooms[1].area", "keyword": "type"}


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ('{"price": 1, "rooms": [{"area": 5}]}', 1),
        ('{"price": 1, "nested": {"price": 2}}', 1),
        ('{"price": 1, "nested": {"cost": 2}}', 0),
        ('{"price": 1, "x": 2}', 0),
        ("{}", 0),
        ("no JSON", 0),
    ],
)
def test_json_schema(score, answer, value):
    assert score("json_schema", answer, schema=HOUSE).value == value


@pytest.mark.parametrize(
    ("schema", "answer", "value"),
    [
        ({"uniqueItems": True}, "[1, 2, 3]", 1),
        ({"uniqueItems": True}, "[1, 1.0]", 0),
        ({"uniqueItems": True}, "[1, true, [1], [true], {}]", 1),
        ({"uniqueItems": True}, '[{"a": [1]}, {"a": [1.0]}]', 0),
        ({"pattern": "^a+$"}, '"aaa"', 1),
        ({"pattern": "^a+$"}, '"ab"', 0),
        ({"pattern": "^a+$"}, "5", 1),
        ({"patternProperties": {"^x": {"type": "number"}}}, '{"x1": "no"}', 0),
        ({"patternProperties": {"^x": {}}, "additionalProperties": False}, '{"x1": 1}', 1),
        ({"patternProperties": {"^x": {}}, "additionalProperties": False}, '{"y1": 1}', 0),
        ({"properties": {"a": {}}, "additionalProperties": {"type": "number"}}, '{"a": "", "b": ""}', 0),
        (True, "1", 1),
        (False, "1", 0),
    ],
)
def test_bounded_keywords_mean_what_the_standard_says(score, schema, answer, value):
    assert score("json_schema", answer, schema=schema).value == value


@pytest.mark.parametrize(
    "draft", ["http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema"]
)
def test_no_schema_pattern_can_hang_also_behind_a_reference_to_the_root(score, draft):
    schema = {"$schema": draft, "pattern": "^(a+)+$", "properties": {"child": {"$ref": "#"}}}
    answer = '{"child": "' + "a" * 50_000 + '!"}'
    assert score("json_schema", answer, schema=schema).value == 0


def test_a_large_array_of_different_objects_is_checked_in_linear_time(score):
    answer = "[" + ",".join(f'{{"a":{number}}}' for number in range(100_000)) + "]"
    assert score("json_schema", answer, schema={"uniqueItems": True}).value == 1


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "objekt"}, "not a JSON Schema"),
        ({"$ref": "#/$defs/missing"}, "is not in the schema"),
        ({"$ref": "https://example.com/schema.json"}, "is not in the schema"),
        ({"items": [{"pattern": "(?=x)"}], "$schema": "http://json-schema.org/draft-07/schema#"}, "RE2"),
        ({"patternProperties": {"(": {}}}, "regex"),
        ({"patternProperties": {"(?=x)": {}}}, "RE2"),
        ({"patternProperties": {"a": {}}, "unevaluatedProperties": False}, "not supported"),
    ],
)
def test_a_schema_that_cannot_be_used_is_invalid_input(score, schema, said):
    with pytest.raises(InvalidInput) as caught:
        score("json_schema", "{}", schema=schema)
    assert said in str(caught.value)
    assert caught.value.field == "options.schema"


def test_the_schema_option_is_required(score):
    with pytest.raises(InvalidInput):
        score("json_schema", "{}")


@pytest.mark.parametrize(
    ("answer", "expected", "options", "value"),
    [
        ('{"b": 2, "a": [1, null]}', {"a": [1.0, None], "b": 2}, {}, 1),
        ('{"a": 1}', '{"a": 1}', {}, 1),
        ('"text"', "text", {}, 1),
        ("1", True, {}, 0),
        ("[1, 2]", [2, 1], {}, 0),
        ("[1, 2]", [2, 1], {"ignore_order": True}, 1),
        ('[{"a": [1, 2]}, 3.0]', [3, {"a": [2, 1]}], {"ignore_order": True}, 1),
        ("[1]", [1, 2], {}, 0),
        ("no JSON", {}, {}, 0),
        ("```\n[1]\n```", [1], {"fenced": True}, 1),
    ],
)
def test_json_equal(score, answer, expected, options, value):
    assert score("json_equal", answer, expected, **options).value == value


def test_json_equal_names_the_first_difference(score):
    found = score("json_equal", '{"a": [1, {"b": 2}]}', {"a": [1, {"b": 3}]})
    assert found.reason == "$.a[1].b: '2' where '3' is expected"
    assert score("json_equal", '{"a": 1}', {"b": 1}).reason == "$: keys differ: 'a, b'"


def test_json_without_expected_is_skipped(score):
    assert score("json_equal", "{}").state == "skipped"
