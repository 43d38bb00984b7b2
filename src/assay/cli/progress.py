"""The progress of a run: a bar on a terminal, a line now and then elsewhere. Listens to events."""

import sys
import time
from types import TracebackType
from typing import Any, Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from assay.cli.consoles import message_console
from assay.domain.events import (
    AccountPaused,
    CallFailed,
    CandidateStopped,
    Event,
    ItemsRecorded,
    LimitChanged,
    RunEnded,
    RunStarted,
)
from assay.domain.money import NANO

LINE_EVERY_S = 10.0
ERRORS_SHOWN = 3


class RateColumn(ProgressColumn):
    """Cells a second and the time that is left."""

    def render(self, task: Task) -> Text:
        """`12.3/s  eta 0:42`."""
        speed = task.finished_speed or task.speed
        if not speed or task.remaining is None:
            return Text("--/s  eta --:--", style="dim")
        seconds = int(task.remaining / speed)
        clock = (
            f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}" if seconds >= 3600 else None
        )
        return Text(f"{speed:.1f}/s  eta {clock or f'{seconds // 60}:{seconds % 60:02d}'}", style="cyan")


class ProgressListener:
    """Shows what a run's events say. Use as a context manager round the run."""

    def __init__(self, *, plain: bool, quiet: bool = False) -> None:
        self._plain, self._quiet = plain, quiet
        self._console = message_console()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            RateColumn(),
            TextColumn("{task.fields[note]}"),
            console=self._console,
            disable=plain or quiet,
            speed_estimate_period=20,
        )
        self._task = self._bar.add_task("evaluating", total=None, note="")
        self.planned = self.done = self.failed = self.cached = self.unpriced = 0
        self.cost_nanousd = 0
        self._last_line = time.monotonic()
        self._errors: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def take(self, event: Event) -> None:
        """Take note of an event."""
        match event:
            case RunStarted():
                self.planned, self.done = event.planned, event.done
                self._bar.update(self._task, total=event.planned, completed=event.done)
            case ItemsRecorded():
                self._recorded(event)
            case CallFailed():
                self._failed_call(event)
            case AccountPaused():
                self._say(f"{event.model}: account stopped: {event.message}")
            case CandidateStopped():
                self._say(f"{event.candidate} is not asked any more: {event.reason}")
            case LimitChanged() if event.reason.startswith("rate limited"):
                self._bar.update(self._task, description=f"evaluating ({event.limit} at once)")
            case RunEnded() | LimitChanged():
                pass

    def _recorded(self, event: ItemsRecorded) -> None:
        self.done += event.succeeded + event.failed
        self.failed += event.failed
        self.cached += event.cached
        self.cost_nanousd += event.cost_nanousd
        self.unpriced += event.unpriced
        self._bar.update(self._task, completed=self.done, note=self._note())
        now = time.monotonic()
        if self._plain and not self._quiet and now - self._last_line > LINE_EVERY_S:
            self._last_line = now
            print(f"{self.done}/{self.planned} {self._note()}".rstrip(), file=sys.stderr, flush=True)

    def _note(self) -> str:
        parts = [f"${self.cost_nanousd / NANO:.4f}" + ("+?" if self.unpriced else "")]
        if self.cached:
            parts.append(f"{self.cached} cached")
        if self.failed:
            parts.append(f"{self.failed} failed")
        return "  ".join(parts)

    def _failed_call(self, event: CallFailed) -> None:
        """The first few of each kind; the rest are in the ledger."""
        seen = self._errors[event.code] = self._errors.get(event.code, 0) + 1
        if seen <= ERRORS_SHOWN:
            wait = "" if event.wait_s is None else f"; again in {event.wait_s:.1f} s"
            self._say(f"{event.model}: {event.code}: {event.message}{wait}")

    def _say(self, text: str) -> None:
        if not self._quiet:
            self.tell(text[:500])

    def tell(self, text: str) -> None:
        """A line for people, above the bar."""
        self._bar.console.print(Text(text, style="yellow"))


def say(text: str, **style: Any) -> None:
    """A line for people, on standard error: standard output is for results."""
    message_console().print(Text(text, **style))
