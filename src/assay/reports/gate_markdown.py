"""A gate as a summary for a pull request; names cannot become markup."""

from collections.abc import Iterator
from typing import TextIO

from assay.reports.gate import (
    GateCheck,
    GateReport,
    cautions_of,
    change_text,
    check_name,
    margin_text,
    mean_text,
    reason_of,
    remedies_of,
)
from assay.reports.untrusted import markdown_prose, markdown_text

_MARKS = {
    "pass": "\N{WHITE HEAVY CHECK MARK} pass",
    "fail": "\N{CROSS MARK} fail",
    "inconclusive": "\N{BLACK QUESTION MARK ORNAMENT} inconclusive",
}
_HEADS = ("metric", "baseline", "candidate", "change", "margin", "cases", "verdict")


def write_gate_markdown(out: TextIO, report: GateReport) -> None:
    """Write outcome, a row a check, why the others did not pass, and notes."""
    for line in _lines(report):
        out.write(f"{line}\n")


def _lines(report: GateReport) -> Iterator[str]:
    yield f"### {_MARKS[report.outcome].split()[0]} {markdown_prose(report.sentence)}"
    yield ""
    yield f"{markdown_text(report.candidate)} against {markdown_text(report.baseline)}"
    yield ""
    yield f"| {' | '.join(_HEADS)} |"
    yield f"|{' --- |' * len(_HEADS)}"
    for check in report.checks:
        yield f"| {' | '.join(_row(check, report))} |"
    yield ""
    yield from _reasons(report)
    yield from _notes(report)
    level = f"{100 * (1 - 2 * report.alpha):g}%"
    yield f"<sub>Paired by case; {level} intervals, so that each end is a one-sided bound. A gate passes by"
    yield f"chance with at most {100 * report.alpha:g}% when a metric is worse by its margin or more.</sub>"


def _row(check: GateCheck, report: GateReport) -> list[str]:
    name = markdown_text(check.metric)
    if report.names_candidates:
        name += f"<br>{markdown_text(check.candidate)}"
    clusters = "" if check.change.clusters is None else f"<br>{check.change.clusters:,} clusters"
    return [
        name,
        _plain(mean_text(check.baseline, check)),
        _plain(mean_text(check.tested, check)),
        _plain(change_text(check)),
        _plain(margin_text(check)),
        f"{check.change.n:,}{clusters}",
        _MARKS[check.outcome],
    ]


def _reasons(report: GateReport) -> Iterator[str]:
    open_checks = [check for check in report.checks if check.outcome != "pass"]
    for check in open_checks:
        mark, name = _MARKS[check.outcome].split()[0], markdown_text(check_name(check, report))
        yield f"- {mark} {name}: {markdown_prose(reason_of(check))}"
    if open_checks:
        yield ""
    for remedy in remedies_of(report):
        yield f"{markdown_prose(remedy)}"
        yield ""


def _notes(report: GateReport) -> Iterator[str]:
    notes = [markdown_prose(note) for note in report.notes]
    for check in report.checks:
        if check.outcome == "pass":
            name = markdown_text(check_name(check, report))
            notes += [f"{name}: {markdown_prose(text)}" for text in cautions_of(check)]
    for note in notes:
        yield f"- {note}"
    if notes:
        yield ""


def _plain(text: str) -> str:
    """Numbers of ours in a table cell."""
    return text.replace("[", "&#91;").replace("<", "&lt;").replace(">", "&gt;")
