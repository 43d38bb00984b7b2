"""Whether the judges of a job can be talked into a score: canaries on a case of it, paid like all calls."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from assay.domain.errors import InvalidInput, NotFound
from assay.domain.scores import Sample
from assay.engine.judge_calls import Waits, judges_for
from assay.judging.canaries import CanaryReport, check_canaries
from assay.models.prices import PriceTable
from assay.services.context import Context
from assay.services.credentials import check_credentials
from assay.services.grid import check_metrics
from assay.services.judge_bench import Asking, judging_bench, tag_of
from assay.storage import jobs as stored
from assay.storage.scoring import BEFORE_ALL, Unscored, read_answers


async def check_job_canaries(
    context: Context, job_id: UUID, names: Sequence[str], threshold: float
) -> tuple[CanaryReport, ...]:
    """A report for each judged metric of a job, or for those that are named.

    Raises InvalidInput for a name that is no judged metric of the job, NotFound when nothing was answered.
    """
    async with context.database.transaction(context.organization_id) as connection:
        job = await stored.get_job(connection, context.organization_id, job_id)
        rows, _ = await read_answers(connection, context.organization_id, job_id, (), (BEFORE_ALL, 1))
    if not rows:
        raise NotFound(f"job {job_id} has no answer yet", remedy="Run it first.")
    _, judging = check_metrics(context, job.plan, PriceTable(context.now))
    known = [metric for metric in judging.metrics if metric.judges]
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
    async with judging_bench(context, job_id, judging, Asking()) as bench:
        bench.ledger.begin(rows[0].token, 0)
        for metric in chosen:
            waits: list[Waits] = []
            tag = replace(tag_of(job.plan, rows[0]), metric=metric.config.name)
            judges = judges_for(bench.seats, metric.judges, tag, waits)
            reports.append(await check_canaries(metric, _sample(rows[0]), judges, threshold))
            if waits:
                raise waits[0]
    return tuple(reports)


def _sample(row: Unscored) -> Sample:
    return Sample(case=row.case, response=row.response)
