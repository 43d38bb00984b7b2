"""assay resume, assay retry."""

import sys
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import click

from assay.cli.consoles import is_plain
from assay.cli.options import env_files_option, no_canaries_option, outputs_option
from assay.cli.progress import ProgressListener, say
from assay.cli.session import load_settings, open_session, run_async
from assay.cli.working import Showing, parse_outputs, work_and_show
from assay.services.context import Context
from assay.services.jobs import find_job
from assay.services.runs import DEFAULT_CONCURRENCY, RunOptions, retry_job, set_budget

_OPTIONS = (
    click.argument("job", default="last"),
    click.option(
        "-j",
        "--concurrency",
        type=click.IntRange(1, 1000),
        default=DEFAULT_CONCURRENCY,
        show_default=True,
        help="Requests at once over all models.",
    ),
    click.option("--no-cache", is_flag=True, help="Ask the models again, whatever is stored."),
    click.option(
        "--budget", type=click.FloatRange(0), metavar="USD", help="Let the job spend this much in all."
    ),
    click.option("--max-errors", type=click.IntRange(1), help="Stop when so many cells have failed."),
    no_canaries_option,
    outputs_option("Write results there; the format by extension."),
    env_files_option,
    click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON."),
    click.option("-q", "--quiet", is_flag=True, help="No progress on standard error."),
)


def _job_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command(name="resume")
@_job_options
def resume_command(**given: Any) -> int:
    """Go on with JOB: an id, the end of one, a name or "last"."""
    return run_async(_work(given, find_job))


@click.command(name="retry")
@_job_options
def retry_command(**given: Any) -> int:
    """Run the failed cells of JOB again, as a child job; its tables hold the cells of both."""
    return run_async(_work(given, _child))


async def _child(context: Context, reference: str) -> UUID:
    parent = await find_job(context, reference)
    child = await retry_job(context, parent)
    say(f"job {child} retries the failed cells of {parent}", style="dim")
    return child


async def _work(given: dict[str, Any], choose: Callable[[Context, str], Awaitable[UUID]]) -> int:
    settings = load_settings(given["env_file"])
    plain = is_plain(settings.environment, sys.stderr)
    listener = ProgressListener(plain=plain, quiet=given["quiet"])
    showing = Showing(listener=listener, as_json=given["as_json"], outputs=parse_outputs(given["outputs"]))
    options = RunOptions(
        concurrency=given["concurrency"],
        use_cache=not given["no_cache"],
        max_errors=given["max_errors"],
        canaries=not given["no_canaries"],
    )
    async with open_session(settings, listener.take) as context:
        job_id = await choose(context, given["job"])
        if given["budget"] is not None:
            await set_budget(context, job_id, given["budget"])
        return await work_and_show(context, job_id, options, showing)
