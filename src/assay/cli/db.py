"""assay db."""

import os
import subprocess

import click

from assay.cli.db_readers import owner_dsn, readers_command
from assay.cli.progress import say
from assay.cli.session import load_settings
from assay.storage import embedded, migrate


@click.group(name="db")
def db_command() -> None:
    """Work with the database."""


db_command.add_command(readers_command)


@db_command.command(name="path")
def path_command() -> None:
    """Print where the data is: the folder of the embedded server, or the address in DATABASE_URL."""
    settings = load_settings()
    if settings.database_url is None:
        click.echo(settings.data_dir)
    else:
        # A URL may hold a password: only its place is shown.
        click.echo(settings.database_url.rpartition("@")[2] or "DATABASE_URL")


@db_command.command(name="status")
def status_command() -> None:
    """Say whether the embedded server runs, and for how many processes."""
    found = embedded.status(load_settings().data_dir)
    state = f"runs (pid {found.pid}) for {found.clients} processes" if found.running else "does not run"
    size = f"{found.size_bytes / 1e6:.1f} MB in {found.data_dir}"
    click.echo(f"PostgreSQL {found.version or '(no data yet)'} {state}; {size}")


@db_command.command(name="stop")
def stop_command() -> None:
    """Stop the embedded server; the next command starts it again."""
    stopped = embedded.stop(load_settings().data_dir)
    say("stopped" if stopped else "it was not running")


@db_command.command(name="upgrade")
def upgrade_command() -> None:
    """Bring the schema up to date."""
    with owner_dsn() as dsn:
        migrate.upgrade(dsn, load_settings().context_key)
    say(f"the schema is at revision {migrate.HEAD}", style="green")


@db_command.command(name="check")
def check_command() -> None:
    """Fail unless the schema is the one that this version works with."""
    with owner_dsn() as dsn:
        migrate.require_head(dsn)
    say(f"the schema is at revision {migrate.HEAD}", style="green")


@db_command.command(name="psql", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql_command(arguments: tuple[str, ...]) -> int:
    """Open psql on the database, as its owner; ARGUMENTS go to psql."""
    with owner_dsn() as dsn:
        program = os.fspath(embedded.psql_path())
        return subprocess.run([program, dsn, *arguments], check=False).returncode  # noqa: S603 - our own psql
