"""Where in a file something stands, and what is wrong there."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from assay.domain.errors import InvalidInput

MAX_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file."""

    file: str
    line: int | None = None

    def problem(self, message: str, *, field: str | None = None, remedy: str | None = None) -> InvalidInput:
        """An error that names this place."""
        return InvalidInput(message, file=self.file, line=self.line, field=field, remedy=remedy)


@dataclass(slots=True)
class Problems:
    """What is wrong with one file; raised together, so that it can be mended in one go.

    `lines` maps field paths to lines; a field that it lacks is shown at its nearest parent.
    """

    file: str
    lines: Mapping[str, int]
    found: list[InvalidInput] = field(default_factory=list)

    def add(self, path: str, message: str, *, remedy: str | None = None) -> None:
        """Note a problem of the field at `path`."""
        self.found.append(
            InvalidInput(message, file=self.file, line=self.line_of(path), field=path or None, remedy=remedy)
        )

    def line_of(self, path: str) -> int | None:
        """The line of a field, or of the nearest that holds it."""
        while path and path not in self.lines:
            path = path.rpartition(".")[0]
        return self.lines.get(path)

    def raise_any(self) -> None:
        """Raise the first problem, with the others in its message; do nothing when there is none."""
        if not self.found:
            return
        first, *others = self.found
        text = first.message
        if others:
            shown = others[: MAX_SHOWN - 1]
            lines = [
                ": ".join([f"  line {problem.line}", *filter(None, [problem.field]), problem.message])
                for problem in shown
            ]
            hidden = [f"  and {len(others) - len(shown)} more"] if len(others) > len(shown) else []
            text = "\n".join([text, f"{len(others)} more in this file:", *lines, *hidden])
        raise InvalidInput(text, file=first.file, line=first.line, field=first.field, remedy=first.remedy)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or what there is when nothing is near."""
    names = sorted(known)
    near = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(names)}"
