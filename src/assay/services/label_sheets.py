"""Sheets of answers for people to label: which ones, and a file to fill in."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.domain.errors import InvalidInput
from assay.domain.results import Result
from assay.formats.drafts import written
from assay.formats.result_files import csv_cell
from assay.reports.calibration_values import JudgedAnswer, LabelDraw
from assay.services.calibration import JudgedJob
from assay.services.context import Context
from assay.stats.errors import StatisticsError
from assay.stats.labelling import label_plan
from assay.storage.results import stream_results

Key = tuple[str, str | None, str | None, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRow:
    """An answer to label. `pi`: the chance with which it was chosen, where chances differ."""

    answer: JudgedAnswer
    pi: float | None

    @property
    def key(self) -> Key:
        """What a label is matched by."""
        return key_of(self.answer)


def key_of(answer: JudgedAnswer | Result) -> Key:
    """Case, prompt, model and repeat."""
    return answer.case, answer.prompt, answer.model, answer.repeat


def plan_sheet(answers: Sequence[JudgedAnswer], n: int, draw: LabelDraw, *, seed: int) -> list[SheetRow]:
    """Choose `n` of the answers that have a score and no label.

    `random` and `stratified` (in proportion, over ranges of scores) may be added to labels that were drawn so
    before. `active` prefers answers of which the judge is unsure, keeps the chance of each, and needs that no
    answer has a label yet. Raises InvalidInput.
    """
    open_ = [each for each in answers if each.judge is not None and not each.labels]
    if draw == "active" and len(open_) < sum(each.judge is not None for each in answers):
        raise InvalidInput(
            "answers drawn with uneven chances cannot be added to labels that are there",
            field="--draw",
            remedy="Take --draw stratified, or start without --labels.",
        )
    scores = [each.judge for each in open_ if each.judge is not None]
    # not the seed of the data set's order: a draw of its own
    rng = np.random.default_rng([seed, len(answers) - len(open_)])
    try:
        plan = label_plan(scores, n, method=draw, rng=rng)
    except StatisticsError as problem:
        raise InvalidInput(str(problem), field="--next") from problem
    uneven = draw == "active"
    return [
        SheetRow(answer=open_[index], pi=float(plan.pi[index]) if uneven else None)
        for index in plan.indices.tolist()
    ]


async def read_texts(context: Context, judged: JudgedJob, rows: Sequence[SheetRow]) -> dict[Key, Result]:
    """The results of the chosen answers, to be shown to people."""
    wanted = {row.key for row in rows}
    found: dict[Key, Result] = {}
    async with context.database.transaction(context.organization_id) as connection:
        job = judged.job
        async for results in stream_results(connection, context.organization_id, job.id, job.plan):
            found.update((key_of(each), each) for each in results if key_of(each) in wanted)
    return found


def write_sheet(path: Path, rows: Sequence[SheetRow], texts: Mapping[Key, Result]) -> None:
    """Write the answers as CSV with an empty column `label`. The judge's score is left out: it would sway.

    Texts are made harmless for spreadsheets. Raises InvalidInput where the file cannot be written.
    """
    uneven = any(row.pi is not None for row in rows)
    heads = ["case", "prompt", "model", "repeat", *(["pi"] if uneven else []), "label"]
    heads += ["vars", "expected", "output"] if texts else ["group"]
    with written(path) as draft, draft.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(heads)
        for row in rows:
            writer.writerow([csv_cell(value) for value in _cells(row, texts, uneven=uneven)])


def _cells(row: SheetRow, texts: Mapping[Key, Result], *, uneven: bool) -> list[object]:
    case, prompt, model, repeat = row.key
    cells: list[object] = [case, prompt, model, repeat, *([row.pi] if uneven else []), None]
    if not texts:
        return [*cells, row.answer.candidate]
    result = texts[row.key]
    text = None if result.response is None else result.response.text
    return [*cells, dict(result.vars), result.expected, text]
