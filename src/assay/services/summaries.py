"""The numbers of a job, read in batches and kept as arrays: memory is a few bytes a score."""

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from assay.domain.canaries import CanaryOutcome
from assay.domain.jobs import Plan
from assay.metrics.catalog import get_info
from assay.reports.canaries import with_canaries
from assay.reports.race import with_race
from assay.reports.summary import CandidateData, MetricData, RunSummary, summarise
from assay.services.context import Context
from assay.services.race_field import read_field
from assay.stats.racing import RaceResult
from assay.storage import jobs as stored
from assay.storage.judge_canaries import read_canaries
from assay.storage.pool import Connection
from assay.storage.results import stream_case_keys, stream_measures, stream_scores
from assay.storage.scoring import lineage

RACE_DECIDED = "race_decided"
"""The error code of cells that a race did not need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSummary:
    """A job with its numbers."""

    job: stored.Job
    summary: RunSummary


async def summarise_job(context: Context, job_id: UUID) -> JobSummary:
    """Scores with intervals, comparisons, costs and coverage of a job, retried cells included."""
    async with context.database.transaction(context.organization_id) as connection:
        job = await stored.get_job(connection, context.organization_id, job_id)
        tables = await read_tables(connection, context.organization_id, job)
        race = await _race(connection, context.organization_id, job)
        canaries = await read_job_canaries(connection, context.organization_id, job)
    summary = summarise(
        tables.candidates(),
        tables.metrics(),
        rng=np.random.default_rng(job.plan.seed),
        title=job.name,
        margin=job.plan.margin,
    )
    if race is not None:
        summary = with_race(summary, *race)
    return JobSummary(job=job, summary=with_canaries(summary, canaries))


async def read_job_canaries(
    connection: Connection, organization_id: UUID, job: stored.Job
) -> list[CanaryOutcome]:
    """What the judges of a job made of canaries, in the order of its metrics."""
    jobs = await lineage(connection, organization_id, job.id)
    found = await read_canaries(connection, organization_id, jobs)
    places = {metric.name: place for place, metric in enumerate(job.plan.metrics)}
    return sorted(found, key=lambda each: places.get(each.metric, len(places)))


async def _race(
    connection: Connection, organization_id: UUID, job: stored.Job
) -> tuple[str, RaceResult] | None:
    """The metric of a job's race and how it stands, told again from the stored scores."""
    if job.plan.race is None or job.plan.race.metric is None:
        return None
    field, _ = await read_field(connection, organization_id, job.id, job.plan)
    return job.plan.race.metric, field.race.result()


async def read_tables(connection: Connection, organization_id: UUID, job: stored.Job) -> "JobTables":
    """All scores and counts of a job, retried cells included."""
    tables = JobTables(job.plan)
    async for rows in stream_case_keys(connection, organization_id, job.id):
        tables.add_cases(rows)
    async for rows in stream_measures(connection, organization_id, job.id):
        tables.add_measures(rows)
    async for rows in stream_scores(connection, organization_id, job.id):
        tables.add_scores(rows)
    return tables


@dataclass(slots=True)
class _Column:
    """The scores of one metric on one candidate, as they come."""

    case_no: "array[int]" = field(default_factory=lambda: array("i"))
    value: "array[float]" = field(default_factory=lambda: array("d"))
    skipped: "array[int]" = field(default_factory=lambda: array("i"))
    states: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Cells:
    """What is counted of one candidate."""

    states: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    cached: int = 0
    not_needed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    unknown_tokens: int = 0
    cost_nanousd: int = 0
    unknown_costs: int = 0
    judge_calls: int = 0
    judge_cost_nanousd: int = 0
    unknown_judge_costs: int = 0
    latency_ms: "array[float]" = field(default_factory=lambda: array("d"))

    def add(self, row: Sequence[Any]) -> None:
        state, error, cached, input_tokens, output_tokens, cost, latency_ms = row
        self.states[state] += 1
        if state in ("failed", "dead"):
            self.failures[error or "unknown"] += 1
        if state == "cancelled":
            self.not_needed += error == RACE_DECIDED
        if state != "succeeded":
            return
        self.cached += cached
        if input_tokens is None or output_tokens is None:
            self.unknown_tokens += 1
        else:
            self.input_tokens += input_tokens
            self.output_tokens += output_tokens
        if cost is None:
            self.unknown_costs += 1
        else:
            self.cost_nanousd += cost
        if not cached and latency_ms is not None:
            self.latency_ms.append(latency_ms)

    def add_judged(self, calls: int, cost_nanousd: int | None) -> None:
        """Count what a score cost."""
        self.judge_calls += calls
        if cost_nanousd is None:
            self.unknown_judge_costs += 1
        else:
            self.judge_cost_nanousd += cost_nanousd


class JobTables:
    """The scores and counts of a job, by candidate: its number is prompt_no * models + model_no."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._models = len(plan.models)
        self._cells = [_Cells() for _ in self._pairs()]
        self._columns: dict[tuple[str, int], _Column] = {}
        self._keys: dict[str, int] = {}
        self._codes: dict[str, int] = {}
        self._cluster = array("i")

    def add_cases(self, rows: Sequence[Sequence[Any]]) -> None:
        """Take in rows as the store streams them."""
        for case_no, key, cluster in rows:
            self._keys[key] = case_no
            self._cluster.extend([-1] * (case_no + 1 - len(self._cluster)))
            if cluster is not None:
                self._cluster[case_no] = self._codes.setdefault(cluster, len(self._codes))

    def add_measures(self, rows: Sequence[Sequence[Any]]) -> None:
        """Take in rows as the store streams them."""
        for prompt_no, model_no, *row in rows:
            self._cells[prompt_no * self._models + model_no].add(row[:7])

    def add_scores(self, rows: Sequence[Sequence[Any]]) -> None:
        """Take in rows as the store streams them."""
        columns, models = self._columns, self._models
        for metric, prompt_no, model_no, case_no, _, state, value, _, calls, cost_nanousd in rows:
            if calls:
                self._cells[prompt_no * models + model_no].add_judged(calls, cost_nanousd)
            key = (metric, prompt_no * models + model_no)
            column = columns.get(key)
            if column is None:
                column = columns[key] = _Column()
            column.states[state] += 1
            if value is not None:
                column.case_no.append(case_no)
                column.value.append(value)
            elif state == "skipped":
                column.skipped.append(case_no)

    @property
    def keys(self) -> Mapping[str, int]:
        """The id of each case -> its number."""
        return self._keys

    def clusters(self) -> dict[int, str]:
        """The cluster of each case that has one."""
        labels = {code: label for label, code in self._codes.items()}
        return {case_no: labels[code] for case_no, code in enumerate(self._cluster) if code >= 0}

    def candidates(self) -> list[CandidateData]:
        """One a prompt x model."""
        return [self._candidate(cells, pair) for cells, pair in zip(self._cells, self._pairs(), strict=True)]

    def metrics(self) -> list[MetricData]:
        """One a metric and candidate, in the order of the suite."""
        clusters = np.frombuffer(self._cluster, dtype=np.int32) if self._codes else None
        return [
            self._metric(number, config_no, clusters)
            for config_no in range(len(self._plan.metrics))
            for number in range(len(self._cells))
        ]

    def _pairs(self) -> Iterator[tuple[str, str]]:
        return ((prompt.name, model.name) for prompt in self._plan.prompts for model in self._plan.models)

    @property
    def _planned(self) -> int:
        return len(self._keys) * self._plan.repeats

    def _candidate(self, cells: _Cells, pair: tuple[str, str]) -> CandidateData:
        states = cells.states
        ended = sum(states[state] for state in ("succeeded", "failed", "dead", "cancelled"))
        return CandidateData(
            prompt=pair[0],
            model=pair[1],
            planned=self._planned,
            succeeded=states["succeeded"],
            failed=states["failed"],
            dead=states["dead"],
            cancelled=states["cancelled"],
            not_needed=cells.not_needed,
            pending=self._planned - ended,
            failures=dict(cells.failures),
            cached=cells.cached,
            input_tokens=cells.input_tokens,
            output_tokens=cells.output_tokens,
            unknown_tokens=cells.unknown_tokens,
            cost_nanousd=cells.cost_nanousd,
            unknown_costs=cells.unknown_costs,
            judge_calls=cells.judge_calls,
            judge_cost_nanousd=cells.judge_cost_nanousd,
            unknown_judge_costs=cells.unknown_judge_costs,
            latency_ms=_floats(cells.latency_ms),
        )

    def _metric(self, candidate: int, config_no: int, clusters: npt.NDArray[np.int32] | None) -> MetricData:
        config = self._plan.metrics[config_no]
        column = self._columns.get((config.name, candidate)) or _Column()
        case_no = _numbers(column.case_no)
        return MetricData(
            candidate=candidate,
            metric=config.name,
            info=get_info(config.type),
            case_no=case_no,
            value=_floats(column.value),
            planned=self._planned,
            cluster=None if clusters is None else clusters[case_no],
            threshold=config.threshold,
            failed=column.states["failed"],
            abstained=column.states["abstained"],
            skipped=column.states["skipped"],
            skipped_case_no=_numbers(column.skipped),
        )


def _numbers(values: "array[int]") -> npt.NDArray[np.int32]:
    return np.frombuffer(values, dtype=np.int32) if values else np.empty(0, dtype=np.int32)


def _floats(values: "array[float]") -> npt.NDArray[np.float64]:
    return np.frombuffer(values, dtype=np.float64) if values else np.empty(0, dtype=np.float64)
