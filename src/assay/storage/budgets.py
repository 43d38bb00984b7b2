"""Budgets of a tenant, beside the caps of its jobs."""

from dataclasses import dataclass
from uuid import UUID

from psycopg.rows import class_row

from assay.storage.pool import Connection

HAS_BUDGET = """
select exists (select from assay.budgets where organization_id = %s and ended_at is null)
"""
SET_BUDGET = """
insert into assay.budgets (organization_id, name, period, cap_nanousd)
values (%s, %s, %s::assay.budget_period, %s)
on conflict (organization_id, name) do update
   set cap_nanousd = excluded.cap_nanousd, ended_at = null
 where budgets.period = excluded.period
returning true
"""
END_BUDGET = """
update assay.budgets set ended_at = clock_timestamp()
 where organization_id = %s and name = %s and ended_at is null returning true
"""
LIST_BUDGETS = """
select name, period::text as period, to_char(period_start, 'YYYY-MM-DD') as period_start, cap_nanousd,
       spent_nanousd, reserved_nanousd, left_nanousd, unpriced_calls
  from assay.budget_state where organization_id = %s order by name
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetState:
    """A budget and what it has left in its present period (UTC); money in nanousd."""

    name: str
    period: str
    period_start: str
    cap_nanousd: int
    spent_nanousd: int
    reserved_nanousd: int
    left_nanousd: int
    unpriced_calls: int


async def has_budget(connection: Connection, organization_id: UUID) -> bool:
    """Whether the tenant has a budget for a day, a month or in all."""
    row = await (await connection.execute(HAS_BUDGET, [organization_id])).fetchone()
    return bool(row and row[0])


async def set_budget(
    connection: Connection, organization_id: UUID, name: str, period: str, cap_nanousd: int
) -> bool:
    """Make a budget, or give it another cap; False when it has another period."""
    cursor = await connection.execute(SET_BUDGET, [organization_id, name, period, cap_nanousd])
    return await cursor.fetchone() is not None


async def end_budget(connection: Connection, organization_id: UUID, name: str) -> bool:
    """Let a budget bind no longer; False when there is none of that name."""
    cursor = await connection.execute(END_BUDGET, [organization_id, name])
    return await cursor.fetchone() is not None


async def list_budgets(connection: Connection, organization_id: UUID) -> list[BudgetState]:
    """The budgets in force, by name."""
    async with connection.cursor(row_factory=class_row(BudgetState)) as cursor:
        await cursor.execute(LIST_BUDGETS, [organization_id])
        return await cursor.fetchall()
