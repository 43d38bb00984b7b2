"""A result as one flat row, and back."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import orjson

from assay.domain.errors import InvalidInput
from assay.domain.models import ModelResponse, Usage
from assay.domain.money import NANO
from assay.domain.results import Result
from assay.domain.scores import Score
from assay.formats.places import Place

Kind = Literal["text", "integer", "number", "boolean", "json", "texts"]
COLUMNS: Mapping[str, Kind] = {
    "case": "text",
    "prompt": "text",
    "model": "text",
    "repeat": "integer",
    "state": "text",
    "output": "text",
    "finish": "text",
    "expected": "json",
    "tags": "texts",
    "cluster": "text",
    "vars": "json",
    "error_code": "text",
    "error_message": "text",
    "latency_ms": "number",
    "ttft_ms": "number",
    "input_tokens": "integer",
    "output_tokens": "integer",
    "cached_tokens": "integer",
    "reasoning_tokens": "integer",
    "cost_usd": "number",
    "cached": "boolean",
    "attempts": "integer",
    "finish_reason": "text",
    "tool_calls": "json",
    "answered_by": "text",
    "item_no": "integer",
    "case_no": "integer",
}
"""The columns of every format, before those of the metrics."""
SCORE_COLUMNS: Mapping[str, Kind] = {
    "value": "number",
    "state": "text",
    "passed": "boolean",
    "reason": "text",
    "evidence": "json",
    "calls": "integer",
    "cost_usd": "number",
}


def columns_of(metrics: Sequence[str]) -> dict[str, Kind]:
    """All columns: COLUMNS, then for each metric `<metric>.value` and the others of SCORE_COLUMNS."""
    return {
        **COLUMNS,
        **{f"{metric}.{part}": kind for metric in metrics for part, kind in SCORE_COLUMNS.items()},
    }


def row_of(result: Result, metrics: Sequence[str]) -> dict[str, Any]:
    """A result's values by column; what is not known is None. Scores of other metrics are left out."""
    response = result.response
    usage = response.usage if response is not None else Usage()
    row = {
        "case": result.case,
        "prompt": result.prompt,
        "model": result.model,
        "repeat": result.repeat,
        "state": result.state,
        **_answer(response),
        "expected": result.expected,
        "tags": list(result.tags),
        "cluster": result.cluster,
        "vars": dict(result.vars),
        "error_code": result.error_code,
        "error_message": result.error_message,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_tokens": usage.cached_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "cost_usd": None if result.cost_nanousd is None else result.cost_nanousd / NANO,
        "attempts": result.attempts,
        "item_no": result.item_no,
        "case_no": result.case_no,
    }
    row = {column: row[column] for column in COLUMNS}
    scores = {score.metric: score for score in result.scores}
    for metric in metrics:
        score = scores.get(metric)
        for part, value in _score_parts(score).items():
            row[f"{metric}.{part}"] = value
    return row


def _score_parts(score: Score | None) -> dict[str, Any]:
    """The values of SCORE_COLUMNS."""
    if score is None:
        return dict.fromkeys(SCORE_COLUMNS)
    return {
        "value": score.value,
        "state": score.state,
        "passed": score.passed,
        "reason": score.reason,
        "evidence": score.evidence,
        "calls": score.calls,
        "cost_usd": None if score.cost_nanousd is None else score.cost_nanousd / NANO,
    }


def _answer(response: ModelResponse | None) -> dict[str, Any]:
    names = ("finish", "finish_reason", "latency_ms", "ttft_ms", "cached", "answered_by")
    row = {name: getattr(response, name, None) for name in names}
    row["output"] = getattr(response, "text", None)
    row["tool_calls"] = list(response.tool_calls) if response is not None else None
    return row


def json_bytes(value: Any) -> bytes:
    """JSON in UTF-8. Lone surrogates are kept as escapes, large integers as they are, NaN as null."""
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return json.dumps(_finite(value), separators=(",", ":")).encode()


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def result_of(row: Mapping[str, Any], place: Place) -> Result:
    """The result of a row that `row_of` made; raises InvalidInput for any other object."""
    for column in ("case", "prompt", "model", "repeat", "state"):
        if column not in row:
            raise place.problem(
                "this is not a result of ours: the field is missing",
                field=column,
                remedy="Result files are written with --output FILE.jsonl or FILE.json.",
            )
    try:
        return _result_of(row)
    except (TypeError, ValueError, AttributeError) as problem:
        raise place.problem(f"this is not a result of ours: {problem}") from problem


def _result_of(row: Mapping[str, Any]) -> Result:
    return Result(
        item_no=row.get("item_no", 0),
        case_no=row.get("case_no", 0),
        case=row["case"],
        prompt=row["prompt"],
        model=row["model"],
        repeat=row["repeat"],
        state=row["state"],
        vars=row.get("vars") or {},
        expected=row.get("expected"),
        tags=tuple(row.get("tags") or ()),
        cluster=row.get("cluster"),
        response=_response_of(row),
        scores=_scores_of(row),
        cost_nanousd=_nano(row.get("cost_usd")),
        attempts=row.get("attempts", 0),
        error_code=row.get("error_code"),
        error_message=row.get("error_message"),
    )


def _nano(cost_usd: float | None) -> int | None:
    return None if cost_usd is None else round(cost_usd * NANO)


def _response_of(row: Mapping[str, Any]) -> ModelResponse | None:
    if row.get("finish") is None:
        return None
    return ModelResponse(
        text=row.get("output") or "",
        finish=row["finish"],
        finish_reason=row.get("finish_reason"),
        tool_calls=tuple(row.get("tool_calls") or ()),
        usage=Usage(
            input_tokens=row.get("input_tokens"),
            output_tokens=row.get("output_tokens"),
            cached_tokens=row.get("cached_tokens"),
            reasoning_tokens=row.get("reasoning_tokens"),
        ),
        latency_ms=float(row.get("latency_ms") or 0.0),
        ttft_ms=row.get("ttft_ms"),
        cached=bool(row.get("cached")),
        answered_by=row.get("answered_by"),
    )


def _scores_of(row: Mapping[str, Any]) -> tuple[Score, ...]:
    metrics = [key.removesuffix(".state") for key in row if key.endswith(".state")]
    return tuple(
        Score(
            metric=metric,
            state=row[f"{metric}.state"],
            value=row.get(f"{metric}.value"),
            reason=row.get(f"{metric}.reason") or "",
            passed=row.get(f"{metric}.passed"),
            evidence=row.get(f"{metric}.evidence"),
            calls=row.get(f"{metric}.calls") or 0,
            cost_nanousd=_nano(row.get(f"{metric}.cost_usd", 0.0)),
        )
        for metric in metrics
        if row[f"{metric}.state"] is not None
    )


def unknown_extension(path: str, known: Sequence[str]) -> InvalidInput:
    """The error for a result file whose name does not tell a format."""
    return InvalidInput(
        "the extension is of no format for results", file=path, remedy=f"Known are {', '.join(known)}."
    )
