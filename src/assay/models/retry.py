"""The only retry layer: every further attempt is in the ledger before its bytes leave."""

from collections import OrderedDict
from dataclasses import dataclass

from assay.domain.errors import ModelError, ModelUnavailable, RateLimited, RequestRejected
from assay.domain.events import CallFailed
from assay.domain.models import ModelConfig, ModelRequest, ModelResponse, request_key
from assay.domain.protocols import AttemptLedger, Model
from assay.models.surroundings import Surroundings

REMEMBERED_FAILURES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When to repeat a call, and how long to wait before.

    The wait is max(server's wish, uniform(0, min(`cap_s`, `base_s` * 2**n))): "full jitter" (Brooker,
    "Exponential backoff and jitter", 2015). Failures count against `max_attempts`; a 429 does not, but
    after `max_rate_limited` of them, or when the server's wish exceeds `park_after_s`, the error is raised
    with its wait, for the queue to hold. `same_failure_stop` equal 5xx in a row while other requests
    succeed end it: the provider rejects this input.
    """

    max_attempts: int = 6
    base_s: float = 1.0
    cap_s: float = 60.0
    park_after_s: float = 60.0
    max_rate_limited: int = 8
    same_failure_stop: int = 5


@dataclass(slots=True)
class _Tries:
    """The attempts of one `generate`."""

    started: float
    failures: int = 0
    rate_limited: int = 0

    @property
    def made(self) -> int:
        return self.failures + self.rate_limited


@dataclass(slots=True)
class _SameFailure:
    """How often a request failed with one status, and how others fared when that began."""

    status: int
    count: int
    successes_before: int
    failures_before: int


class Retried:
    """A model whose failed calls are repeated where that can help."""

    def __init__(
        self,
        model: Model,
        ledger: AttemptLedger,
        surroundings: Surroundings,
        policy: RetryPolicy | None = None,
    ) -> None:
        self._model = model
        self._ledger = ledger
        self._world = surroundings
        self._policy = policy or RetryPolicy()
        self._successes = 0
        self._server_errors = 0
        self._same: OrderedDict[bytes, _SameFailure] = OrderedDict()

    @property
    def config(self) -> ModelConfig:
        """The configuration of the model behind."""
        return self._model.config

    async def close(self) -> None:
        """Close the model behind."""
        await self._model.close()

    async def generate(self, request: ModelRequest) -> ModelResponse:
        """Answer, or raise the last error with a note of the attempts.

        The error's `details` hold `attempts` and the last one's `latency_ms`; a `retry_after_s` on a
        retryable error is the wait after which the queue should offer the request again.
        """
        tries = _Tries(self._world.clock())
        while True:
            started = self._world.clock()
            try:
                response = await self._model.generate(request)
            except ModelError as error:
                latency_ms = error.details.get("latency_ms", (self._world.clock() - started) * 1000.0)
                await self._prepare_next(request, error, tries, latency_ms)
            else:
                self._successes += 1
                if self._same:
                    self._same.pop(request_key(self.config, request), None)
                return response

    async def _prepare_next(
        self, request: ModelRequest, error: ModelError, tries: _Tries, latency_ms: float
    ) -> None:
        wait_s = self._wait_s(error, tries)
        rejected = self._rejection(request, error)
        self._world.emit(
            CallFailed(
                model=self.config.name,
                code=error.code,
                message=error.message,
                attempt=tries.made,
                wait_s=None if rejected else wait_s,
            )
        )
        if rejected is not None:
            raise self._final(rejected, tries, latency_ms) from error
        if wait_s is None:
            raise self._final(error, tries, latency_ms)
        due = self._world.clock() + wait_s
        await self._ledger.attempt_failed(request, error, latency_ms)
        await self._world.sleep(max(0.0, due - self._world.clock()))

    def _wait_s(self, error: ModelError, tries: _Tries) -> float | None:
        """Seconds before the next attempt; None if there is none. Counts the attempt."""
        policy = self._policy
        limited = isinstance(error, RateLimited)
        if limited:
            tries.rate_limited += 1
        else:
            tries.failures += 1
        if not error.retryable or (not limited and tries.failures >= policy.max_attempts):
            return None
        server_s = error.retry_after_s or 0.0
        if server_s > policy.park_after_s:
            return None
        repeats = tries.rate_limited if limited else tries.failures
        own_s = self._world.rng.uniform(0.0, min(policy.cap_s, policy.base_s * 2.0 ** (repeats - 1)))
        wait_s = max(server_s, own_s)
        if limited and tries.rate_limited >= policy.max_rate_limited:
            error.retry_after_s = wait_s
            return None
        return wait_s

    def _rejection(self, request: ModelRequest, error: ModelError) -> RequestRejected | None:
        """The verdict "provider rejects this input", once a request's equal 5xx have earned it."""
        status = error.http_status
        if not isinstance(error, ModelUnavailable) or status is None or status < 500:
            return None
        self._server_errors += 1
        key = request_key(self.config, request)
        same = self._same.pop(key, None)
        if same is None or same.status != status:
            same = _SameFailure(status, 0, self._successes, self._server_errors - 1)
        same.count += 1
        self._same[key] = same
        if len(self._same) > REMEMBERED_FAILURES:
            self._same.popitem(last=False)
        successes = self._successes - same.successes_before
        others_failed = self._server_errors - same.failures_before - same.count
        if same.count < self._policy.same_failure_stop or successes <= others_failed:
            return None
        del self._same[key]
        return RequestRejected(
            f"the provider rejects this input: {same.count} times status {status}"
            f" while {successes} other requests succeeded; last: {error.message}",
            http_status=status,
            provider_request_id=error.provider_request_id,
            body=error.body,
        )

    def _final(self, error: ModelError, tries: _Tries, latency_ms: float) -> ModelError:
        error.details = {**error.details, "attempts": tries.made, "latency_ms": latency_ms}
        elapsed_s = self._world.clock() - tries.started
        error.add_note(
            f"{self.config.name}: {tries.made} attempts in {elapsed_s:.1f} s"
            f" ({tries.failures} failed, {tries.rate_limited} rate limited)"
        )
        return error
