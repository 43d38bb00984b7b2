"""Metrics that are added to a job: its stored answers are scored, and nothing is generated again."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Literal
from uuid import UUID

from assay.domain.errors import AccountStopped, Conflict, InvalidInput
from assay.domain.events import ItemsRecorded, RunStarted
from assay.domain.jobs import Plan
from assay.domain.models import ModelConfig
from assay.domain.money import NANO
from assay.domain.protocols import JudgedMetric, Metric
from assay.domain.scores import MetricConfig, Sample, Score
from assay.engine.evaluate import Bench, judge_sample
from assay.engine.judge_calls import BudgetRefused, Waits
from assay.engine.policy import StopSignal
from assay.engine.tasks import end_tasks
from assay.models.prices import PriceTable
from assay.services.canaries import ask_canaries
from assay.services.context import Context
from assay.services.credentials import check_credentials
from assay.services.grid import check_metrics
from assay.services.judge_bench import Asking, judging_bench, tag_of
from assay.services.judging import Judging
from assay.services.rivals import Rival, find_rivals, read_rivals
from assay.storage import jobs as stored
from assay.storage.scoring import (
    BEFORE_ALL,
    Unscored,
    add_scores,
    count_unscored,
    lineage,
    read_answers,
    register_metrics,
)

PAGE = 256
BATCH = 64

Ending = Literal["completed", "interrupted", "budget", "account_stopped", "rate_limited"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to score a job by: metrics, those that it has or others, with judges that it does not have.

    `canaries`: ask the judges about canaries at the end, if the job wants it.
    """

    metrics: tuple[MetricConfig, ...]
    judges: tuple[ModelConfig, ...] = ()
    asking: Asking
    canaries: bool = True


@dataclass(slots=True)
class Scoring:
    """What came of it: how many scores in each state, what the judges cost, and why it ended.

    `cost_nanousd` is of the calls whose price is known, `unpriced` counts the scores of the others.
    """

    ending: Ending = "completed"
    states: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    cost_nanousd: int = 0
    unpriced: int = 0
    message: str | None = None

    def add(self, score: Score) -> None:
        """Count a stored score."""
        self.states[score.state] = self.states.get(score.state, 0) + 1
        self.calls += score.calls
        if score.cost_nanousd is None:
            self.unpriced += 1
        else:
            self.cost_nanousd += score.cost_nanousd


async def metrics_of(
    context: Context, job_id: UUID, named: Sequence[MetricConfig], *, bare: bool
) -> tuple[MetricConfig, ...]:
    """The metrics that are meant: `named`, or all of the job where none is.

    `bare`: only names were given, and a metric of the job that has this name is meant by it.
    """
    async with context.database.transaction(context.organization_id) as connection:
        job = await stored.get_job(connection, context.organization_id, job_id)
    if not named:
        return job.plan.metrics
    known = {metric.name: metric for metric in job.plan.metrics} if bare else {}
    return tuple(known.get(metric.name, metric) for metric in named)


async def score_job(context: Context, job_id: UUID, wish: Wish, stop: StopSignal) -> Scoring:
    """Score the stored answers of a job, retried cells included, by metrics that they have no score of yet.

    Scores that failed are made again, and canaries that could not be judged. May be stopped and run again at
    any time: what is stored stays. Raises Conflict for an open job or a metric that the job has otherwise,
    InvalidInput, MissingKey.
    """
    async with context.database.transaction(context.organization_id) as connection:
        job = await stored.get_job(connection, context.organization_id, job_id)
        jobs = await lineage(connection, context.organization_id, job_id)
    if job.state not in ("completed", "failed", "cancelled", "paused"):
        raise Conflict(f"job {job_id} is under way", remedy="Score it when it has ended, or pause it.")
    plan = replace(job.plan, metrics=wish.metrics, judges=_judges(job.plan, wish))
    metrics, judging = check_metrics(context, plan, PriceTable(context.now))
    await check_credentials(context, judging.judges)
    _check_prices(job, judging)
    await _register(context, job, jobs, wish)
    async with context.database.transaction(context.organization_id) as connection:
        names = [metric.name for metric in wish.metrics]
        planned = await count_unscored(connection, context.organization_id, jobs, names)
    context.emit(RunStarted(job_id=str(job_id), planned=planned, done=0))
    work = _Work(context, job.plan, metrics, judging, wish, stop)
    await work.score_all(jobs)
    if work.outcome.ending == "completed" and wish.canaries and job.canaries:
        await ask_canaries(context, job_id, judging, wish.asking, stop)
    return work.outcome


def _judges(plan: Plan, wish: Wish) -> tuple[ModelConfig, ...]:
    """Those that were given, then those that the job has."""
    given = {config.name for config in wish.judges}
    return (*wish.judges, *(config for config in plan.judges if config.name not in given))


def _check_prices(job: stored.Job, judging: Judging) -> None:
    unknown = [name for name, pricing in judging.pricings.items() if pricing is None]
    if job.cap_nanousd is not None and unknown:
        raise InvalidInput(
            f"the price of {unknown[0]!r} is unknown, so that the job's budget cannot be held",
            field="judges",
            remedy="State its price a million tokens (`price: {input_usd: 1, output_usd: 2}`).",
        )


async def _register(context: Context, job: stored.Job, jobs: Sequence[UUID], wish: Wish) -> None:
    """Let the metrics that are new belong to the job."""
    known = {metric.name: metric for metric in job.plan.metrics}
    new = [metric for metric in wish.metrics if metric.name not in known]
    for metric in wish.metrics:
        if metric.name in known and known[metric.name] != metric:
            raise Conflict(
                f"the job has a metric {metric.name!r} already, with other options",
                remedy="Give this one another name: --name NAME",
            )
    if new:
        labels = {config.name for config in job.plan.judges}
        judges = [config for config in wish.judges if config.name not in labels]
        async with context.database.transaction(context.organization_id) as connection:
            await register_metrics(connection, context.organization_id, jobs, new, judges)


class _Work:
    """Scoring under way: a window of answers at their judges, scores stored in batches."""

    def __init__(
        self,
        context: Context,
        plan: Plan,
        metrics: tuple[Metric, ...],
        judging: Judging,
        wish: Wish,
        stop: StopSignal,
    ) -> None:
        self._context, self._plan, self._wish, self._stop = context, plan, wish, stop
        self._metrics, self._judging = metrics, judging
        made: tuple[Metric | JudgedMetric, ...] = (*metrics, *judging.metrics)
        self._versions = {metric.config.name: metric.info.version for metric in made}
        self._names = [metric.name for metric in wish.metrics]
        self._rivals = find_rivals(plan, wish.metrics)
        self._jobs: Sequence[UUID] = ()
        self.outcome = Scoring()

    async def score_all(self, jobs: Sequence[UUID]) -> None:
        """Score what these jobs answered, a job and those that it retries."""
        self._jobs = jobs
        for job_id in jobs:
            if self._goes_on():
                await self.score(job_id)

    async def score(self, job_id: UUID) -> None:
        """Score what this job answered itself."""
        async with judging_bench(self._context, job_id, self._judging, self._wish.asking) as bench:
            await self._score_all(job_id, bench)

    async def _score_all(self, job_id: UUID, bench: Bench) -> None:
        waiting: set[asyncio.Task[list[tuple[int, Score]]]] = set()
        done: list[tuple[int, Score]] = []
        try:
            async with aclosing(self._pages(job_id)) as pages:
                async for page, said in pages:
                    done += await asyncio.to_thread(self._unjudged, page)
                    for row in page if bench.metrics else ():
                        waiting.add(asyncio.create_task(self._judged(row, bench, said)))
                        while len(waiting) >= 2 * self._wish.asking.concurrency:
                            waiting = await _collect(waiting, done)
                        await self._store(job_id, done, BATCH)
            while waiting and not self._stop.aborting.is_set():
                waiting = await _collect(waiting, done)
                await self._store(job_id, done, BATCH)
        finally:
            await end_tasks(waiting)
            await self._store(job_id, done, 1)

    async def _pages(self, job_id: UUID) -> AsyncGenerator[tuple[list[Unscored], Mapping[int, str]], None]:
        """Answers that lack scores, and what the rivals said to the same cases."""
        after: int | None = BEFORE_ALL
        organization_id = self._context.organization_id
        while after is not None and self._goes_on():
            async with self._context.database.transaction(organization_id) as connection:
                rows, after = await read_answers(
                    connection, organization_id, job_id, self._names, (after, PAGE)
                )
                rows = [row for row in rows if row.missing]
                wanted = (rows, list(self._rivals.values()))
                said = await read_rivals(connection, organization_id, self._jobs, self._plan, wanted)
            if rows:
                yield rows, said

    def _goes_on(self) -> bool:
        if self._stop.draining.is_set() and self.outcome.ending == "completed":
            self.outcome.ending = "interrupted"
        return self.outcome.ending == "completed"

    def _unjudged(self, page: Sequence[Unscored]) -> list[tuple[int, Score]]:
        """The scores of the metrics that ask no model. CPU work."""
        scores: list[tuple[int, Score]] = []
        for metric in self._metrics:
            rows = [row for row in page if metric.config.name in row.missing]
            found = metric.score_batch([_sample(row) for row in rows])
            scores.extend((row.item_no, score) for row, score in zip(rows, found, strict=True))
        return scores

    async def _judged(self, row: Unscored, bench: Bench, said: Mapping[int, str]) -> list[tuple[int, Score]]:
        """The scores of the metrics that ask models; none of an answer whose judges cannot be asked now."""
        if not self._goes_on():
            return []
        tag = tag_of(self._plan, row)
        waits: list[Waits] = []
        bench.ledger.begin(row.token, 0)
        try:
            scores = [
                score
                for sample, metrics in self._samples(row, bench, said)
                for score in await judge_sample(replace(bench, metrics=metrics), sample, tag, waits)
            ]
        finally:
            bench.ledger.forget(row.token)
        if waits:
            self._end(waits[0])
            return []
        return [(row.item_no, score) for score in scores]

    def _samples(
        self, row: Unscored, bench: Bench, said: Mapping[int, str]
    ) -> Iterator[tuple[Sample, list[JudgedMetric]]]:
        """The metrics that lack a score of this answer, together where they compare it with the same."""
        groups: dict[Rival | None, list[JudgedMetric]] = {}
        for metric in bench.metrics:
            if metric.config.name in row.missing:
                groups.setdefault(self._rivals.get(metric.config.name), []).append(metric)
        for rival, metrics in groups.items():
            item_no = None if rival is None else rival.item_no(self._plan, row)
            baseline = None if item_no is None else said.get(item_no)
            yield replace(_sample(row), baseline=baseline), metrics

    def _end(self, error: Waits) -> None:
        if self.outcome.ending == "completed":
            self.outcome.message = error.message
            if isinstance(error, BudgetRefused):
                self.outcome.ending = "budget"
            elif isinstance(error, AccountStopped):
                self.outcome.ending = "account_stopped"
            else:
                self.outcome.ending = "rate_limited"

    async def _store(self, job_id: UUID, done: list[tuple[int, Score]], least: int) -> None:
        if len(done) < least:
            return
        batch = done.copy()
        done.clear()
        async with self._context.database.transaction(self._context.organization_id) as connection:
            await add_scores(connection, job_id, batch, self._versions)
        for _, score in batch:
            self.outcome.add(score)
        self._emit(batch)

    def _emit(self, batch: Sequence[tuple[int, Score]]) -> None:
        """Tell the listeners of scores that were stored."""
        scores = [score for _, score in batch]
        failed = sum(1 for score in scores if score.state == "failed")
        self._context.emit(
            ItemsRecorded(
                succeeded=len(scores) - failed,
                failed=failed,
                retried=0,
                cached=0,
                passed=sum(1 for score in scores if score.passed is not False),
                cost_nanousd=sum(score.cost_nanousd or 0 for score in scores),
                unpriced=sum(1 for score in scores if score.cost_nanousd is None),
            )
        )


async def _collect(
    waiting: set[asyncio.Task[list[tuple[int, Score]]]], done: list[tuple[int, Score]]
) -> set[asyncio.Task[list[tuple[int, Score]]]]:
    """Wait for the next answers that are scored; those that are still waited for."""
    finished, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in finished:
        done.extend(task.result())
    return waiting


def _sample(row: Unscored) -> Sample:
    cost = None if row.cost_nanousd is None else row.cost_nanousd / NANO
    return Sample(case=row.case, response=row.response, cost_usd=cost)
