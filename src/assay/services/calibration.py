"""A judge held against labels: the scores of a job, or of a file that has both."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from assay.domain.content import content_hash
from assay.domain.errors import InvalidInput
from assay.domain.results import Result
from assay.domain.scores import MetricConfig
from assay.formats.labels import LabelColumns, LabelFile, read_labels
from assay.metrics.catalog import asks_judge, get_info
from assay.reports.calibrating import calibrate_answers
from assay.reports.calibration_values import CalibrationReport, CalibrationWish, JudgedAnswer
from assay.reports.untrusted import one_line
from assay.reports.wording import candidate_labels
from assay.services.context import Context
from assay.services.label_matching import answers_of_file, match_labels
from assay.services.model_families import family_of
from assay.stats.errors import StatisticsError
from assay.storage import jobs as stored
from assay.storage.results import stream_results


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSource:
    """A file of labels and how to read it; `judge_family` is that of all rows that do not say."""

    path: Path
    columns: LabelColumns = field(default_factory=LabelColumns)
    judge_family: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedJob:
    """All answers of a job with their scores of one metric."""

    job: stored.Job
    metric: MetricConfig
    answers: tuple[JudgedAnswer, ...]


async def read_judged(context: Context, job_id: UUID, metric: str | None) -> JudgedJob:
    """The answers of a job and what a metric says of them. Raises InvalidInput for a metric that cannot be.

    Without a name the metric is the one that asks models or, where none or several do, the only score.
    """
    organization_id = context.organization_id
    async with context.database.transaction(organization_id) as connection:
        job = await stored.get_job(connection, organization_id, job_id)
        chosen = choose_metric(job, metric)
        pairs = [(prompt.name, model.name) for prompt in job.plan.prompts for model in job.plan.models]
        labels = dict(zip(pairs, candidate_labels(pairs), strict=True))
        families = {model.name: family_of(model) for model in job.plan.models}
        answers = [
            _judged(result, chosen.name, labels, families)
            async for results in stream_results(connection, organization_id, job.id, job.plan)
            for result in results
        ]
    return JudgedJob(job=job, metric=chosen, answers=tuple(answers))


def choose_metric(job: stored.Job, name: str | None) -> MetricConfig:
    """The metric of a job that is meant; raises InvalidInput where none or several may be."""
    scores = {each.name: each for each in job.plan.metrics if get_info(each.type).kind != "measure"}
    if name is not None and name in scores:
        return scores[name]
    if name is not None:
        measures = [each.name for each in job.plan.metrics if each.name not in scores]
        what = "is a measure, not a score" if name in measures else "is not in the job"
        raise InvalidInput(f"{one_line(name, 80)!r} {what}", field="--metric", remedy=_known(scores))
    judged = [each for each in scores.values() if asks_judge(each)]
    found = judged if len(judged) == 1 else list(scores.values())
    if len(found) != 1:
        raise InvalidInput("say which metric is the judge", field="--metric", remedy=_known(scores))
    return found[0]


def _known(scores: Mapping[str, MetricConfig]) -> str:
    names = ", ".join(one_line(name, 60) for name in scores) or "none"
    return f"Scores of the job: {names}."


def _judged(
    result: Result,
    metric: str,
    labels: Mapping[tuple[str, str], str],
    families: Mapping[str, str | None],
) -> JudgedAnswer:
    score = next((each for each in result.scores if each.metric == metric and each.state == "scored"), None)
    return JudgedAnswer(
        case=result.case,
        candidate=labels[result.prompt, result.model],
        prompt=result.prompt,
        model=result.model,
        repeat=result.repeat,
        cluster=result.cluster,
        judge=None if score is None else score.value,
        length=None if result.response is None else float(len(result.response.text)),
        answer_family=families[result.model],
    )


async def calibrate_job(
    judged: JudgedJob, source: LabelSource, wish: CalibrationWish
) -> tuple[CalibrationReport, tuple[JudgedAnswer, ...]]:
    """The report on the metric of a job, and its answers with their labels.

    The judge's threshold is that of the suite, unless the wish has one. Raises InvalidInput for labels that
    cannot be used.
    """
    file = await asyncio.to_thread(read_labels, source.path, source.columns)
    answers, notes = match_labels(judged.answers, file)
    answers = _with_family(answers, source.judge_family)
    threshold = judged.metric.threshold if wish.threshold is None else wish.threshold
    report = await asyncio.to_thread(
        _report,
        answers,
        replace(wish, threshold=threshold),
        title=f"{judged.metric.name} of {judged.job.name} @{str(judged.job.id)[-6:]}",
        judge=judge_document(judged),
        file=file,
        seed=judged.job.plan.seed,
    )
    return replace(report, notes=(*notes, *report.notes)), tuple(answers)


def calibrate_file(
    source: LabelSource, wish: CalibrationWish, *, seed: int
) -> tuple[CalibrationReport, tuple[JudgedAnswer, ...]]:
    """The report on the scores in a file that holds labels too. Raises InvalidInput."""
    file = read_labels(source.path, source.columns)
    answers, notes = answers_of_file(file)
    answers = _with_family(answers, source.judge_family)
    scale = source.columns.judge_scale
    judge = {
        "column": source.columns.judge,
        "family": source.judge_family,
        "scale": [scale.low, scale.high],
    }
    title = f"{source.columns.judge} in {source.path.name}"
    report = _report(answers, wish, title=title, judge=judge, file=file, seed=seed)
    return replace(report, notes=(*notes, *report.notes)), tuple(answers)


def _report(
    answers: list[JudgedAnswer],
    wish: CalibrationWish,
    *,
    title: str,
    judge: Mapping[str, Any],
    file: LabelFile,
    seed: int,
) -> CalibrationReport:
    labels = {
        "file": file.path.name,
        "sha256": file.sha256,
        "rows": len(file.rows),
        "annotators": sorted({name for row in file.rows for name, _ in row.labels}),
    }
    try:
        return calibrate_answers(answers, wish, title=title, judge=judge, labels=labels, seed=seed)
    except StatisticsError as problem:
        raise InvalidInput(str(problem), file=str(file.path)) from problem


def _with_family(answers: list[JudgedAnswer], family: str | None) -> list[JudgedAnswer]:
    if family is None:
        return answers
    return [each if each.judge_family else replace(each, judge_family=family) for each in answers]


def judge_document(judged: JudgedJob) -> dict[str, Any]:
    """What the judge is: its metric, version and options, and the job that its scores come from."""
    job, metric = judged.job, judged.metric
    versions = job.receipt.get("metrics", {})
    return {
        "metric": metric.name,
        "type": metric.type,
        "version": versions.get(metric.name, get_info(metric.type).version),
        "threshold": metric.threshold,
        "options": content_hash(metric.options).hex()[:16],
        "job": str(job.id),
        "dataset": f"{job.dataset} v{job.dataset_version}",
        "dataset_hash": job.dataset_hash.hex(),
    }
