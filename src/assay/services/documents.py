"""A summary as JSON, for programs."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import orjson

from assay.domain.canaries import CanaryOutcome
from assay.domain.content import content_hash
from assay.domain.money import NANO
from assay.domain.scores import MetricConfig
from assay.metrics.catalog import get_info
from assay.reports.race import ESTIMATED
from assay.reports.summary import RunSummary
from assay.reports.values import RaceSummary
from assay.services.summaries import JobSummary
from assay.storage.jobs import Job

OPTIONS = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY


def summary_document(outcome: JobSummary) -> str:
    """Job and summary as JSON text; what is not known is null."""
    canaries = outcome.summary.canaries
    document = {"job": job_document(outcome.job, canaries), **summary_values(outcome.summary)}
    return orjson.dumps(document, option=OPTIONS).decode()


def job_document(job: Job, canaries: Sequence[CanaryOutcome] = ()) -> dict[str, Any]:
    """A job's identity, state and cost; of its metrics, whether canaries flagged their judges."""
    return {
        "id": str(job.id),
        "name": job.name,
        "state": job.state,
        "stop_reason": job.stop_reason,
        "dataset": job.dataset,
        "dataset_version": job.dataset_version,
        "dataset_hash": job.dataset_hash.hex(),
        "planned": job.planned,
        "margin": job.plan.margin,
        "metrics": [_metric_values(metric, job, canaries) for metric in job.plan.metrics],
        "spent_usd": job.spent_nanousd / NANO,
        "unpriced_calls": job.unpriced_calls,
        "receipt": job.receipt,
        "parent_job_id": None if job.parent_job_id is None else str(job.parent_job_id),
    }


def _metric_values(metric: MetricConfig, job: Job, canaries: Sequence[CanaryOutcome]) -> dict[str, Any]:
    """What a metric is; its options as a hash, which is enough to tell whether they are the same.

    `judge_flagged` is null where no judge was checked.
    """
    states = {each.state for each in canaries if each.metric == metric.name}
    info = get_info(metric.type)
    return {
        "name": metric.name,
        "type": metric.type,
        "version": job.receipt.get("metrics", {}).get(metric.name, info.version),
        "kind": info.kind,
        "unit": info.unit,
        "better": info.better,
        "threshold": metric.threshold,
        "options": content_hash(metric.options).hex()[:16],
        "judge_flagged": "flagged" in states if states & {"flagged", "held"} else None,
    }


def summary_values(summary: RunSummary) -> dict[str, Any]:
    """The numbers of a summary as plain values; candidates are named by their labels."""
    labels = [candidate.label for candidate in summary.candidates]
    metrics = []
    for each in summary.metrics:
        values = {**asdict(each), "candidate": labels[each.candidate], "coverage": each.coverage}
        metrics.append(
            {**values, "info": {"kind": each.info.kind, "unit": each.info.unit, "version": each.info.version}}
        )
    return {
        "title": summary.title,
        "headline": summary.headline,
        "level": summary.level,
        "margin": summary.margin,
        "candidates": [asdict(candidate) for candidate in summary.candidates],
        "metrics": metrics,
        "verdicts": [
            {
                "metric": verdict.metric,
                "sentence": verdict.sentence,
                "best": None if verdict.best is None else labels[verdict.best],
                "pairs": [
                    {**asdict(pair), "first": labels[pair.first], "second": labels[pair.second]}
                    for pair in verdict.pairs
                ],
            }
            for verdict in summary.verdicts
        ],
        "warnings": list(summary.warnings),
        "canaries": [_canary_values(each) for each in summary.canaries],
        "race": None if summary.race is None else _race_values(summary.race, labels),
    }


def _canary_values(outcome: CanaryOutcome) -> dict[str, Any]:
    values = asdict(outcome)
    cost = values.pop("cost_nanousd")
    return {**values, "cost_usd": None if cost is None else cost / NANO}


def _race_values(race: RaceSummary, labels: Sequence[str]) -> dict[str, Any]:
    return {
        **asdict(race),
        "winner": None if race.winner is None else labels[race.winner],
        "leader": labels[race.leader],
        "candidates": [{**asdict(each), "candidate": labels[each.candidate]} for each in race.candidates],
        "estimates": ESTIMATED,
    }
