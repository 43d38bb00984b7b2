"""Files in the making: written beside their final name, which they get when they are whole."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assay.domain.errors import InvalidInput


def part_of(path: Path) -> Path:
    """A name beside a file for what is not whole yet, new each time."""
    return path.with_name(f".{secrets.token_hex(6)}.part")


def not_writable(path: Path, problem: OSError) -> InvalidInput:
    """The error for a file that the system refuses to write."""
    if isinstance(problem, FileNotFoundError):
        return InvalidInput(
            f"there is no folder {path.parent}", file=str(path), remedy=f"Make it: mkdir -p {path.parent}"
        )
    return InvalidInput(f"the file cannot be written: {problem.strerror}", file=str(path))


@contextmanager
def draft_of(path: Path) -> Iterator[Path]:
    """Where to write a file: it replaces `path` after the block, and nothing stays of it after an error."""
    part = part_of(path)
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """As `draft_of`, for a block that only writes: every OSError in it is raised as InvalidInput."""
    try:
        with draft_of(path) as part:
            yield part
    except OSError as problem:
        raise not_writable(path, problem) from problem
