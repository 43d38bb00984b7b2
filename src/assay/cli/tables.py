"""Standard output for tables."""

from rich.console import Console

from assay.cli.consoles import output_console

PIPED_WIDTH = 200


def table_console() -> Console:
    """A console on standard output, as wide as the terminal; wide enough for all where there is none."""
    return output_console(PIPED_WIDTH)
