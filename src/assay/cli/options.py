"""Options that many commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

env_files_option = click.option(
    "--env-file",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read variables from a file, after .env.",
)


no_canaries_option = click.option(
    "--no-canaries", is_flag=True, help="Do not ask judges about answers that deserve no good score."
)


def outputs_option(help_text: str, *, required: bool = False) -> Callable[[Any], Any]:
    """Files to write; the command gets their paths as `outputs`."""
    return click.option(
        "-o",
        "--output",
        "outputs",
        multiple=True,
        required=required,
        type=click.Path(path_type=Path),
        help=help_text,
    )
