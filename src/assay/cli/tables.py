"""Standard output: tables for people, JSON for programs."""

from typing import Any

import click
import orjson
from rich.console import Console

from assay.cli.consoles import output_console

PIPED_WIDTH = 200


def table_console() -> Console:
    """A console on standard output, as wide as the terminal; wide enough for all where there is none."""
    return output_console(PIPED_WIDTH)


def echo_json(value: Any) -> None:
    """Print a value, dataclasses included, as indented JSON."""
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode())
