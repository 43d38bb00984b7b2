"""assay prompts."""

from pathlib import Path
from typing import Any

import click
import orjson
from rich.table import Table
from rich.text import Text

from assay.cli.consoles import output_console
from assay.cli.labelling import (
    add_label_commands,
    json_option,
    labels_text,
    limit_option,
    protected_text,
    safe,
    say_more,
    when,
)
from assay.cli.progress import say
from assay.cli.session import load_settings, open_session, run_async
from assay.cli.tables import echo_json, table_console
from assay.domain.prompts import PromptHead, PromptLog, PromptVersion
from assay.reports.untrusted import one_line, printable
from assay.services import prompts
from assay.services.prompt_diff import PromptDiff, text_of

STYLES = {"+": "green", "-": "red", "@": "cyan"}


@click.group(name="prompts")
def prompts_command() -> None:
    """Keep prompts in versions, with labels that move between them."""


@prompts_command.command(name="list")
@click.option("--tag", metavar="TAG", help="Those with this tag.")
@limit_option
@json_option
def list_command(tag: str | None, limit: int, as_json: bool) -> int:
    """List prompts by name."""

    async def read() -> list[PromptHead]:
        async with open_session(load_settings()) as context:
            return await prompts.list_prompts(context, tag=tag, limit=limit)

    found = run_async(read())
    if as_json:
        echo_json(found)
    elif not found:
        say("no prompts yet. Keep one with: assay prompts import FILE")
    else:
        table = Table(box=None, pad_edge=False)
        for column in ("prompt", "latest", "labels", "tags", "updated (UTC)"):
            table.add_column(column, justify="right" if column == "latest" else "left", overflow="fold")
        for head in found:
            latest, tags = str(head.latest), safe(", ".join(head.tags))
            table.add_row(safe(head.name), latest, labels_text(head.labels), tags, when(head.updated_at))
        table_console().print(table)
        say_more(len(found), limit)
    return 0


@prompts_command.command(name="show")
@click.argument("prompt")
@json_option
def show_command(prompt: str, as_json: bool) -> int:
    """Show PROMPT: a NAME, NAME:VERSION or NAME@LABEL."""

    async def read() -> PromptVersion:
        async with open_session(load_settings()) as context:
            return await prompts.get_prompt(context, prompt)

    version = run_async(read())
    if as_json:
        echo_json(prompts.prompt_document(version))
    else:
        click.echo("\n".join(_lines_of(version)))
    return 0


def _lines_of(version: PromptVersion) -> list[str]:
    found = version.prompt
    lines = [
        f"prompt   {one_line(found.name, 200)}",
        f"version  {version.version}",
        f"labels   {', '.join(version.labels) or '-'}",
        f"created  {when(version.created_at)} UTC"
        + (f" by {version.created_by}" if version.created_by else ""),
        f"hash     {version.content_hash.hex()}",
    ]
    if version.note:
        lines.append(f"note     {one_line(version.note, 500)}")
    for message in found.messages:
        lines += ["", f"[{message.role}]", printable(text_of(message.content))]
    for title, value in (("tools", found.tools), ("response format", found.response_format)):
        if value:
            lines += ["", f"[{title}]", printable(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())]
    return lines


@prompts_command.command(name="diff")
@click.argument("name")
@click.argument("first")
@click.argument("second")
@json_option
def diff_command(name: str, first: str, second: str, as_json: bool) -> int:
    """Show what differs between two versions of NAME; FIRST and SECOND are numbers or labels."""

    async def read() -> PromptDiff:
        async with open_session(load_settings()) as context:
            return await prompts.compare_prompts(context, name, first, second)

    diff = run_async(read())
    if as_json:
        echo_json(diff)
        return 0
    console = output_console()
    if diff.is_empty:
        say(f"versions {diff.first} and {diff.second} are the same")
    for part in diff.parts:
        console.print(Text(part.part, style="bold"))
        for line in part.lines:
            console.print(Text(printable(line), style=STYLES.get(line[:1], "")), soft_wrap=True)
    for sign, names in (("+", diff.variables_added), ("-", diff.variables_removed)):
        if names:
            console.print(Text(f"variables {sign} {', '.join(names)}", style=STYLES[sign]))
    return 0


add_label_commands(prompts_command, prompts.label_prompt, prompts.unlabel_prompt)


@prompts_command.command(name="import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="Name of the prompt; its id in the file, else the file's name.")
@click.option("--note", default="", help="What is new in this version.")
@click.option("--description", help="What the prompt is for.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Add a tag. May come more than once.")
@click.option("--label", metavar="LABEL", help="Move this label to the version.")
@json_option
def import_command(file: Path, as_json: bool, **how: Any) -> int:
    """Keep the prompt of FILE (.txt, .md, .yaml, .json) as a version."""

    async def keep() -> prompts.Kept:
        async with open_session(load_settings()) as context:
            return await prompts.import_prompt(context, file, prompts.PromptImport(**how))

    kept = run_async(keep())
    if as_json:
        echo_json({**prompts.prompt_document(kept.version), "is_new": kept.is_new})
    else:
        what = "is new" if kept.is_new else "was there already"
        say(f"{one_line(kept.version.prompt.name, 200)}:{kept.version.version} {what}")
    return 0


@prompts_command.command(name="log")
@click.argument("name")
@limit_option
@json_option
def log_command(name: str, limit: int, as_json: bool) -> int:
    """Show the history of NAME, newest first: its versions and the moves of its labels."""

    async def read() -> PromptLog:
        async with open_session(load_settings()) as context:
            return await prompts.read_log(context, name, limit)

    log = run_async(read())
    if as_json:
        echo_json(prompts.log_document(log))
    else:
        table_console().print(_log_table(log, limit))
        if protected := protected_text(log.labels):
            click.echo(f"protected: {protected}")
    return 0


def _log_table(log: PromptLog, limit: int) -> Table:
    events = []
    for move in log.moves:
        way = f"{move.from_version or 'new'} -> {move.to_version or 'gone'}"
        events.append((move.moved_at, f"@{move.label}", way, move.moved_by, ""))
    for each in log.versions:
        which = each.content_hash.hex()[:12]
        events.append((each.created_at, f"version {each.version}", which, each.created_by, each.note))
    table = Table(box=None, pad_edge=False)
    for column in ("when (UTC)", "what", "which", "who", "note"):
        table.add_column(column, overflow="fold")
    for moment, what, which, who, note in sorted(events, key=lambda event: event[0], reverse=True)[:limit]:
        table.add_row(when(moment), what, which, who or "-", safe(note, 200))
    return table
