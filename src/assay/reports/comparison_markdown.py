"""A comparison in GitHub's Markdown; names and answers cannot become markup."""

from collections.abc import Iterator
from typing import TextIO

from assay.reports.comparison_tables import TextTable, front_rows, metric_tables
from assay.reports.comparison_values import ComparisonReport, MetricComparison, Pair
from assay.reports.comparison_words import difference_text, moved_text, p_of, tallied, why_unknown
from assay.reports.markdown import MARKS, markdown_table
from assay.reports.untrusted import markdown_prose, markdown_text
from assay.reports.wording import NOTHING, percent, plural, value_text
from assay.stats.comparison import Comparison

PAIRS_SHOWN = 28
CHANGES_OF = 8


def write_comparison_markdown(out: TextIO, report: ComparisonReport) -> None:
    """Write the comparison as sections and tables."""
    for line in _lines(report):
        out.write(f"{line}\n")


def _lines(report: ComparisonReport) -> Iterator[str]:
    yield f"## {markdown_prose(report.title)}"
    yield ""
    yield markdown_prose(report.headline)
    yield ""
    size = f"{plural(len(report.candidates), 'candidate')}, {plural(report.cases, 'case')}"
    yield f"<sub>{size}, {percent(report.level)} intervals</sub>"
    yield ""
    for note in report.notes:
        yield f"> **Note:** {markdown_prose(note)}"
        yield ""
    for metric in report.metrics:
        yield from _metric(report, metric)
    if report.front is not None:
        yield from _table(front_rows(report, report.front), 3)
    if report.warnings:
        yield "### Mind"
        yield ""
        yield from (f"- {markdown_prose(warning)}" for warning in report.warnings)


def _metric(report: ComparisonReport, metric: MetricComparison) -> Iterator[str]:
    yield f"### {markdown_text(metric.metric)}"
    yield ""
    if metric.sentence != report.headline:
        yield markdown_prose(metric.sentence)
        yield ""
    yield f"<sub>{markdown_prose(metric.family.text)}</sub>"
    yield ""
    rows = [_pair(report, metric, pair) for pair in metric.pairs[:PAIRS_SHOWN]]
    yield from markdown_table(["candidate vs baseline", "means", "difference", "n", "p", "verdict"], rows)
    if len(metric.pairs) > PAIRS_SHOWN:
        yield f"{len(metric.pairs) - PAIRS_SHOWN} more pairs in the JSON report."
        yield ""
    yield from _changes(report, metric)
    for table in metric_tables(report, metric):
        yield from _table(table, 4)


def _pair(report: ComparisonReport, metric: MetricComparison, pair: Pair) -> list[str]:
    sides = [markdown_text(report.labels[side]) for side in (pair.candidate, pair.baseline)]
    means = [value_text(value, metric.info) for value in (pair.comparison.mean_a, pair.comparison.mean_b)]
    return [
        " vs ".join(sides),
        _plain(" \N{RIGHTWARDS ARROW} ".join(means)),
        *_numbers(pair.comparison, metric),
        _verdict(pair.comparison, pair.more_cases),
    ]


def _numbers(comparison: Comparison, metric: MetricComparison) -> list[str]:
    difference = _plain(difference_text(comparison.interval, metric.info))
    return [difference, f"{comparison.n:,}", _plain(p_of(comparison).removeprefix("p=").removeprefix("p"))]


def _verdict(comparison: Comparison, more_cases: int | None) -> str:
    words = f"{MARKS[comparison.verdict]} {comparison.verdict}"
    if not comparison.interval.estimable:
        words += f": {markdown_prose(why_unknown(comparison))}"
    return f"{words}, about {more_cases:,} more cases needed" if more_cases else words


def _changes(report: ComparisonReport, metric: MetricComparison) -> Iterator[str]:
    for pair in [pair for pair in metric.pairs if pair.movement.changes][:CHANGES_OF]:
        sides = [markdown_text(report.labels[side]) for side in (pair.candidate, pair.baseline)]
        moved = moved_text(pair)
        yield f"<details><summary>Cases that changed most, {' vs '.join(sides)}: {moved}</summary>"
        yield ""
        rows = [
            [
                markdown_text(change.key),
                _plain(value_text(change.before, metric.info)),
                _plain(value_text(change.after, metric.info)),
                "<br>".join(markdown_text(text, 180) for text in tallied(change.answers_before)) or NOTHING,
                "<br>".join(markdown_text(text, 180) for text in tallied(change.answers_after)) or NOTHING,
            ]
            for change in pair.movement.changes
        ]
        yield from markdown_table(["case", "from", "to", "answer before", "answer after"], rows)
        yield "</details>"
        yield ""


def _table(table: TextTable, level: int) -> Iterator[str]:
    yield f"{'#' * level} {table.title}"
    yield ""
    if table.note:
        yield markdown_prose(table.note)
        yield ""
    if table.rows:
        yield from markdown_table(table.heads, [[markdown_prose(cell) for cell in row] for row in table.rows])


def _plain(text: str) -> str:
    """Our own numbers, with what Markdown or HTML could read escaped."""
    return text.replace("<", "&lt;").replace(">", "&gt;").replace("[", "&#91;")
