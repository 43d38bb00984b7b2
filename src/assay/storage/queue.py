"""The queue and the ledger of one job: claim, record, heartbeat, release, sweep.

The meaning is in the functions of the schema; here values become rows and rows become values.
"""

import base64
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

import orjson
import psycopg

from assay.domain.jobs import FailedAttempt, Failure, Recorded, Success, Sweep, WorkItem
from assay.domain.models import ModelResponse
from assay.domain.scores import Score
from assay.domain.text import valid_text
from assay.storage.case_rows import case_of
from assay.storage.pool import Connection, Database
from assay.storage.results import response_of

Number = TypeVar("Number", int, float)

CLAIM = "select * from assay.claim(%s, %s, %s, %s * interval '1 second', %s, %s::smallint[])"
RECORD = "select item_no, lease_token, answer from assay.record(%s, %s::jsonb)"
NEXT_ATTEMPT = "select lease_token from assay.next_attempt(%s, %s::jsonb)"
HEARTBEAT = "select assay.heartbeat(%s, %s::bigint[], %s * interval '1 second')"
RELEASE = "select assay.release(%s, %s::bigint[], %s::bigint[])"
REAP = """
select reclaimed, dead, ready, leased, next_ready_s, state::text
  from assay.reap(%s, %s * interval '1 second')
"""
EXPAND = "select assay.expand_job(%s, %s::jsonb, %s)"
EXPIRE = "select assay.expire_leases(%s, %s)"
OWNERS = """
select distinct lease_owner from assay.evaluation_queue
 where organization_id = %s and job_id = %s and state = 'leased'
"""
ANSWERS = """
select k.request_key, r.*
  from unnest(%s::bytea[]) as k (request_key)
 cross join lateral (
       select r.output, r.finish, r.finish_reason, r.tool_calls, r.input_tokens, r.output_tokens,
              r.cached_tokens, r.cache_write_tokens, r.reasoning_tokens, r.latency_ms, r.ttft_ms,
              r.model_reported, r.fingerprint, true, r.answered_by, r.output_bytes
         from assay.evaluation_results r
        where r.organization_id = %s and r.request_key = k.request_key and not r.cached
          and r.answered_by is null
        order by r.created_at desc limit 1) r
"""
EXPAND_CASES = 2_000

REFUSED_VALUES = ("22", "23", "54")
"""SQLSTATE classes of a value that cannot be stored: data, constraints, limits of the program."""
MOST_TOKENS = 2**31 - 1
MOST_NANOUSD = 10**15
MOST_MS = 1e12
MOST_CALLS = 2**15 - 1
DEEPEST = 100


class JobQueue:
    """The cells of one job as one worker sees them: the WorkQueue of the engine.

    `estimates` has a row (prompt_no, model_no, base_nanousd, nanousd_per_byte, nanousd_per_judged_byte) for
    each candidate: the upper bound of one attempt and of the judges of its answer, None where a price is
    unknown; the last may be left out.
    """

    def __init__(  # noqa: PLR0913 - whose cells, for whom, and what the rows need: all but three are named
        self,
        database: Database,
        organization_id: UUID,
        job_id: UUID,
        *,
        worker: str,
        metric_versions: Mapping[str, str],
        estimates: Sequence[tuple[int | None, ...]] = (),
        lease_s: float = 30.0,
    ) -> None:
        self._database, self._organization_id, self._job_id = database, organization_id, job_id
        self._worker, self._lease_s, self._metric_versions = worker, lease_s, metric_versions
        self._estimates = orjson.dumps(estimates).decode()

    async def expand(self) -> int:
        """Make queue rows for the next cases; 0 when every case has its rows."""
        rows = await self._run(EXPAND, [self._job_id, self._estimates, EXPAND_CASES])
        return int(rows[0][0])

    async def claim(
        self, count: int, *, solo: bool = False, skip_models: Sequence[int] = ()
    ) -> list[WorkItem]:
        """Lease up to `count` cells, first come first served by priority, time and number."""
        parameters = [self._job_id, self._worker, count, self._lease_s, solo, list(skip_models)]
        rows = await self._run(CLAIM, parameters)
        return [_work_item(row) for row in rows]

    async def record(self, outcomes: Sequence[Success | Failure]) -> list[Recorded]:
        """Make outcomes durable; the answers in the order of the outcomes.

        An outcome that PostgreSQL refuses fails alone: the others of its batch are stored.
        """
        versions = self._metric_versions
        batch = [_success(o, versions) if isinstance(o, Success) else _failure(o) for o in outcomes]
        answers = await self._record(batch)
        return [answers[o.item.item_no, o.item.lease_token] for o in outcomes]

    async def _record(self, batch: list[dict[str, Any]]) -> dict[tuple[int, int], Recorded]:
        try:
            rows = await self._run(RECORD, [self._job_id, encode_batch(batch)])
        except psycopg.Error as error:
            if (error.sqlstate or "")[:2] not in REFUSED_VALUES:
                raise
            if len(batch) > 1:
                middle = len(batch) // 2
                return await self._record(batch[:middle]) | await self._record(batch[middle:])
            if batch[0]["kind"] != "success":
                raise
            return await self._record([_unstorable(batch[0], error)])
        return {(item_no, token): answer for item_no, token, answer in rows}

    async def next_attempts(self, failed: Sequence[FailedAttempt]) -> set[int]:
        """Close failed attempts and open the next; the tokens whose leases still hold."""
        batch = [_failed_attempt(attempt) for attempt in failed]
        return {row[0] for row in await self._run(NEXT_ATTEMPT, [self._job_id, encode_batch(batch)])}

    async def heartbeat(self, tokens: Sequence[int]) -> set[int]:
        """Extend the leases of these tokens; those that are still held."""
        return {row[0] for row in await self._run(HEARTBEAT, [self._job_id, list(tokens), self._lease_s])}

    async def release(self, tokens: Sequence[int], sent: Sequence[int]) -> None:
        """Hand leases back; `sent` are those whose request had left."""
        await self._run(RELEASE, [self._job_id, list(tokens), list(sent)])

    async def sweep(self) -> Sweep:
        """Take back what ran out; finish the job when nothing is open."""
        rows = await self._run(REAP, [self._job_id, self._lease_s])
        reclaimed, dead, ready, leased, next_ready_s, state = rows[0]
        return Sweep(
            reclaimed=reclaimed, dead=dead, ready=ready, leased=leased, next_ready_s=next_ready_s, state=state
        )

    async def lease_owners(self) -> set[str]:
        """The workers that hold leases of this job now."""
        return {row[0] for row in await self._run(OWNERS, [self._organization_id, self._job_id])}

    async def expire_leases(self, owner: str) -> None:
        """Let the leases of a worker that is known to be dead run out at once."""
        await self._run(EXPIRE, [self._job_id, owner])

    async def find_answers(self, keys: Sequence[bytes]) -> dict[bytes, ModelResponse]:
        """The newest answers of this tenant's earlier calls to the same requests."""
        rows = await self._run(ANSWERS, [list(keys), self._organization_id])
        return {bytes(row[0]): _answer(row) for row in rows}

    async def _run(self, query: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        async def work(connection: Connection) -> list[tuple[Any, ...]]:
            return await (await connection.execute(query, parameters)).fetchall()

        return await self._database.run(self._organization_id, work)


def _work_item(row: Sequence[Any]) -> WorkItem:
    (item_no, token, attempt, prompt_no, model_no, repeat, estimate) = row[:7]
    return WorkItem(
        item_no=item_no,
        lease_token=token,
        attempt=attempt,
        prompt_no=prompt_no,
        model_no=model_no,
        repeat=repeat,
        estimate_nanousd=estimate,
        case=case_of(row[7:]),
    )


def _success(outcome: Success, versions: Mapping[str, str]) -> dict[str, Any]:
    response = outcome.response
    text, raw = storable(response.text)
    return {
        "item_no": outcome.item.item_no,
        "lease_token": outcome.item.lease_token,
        "call_no": outcome.call_no,
        "kind": "success",
        "request_key": outcome.request_key.hex(),
        "output": text,
        "output_bytes": raw,
        "finish": response.finish,
        "finish_reason": response.finish_reason,
        "tool_calls": response.tool_calls or None,
        "latency_ms": within(response.latency_ms, MOST_MS),
        "ttft_ms": within(response.ttft_ms, MOST_MS),
        "cached": response.cached,
        "model_reported": response.model,
        "fingerprint": response.fingerprint,
        "answered_by": response.answered_by,
        "scores": [score_row(score, versions) for score in outcome.scores],
        **answered_call(response, outcome.cost_nanousd, outcome.price_version),
    }


def answered_call(
    response: ModelResponse, cost_nanousd: int | None, price_version: str | None
) -> dict[str, Any]:
    """What the ledger says of a call that was answered."""
    usage = response.usage
    return {
        "outcome": "cached" if response.cached else "ok",
        "call_latency_ms": None if response.cached else within(response.latency_ms, MOST_MS),
        "input_tokens": within(usage.input_tokens, MOST_TOKENS),
        "output_tokens": within(usage.output_tokens, MOST_TOKENS),
        "cached_tokens": within(usage.cached_tokens, MOST_TOKENS),
        "cache_write_tokens": within(usage.cache_write_tokens, MOST_TOKENS),
        "reasoning_tokens": within(usage.reasoning_tokens, MOST_TOKENS),
        "cost_nanousd": within(cost_nanousd, MOST_NANOUSD),
        "price_version": price_version,
        "http_status": None if response.cached else 200,
        "provider_request_id": response.provider_request_id,
    }


def within(value: Number | None, most: float) -> Number | None:
    """What a provider said, unless it is impossible: then unknown."""
    return value if value is not None and 0 <= value <= most else None


def score_row(score: Score, versions: Mapping[str, str]) -> tuple[Any, ...]:
    """A score as the schema's functions take it."""
    version, evidence = versions[score.metric], score.evidence
    paid = (min(score.calls, MOST_CALLS), within(score.cost_nanousd, MOST_NANOUSD))
    if score.state != "scored":
        return (score.metric, version, score.state, None, score.passed, score.reason, evidence, *paid)
    if score.value is None or not math.isfinite(score.value):
        reason = f"the metric's value is {score.value}: {score.reason}"
        return (score.metric, version, "failed", None, None, reason, evidence, *paid)
    return (score.metric, version, "scored", score.value, score.passed, score.reason, evidence, *paid)


def _unstorable(row: Mapping[str, Any], error: psycopg.Error) -> dict[str, Any]:
    """The failure in place of an answer that cannot be stored; what the call cost stays."""
    kept = ("item_no", "lease_token", "call_no", "cost_nanousd", "price_version", "http_status")
    message = f"PostgreSQL refuses the answer: {error.diag.message_primary or error}"
    failed = {"kind": "failure", "outcome": "unstorable", "error_code": "unstorable"}
    return {name: row[name] for name in kept} | failed | {"error_message": message[:2000], "scores": []}


def _failure(outcome: Failure) -> dict[str, Any]:
    row: dict[str, Any] = {
        "item_no": outcome.item.item_no,
        "lease_token": outcome.item.lease_token,
        "call_no": outcome.call_no,
        "kind": "failure" if outcome.retry_after_s is None else "retry",
        "outcome": outcome.code,
        "delay_s": outcome.retry_after_s,
        "counts": outcome.counts,
        "error_code": outcome.code,
        "error_message": outcome.message[:2000],
        "cost_nanousd": 0,
        "http_status": outcome.http_status,
        "provider_request_id": outcome.provider_request_id,
        "call_latency_ms": within(outcome.latency_ms, MOST_MS),
        "scores": [],
    }
    if outcome.response is None:
        return row
    return row | answered_call(outcome.response, outcome.cost_nanousd, outcome.price_version)


def _failed_attempt(attempt: FailedAttempt) -> dict[str, Any]:
    return {
        "item_no": attempt.item_no,
        "lease_token": attempt.lease_token,
        "call_no": attempt.call_no,
        "outcome": attempt.code,
        "error_message": attempt.message[:2000],
        "counts": attempt.counts,
        "cost_nanousd": 0,
        "http_status": attempt.http_status,
        "provider_request_id": attempt.provider_request_id,
        "call_latency_ms": within(attempt.latency_ms, MOST_MS),
    }


def _answer(row: Sequence[Any]) -> ModelResponse:
    _, *stored, raw = row
    response = response_of(stored)
    if raw is None:
        return response
    return replace(response, text=bytes(raw).decode("utf-8", "surrogatepass"))


def storable(text: str) -> tuple[str, str | None]:
    """Text as PostgreSQL can hold it, and the original in base64 when that is not the same.

    NUL characters and lone surrogates become U+FFFD.
    """
    clean = clean_text(text)
    if clean is text:
        return text, None
    return clean, base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()


def clean_text(text: str) -> str:
    """The text itself when PostgreSQL can hold it, else a copy with U+FFFD for what it cannot."""
    return valid_text(text.replace("\0", "\ufffd") if "\0" in text else text)


def encode_batch(batch: Iterable[Any]) -> str:
    """JSON for the schema's functions; what JSON or PostgreSQL cannot hold becomes text that they can."""
    rows = list(batch)
    try:
        encoded = orjson.dumps(rows, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        encoded = b"\\u0000"
    if b"\\u0000" in encoded:
        encoded = orjson.dumps(_clean(rows, DEEPEST))
    return encoded.decode()


def _clean(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return value
    if depth and isinstance(value, Mapping):
        return {clean_text(str(key)): _clean(item, depth - 1) for key, item in value.items()}
    if depth and isinstance(value, list | tuple):
        return [_clean(item, depth - 1) for item in value]
    return clean_text(_told(value))


def _told(value: Any) -> str:
    """A value as text: too deep, too large or of a foreign type."""
    try:
        return repr(value)[:1000]
    except (RecursionError, ValueError):
        return f"a {type(value).__name__} that cannot be shown"
