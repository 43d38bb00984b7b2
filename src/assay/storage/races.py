"""The cells of a race: opened, watched and closed."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any
from uuid import UUID

import orjson

from assay.domain.races import RaceCell
from assay.storage.pool import Connection, Database
from assay.storage.results import FETCH_ROWS, NEWEST

OPEN = "select assay.open_cells(%s, %s::bigint[])"
CLOSE = "select assay.close_cells(%s, %s::jsonb)"
KIND = """
case when q.state = 'cancelled' then 'closed'
     when q.state in ('ready', 'leased') then 'open'
     when q.state <> 'succeeded' then 'failed'
     when s.state in ('scored', 'skipped') then s.state::text
     else 'failed' end
"""
SCORE = """
  left join lateral (
       select s.state, s.value from assay.metric_scores s
        where s.organization_id = %(org)s and s.job_id = q.job_id and s.item_no = q.item_no
          and s.metric = %(metric)s limit 1) s on true
"""
WATCHED = f"""
select q.item_no, {KIND}, s.value
  from unnest(%(items)s::bigint[]) as k (item_no)
 cross join lateral (
       select q.job_id, q.item_no, q.state from assay.evaluation_queue q
        where q.organization_id = %(org)s and q.job_id = %(job)s and q.item_no = k.item_no limit 1) q
{SCORE}
 where q.state::text not in ('ready', 'leased')
"""
OPENED = f"""{NEWEST}
select q.item_no, {KIND}, s.value
  from cells q
{SCORE}
 where q.state <> 'cancelled' and not (q.state = 'ready' and q.available_at = assay.held_until())
 order by q.item_no
"""


class RaceCells:
    """The cells of one job that is a race."""

    def __init__(self, database: Database, organization_id: UUID, job_id: UUID, metric: str) -> None:
        self._database, self._organization_id, self._job_id = database, organization_id, job_id
        self._metric = metric

    async def open(self, items: Sequence[int]) -> None:
        """Let cells be claimed; those that are not held back stay as they are."""
        await self._run(OPEN, [self._job_id, list(items)])

    async def close(self, reasons: Sequence[tuple[int, int, str]]) -> int:
        """Cancel what waits of candidates (prompt_no, model_no, why); the number of cells."""
        rows = await self._run(CLOSE, [self._job_id, orjson.dumps(list(reasons)).decode()])
        return int(rows[0][0])

    async def ended(self, items: Sequence[int]) -> list[RaceCell]:
        """Those of these cells that have ended."""
        values = {
            "org": self._organization_id,
            "job": self._job_id,
            "metric": self._metric,
            "items": list(items),
        }
        return [RaceCell(*row) for row in await self._run(WATCHED, values)]

    async def _run(self, query: str, parameters: Any) -> list[tuple[Any, ...]]:
        async def work(connection: Connection) -> list[tuple[Any, ...]]:
            return await (await connection.execute(query, parameters)).fetchall()

        return await self._database.run(self._organization_id, work)


async def stream_race_cells(
    connection: Connection, organization_id: UUID, job_id: UUID, metric: str
) -> AsyncGenerator[list[RaceCell], None]:
    """Every cell of a race that was opened, by its number, in batches; a retried one as it was left last."""
    async with connection.cursor(name="race") as cursor:
        cursor.itersize = FETCH_ROWS
        await cursor.execute(OPENED, {"org": organization_id, "job": job_id, "metric": metric})
        while rows := await cursor.fetchmany(FETCH_ROWS):
            yield [RaceCell(*row) for row in rows]
