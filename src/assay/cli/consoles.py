"""Where text for people goes: coloured on a terminal, plain in a pipe, a file or a build."""

import os
import sys
from collections.abc import Mapping
from typing import TextIO

from rich.console import Console

PIPED_WIDTH = 100


def is_plain(environment: Mapping[str, str], stream: TextIO) -> bool:
    """Whether bars and colours are out of place: no terminal, or CI or NO_COLOR is set."""
    return not stream.isatty() or bool(environment.get("CI")) or bool(environment.get("NO_COLOR"))


def output_console(piped_width: int = PIPED_WIDTH) -> Console:
    """Standard output; `piped_width` is its width where there is no terminal that has one."""
    return _console(sys.stdout, width=None if sys.stdout.isatty() else piped_width)


def message_console() -> Console:
    """Standard error, for what is said while results go to standard output."""
    return _console(sys.stderr, soft_wrap=True)


def _console(stream: TextIO, *, width: int | None = None, soft_wrap: bool = False) -> Console:
    plain = is_plain(os.environ, stream)
    return Console(
        file=stream,
        highlight=False,
        soft_wrap=soft_wrap,
        width=width,
        no_color=plain or None,
        force_terminal=False if plain else None,
    )
