"""assay keys."""

import click
from rich.table import Table

from assay.cli.periods import parse_period
from assay.cli.progress import say
from assay.cli.session import load_settings, open_session, run_async
from assay.cli.tables import echo_json, table_console
from assay.services.api_keys import ROLES, NewKey, create_key, list_keys, revoke_key
from assay.storage.api_keys import ApiKeyHead
from assay.storage.tenancy import Role


@click.group(name="keys")
def keys_command() -> None:
    """Make and revoke API keys."""


@keys_command.command(name="create")
@click.option("--name", required=True, help="What it is for; unique.")
@click.option("--role", required=True, type=click.Choice(ROLES), help="What its holder may do.")
@click.option("--scope", "scopes", multiple=True, help="Narrow the role. May be given more than once.")
@click.option("--expires", metavar="PERIOD", help="When it ends: 12h, 90d, 4w; never by default.")
def create_command(name: str, role: Role, scopes: tuple[str, ...], expires: str | None) -> int:
    """Make a key and print it: it is shown this once."""
    lifetime = None if expires is None else parse_period(expires, "--expires")

    async def create() -> NewKey:
        async with open_session(load_settings()) as context:
            return await create_key(context, name, role, scopes=scopes, expires=lifetime)

    made = run_async(create())
    click.echo(made.text)
    say("Keep it now: only its hash is stored.", style="yellow")
    return 0


@keys_command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_command(as_json: bool) -> int:
    """List the keys, the revoked ones too."""

    async def find() -> list[ApiKeyHead]:
        async with open_session(load_settings()) as context:
            return await list_keys(context)

    heads = run_async(find())
    if as_json:
        echo_json(heads)
    elif not heads:
        say("no keys yet. Make one with: assay keys create --name NAME --role analyst")
    else:
        table_console().print(_table(heads))
    return 0


def _table(heads: list[ApiKeyHead]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("name", "prefix", "role", "scopes", "state", "expires (UTC)", "last used (UTC)"):
        table.add_column(name, overflow="fold")
    for head in heads:
        state = "revoked" if head.revoked_at else "expired" if head.expired else "live"
        expires = f"{head.expires_at:%Y-%m-%d %H:%M}" if head.expires_at else "never"
        used = f"{head.last_used_at:%Y-%m-%d %H:%M}" if head.last_used_at else "never"
        table.add_row(head.name, head.prefix, head.role, " ".join(head.scopes), state, expires, used)
    return table


@keys_command.command(name="revoke")
@click.argument("key")
def revoke_command(key: str) -> int:
    """Revoke KEY, a name or a prefix; the next request with it is refused."""

    async def revoke() -> None:
        async with open_session(load_settings()) as context:
            await revoke_key(context, key)

    run_async(revoke())
    say(f"revoked {key}")
    return 0
