"""assay credentials."""

import sys
from uuid import UUID

import click
from rich.table import Table

from assay.cli.db_readers import owner_dsn
from assay.cli.progress import say
from assay.cli.session import load_settings, master_key_file, open_session, run_async
from assay.cli.tables import echo_json, table_console
from assay.domain.errors import InvalidInput
from assay.services.credentials import (
    CredentialHead,
    Rotation,
    find_unreadable,
    list_credentials,
    remove_credential,
    rotate_data_keys,
    set_credential,
)
from assay.services.master_keys import add_master_key
from assay.settings import Settings
from assay.storage.credentials import list_tenants

LONGEST_INPUT = 65_536


@click.group(name="credentials")
def credentials_command() -> None:
    """Keep keys of providers, encrypted."""


@credentials_command.command(name="set")
@click.argument("name")
@click.option("--provider", required=True, help="Whose key it is, such as openai.")
@click.option("--base-url", metavar="URL", help="The address it is for; the provider's own by default.")
def set_command(name: str, provider: str, base_url: str | None) -> int:
    """Store the key that comes on standard input, or is asked for, as NAME."""
    secret = _read_secret()

    async def store() -> CredentialHead:
        async with open_session(load_settings()) as context:
            return await set_credential(context, name, provider, base_url, secret)

    head = run_async(store())
    say(f"stored {head.name} ({_shown(head)}) for {head.base_url}", style="green")
    return 0


def _read_secret() -> str:
    """Never from an argument: those are seen in lists of processes and in the shell's history."""
    if sys.stdin.isatty():
        typed: str = click.prompt("Key", hide_input=True, err=True)
        return typed
    text = sys.stdin.read(LONGEST_INPUT)
    if len(text.split()) != 1:
        raise InvalidInput("is not one word", field="standard input", remedy="Give the key and nothing else.")
    return text


@credentials_command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_command(as_json: bool) -> int:
    """List what is stored, with the last four characters of each key."""

    async def find() -> list[CredentialHead]:
        async with open_session(load_settings()) as context:
            return await list_credentials(context)

    heads = run_async(find())
    if as_json:
        echo_json(heads)
    elif not heads:
        say("no credentials yet. Store one with: assay credentials set NAME --provider openai")
    else:
        table_console().print(_table(heads))
    return 0


def _table(heads: list[CredentialHead]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("name", "provider", "key", "address", "stored (UTC)"):
        table.add_column(name, overflow="fold")
    for head in heads:
        stored = f"{head.updated_at:%Y-%m-%d %H:%M}" if head.updated_at else ""
        table.add_row(head.name, head.provider, _shown(head), head.base_url, stored)
    return table


def _shown(head: CredentialHead) -> str:
    return f"...{head.last4}"


@credentials_command.command(name="remove")
@click.argument("name")
def remove_command(name: str) -> int:
    """Delete the credential NAME; runs that name it end with an error."""

    async def remove() -> None:
        async with open_session(load_settings()) as context:
            await remove_credential(context, name)

    run_async(remove())
    say(f"removed {name}")
    return 0


@credentials_command.command(name="check")
def check_command() -> int:
    """Fail unless every stored key opens with the master keys at hand; none is shown."""

    async def check() -> list[str]:
        async with open_session(load_settings()) as context:
            return await find_unreadable(context)

    unreadable = run_async(check())
    for name in unreadable:
        say(f"{name} does not open: another master key, or its row was changed", style="bold red")
    if not unreadable:
        say("every credential opens", style="green")
    return 1 if unreadable else 0


@credentials_command.command(name="rotate")
@click.option("--all-tenants", is_flag=True, help="Those of every tenant, not of this one only.")
def rotate_command(all_tenants: bool) -> int:
    """Wrap the data keys by the current master key; the stored keys themselves are not touched."""
    settings = load_settings()
    file = master_key_file(settings)
    if file is not None and not settings.master_keys:
        add_master_key(file)
        say(f"a new master key is the first in {file}", style="dim")
    with owner_dsn() as dsn:
        # The embedded database is one user's: all that is in it goes with its key.
        tenants = list_tenants(dsn) if all_tenants or file is not None else [settings.organization_id]
    done = run_async(_rotate(settings, tenants))
    say(f"{done.rewrapped} data keys wrapped anew, {done.current} were current already", style="green")
    return 0


async def _rotate(settings: Settings, tenants: list[UUID]) -> Rotation:
    rewrapped = current = 0
    async with open_session(settings) as context:
        for organization_id in tenants:
            done = await rotate_data_keys(context, organization_id)
            rewrapped, current = rewrapped + done.rewrapped, current + done.current
    return Rotation(rewrapped=rewrapped, current=current)
