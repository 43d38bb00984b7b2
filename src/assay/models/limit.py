"""Adaptive concurrency for a provider account and model.

Additive increase, multiplicative decrease on 429, as TCP does it (Chiu and Jain, 1989): the limit doubles
each clean round until the first 429, then grows by 5% a round and is cut to 80% once an episode.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from assay.domain.errors import InvalidResponse, ModelError, ModelTimeout, ModelUnavailable, RateLimited
from assay.domain.events import LimitChanged
from assay.domain.models import Limits, ModelConfig, ModelRequest, ModelResponse
from assay.domain.protocols import Model
from assay.models.estimate import expected_tokens
from assay.models.pace import MinuteQuota, ProviderPace
from assay.models.surroundings import Surroundings

DEFAULT_START = 20
DEFAULT_MAXIMUM = 100
CLOCK_ERROR_S = 1e-6
"""A wait this short is none: rounding leaves such rests, and a clock may not be able to tell them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitPolicy:
    """How a limiter behaves.

    A round is max(limit, `round_floor`) successes; it grows the limit only if `peak_share` of the limit
    was in use. `cooldown_s` is the least time between two cuts and without growth after one. `pause_s`
    holds new calls back after a 429 that names no time. A pause of more than `park_after_s` is not sat
    out: waiting calls fail with RateLimited, so that they can wait in the queue instead.
    """

    start: int = DEFAULT_START
    minimum: int = 1
    maximum: int = DEFAULT_MAXIMUM
    growth: float = 1.05
    cut: float = 0.8
    cooldown_s: float = 15.0
    pause_s: float = 1.0
    park_after_s: float = 60.0
    peak_share: float = 0.8
    round_floor: int = 4
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None


def limit_policy(limits: Limits, *, concurrency: int | None = None, share: float = 1.0) -> LimitPolicy:
    """The policy for a model's configured limits.

    Who names a concurrency, for the model (`limits.max_concurrency`) or the whole run (`concurrency`), gets
    it from the first call on. `share` is this process's part of the quotas a minute, in (0, 1].
    """
    wanted = limits.max_concurrency
    rpm, tpm = limits.requests_per_minute, limits.tokens_per_minute
    return LimitPolicy(
        start=wanted or max(DEFAULT_START, concurrency or 0),
        maximum=wanted or max(DEFAULT_MAXIMUM, concurrency or 0),
        requests_per_minute=rpm * share if rpm else None,
        tokens_per_minute=tpm * share if tpm else None,
    )


class Limiter:
    """Who may call now: a fair semaphore whose size follows what the provider bears.

    Waiting calls start in the order in which they came. One event loop; shared by all models that use
    the same credential and provider model.
    """

    __slots__ = (
        "_cooldown_until",
        "_pace",
        "_paused_until",
        "_peak",
        "_policy",
        "_request_quota",
        "_slow_start",
        "_successes",
        "_token_quota",
        "_waiters",
        "_waiting",
        "_wake",
        "_wake_at",
        "_world",
        "in_flight",
        "limit",
        "name",
    )

    def __init__(self, name: str, policy: LimitPolicy, surroundings: Surroundings) -> None:
        now = surroundings.clock()
        rpm, tpm = policy.requests_per_minute, policy.tokens_per_minute
        self.name = name
        self.limit = max(policy.minimum, min(policy.start, policy.maximum))
        self.in_flight = 0
        self._policy = policy
        self._world = surroundings
        self._request_quota = MinuteQuota(rpm, now) if rpm else None
        self._token_quota = MinuteQuota(tpm, now) if tpm else None
        self._pace = ProviderPace()
        self._paused_until = self._cooldown_until = float("-inf")
        self._slow_start = True
        self._successes = self._peak = 0
        self._waiters: deque[tuple[asyncio.Future[None], float]] = deque()
        self._waiting = 0
        self._wake: asyncio.Task[None] | None = None
        self._wake_at = float("inf")

    @property
    def counts_tokens(self) -> bool:
        """Whether `acquire` needs to know a call's tokens."""
        return self._token_quota is not None

    @property
    def waiting(self) -> int:
        """Calls that wait for their start."""
        return self._waiting

    async def acquire(self, tokens: float = 0.0) -> None:
        """Wait for a slot; RateLimited (not sent) when the provider's pause is too long to sit out.

        Each return is owed exactly one of `succeeded`, `rate_limited`, `failed` and `release`.
        """
        if not self._waiters and self.in_flight < self.limit:
            now = self._world.clock()
            if self._delay_s(now, tokens) <= CLOCK_ERROR_S:
                self._start(now, tokens)
                return
        await self._queue(tokens)

    def succeeded(self, response: ModelResponse, tokens: float = 0.0) -> None:
        """The call of a slot was answered; `tokens` as they were given to `acquire`."""
        usage = response.usage
        used = (usage.input_tokens or 0) + (usage.output_tokens or 0)
        if self._token_quota is not None and used:
            self._token_quota.give_back(tokens - used)
        if not response.cached:
            self._pace.observe(response.headers, used, 2.0 * self.limit)
            self._count_success()
        self.release()

    def rate_limited(self, retry_after_s: float | None) -> None:
        """The call of a slot got a 429: pause all calls, and cut the limit once an episode."""
        now = self._world.clock()
        wait_s = self._policy.pause_s if retry_after_s is None else retry_after_s
        self._paused_until = max(self._paused_until, now + wait_s)
        self._slow_start = False
        self._new_round()
        if now >= self._cooldown_until:
            self._cooldown_until = now + max(self._policy.cooldown_s, wait_s)
            lower = max(self._policy.minimum, int(self.limit * self._policy.cut))
            self._change(min(self.limit, lower), f"rate limited: pause of {wait_s:.3g} s")
        elif retry_after_s is not None:
            self._cooldown_until = max(self._cooldown_until, now + retry_after_s)
        if self._paused_until - now > self._policy.park_after_s:
            self._turn_away(now)
        self.release()

    def failed(self) -> None:
        """The call of a slot failed for the provider's own reasons: no growth from this round."""
        self._new_round()
        self.release()

    def release(self) -> None:
        """Give a slot back with no verdict on the provider."""
        self.in_flight -= 1
        if self._waiters:
            self._dispatch()

    # What follows keeps the invariant: a call is granted only while in_flight < limit and no gate is shut.

    def _delay_s(self, now: float, tokens: float) -> float:
        delay_s = max(self._paused_until - now, self._pace.delay_s(now))
        if self._request_quota is not None:
            delay_s = max(delay_s, self._request_quota.delay_s(now, 1.0))
        if self._token_quota is not None:
            delay_s = max(delay_s, self._token_quota.delay_s(now, tokens))
        return delay_s

    def _start(self, now: float, tokens: float) -> None:
        self.in_flight += 1
        self._peak = max(self._peak, self.in_flight)
        self._pace.started(now)
        if self._request_quota is not None:
            self._request_quota.take(now, 1.0)
        if self._token_quota is not None:
            self._token_quota.take(now, tokens)

    def _take_back(self, tokens: float) -> None:
        if self._request_quota is not None:
            self._request_quota.give_back(1.0)
        if self._token_quota is not None:
            self._token_quota.give_back(tokens)
        self.release()

    async def _queue(self, tokens: float) -> None:
        now = self._world.clock()
        if self._paused_until - now > self._policy.park_after_s:
            raise self._too_long(now)
        granted = asyncio.get_running_loop().create_future()
        self._waiters.append((granted, tokens))
        self._waiting += 1
        self._dispatch()
        try:
            await granted
        except asyncio.CancelledError:
            if granted.cancelled():
                self._forget()
            elif granted.exception() is None:
                self._take_back(tokens)
            raise

    def _forget(self) -> None:
        self._waiting -= 1
        if self._waiting:
            self._dispatch()
            return
        self._nobody_waits()

    def _dispatch(self) -> None:
        waiters = self._waiters
        while waiters and (waiters[0][0].done() or self.in_flight < self.limit):
            granted, tokens = waiters[0]
            if not granted.done():
                now = self._world.clock()
                delay_s = self._delay_s(now, tokens)
                if delay_s > CLOCK_ERROR_S:
                    self._wake_in(now, delay_s)
                    return
                self._start(now, tokens)
                self._waiting -= 1
                granted.set_result(None)
            waiters.popleft()

    def _wake_in(self, now: float, delay_s: float) -> None:
        if self._wake is not None:
            if self._wake_at <= now + delay_s:
                return
            self._wake.cancel()
        self._wake_at = now + delay_s
        self._wake = asyncio.get_running_loop().create_task(self._dispatch_later(delay_s))

    async def _dispatch_later(self, delay_s: float) -> None:
        await self._world.sleep(delay_s)
        self._wake, self._wake_at = None, float("inf")
        self._dispatch()

    def _turn_away(self, now: float) -> None:
        for granted, _ in self._waiters:
            if not granted.done():
                self._waiting -= 1
                granted.set_exception(self._too_long(now))
        self._nobody_waits()

    def _nobody_waits(self) -> None:
        self._waiters.clear()
        if self._wake is not None:
            self._wake.cancel()
            self._wake, self._wake_at = None, float("inf")

    def _too_long(self, now: float) -> RateLimited:
        pause_s = self._paused_until - now
        return RateLimited(
            f"{self.name}: the provider asked for a pause of {pause_s:.0f} s more",
            retry_after_s=pause_s,
            sent=False,
        )

    def _count_success(self) -> None:
        if self._world.clock() < self._cooldown_until:
            return
        self._successes += 1
        if self._successes < max(self.limit, self._policy.round_floor):
            return
        busy = self._peak >= self._policy.peak_share * self.limit
        self._new_round()
        if not busy:
            return
        if self._slow_start:
            self._change(min(self.limit * 2, self._policy.maximum), "slow start")
        else:
            higher = max(self.limit + 1, int(self.limit * self._policy.growth))
            self._change(min(higher, self._policy.maximum), "clean round")

    def _new_round(self) -> None:
        self._successes = 0
        self._peak = self.in_flight

    def _change(self, limit: int, reason: str) -> None:
        if limit != self.limit or reason.startswith("rate limited"):
            self.limit = limit
            self._world.emit(LimitChanged(model=self.name, limit=limit, reason=reason))


class Limited:
    """A model whose calls pass a limiter."""

    __slots__ = ("_clock", "_limiter", "_model", "_tokens_of")

    def __init__(
        self,
        model: Model,
        limiter: Limiter,
        surroundings: Surroundings,
        tokens_of: Callable[[ModelConfig, ModelRequest], float] = expected_tokens,
    ) -> None:
        self._model = model
        self._limiter = limiter
        self._clock = surroundings.clock
        self._tokens_of = tokens_of

    @property
    def config(self) -> ModelConfig:
        """The configuration of the model behind the limiter."""
        return self._model.config

    async def generate(self, request: ModelRequest) -> ModelResponse:
        """Wait for a slot and answer. Errors carry `details["latency_ms"]`, without the wait."""
        limiter = self._limiter
        tokens = self._tokens_of(self._model.config, request) if limiter.counts_tokens else 0.0
        await limiter.acquire(tokens)
        started = self._clock()
        try:
            response = await self._model.generate(request)
        except ModelError as error:
            error.details = {**error.details, "latency_ms": (self._clock() - started) * 1000.0}
            self._report(error)
            raise
        except BaseException:
            limiter.release()
            raise
        limiter.succeeded(response, tokens)
        return response

    async def close(self) -> None:
        """Close the model behind."""
        await self._model.close()

    def _report(self, error: ModelError) -> None:
        if isinstance(error, RateLimited):
            self._limiter.rate_limited(error.retry_after_s)
        elif isinstance(error, ModelUnavailable | ModelTimeout | InvalidResponse):
            self._limiter.failed()
        else:
            self._limiter.release()


def limiters_for(
    configs: Sequence[ModelConfig],
    surroundings: Surroundings,
    *,
    concurrency: int | None = None,
    share: float = 1.0,
) -> Mapping[str, Limiter]:
    """A limiter for each model by its name; models of one credential and provider model share one.

    Where shared models name different limits, the strictest of each kind holds.
    """
    groups: dict[tuple[str | None, ...], list[ModelConfig]] = {}
    for config in configs:
        account = (config.provider, config.base_url, config.key_variable, config.credential, config.model)
        groups.setdefault(account, []).append(config)
    limiters: dict[str, Limiter] = {}
    for members in groups.values():
        policy = limit_policy(
            strictest([member.limits for member in members]), concurrency=concurrency, share=share
        )
        limiter = Limiter(members[0].name, policy, surroundings)
        limiters.update({member.name: limiter for member in members})
    return limiters


def strictest(limits: Sequence[Limits]) -> Limits:
    """The lowest of each limit that any of them sets."""
    lowest = Limits()
    for name in ("max_concurrency", "requests_per_minute", "tokens_per_minute"):
        set_values = [value for value in (getattr(limit, name) for limit in limits) if value is not None]
        lowest = replace(lowest, **{name: min(set_values, default=None)})
    return lowest
