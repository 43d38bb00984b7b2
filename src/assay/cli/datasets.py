"""assay datasets."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import orjson
from rich.table import Table

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
from assay.cli.suite_options import parse_pairs
from assay.cli.tables import echo_json, table_console
from assay.domain.datasets import DatasetHead, DatasetVersion
from assay.domain.splits import parse_shares
from assay.domain.suites import DatasetSource
from assay.formats.cases import READERS
from assay.reports.untrusted import one_line
from assay.services import datasets
from assay.storage.dataset_versions import CaseChange, SplitCount, TagChange

SIGNS = {"added": "+", "removed": "-", "changed": "~", "moved": ">"}


@click.group(name="datasets")
def datasets_command() -> None:
    """Keep data sets in versions, with splits, tags and labels."""


@datasets_command.command(name="list")
@click.option("--tag", metavar="TAG", help="Those with this tag.")
@limit_option
@json_option
def list_command(tag: str | None, limit: int, as_json: bool) -> int:
    """List data sets by name."""

    async def read() -> list[DatasetHead]:
        async with open_session(load_settings()) as context:
            return await datasets.list_datasets(context, tag=tag, limit=limit)

    found = run_async(read())
    if as_json:
        echo_json(found)
    elif not found:
        say("no data sets yet. Keep one with: assay datasets import FILE")
    else:
        table = Table(box=None, pad_edge=False)
        for column in ("data set", "versions", "cases", "labels", "tags", "updated (UTC)"):
            number = column in ("versions", "cases")
            table.add_column(column, justify="right" if number else "left", overflow="fold")
        for head in found:
            counts = (str(head.version_count), f"{head.case_count:,}")
            texts = (labels_text(head.labels), safe(", ".join(head.tags)), when(head.updated_at))
            table.add_row(safe(head.name), *counts, *texts)
        table_console().print(table)
        say_more(len(found), limit)
    return 0


@datasets_command.command(name="show")
@click.argument("dataset")
@click.option(
    "-n", "--cases", type=click.IntRange(0, 1000), default=3, show_default=True, help="How many cases."
)
@json_option
def show_command(dataset: str, cases: int, as_json: bool) -> int:
    """Show DATASET: a NAME, NAME:VERSION or NAME@LABEL."""

    async def read() -> datasets.DatasetView:
        async with open_session(load_settings()) as context:
            return await datasets.show_dataset(context, dataset, cases)

    view = run_async(read())
    if as_json:
        document = datasets.version_document(view.version, view.splits)
        echo_json({**document, "labels_of_all_versions": view.labels, "cases": view.cases})
        return 0
    _show_version(view.version, view.splits)
    if protected := protected_text(view.labels):
        click.echo(f"protected {protected}")
    for case in view.cases:
        given = orjson.dumps(case.vars, option=orjson.OPT_NON_STR_KEYS).decode()
        click.echo(f"\n{one_line(case.key, 80)}" + (f"  [{case.split}]" if case.split else ""))
        click.echo(f"  {one_line(given, 300)}")
        if case.expected is not None:
            click.echo(f"  expected {one_line(orjson.dumps(case.expected).decode(), 300)}")
    return 0


def _show_version(version: DatasetVersion, splits: Iterable[SplitCount]) -> None:
    click.echo(f"data set  {one_line(version.name, 200)}")
    click.echo(f"version   {version.version}")
    click.echo(f"labels    {', '.join(version.labels) or '-'}")
    click.echo(f"tags      {one_line(', '.join(version.tags), 200) or '-'}")
    click.echo(f"created   {when(version.created_at)} UTC")
    click.echo(f"hash      {version.content_hash.hex()}")
    if version.note:
        click.echo(f"note      {one_line(version.note, 500)}")
    click.echo(f"cases     {version.case_count:,}")
    for each in splits:
        clusters = f", {each.clusters:,} clusters" if each.clusters else ""
        click.echo(f"  {each.split or 'no split':10} {each.cases:,}{clusters}")


@datasets_command.command(name="import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="Name of the data set; the file's name when it is not set.")
@click.option("--format", type=click.Choice(list(READERS)), help="When the file's name does not tell it.")
@click.option(
    "--field",
    "fields",
    multiple=True,
    metavar="OURS=THEIRS",
    help="Which field of the file is which of ours.",
)
@click.option("--split", metavar="SHARES", help="train=0.7,test=0.3; or the file's field that has the split.")
@click.option("--seed", type=int, default=0, show_default=True, help="Decides the splits by share.")
@click.option("--note", default="", help="What is new in this version.")
@click.option("--description", help="What the data set is for.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Add a tag. May come more than once.")
@click.option("--label", metavar="LABEL", help="Move this label to the version.")
@json_option
def import_command(file: Path, as_json: bool, **given: Any) -> int:
    """Keep the cases of FILE as a version. Rows are streamed, whatever their number."""
    how = _import_of(file, given)

    async def keep() -> datasets.KeptDataset:
        async with open_session(load_settings()) as context:
            return await datasets.import_dataset(context, how)

    kept = run_async(keep())
    if as_json:
        document = datasets.version_document(kept.version, kept.splits)
        echo_json({**document, "is_new": kept.is_new, "cases_added": kept.added})
        return 0
    version = kept.version
    what = (
        f"is new: {kept.added:,} of its cases were not there before" if kept.is_new else "was there already"
    )
    say(f"{one_line(version.name, 200)}:{version.version} with {version.case_count:,} cases {what}")
    for each in kept.splits if any(each.split for each in kept.splits) else ():
        say(f"  {each.split or 'no split':10} {each.cases:,}")
    return 0


def _import_of(file: Path, given: dict[str, Any]) -> datasets.DatasetImport:
    fields = dict(parse_pairs(given["fields"], "--field"))
    split, shares = given["split"], None
    if split is not None and "=" in split:
        shares = parse_shares(split, given["seed"])
    elif split is not None:
        fields["split"] = split
    name = given["name"] or file.stem
    source = DatasetSource(name=name, path=file.absolute(), format=given["format"], fields=fields)
    return datasets.DatasetImport(
        name=name,
        source=source,
        shares=shares,
        note=given["note"],
        tags=TagChange(add=given["tags"], description=given["description"]),
        label=given["label"],
    )


@datasets_command.command(name="export")
@click.argument("dataset")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Where to: .jsonl, .json or .csv."
)
def export_command(dataset: str, output: Path) -> int:
    """Write the cases of DATASET (NAME, NAME:VERSION or NAME@LABEL) to a file."""

    async def write() -> tuple[DatasetVersion, int]:
        async with open_session(load_settings()) as context:
            return await datasets.export_dataset(context, dataset, output)

    version, count = run_async(write())
    say(f"wrote {count:,} cases of {one_line(version.name, 200)}:{version.version} to {output}")
    return 0


@datasets_command.command(name="diff")
@click.argument("name")
@click.argument("first")
@click.argument("second")
@click.option(
    "-n", "--limit", type=click.IntRange(0, 10_000), default=20, show_default=True, help="Cases of each kind."
)
@json_option
def diff_command(name: str, first: str, second: str, limit: int, as_json: bool) -> int:
    """Show what differs between two versions of NAME; FIRST and SECOND are numbers or labels."""

    async def read() -> datasets.DatasetDiff:
        async with open_session(load_settings()) as context:
            return await datasets.compare_datasets(context, name, first, second, limit)

    diff = run_async(read())
    if as_json:
        echo_json(diff)
        return 0
    if not diff.totals:
        order = "" if diff.first == diff.second else ", in another order"
        say(f"versions {diff.first} and {diff.second} have the same cases{order}")
        return 0
    click.echo(", ".join(f"{diff.totals[kind]:,} {kind}" for kind in SIGNS if kind in diff.totals))
    for change in diff.changes:
        click.echo(f"{SIGNS[change.kind]} {one_line(change.key, 80)}{_details(change)}")
    return 0


def _details(change: CaseChange) -> str:
    if change.kind == "moved":
        return f"  split {change.first_split or 'none'} -> {change.second_split or 'none'}"
    parts = []
    for field, before in change.first.items():
        old, new = (one_line(orjson.dumps(each).decode(), 60) for each in (before, change.second[field]))
        parts.append(f"\n    {field}: {old} -> {new}")
    return "".join(parts)


@datasets_command.command(name="tag")
@click.argument("name")
@click.argument("tags", nargs=-1)
@click.option("--remove", multiple=True, metavar="TAG", help="Take a tag away. May come more than once.")
@click.option("--description", help="What the data set is for.")
def tag_command(name: str, tags: tuple[str, ...], remove: tuple[str, ...], description: str | None) -> int:
    """Add TAGS to the data set NAME. Its versions stay as they are."""
    change = TagChange(add=tags, remove=remove, description=description)

    async def tag() -> tuple[str, ...]:
        async with open_session(load_settings()) as context:
            return await datasets.tag_dataset(context, name, change)

    say(f"tags: {one_line(', '.join(run_async(tag())), 500) or 'none'}")
    return 0


add_label_commands(datasets_command, datasets.label_dataset, datasets.unlabel_dataset)
