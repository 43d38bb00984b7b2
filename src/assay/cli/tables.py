"""Tables on standard output."""

import sys

from rich.console import Console
from rich.table import Table

PIPED_WIDTH = 200


def print_table(table: Table) -> None:
    """Print a table as wide as the terminal, or as it needs to be where there is none."""
    width = None if sys.stdout.isatty() else PIPED_WIDTH
    Console(highlight=False, width=width).print(table)
