"""Standard output for tables."""

import sys

from rich.console import Console

PIPED_WIDTH = 200


def table_console() -> Console:
    """A console on standard output, as wide as the terminal; wide enough for all where there is none."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
