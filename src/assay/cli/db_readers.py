"""assay db readers."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from assay.cli.progress import say
from assay.cli.session import load_settings, start_embedded
from assay.storage import readers


@click.group(name="readers")
def readers_command() -> None:
    """Give dashboards and notebooks logins that read this tenant, and no secrets."""


@readers_command.command(name="add")
@click.argument("name")
def add_command(name: str) -> None:
    """Make a login role NAME and print its password, once."""
    settings = load_settings()
    with owner_dsn() as dsn:
        password = readers.add_reader(dsn, name, settings.organization_id)
    say(f"role {name} reads organization {settings.organization_id}; its password:")
    click.echo(password)


@readers_command.command(name="remove")
@click.argument("name")
def remove_command(name: str) -> None:
    """Take a reader's login away."""
    with owner_dsn() as dsn:
        readers.remove_reader(dsn, name)
    say(f"role {name} is gone")


@readers_command.command(name="list")
def list_command() -> None:
    """Print the readers, each with its tenant."""
    with owner_dsn() as dsn:
        for name, organization_id in readers.list_readers(dsn):
            click.echo(f"{name}\t{organization_id}")


@contextmanager
def owner_dsn() -> Iterator[str]:
    """The address of the database, as the role that owns it."""
    settings = load_settings()
    if settings.database_url is not None:
        yield settings.database_url
        return
    with start_embedded(settings) as server:
        yield server.dsn()
