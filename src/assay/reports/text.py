"""A summary on a terminal: as good without colours, and in 80 columns."""

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from assay.reports.untrusted import one_line
from assay.reports.values import (
    CandidateSummary,
    MetricSummary,
    MetricVerdict,
    PairSummary,
    RaceSummary,
    RunSummary,
)
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
    plural,
    range_text,
    run_size,
    signed_range,
    value_text,
)

# More pairs than these of one metric are left to the other reports.
PAIRS_SHOWN = 10
NAME_LIMIT = 60
_NAME_COLUMN = 20
_METRIC_COLUMN = 15
_WORK_COLUMNS = 52
# What a line of a pair needs beside its two names.
_PAIR_NUMBERS = 58

MARKS = {
    "better": ("+", "green"),
    "worse": ("-", "red"),
    "equivalent": ("=", "blue"),
    "inconclusive": ("?", "yellow"),
}


def render_summary(summary: RunSummary, console: Console) -> None:
    """Print verdict, scores, work, paired differences and warnings."""
    console.print()
    title = line(summary.title, 200, style="bold")
    console.print(title.append(f"  {run_size(summary)}", style="dim not bold"))
    if summary.headline:
        console.print(line(summary.headline, 1000))
    if summary.race is not None:
        console.print(line(summary.race.savings, 1000))
        console.print()
        console.print(_race_table(summary, summary.race))
    for table in _tables(summary, console.width):
        console.print()
        console.print(table)
    _print_pairs(summary, console)
    _print_warnings(summary.warnings, console)
    console.print()


def _race_table(summary: RunSummary, race: RaceSummary) -> Table:
    """Why each candidate was not asked more, in the order of the cases that it took."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False, header_style="dim")
    table.add_column("race", overflow="fold", max_width=34)
    table.add_column("cases", justify="right", no_wrap=True)
    table.add_column("how it ended", overflow="fold")
    for each in sorted(race.candidates, key=lambda each: (each.ending != "won", -each.seen)):
        style = "bold green" if each.ending == "won" else ""
        table.add_row(
            line(summary.candidates[each.candidate].label, NAME_LIMIT, style="bold"),
            f"{each.seen:,} of {race.cases:,}",
            line(each.reason, 200, style=style),
        )
    return table


def _tables(summary: RunSummary, width: int) -> Iterable[Table]:
    """The scores, a table for as many metrics as fit, then the work beside the last of them or below."""
    names = summary.metric_names
    fit = max(1, (width - _NAME_COLUMN) // _METRIC_COLUMN)
    groups = [names[start : start + fit] for start in range(0, len(names), fit)] or [()]
    free = width - _NAME_COLUMN - len(groups[-1]) * _METRIC_COLUMN
    for group in groups[:-1]:
        yield _table(summary, group, work=False)
    if free >= _WORK_COLUMNS:
        yield _table(summary, groups[-1], work=True)
        return
    if groups[-1]:
        yield _table(summary, groups[-1], work=False)
    yield _table(summary, (), work=True)


def _table(summary: RunSummary, names: Sequence[str], *, work: bool) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False, header_style="dim", leading=1
    )
    table.add_column("candidate", overflow="fold", min_width=12, max_width=34)
    for name in names:
        table.add_column(line(name, NAME_LIMIT), justify="right", overflow="fold")
    if work:
        for heading in ("tokens", "cost", "latency", "errors"):
            table.add_column(heading, justify="right")
    for number, candidate in enumerate(summary.candidates):
        cells = [_score(summary.metric_of(number, name)) for name in names]
        table.add_row(_name(candidate), *cells, *(_work(candidate) if work else ()))
    return table


def _name(candidate: CandidateSummary) -> Text:
    label = line(candidate.label, NAME_LIMIT, style="bold")
    if candidate.label == f"{candidate.prompt} \N{MIDDLE DOT} {candidate.model}":
        label = line(candidate.prompt, NAME_LIMIT, style="bold")
        label.append("\n").append_text(line(candidate.model, NAME_LIMIT, style="dim"))
    return label


def _score(metric: MetricSummary | None) -> Text:
    """The mean, its interval, and what is missing: a line each."""
    if metric is None:
        return Text(NOTHING, style="dim")
    cell = Text(value_text(metric.mean.estimate, metric.info, digits_for(metric.mean)), style="bold")
    bounds = range_text(metric.mean, metric.info)
    if bounds:
        cell.append(f"\n{bounds}", style="dim not bold")
    if (
        metric.pass_rate is not None
        and metric.pass_rate.estimate is not None
        and metric.info.kind != "binary"
    ):
        cell.append(f"\n{percent(metric.pass_rate.estimate)} pass", style="dim not bold")
    if metric.scored < metric.planned:
        cell.append(f"\n{metric.scored:,}/{metric.planned:,} scored", style="yellow not bold")
    return cell


def _work(candidate: CandidateSummary) -> tuple[Text, Text, Text, Text]:
    return _tokens(candidate), _cost(candidate), _latency(candidate), _errors(candidate)


def _tokens(candidate: CandidateSummary) -> Text:
    if candidate.input_tokens is None or candidate.output_tokens is None:
        return Text("unknown" if candidate.succeeded else NOTHING, style="dim")
    cell = Text(f"{count(candidate.input_tokens)} in\n{count(candidate.output_tokens)} out")
    return _noted(cell, candidate.unknown_tokens, "unknown")


def _cost(candidate: CandidateSummary) -> Text:
    if candidate.cost_usd is None:
        return Text("unknown" if candidate.succeeded else NOTHING, style="dim")
    cell = _noted(Text(dollars(candidate.cost_usd)), candidate.unknown_costs, "unknown")
    judged = judge_cost(candidate)
    if judged is not None:
        cell.append(f"\n{judged}", style="dim")
    return _noted(cell, candidate.cached, "cached")


def _latency(candidate: CandidateSummary) -> Text:
    p50, p95 = candidate.p50_ms.estimate, candidate.p95_ms.estimate
    if p50 is None or p95 is None:
        return Text(NOTHING, style="dim")
    return Text(f"p50 {duration(p50)}\np95 {duration(p95)}")


def _errors(candidate: CandidateSummary) -> Text:
    cell = Text(f"{candidate.errors:,}", style="red" if candidate.errors else "dim")
    for code, number in list(candidate.failures.items())[:2]:
        cell.append(f"\n{number:,} ", style="red").append_text(line(code, 20, style="red"))
    cell = _noted(cell, candidate.not_needed, "not needed")
    return _noted(cell, candidate.pending + candidate.cancelled - candidate.not_needed, "not run")


def _noted(cell: Text, number: int, what: str) -> Text:
    return cell.append(f"\n{number:,} {what}", style="dim") if number else cell


def _print_pairs(summary: RunSummary, console: Console) -> None:
    verdicts = [verdict for verdict in summary.verdicts if verdict.pairs]
    if not verdicts:
        return
    looks = max(len(verdict.pairs) for verdict in verdicts)
    how = f", p adjusted for the {looks} pairs of a metric" if looks > 1 else ""
    console.print()
    console.print(Text("Differences", style="bold").append(f" by case{how}", style="dim not bold"))
    for verdict in verdicts:
        if len(verdict.pairs) == 1:
            mark, style = MARKS[verdict.pairs[0].comparison.verdict]
            console.print(marked(mark, style, verdict.pairs[0].sentence))
            continue
        console.print()
        # The headline was printed above.
        sentence = verdict.sentence if verdict.sentence != summary.headline else f"On {verdict.metric}:"
        console.print(Padding(line(sentence, 1000), (0, 0, 0, 1), expand=False))
        console.print(Padding(_pair_table(verdict, summary, console.width), (0, 0, 0, 1), expand=False))


def _pair_table(verdict: MetricVerdict, summary: RunSummary, width: int) -> Table:
    """A line a pair: a sentence each would drown the numbers."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True)
    table.add_column(min_width=12)
    shown = verdict.pairs[:PAIRS_SHOWN]
    names = [[line(summary.candidates[n].label, NAME_LIMIT) for n in (p.first, p.second)] for p in shown]
    beside = all(len(first) + len(second) <= width - _PAIR_NUMBERS for first, second in names)
    for pair, (first, second) in zip(shown, names, strict=True):
        versus = Text(" vs " if beside else "\nvs ", style="dim")
        table.add_row(*_pair_row(pair, first.append_text(versus).append_text(second)))
    if len(verdict.pairs) > len(shown):
        hidden = plural(len(verdict.pairs) - len(shown), "more pair")
        table.add_row("", Text(f"{hidden} in the HTML report", style="dim"))
    return table


def _pair_row(pair: PairSummary, names: Text) -> tuple[Text, ...]:
    mark, style = MARKS[pair.comparison.verdict]
    word = Text(pair.comparison.verdict, style=style)
    if pair.more_cases:
        word.append(f"\n+{count(pair.more_cases)} cases?", style="dim")
    difference = Text(signed_range(pair.comparison.interval))
    return (
        Text(mark, style=style),
        names,
        difference,
        Text(p_text(adjusted_p(pair.comparison)), style="dim"),
        word,
    )


def _print_warnings(warnings: Sequence[str], console: Console) -> None:
    if not warnings:
        return
    console.print()
    console.print(Text("Mind", style="bold"))
    for warning in warnings:
        console.print(marked("!", "yellow", warning))


def marked(mark: str, style: str, sentence: str) -> Padding:
    """A sentence that hangs right of its mark."""
    grid = Table.grid(padding=(0, 1))
    grid.add_row(Text(mark, style=style), line(sentence, 1000))
    return Padding(grid, (0, 0, 0, 1), expand=False)


def line(text: str, limit: int, style: str = "") -> Text:
    """Text that others may have written: never read as markup, no control characters."""
    return Text(one_line(text, limit), style=style)
