"""assay show."""

import click

from assay.cli.outcome import show
from assay.cli.session import load_settings, open_session, run_async
from assay.services.jobs import find_job
from assay.services.summaries import JobSummary, summarise_job


@click.command(name="show")
@click.argument("job", default="last")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def show_command(job: str, as_json: bool) -> int:
    """Show the scores and comparisons of JOB: an id, the end of one, a name or "last"."""

    async def read() -> JobSummary:
        async with open_session(load_settings()) as context:
            return await summarise_job(context, await find_job(context, job))

    show(run_async(read()), as_json=as_json)
    return 0
