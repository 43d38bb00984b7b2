"""What the labels of prompts and of data sets share on the command line."""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeAlias, TypeVar

import click
from rich.text import Text

from assay.cli.progress import say
from assay.cli.session import load_settings, open_session, run_async
from assay.domain.errors import InvalidInput
from assay.domain.versions import Label
from assay.reports.untrusted import one_line
from assay.services.context import Context
from assay.services.prompts import Move
from assay.storage.labels import ANYWHERE, Anyone

Result = TypeVar("Result")

NOWHERE = "none"
NAME_LIMIT = 80

expect_option = click.option(
    "--expect",
    metavar="VERSION",
    help='Only if the label is on this version now; "none": only if it is not set.',
)
protect_option = click.option(
    "--protect/--unprotect", default=None, help="From now on managers alone, or analysts again, may move it."
)
limit_option = click.option(
    "-n", "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many."
)
json_option: Callable[[Any], Any] = click.option("--json", "as_json", is_flag=True, help="Print as JSON.")


Put: TypeAlias = Callable[[Context, str, str, Move], Coroutine[Any, Any, tuple[int | None, int]]]
Remove: TypeAlias = Callable[[Context, str, Move], Coroutine[Any, Any, int]]


def add_label_commands(group: click.Group, put: Put, remove: Remove) -> None:
    """Give a group the commands `label` and `unlabel`."""

    @group.command(name="label")
    @click.argument("name")
    @click.argument("version")
    @click.argument("label")
    @expect_option
    @protect_option
    def label_command(name: str, version: str, label: str, expect: str | None, protect: bool | None) -> int:
        """Move LABEL to a VERSION of NAME: a number, or a label whose version it takes."""
        move = parse_move(label, expect, protect)
        say_moved(name, label, *run_async(_in_session(lambda context: put(context, name, version, move))))
        return 0

    @group.command(name="unlabel")
    @click.argument("name")
    @click.argument("label")
    @expect_option
    def unlabel_command(name: str, label: str, expect: str | None) -> int:
        """Take LABEL away from NAME; its versions stay."""
        move = parse_move(label, expect)
        was = run_async(_in_session(lambda context: remove(context, name, move)))
        say(f"took {label} away from version {was}")
        return 0


async def _in_session(work: Callable[[Context], Coroutine[Any, Any, Result]]) -> Result:
    async with open_session(load_settings()) as context:
        return await work(context)


def parse_move(label: str, expect: str | None, protect: bool | None = None) -> Move:
    """The move that the options describe; raises InvalidInput for an expectation that is no version."""
    role = {True: "manager", False: "analyst", None: None}[protect]
    return Move(label=label, expect=_expected(expect), minimum_role=role)  # type: ignore[arg-type]


def _expected(text: str | None) -> int | Anyone | None:
    if text is None:
        return ANYWHERE
    if text == NOWHERE:
        return None
    if not text.isascii() or not text.isdigit():
        raise InvalidInput(f"{text!r} is no version", field="--expect", remedy='Give its number, or "none".')
    return int(text)


def say_more(shown: int, limit: int) -> None:
    """Say that a list may go on."""
    if shown == limit:
        say(f"the first {limit}; see more with --limit")


def protected_text(labels: Iterable[Label]) -> str:
    """The labels that not everybody who writes may move, with the role that it takes."""
    held = (each for each in labels if each.minimum_role not in ("viewer", "analyst"))
    return ", ".join(f"{each.label} ({each.minimum_role})" for each in held)


def say_moved(name: str, label: str, before: int | None, after: int) -> None:
    """Say where a label was and where it is."""
    way = str(after) if before is None else f"{before} -> {after}"
    say(f"{one_line(name, NAME_LIMIT)}@{label}: {way if before != after else f'stays on {after}'}")


def safe(text: str, limit: int = NAME_LIMIT) -> Text:
    """A text that others wrote, as one line of a table: no markup, no escape sequences."""
    return Text(one_line(text, limit))


def labels_text(labels: Any) -> str:
    """Labels with their versions."""
    return ", ".join(f"{label}: {version}" for label, version in sorted(labels.items()))


def when(moment: str) -> str:
    """A moment to the minute."""
    return moment[:16].replace("T", " ")
