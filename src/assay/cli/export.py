"""assay export."""

from pathlib import Path

import click

from assay.cli.options import outputs_option
from assay.cli.progress import say
from assay.cli.session import load_settings, open_session, run_async
from assay.cli.working import parse_outputs
from assay.services.exports import write_outputs
from assay.services.jobs import find_job
from assay.services.summaries import summarise_job


@click.command(name="export")
@click.argument("job", default="last")
@outputs_option(
    "Where to; json, jsonl, csv, parquet, html, md or xml by extension. May come more than once.",
    required=True,
)
def export_command(job: str, outputs: tuple[Path, ...]) -> int:
    """Write the results of JOB to files."""

    async def write() -> list[Path]:
        async with open_session(load_settings()) as context:
            outcome = await summarise_job(context, await find_job(context, job))
            return await write_outputs(context, outcome, parse_outputs(outputs))

    for path in run_async(write()):
        say(f"wrote {path}")
    return 0
