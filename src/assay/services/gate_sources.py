"""The two sides of a gate: a result file, a job, or a name for one of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.domain.errors import InvalidInput, NotFound
from assay.formats.places import Place
from assay.formats.result_rows import row_of
from assay.formats.result_sources import is_result_file, job_facts, read_table
from assay.formats.result_tables import ResultTable, TableBuilder
from assay.services.context import Context
from assay.services.documents import job_document
from assay.services.jobs import find_job
from assay.services.summaries import read_job_canaries
from assay.storage import jobs as stored
from assay.storage.results import stream_results


@dataclass(frozen=True, slots=True)
class FileSource:
    """A result file that is there."""

    path: Path


@dataclass(frozen=True, slots=True)
class JobSource:
    """A job, as it was referred to."""

    reference: str


Source = FileSource | JobSource


def find_source(text: str, names: Mapping[str, str], folder: Path) -> Source:
    """What is meant by a name of a baseline, the path of a result file, or a reference to a job.

    Names come first; what has a slash or the extension of a result file is a path. Raises NotFound for a
    file that is not there.
    """
    target = names.get(text, text)
    if not is_result_file(target) and "/" not in target:
        return JobSource(target)
    path = folder / target
    if path.is_dir():
        raise InvalidInput("this is a folder, not a result file", file=target)
    if not path.is_file():
        said = f" (the baseline {text!r})" if text in names else ""
        raise NotFound(
            f"{target}: no such file{said}",
            remedy=f"Write it with: assay run -o {target}, or assay export JOB -o {target}",
        )
    return FileSource(path)


async def read_job_table(context: Context, reference: str) -> ResultTable:
    """All results of a job, retried cells included, as a table. Raises NotFound, Conflict."""
    organization_id, job_id = context.organization_id, await find_job(context, reference)
    async with context.database.transaction(organization_id) as connection:
        job = await stored.get_job(connection, organization_id, job_id)
        builder = TableBuilder(f"{job.name} @{str(job.id)[-6:]}")
        names = [metric.name for metric in job.plan.metrics]
        place = Place(str(job.id))
        async for results in stream_results(connection, organization_id, job.id, job.plan):
            for result in results:
                builder.add(row_of(result, names), place)
        canaries = await read_job_canaries(connection, organization_id, job)
    document: dict[str, Any] = job_document(job, canaries)
    return builder.finish(job_facts(document, place))


async def target_of(context: Context | None, source: Source, folder: Path) -> str:
    """What a name is to mean: a path, from the folder where it is inside it, or the whole id of a job."""
    if isinstance(source, FileSource):
        path = (folder / source.path).resolve()
        inside = path.is_relative_to(folder.resolve())
        return path.relative_to(folder.resolve()).as_posix() if inside else str(path)
    if context is None:
        raise NotFound(f"no job {source.reference!r}", remedy="See what there is: assay jobs")
    return str(await find_job(context, source.reference))


async def read_source(context: Context | None, source: Source) -> ResultTable:
    """The table of a source; a file needs no context."""
    if isinstance(source, FileSource):
        return read_table(source.path)
    if context is None:
        raise NotFound(f"no job {source.reference!r}", remedy="See what there is: assay jobs")
    return await read_job_table(context, source.reference)


def needs_database(*sources: Source) -> bool:
    """Whether any of them is a job."""
    return any(isinstance(source, JobSource) for source in sources)
