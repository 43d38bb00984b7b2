"""The interfaces between the layers."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

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


@dataclass(frozen=True, slots=True)
class Reply:
    """What a judge answered to one call, and what that cost: 0 from the cache, None at an unknown price."""

    response: ModelResponse
    cost_nanousd: int | None


class Judge(Protocol):
    """A model that judges one cell for one metric; each call is in the ledger, limited and paid for."""

    @property
    def config(self) -> ModelConfig:
        """The configuration of the model that judges."""

    async def ask(self, request: ModelRequest) -> Reply:
        """Its answer, or raise a ModelError. `request.repeat` keeps independent samples apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBound:
    """The most that one sample costs a judged metric, for reservation.

    `calls` to each of its judges, repairs and samples included; `fixed_bytes` of prompt, schema included;
    `copies` of case and answer in one prompt; `output_tokens` of one reply, where the judge's own
    configuration sets no limit.
    """

    calls: int
    fixed_bytes: int
    copies: int = 1
    output_tokens: int = 2048


@runtime_checkable
class JudgedMetric(Protocol):
    """Scores one sample at a time by asking models, in the event loop."""

    @property
    def info(self) -> MetricInfo:
        """What the catalog says of it."""

    @property
    def config(self) -> MetricConfig:
        """What the suite asked for."""

    @property
    def judges(self) -> tuple[str, ...]:
        """Labels of the models that it asks: one, or a jury."""

    @property
    def bound(self) -> CallBound:
        """The most that one sample costs."""

    async def judge(self, sample: Sample, judges: Mapping[str, Judge]) -> Score:
        """The score of one sample; never raises for a sample's content or what a judge says.

        `judges` has those of `judges`, by label. A judge that cannot be reached makes a failed score.
        """


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
