"""A gate on a terminal: a line a check, then why those that did not pass did not."""

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from assay.reports.gate import (
    GateReport,
    cautions_of,
    change_text,
    check_name,
    margin_text,
    mean_text,
    reason_of,
    remedies_of,
)
from assay.reports.untrusted import one_line

_MARKS = {"pass": ("+", "green"), "fail": ("-", "red"), "inconclusive": ("?", "yellow")}
_HEADS = ("metric", "baseline", "candidate", "change", "margin", "cases", "verdict")
_NAME_LIMIT = 60


def render_gate(report: GateReport, console: Console) -> None:
    """Print outcome, checks, reasons and notes."""
    console.print()
    console.print(_line(report.sentence, 1000, style=f"bold {_MARKS[report.outcome][1]}"))
    console.print(_line(f"{report.candidate} against {report.baseline}", 300, style="dim"))
    console.print()
    console.print(_table(report))
    console.print()
    _print_reasons(report, console)
    _print_notes(report, console)
    console.print()


def _table(report: GateReport) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False, header_style="dim")
    for head in _HEADS:
        table.add_column(head, justify="left" if head in ("metric", "verdict") else "right", overflow="fold")
    for check in report.checks:
        _, style = _MARKS[check.outcome]
        name = _line(check.metric, _NAME_LIMIT, style="bold")
        if report.names_candidates:
            name.append("\n").append_text(_line(check.candidate, _NAME_LIMIT, style="dim not bold"))
        cases = Text(f"{check.change.n:,}")
        if check.change.clusters is not None:
            cases.append(f"\n{check.change.clusters:,} clusters", style="dim")
        table.add_row(
            name,
            mean_text(check.baseline, check),
            mean_text(check.tested, check),
            Text(change_text(check)),
            margin_text(check),
            cases,
            Text(check.outcome, style=style),
        )
    return table


def _print_reasons(report: GateReport, console: Console) -> None:
    for check in report.checks:
        if check.outcome == "pass":
            continue
        mark, style = _MARKS[check.outcome]
        console.print(_marked(mark, style, f"{check_name(check, report)}: {reason_of(check)}"))
    for remedy in remedies_of(report):
        console.print(_marked(" ", "dim", remedy))


def _print_notes(report: GateReport, console: Console) -> None:
    notes = list(report.notes)
    for check in report.checks:
        if check.outcome == "pass":
            notes += [f"{check_name(check, report)}: {text}" for text in cautions_of(check)]
    for note in dict.fromkeys(notes):
        console.print(_marked("!", "yellow", note))


def _marked(mark: str, style: str, sentence: str) -> Padding:
    """A sentence that hangs right of its mark."""
    grid = Table.grid(padding=(0, 1))
    grid.add_row(Text(mark, style=style), _line(sentence, 1000))
    return Padding(grid, (0, 0, 0, 1), expand=False)


def _line(text: str, limit: int, style: str = "") -> Text:
    """Text that others may have written: never read as markup, no control characters."""
    return Text(one_line(text, limit), style=style)
