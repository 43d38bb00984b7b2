"""A comparison as JSON, for programs."""

from dataclasses import asdict
from typing import Any

import orjson

from assay.reports.comparison_values import (
    ComparisonReport,
    Family,
    FrontTable,
    MetricComparison,
    Pair,
    RankTable,
    Segments,
)
from assay.reports.comparison_words import why_unknown
from assay.services.compare import JobsCompared
from assay.services.contests import job_marks
from assay.services.documents import OPTIONS, job_document
from assay.stats.comparison import Comparison
from assay.stats.estimates import Interval


def comparison_document(found: JobsCompared) -> str:
    """Jobs and comparison as JSON text; what is not known is null, candidates are named by their labels."""
    marks = job_marks(found.jobs)
    document = {
        "jobs": [
            {**job_document(job), "mark": f"@{mark}"} for job, mark in zip(found.jobs, marks, strict=True)
        ],
        "by": found.by,
        "forced": found.forced,
        **comparison_values(found.report),
    }
    return orjson.dumps(document, option=OPTIONS).decode()


def comparison_values(report: ComparisonReport) -> dict[str, Any]:
    """The numbers of a comparison as plain values."""
    return {
        "title": report.title,
        "headline": report.headline,
        "level": report.level,
        "margin": report.margin,
        "scheme": report.scheme,
        "cases": report.cases,
        "candidates": [
            {**asdict(candidate), "job": report.jobs[number], "number": number + 1}
            for number, candidate in enumerate(report.candidates)
        ],
        "metrics": [_metric(each, report.labels) for each in report.metrics],
        "front": None if report.front is None else _front(report.front, report.labels),
        "notes": list(report.notes),
        "warnings": list(report.warnings),
    }


def _metric(metric: MetricComparison, labels: tuple[str, ...]) -> dict[str, Any]:
    return {
        "metric": metric.metric,
        "kind": metric.info.kind,
        "unit": metric.info.unit,
        "better": "lower" if metric.lower else "higher",
        "version": metric.info.version,
        "sentence": metric.sentence,
        "means": [
            {"candidate": label, **_interval(mean)} for label, mean in zip(labels, metric.means, strict=True)
        ],
        "family": _family(metric.family),
        "pairs": [_pair(pair, labels) for pair in metric.pairs],
        "ranking": None if metric.ranking is None else _ranking(metric.ranking, labels),
        "segments": None if metric.segments is None else _segments(metric.segments, labels),
        "repeats": [
            {
                "candidate": each.member,
                "pass_at_k": {str(chance.k): _interval(chance.any_passes) for chance in each.chances},
                "pass_hat_k": {str(chance.k): _interval(chance.all_pass) for chance in each.chances},
                "flake_rate": _interval(each.flake_rate),
                "cases_repeated": each.repeated,
                "flaky": [asdict(case) for case in each.flaky],
            }
            for each in metric.repeats
        ],
    }


def _pair(pair: Pair, labels: tuple[str, ...]) -> dict[str, Any]:
    movement = pair.movement
    return {
        "baseline": labels[pair.baseline],
        "candidate": labels[pair.candidate],
        **_comparison(pair.comparison),
        "absent": pair.absent,
        "unscored": pair.unscored,
        "skipped": pair.skipped,
        "bounds": pair.bounds,
        "more_cases": pair.more_cases,
        "sentence": pair.sentence,
        "improved": movement.improved,
        "worsened": movement.worsened,
        "same": movement.same,
        "regressed": pair.regressed,
        "changes": [
            {
                "case": change.key,
                "from": change.before,
                "to": change.after,
                "answers_from": list(change.answers_before),
                "answers_to": list(change.answers_after),
            }
            for change in movement.changes
        ],
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    """Without an interval there is no difference and no p either: `reason` says why."""
    known = comparison.interval.estimable
    same = comparison.equivalence if known else None
    return {
        "n": comparison.n,
        "clusters": comparison.clusters,
        "mean_baseline": comparison.mean_a,
        "mean_candidate": comparison.mean_b,
        "difference": comparison.difference if known else None,
        "low": comparison.interval.low,
        "high": comparison.interval.high,
        "method": comparison.interval.method,
        "test": comparison.test if known else None,
        "p": comparison.p if known else None,
        "p_adjusted": comparison.p_adjusted if known else None,
        "verdict": comparison.verdict,
        "margin": comparison.margin,
        "equivalence_p": None if same is None else same.p,
        "equivalence_p_adjusted": None if same is None else comparison.equivalence_p_adjusted,
        "reason": why_unknown(comparison) or None,
        "warnings": list(comparison.warnings),
    }


def _family(family: Family) -> dict[str, Any]:
    return asdict(family)


def _interval(interval: Interval) -> dict[str, Any]:
    return {
        "estimate": interval.estimate,
        "low": interval.low,
        "high": interval.high,
        "n": interval.n,
        "clusters": interval.clusters,
        "method": interval.method,
        "reason": interval.reason,
    }


def _ranking(ranking: RankTable, labels: tuple[str, ...]) -> dict[str, Any]:
    return {
        "rows": [{**asdict(row), "candidate": labels[row.candidate]} for row in ranking.rows],
        "n": ranking.n,
        "method": ranking.method,
        "left_out": [labels[number] for number in ranking.left_out],
        "reason": ranking.reason,
    }


def _segments(segments: Segments, labels: tuple[str, ...]) -> dict[str, Any]:
    return {
        "exploratory": True,
        "family": _family(segments.family),
        "rows": [
            {
                "tag": row.tag,
                "cases": row.cases,
                "baseline": labels[row.baseline],
                "candidate": labels[row.candidate],
                **_comparison(row.comparison),
            }
            for row in segments.rows
        ],
    }


def _front(front: FrontTable, labels: tuple[str, ...]) -> dict[str, Any]:
    return {
        "metric": front.metric,
        "n": front.n,
        "rows": [
            {
                **asdict(row),
                "candidate": labels[row.candidate],
                "dominated_by": [labels[number] for number in row.dominated_by],
            }
            for row in front.rows
        ],
        "left_out": [labels[number] for number in front.left_out],
        "reason": front.reason,
    }
