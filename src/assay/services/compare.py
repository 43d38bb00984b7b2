"""Two jobs side by side, paired by case."""

from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np

from assay.domain.errors import Conflict
from assay.reports.summary import CandidateData, MetricData, RunSummary, summarise
from assay.services.context import Context
from assay.services.summaries import read_tables
from assay.storage import jobs as stored


@dataclass(frozen=True, slots=True, kw_only=True)
class JobComparison:
    """The candidates of two jobs as one summary; names end in @ and the end of their job's id."""

    first: stored.Job
    second: stored.Job
    summary: RunSummary
    notes: tuple[str, ...]


async def compare_jobs(
    context: Context, first_id: UUID, second_id: UUID, *, margin: float | None = None, force: bool = False
) -> JobComparison:
    """Compare what two jobs scored on the same cases.

    Raises Conflict when data set or metric versions differ, unless `force`: then cases are paired by id
    and the notes say what differs.
    """
    organization_id = context.organization_id
    async with context.database.transaction(organization_id) as connection:
        first = await stored.get_job(connection, organization_id, first_id)
        second = await stored.get_job(connection, organization_id, second_id)
        notes = _differences(first, second)
        if notes and not force:
            raise Conflict(
                "; ".join(notes), remedy="Compare all the same with --force: cases are paired by id."
            )
        tables = [await read_tables(connection, organization_id, job) for job in (first, second)]
    tables[1] = tables[1].renumbered(tables[0])
    candidates: list[CandidateData] = []
    metrics: list[MetricData] = []
    for job, table in zip((first, second), tables, strict=True):
        metrics += [replace(data, candidate=data.candidate + len(candidates)) for data in table.metrics()]
        candidates += [
            replace(data, prompt=f"{data.prompt} @{str(job.id)[-6:]}") for data in table.candidates()
        ]
    summary = summarise(
        candidates,
        metrics,
        rng=np.random.default_rng(first.plan.seed),
        title=f"{first.name} @{str(first.id)[-6:]} and {second.name} @{str(second.id)[-6:]}",
        margin=margin if margin is not None else first.plan.margin,
    )
    return JobComparison(first=first, second=second, summary=summary, notes=notes)


def _differences(first: stored.Job, second: stored.Job) -> tuple[str, ...]:
    notes = []
    if first.dataset_hash != second.dataset_hash:
        notes.append(
            f"the data sets differ: {first.dataset} v{first.dataset_version} and "
            f"{second.dataset} v{second.dataset_version}"
        )
    ours, theirs = first.receipt.get("metrics", {}), second.receipt.get("metrics", {})
    notes += [
        f"metric {name} has version {ours[name]} in one and {theirs[name]} in the other"
        for name in sorted(ours.keys() & theirs.keys())
        if ours[name] != theirs[name]
    ]
    changed = {m.name: m for m in first.plan.metrics}
    notes += [
        f"metric {metric.name} has other options"
        for metric in second.plan.metrics
        if metric.name in changed and changed[metric.name].options != metric.options
    ]
    return tuple(notes)
