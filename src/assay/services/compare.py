"""Jobs and what is in them, side by side, paired by case."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from assay.domain.errors import Conflict, InvalidInput
from assay.metrics.catalog import get_info
from assay.reports.canaries import flags
from assay.reports.comparing import TOP_CHANGES, Wish, compare_contest
from assay.reports.comparison_values import ComparisonReport
from assay.reports.untrusted import one_line
from assay.services.changed_answers import with_answers
from assay.services.contests import By, JobContest, job_marks, read_contest
from assay.services.context import Context
from assay.services.summaries import read_job_canaries
from assay.storage import jobs as stored
from assay.storage.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to compare and how.

    `by`: what a candidate is. `metrics`: which to compare on; none means all. `segments`: by tag as well, of
    `tags` or, without any, of all. `baseline` names a candidate. `margin` None takes the first job's. `force`
    compares although data sets or metrics differ.
    """

    by: By = "candidate"
    metrics: tuple[str, ...] = ()
    margin: float | None = None
    baseline: str | None = None
    segments: bool = False
    tags: tuple[str, ...] = ()
    top: int = TOP_CHANGES
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsCompared:
    """A comparison and the jobs that it is of. `forced`: they differ in more than their candidates."""

    jobs: tuple[stored.Job, ...]
    by: By
    forced: bool
    report: ComparisonReport


async def compare_jobs(context: Context, job_ids: Sequence[UUID], request: Request) -> JobsCompared:
    """Compare the candidates of one job or of several on the same cases.

    Raises Conflict when data set, metric versions or options differ, unless `force`: then cases are paired by
    id and notes say what differs. Raises InvalidInput for a job named twice, one candidate alone, and unknown
    metrics, tags and baselines.
    """
    organization_id = context.organization_id
    async with context.database.transaction(organization_id) as connection:
        jobs = await _jobs(connection, organization_id, job_ids)
        differences = [note for other in jobs[1:] for note in _differences(jobs[0], other)]
        if differences and not request.force:
            raise Conflict(
                "; ".join(dict.fromkeys(differences)),
                remedy="Compare all the same with --force: cases are paired by id.",
            )
        names, notes = _metrics(jobs, request.metrics)
        tagged = request.segments or bool(request.tags)
        found = await read_contest(
            connection, organization_id, jobs, by=request.by, metrics=names, tagged=tagged
        )
        wish = _wish(found, jobs[0], request)
        flagged = await _flagged(connection, organization_id, jobs, names)
        report = await asyncio.to_thread(
            compare_contest,
            found.contest,
            wish,
            title=_title(jobs),
            notes=[*flagged, *dict.fromkeys(differences), *notes],
        )
        report = await with_answers(connection, organization_id, jobs, found, report)
    return JobsCompared(jobs=tuple(jobs), by=request.by, forced=bool(differences), report=report)


async def _jobs(connection: Connection, organization_id: UUID, job_ids: Sequence[UUID]) -> list[stored.Job]:
    if len(set(job_ids)) < len(job_ids):
        raise InvalidInput(
            "a job is named twice: it cannot be compared with itself",
            remedy="Name another job, or this one alone to compare what is in it.",
        )
    return [await stored.get_job(connection, organization_id, job_id) for job_id in job_ids]


async def _flagged(
    connection: Connection, organization_id: UUID, jobs: Sequence[stored.Job], names: Sequence[str]
) -> list[str]:
    """What canaries found of the judges of these metrics, a note for each job and metric."""
    notes = []
    for job, mark in zip(jobs, job_marks(jobs), strict=True):
        canaries = await read_job_canaries(connection, organization_id, job)
        found = flags([each for each in canaries if each.metric in names])
        notes += [f"{job.name} @{mark}: {note}" if len(jobs) > 1 else note for note in found]
    return notes


def _title(jobs: Sequence[stored.Job]) -> str:
    if len(jobs) == 1:
        return f"{jobs[0].name} @{job_marks(jobs)[0]}"
    names = [f"{job.name} @{mark}" for job, mark in zip(jobs, job_marks(jobs), strict=True)]
    return " and ".join(names) if len(names) == 2 else f"{names[0]} and {len(names) - 1} other jobs"


def _wish(found: JobContest, first: stored.Job, request: Request) -> Wish:
    contest = found.contest
    unknown = [tag for tag in request.tags if tag not in contest.tags]
    if unknown:
        known = ", ".join(one_line(tag, 60) for tag in sorted(contest.tags)[:20]) or "none"
        raise InvalidInput(
            f"no case has the tag {one_line(unknown[0], 80)!r}", field="segment", remedy=f"Tags: {known}."
        )
    if request.segments and not contest.tags:
        raise InvalidInput(
            "no case has a tag: there are no segments", field="segments", remedy="Give cases `tags`."
        )
    return Wish(
        rng=np.random.default_rng(first.plan.seed),
        margin=request.margin if request.margin is not None else first.plan.margin,
        baseline=None if request.baseline is None else _baseline(found, request.baseline),
        by_tag=request.segments or bool(request.tags),
        tags=None if request.segments else request.tags,
        top=request.top,
    )


def _baseline(found: JobContest, name: str) -> int:
    """The candidate that is meant by its label or, where only one has it, its prompt or model."""
    contest = found.contest
    for names in (
        contest.labels,
        [candidate.prompt for candidate in contest.candidates],
        [candidate.model for candidate in contest.candidates],
    ):
        if list(names).count(name) == 1:
            return list(names).index(name)
    labels = ", ".join(one_line(label, 60) for label in contest.labels[:20])
    raise InvalidInput(
        f"no single candidate is meant by {one_line(name, 80)!r}",
        field="baseline",
        remedy=f"Candidates: {labels}.",
    )


def _metrics(jobs: Sequence[stored.Job], wanted: Sequence[str]) -> tuple[list[str], list[str]]:
    """The metrics to compare on in the order of the suites, and what must be said of those left out."""
    kinds: dict[str, set[bool]] = {}
    holders: dict[str, int] = {}
    for job in jobs:
        for config in job.plan.metrics:
            kinds.setdefault(config.name, set()).add(get_info(config.type).kind == "measure")
            holders[config.name] = holders.get(config.name, 0) + 1
    unknown = [name for name in wanted if name not in kinds]
    if unknown:
        raise InvalidInput(
            f"no metric {one_line(unknown[0], 80)!r}",
            field="metric",
            remedy=f"Metrics: {', '.join(one_line(name, 60) for name in kinds)}.",
        )
    chosen = [name for name in kinds if not wanted or name in wanted]
    mixed = [name for name in chosen if len(kinds[name]) > 1]
    notes = [f"metric {name} is a score in one job and a measure in another: left out" for name in mixed]
    notes += [
        f"metric {name} is in {holders[name]} of {len(jobs)} jobs only"
        for name in chosen
        if holders[name] < len(jobs)
    ]
    return [name for name in chosen if name not in mixed], notes


def _differences(first: stored.Job, second: stored.Job) -> list[str]:
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
    known = {metric.name: metric for metric in first.plan.metrics}
    for metric in second.plan.metrics:
        other = known.get(metric.name)
        if other is None:
            continue
        if other.type != metric.type:
            notes.append(f"metric {metric.name} is {other.type} in one and {metric.type} in the other")
        elif other.options != metric.options:
            notes.append(f"metric {metric.name} has other options")
    return notes
