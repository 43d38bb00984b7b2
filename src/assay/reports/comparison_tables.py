"""Rankings, segments, repeats and the front as plain rows of text."""

from collections.abc import Iterator
from dataclasses import dataclass

from assay.reports.comparison_values import ComparisonReport, FrontTable, MetricComparison
from assay.reports.comparison_words import difference_text, mean_text, p_of, why_unknown
from assay.reports.wording import dollars, listed, percent, plural, score, value_text

FLAKY_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTable:
    """A table of texts; names in it are as others wrote them."""

    title: str
    note: str
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def metric_tables(
    report: ComparisonReport, metric: MetricComparison, *, flaky_shown: int = FLAKY_SHOWN
) -> Iterator[TextTable]:
    """What there is of a metric beside its pairs."""
    if metric.ranking is not None:
        yield _ranking(report, metric)
    if metric.segments is not None:
        yield _segments(report, metric)
    if any(each.repeated for each in metric.repeats):
        yield _repeats(metric, flaky_shown)


def front_rows(report: ComparisonReport, front: FrontTable) -> TextTable:
    """The front, the cheapest first."""
    left_out = [report.labels[number] for number in front.left_out]
    notes = [f"On {front.metric}, {plural(front.n, 'case')} of which all have a score and a known cost."]
    if front.reason is not None:
        notes = [f"No front: {front.reason}."]
    if left_out:
        notes.append(f"Cost unknown: {listed(left_out)}.")
    return TextTable(
        title="Cost and quality",
        note=" ".join(notes),
        heads=("", "candidate", "mean", "1,000 answers", "on the front", "probability", "dominated by"),
        rows=tuple(
            (
                str(row.candidate + 1),
                report.labels[row.candidate],
                score(row.quality),
                dollars(1000 * row.cost_usd),
                "yes" if row.on_front else "no",
                percent(row.probability),
                ", ".join(report.labels[number] for number in row.dominated_by),
            )
            for row in sorted(front.rows, key=lambda row: (row.cost_usd, -row.quality))
        ),
    )


def _ranking(report: ComparisonReport, metric: MetricComparison) -> TextTable:
    ranking = metric.ranking
    if ranking is None or ranking.reason is not None:
        reason = "" if ranking is None else f"None: {ranking.reason}."
        return TextTable(title="Ranking", note=reason)
    note = f"On the {plural(ranking.n, 'case')} that all have; all rank intervals hold together."
    if ranking.left_out:
        note += f" Without any score: {listed([report.labels[number] for number in ranking.left_out])}."
    rows = tuple(
        (
            str(row.rank),
            str(row.low) if row.low == row.high else f"{row.low} to {row.high}",
            report.labels[row.candidate],
            value_text(row.mean, metric.info),
        )
        for row in ranking.rows
    )
    return TextTable(title="Ranking", note=note, heads=("rank", "between", "candidate", "mean"), rows=rows)


def _segments(report: ComparisonReport, metric: MetricComparison) -> TextTable:
    segments = metric.segments
    if segments is None:
        return TextTable(title="Segments", note="")
    rows = tuple(
        (
            "(no tag)" if row.tag is None else row.tag,
            f"{report.labels[row.candidate]} vs {report.labels[row.baseline]}",
            f"{row.comparison.n:,}",
            difference_text(row.comparison.interval, metric.info),
            p_of(row.comparison),
            " ".join([row.comparison.verdict, why_unknown(row.comparison)]).strip(),
        )
        for row in segments.rows
    )
    heads = ("tag", "pair", "n", "difference", "p", "verdict")
    return TextTable(title="Segments", note=segments.family.text, heads=heads, rows=rows)


def _repeats(metric: MetricComparison, flaky_shown: int) -> TextTable:
    known = [each for each in metric.repeats if each.repeated]
    most = max(len(each.chances) for each in known)
    rows = []
    for each in known:
        first, last = each.chances[0], each.chances[-1]
        numbers = (first.any_passes, last.any_passes, last.all_pass, each.flake_rate)
        flaky = [f"{case.key} {case.passes}/{case.answers}" for case in each.flaky[:flaky_shown]]
        if len(each.flaky) > len(flaky):
            flaky.append(f"{len(each.flaky) - len(flaky):,} more")
        rows.append(
            (
                each.member,
                *[mean_text(number, metric.info) for number in numbers],
                f"{len(each.flaky):,} of {each.repeated:,}",
                *([", ".join(flaky)] if flaky_shown else []),
            )
        )
    heads = ["candidate", "pass@1", f"pass@{most}", f"pass^{most}", "flake rate", "flaky"]
    heads += ["which"] if flaky_shown else []
    note = (
        "pass@k: at least one of k answers passes; pass^k: all k do; flake: two answers to a case disagree."
    )
    return TextTable(title="Repeats", note=note, heads=tuple(heads), rows=tuple(rows))
