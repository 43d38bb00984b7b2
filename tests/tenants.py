"""A tenant for tests: data sets, jobs and outcomes in one line each, over the real storage."""

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import psycopg

from assay.domain.datasets import Case
from assay.domain.ids import new_id
from assay.domain.jobs import Failure, Plan, Success, WorkItem
from assay.domain.models import ModelConfig, ModelResponse, Usage
from assay.domain.prompts import Message, Prompt
from assay.domain.scores import MetricConfig, Score
from assay.storage import jobs
from assay.storage.datasets import StoredDataset, add_dataset_version
from assay.storage.pool import Database
from assay.storage.queue import JobQueue
from assay.storage.tenancy import SYSTEM, Caller, signer_of

INVARIANTS = (Path(__file__).parents[1] / "migrations" / "invariants.sql").read_text(encoding="utf-8")
VERSIONS = {"exact": "1", "length": "2"}
ESTIMATE = 100
CONTEXT_KEY = b"the tests sign their contexts by this"
SIGNER = signer_of(CONTEXT_KEY)


def act_for(connection: psycopg.Connection[Any], organization_id: UUID, caller: Caller = SYSTEM) -> None:
    """Let the rest of a transaction belong to a tenant, as the pool does."""
    context = SIGNER.sign(organization_id, caller, time.time())
    connection.execute("select set_config('assay.context', %s, true)", [context])


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The grid of a job. `estimate` is (base, per byte) in nanousd, None where the price is unknown."""

    cases: int = 10
    prompts: int = 1
    models: int = 1
    repeats: int = 1
    selection: Sequence[tuple[int, int]] | None = None
    cap_nanousd: int | None = None
    estimate: tuple[int | None, int | None] = (ESTIMATE, 0)
    max_attempts: int = 6
    max_crashes: int = 3

    @property
    def chosen(self) -> int:
        """How many cases take part."""
        if self.selection is None:
            return self.cases
        return sum(len(range(first, min(last, self.cases))) for first, last in self.selection)

    @property
    def planned(self) -> int:
        """How many cells there are."""
        return math.prod((self.chosen, self.prompts, self.models, self.repeats))


@dataclass(frozen=True, slots=True)
class MadeJob:
    """A job that is stored, and its queue as one worker sees it."""

    id: UUID
    shape: Shape
    plan: Plan
    dataset: StoredDataset
    queue: JobQueue


def make_plan(shape: Shape) -> Plan:
    """A plan of echo models."""
    return Plan(
        prompts=tuple(
            Prompt(name=f"p{n}", messages=(Message("user", f"{n}: {{{{ q }}}}"),))
            for n in range(shape.prompts)
        ),
        models=tuple(ModelConfig(name=f"m{n}", provider="echo", model=f"e{n}") for n in range(shape.models)),
        metrics=tuple(MetricConfig(name=name, type=name) for name in VERSIONS),
        repeats=shape.repeats,
        variables={},
    )


def make_cases(count: int) -> Iterable[Case]:
    """Cases c0, c1, ..., made one by one."""
    return (
        Case(key=f"c{n}", vars={"q": f"question {n}"}, expected=f"answer {n}", line=n + 1)
        for n in range(count)
    )


def make_success(item: WorkItem, text: str = "yes", **given: Any) -> Success:
    """An answer to a cell with two scores, for 50 nanousd; any field of Success may be given."""
    scores = (Score("exact", "scored", 1.0, "equal", True), Score("length", "scored", 3.0, "characters"))
    values: dict[str, Any] = {
        "item": item,
        "request_key": item.lease_token.to_bytes(32, "big"),
        "response": ModelResponse(
            text=text, usage=Usage(input_tokens=9, output_tokens=3), latency_ms=5.0, model="e"
        ),
        "scores": scores,
        "cost_nanousd": 50,
        "price_version": "v1",
    }
    return Success(**{**values, **given})


def make_failure(item: WorkItem, **given: Any) -> Failure:
    """A cell without an answer: failed for good unless `retry_after_s` is given."""
    return Failure(**{"item": item, "code": "model_unavailable", "message": "503", **given})


@dataclass(slots=True)
class Tenant:
    """One organization and what it does."""

    database: Database
    organization_id: UUID
    datasets: dict[int, StoredDataset] = field(default_factory=dict)

    @classmethod
    async def join(cls, database: Database, organization_id: UUID) -> Self:
        """A tenant that exists in the database."""
        async with database.transaction(organization_id) as connection:
            await jobs.ensure_organization(connection, organization_id, "tests")
        return cls(database, organization_id)

    async def rows(self, query: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        """What a query of this tenant gives."""
        async with self.database.transaction(self.organization_id) as connection:
            cursor = await connection.execute(query, parameters)
            return await cursor.fetchall() if cursor.description else []

    async def value(self, query: str, parameters: Any = ()) -> Any:
        """The first column of the first row."""
        return (await self.rows(query, parameters))[0][0]

    async def violations(self) -> list[tuple[str, int]]:
        """Which invariants do not hold for this tenant's jobs."""
        return [row for row in await self.rows(INVARIANTS) if row[1]]

    async def add_cases(self, cases: Iterable[Case], name: str = "cases") -> StoredDataset:
        """Store a version of a data set."""
        async with self.database.transaction(self.organization_id) as connection:
            return await add_dataset_version(connection, self.organization_id, name, cases)

    async def make_job(self, *, expand: bool = True, **shape: Any) -> MadeJob:
        """A queued job of a Shape, given by its keywords. Its cells are in the queue if `expand`."""
        grid = Shape(**shape)
        if grid.cases not in self.datasets:
            self.datasets[grid.cases] = await self.add_cases(make_cases(grid.cases))
        made = MadeJob(new_id(), grid, make_plan(grid), self.datasets[grid.cases], None)  # type: ignore[arg-type]
        async with self.database.transaction(self.organization_id) as connection:
            await jobs.add_job(connection, self.organization_id, _new_job(made))
            await connection.execute(
                "update assay.evaluation_jobs set max_attempts = %s, max_crashes = %s where id = %s",
                [grid.max_attempts, grid.max_crashes, made.id],
            )
        made = MadeJob(made.id, grid, made.plan, made.dataset, self.queue(made))
        while expand and await made.queue.expand():
            pass
        return made

    async def make_child(self, parent: MadeJob) -> MadeJob:
        """A job with the cells of another that ended without an answer."""
        child = replace(parent, id=new_id(), shape=replace(parent.shape, selection=None))
        child = replace(child, queue=self.queue(child))
        async with self.database.transaction(self.organization_id) as connection:
            new = replace(_new_job(child), parent_job_id=parent.id, expanded_cases=2**31 - 1, planned=0)
            await jobs.add_job(connection, self.organization_id, new)
            count = await jobs.copy_failed_items(connection, self.organization_id, parent.id, child.id)
            await connection.execute(
                "update assay.evaluation_jobs set planned = %s where id = %s", [count, child.id]
            )
        return child

    def queue(self, job: MadeJob, worker: str = "worker", lease_s: float = 30.0) -> JobQueue:
        """A job as one more worker sees it."""
        shape = job.shape
        estimates = [(p, m, *shape.estimate) for p in range(shape.prompts) for m in range(shape.models)]
        return JobQueue(
            self.database,
            self.organization_id,
            job.id,
            worker=worker,
            metric_versions=VERSIONS,
            estimates=estimates,
            lease_s=lease_s,
        )

    async def move(self, job: MadeJob, state: str) -> None:
        """Put a job into a state, as a user would."""
        await self.rows(
            "update assay.evaluation_jobs set state = %s::assay.job_state where id = %s", [state, job.id]
        )

    async def crash(self, job: MadeJob, worker: str = "worker") -> None:
        """Let the leases of a worker run out and have them taken back, as after its death."""
        await job.queue.expire_leases(worker)
        await job.queue.sweep()

    async def items(self, job: MadeJob, columns: str = "state::text") -> list[Any]:
        """Columns of the cells of a job, in order; bare values where one column is asked for."""
        query = f"select {columns} from assay.evaluation_queue where job_id = %s order by item_no"  # noqa: S608 - ours
        rows = await self.rows(query, [job.id])
        return [row[0] if len(row) == 1 else row for row in rows]

    async def money(self, job: MadeJob) -> tuple[int, int, int]:
        """Reserved, spent (nanousd) and the number of calls of unknown price."""
        query = (
            "select reserved_nanousd, spent_nanousd, unpriced_calls from assay.evaluation_jobs where id = %s"
        )
        reserved, spent, unpriced = (await self.rows(query, [job.id]))[0]
        return reserved, spent, unpriced


def _new_job(made: MadeJob) -> jobs.NewJob:
    return jobs.NewJob(
        id=made.id,
        name="job",
        description="",
        plan=made.plan,
        config_hash=bytes(32),
        dataset_version_id=made.dataset.id,
        selection=made.shape.selection,
        planned=made.shape.planned,
        cap_nanousd=made.shape.cap_nanousd,
        receipt={},
    )
