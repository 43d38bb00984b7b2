"""Answers that should be JSON: well-formed, valid against a schema, equal to what is expected."""

from typing import Any

import orjson

from assay.domain.scores import Sample
from assay.domain.text import valid_text
from assay.metrics.entry import MetricSpec
from assay.metrics.sample_metric import (
    Finding,
    SampleMetric,
    Unscored,
    answer_metric,
    quote,
    sample_metric,
)

FENCE = "```"


def parse_answer(text: str, fenced: bool) -> Any:
    """The answer as JSON, out of its first Markdown fence if `fenced`; raises orjson.JSONDecodeError."""
    return orjson.loads(_inside_fence(text) if fenced else text)


def _inside_fence(text: str) -> str:
    """What stands in the first ``` fence, or the whole text when there is none."""
    start = text.find(FENCE)
    first_line_end = text.find("\n", start)
    if start < 0 or first_line_end < 0:
        return text
    end = text.find(FENCE, first_line_end)
    return text[first_line_end + 1 :] if end < 0 else text[first_line_end + 1 : end]


def _not_json(error: orjson.JSONDecodeError, text: str) -> Finding:
    return Finding(0.0, f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}: {quote(text)}")


def make_json_valid(spec: MetricSpec) -> SampleMetric:
    """1 when the answer is JSON (RFC 8259; no NaN, no comments)."""
    fenced: bool = spec.options["fenced"]

    def judge(text: str) -> Finding:
        try:
            value = parse_answer(text, fenced)
        except orjson.JSONDecodeError as error:
            return _not_json(error, text)
        return Finding(1.0, f"valid JSON: {_kind(value)}")

    return answer_metric(spec, judge)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    kinds = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}
    return kinds.get(type(value), "a number")


def first_difference(answer: Any, expected: Any) -> str | None:
    """Path and nature of the first difference, None when equal. 1 equals 1.0 and differs from true."""
    pending = [("$", answer, expected)]
    while pending:
        path, left, right = pending.pop()
        if isinstance(left, dict) and isinstance(right, dict):
            if left.keys() != right.keys():
                return f"{path}: keys differ: {quote(', '.join(sorted(left.keys() ^ right.keys())))}"
            pending.extend((f"{path}.{key}", left[key], right[key]) for key in reversed(left))
        elif isinstance(left, list) and isinstance(right, list):
            if len(left) != len(right):
                return f"{path}: {len(left)} items where {len(right)} are expected"
            pairs = enumerate(zip(left, right, strict=True))
            pending.extend(reversed([(f"{path}[{index}]", *pair) for index, pair in pairs]))
        elif isinstance(left, bool) != isinstance(right, bool) or left != right:
            return f"{path}: {quote(repr(left))} where {quote(repr(right))} is expected"
    return None


def unordered(value: Any) -> Any:
    """The value with every array sorted by its JSON, so that order does not count."""
    if isinstance(value, dict):
        return {key: unordered(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted(map(unordered, value), key=_sort_key)
    return value


def _sort_key(value: Any) -> bytes:
    # 1 and 1.0 are equal and must sort alike.
    number = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 53
    return orjson.dumps(float(value) if number else value, option=orjson.OPT_SORT_KEYS)


def _expected_json(expected: Any) -> Any:
    """The case's JSON: a text that is JSON is read, any other text is a JSON string."""
    if not isinstance(expected, str):
        return orjson.loads(orjson.dumps(expected))
    try:
        return orjson.loads(valid_text(expected))
    except orjson.JSONDecodeError:
        return expected


def make_json_equal(spec: MetricSpec) -> SampleMetric:
    """1 when the answer is the expected JSON, whatever its spacing and order of keys."""
    fenced: bool = spec.options["fenced"]
    ignore_order: bool = spec.options["ignore_order"]

    def measure(sample: Sample) -> Finding | Unscored:
        if sample.case.expected is None:
            return Unscored("skipped", "the case has no expected JSON")
        expected = _expected_json(sample.case.expected)
        text = valid_text(sample.response.text)
        try:
            answer = parse_answer(text, fenced)
        except orjson.JSONDecodeError as error:
            return _not_json(error, text)
        if ignore_order:
            answer, expected = unordered(answer), unordered(expected)
        difference = first_difference(answer, expected)
        return Finding(1.0, "equal JSON") if difference is None else Finding(0.0, difference)

    return sample_metric(spec, measure)
