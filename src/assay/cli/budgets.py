"""assay budgets."""

import click
from rich.table import Table

from assay.cli.progress import say
from assay.cli.session import load_settings, open_session, run_async
from assay.cli.tables import echo_json, table_console
from assay.domain.money import NANO
from assay.services import budgets
from assay.storage.budgets import BudgetState


@click.group(name="budgets")
def budgets_command() -> None:
    """Limit what all jobs together spend in a day, in a month, or in all."""


@budgets_command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_command(as_json: bool) -> None:
    """Show the budgets in force and what they have left."""
    found = run_async(_list())
    if as_json:
        echo_json(found)
    elif not found:
        say("no budgets. Set one with: assay budgets set NAME --period month --usd 50")
    else:
        table_console().print(_table(found))


@budgets_command.command(name="set")
@click.argument("name")
@click.option("--period", type=click.Choice(["day", "month", "total"]), required=True, help="In UTC.")
@click.option("--usd", type=float, required=True, help="The most that is spent in a period.")
def set_command(name: str, period: str, usd: float) -> None:
    """Make a budget, or give it another amount. It counts calls that are begun from now on."""
    run_async(_set(name, period, usd))
    say(f"budget {name}: ${usd:g} a {period}" if period != "total" else f"budget {name}: ${usd:g} in all")


@budgets_command.command(name="end")
@click.argument("name")
def end_command(name: str) -> None:
    """Let a budget bind no longer."""
    run_async(_end(name))
    say(f"budget {name} is ended")


async def _list() -> list[BudgetState]:
    async with open_session(load_settings()) as context:
        return await budgets.list_budgets(context)


async def _set(name: str, period: str, usd: float) -> None:
    async with open_session(load_settings()) as context:
        await budgets.set_budget(context, name, period, usd)


async def _end(name: str) -> None:
    async with open_session(load_settings()) as context:
        await budgets.end_budget(context, name)


def _table(found: list[BudgetState]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("budget", "period", "since (UTC)"):
        table.add_column(heading, overflow="fold")
    for heading in ("cap", "spent", "reserved", "left"):
        table.add_column(heading, justify="right")
    for state in found:
        amounts = (state.cap_nanousd, state.spent_nanousd, state.reserved_nanousd, state.left_nanousd)
        since = "the beginning" if state.period == "total" else state.period_start
        table.add_row(state.name, state.period, since, *(f"${amount / NANO:.4f}" for amount in amounts))
    return table
