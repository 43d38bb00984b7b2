"""What was answered to the cases that changed most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from assay.reports.comparison_values import ComparisonReport, Pair
from assay.reports.untrusted import one_line
from assay.services.contests import JobContest, Member
from assay.storage import jobs as stored
from assay.storage.pool import Connection
from assay.storage.results import read_answers

ANSWER_LENGTH = 280
REPEATS_SHOWN = 3
"""Of how many repeats the answers to a changed case are shown."""


async def with_answers(
    connection: Connection,
    organization_id: UUID,
    jobs: Sequence[stored.Job],
    found: JobContest,
    report: ComparisonReport,
) -> ComparisonReport:
    """The report with the answers to the cases that changed."""
    wanted: dict[int, set[int]] = {}
    for candidate, case in _sides(report):
        for member, items in _cells(jobs, found, candidate, case):
            wanted.setdefault(member.job, set()).update(items)
    texts = {
        job: await read_answers(
            connection, organization_id, jobs[job].id, sorted(items), length=4 * ANSWER_LENGTH + 1
        )
        for job, items in wanted.items()
    }
    answers = _Answers(jobs, found, texts)
    metrics = tuple(
        replace(metric, pairs=tuple(answers.added_to(pair) for pair in metric.pairs))
        for metric in report.metrics
    )
    return replace(report, metrics=metrics)


@dataclass(frozen=True, slots=True)
class _Answers:
    """The beginnings of answers by job and number of the cell."""

    jobs: Sequence[stored.Job]
    found: JobContest
    texts: Mapping[int, Mapping[int, str]]

    def added_to(self, pair: Pair) -> Pair:
        changes = tuple(
            replace(
                change,
                answers_before=self._of(pair.baseline, change.case),
                answers_after=self._of(pair.candidate, change.case),
            )
            for change in pair.movement.changes
        )
        return replace(pair, movement=replace(pair.movement, changes=changes))

    def _of(self, candidate: int, case: int) -> tuple[str, ...]:
        cells = _cells(self.jobs, self.found, candidate, case)
        return tuple(
            f"{member.prompt} \N{MIDDLE DOT} {member.model}: {text}" if len(cells) > 1 else text
            for member, items in cells
            for item in items
            if (text := one_line(self.texts[member.job].get(item, ""), ANSWER_LENGTH))
        )


def _sides(report: ComparisonReport) -> set[tuple[int, int]]:
    """Candidate and case of each answer that is to be shown."""
    return {
        (candidate, change.case)
        for metric in report.metrics
        for pair in metric.pairs
        for change in pair.movement.changes
        for candidate in (pair.baseline, pair.candidate)
    }


def _cells(
    jobs: Sequence[stored.Job], found: JobContest, candidate: int, case: int
) -> list[tuple[Member, list[int]]]:
    """The members of a candidate with the numbers of their cells of a case, those of the first repeats."""
    cells = []
    for number in found.contest.groups[candidate]:
        member = found.members[number]
        plan, case_no = jobs[member.job].plan, int(found.case_numbers[member.job][case])
        if case_no < 0:
            continue
        pair = (case_no * len(plan.prompts) + member.prompt_no) * len(plan.models) + member.model_no
        first = pair * plan.repeats
        cells.append((member, list(range(first, first + min(plan.repeats, REPEATS_SHOWN)))))
    return cells
