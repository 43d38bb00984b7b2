"""Runs: a suite becomes a job, a job is worked on, a stopped or failed one goes on."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from typing import Any
from uuid import UUID

from assay.domain.content import content_hash
from assay.domain.datasets import Case
from assay.domain.errors import Conflict, InvalidInput
from assay.domain.ids import new_id
from assay.domain.jobs import JobHead, Plan
from assay.domain.models import ModelResponse
from assay.domain.money import NANO
from assay.domain.protocols import Steering
from assay.domain.suites import Suite
from assay.engine.attempts import Attempts
from assay.engine.policy import EndReason, RunContext, RunPolicy, Slots, StopSignal
from assay.engine.run import run
from assay.formats.cases import read_cases
from assay.models.cache import BatchedCache
from assay.models.transport import Transport
from assay.services.canaries import ask_canaries
from assay.services.context import Context
from assay.services.credentials import check_credentials, open_credentials
from assay.services.drawing import ReadCases, with_cases
from assay.services.grid import Grid, Wiring, build_evaluator, check_grid
from assay.services.judge_bench import Asking
from assay.services.race_check import check_race
from assay.services.receipts import JobDataset, make_receipt
from assay.services.selection import Filters, Selector, narrow_suite
from assay.services.stored_suites import prompts_of, resolve_suite
from assay.services.workers import is_dead
from assay.storage import jobs as stored
from assay.storage.budgets import has_budget
from assay.storage.dataset_versions import get_dataset_version
from assay.storage.datasets import add_dataset_version
from assay.storage.judge_calls import StoredJudgeBook
from assay.storage.pool import Connection
from assay.storage.queue import JobQueue

DEFAULT_CONCURRENCY = 20
WORKABLE = ("queued", "running", "paused")
STEERING = "assay.services.steering"
"""Its statistics are loaded for a race only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a job is worked on; nothing here changes an answer.

    `canaries`: ask its judges about canaries at the end, if the job wants it.
    """

    concurrency: int = DEFAULT_CONCURRENCY
    use_cache: bool = True
    max_errors: int | None = None
    canaries: bool = True


async def create_job(context: Context, suite: Suite, filters: Filters) -> UUID:
    """Check a suite whole, store its prompts, models and cases, and queue the job.

    No call is made. Raises InvalidInput or MissingKey for what cannot be run.
    """
    suite = await resolve_suite(context, narrow_suite(suite, filters))
    plan = check_race(suite, plan_of(suite))
    grid = check_grid(context, plan, suite)
    await check_credentials(context, (*plan.models, *grid.judging.judges))
    _check_budget(grid, suite.budget_usd, suite)
    selector = Selector(replace(filters, split=suite.dataset.split))
    job_id = new_id()
    async with context.database.transaction(context.organization_id) as connection:
        await stored.ensure_organization(connection, context.organization_id, "local")
        if await has_budget(connection, context.organization_id):
            _refuse_unknown_prices(grid, suite)
        dataset = await _add_cases(connection, context.organization_id, suite, grid, selector)
        job = _new_job(context, job_id, suite, grid, (dataset, selector))
        await stored.add_job(connection, context.organization_id, job)
    return job_id


async def _add_cases(
    connection: Connection, organization_id: UUID, suite: Suite, grid: Grid, selector: Selector
) -> JobDataset:
    """The version of the suite's data set, its cases checked: found when it is in the store, else stored."""
    source = suite.dataset
    if source.stored is None:
        cases = check_cases(suite, grid, selector)
        added = await add_dataset_version(connection, organization_id, source.name, cases, _file_of(suite))
        return JobDataset(added.id, added.content_hash, added.case_count, f"{source.name}:{added.version}")
    found = await get_dataset_version(connection, organization_id, source.stored)

    def check(read: ReadCases) -> None:
        deque(check_cases(suite, grid, selector, read()), maxlen=0)

    await with_cases(connection, organization_id, found.id, check)
    return JobDataset(found.id, found.value.content_hash, found.value.case_count, str(source.stored))


def _file_of(suite: Suite) -> str | None:
    """Where the cases come from, as errors name it."""
    if suite.dataset.stored is not None:
        return f"data set {suite.dataset.stored}"
    return None if suite.dataset.path is None else str(suite.dataset.path)


def plan_of(suite: Suite) -> Plan:
    """The part of a suite that decides its answers and scores."""
    return Plan(
        prompts=prompts_of(suite),
        models=suite.models,
        metrics=suite.metrics,
        repeats=suite.repeats,
        variables=suite.variables,
        seed=suite.seed,
        margin=suite.margin,
        race=suite.race,
        judges=suite.judges,
    )


def check_cases(
    suite: Suite, grid: Grid, selector: Selector, cases: Iterable[Case] | None = None
) -> Iterator[Case]:
    """The cases of a suite as a stream; raises InvalidInput at the first that a prompt cannot use.

    `cases` are those of the store, where the suite's are there.
    """
    file = _file_of(suite)
    defaults = frozenset(suite.variables)
    for case, wanted in selector.watch(cases or suite.dataset.cases or read_cases(suite.dataset)):
        if wanted:
            _check_variables(case, grid, defaults, file)
        yield case
    if not selector.kept:
        raise InvalidInput(
            f"no case is left of {selector.seen}", file=file, field="filters", remedy="Loosen the filters."
        )


def _check_variables(case: Case, grid: Grid, defaults: frozenset[str], file: str | None) -> None:
    for prompt in grid.prompts:
        missing = prompt.variables - defaults - case.vars.keys()
        if not missing:
            continue
        # A template may do without a variable (`is defined`, `default`): only rendering tells.
        try:
            prompt.render({**grid.plan.variables, **case.vars}, case=case.key)
        except InvalidInput as problem:
            raise InvalidInput(
                f"case {case.key!r} has no variable {sorted(missing)[0]!r} for prompt {prompt.name!r}",
                file=file,
                line=case.line,
                field=f"vars.{sorted(missing)[0]}",
                remedy=f"It has: {', '.join(sorted(case.vars)) or 'none'}. Add it, or set it in `variables`.",
            ) from problem


def _check_budget(grid: Grid, budget_usd: float | None, suite: Suite | None = None) -> None:
    if budget_usd is not None:
        _refuse_unknown_prices(grid, suite)


def _refuse_unknown_prices(grid: Grid, suite: Suite | None) -> None:
    prices = [*grid.pricings.items(), *grid.judging.pricings.items()]
    unknown = [name for name, pricing in prices if pricing is None]
    if unknown:
        raise InvalidInput(
            f"the price of {unknown[0]!r} is unknown, so that no budget can be held",
            file=None if suite is None or suite.path is None else str(suite.path),
            line=None if suite is None else suite.lines.get("budget_usd"),
            field="budget_usd",
            remedy="State its price a million tokens (`price: {input_usd: 1, output_usd: 2}`).",
        )


def _new_job(
    context: Context, job_id: UUID, suite: Suite, grid: Grid, cases: tuple[JobDataset, Selector]
) -> stored.NewJob:
    dataset, selector = cases
    selection = selector.finish()
    count = dataset.case_count if selection is None else sum(last - first for first, last in selection)
    plan = grid.plan
    return stored.NewJob(
        id=job_id,
        name=suite.name,
        description=suite.description,
        plan=plan,
        config_hash=content_hash([plan, dataset.content_hash.hex(), grid.metric_versions]),
        dataset_version_id=dataset.id,
        selection=selection,
        planned=count * len(plan.prompts) * len(plan.models) * plan.repeats,
        cap_nanousd=None if suite.budget_usd is None else round(suite.budget_usd * NANO),
        receipt=make_receipt(context, grid, dataset, suite.dataset.split),
        canaries=suite.canaries,
    )


async def work_on(context: Context, job_id: UUID, options: RunOptions, stop: StopSignal) -> EndReason:
    """Work on a job until it ends or `stop` asks for an end; any number of processes may at once.

    When it has completed, its judges are asked about canaries, unless that is known already.
    """
    job, capped = await _open_job(context, job_id)
    grid = check_grid(context, job.plan)
    reason = await _work(context, (job, grid), (options, capped), stop)
    if reason == "completed" and options.canaries and job.canaries:
        asking = Asking(concurrency=options.concurrency, use_cache=options.use_cache)
        await ask_canaries(context, job_id, grid.judging, asking, stop)
    return reason


async def _work(
    context: Context, work: tuple[stored.Job, Grid], how: tuple[RunOptions, bool], stop: StopSignal
) -> EndReason:
    (job, grid), (options, capped) = work, how
    queue = _queue_of(context, job.id, grid)
    for owner in await queue.lease_owners():
        if is_dead(owner):
            await queue.expire_leases(owner)
    sweep = await queue.sweep()
    if sweep.state not in WORKABLE:
        return "completed" if sweep.state == "completed" else "cancelled"
    policy = RunPolicy(concurrency=options.concurrency, max_errors=options.max_errors, capped=capped)
    steering = None
    if job.plan.race is not None and job.parent_job_id is None:  # a retry asks all that failed
        module: Any = import_module(STEERING)
        steering = module.RaceSteering(context, job.id, job.plan)
    reason = await _run(context, (job.id, grid, queue, steering), (policy, options.use_cache), stop)
    if reason not in ("completed", "cancelled", "paused") and not (await queue.sweep()).leased:
        # Nobody else works on it: say why it stands still.
        await _move(context, job.id, "paused", allowed=("queued", "running"), reason=reason)
    return reason


def _queue_of(context: Context, job_id: UUID, grid: Grid) -> JobQueue:
    return JobQueue(
        context.database,
        context.organization_id,
        job_id,
        worker=context.worker,
        metric_versions=grid.metric_versions,
        estimates=grid.estimates(),
    )


async def _run(
    context: Context,
    work: tuple[UUID, Grid, JobQueue, Steering | None],
    how: tuple[RunPolicy, bool],
    stop: StopSignal,
) -> EndReason:
    (job_id, grid, queue, steering), (policy, use_cache) = work, how
    head = await _head(context, job_id)
    slots = Slots(policy.concurrency)
    attempts = Attempts(queue, slots.sent)
    book = StoredJudgeBook(
        context.database, context.organization_id, job_id, worker=context.worker, leased=True
    )
    fetch = partial(_find_answers, queue, book) if grid.judging.metrics else queue.find_answers
    credentials = await open_credentials(context, (*grid.plan.models, *grid.judging.judges))
    async with Transport(clock=context.clock) as transport:
        wiring = Wiring(
            transport=transport,
            slots=slots,
            concurrency=policy.concurrency,
            judge_book=book,
            judge_cache=BatchedCache(book.find_answers) if use_cache else None,
            credentials=credentials,
        )
        cache = BatchedCache(fetch) if use_cache else None
        return await run(
            RunContext(
                job_id=str(job_id),
                queue=queue,
                evaluator=build_evaluator(context, grid, wiring, attempts, cache),
                attempts=attempts,
                slots=slots,
                policy=policy,
                emit=context.emit,
                clock=context.clock,
                sleep=context.sleep,
                stop=stop,
                steering=steering,
            ),
            planned=head.planned,
            done=head.succeeded + head.failed,
        )


async def _find_answers(
    queue: JobQueue, book: StoredJudgeBook, keys: Sequence[bytes]
) -> dict[bytes, ModelResponse]:
    """Stored answers, and those of cells that were lost while they were judged."""
    found = await queue.find_answers(keys)
    missing = [key for key in keys if key not in found]
    return found | await book.find_answers(missing) if missing else found


async def retry_job(context: Context, parent_id: UUID) -> UUID:
    """A child job with the cells of `parent` that ended without an answer, and what its budget has left.

    Raises Conflict when the parent is still open or nothing failed.
    """
    child_id = new_id()
    async with context.database.transaction(context.organization_id) as connection:
        parent = await stored.get_job(connection, context.organization_id, parent_id)
        head = await stored.resolve_job(connection, context.organization_id, str(parent_id))
        cap = parent.cap_nanousd
        if parent.state in WORKABLE:
            raise Conflict(
                f"job {parent_id} is not finished", remedy=f"Finish it first: assay resume {parent_id}"
            )
        if not head.failed:
            raise Conflict(f"no cell of job {parent_id} failed", remedy="There is nothing to retry.")
        child = stored.NewJob(
            id=child_id,
            name=parent.name,
            description=f"retry of the failed cells of {parent_id}",
            plan=parent.plan,
            config_hash=parent.config_hash,
            dataset_version_id=parent.dataset_version_id,
            selection=None,
            planned=head.failed,
            cap_nanousd=None if cap is None else max(0, cap - parent.spent_nanousd),
            receipt={**parent.receipt, "retry_of": str(parent_id)},
            parent_job_id=parent_id,
            expanded_cases=2**31 - 1,
            canaries=parent.canaries,
        )
        await stored.add_job(connection, context.organization_id, child)
        await stored.copy_failed_items(connection, context.organization_id, parent_id, child_id)
    return child_id


async def cancel_job(context: Context, job_id: UUID) -> None:
    """Ask a job to end: nothing more is claimed, waiting cells are cancelled. Raises Conflict."""
    moved = await _move(context, job_id, "cancelling", allowed=WORKABLE, reason="cancelled by user")
    if not moved:
        raise Conflict(f"job {job_id} is finished already", remedy="See its state: assay jobs")
    queue = JobQueue(
        context.database, context.organization_id, job_id, worker=context.worker, metric_versions={}
    )
    await queue.sweep()


async def set_budget(context: Context, job_id: UUID, budget_usd: float) -> None:
    """Let an open job spend this much in all, in place of its budget so far.

    Raises InvalidInput for an unknown price or less than was spent, Conflict for a finished job.
    """
    cap = round(budget_usd * NANO)
    async with context.database.transaction(context.organization_id) as connection:
        job = await stored.get_job(connection, context.organization_id, job_id)
        _check_budget(check_grid(context, job.plan), budget_usd)
        if await stored.set_cap(connection, context.organization_id, job_id, cap):
            return
    if job.state not in WORKABLE:
        raise Conflict(f"job {job_id} is finished already", remedy="See its state: assay jobs")
    spent = (job.spent_nanousd + job.reserved_nanousd) / NANO
    raise InvalidInput(
        f"${budget_usd:g} is less than the ${spent:.6g} that job {job_id} has spent or reserved",
        field="--budget",
        remedy="The budget is for the whole job: give more than it has spent.",
    )


async def _open_job(context: Context, job_id: UUID) -> tuple[stored.Job, bool]:
    """The job, and whether money may keep its cells waiting: by its own budget or one of the tenant's."""
    await _move(context, job_id, "running", allowed=("paused",), reason=None)
    async with context.database.transaction(context.organization_id) as connection:
        job = await stored.get_job(connection, context.organization_id, job_id)
        return job, job.cap_nanousd is not None or await has_budget(connection, context.organization_id)


async def _head(context: Context, job_id: UUID) -> JobHead:
    async with context.database.transaction(context.organization_id) as connection:
        return await stored.resolve_job(connection, context.organization_id, str(job_id))


async def _move(
    context: Context, job_id: UUID, state: str, *, allowed: tuple[str, ...], reason: str | None
) -> bool:
    async def move(connection: Connection) -> bool:
        return await stored.set_job_state(
            connection, context.organization_id, job_id, state, allowed=allowed, reason=reason
        )

    return await context.database.run(context.organization_id, move)


def with_overrides(suite: Suite, overrides: Mapping[str, Any]) -> Suite:
    """The suite with what the command line decides in place of the file's."""
    chosen = {name: value for name, value in overrides.items() if value is not None}
    return replace(suite, **chosen) if chosen else suite
