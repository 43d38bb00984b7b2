"""Budgets of the tenant: for each day, each month, or in all."""

from assay.domain.errors import Conflict, InvalidInput, NotFound
from assay.domain.money import NANO
from assay.services.context import Context
from assay.storage import budgets as stored
from assay.storage.budgets import BudgetState
from assay.storage.jobs import ensure_organization

MOST_USD = 9e9
"""What fits into billionths of a dollar."""


async def set_budget(context: Context, name: str, period: str, cap_usd: float) -> None:
    """Let all jobs together spend no more than this in a period, beginning now.

    Raises InvalidInput for an amount that cannot be, Conflict for a budget of that name with another period.
    """
    if not 0 <= cap_usd <= MOST_USD:
        raise InvalidInput("is not an amount of dollars", field="--usd", remedy="Give 0 or more.")
    async with context.database.transaction(context.organization_id) as connection:
        await ensure_organization(connection, context.organization_id, "local")
        done = await stored.set_budget(
            connection, context.organization_id, name, period, round(cap_usd * NANO)
        )
    if not done:
        raise Conflict(
            f"budget {name!r} is for another period", remedy=f"End it first: assay budgets end {name}"
        )


async def end_budget(context: Context, name: str) -> None:
    """Let a budget bind no longer. Raises NotFound."""
    async with context.database.transaction(context.organization_id) as connection:
        if not await stored.end_budget(connection, context.organization_id, name):
            raise NotFound(f"there is no budget {name!r}", remedy="See them: assay budgets list")


async def list_budgets(context: Context) -> list[BudgetState]:
    """The budgets in force, with what is left of them."""
    async with context.database.transaction(context.organization_id) as connection:
        return await stored.list_budgets(connection, context.organization_id)
