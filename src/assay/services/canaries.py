"""Whether the judges of a job can be talked into a score: canaries on a case of it, paid like all calls.

Asked when a job has ended, once: not before, because what is left of a budget is worth more as answers, and
because a canary takes the place of an answer that is there.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from assay.domain.canaries import SETTLED, CanaryName, CanaryOutcome
from assay.domain.errors import AssayError, InvalidInput, NotFound, StorageFailed
from assay.domain.jobs import Plan
from assay.domain.protocols import JudgedMetric
from assay.domain.scores import Sample
from assay.engine.evaluate import Bench
from assay.engine.judge_calls import Waits, judges_for
from assay.engine.policy import StopSignal
from assay.judging.canaries import THRESHOLD, CanaryReport, CanaryResult, check_canaries
from assay.models.prices import PriceTable
from assay.services.context import Context
from assay.services.credentials import check_credentials
from assay.services.grid import check_metrics
from assay.services.judge_bench import Asking, judging_bench, tag_of
from assay.services.judging import Judging, canaries_of
from assay.services.workers import is_dead
from assay.storage import jobs as stored
from assay.storage import judge_canaries
from assay.storage.scoring import BEFORE_ALL, Unscored, lineage, read_answers

REASON_CHARS = 2000
INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class _Place:
    """The job whose answers stand aside for canaries, with those that it retries, and its plan."""

    job_id: UUID
    jobs: Sequence[UUID]
    plan: Plan


async def ask_canaries(
    context: Context, job_id: UUID, judging: Judging, asking: Asking, stop: StopSignal
) -> None:
    """Have the canaries of a job judged that nobody has settled, and store what came of it.

    A judge that fails and a budget without room leave theirs `not_checked`; raises StorageFailed only.
    """
    metrics = {metric.config.name: metric for metric in judging.with_canaries}
    place = await _find_place(context, job_id) if metrics and not stop.draining.is_set() else None
    if place is None:
        return
    wanted = await _claim(context, place, metrics)
    if not wanted:
        return
    chosen = replace(judging, metrics=tuple(metrics[name] for name in metrics if name in wanted))
    asked = asyncio.create_task(_ask_all(context, place, chosen, asking, wanted))
    stopped = asyncio.create_task(stop.aborting.wait())
    reason = INTERRUPTED
    try:
        await asyncio.wait([asked, stopped], return_when=asyncio.FIRST_COMPLETED)
        if asked.done():
            await asked
    except StorageFailed:
        raise
    except Exception as error:  # a key that is gone, say: the answers and their scores are there
        reason = error.message if isinstance(error, AssayError) else f"{type(error).__name__}: {error}"
    finally:
        asked.cancel()
        stopped.cancel()
        await asyncio.gather(asked, stopped, return_exceptions=True)
        await _give_back(context, place, wanted, reason)


async def check_job_canaries(
    context: Context, job_id: UUID, names: Sequence[str], threshold: float
) -> tuple[CanaryReport, ...]:
    """A report for each judged metric of a job, or for those that are named; stored with the job.

    Raises InvalidInput for a name that is no judged metric of the job, NotFound when nothing was answered.
    """
    place = await _find_place(context, job_id)
    if place is None:
        raise NotFound(f"job {job_id} has no answer yet", remedy="Run it first.")
    _, judging = check_metrics(context, place.plan, PriceTable(context.now))
    known = [metric for metric in judging.metrics if metric.judges and metric.info.prompts]
    chosen = [metric for metric in known if not names or metric.config.name in names]
    missing = sorted(set(names) - {metric.config.name for metric in chosen})
    if missing or not chosen:
        had = ", ".join(metric.config.name for metric in known) or "none"
        raise InvalidInput(
            f"the job has no judged metric {missing[0]!r}" if missing else "the job has no judged metric",
            field="--metric",
            remedy=f"It has: {had}.",
        )
    await check_credentials(context, judging.judges)
    reports = []
    async with judging_bench(context, place.job_id, judging, Asking()) as bench:
        for metric in chosen:
            report, waits = await _ask(context, place, bench, metric, canaries_of(metric), threshold)
            await _store(context, place, _outcomes(report, waits))
            if waits:
                raise waits[0]
            reports.append(report)
    return tuple(reports)


async def _find_place(context: Context, job_id: UUID) -> _Place | None:
    """The job itself if it has an answer, else the newest that it retries and that has one."""
    organization_id = context.organization_id
    async with context.database.transaction(organization_id) as connection:
        job = await stored.get_job(connection, organization_id, job_id)
        jobs = await lineage(connection, organization_id, job_id)
        for each in reversed(jobs):
            rows, _ = await read_answers(connection, organization_id, each, (), (BEFORE_ALL, 1))
            if rows:
                return _Place(each, jobs, job.plan)
    return None


async def _claim(
    context: Context, place: _Place, metrics: Mapping[str, JudgedMetric]
) -> dict[str, list[CanaryName]]:
    """The canaries, by metric, that nobody has settled and nobody else is about."""
    organization_id = context.organization_id
    async with context.database.transaction(organization_id) as connection:
        known = await judge_canaries.read_canaries(connection, organization_id, place.jobs)
        settled = {(each.metric, each.canary) for each in known if each.state in SETTLED}
        every = [(name, canary) for name, metric in metrics.items() for canary in canaries_of(metric)]
        open_ = [pair for pair in every if pair not in settled]
        if not open_:
            return {}
        workers = await judge_canaries.asking_workers(connection, organization_id, place.job_id)
        claimed = await judge_canaries.claim_canaries(
            connection,
            (organization_id, place.job_id),
            open_,
            THRESHOLD,
            (context.worker, [worker for worker in workers if is_dead(worker)]),
        )
    wanted: dict[str, list[CanaryName]] = {}
    for name, canary in open_:
        if (name, canary) in claimed:
            wanted.setdefault(name, []).append(canary)
    return wanted


async def _ask_all(
    context: Context,
    place: _Place,
    judging: Judging,
    asking: Asking,
    wanted: dict[str, list[CanaryName]],
) -> None:
    """Ask about all metrics at once; what is stored is taken out of `wanted`."""

    async def ask(bench: Bench, metric: JudgedMetric) -> None:
        name = metric.config.name
        report, waits = await _ask(context, place, bench, metric, wanted[name], THRESHOLD)
        await _store(context, place, _outcomes(report, waits))
        del wanted[name]

    async with judging_bench(context, place.job_id, judging, asking) as bench:
        asked = (ask(bench, metric) for metric in judging.metrics)
        for outcome in await asyncio.gather(*asked, return_exceptions=True):
            if outcome is not None:
                raise outcome


async def _ask(
    context: Context,
    place: _Place,
    bench: Bench,
    metric: JudgedMetric,
    canaries: Sequence[str],
    threshold: float,
) -> tuple[CanaryReport, list[Waits]]:
    """What a metric makes of canaries on a case that it could score, and what kept its judges from it."""
    row = await _read_row(context, place, metric.config.name)
    tag = replace(tag_of(place.plan, row), metric=metric.config.name)
    waits: list[Waits] = []
    bench.ledger.begin(row.token, 0)
    try:
        judges = judges_for(bench.seats, metric.judges, tag, waits)
        sample = Sample(case=row.case, response=row.response)
        return await check_canaries(metric, sample, judges, threshold, canaries), waits
    finally:
        bench.ledger.forget(row.token)


async def _read_row(context: Context, place: _Place, metric: str) -> Unscored:
    """The first answer that the metric has scored, or the first one. Each time under another token."""
    organization_id = context.organization_id
    async with context.database.transaction(organization_id) as connection:
        item_no = await judge_canaries.find_scored_item(connection, organization_id, place.job_id, metric)
        after = BEFORE_ALL if item_no is None else item_no - 1
        rows, _ = await read_answers(connection, organization_id, place.job_id, (), (after, 1))
    return rows[0]


def _outcomes(report: CanaryReport, waits: Sequence[Waits]) -> list[CanaryOutcome]:
    return [_outcome(report, result, waits) for result in report.results]


def _outcome(report: CanaryReport, result: CanaryResult, waits: Sequence[Waits]) -> CanaryOutcome:
    score = result.score
    reason = waits[0].message if waits and result.state == "not_checked" else score.reason
    return CanaryOutcome(
        metric=report.metric,
        canary=result.name,
        state=result.state,
        threshold=report.threshold,
        value=score.value,
        reason=reason[:REASON_CHARS],
        calls=score.calls,
        cost_nanousd=score.cost_nanousd,
    )


async def _store(context: Context, place: _Place, outcomes: Sequence[CanaryOutcome]) -> None:
    async with context.database.transaction(context.organization_id) as connection:
        await judge_canaries.store_canaries(connection, context.organization_id, place.job_id, outcomes)


async def _give_back(
    context: Context, place: _Place, wanted: Mapping[str, Sequence[CanaryName]], reason: str
) -> None:
    """What was claimed and not asked can be claimed again."""
    left = [
        CanaryOutcome(metric=name, canary=canary, state="not_checked", threshold=THRESHOLD, reason=reason)
        for name, canaries in wanted.items()
        for canary in canaries
    ]
    if left:
        await _store(context, place, left)
