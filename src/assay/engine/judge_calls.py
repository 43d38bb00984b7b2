"""Judges: asked on behalf of one cell and one metric, every call in the ledger before it leaves.

A judge's model is wrapped as Cached(Booked(Retried(Limited(Gate(provider))))): what the cache answers is no
call; everything else is booked, each attempt of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from assay.domain.errors import AccountStopped, AssayError, ModelError, RateLimited
from assay.domain.jobs import ClosedCall, JudgeBooking, JudgeIntent, KeptAnswer
from assay.domain.models import ModelConfig, ModelRequest, ModelResponse, WorkTag, request_key
from assay.domain.protocols import Judge, JudgeBook, Model, Reply
from assay.engine.attempts import LeaseLost
from assay.engine.batches import Batches
from assay.models.estimate import estimate_call
from assay.models.prices import Pricing


class BudgetRefused(AssayError):
    """A budget has no room for a call to a judge."""

    code = "budget"
    status = 402


Waits: TypeAlias = AccountStopped | RateLimited | LeaseLost | BudgetRefused
"""What keeps a whole cell from being judged: later, or elsewhere, it can be."""


@dataclass(frozen=True, slots=True)
class _Call:
    """A call under way: which cell's, which number it has there, for which judge, at most at which cost."""

    tag: WorkTag
    number: int
    judge: str
    estimate_nanousd: int | None


class JudgeLedger:
    """An AttemptLedger for judges. What comes together becomes one transaction.

    `leased`: whether a call that may not be sent means that the cell's lease is lost, or that money is.
    """

    def __init__(self, book: JudgeBook, *, leased: bool) -> None:
        self._leased = leased
        self._batches: Batches[JudgeBooking, set[tuple[int, int]]] = Batches(
            lambda bookings: book.book(_joined(bookings))
        )
        self._numbers: dict[int, int] = {}
        self._under_way: dict[tuple[int, int], _Call] = {}
        self._kept: dict[int, KeptAnswer] = {}

    def begin(self, token: int, call_no: int, kept: KeptAnswer | None = None) -> None:
        """Calls of this lease count on from `call_no`; `kept` goes to the ledger with the first of them."""
        self._numbers[token] = call_no
        if kept is not None:
            self._kept[token] = kept

    def forget(self, token: int) -> None:
        """The cell of this lease is finished."""
        self._numbers.pop(token, None)
        self._kept.pop(token, None)

    async def open(self, tag: WorkTag, judge: str, estimate_nanousd: int | None) -> WorkTag:
        """Store the intent of a call; the tag by which it is known from now on.

        Raises LeaseLost when the cell is another worker's now, BudgetRefused when there is no money.
        """
        number = self._next(tag.lease_token)
        call = _Call(replace(tag, call=number), number, judge, estimate_nanousd)
        kept = self._kept.pop(tag.lease_token, None)
        await self._open(call, JudgeBooking(kept=() if kept is None else (kept,)))
        self._under_way[tag.lease_token, number] = call
        return call.tag

    async def attempt_failed(self, request: ModelRequest, error: Exception, latency_ms: float) -> None:
        """Store the failure and the next intent; raises like `open`."""
        tag = _tag_of(request)
        key = (tag.lease_token, tag.call)
        call = self._under_way.pop(key)
        following = replace(call, number=self._next(tag.lease_token))
        closed = _failed(call, error, latency_ms)
        await self._open(following, JudgeBooking(closed=(closed,)))
        self._under_way[key] = following

    async def answered(
        self, tag: WorkTag, key: bytes, response: ModelResponse, price: tuple[int | None, str | None]
    ) -> None:
        """Store what a call was answered and what it cost."""
        call = self._close(tag)
        closed = ClosedCall(
            item_no=tag.item_no,
            lease_token=tag.lease_token,
            call_no=call.number,
            outcome="ok",
            request_key=key,
            response=response,
            cost_nanousd=price[0],
            price_version=price[1],
        )
        await self._batches.put(JudgeBooking(closed=(closed,)))

    async def failed(self, tag: WorkTag, error: Exception) -> None:
        """Store that a call failed for good."""
        if (tag.lease_token, tag.call) in self._under_way:
            await self._batches.put(JudgeBooking(closed=(_failed(self._close(tag), error, None),)))

    def _close(self, tag: WorkTag) -> _Call:
        return self._under_way.pop((tag.lease_token, tag.call))

    def _next(self, token: int) -> int:
        self._numbers[token] = self._numbers.get(token, 0) + 1
        return self._numbers[token]

    async def _open(self, call: _Call, booking: JudgeBooking) -> None:
        tag = call.tag
        intent = JudgeIntent(
            item_no=tag.item_no,
            lease_token=tag.lease_token,
            call_no=call.number,
            metric=tag.metric or "",
            judge=call.judge,
            estimate_nanousd=call.estimate_nanousd,
        )
        admitted = await self._batches.put(replace(booking, opened=(intent,)))
        if (tag.lease_token, call.number) in admitted:
            return
        if self._leased:
            raise LeaseLost(f"the lease of cell {tag.item_no} was lost", lease_token=tag.lease_token)
        raise BudgetRefused("the budget has no room for this call to a judge")


def _tag_of(request: ModelRequest) -> WorkTag:
    if request.tag is None:
        raise ValueError("a call to a judge needs the cell that it is for")
    return request.tag


def _joined(bookings: Sequence[JudgeBooking]) -> JudgeBooking:
    return JudgeBooking(
        kept=tuple(answer for booking in bookings for answer in booking.kept),
        closed=tuple(call for booking in bookings for call in booking.closed),
        opened=tuple(intent for booking in bookings for intent in booking.opened),
    )


def _failed(call: _Call, error: Exception, latency_ms: float | None) -> ClosedCall:
    known = error if isinstance(error, ModelError) else None
    return ClosedCall(
        item_no=call.tag.item_no,
        lease_token=call.tag.lease_token,
        call_no=call.number,
        outcome=known.code if known else "internal_error",
        message=str(error),
        http_status=known.http_status if known else None,
        provider_request_id=known.provider_request_id if known else None,
        latency_ms=latency_ms,
    )


class Booked:
    """A judge's model whose calls are in the ledger: the intent before anything is sent, then what came."""

    def __init__(self, model: Model, ledger: JudgeLedger, pricing: Pricing | None) -> None:
        self._model, self._ledger, self._pricing = model, ledger, pricing

    @property
    def config(self) -> ModelConfig:
        """That of the model behind."""
        return self._model.config

    async def generate(self, request: ModelRequest) -> ModelResponse:
        """The answer; raises a ModelError, LeaseLost or BudgetRefused."""
        bound = estimate_call(self.config, request, self._pricing).cost_max_nanousd
        tag = await self._ledger.open(_tag_of(request), self.config.name, bound)
        try:
            response = await self._model.generate(replace(request, tag=tag))
        except Exception as error:
            await self._ledger.failed(tag, error)
            raise
        key = request_key(self.config, request)
        await self._ledger.answered(tag, key, response, price_of(self._pricing, response))
        return response

    async def close(self) -> None:
        """Close the model behind."""
        await self._model.close()


def price_of(pricing: Pricing | None, response: ModelResponse) -> tuple[int | None, str | None]:
    """What a response cost, None when that is unknown, and the version of the price list."""
    if pricing is None:
        return None, None
    return pricing.cost_nanousd(response.usage), pricing.version


@dataclass(frozen=True, slots=True)
class Seat:
    """A judge that can be asked: its model, wrapped, and its price."""

    model: Model
    pricing: Pricing | None


class CellJudge:
    """A Judge for one cell and metric. Remembers what keeps the whole cell waiting."""

    def __init__(self, seat: Seat, tag: WorkTag, waits: list[Waits]) -> None:
        self._seat, self._tag, self._waits = seat, tag, waits

    @property
    def config(self) -> ModelConfig:
        """The configuration of the model that judges."""
        return self._seat.model.config

    async def ask(self, request: ModelRequest) -> Reply:
        """Its answer, and what it cost. Raises a ModelError."""
        try:
            response = await self._generate(replace(request, tag=self._tag))
        except (AccountStopped, RateLimited, LeaseLost, BudgetRefused) as error:
            self._waits.append(error)
            raise
        if response.cached:
            return Reply(response, 0)
        return Reply(response, price_of(self._seat.pricing, response)[0])

    async def _generate(self, request: ModelRequest) -> ModelResponse:
        """The answer. Who asks the same at once shares a call: the lease that it loses may not be ours."""
        while True:
            try:
                return await self._seat.model.generate(request)
            except LeaseLost as error:
                if error.details.get("lease_token") == self._tag.lease_token:
                    raise


def judges_for(
    seats: Mapping[str, Seat],
    labels: Sequence[str],
    tag: WorkTag,
    waits: list[Waits],
) -> Mapping[str, Judge]:
    """The judges of a metric, for one cell."""
    return {label: CellJudge(seats[label], tag, waits) for label in labels}
