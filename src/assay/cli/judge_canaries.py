"""assay judge canaries."""

from collections.abc import Sequence

import click
from rich.table import Table

from assay.cli.progress import say
from assay.cli.session import load_settings, open_session, run_async
from assay.cli.tables import echo_json, table_console
from assay.judging.canaries import THRESHOLD, CanaryReport
from assay.reports.untrusted import one_line
from assay.services.canaries import check_job_canaries
from assay.services.jobs import find_job

FLAGGED = 100
"""The exit code when a judge was talked into a score."""
REASON_CHARS = 80


@click.command(name="canaries")
@click.argument("job", default="last")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Only this metric. May be repeated.")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=THRESHOLD,
    show_default=True,
    help="A canary that is scored above this flags its judge.",
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def canaries_command(job: str, metrics: tuple[str, ...], threshold: float, as_json: bool) -> int:
    """Have the judges of JOB judge answers that deserve nothing: an empty one, and one that gives orders."""

    async def check() -> tuple[CanaryReport, ...]:
        async with open_session(load_settings()) as context:
            return await check_job_canaries(context, await find_job(context, job), metrics, threshold)

    reports = run_async(check())
    if as_json:
        echo_json([{"flagged": report.flagged, "canaries": report} for report in reports])
    else:
        table_console().print(_table(reports))
    flagged = [report.metric for report in reports if report.flagged]
    if not flagged:
        say("no judge was talked into a score; that does not prove that none can be", style="green")
        return 0
    say(f"talked into a score: {', '.join(flagged)}. Do not trust these judges with this.", style="bold red")
    return FLAGGED


def _table(reports: Sequence[CanaryReport]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("metric", "canary", "score", "verdict", "reason"):
        table.add_column(column, overflow="fold")
    for report in reports:
        for result in report.results:
            score = result.score
            value = score.state if score.value is None else f"{score.value:.2f}"
            verdict = "FLAGGED" if result.flagged else result.state.replace("_", " ")
            table.add_row(report.metric, result.name, value, verdict, one_line(score.reason, REASON_CHARS))
    return table
