"""The steering of a race: opens cells a little ahead of what is known, closes those that are not needed."""

from collections.abc import Sequence
from uuid import UUID

from assay.domain.events import CandidateStopped
from assay.domain.jobs import Plan
from assay.reports.wording import candidate_labels, plural
from assay.services.context import Context
from assay.services.race_field import Field, read_field
from assay.stats.racing import RaceResult, Standing
from assay.storage.pool import Connection
from assay.storage.races import RaceCells


class RaceSteering:
    """Steers one job, whose plan has a race; the Steering of the engine.

    It knows nothing that is not in the database: several workers may steer one race, and one that died is
    followed by another that reads what was scored.
    """

    def __init__(self, context: Context, job_id: UUID, plan: Plan) -> None:
        self._context, self._job_id, self._plan = context, job_id, plan
        self._metric = (plan.race and plan.race.metric) or ""
        self._cells = RaceCells(context.database, context.organization_id, job_id, self._metric)
        pairs = [(prompt.name, model.name) for prompt in plan.prompts for model in plan.models]
        self._labels = candidate_labels(pairs)
        self._field: Field | None = None
        self._open: set[int] = set()
        self._stopped: set[int] = set()

    async def steer(self, wanted: int) -> None:
        """Take in what has ended, close whom the race has left behind, and open what comes next.

        Cells are opened, a batch at a time, until `wanted` of them have not ended: so many, and less than one
        batch more, can turn out not to have been needed.
        """
        field = await self._watch()
        result = field.race.result()
        if result.winner is None:
            await self._open_more(field, wanted)
        over = result.winner is not None or not self._open
        beaten = [s for s in result.standings if s.ending == "beaten" and s.candidate not in self._stopped]
        await self._close(result, result.standings if over else beaten)

    async def _watch(self) -> Field:
        field = self._field
        for cell in await self._cells.ended(sorted(self._open)) if self._open else ():
            self._open.discard(cell.item_no)
            if field is None:
                break
            if cell.state != "closed":
                field.take(cell)
            elif field.course.place(cell.item_no)[0] not in self._stopped:
                field = None  # another worker knows more: read what it knows
        if field is not None:
            return field
        known = await self._context.database.run(self._context.organization_id, self._read)
        self._field, self._open = known
        return known[0]

    async def _read(self, connection: Connection) -> tuple[Field, set[int]]:
        return await read_field(connection, self._context.organization_id, self._job_id, self._plan)

    async def _open_more(self, field: Field, wanted: int) -> None:
        items: list[int] = []
        while len(self._open) < wanted and (stretches := field.race.next()):
            new = [i for s in stretches for i in field.course.items(s.candidate, s.first, s.last)]
            items += new
            self._open.update(new)
        if items:
            await self._cells.open(items)

    async def _close(self, result: RaceResult, ended: Sequence[Standing]) -> None:
        """Close what waits of candidates that are not asked any more.

        Where the race is over this is done again each time: a cell that was leased may have come back.
        """
        if not ended:
            return
        reasons = {each.candidate: self._reason(each, result) for each in ended}
        models = len(self._plan.models)
        await self._cells.close([(*divmod(number, models), reason) for number, reason in reasons.items()])
        for number, reason in reasons.items():
            if number not in self._stopped and result.winner != number:
                self._context.emit(CandidateStopped(candidate=self._labels[number], reason=reason))
        self._stopped.update(reasons)

    def _reason(self, each: Standing, result: RaceResult) -> str:
        if each.ending == "beaten" and each.beaten_by is not None and each.beaten_after is not None:
            cases = plural(each.beaten_after, "case")
            return f"{self._labels[each.beaten_by]} is better on {self._metric}, as {cases} show"
        if result.winner is None:
            return f"the race on {self._metric} has nothing more to ask"
        if each.ending == "won":
            return f"it won the race on {self._metric}"
        winner = self._labels[result.winner]
        return f"{winner} won the race on {self._metric}: this one is at most {result.eps:g} better"
