"""The interfaces between the layers."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from assay.domain.events import Event
from assay.domain.jobs import FailedAttempt, Failure, Recorded, Success, Sweep, WorkItem
from assay.domain.models import ModelConfig, ModelRequest, ModelResponse
from assay.domain.scores import MetricConfig, MetricInfo, Sample, Score

Emit = Callable[[Event], None]
Clock = Callable[[], float]
"""Seconds that never go back (time.monotonic)."""
Sleep = Callable[[float], Awaitable[None]]


class Model(Protocol):
    """Anything that answers a request: a provider, or a wrapper round one."""

    @property
    def config(self) -> ModelConfig:
        """The configuration that this model was made from."""

    async def generate(self, request: ModelRequest) -> ModelResponse:
        """Answer, or raise a ModelError."""

    async def close(self) -> None:
        """Give connections back; idempotent."""


class ResponseCache(Protocol):
    """Answers of earlier calls, by request key."""

    async def find(self, key: bytes) -> ModelResponse | None:
        """The stored answer, marked as cached, or None. Lookups that wait together are one query."""


class AttemptLedger(Protocol):
    """Makes a further attempt durable before its bytes leave."""

    async def attempt_failed(self, request: ModelRequest, error: Exception, latency_ms: float) -> None:
        """Close the failed attempt and open the intent of the next one; returns when both are stored."""


class Metric(Protocol):
    """Scores results in batches. Pure and synchronous: the engine runs it off the event loop."""

    @property
    def info(self) -> MetricInfo:
        """What the catalog says of it."""

    @property
    def config(self) -> MetricConfig:
        """What the suite asked for."""

    def score_batch(self, samples: Sequence[Sample]) -> Sequence[Score]:
        """One score for each sample, in order; never raises for a sample's content."""


class Steering(Protocol):
    """Decides, while a job runs, which of its cells may be claimed and which are not needed any more."""

    async def steer(self, wanted: int) -> None:
        """Look at what was scored; let more cells be claimed, up to `wanted` at once, or close the rest."""


class WorkQueue(Protocol):
    """The cells of one job, as one worker sees them. Every write is fenced by the lease's token."""

    async def expand(self) -> int:
        """Make queue rows for more cases; 0 when every case has its rows."""

    async def claim(
        self, count: int, *, solo: bool = False, skip_models: Sequence[int] = ()
    ) -> Sequence[WorkItem]:
        """Lease up to `count` cells; intents are stored and money is reserved when this returns."""

    async def record(self, outcomes: Sequence[Success | Failure]) -> Sequence[Recorded]:
        """Make outcomes durable; one answer for each, in order."""

    async def next_attempts(self, failed: Sequence[FailedAttempt]) -> set[int]:
        """Close failed attempts and open the next ones; the tokens that may go on."""

    async def heartbeat(self, tokens: Sequence[int]) -> set[int]:
        """Extend leases; the tokens that are still held."""

    async def release(self, tokens: Sequence[int], sent: Sequence[int]) -> None:
        """Hand leases back; calls of tokens in `sent` may have been paid for."""

    async def sweep(self) -> Sweep:
        """Take back leases that ran out and close the job when nothing is left."""

    async def find_answers(self, keys: Sequence[bytes]) -> dict[bytes, ModelResponse]:
        """Answers that earlier calls of this tenant got to the same requests."""
