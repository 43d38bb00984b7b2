"""assay metrics, assay models."""

import textwrap
from collections.abc import Sequence
from typing import Any

import click
import orjson
from rich.table import Table

from assay.cli.tables import echo_json, table_console
from assay.domain.errors import NotFound
from assay.domain.scores import MetricInfo
from assay.judging.templates import Template, get_template
from assay.judging.verdicts import sent_schema
from assay.metrics.catalog import list_metrics
from assay.models.catalog import PROVIDERS

json_option = click.option("--json", "as_json", is_flag=True, help="Print as JSON.")


class MetricsGroup(click.Group):
    """A group in which the name of a metric stands for `show NAME`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first argument names, else `show` with all of them."""
        if args[0] in self.commands:
            return super().resolve_command(ctx, args)
        return "show", self.commands["show"], args


@click.group(name="metrics", cls=MetricsGroup, invoke_without_command=True)
@json_option
@click.pass_context
def metrics_command(context: click.Context, as_json: bool) -> int:
    """List the metrics; `assay metrics NAME` is `assay metrics show NAME`."""
    context.obj = as_json
    return _list(as_json) if context.invoked_subcommand is None else 0


@metrics_command.command(name="list")
@json_option
@click.pass_obj
def list_command(json_before: bool, as_json: bool) -> int:
    """List the metrics."""
    return _list(as_json or json_before)


@metrics_command.command(name="show")
@click.argument("name")
@json_option
@click.pass_obj
def show_command(json_before: bool, name: str, as_json: bool) -> int:
    """Show all of NAME: what it needs, its options, its source, and the prompts that judges are given."""
    info = next((info for info in list_metrics() if info.type == name), None)
    if info is None:
        raise NotFound(f"there is no metric {name!r}", remedy="See what there is: assay metrics list")
    templates = [get_template(each) for each in info.prompts]
    if as_json or json_before:
        document = orjson.loads(orjson.dumps(info))
        echo_json({**document, "judge_prompts": [_document(each) for each in templates]})
    else:
        _show(info)
        for template in templates:
            _show_template(template)
    return 0


def _list(as_json: bool) -> int:
    if as_json:
        echo_json(list_metrics())
    else:
        table_console().print(_table(list_metrics()))
    return 0


def _document(template: Template) -> dict[str, Any]:
    made: dict[str, Any] = orjson.loads(orjson.dumps(template))
    return made | {"schema": sent_schema(template.schema) if template.schema else None}


def _show_template(template: Template) -> None:
    """A prompt as judges get it, with the names of what is put in between double braces."""
    click.echo(f"\njudge prompt {template.name}, version {template.version}, sha256 {template.hash}")
    answer = ", ".join(template.words)
    if template.schema:
        answer = orjson.dumps(sent_schema(template.schema), option=orjson.OPT_INDENT_2).decode()
    parts = {"source": template.source, "system": template.system, "user": template.user, "answer": answer}
    for label, text in parts.items():
        click.echo(f"  {label}")
        click.echo(textwrap.indent(text, "    "))


def _table(found: Sequence[MetricInfo]) -> Table:
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
@json_option
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
