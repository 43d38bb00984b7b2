"""The same answers, judged in two jobs: has the judge changed?"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np

from assay.domain.errors import InvalidInput
from assay.domain.results import Result
from assay.metrics.catalog import get_info
from assay.reports.drift_page import DriftReport
from assay.reports.wording import plural
from assay.services.calibration import JudgedJob, choose_metric, judge_document
from assay.services.context import Context
from assay.stats.arrays import Kind
from assay.stats.drift import anchor_drift
from assay.storage import jobs as stored
from assay.storage.results import stream_results

Key = tuple[str, str, str, int]


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A judged answer: its score, a hash of its text, and what it depends on."""

    score: float
    text: bytes
    cluster: str


@dataclass(frozen=True, slots=True)
class _Side:
    judge: Mapping[str, Any]
    kind: Kind
    name: str
    anchors: Mapping[Key, _Anchor]
    unscored: int


async def compare_judgements(
    context: Context, earlier: UUID, later: UUID, *, metric: str | None, margin: float
) -> DriftReport:
    """The drift of a metric from one job to another, on the answers that both have judged.

    Answers pair by case, prompt, model and repeat; where names differ and each job has one prompt and one
    model, by case and repeat. Pairs whose texts differ are left out: a score may rightly follow them. Raises
    InvalidInput when no pair is left.
    """
    if earlier == later:
        raise InvalidInput("a job is named twice: it cannot be compared with itself", field="JOB_B")
    before, after = [await _read(context, job_id, metric) for job_id in (earlier, later)]
    first, second = _by_names(before, after)
    shared = [key for key in first if key in second]
    same = [key for key in shared if first[key].text == second[key].text]
    if not same:
        raise InvalidInput(
            "the jobs have no answer in common that both have judged",
            remedy="Judge stored answers again: a `replay` model gives the same answers in both jobs.",
        )
    found = anchor_drift(
        [first[key].score for key in same],
        [second[key].score for key in same],
        kind="binary" if before.kind == after.kind == "binary" else "unit",
        clusters=[first[key].cluster for key in same],
        margin=margin,
        rng=np.random.default_rng(0),
    )
    return DriftReport(
        earlier=before.name,
        later=after.name,
        judges=(before.judge, after.judge),
        drift=found,
        notes=tuple(_notes(before, after, (len(shared) - len(same), len(first) - len(shared)))),
    )


async def _read(context: Context, job_id: UUID, metric: str | None) -> _Side:
    organization_id = context.organization_id
    anchors: dict[Key, _Anchor] = {}
    unscored = 0
    async with context.database.transaction(organization_id) as connection:
        job = await stored.get_job(connection, organization_id, job_id)
        chosen = choose_metric(job, metric)
        async for results in stream_results(connection, organization_id, job.id, job.plan):
            for result in results:
                anchor = _anchor(result, chosen.name)
                if anchor is None:
                    unscored += 1
                else:
                    anchors[result.case, result.prompt, result.model, result.repeat] = anchor
    return _Side(
        judge=judge_document(JudgedJob(job=job, metric=chosen, answers=())),
        kind="binary" if get_info(chosen.type).kind == "binary" else "unit",
        name=f"{chosen.name} of {job.name} @{str(job.id)[-6:]}",
        anchors=anchors,
        unscored=unscored,
    )


def _anchor(result: Result, metric: str) -> _Anchor | None:
    for score in result.scores:
        if score.metric == metric and score.value is not None and result.response is not None:
            text = hashlib.blake2b(result.response.text.encode("utf-8", "surrogatepass"), digest_size=16)
            return _Anchor(score.value, text.digest(), result.cluster or result.case)
    return None


def _by_names(before: _Side, after: _Side) -> tuple[Mapping[Key, _Anchor], Mapping[Key, _Anchor]]:
    """Both sides under common keys."""
    if before.anchors.keys() & after.anchors.keys() or not (_single(before) and _single(after)):
        return before.anchors, after.anchors
    first, second = (
        {(case, "", "", repeat): anchor for (case, _, _, repeat), anchor in side.anchors.items()}
        for side in (before, after)
    )
    return first, second


def _single(side: _Side) -> bool:
    return len({key[1:3] for key in side.anchors}) == 1


def _notes(before: _Side, after: _Side, left_out: tuple[int, int]) -> list[str]:
    changed, alone = left_out
    unscored = before.unscored + after.unscored
    one, other = before.judge, after.judge
    differ = [name for name in ("type", "version", "options") if one[name] != other[name]]
    found = [
        (changed > 0, f"{plural(changed, 'answer')} with another text in the later job: left out"),
        (alone > 0, f"{plural(alone, 'answer')} of the earlier job that the later one has not judged"),
        (unscored > 0, f"{plural(unscored, 'answer')} without a score in one of the jobs"),
        (
            bool(differ),
            f"the metric differs in its {' and '.join(differ)}: what follows is the effect of that",
        ),
    ]
    return [text for applies, text in found if applies]
