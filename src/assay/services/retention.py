"""Old answers go, a few jobs at a time, so that nobody waits for it."""

from datetime import timedelta

from assay.services.context import Context
from assay.storage import retention as stored
from assay.storage.retention import Prunable

JOBS_AT_ONCE = 20


async def prune_jobs(context: Context, age: timedelta) -> int:
    """Delete the answers of the tenant's jobs that ended before `age`, in a transaction for every few.

    The jobs, their summaries and their costs stay. Returns how many jobs; what was done stays done when a
    later transaction fails.
    """
    pruned = 0
    while True:
        async with context.database.transaction(context.organization_id) as connection:
            count = await stored.prune_jobs(connection, age, JOBS_AT_ONCE)
        pruned += count
        if not count:
            return pruned


async def count_prunable(context: Context, age: timedelta) -> Prunable:
    """What `prune_jobs` would find now."""
    async with context.database.transaction(context.organization_id) as connection:
        return await stored.count_prunable(connection, context.organization_id, age)
