"""Judges at work on stored results, with the ledger of the job and the cache of the tenant behind them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from assay.domain.jobs import Plan
from assay.domain.models import WorkTag
from assay.engine.evaluate import Bench
from assay.engine.policy import Slots
from assay.models.cache import BatchedCache
from assay.models.transport import Transport
from assay.services.context import Context
from assay.services.credentials import open_credentials
from assay.services.grid import Wiring, build_bench
from assay.services.judging import Judging
from assay.services.workers import is_dead
from assay.storage.judge_calls import StoredJudgeBook
from assay.storage.scoring import Unscored


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How judges are asked: calls at once, and whether stored replies will do."""

    concurrency: int = 20
    use_cache: bool = True


def tag_of(plan: Plan, row: Unscored) -> WorkTag:
    """By which the calls about a stored answer are known."""
    prompt = plan.prompts[row.prompt_no].name
    return WorkTag(item_no=row.item_no, lease_token=row.token, prompt=prompt, case=row.case.key)


@asynccontextmanager
async def judging_bench(
    context: Context, job_id: UUID, judging: Judging, asking: Asking
) -> AsyncIterator[Bench]:
    """The judges of stored results of a job; what dead processes left open in its ledger is closed first."""
    book = StoredJudgeBook(
        context.database, context.organization_id, job_id, worker=context.worker, leased=False
    )
    for worker in await book.open_workers():
        if is_dead(worker):
            await book.close_calls(worker)
    slots = Slots(asking.concurrency)
    credentials = await open_credentials(context, judging.judges)
    async with Transport(clock=context.clock) as transport:
        wiring = Wiring(
            transport=transport,
            slots=slots,
            concurrency=asking.concurrency,
            judge_book=book,
            judge_cache=BatchedCache(book.find_answers) if asking.use_cache else None,
            leased=False,
            credentials=credentials,
        )
        try:
            yield build_bench(context, judging, wiring)
        finally:
            await book.close_calls(context.worker)
