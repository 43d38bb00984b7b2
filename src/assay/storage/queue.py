"""The queue and the ledger of one job: claim, record, heartbeat, release, sweep.

The meaning is in the functions of the schema; here values become rows and rows become values.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from assay.domain.datasets import Case
from assay.domain.jobs import FailedAttempt, Failure, Recorded, Success, Sweep, WorkItem
from assay.domain.models import ModelResponse, Usage
from assay.domain.scores import Score
from assay.storage.pool import Connection, Database

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
select distinct on (c.request_key) c.request_key, r.output, r.finish, r.finish_reason, r.tool_calls,
       r.latency_ms, r.ttft_ms, r.input_tokens, r.output_tokens, r.cached_tokens, r.cache_write_tokens,
       r.reasoning_tokens, r.model_reported, r.fingerprint, r.answered_by, r.output_bytes
  from assay.model_calls c
  join assay.evaluation_results r using (organization_id, job_id, item_no, lease_token)
 where c.organization_id = %s and c.outcome = 'ok' and c.request_key = any (%s)
   and r.answered_by is null
 order by c.request_key, c.closed_at desc
"""
EXPAND_CASES = 2_000


class JobQueue:
    """The cells of one job as one worker sees them: the WorkQueue of the engine.

    `estimates` has a row (prompt_no, model_no, base_nanousd, nanousd_per_byte) for each candidate:
    the upper bound of one attempt, None where the price is unknown.
    """

    def __init__(
        self,
        database: Database,
        organization_id: UUID,
        job_id: UUID,
        *,
        worker: str,
        metric_versions: Mapping[str, str],
        estimates: Sequence[tuple[int, int, int | None, int | None]] = (),
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
        """Make outcomes durable; the answers in the order of the outcomes."""
        versions = self._metric_versions
        batch = [_success(o, versions) if isinstance(o, Success) else _failure(o) for o in outcomes]
        rows = await self._run(RECORD, [self._job_id, encode_batch(batch)])
        answers = {(item_no, token): answer for item_no, token, answer in rows}
        return [answers[o.item.item_no, o.item.lease_token] for o in outcomes]

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
        rows = await self._run(ANSWERS, [self._organization_id, list(keys)])
        return {bytes(row[0]): _answer(row) for row in rows}

    async def _run(self, query: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        async def work(connection: Connection) -> list[tuple[Any, ...]]:
            return await (await connection.execute(query, parameters)).fetchall()

        return await self._database.run(self._organization_id, work)


def _work_item(row: Sequence[Any]) -> WorkItem:
    (item_no, token, attempt, prompt_no, model_no, repeat, estimate) = row[:7]
    key, variables, expected, context, metadata, tags, cluster, weight = row[7:]
    return WorkItem(
        item_no=item_no,
        lease_token=token,
        attempt=attempt,
        prompt_no=prompt_no,
        model_no=model_no,
        repeat=repeat,
        estimate_nanousd=estimate,
        case=Case(
            key=key,
            vars=variables,
            expected=expected,
            context=tuple(context or ()),
            metadata=metadata or {},
            tags=tuple(tags),
            cluster=cluster,
            weight=weight,
        ),
    )


def _success(outcome: Success, versions: Mapping[str, str]) -> dict[str, Any]:
    response, usage = outcome.response, outcome.response.usage
    text, raw = storable(response.text)
    return {
        "item_no": outcome.item.item_no,
        "lease_token": outcome.item.lease_token,
        "call_no": outcome.call_no,
        "kind": "success",
        "outcome": "cached" if response.cached else "ok",
        "request_key": outcome.request_key.hex(),
        "output": text,
        "output_bytes": raw,
        "finish": response.finish,
        "finish_reason": response.finish_reason,
        "tool_calls": response.tool_calls or None,
        "latency_ms": response.latency_ms,
        "call_latency_ms": None if response.cached else response.latency_ms,
        "ttft_ms": response.ttft_ms,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_tokens": usage.cached_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "cost_nanousd": outcome.cost_nanousd,
        "priced": outcome.cost_nanousd is not None,
        "price_version": outcome.price_version,
        "cached": response.cached,
        "model_reported": response.model,
        "fingerprint": response.fingerprint,
        "answered_by": response.answered_by,
        "http_status": None if response.cached else 200,
        "provider_request_id": response.provider_request_id,
        "scores": [_score(score, versions) for score in outcome.scores],
    }


def _score(score: Score, versions: Mapping[str, str]) -> tuple[Any, ...]:
    version = versions[score.metric]
    return (score.metric, version, score.state, score.value, score.passed, score.reason, score.evidence)


def _failure(outcome: Failure) -> dict[str, Any]:
    return {
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
        "priced": True,
        "http_status": outcome.http_status,
        "provider_request_id": outcome.provider_request_id,
        "call_latency_ms": outcome.latency_ms,
        "scores": [],
    }


def _failed_attempt(attempt: FailedAttempt) -> dict[str, Any]:
    return {
        "item_no": attempt.item_no,
        "lease_token": attempt.lease_token,
        "call_no": attempt.call_no,
        "outcome": attempt.code,
        "error_message": attempt.message[:2000],
        "counts": attempt.counts,
        "cost_nanousd": 0,
        "priced": True,
        "http_status": attempt.http_status,
        "provider_request_id": attempt.provider_request_id,
        "call_latency_ms": attempt.latency_ms,
    }


def _answer(row: Sequence[Any]) -> ModelResponse:
    (_, text, finish, finish_reason, tool_calls, latency_ms, ttft_ms, *tokens) = row[:12]
    model, fingerprint, answered_by, raw = row[12:]
    return ModelResponse(
        text=text if raw is None else bytes(raw).decode("utf-8", "surrogatepass"),
        finish=finish,
        finish_reason=finish_reason,
        tool_calls=tuple(tool_calls or ()),
        usage=Usage(
            input_tokens=tokens[0],
            output_tokens=tokens[1],
            cached_tokens=tokens[2],
            cache_write_tokens=tokens[3],
            reasoning_tokens=tokens[4],
        ),
        latency_ms=latency_ms,
        ttft_ms=ttft_ms,
        model=model,
        fingerprint=fingerprint,
        cached=True,
        answered_by=answered_by,
    )


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
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def encode_batch(batch: Iterable[dict[str, Any]]) -> str:
    """JSON for the schema's functions; falls back to cleaning every text when one cannot be held."""
    rows = list(batch)
    try:
        encoded = orjson.dumps(rows, option=orjson.OPT_NON_STR_KEYS)
    except (TypeError, orjson.JSONEncodeError):
        encoded = orjson.dumps(_clean(rows))
    if b"\\u0000" in encoded:
        encoded = orjson.dumps(_clean(rows))
    return encoded.decode()


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(str(key)): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value
