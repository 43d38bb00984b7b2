"""Results read back: every cell in order, a retried cell as its newest job left it, in bounded memory."""

import tracemalloc
from typing import Any

from assay.domain.models import ModelResponse, Usage
from assay.domain.results import Result
from assay.domain.scores import Score
from assay.storage import results
from tenants import MadeJob, Tenant, make_failure, make_success


async def read(tenant: Tenant, job: MadeJob) -> list[Result]:
    """All cells of a job."""
    async with tenant.database.transaction(tenant.organization_id) as connection:
        stream = results.stream_results(connection, tenant.organization_id, job.id, job.plan)
        return [result async for batch in stream for result in batch]


async def columns(tenant: Tenant, job: MadeJob, stream: Any) -> list[tuple[Any, ...]]:
    """All rows of one of the streams."""
    async with tenant.database.transaction(tenant.organization_id) as connection:
        return [row async for batch in stream(connection, tenant.organization_id, job.id) for row in batch]


async def test_every_cell_comes_back_in_order_with_what_was_stored(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=3, prompts=2, models=2, repeats=2)
    items = await job.queue.claim(24)
    response = ModelResponse(
        text="ja\n",
        finish="truncated",
        finish_reason="length",
        tool_calls=({"name": "f", "arguments": {"x": 1}},),
        usage=Usage(
            input_tokens=1, output_tokens=2, cached_tokens=3, cache_write_tokens=4, reasoning_tokens=5
        ),
        latency_ms=12.5,
        ttft_ms=0.5,
        model="e-2026",
        fingerprint="fp",
        answered_by="m1",
    )
    scores = (
        Score("exact", "failed", None, "broke", None, {"why": [1]}),
        Score("length", "scored", 3.0, "characters"),
    )
    await job.queue.record(
        [make_failure(items[5]), make_success(items[23], response=response, scores=scores)]
    )
    found = await read(tenant, job)
    assert [result.item_no for result in found] == list(range(24))
    assert [(r.case, r.prompt, r.model, r.repeat) for r in found[13:16]] == [
        ("c1", "p1", "m0", 1),
        ("c1", "p1", "m1", 0),
        ("c1", "p1", "m1", 1),
    ]
    last = found[23]
    assert (last.state, last.response, last.scores, last.cost_nanousd) == ("succeeded", response, scores, 50)
    assert (last.vars, last.expected, last.case_no, last.attempts) == ({"q": "question 2"}, "answer 2", 2, 1)
    failed = found[5]
    assert (failed.state, failed.response, failed.error_code, failed.error_message) == (
        "failed",
        None,
        "model_unavailable",
        "503",
    )


async def test_a_retried_cell_is_shown_as_its_newest_job_left_it(tenant: Tenant) -> None:
    parent = await tenant.make_job(cases=6, selection=[(1, 5)])
    first, *rest = await parent.queue.claim(9)
    await parent.queue.record(
        [make_success(first, text="of the parent"), *(make_failure(item) for item in rest)]
    )
    child = await tenant.make_child(parent)
    items = await child.queue.claim(9)
    await child.queue.record(
        [make_success(items[0], text="of the child"), *(make_failure(i) for i in items[1:])]
    )
    grandchild = await tenant.make_child(child)
    (item, other) = await grandchild.queue.claim(9)
    await grandchild.queue.record(
        [make_success(item, text="of the grandchild"), make_failure(other, code="last")]
    )
    found = await read(tenant, grandchild)
    texts = [None if result.response is None else result.response.text for result in found]
    assert texts == ["of the parent", "of the child", "of the grandchild", None]
    assert [result.case_no for result in found] == [1, 2, 3, 4]
    assert (found[3].state, found[3].error_code) == ("failed", "last")
    assert [len(result.scores) for result in found] == [2, 2, 2, 0]
    scores = await columns(tenant, grandchild, results.stream_scores)
    assert sorted(scores) == [
        (metric, 0, 0, case_no, 0, "scored", value, passed, 0, 0)
        for metric, value, passed in (("exact", 1.0, True), ("length", 3.0, None))
        for case_no in (1, 2, 3)
    ]
    measures = await columns(tenant, grandchild, results.stream_measures)
    assert [row[2] for row in measures] == ["succeeded"] * 3 + ["failed"]
    keys = await columns(tenant, grandchild, results.stream_case_keys)
    assert keys == [(1, "c1", None), (2, "c2", None), (3, "c3", None), (4, "c4", None)]


async def test_another_tenant_reads_nothing(tenant: Tenant, other_tenant: Tenant) -> None:
    job = await tenant.make_job(cases=2)
    await job.queue.record([make_success(item) for item in await job.queue.claim(2)])
    assert await read(other_tenant, job) == []
    for stream in (results.stream_scores, results.stream_measures, results.stream_case_keys):
        assert await columns(other_tenant, job, stream) == []


async def test_reading_a_large_job_takes_the_memory_of_a_batch(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=500, repeats=16)
    while items := await job.queue.claim(2_000):
        await job.queue.record([make_success(item, text="x" * 2_000) for item in items])
    async with tenant.database.transaction(tenant.organization_id) as connection:
        stream = results.stream_results(connection, tenant.organization_id, job.id, job.plan)
        tracemalloc.start()
        try:
            count = 0
            async for batch in stream:
                count += len(batch)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert count == 8_000
    assert peak < 16_000_000, "all of it would be four times as much"
