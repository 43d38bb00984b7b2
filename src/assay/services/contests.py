"""Candidates of one or several jobs, read from the store onto one list of cases."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

import numpy as np
import numpy.typing as npt

from assay.reports.contest import (
    Contest,
    Mask,
    MetricTable,
    cluster_labels,
    cost_table,
    merge_candidates,
    metric_table,
)
from assay.reports.values import CandidateData, MetricData
from assay.reports.wording import candidate_labels
from assay.services.summaries import JobTables, read_tables
from assay.storage import jobs as stored
from assay.storage.pool import Connection
from assay.storage.results import stream_case_tags, stream_costs

By = Literal["candidate", "prompt", "model"]
Costs = dict[tuple[int, int], tuple["array[int]", "array[int]"]]


@dataclass(frozen=True, slots=True)
class Member:
    """A prompt x model of one of the jobs; numbers as in its plan."""

    job: int
    prompt_no: int
    model_no: int
    prompt: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JobContest:
    """A contest, and where its members and cases come from.

    `case_numbers`: for each job the number that each case of the contest has there, -1 where it has none.
    """

    contest: Contest
    members: tuple[Member, ...]
    case_numbers: tuple[npt.NDArray[np.int64], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Read:
    job: stored.Job
    tables: JobTables
    costs: Costs
    tags: Mapping[str, Sequence[int]]


async def read_contest(
    connection: Connection,
    organization_id: UUID,
    jobs: Sequence[stored.Job],
    *,
    by: By,
    metrics: Sequence[str],
    tagged: bool,
) -> JobContest:
    """The candidates of `jobs` by their scores on `metrics`; cases are the same when their ids are.

    `by` prompt or model makes a candidate of all cells of a job with that prompt or model. Tags are read
    only when they are wanted.
    """
    read = [
        _Read(
            job=job,
            tables=await read_tables(connection, organization_id, job),
            costs=await _read_costs(connection, organization_id, job.id),
            tags=await _read_tags(connection, organization_id, job.id) if tagged else {},
        )
        for job in jobs
    ]
    return _assemble(read, by, metrics)


def job_marks(jobs: Sequence[stored.Job]) -> tuple[str, ...]:
    """The end of each job's id, long enough to tell them apart."""
    ids = [str(job.id) for job in jobs]
    length = next(size for size in (6, 12, 36) if len({each[-size:] for each in ids}) == len(ids))
    return tuple(each[-length:] for each in ids)


async def _read_costs(connection: Connection, organization_id: UUID, job_id: UUID) -> Costs:
    costs: Costs = {}
    async for rows in stream_costs(connection, organization_id, job_id):
        for prompt_no, model_no, case_no, cost in rows:
            cases, values = costs.setdefault((prompt_no, model_no), (array("q"), array("q")))
            cases.append(case_no)
            values.append(cost)
    return costs


async def _read_tags(
    connection: Connection, organization_id: UUID, job_id: UUID
) -> Mapping[str, Sequence[int]]:
    found: dict[str, array[int]] = {}
    async for rows in stream_case_tags(connection, organization_id, job_id):
        for case_no, tags in rows:
            for tag in tags:
                found.setdefault(tag, array("q")).append(case_no)
    return found


def _assemble(read: Sequence[_Read], by: By, metrics: Sequence[str]) -> JobContest:
    index = _index(read)
    numbers = [_numbers(each.tables, index) for each in read]
    members = _members(read)
    groups, names = _groups(members, by, job_marks([each.job for each in read]))
    totals, scores = _data(read, numbers)
    cases = len(index)
    labels = candidate_labels([(member.prompt, member.model) for member in members])
    marks = [f" @{mark}" for mark in job_marks([each.job for each in read])] if len(read) > 1 else [""]
    taken = np.stack([_taken(each, cases) for each in numbers])
    jobs = tuple(members[group[0]].job for group in groups)
    contest = Contest(
        candidates=merge_candidates(totals, groups, names),
        groups=groups,
        members=tuple(f"{label}{marks[member.job]}" for label, member in zip(labels, members, strict=True)),
        jobs=jobs,
        cases=list(index),
        takes=taken[list(jobs)],
        clusters=_clusters(read, index),
        metrics=tuple(_table(name, scores, len(members), groups, cases) for name in metrics),
        cost_usd=_costs(read, numbers, members, groups, cases),
        tags=_tags(read, numbers, cases),
    )
    inverse = tuple(_inverse(each, cases) for each in numbers)
    return JobContest(contest=contest, members=members, case_numbers=inverse)


def _index(read: Sequence[_Read]) -> dict[str, int]:
    """The cases of all jobs by id, in the order in which they first come."""
    index: dict[str, int] = {}
    for each in read:
        for key in sorted(each.tables.keys, key=each.tables.keys.__getitem__):
            index.setdefault(key, len(index))
    return index


def _numbers(tables: JobTables, index: Mapping[str, int]) -> npt.NDArray[np.int64]:
    """Case number of a job -> number in the contest; -1 for numbers that the job does not have."""
    numbers = np.full(1 + max(tables.keys.values(), default=-1), -1, dtype=np.int64)
    for key, case_no in tables.keys.items():
        numbers[case_no] = index[key]
    return numbers


def _inverse(numbers: npt.NDArray[np.int64], cases: int) -> npt.NDArray[np.int64]:
    inverse = np.full(cases, -1, dtype=np.int64)
    known = np.flatnonzero(numbers >= 0)
    inverse[numbers[known]] = known
    return inverse


def _taken(numbers: npt.NDArray[np.int64], cases: int) -> Mask:
    taken = np.zeros(cases, dtype=np.bool_)
    taken[numbers[numbers >= 0]] = True
    return taken


def _members(read: Sequence[_Read]) -> tuple[Member, ...]:
    return tuple(
        Member(number, prompt_no, model_no, prompt.name, model.name)
        for number, each in enumerate(read)
        for prompt_no, prompt in enumerate(each.job.plan.prompts)
        for model_no, model in enumerate(each.job.plan.models)
    )


def _groups(
    members: Sequence[Member], by: By, marks: Sequence[str]
) -> tuple[tuple[tuple[int, ...], ...], list[tuple[str, str, str]]]:
    """The members of each candidate, and its label, prompt and model."""
    grouped: dict[tuple[int, str, str], list[int]] = {}
    for number, member in enumerate(members):
        prompt = "" if by == "model" else member.prompt
        model = "" if by == "prompt" else member.model
        grouped.setdefault((member.job, prompt, model), []).append(number)
    pairs = [(prompt, model) for _, prompt, model in grouped]
    labels = candidate_labels(pairs) if by == "candidate" else [prompt or model for prompt, model in pairs]
    many = len(marks) > 1
    names = [
        (f"{label} @{marks[job]}" if many else label, prompt, model)
        for label, (job, prompt, model) in zip(labels, grouped, strict=True)
    ]
    return tuple(tuple(group) for group in grouped.values()), names


def _data(
    read: Sequence[_Read], numbers: Sequence[npt.NDArray[np.int64]]
) -> tuple[list[CandidateData], dict[str, dict[int, MetricData]]]:
    """Totals of each member, and the scores of each metric by member."""
    totals: list[CandidateData] = []
    scores: dict[str, dict[int, MetricData]] = {}
    for each, own in zip(read, numbers, strict=True):
        for data in each.tables.metrics():
            renumbered = replace(
                data,
                case_no=own[data.case_no].astype(np.int32),
                skipped_case_no=own[data.skipped_case_no].astype(np.int32),
            )
            scores.setdefault(data.metric, {})[len(totals) + data.candidate] = renumbered
        totals += each.tables.candidates()
    return totals, scores


def _table(
    name: str,
    scores: Mapping[str, Mapping[int, MetricData]],
    members: int,
    groups: Sequence[Sequence[int]],
    cases: int,
) -> MetricTable:
    return metric_table([scores[name].get(number) for number in range(members)], groups, cases)


def _clusters(read: Sequence[_Read], index: Mapping[str, int]) -> npt.NDArray[np.int64] | None:
    """The cluster of each case as the first job that has the case names it."""
    codes = np.full(len(index), -1, dtype=np.int64)
    labels: dict[str, int] = {}
    seen: set[int] = set()
    for each in read:
        own = each.tables.clusters()
        for key, case_no in each.tables.keys.items():
            if index[key] not in seen and case_no in own:
                codes[index[key]] = labels.setdefault(own[case_no], len(labels))
        seen.update(index[key] for key in each.tables.keys)
    return cluster_labels(codes)


def _costs(
    read: Sequence[_Read],
    numbers: Sequence[npt.NDArray[np.int64]],
    members: Sequence[Member],
    groups: Sequence[Sequence[int]],
    cases: int,
) -> npt.NDArray[np.float64]:
    paid = []
    for member in members:
        nothing = (array("q"), array("q"))
        case_no, cost = read[member.job].costs.get((member.prompt_no, member.model_no), nothing)
        paid.append(
            (
                numbers[member.job][np.asarray(case_no, dtype=np.int64)],
                np.asarray(cost, dtype=np.float64) / 1e9,
            )
        )
    return cost_table(paid, groups, cases)


def _tags(read: Sequence[_Read], numbers: Sequence[npt.NDArray[np.int64]], cases: int) -> dict[str, Mask]:
    """The cases of each tag; a case has the tags of all jobs."""
    masks: dict[str, Mask] = {}
    for each, own in zip(read, numbers, strict=True):
        for tag, case_no in each.tags.items():
            mask = masks.setdefault(tag, np.zeros(cases, dtype=np.bool_))
            mask[own[np.asarray(case_no, dtype=np.int64)]] = True
    return masks
