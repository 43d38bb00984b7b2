"""assay db."""

import os
import subprocess
from pathlib import Path

import click

from assay.cli.db_prune import prune_command
from assay.cli.db_readers import owner_dsn, readers_command
from assay.cli.progress import say
from assay.cli.session import load_settings, master_key_file, run_async
from assay.settings import Settings
from assay.storage import embedded, migrate
from assay.storage.backup import back_up, manifest_path
from assay.storage.invariants import find_violations
from assay.storage.restore import fence, restore


@click.group(name="db")
def db_command() -> None:
    """Work with the database."""


db_command.add_command(readers_command)
db_command.add_command(prune_command)


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
def check_command() -> int:
    """Fail unless the schema is this version's, and what must be true of every job is."""
    settings = load_settings()
    with owner_dsn() as dsn:
        migrate.require_head(dsn)
        say(f"the schema is at revision {migrate.HEAD}", style="green")
        return _check_invariants(dsn, settings)


def _check_invariants(dsn: str, settings: Settings) -> int:
    violations, whole = find_violations(dsn, settings.organization_id, settings.context_key)
    for invariant, count in violations:
        say(f"{invariant}: {count:,}", style="bold red")
    where = "in all tenants" if whole else "in this tenant; for all of them a login with BYPASSRLS is needed"
    if violations:
        count = len(violations)
        broken = "1 invariant does not hold" if count == 1 else f"{count} invariants do not hold"
        say(f"{broken} {where}. See docs/backup.md", style="bold red")
    else:
        say(f"every invariant holds {where}", style="green")
    return 1 if violations else 0


@db_command.command(name="backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup_command(file: Path) -> None:
    """Save all tenants to FILE and a manifest beside it; others may go on working."""
    settings = load_settings()
    with owner_dsn() as dsn:
        made = back_up(dsn, file, settings.environment)
    size = f"{made.dump_bytes / 1e6:.1f} MB"
    say(f"wrote {file}: {len(made.tables)} tables, {made.rows:,} rows, {size}", style="green")
    say(f"wrote {manifest_path(file)}: keep it with the dump", style="dim")
    key = master_key_file(settings)
    if key is not None and key.exists():
        say(f"the master key is not in it: keep a copy of {key} elsewhere", style="dim")


@db_command.command(name="restore")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--replace", is_flag=True, help="Put it in the place of the database that is there.")
@click.option("-j", "--jobs", type=click.IntRange(1, 64), default=1, help="Tables that are loaded at once.")
def restore_command(file: Path, replace: bool, jobs: int) -> int:
    """Restore a backup into an empty database, prove that all of it is there, fence old workers."""
    settings = load_settings()
    with owner_dsn() as dsn:
        done = run_async(restore(dsn, file, settings.environment, replace=replace, jobs=jobs))
        found = (
            f"{len(done.manifest.tables)} tables, {done.manifest.rows:,} rows of {done.manifest.created_at}"
        )
        say(f"restored {found}: counts and checksums are those of the backup", style="green")
        if done.kept is not None:
            say(f"what was there before is now the database {done.kept}", style="dim")
        say(f"old workers are fenced; {done.ended_leases:,} leases were taken back", style="green")
        return _check_invariants(dsn, settings)


@db_command.command(name="fence")
def fence_command() -> int:
    """Fence old workers after the database was put back to an earlier moment by other means."""
    settings = load_settings()
    with owner_dsn() as dsn:
        ended = run_async(fence(dsn))
        say(f"old workers are fenced; {ended:,} leases were taken back", style="green")
        return _check_invariants(dsn, settings)


@db_command.command(name="psql", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql_command(arguments: tuple[str, ...]) -> int:
    """Open psql on the database, as its owner; ARGUMENTS go to psql."""
    with owner_dsn() as dsn:
        program = os.fspath(embedded.psql_path())
        return subprocess.run([program, dsn, *arguments], check=False).returncode  # noqa: S603 - our own psql
