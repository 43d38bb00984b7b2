"""assay compare."""

from pathlib import Path
from typing import Any, get_args

import click

from assay.cli.consoles import output_console
from assay.cli.options import outputs_option
from assay.cli.progress import say
from assay.cli.session import load_settings, open_session, run_async
from assay.reports.comparing import TOP_CHANGES
from assay.reports.comparison_text import render_comparison
from assay.services.compare import JobsCompared, Request, compare_jobs
from assay.services.comparison_documents import comparison_document
from assay.services.comparison_files import check_outputs, write_comparison
from assay.services.contests import By
from assay.services.jobs import find_job


@click.command(name="compare")
@click.argument("jobs", nargs=-1, metavar="[JOBS]...")
@click.option(
    "--by", type=click.Choice(get_args(By)), default="candidate", help="What is compared with what."
)
@click.option("--metric", "metrics", multiple=True, help="Compare on this metric. May come more than once.")
@click.option(
    "--margin", type=click.FloatRange(0, 1), help="A difference that does not matter, in score points."
)
@click.option("--baseline", help="Compare each with this candidate only.")
@click.option("--segment", "tags", multiple=True, help="Also on the cases with this tag. May be repeated.")
@click.option("--segments", is_flag=True, help="Also on the cases of each tag.")
@click.option(
    "--top", type=click.IntRange(0, 1000), default=TOP_CHANGES, help="How many changed cases to list."
)
@click.option("--force", is_flag=True, help="Compare although data sets or metrics differ; cases pair by id.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@outputs_option("Write to a file as well; json, md, html or svg by extension. May come more than once.")
def compare_command(jobs: tuple[str, ...], as_json: bool, outputs: tuple[Path, ...], **asked: Any) -> int:
    """Compare JOBS, or what is inside one of them, paired by case."""
    check_outputs(outputs)
    request = Request(**asked)

    async def compare() -> JobsCompared:
        async with open_session(load_settings()) as context:
            ids = [await find_job(context, job) for job in jobs or ("last",)]
            return await compare_jobs(context, ids, request)

    found = run_async(compare())
    for path in outputs:
        write_comparison(path, found)
        say(f"wrote {path}")
    for note in found.report.notes:
        say(f"note: {note}", style="yellow")
    if as_json:
        click.echo(comparison_document(found))
    else:
        render_comparison(found.report, output_console())
    return 0
