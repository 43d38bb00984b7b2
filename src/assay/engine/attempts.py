"""The ledger's side of retries: further attempts made durable, many in one write."""

from assay.domain.errors import AssayError, ModelError, RateLimited
from assay.domain.jobs import FailedAttempt
from assay.domain.models import ModelRequest
from assay.domain.protocols import WorkQueue
from assay.engine.batches import Batches


class LeaseLost(AssayError):
    """Another worker holds the cell now; what was done here for it is dropped."""

    code = "lease_lost"
    status = 409


class Attempts:
    """An AttemptLedger. Failures that come together become one transaction."""

    def __init__(self, queue: WorkQueue, sent: set[int] | None = None) -> None:
        """`sent` are the leases with a request at a provider; a failed attempt takes its lease out."""
        self._sent: set[int] = set() if sent is None else sent
        self._call_no: dict[int, int] = {}
        self._batches = Batches(queue.next_attempts)

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
        if attempt.lease_token not in await self._batches.put(attempt):
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
