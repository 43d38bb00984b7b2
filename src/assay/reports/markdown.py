"""A summary in GitHub's Markdown, for a job summary or a comment; names and reasons cannot become markup."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TextIO

from assay.domain.results import Result
from assay.reports.untrusted import markdown_prose, markdown_text
from assay.reports.values import CandidateSummary, MetricSummary, PairSummary, RaceSummary, RunSummary
from assay.reports.wording import (
    NOTHING,
    adjusted_p,
    count,
    digits_for,
    dollars,
    duration,
    judge_cost,
    p_text,
    percent,
    range_text,
    run_size,
    signed_range,
    value_text,
)

EXAMPLES_SHOWN = 10
# A job summary is cut at 1 MiB: hundreds of pairs would drown the rest anyway.
PAIRS_SHOWN = 28

MARKS = {
    "better": "\N{WHITE HEAVY CHECK MARK}",
    "worse": "\N{CROSS MARK}",
    "equivalent": "=",
    "inconclusive": "?",
}


def write_markdown(
    out: TextIO, summary: RunSummary, *, receipt: Mapping[str, str], failures: Iterable[Result] = ()
) -> None:
    """Write verdict, scores, differences, warnings, the first of `failures`, and the receipt."""
    for line in _lines(summary, receipt, failures):
        out.write(f"{line}\n")


def _lines(summary: RunSummary, receipt: Mapping[str, str], failures: Iterable[Result]) -> Iterator[str]:
    yield f"## {markdown_prose(summary.title)}"
    yield ""
    yield markdown_prose(summary.headline)
    yield ""
    yield f"<sub>{run_size(summary)}</sub>"
    yield ""
    if summary.race is not None:
        yield from _race(summary, summary.race)
    yield from _scores(summary)
    for verdict in summary.verdicts:
        if verdict.pairs:
            yield from _differences(summary, verdict.sentence, verdict.pairs)
    yield from _warnings(summary.warnings)
    yield from _failures(list(islice(failures, EXAMPLES_SHOWN)))
    yield from _receipt(receipt)


def _race(summary: RunSummary, race: RaceSummary) -> Iterator[str]:
    yield markdown_prose(race.savings)
    yield ""
    rows = [
        [
            markdown_text(summary.candidates[each.candidate].label),
            f"{each.seen:,} of {race.cases:,}",
            markdown_prose(each.reason),
        ]
        for each in race.candidates
    ]
    yield from markdown_table(["race", "cases", "how it ended"], rows)


def _scores(summary: RunSummary) -> Iterator[str]:
    names = summary.metric_names
    heads = ["candidate", *[markdown_text(name) for name in names], "tokens", "cost", "p50", "p95", "errors"]
    rows = [
        [
            markdown_text(candidate.label),
            *[_score(summary.metric_of(number, name)) for name in names],
            *_work(candidate),
        ]
        for number, candidate in enumerate(summary.candidates)
    ]
    yield from markdown_table(heads, rows)


def _score(metric: MetricSummary | None) -> str:
    if metric is None or metric.mean.estimate is None:
        return NOTHING
    text = f"**{value_text(metric.mean.estimate, metric.info, digits_for(metric.mean))}**"
    bounds = range_text(metric.mean, metric.info)
    parts = [f"{text} ({bounds})" if bounds else text]
    if (
        metric.pass_rate is not None
        and metric.pass_rate.estimate is not None
        and metric.info.kind != "binary"
    ):
        parts.append(f"{percent(metric.pass_rate.estimate)} pass")
    if metric.scored < metric.planned:
        parts.append(f"{metric.scored:,}/{metric.planned:,} scored")
    return "<br>".join(part.replace("<", "&lt;").replace(">", "&gt;") for part in parts)


def _work(candidate: CandidateSummary) -> list[str]:
    tokens, cost = NOTHING, NOTHING
    if candidate.input_tokens is not None and candidate.output_tokens is not None:
        tokens = f"{count(candidate.input_tokens)} in, {count(candidate.output_tokens)} out"
    if candidate.cost_usd is not None:
        cost = dollars(candidate.cost_usd)
    elif candidate.succeeded:
        cost = "unknown"
    if candidate.unknown_costs and candidate.cost_usd is not None:
        cost += f"<br>{candidate.unknown_costs:,} unknown"
    if judged := judge_cost(candidate):
        cost += f"<br>{judged}"
    if candidate.cached:
        cost += f"<br>{candidate.cached:,} cached"
    times = [
        NOTHING if each.estimate is None else duration(each.estimate)
        for each in (candidate.p50_ms, candidate.p95_ms)
    ]
    reasons = [
        f"{number:,} {markdown_text(code, 40)}" for code, number in list(candidate.failures.items())[:3]
    ]
    return [tokens, cost, *times, "<br>".join([f"{candidate.errors:,}", *reasons])]


def _differences(summary: RunSummary, sentence: str, pairs: Sequence[PairSummary]) -> Iterator[str]:
    yield f"### {markdown_text(pairs[0].metric)}"
    yield ""
    yield markdown_prose(sentence)
    yield ""
    rows = [_pair(summary, pair) for pair in pairs[:PAIRS_SHOWN]]
    yield from markdown_table(
        ["pair", "difference", "n", "adjusted p" if len(pairs) > 1 else "p", "verdict"], rows
    )
    if len(pairs) > PAIRS_SHOWN:
        yield f"{len(pairs) - PAIRS_SHOWN} more pairs in the HTML report."
        yield ""


def _pair(summary: RunSummary, pair: PairSummary) -> list[str]:
    first, second = (markdown_text(summary.candidates[number].label) for number in (pair.first, pair.second))
    verdict = f"{MARKS[pair.comparison.verdict]} {pair.comparison.verdict}"
    if pair.more_cases:
        verdict += f", about {pair.more_cases:,} more cases needed"
    p = p_text(adjusted_p(pair.comparison)).removeprefix("p=").removeprefix("p").replace("<", "&lt;")
    return [
        f"{first} vs {second}",
        signed_range(pair.comparison.interval).replace("[", "&#91;"),
        str(pair.comparison.n),
        p,
        verdict,
    ]


def _warnings(warnings: Sequence[str]) -> Iterator[str]:
    if not warnings:
        return
    yield "### Mind"
    yield ""
    for warning in warnings:
        yield f"- {markdown_prose(warning)}"
    yield ""


def _failures(results: Sequence[Result]) -> Iterator[str]:
    if not results:
        return
    yield f"<details><summary>The first {len(results)} failing cells</summary>"
    yield ""
    rows = [
        [
            markdown_text(result.case),
            f"{markdown_text(result.prompt)} \N{MIDDLE DOT} {markdown_text(result.model)}",
            markdown_text(_why(result), 180),
            markdown_text(result.response.text, 180) if result.response else NOTHING,
        ]
        for result in results
    ]
    yield from markdown_table(["case", "candidate", "why", "output"], rows)
    yield "</details>"
    yield ""


def _why(result: Result) -> str:
    if result.error_code is not None:
        return f"{result.error_code}: {result.error_message or ''}"
    failed = [f"{score.metric}: {score.reason}" for score in result.scores if score.passed is False]
    return "; ".join(failed or [f"{score.metric}: {score.reason}" for score in result.scores])


def _receipt(receipt: Mapping[str, str]) -> Iterator[str]:
    if not receipt:
        return
    yield "<details><summary>Receipt</summary>"
    yield ""
    yield from markdown_table(
        ["what", "which"], [[markdown_text(key), markdown_text(value, 400)] for key, value in receipt.items()]
    )
    yield "</details>"


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
