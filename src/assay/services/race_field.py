"""The race of a job as far as it is stored: cells become scores of cases in a shuffled order."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import numpy.typing as npt

from assay.domain.jobs import Plan
from assay.domain.races import RaceCell, RaceConfig
from assay.stats.racing import Race
from assay.storage.pool import Connection
from assay.storage.races import stream_race_cells
from assay.storage.results import stream_case_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The cases of a race in their shuffled order, and where each is in it.

    Cases are sorted by SHA-256 of seed and number: a shuffle that any program can repeat.
    """

    order: npt.NDArray[np.int64]
    position: npt.NDArray[np.int64]
    models: int
    prompts: int
    repeats: int

    @property
    def candidates(self) -> int:
        """Their number; that of a candidate is prompt_no * models + model_no."""
        return self.prompts * self.models

    def items(self, candidate: int, first: int, last: int) -> list[int]:
        """The numbers of the cells of a candidate at some positions."""
        cases = self.order[first:last, None] * self.candidates + candidate
        return [int(item) for item in (cases * self.repeats + np.arange(self.repeats)).ravel()]

    def place(self, item_no: int) -> tuple[int, int]:
        """Candidate and position of a cell."""
        case_no, candidate = divmod(item_no // self.repeats, self.candidates)
        return candidate, int(self.position[case_no])


def lay_course(plan: Plan, cases: Sequence[int]) -> Course:
    """The course of a plan over these case numbers, given in rising order."""
    numbers = np.asarray(cases, dtype=np.int64)
    keys = np.fromiter((_key(plan.seed, number) for number in cases), dtype=np.uint64, count=numbers.size)
    order = numbers[np.argsort(keys, kind="stable")]
    position = np.zeros(int(numbers[-1]) + 1, dtype=np.int64)
    position[order] = np.arange(order.size)
    return Course(
        order=order,
        position=position,
        models=len(plan.models),
        prompts=len(plan.prompts),
        repeats=plan.repeats,
    )


def _key(seed: int, case_no: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}:{case_no}".encode()).digest()[:8], "big")


class Field:
    """A race over cells.

    Repeats of a case are averaged. One that failed counts with the worst for whatever is claimed, one that
    was skipped not at all; a case counts when all its repeats have ended.
    """

    def __init__(self, config: RaceConfig, course: Course) -> None:
        self.course = course
        self.race = Race(
            course.candidates, course.order.size, alpha=config.alpha, eps=config.within, batch=config.batch
        )
        self._parts: dict[tuple[int, int], list[RaceCell]] = {}

    def take(self, cell: RaceCell) -> None:
        """Take in a cell that has ended; each once."""
        place = self.course.place(cell.item_no)
        parts = self._parts.setdefault(place, [])
        parts.append(cell)
        if len(parts) == self.course.repeats:
            del self._parts[place]
            self._count(place, parts)

    def _count(self, place: tuple[int, int], parts: Sequence[RaceCell]) -> None:
        counted = sum(1 for cell in parts if cell.state != "skipped")
        if not counted:
            self.race.skip(*place)
            return
        total = sum(cell.value for cell in parts if cell.value is not None)
        missing = sum(1 for cell in parts if cell.state == "failed")
        self.race.update(*place, total / counted, (total + missing) / counted)


async def read_field(
    connection: Connection, organization_id: UUID, job_id: UUID, plan: Plan
) -> tuple[Field, set[int]]:
    """The race of a job as far as it is stored, and the cells that were opened and have not ended.

    The plan must have a race whose metric is set.
    """
    if plan.race is None or plan.race.metric is None:
        raise ValueError("the job is no race")
    cases = [int(n) async for n in _case_numbers(connection, organization_id, job_id)]
    field = Field(plan.race, lay_course(plan, cases))
    open_: set[int] = set()
    async with aclosing(stream_race_cells(connection, organization_id, job_id, plan.race.metric)) as batches:
        async for cells in batches:
            for cell in cells:
                field.race.note_opened(*field.course.place(cell.item_no))
                if cell.state == "open":
                    open_.add(cell.item_no)
                else:
                    field.take(cell)
    return field, open_


async def _case_numbers(connection: Connection, organization_id: UUID, job_id: UUID) -> AsyncIterator[int]:
    async with aclosing(stream_case_keys(connection, organization_id, job_id)) as batches:
        async for rows in batches:
            for case_no, _, _ in rows:
                yield case_no
