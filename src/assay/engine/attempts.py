"""The ledger's side of retries: further attempts made durable, many in one write."""

import asyncio

from assay.domain.errors import AssayError, ModelError, RateLimited
from assay.domain.jobs import FailedAttempt
from assay.domain.models import ModelRequest
from assay.domain.protocols import WorkQueue


class LeaseLost(AssayError):
    """Another worker holds the cell now; what was done here for it is dropped."""

    code = "lease_lost"
    status = 409


class Attempts:
    """An AttemptLedger. Failures that come together become one transaction."""

    def __init__(self, queue: WorkQueue, sent: set[int] | None = None) -> None:
        """`sent` are the leases with a request at a provider; a failed attempt takes its lease out."""
        self._queue = queue
        self._sent: set[int] = set() if sent is None else sent
        self._call_no: dict[int, int] = {}
        self._waiting: list[tuple[FailedAttempt, asyncio.Future[bool]]] = []
        self._flushing: asyncio.Task[None] | None = None

    def call_no(self, token: int) -> int:
        """The number of the call that is open for this lease; counts from 1."""
        return self._call_no.get(token, 1)

    def forget(self, token: int) -> None:
        """The cell of this lease is finished."""
        self._call_no.pop(token, None)

    async def attempt_failed(self, request: ModelRequest, error: Exception, latency_ms: float) -> None:
        """Store the failure and the next intent; raises LeaseLost when the lease is gone."""
        if request.tag is None:
            return
        attempt = self._describe(request.tag.item_no, request.tag.lease_token, error, latency_ms)
        held: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((attempt, held))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        if not await held:
            raise LeaseLost(f"the lease of cell {attempt.item_no} was lost", lease_token=attempt.lease_token)
        self._call_no[attempt.lease_token] = attempt.call_no + 1
        self._sent.discard(attempt.lease_token)

    def _describe(self, item_no: int, token: int, error: Exception, latency_ms: float) -> FailedAttempt:
        known = error if isinstance(error, ModelError) else None
        return FailedAttempt(
            item_no=item_no,
            lease_token=token,
            call_no=self.call_no(token),
            code=known.code if known else "internal_error",
            message=str(error),
            counts=not isinstance(error, RateLimited),
            http_status=known.http_status if known else None,
            provider_request_id=known.provider_request_id if known else None,
            latency_ms=latency_ms,
        )

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                held = await self._queue.next_attempts([attempt for attempt, _ in batch])
            except Exception as error:  # every waiter must hear of it, whatever it is
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for attempt, future in batch:
                if not future.done():
                    future.set_result(attempt.lease_token in held)
        self._flushing = None
