"""A comparison as one HTML file: no script, no request to anywhere."""

from dataclasses import dataclass
from typing import TextIO, get_args

from markupsafe import Markup

from assay.reports.charts import forest_axis, scatter
from assay.reports.comparison_tables import TextTable, front_rows, metric_tables
from assay.reports.comparison_values import ComparisonReport, MetricComparison, Pair
from assay.reports.comparison_words import difference_text, moved_text, p_of, tallied, why_unknown
from assay.reports.html import ENVIRONMENT, STYLE, policy_of
from assay.reports.picture import pair_plot, scale_of, trade_points
from assay.reports.untrusted import one_line
from assay.reports.wording import percent, plural, value_text
from assay.stats.comparison import Verdict

CHANGES_OF = 30
"""Of how many pairs of a metric the changed cases are shown."""
_ARROW = " \N{RIGHTWARDS ARROW} "


@dataclass(frozen=True, slots=True, kw_only=True)
class PairView:
    """A row of a forest plot."""

    candidate: str
    baseline: str
    chart: Markup
    difference: str
    means: str
    n: str
    p: str
    verdict: str
    outlook: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeView:
    """A changed case; `direction` is the verdict's word for it."""

    key: str
    before: str
    after: str
    direction: str
    answers_before: tuple[str, ...]
    answers_after: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedView:
    """The changed cases of a pair."""

    candidate: str
    baseline: str
    counts: str
    rows: tuple[ChangeView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricView:
    """All of one metric."""

    name: str
    sentence: str
    family: str
    margin: str
    pairs: tuple[PairView, ...]
    axis: Markup
    changes: tuple[MovedView, ...]
    tables: tuple[TextTable, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonPage:
    """The whole page."""

    title: str
    headline: str
    size: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    metrics: tuple[MetricView, ...]
    front: TextTable | None
    scatter: Markup | None
    verdicts: tuple[str, ...] = get_args(Verdict)


def write_comparison_html(out: TextIO, report: ComparisonReport) -> None:
    """Write the page; `out` must take UTF-8."""
    out.write(_TEMPLATE.render(page=_page(report), policy=policy_of(STYLE), style=STYLE))


def _page(report: ComparisonReport) -> ComparisonPage:
    points, front = trade_points(report), report.front
    size = f"{plural(len(report.candidates), 'candidate')}, {plural(report.cases, 'case')}"
    drawn = None
    if len(points) > 1 and front is not None:
        drawn = scatter(points, "US dollars for 1,000 answers", front.metric)
    return ComparisonPage(
        title=report.title,
        headline=report.headline,
        size=f"{size}, {percent(report.level)} intervals, paired by case",
        notes=report.notes,
        warnings=report.warnings,
        metrics=tuple(_metric(report, metric) for metric in report.metrics),
        front=None if front is None else front_rows(report, front),
        scatter=drawn,
    )


def _metric(report: ComparisonReport, metric: MetricComparison) -> MetricView:
    scale = scale_of(metric)
    margin = next((pair.comparison.margin for pair in metric.pairs), None)
    moved = [pair for pair in metric.pairs if pair.movement.changes][:CHANGES_OF]
    direction = ", lower is better" if metric.lower else ""
    return MetricView(
        name=one_line(metric.metric, 80),
        sentence=metric.sentence,
        family=f"{metric.family.text}{direction}",
        margin="" if margin is None else f"{margin:g}",
        pairs=tuple(_pair(report, metric, pair, scale) for pair in metric.pairs),
        axis=forest_axis(scale),
        changes=tuple(_moved(report, metric, pair) for pair in moved),
        tables=tuple(metric_tables(report, metric)),
    )


def _pair(
    report: ComparisonReport, metric: MetricComparison, pair: Pair, scale: tuple[float, float]
) -> PairView:
    comparison = pair.comparison
    clusters = "" if comparison.clusters is None else f" in {comparison.clusters:,} clusters"
    means = [value_text(value, metric.info) for value in (comparison.mean_a, comparison.mean_b)]
    more = f"about {pair.more_cases:,} more cases needed" if pair.more_cases else ""
    return PairView(
        candidate=one_line(report.labels[pair.candidate], 120),
        baseline=one_line(report.labels[pair.baseline], 120),
        chart=pair_plot(metric, pair, scale),
        difference=difference_text(comparison.interval, metric.info),
        means=_ARROW.join(means),
        n=f"{comparison.n:,}{clusters}",
        p=p_of(comparison).removeprefix("p=").removeprefix("p"),
        verdict=comparison.verdict,
        outlook=why_unknown(comparison) or more,
    )


def _moved(report: ComparisonReport, metric: MetricComparison, pair: Pair) -> MovedView:
    rows = tuple(
        ChangeView(
            key=one_line(change.key, 120),
            before=value_text(change.before, metric.info),
            after=value_text(change.after, metric.info),
            direction="better" if (change.after > change.before) != metric.lower else "worse",
            answers_before=tallied(change.answers_before),
            answers_after=tallied(change.answers_after),
        )
        for change in pair.movement.changes
    )
    return MovedView(
        candidate=one_line(report.labels[pair.candidate], 120),
        baseline=one_line(report.labels[pair.baseline], 120),
        counts=moved_text(pair),
        rows=rows,
    )


_TEMPLATE = ENVIRONMENT.get_template("comparison.html.jinja")
