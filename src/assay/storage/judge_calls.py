"""Calls of judges in the ledger of a job, and the answers that are kept there."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from assay.domain.jobs import ClosedCall, JudgeBooking, JudgeIntent, KeptAnswer
from assay.domain.models import ModelResponse, Usage
from assay.storage.pool import Connection, Database
from assay.storage.queue import (
    MOST_MS,
    MOST_NANOUSD,
    answered_call,
    clean_text,
    encode_batch,
    within,
)

BOOK = "select lease_token, call_no from assay.judge_calls(%s, %s::jsonb, %s::jsonb, %s::jsonb, %s, %s)"
KEPT = """
select k.request_key, c.answer
  from unnest(%s::bytea[]) as k (request_key)
 cross join lateral (
       select c.answer from assay.model_calls c
        where c.organization_id = %s and c.request_key = k.request_key and c.answer is not null
          and c.answer ->> 'answered_by' is null
        order by c.opened_at desc limit 1) c
"""
DEAD_ENDS = """
select distinct c.worker from assay.model_calls c
 where c.organization_id = %s and c.job_id = %s and c.role = 'judge' and c.state = 'intent'
"""
CLOSE = "select assay.close_judge_calls(%s, %s)"
FIELDS = (
    *("text", "finish", "finish_reason", "latency_ms", "ttft_ms", "model", "fingerprint"),
    *("answered_by", "logprobs"),
)


class StoredJudgeBook:
    """The JudgeBook of one job.

    `leased`: its cells are under way, and their reservations hold the money of their judges. Otherwise
    stored results are judged, and each call reserves for itself.
    """

    def __init__(
        self, database: Database, organization_id: UUID, job_id: UUID, *, worker: str, leased: bool
    ) -> None:
        self._database, self._organization_id, self._job_id = database, organization_id, job_id
        self._worker, self._leased = worker, leased

    async def book(self, booking: JudgeBooking) -> set[tuple[int, int]]:
        """Make it durable; (lease token, call number) of the calls that may be sent."""
        parameters = [
            self._job_id,
            encode_batch(_kept(answer) for answer in booking.kept),
            encode_batch(_closed(call) for call in booking.closed),
            encode_batch(_opened(intent) for intent in booking.opened),
            self._worker,
            self._leased,
        ]
        return {(token, call_no) for token, call_no in await self._run(BOOK, parameters)}

    async def find_answers(self, keys: Sequence[bytes]) -> dict[bytes, ModelResponse]:
        """The newest kept answers of this tenant to the same requests."""
        rows = await self._run(KEPT, [list(keys), self._organization_id])
        return {bytes(key): _response(answer) for key, answer in rows}

    async def open_workers(self) -> set[str]:
        """Who has asked judges and not told yet what came of it."""
        return {row[0] for row in await self._run(DEAD_ENDS, [self._organization_id, self._job_id])}

    async def close_calls(self, worker: str) -> None:
        """Take what a dead worker asked about stored results as paid for."""
        await self._run(CLOSE, [self._job_id, worker])

    async def _run(self, query: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        async def work(connection: Connection) -> list[tuple[Any, ...]]:
            return await (await connection.execute(query, parameters)).fetchall()

        return await self._database.run(self._organization_id, work)


def _kept(answer: KeptAnswer) -> dict[str, Any]:
    return {
        "item_no": answer.item_no,
        "lease_token": answer.lease_token,
        "answer": _document(answer.response),
        "request_key": answer.request_key.hex(),
        "cost_nanousd": within(answer.cost_nanousd, MOST_NANOUSD),
        "price_version": answer.price_version,
    }


def _opened(intent: JudgeIntent) -> dict[str, Any]:
    return {
        "item_no": intent.item_no,
        "lease_token": intent.lease_token,
        "call_no": intent.call_no,
        "metric": intent.metric,
        "judge": intent.judge,
        "estimate_nanousd": intent.estimate_nanousd,
    }


def _closed(call: ClosedCall) -> dict[str, Any]:
    row: dict[str, Any] = {
        "item_no": call.item_no,
        "lease_token": call.lease_token,
        "call_no": call.call_no,
        "outcome": call.outcome,
        "counts": False,
        "cost_nanousd": 0,
        "call_latency_ms": within(call.latency_ms, MOST_MS),
        "http_status": call.http_status,
        "provider_request_id": call.provider_request_id,
        "error_message": None if call.message is None else call.message[:2000],
    }
    if call.response is None or call.request_key is None:
        return row
    kept = {"answer": _document(call.response), "request_key": call.request_key.hex()}
    return row | kept | answered_call(call.response, call.cost_nanousd, call.price_version)


def _document(response: ModelResponse) -> dict[str, Any] | None:
    """An answer as it is kept; None for a text that PostgreSQL cannot hold, which is then asked for again."""
    if clean_text(response.text) is not response.text:
        return None
    kept = {name: getattr(response, name) for name in FIELDS}
    return kept | {"tool_calls": response.tool_calls, "usage": response.usage}


def _response(document: Mapping[str, Any]) -> ModelResponse:
    usage = Usage(**document["usage"])
    fields = {name: document[name] for name in FIELDS}
    response = ModelResponse(**fields, usage=usage, tool_calls=tuple(document["tool_calls"]))
    return replace(response, cached=True)
