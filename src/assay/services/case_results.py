"""The answers of a job to one case, whole: for whoever wants to know why a score is what it is."""

from uuid import UUID

from assay.domain.errors import NotFound
from assay.domain.results import Result
from assay.services.context import Context
from assay.storage import jobs as stored
from assay.storage.results import read_case_results


async def results_of_case(context: Context, job_id: UUID, case: str) -> list[Result]:
    """Every answer to the case with this id, retried cells as their newest job left them. Raises NotFound."""
    async with context.database.transaction(context.organization_id) as connection:
        job = await stored.get_job(connection, context.organization_id, job_id)
        found = await read_case_results(connection, context.organization_id, job_id, job.plan, case)
    if not found:
        raise NotFound(
            f"job {job_id} has no case {case!r}", remedy=f"See them all: assay export {job_id} -o results.csv"
        )
    return found
