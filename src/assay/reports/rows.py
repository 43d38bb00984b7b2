"""What the HTML page shows of one result: an excerpt, and the rest on request."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assay.domain.results import Result
from assay.domain.scores import Score
from assay.reports.untrusted import ELLIPSIS, one_line
from assay.reports.wording import count, dollars, duration, significant

EXCERPT_LIMIT = 180
# A page of thousands of rows stays one that a browser opens.
TEXT_LIMIT = 20_000
REASON_LIMIT = 4_000


@dataclass(frozen=True, slots=True)
class Part:
    """A named text of a row's details."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreLine:
    """One score of a row."""

    metric: str
    value: str
    verdict: str
    verdict_class: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One cell of the grid. `fails`: the numbers, from 1, of the metrics that it does not pass."""

    case: str
    repeat: str
    tag: str
    prompt: str
    model: str
    state: str
    state_class: str
    bad: bool
    excerpt: str
    parts: tuple[Part, ...]
    scores: tuple[ScoreLine, ...]
    fails: str
    work: tuple[str, ...]


@dataclass(slots=True)
class Progress:
    """How many rows were taken, and whether there were more."""

    shown: int = 0
    more: bool = False


def rows_of(
    results: Iterable[Result],
    tags: Mapping[tuple[str, str], str],
    metric_names: tuple[str, ...],
    limit: int,
    progress: Progress,
) -> Iterator[Row]:
    """At most `limit` rows, made one by one; `progress` follows."""
    numbers = {name: str(number) for number, name in enumerate(metric_names, start=1)}
    for result in results:
        if progress.shown >= limit:
            progress.more = True
            return
        progress.shown += 1
        yield _row(result, tags.get((result.prompt, result.model), "?"), numbers)


def _row(result: Result, tag: str, numbers: Mapping[str, str]) -> Row:
    failing = [
        numbers[each.metric] for each in result.scores if each.passed is False and each.metric in numbers
    ]
    broken = result.state in ("failed", "dead")
    return Row(
        case=result.case,
        repeat=f"repeat {result.repeat + 1}" if result.repeat else "",
        tag=tag,
        prompt=result.prompt,
        model=result.model,
        state=result.state,
        state_class="error" if broken else "",
        bad=broken or bool(failing),
        excerpt=_excerpt(result),
        parts=tuple(_parts(result)),
        scores=tuple(_score(each) for each in result.scores),
        fails=" ".join(failing),
        work=tuple(_work(result)),
    )


def _excerpt(result: Result) -> str:
    if result.error_code is not None:
        return one_line(f"{result.error_code}: {result.error_message or ''}", EXCERPT_LIMIT)
    if result.response is None:
        return "no answer"
    text = one_line(result.response.text, EXCERPT_LIMIT)
    if not text and result.response.tool_calls:
        return one_line(f"tool calls: {_json(result.response.tool_calls)}", EXCERPT_LIMIT)
    return text or "(empty)"


def _parts(result: Result) -> Iterator[Part]:
    if result.error_message is not None:
        yield Part("Error", _cut(result.error_message, TEXT_LIMIT))
    if result.response is not None:
        yield Part("Output", _cut(result.response.text, TEXT_LIMIT))
        if result.response.tool_calls:
            yield Part("Tool calls", _cut(_json(result.response.tool_calls), TEXT_LIMIT))
    if result.expected is not None:
        yield Part("Expected", _cut(_shown(result.expected), TEXT_LIMIT))
    if result.vars:
        lines = (f"{name}: {_shown(value)}" for name, value in result.vars.items())
        yield Part("Variables", _cut("\n".join(lines), TEXT_LIMIT))
    if result.scores:
        reasons = (
            f"{each.metric} ({_verdict(each)[0] or each.state}): {each.reason}" for each in result.scores
        )
        yield Part("Reasons", "\n".join(_cut(reason, REASON_LIMIT) for reason in reasons))


def _score(score: Score) -> ScoreLine:
    verdict, kind = _verdict(score)
    value = ""
    if score.value is not None:
        value = f"{score.value:.2f}" if 0.0 <= score.value <= 1.0 else significant(score.value)
    return ScoreLine(metric=score.metric, value=value, verdict=verdict, verdict_class=kind)


def _verdict(score: Score) -> tuple[str, str]:
    """The word and its colour; the word says all that the colour does."""
    if score.state != "scored":
        return score.state, "error" if score.state == "failed" else "none"
    if score.passed is None:
        return "", "none"
    return ("pass", "pass") if score.passed else ("fail", "fail")


def _work(result: Result) -> Iterator[str]:
    if result.response is not None:
        yield duration(result.response.latency_ms) + (" (cached)" if result.response.cached else "")
        usage = result.response.usage
        if usage.input_tokens is not None and usage.output_tokens is not None:
            yield f"{count(usage.input_tokens)} in, {count(usage.output_tokens)} out"
        yield "cost unknown" if result.cost_nanousd is None else dollars(result.cost_nanousd / 1e9)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, default=str)


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[:limit]}{ELLIPSIS}\n({len(text) - limit:,} more characters)"
