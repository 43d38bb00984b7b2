"""How a run behaves, what it works with, and how it is asked to end."""

import asyncio
from dataclasses import dataclass, field
from math import ceil
from typing import Literal

from assay.domain.protocols import Clock, Emit, Sleep, Steering, WorkQueue
from assay.engine.attempts import Attempts
from assay.engine.evaluate import Evaluator

AHEAD_S = 0.4
"""How long before they are needed cells are claimed, storing and claiming included."""

EndReason = Literal["completed", "interrupted", "errors", "budget", "account_stopped", "paused", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPolicy:
    """How a run behaves. Times in seconds.

    `capped`: the job has a budget, so that ready cells may stay unclaimed for want of money.
    """

    concurrency: int = 20
    max_errors: int | None = None
    capped: bool = False
    linger_s: float = 0.1
    batch_size: int = 64
    heartbeat_s: float = 10.0
    sweep_s: float = 5.0
    poll_s: float = 0.5

    def window(self, pace: float) -> int:
        """Cells to hold when `pace` of them are stored a second: at the provider, on the way there and back.

        No wider than that: a worker that is killed leaves its whole window in doubt.
        """
        ahead = max(2, self.concurrency // 2, ceil(pace * AHEAD_S))
        return self.concurrency + min(ahead, self.concurrency + self.batch_size)


class Slots:
    """How many requests may be out at once over all models.

    `sent` are the leases whose open ledger row stands for a request that has left: it may be paid for.
    """

    def __init__(self, size: int) -> None:
        self.gate = asyncio.Semaphore(size)
        self.sent: set[int] = set()


@dataclass(slots=True)
class StopSignal:
    """Asks a run to end: `drain` finishes what is at the provider, `abort` drops it."""

    draining: asyncio.Event = field(default_factory=asyncio.Event)
    aborting: asyncio.Event = field(default_factory=asyncio.Event)

    def drain(self) -> None:
        """Claim nothing more; finish what was sent."""
        self.draining.set()

    def abort(self) -> None:
        """Stop now."""
        self.draining.set()
        self.aborting.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """What a run works with. `steering` decides what may be claimed; None: everything."""

    job_id: str
    queue: WorkQueue
    evaluator: Evaluator
    attempts: Attempts
    slots: Slots
    policy: RunPolicy
    emit: Emit
    clock: Clock
    sleep: Sleep
    stop: StopSignal
    steering: Steering | None = None
