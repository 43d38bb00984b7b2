"""What happens, told to whoever listens. The engine emits; logs, bars and metrics listen."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run begins or goes on; `done` cells were finished before."""

    job_id: str
    planned: int
    done: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemsRecorded:
    """A batch of cells is durable. Costs in billionths of a US dollar; None is unknown."""

    succeeded: int
    failed: int
    retried: int
    cached: int
    passed: int
    cost_nanousd: int
    unpriced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitChanged:
    """The concurrency that a model is given changed, and why."""

    model: str
    limit: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFailed:
    """One attempt at a model failed."""

    model: str
    code: str
    message: str
    attempt: int
    wait_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPaused:
    """A provider account cannot be used any more; its cells are left for later."""

    model: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateStopped:
    """A race asks no more of a candidate; `reason` says why, in words."""

    candidate: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """A run ends: completed, interrupted, stopped by errors or by its budget."""

    job_id: str
    reason: str


Event = RunStarted | ItemsRecorded | LimitChanged | CallFailed | AccountPaused | CandidateStopped | RunEnded
