"""assay estimate."""

import asyncio
import random
import time
from datetime import UTC, datetime
from typing import Any

import click
from rich.table import Table

import assay
from assay.cli.session import load_settings, open_session, run_async, silent
from assay.cli.suite_options import find_suite, read_suite, suite_options
from assay.cli.tables import echo_json, table_console
from assay.domain.suites import Suite
from assay.services.context import World
from assay.services.estimates import (
    SuiteEstimate,
    estimate_document,
    estimate_lines,
    estimate_stored_suite,
    estimate_suite,
    judges_line,
)
from assay.services.runs import with_overrides
from assay.services.selection import Filters
from assay.settings import Settings


@click.command(name="estimate")
@suite_options
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def estimate_command(**given: Any) -> int:
    """Calls, tokens and cost of SUITE: nothing is sent, nothing is stored."""
    settings = load_settings(given["env_file"])
    suite = read_suite(find_suite(given["suite"], given["config"]), settings, given["variables"])
    suite = with_overrides(suite, {"repeats": given["repeat"]})
    show_estimate(make_estimate(suite, given["filters"], settings), as_json=given["as_json"])
    return 0


def make_estimate(suite: Suite, filters: Filters, settings: Settings) -> SuiteEstimate:
    """The estimate of a suite; the database is opened only when a part of the suite is there."""
    if not suite.is_stored:
        return estimate_suite(suite, filters, world_of(settings))

    async def estimate() -> SuiteEstimate:
        async with open_session(settings) as context:
            return await estimate_stored_suite(suite, filters, context)

    return run_async(estimate())


def world_of(settings: Settings) -> World:
    """A world without a store."""
    return World(
        environment=settings.environment,
        clock=time.monotonic,
        sleep=asyncio.sleep,
        rng=random.Random(),  # noqa: S311 - draws no secret
        emit=silent,
        now=datetime.now(UTC),
        version=assay.__version__,
    )


def show_estimate(estimate: SuiteEstimate, *, as_json: bool) -> None:
    """The estimate on standard output."""
    if as_json:
        echo_json(estimate_document(estimate))
        return
    header, *rows = estimate_lines(estimate)
    table = Table(box=None, pad_edge=False)
    for number, name in enumerate(header):
        table.add_column(name, justify="left" if number < 2 else "right")
    for row in rows:
        table.add_row(*row)
    console = table_console()
    console.print(f"{estimate.name}: {estimate.cases} cases, {estimate.calls:,} calls, none of them cached")
    console.print(table)
    if estimate.judges is not None:
        console.print(judges_line(estimate.judges))
    if estimate.budget_usd is not None:
        console.print(f"budget ${estimate.budget_usd:,.2f}: held by reservation, call by call")
