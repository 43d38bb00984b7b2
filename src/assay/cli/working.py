"""What run, resume, retry and demo share: work on a job with a bar and Ctrl-C, then show and write."""

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from assay.cli.progress import ProgressListener, say
from assay.engine.policy import StopSignal
from assay.services.context import Context
from assay.services.runs import RunOptions, work_on

if TYPE_CHECKING:
    from assay.services.exports import Output

INTERRUPTED = 130
SIGNALS = (signal.SIGINT, signal.SIGTERM)
REPORTING, EXPORTS = "assay.cli.outcome", "assay.services.exports"
"""Their statistics and reports take as long to load as all else together: while the models are asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """How the outcome is shown. `listener` is the one that the Context emits to."""

    listener: ProgressListener
    as_json: bool = False
    outputs: Sequence["Output"] = ()
    min_pass_rate: float | None = None


async def work_and_show(context: Context, job_id: UUID, options: RunOptions, showing: Showing) -> int:
    """Work on a job to its end and show it; the exit code."""
    stop = StopSignal()
    loading = asyncio.create_task(asyncio.to_thread(import_module, REPORTING))
    with listening_to_signals(stop, showing.listener.tell) as leave:
        with showing.listener:
            reason = await work_on(context, job_id, options, stop)
        if stop.aborting.is_set():
            say(f"interrupted. Go on with: assay resume {job_id}", style="bold yellow")
            return INTERRUPTED
        if not stop.draining.is_set():
            leave()
        reporting: Any = await loading
        code: int = await reporting.show_outcome(context, job_id, reason, showing)
        return code


@contextmanager
def listening_to_signals(stop: StopSignal, tell: Callable[[str], None]) -> Iterator[Callable[[], None]]:
    """The first Ctrl-C drains, the second stops at once; after that, or `leave`, it is Python's again."""
    loop = asyncio.get_running_loop()

    def asked() -> None:
        if stop.draining.is_set():
            stop.abort()
            tell("stopping now")
            leave()
        else:
            stop.drain()
            tell("finishing what is under way; Ctrl-C again stops now")

    def leave() -> None:
        for number in SIGNALS:
            loop.remove_signal_handler(number)

    for number in SIGNALS:
        loop.add_signal_handler(number, asked)
    try:
        yield leave
    finally:
        leave()


def parse_outputs(paths: Sequence[Path]) -> tuple["Output", ...]:
    """Outputs by their extensions, checked to be writable before anything is spent."""
    if not paths:
        return ()
    exports: Any = import_module(EXPORTS)
    return tuple(exports.Output.of(path) for path in paths)
