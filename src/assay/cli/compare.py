"""assay compare."""

import click
import orjson

from assay.cli.consoles import output_console
from assay.cli.progress import say
from assay.cli.session import load_settings, open_session, run_async
from assay.reports.text import render_summary
from assay.services.compare import JobComparison, compare_jobs
from assay.services.documents import OPTIONS, job_document, summary_values
from assay.services.jobs import find_job


@click.command(name="compare")
@click.argument("first")
@click.argument("second")
@click.option(
    "--margin", type=click.FloatRange(0, 1), help="A difference that does not matter, in score points."
)
@click.option("--force", is_flag=True, help="Compare although data sets or metrics differ; cases pair by id.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def compare_command(first: str, second: str, margin: float | None, force: bool, as_json: bool) -> int:
    """Compare the jobs FIRST and SECOND, paired by case."""

    async def compare() -> JobComparison:
        async with open_session(load_settings()) as context:
            pair = (await find_job(context, first), await find_job(context, second))
            return await compare_jobs(context, *pair, margin=margin, force=force)

    found = run_async(compare())
    if as_json:
        document = {
            "first": job_document(found.first),
            "second": job_document(found.second),
            "notes": found.notes,
            **summary_values(found.summary),
        }
        click.echo(orjson.dumps(document, option=OPTIONS).decode())
        return 0
    for note in found.notes:
        say(f"note: {note}", style="yellow")
    render_summary(found.summary, output_console())
    return 0
