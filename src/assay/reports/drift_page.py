"""Drift of a judge in words and tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assay.reports.calibration_page import number
from assay.reports.comparison_tables import TextTable
from assay.reports.table_pages import TablePage
from assay.reports.wording import NOTHING, p_text, percent, plural, signed
from assay.stats.drift import Drift
from assay.stats.estimates import Interval

_SENTENCES = {
    "stable": "the judge is stable: its mean score has not moved by more than the margin",
    "drifted": "the judge has drifted",
    "inconclusive": "these anchors do not tell whether the judge has drifted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """Two judgements of the same answers. `judges` are documents of both metrics."""

    earlier: str
    later: str
    judges: tuple[Mapping[str, Any], Mapping[str, Any]]
    drift: Drift
    notes: tuple[str, ...]


def drift_page(report: DriftReport) -> TablePage:
    """The page of a report."""
    found = report.drift
    shift = found.shift
    clusters = "" if shift.clusters is None else f" in {plural(shift.clusters, 'independent case')}"
    means = f"{_number(shift.mean_a)} to {_number(shift.mean_b)}"
    rows = (
        ("mean score", means, "", ""),
        ("shift, later less earlier", _signed(shift.interval), _bounds(shift.interval), shift.test),
        ("margin", f"+-{found.margin:g}", "", ""),
        ("p of no shift", p_text(shift.p).removeprefix("p=").removeprefix("p"), "", shift.test),
        ("same score", percent(found.same.estimate or 0.0), _bounds(found.same), found.same.method),
        ("mean distance of both scores", f"{found.moved:.3f}", "", ""),
        (
            "concordance (Lin)",
            _number(found.agreement.estimate),
            _bounds(found.agreement),
            found.agreement.method,
        ),
    )
    readable = tuple((what, value, bounds, method.replace("_", " ")) for what, value, bounds, method in rows)
    return TablePage(
        title=f"{found.verdict}: {_SENTENCES[found.verdict]}",
        subtitle=f"{report.later} against {report.earlier}, {plural(found.n, 'answer')}{clusters} of both",
        tables=(
            TextTable(title="Anchors", note="", heads=("what", "value", "interval", "method"), rows=readable),
        ),
        cautions=(*report.notes, *shift.warnings),
        footnote="95% intervals, tests at 5%; stable: two one-sided tests keep the shift within the margin.",
    )


def _number(value: float | None) -> str:
    return NOTHING if value is None else number(value, 3)


def _signed(interval: Interval) -> str:
    return NOTHING if interval.estimate is None else signed(interval.estimate, 3)


def _bounds(interval: Interval) -> str:
    if interval.low is None or interval.high is None:
        return interval.reason or ""
    return f"[{number(interval.low, 3)}, {number(interval.high, 3)}]"
