"""assay metrics, assay models."""

import click
from rich.table import Table

from assay.cli.tables import echo_json, table_console
from assay.domain.errors import NotFound
from assay.domain.scores import MetricInfo
from assay.metrics.catalog import list_metrics
from assay.models.catalog import PROVIDERS


@click.command(name="metrics")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def metrics_command(name: str | None, as_json: bool) -> int:
    """List the metrics, or show all of NAME: what it needs, its options and its source."""
    found = [info for info in list_metrics() if name is None or info.type == name]
    if not found:
        raise NotFound(f"there is no metric {name!r}", remedy="See what there is: assay metrics")
    if as_json:
        echo_json(found)
    elif name is None:
        table_console().print(_table(found))
    else:
        _show(found[0])
    return 0


def _table(found: list[MetricInfo]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("metric", "version", "kind", "needs", "what it measures"):
        table.add_column(column, overflow="fold")
    for info in found:
        kind = f"measure, {info.unit}" if info.unit else info.kind
        table.add_row(info.type, info.version, kind, ", ".join(info.needs), info.summary)
    return table


def _show(info: MetricInfo) -> None:
    lines = [
        ("what", info.summary),
        ("version", info.version),
        ("kind", info.kind + (f", {info.unit}, {info.better} is better" if info.unit else "")),
        ("needs", ", ".join(info.needs)),
        ("source", info.source),
    ]
    click.echo(info.type)
    for label, text in lines:
        click.echo(f"  {label:8} {text}")
    for option, meaning in info.options.items():
        click.echo(f"  option   {option}: {meaning}")


@click.command(name="models")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def models_command(as_json: bool) -> int:
    """List the providers, the variables of their keys and their addresses."""
    infos = list(PROVIDERS.values())
    if as_json:
        rows = [
            {"provider": info.name, "keys": info.key_variables, "base_url": info.default_base_url}
            for info in infos
        ]
        echo_json(rows)
        return 0
    table = Table(box=None, pad_edge=False)
    for column in ("provider", "key", "address"):
        table.add_column(column, overflow="fold")
    for info in infos:
        table.add_row(info.name, " or ".join(info.key_variables) or "-", info.default_base_url or "-")
    table_console().print(table)
    return 0
