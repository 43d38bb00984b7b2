"""A comparison on a terminal: as good without colours, and in 80 columns."""

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from assay.reports.comparison_tables import TextTable, front_rows, metric_tables
from assay.reports.comparison_values import ComparisonReport, MetricComparison, Pair, Repeatability
from assay.reports.comparison_words import (
    difference_text,
    moved_text,
    p_of,
    why_unknown,
)
from assay.reports.pairs import DIFFERENCE_OF_INTEREST
from assay.reports.text import MARKS, NAME_LIMIT, line, marked
from assay.reports.wording import NOTHING, count, digits_for, percent, plural, value_text

PAIRS_SHOWN = 28
CHANGES_OF = 3
"""Of how many pairs of a metric the changed cases are printed."""
FLAKY_SHOWN = 4
_ARROW = " \N{RIGHTWARDS ARROW} "


def render_comparison(report: ComparisonReport, console: Console) -> None:
    """Print what differs, by how much, how sure that is, and where it comes from."""
    console.print()
    size = f"{plural(len(report.candidates), 'candidate')}, {plural(report.cases, 'case')}"
    title = line(report.title, 200, style="bold")
    console.print(title.append(f"  {size}, {percent(report.level)} intervals", style="dim not bold"))
    console.print(line(report.headline, 1000))
    for note in report.notes:
        console.print(marked("!", "bold yellow", f"not the same in all jobs: {note}"))
    for metric in report.metrics:
        _print_metric(report, metric, console)
    if report.front is not None:
        _print_table(front_rows(report, report.front), console)
    if report.warnings:
        console.print()
        console.print(Text("Mind", style="bold"))
        for warning in report.warnings:
            console.print(marked("!", "yellow", warning))
    console.print()


def _print_metric(report: ComparisonReport, metric: MetricComparison, console: Console) -> None:
    console.print()
    heading = line(metric.metric, NAME_LIMIT, style="bold")
    direction = ", lower is better" if metric.lower else ""
    console.print(heading.append(f"  {metric.family.text}{direction}", style="dim not bold"))
    if metric.sentence != report.headline and len(metric.pairs) > 1:
        console.print(line(metric.sentence, 1000))
    _indented(console, _pair_table(report, metric, console.width))
    if any(pair.more_cases for pair in metric.pairs[:PAIRS_SHOWN]):
        delta = f"{report.margin or DIFFERENCE_OF_INTEREST:g}"
        console.print(
            Text(f" cases?: about as many more would show a difference of {delta}, most likely", "dim")
        )
    _print_changes(report, metric, console)
    for table in metric_tables(report, metric, flaky_shown=0):
        _print_table(table, console)
    for each in metric.repeats:
        if each.flaky:
            names = line(each.member, NAME_LIMIT).append(": ")
            console.print(Padding(names.append_text(_flaky(each)), (0, 0, 0, 1), expand=False))


def _pair_table(report: ComparisonReport, metric: MetricComparison, width: int) -> Table:
    table = _grid("", "candidate", "baseline", "means", "difference", "p", "verdict")
    labels = report.labels
    names = max(
        (len(labels[pair.candidate]) + len(labels[pair.baseline]) for pair in metric.pairs), default=0
    )
    beside = names + 74 <= width
    if not beside:
        table = _grid("", "candidate, baseline", "means", "difference", "p", "verdict")
    for pair in metric.pairs[:PAIRS_SHOWN]:
        mark, style = MARKS[pair.comparison.verdict]
        candidate, baseline = (line(labels[side], NAME_LIMIT) for side in (pair.candidate, pair.baseline))
        sides = (candidate, baseline) if beside else (candidate.append("\nvs ").append_text(baseline),)
        table.add_row(Text(mark, style=style), *sides, *_numbers(pair, metric), _verdict(pair, style))
    if len(metric.pairs) > PAIRS_SHOWN:
        hidden = plural(len(metric.pairs) - PAIRS_SHOWN, "more pair")
        table.add_row("", Text(f"{hidden} in the JSON and HTML reports", style="dim"))
    return table


def _numbers(pair: Pair, metric: MetricComparison) -> tuple[Text, Text, Text]:
    comparison, digits = pair.comparison, digits_for(pair.comparison.interval)
    means = [value_text(value, metric.info, digits) for value in (comparison.mean_a, comparison.mean_b)]
    return (
        Text(_ARROW.join(means) if comparison.n else NOTHING, style="dim"),
        Text(difference_text(comparison.interval, metric.info)),
        Text(p_of(comparison), style="dim"),
    )


def _verdict(pair: Pair, style: str) -> Text:
    word = Text(pair.comparison.verdict, style=style)
    clusters = f" in {pair.comparison.clusters:,}" if pair.comparison.clusters is not None else ""
    word.append(f"\nn={pair.comparison.n:,}{clusters}", style="dim")
    if not pair.tested:
        word.append(f"\n{why_unknown(pair.comparison)}", style="yellow")
    if pair.more_cases:
        word.append(f"\n+{count(pair.more_cases)} cases?", style="dim")
    return word


def _print_changes(report: ComparisonReport, metric: MetricComparison, console: Console) -> None:
    moved = [pair for pair in metric.pairs if pair.movement.changes][:CHANGES_OF]
    for pair in moved:
        movement = pair.movement
        console.print()
        heading = Text(" Cases that changed most", style="bold")
        names = f"{report.labels[pair.candidate]} vs {report.labels[pair.baseline]}"
        heading.append(f"  {moved_text(pair)}", style="dim not bold")
        if len(metric.pairs) > 1:
            heading.append("  ").append_text(line(names, 2 * NAME_LIMIT, style="dim not bold"))
        console.print(heading)
        table = _grid()
        for change in movement.changes:
            values = [value_text(value, metric.info) for value in (change.before, change.after)]
            up = (change.after > change.before) != metric.lower
            mark, style = MARKS["better" if up else "worse"]
            table.add_row(Text(mark, style=style), line(change.key, NAME_LIMIT), Text(_ARROW.join(values)))
        _indented(console, table)
        if pair.regressed:
            shown = [*pair.regressed[:FLAKY_SHOWN]]
            if len(pair.regressed) > len(shown):
                shown.append(f"{len(pair.regressed) - len(shown):,} more")
            console.print(marked("-", "red", f"worse beyond what flaky answers do: {', '.join(shown)}"))


def _flaky(found: Repeatability) -> Text:
    shown = [f"{case.key} {case.passes}/{case.answers}" for case in found.flaky[:FLAKY_SHOWN]]
    if len(found.flaky) > len(shown):
        shown.append(f"{len(found.flaky) - len(shown):,} more")
    return line(", ".join(shown), 1000, style="dim")


def _print_table(table: TextTable, console: Console) -> None:
    console.print()
    heading = Text(f" {table.title}", style="bold")
    if table.note:
        heading.append("  ").append_text(line(table.note, 1000, style="dim not bold"))
    console.print(heading)
    if not table.rows:
        return
    grid = _grid(*table.heads)
    for row in table.rows:
        grid.add_row(*[line(cell, 1000, style=_style(cell)) for cell in row])
    _indented(console, grid)


def _style(cell: str) -> str:
    """The colour of a verdict, of a cell that begins with one."""
    _, style = MARKS.get(cell.partition(" ")[0], ("", ""))
    return style


def _grid(*headings: str) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD if headings else None,
        pad_edge=False,
        padding=(0, 1),
        show_edge=False,
        show_header=bool(headings),
        header_style="dim",
    )
    for heading in headings:
        numeric = heading in ("rank", "mean", "n", "1,000 answers", "probability")
        table.add_column(
            heading,
            justify="right" if numeric else "left",
            overflow="fold",
            min_width=24 if heading == "which" else None,
        )
    return table


def _indented(console: Console, table: Table) -> None:
    console.print(Padding(table, (0, 0, 0, 1), expand=False))
