"""assay jobs, assay cancel."""

import click
from rich.table import Table

from assay.cli.progress import say
from assay.cli.session import load_settings, open_session, run_async
from assay.cli.tables import echo_json, table_console
from assay.domain.jobs import JobHead
from assay.domain.money import NANO
from assay.services.jobs import find_job, list_jobs
from assay.services.runs import cancel_job


@click.command(name="jobs")
@click.option("-n", "--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def jobs_command(limit: int, as_json: bool) -> int:
    """List jobs, newest first."""
    heads = run_async(_list(limit))
    if as_json:
        echo_json(heads)
    elif not heads:
        say("no jobs yet. Start one with: assay run")
    else:
        table_console().print(_table(heads))
    return 0


async def _list(limit: int) -> list[JobHead]:
    async with open_session(load_settings()) as context:
        return await list_jobs(context, limit)


def _table(heads: list[JobHead]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name, justify in (
        ("job", "left"),
        ("name", "left"),
        ("state", "left"),
        ("cells", "right"),
        ("failed", "right"),
        ("cost", "right"),
        ("created (UTC)", "left"),
    ):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]  # rich's literal type
    for head in heads:
        done = f"{head.succeeded + head.failed}/{head.planned}"
        cost = f"${head.spent_nanousd / NANO:.4f}"
        # The end of an id is enough to name a job, and its beginning is the same for all of one day.
        reference = str(head.id)[-12:]
        created = head.created_at[:16].replace("T", " ")
        table.add_row(reference, head.name, head.state, done, str(head.failed), cost, created)
    return table


@click.command(name="cancel")
@click.argument("job")
def cancel_command(job: str) -> int:
    """Cancel JOB: nothing more is asked, waiting cells are cancelled, answers are kept."""

    async def cancel() -> None:
        async with open_session(load_settings()) as context:
            await cancel_job(context, await find_job(context, job))

    run_async(cancel())
    say("cancelled")
    return 0
