"""Jobs, found and listed."""

from uuid import UUID

from assay.domain.jobs import JobHead
from assay.services.context import Context
from assay.storage import jobs as stored


async def find_job(context: Context, reference: str) -> UUID:
    """The job meant by an id, the end of one, a name or "last". Raises NotFound, Conflict."""
    async with context.database.transaction(context.organization_id) as connection:
        return (await stored.resolve_job(connection, context.organization_id, reference)).id


async def list_jobs(context: Context, limit: int) -> list[JobHead]:
    """The newest jobs."""
    async with context.database.transaction(context.organization_id) as connection:
        return await stored.list_jobs(connection, context.organization_id, limit)
