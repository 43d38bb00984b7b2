"""Several metrics of a job as the judges of a jury."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np

from assay.domain.errors import InvalidInput
from assay.domain.results import Result
from assay.metrics.catalog import asks_judge, get_info
from assay.reports.jury_page import JuryReport
from assay.reports.wording import plural
from assay.services.calibration import choose_metric
from assay.services.context import Context
from assay.stats.errors import StatisticsError
from assay.stats.jackknife import Design
from assay.stats.juries import rater_agreement
from assay.storage import jobs as stored
from assay.storage.results import stream_results

LEAST = 2


async def compare_judges(context: Context, job_id: UUID, metrics: Sequence[str]) -> JuryReport:
    """How far metrics of a job agree on its answers; without names those that ask models, else all scores.

    Answers to one case, or of one cluster, depend on each other. Raises InvalidInput for fewer than two.
    """
    organization_id = context.organization_id
    columns: list[list[float]] = []
    clusters: list[str] = []
    async with context.database.transaction(organization_id) as connection:
        job = await stored.get_job(connection, organization_id, job_id)
        names = _names(job, metrics)
        async for results in stream_results(connection, organization_id, job.id, job.plan):
            columns += [_scores(result, names) for result in results]
            clusters += [result.cluster or result.case for result in results]
    table = np.array(columns, dtype=np.float64).T
    lone = len(set(clusters)) == len(clusters)
    try:
        found = rater_agreement(
            table,
            names,
            design=Design(clusters=None if lone else clusters),
            rng=np.random.default_rng(job.plan.seed),
        )
    except StatisticsError as problem:
        raise InvalidInput(str(problem), field="--metric") from problem
    without = int(np.isnan(table).any(axis=0).sum())
    notes = (f"{plural(without, 'answer')} without a score of every judge",) if without else ()
    return JuryReport(title=f"{job.name} @{str(job.id)[-6:]}", agreement=found, notes=notes)


def _names(job: stored.Job, metrics: Sequence[str]) -> list[str]:
    if metrics:
        names = [choose_metric(job, name).name for name in dict.fromkeys(metrics)]
    else:
        scores = [each for each in job.plan.metrics if get_info(each.type).kind != "measure"]
        judged = [each.name for each in scores if asks_judge(each)]
        names = judged if len(judged) >= LEAST else [each.name for each in scores]
    if len(names) < LEAST:
        raise InvalidInput(
            "a jury has two judges or more", field="--metric", remedy="Name each: --metric A --metric B"
        )
    return names


def _scores(result: Result, names: Sequence[str]) -> list[float]:
    values = {score.metric: score.value for score in result.scores if score.value is not None}
    return [values.get(name, np.nan) for name in names]
