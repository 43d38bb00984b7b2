"""assay show."""

from dataclasses import replace

import click

from assay.cli.outcome import show
from assay.cli.session import load_settings, open_session, run_async
from assay.cli.tables import echo_json
from assay.domain.results import Result
from assay.domain.scores import Score
from assay.reports.result_text import result_text
from assay.services.case_results import results_of_case
from assay.services.jobs import find_job
from assay.services.summaries import JobSummary, summarise_job


@click.command(name="show")
@click.argument("job", default="last")
@click.option(
    "--case", "case", metavar="ID", help="Show the answers to this case, each score with its evidence."
)
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="With --case: only this metric.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def show_command(job: str, case: str | None, metrics: tuple[str, ...], as_json: bool) -> int:
    """Show the scores and comparisons of JOB: an id, the end of one, a name or "last"."""
    if case is not None:
        return run_async(_show_case(job, case, metrics, as_json))

    async def read() -> JobSummary:
        async with open_session(load_settings()) as context:
            return await summarise_job(context, await find_job(context, job))

    show(run_async(read()), as_json=as_json)
    return 0


async def _show_case(job: str, case: str, metrics: tuple[str, ...], as_json: bool) -> int:
    async with open_session(load_settings()) as context:
        results = await results_of_case(context, await find_job(context, job), case)
    found = [replace(result, scores=_chosen(result, metrics)) for result in results]
    if as_json:
        echo_json(found)
    else:
        for result in found:
            click.echo(result_text(result))
    return 0


def _chosen(result: Result, metrics: tuple[str, ...]) -> tuple[Score, ...]:
    return tuple(score for score in result.scores if not metrics or score.metric in metrics)
