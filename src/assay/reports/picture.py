"""A comparison as one SVG: a forest plot of the differences of each metric, and cost against quality."""

from collections.abc import Iterator

from markupsafe import Markup, escape

from assay.reports.charts import Point, forest_axis, forest_range, forest_row, scatter
from assay.reports.comparison_values import ComparisonReport, MetricComparison, Pair
from assay.reports.comparison_words import difference_text, p_of, why_unknown
from assay.reports.untrusted import one_line
from assay.reports.wording import percent, plural
from assay.stats.estimates import Interval

PAIRS_SHOWN = 40
_WIDTH, _LEFT, _PLOT, _ROW = 940, 20, 320, 34
_NUMBERS = 616
# A picture stands alone and is shown by programs that know no variables of CSS.
_STYLE = """
text { font: 400 12px Inter, system-ui, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; fill: #16191f; }
.title { font-size: 16px; font-weight: 600; } .metric { font-size: 14px; font-weight: 600; }
.dim, .tick { fill: #5c6470; font-size: 11px; } .name { font-weight: 500; } .tag { font-weight: 500; }
.better { fill: #0f7a43; font-weight: 500; } .worse { fill: #c22f2f; font-weight: 500; }
.equivalent { fill: #4053d6; font-weight: 500; } .inconclusive { fill: #5c6470; }
.axis { stroke: #8a919c; } .grid { stroke: #e5e7eb; } .band { fill: #e9ecfb; }
.zero { stroke: #5c6470; stroke-dasharray: 3 2; } .whisker { stroke: #4053d6; stroke-width: 2; }
.dot { fill: #4053d6; } .whisker.open { stroke: #8a919c; }
circle.open { fill: #fff; stroke: #8a919c; stroke-width: 2; }
"""


def comparison_picture(report: ComparisonReport) -> str:
    """An SVG that stands alone: no script, nothing fetched, texts of others as text only."""
    parts: list[str] = []
    y = 32.0
    parts.append(_text(_LEFT, y, one_line(report.title, 100), "title"))
    size = f"{plural(len(report.candidates), 'candidate')}, {plural(report.cases, 'case')}"
    parts.append(_text(_LEFT, y + 18, f"{size}, {percent(report.level)} intervals", "dim"))
    y += 44
    for note in report.notes:
        parts.append(_text(_LEFT, y, one_line(f"Note: {note}", 150), "worse"))
        y += 16
    for metric in report.metrics:
        if metric.pairs:
            drawn, y = _forest(report, metric, y)
            parts += drawn
    drawn, y = _trade(report, y)
    parts += drawn
    label = escape(one_line(f"Comparison: {report.headline}", 300))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{y:g}" '
        f'viewBox="0 0 {_WIDTH} {y:g}" role="img" aria-label="{label}">'
        f'<style>{_STYLE}</style><rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def scale_of(metric: MetricComparison) -> tuple[float, float]:
    """The scale that all pairs of a metric share."""
    intervals = [_shown(pair) for pair in metric.pairs]
    low, high = forest_range(intervals, _margin(metric), least=0.0 if metric.info.kind == "measure" else 0.05)
    return (low, high) if high > low else (-1.0, 1.0)


def pair_plot(metric: MetricComparison, pair: Pair, scale: tuple[float, float]) -> Markup:
    """The row of a forest plot; nothing but the scale where there is no interval."""
    label = f"{metric.metric}: {difference_text(pair.comparison.interval, metric.info)}"
    return forest_row(_shown(pair), scale, _margin(metric), label)


def trade_points(report: ComparisonReport) -> list[Point]:
    """Cost of 1,000 answers against the mean of the front's metric, with the interval of all its cases."""
    front = report.front
    if front is None or not front.rows:
        return []
    means = next(each.means for each in report.metrics if each.metric == front.metric)
    return [
        Point(
            tag=str(row.candidate + 1),
            label=report.labels[row.candidate],
            x=1000 * row.cost_usd,
            quality=means[row.candidate],
            open=not row.on_front,
        )
        for row in front.rows
        if means[row.candidate].estimate is not None
    ]


def _forest(report: ComparisonReport, metric: MetricComparison, top: float) -> tuple[list[str], float]:
    y = top + 22
    direction = ", lower is better" if metric.lower else ""
    parts = [
        _text(_LEFT, y, one_line(metric.metric, 60), "metric"),
        _text(_LEFT, y + 16, one_line(f"{metric.family.text}{direction}", 150), "dim"),
    ]
    y += 28
    scale = scale_of(metric)
    for pair in metric.pairs[:PAIRS_SHOWN]:
        parts += _row(report, metric, pair, scale, y)
        y += _ROW
    parts.append(_at(_PLOT, y, forest_axis(scale)))
    y += 26
    if len(metric.pairs) > PAIRS_SHOWN:
        hidden = plural(len(metric.pairs) - PAIRS_SHOWN, "more pair")
        parts.append(_text(_LEFT, y, f"{hidden} in the JSON report", "dim"))
        y += 16
    return parts, y


def _row(
    report: ComparisonReport, metric: MetricComparison, pair: Pair, scale: tuple[float, float], y: float
) -> Iterator[str]:
    comparison = pair.comparison
    yield _text(_LEFT, y + 14, one_line(report.labels[pair.candidate], 40), "name")
    yield _text(_LEFT, y + 28, one_line(f"vs {report.labels[pair.baseline]}", 44), "dim")
    yield _at(_PLOT, y, pair_plot(metric, pair, scale))
    number = difference_text(comparison.interval, metric.info)
    yield _text(_NUMBERS, y + 14, f"{number}  {p_of(comparison)}", "")
    clusters = "" if comparison.clusters is None else f" in {plural(comparison.clusters, 'cluster')}"
    why = one_line(why_unknown(comparison), 50)
    yield _text(_NUMBERS, y + 28, f"n={comparison.n:,}{clusters}  {why}", "dim")
    yield _text(_WIDTH - 20, y + 14, comparison.verdict, comparison.verdict, "end")


def _trade(report: ComparisonReport, top: float) -> tuple[list[str], float]:
    points, front = trade_points(report), report.front
    if len(points) < 2 or front is None:
        return [], top + 10
    y = top + 30
    parts = [
        _text(_LEFT, y, "Cost and quality (hollow: not on the front)", "metric"),
        _at(_LEFT, y + 12, scatter(points, "US dollars for 1,000 answers", one_line(front.metric, 60))),
    ]
    y += 350
    for row in front.rows:
        name = one_line(report.labels[row.candidate], 60)
        words = f"{row.candidate + 1}  {name}: on the front in {percent(row.probability)} of the draws"
        if row.dominated_by:
            beaten = ", ".join(one_line(report.labels[number], 30) for number in row.dominated_by[:3])
            words += f"; dominated by {beaten}"
        parts.append(_text(_LEFT, y, words, "dim"))
        y += 16
    return parts, y + 10


def _shown(pair: Pair) -> Interval:
    """The interval, without the estimate where there are no bounds."""
    interval = pair.comparison.interval
    if interval.estimable:
        return interval
    return Interval(
        estimate=None, low=None, high=None, level=interval.level, method=interval.method, n=interval.n
    )


def _margin(metric: MetricComparison) -> float | None:
    return next((pair.comparison.margin for pair in metric.pairs), None)


def _at(x: float, y: float, drawn: str) -> str:
    return f'<g transform="translate({x:g} {y:g})">{drawn}</g>'


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'
