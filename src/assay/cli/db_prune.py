"""assay db prune."""

from datetime import timedelta

import click

from assay.cli.db_readers import owner_dsn
from assay.cli.periods import parse_period
from assay.cli.progress import say
from assay.cli.session import load_settings, open_session, run_async
from assay.services.retention import count_prunable, prune_jobs
from assay.settings import Settings
from assay.storage.retention import Prunable, drop_partitions, list_droppable


@click.command(name="prune")
@click.option("--older-than", required=True, metavar="PERIOD", help="What ended before: 12h, 180d, 4w.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and delete nothing.")
@click.option(
    "--partitions", is_flag=True, help="Drop whole months of all tenants, in place of jobs of this one."
)
def prune_command(older_than: str, dry_run: bool, partitions: bool) -> None:
    """Delete the answers of old jobs; the jobs, their summaries and their costs stay."""
    age = parse_period(older_than, "--older-than")
    if partitions:
        _prune_partitions(age, dry_run)
    else:
        _prune_jobs(load_settings(), age, older_than, dry_run)


def _prune_jobs(settings: Settings, age: timedelta, older_than: str, dry_run: bool) -> None:
    async def prune() -> tuple[Prunable, int]:
        async with open_session(settings) as context:
            found = await count_prunable(context, age)
            return found, 0 if dry_run else await prune_jobs(context, age)

    found, pruned = run_async(prune())
    if dry_run:
        jobs, cells = _counted(found.jobs, "job"), _counted(found.cells, "cell")
        say(f"{jobs} with {cells} ended more than {older_than} ago; all is there")
    else:
        jobs = _counted(pruned, "job")
        say(f"the answers of {jobs} are gone; jobs, summaries and costs stay", style="green")


def _prune_partitions(age: timedelta, dry_run: bool) -> None:
    with owner_dsn() as dsn:
        droppable = list_droppable(dsn, age)
        gone = [] if dry_run else drop_partitions(dsn, age)
    sizes = dict(droppable)
    for name in sizes if dry_run else gone:
        click.echo(f"{name}\t{sizes.get(name, 0) / 1e6:.1f} MB")
    if dry_run:
        say(f"{_counted(len(droppable), 'partition')} could go; all is there")
    else:
        say(f"gone: {_counted(len(gone), 'partition')}; jobs, summaries and costs stay", style="green")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
