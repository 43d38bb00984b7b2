"""Calls of judges: paid out of what their cell reserved, fenced by its lease, kept for whoever comes next."""

from dataclasses import replace
from typing import Any

import pytest

from assay.domain.jobs import ClosedCall, JudgeBooking, JudgeIntent, KeptAnswer, WorkItem
from assay.domain.models import ModelResponse, Usage
from assay.domain.scores import Score
from assay.storage.judge_calls import StoredJudgeBook
from assay.storage.scoring import BEFORE_ALL, add_scores, read_answers
from tenants import MadeJob, Tenant, make_success

KEY, REPLY_KEY = bytes([1]) * 32, bytes([2]) * 32
BOUND = 1_000
"""What a cell of these jobs reserves, its judges included."""
OPEN = """
select role::text, call_no, estimate_nanousd, state::text from assay.model_calls
 where job_id = %s order by item_no, call_no
"""


def book_of(tenant: Tenant, job: MadeJob, *, leased: bool = True, worker: str = "worker") -> StoredJudgeBook:
    return StoredJudgeBook(tenant.database, tenant.organization_id, job.id, worker=worker, leased=leased)


def intent(item: WorkItem, call_no: int = 2, estimate: int | None = 300) -> JudgeIntent:
    return JudgeIntent(
        item_no=item.item_no,
        lease_token=item.lease_token,
        call_no=call_no,
        metric="m",
        judge="j",
        estimate_nanousd=estimate,
    )


def closed(item: WorkItem, call_no: int = 2, **given: Any) -> ClosedCall:
    values = {
        "outcome": "ok",
        "request_key": REPLY_KEY,
        "response": ModelResponse(text="{}"),
        "cost_nanousd": 40,
    }
    return ClosedCall(
        item_no=item.item_no, lease_token=item.lease_token, call_no=call_no, **{**values, **given}
    )


def kept(item: WorkItem, text: str = "the answer", **given: Any) -> KeptAnswer:
    response = ModelResponse(text=text, usage=Usage(input_tokens=9, output_tokens=3), model="e", **given)
    return KeptAnswer(
        item_no=item.item_no,
        lease_token=item.lease_token,
        request_key=KEY,
        response=response,
        cost_nanousd=50,
        price_version="v1",
    )


async def test_a_judge_takes_its_share_of_what_its_cell_has_reserved(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=1, estimate=(BOUND, 0), cap_nanousd=BOUND)
    (item,) = await job.queue.claim(1)
    book = book_of(tenant, job)
    opened = await book.book(JudgeBooking(opened=(intent(item), intent(item, 3, 400), intent(item, 4, 900))))
    assert opened == {(item.lease_token, number) for number in (2, 3, 4)}
    assert await tenant.rows(OPEN, [job.id]) == [
        ("target", 1, 0, "intent"),
        ("judge", 2, 300, "intent"),
        ("judge", 3, 400, "intent"),
        ("judge", 4, 300, "intent"),
    ]
    assert await tenant.money(job) == (BOUND, 0, 0)
    assert await tenant.violations() == []
    await book.book(JudgeBooking(closed=tuple(closed(item, number) for number in (2, 3, 4))))
    assert await tenant.money(job) == (0, 120, 0)
    await job.queue.record([make_success(item)])
    assert await tenant.money(job) == (0, 170, 0)
    assert await tenant.items(job, "attempts") == [1], "calls of judges are no attempts of the cell"
    assert await tenant.violations() == []


async def test_booking_twice_is_booking_once(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=1, estimate=(BOUND, 0))
    (item,) = await job.queue.claim(1)
    book = book_of(tenant, job)
    await book.book(JudgeBooking(kept=(kept(item),), opened=(intent(item),)))
    assert await book.book(JudgeBooking(kept=(kept(item),), opened=(intent(item),))) == set()
    for _ in range(2):
        await book.book(JudgeBooking(closed=(closed(item),)))
    assert await tenant.money(job) == (BOUND - 300, 40, 0)
    assert await tenant.violations() == []


async def test_no_judge_is_asked_for_a_cell_whose_lease_was_lost(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=1, estimate=(BOUND, 0))
    (lost,) = await job.queue.claim(1)
    await tenant.crash(job)
    (held,) = await job.queue.claim(1)
    book = book_of(tenant, job)
    assert await book.book(JudgeBooking(kept=(kept(lost),), opened=(intent(lost),))) == set()
    assert await book.find_answers([KEY]) == {}
    assert await book.book(JudgeBooking(opened=(intent(held),))) == {(held.lease_token, 2)}
    assert await tenant.violations() == []


async def test_a_lost_cell_costs_what_its_answer_cost_and_the_answer_is_found(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=1, estimate=(BOUND, 0))
    (item,) = await job.queue.claim(1)
    book = book_of(tenant, job)
    await book.book(JudgeBooking(kept=(kept(item),), opened=(intent(item), intent(item, 3))))
    await book.book(JudgeBooking(closed=(closed(item),)))
    await tenant.crash(job)
    assert await tenant.money(job) == (0, 50 + 40 + 300, 0), "the call that was under way counts at its bound"
    found = await book.find_answers([KEY, REPLY_KEY, bytes(32)])
    assert {key: response.text for key, response in found.items()} == {KEY: "the answer", REPLY_KEY: "{}"}
    assert found[KEY].cached
    assert found[KEY].usage == Usage(input_tokens=9, output_tokens=3)
    assert await tenant.violations() == []


async def test_what_a_fallback_answered_and_what_cannot_be_stored_is_not_found(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=1, estimate=(BOUND, 0))
    (item,) = await job.queue.claim(1)
    book = book_of(tenant, job)
    await book.book(JudgeBooking(kept=(kept(item, answered_by="other"),), opened=(intent(item),)))
    assert await book.find_answers([KEY]) == {}
    await book.book(JudgeBooking(closed=(closed(item, response=ModelResponse(text="a\0b")),)))
    assert await book.find_answers([REPLY_KEY]) == {}
    assert await tenant.violations() == []


async def test_a_released_cell_settles_the_answer_that_it_has(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=1, estimate=(BOUND, 0))
    (item,) = await job.queue.claim(1)
    await book_of(tenant, job).book(JudgeBooking(kept=(kept(item),), opened=(intent(item),)))
    await job.queue.release([item.lease_token], [item.lease_token])
    assert await tenant.money(job) == (0, 50 + 300, 0)
    assert await tenant.violations() == []


async def test_an_unknown_price_of_a_judge_is_counted_as_unknown(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=1, estimate=(None, None))
    (item,) = await job.queue.claim(1)
    book = book_of(tenant, job)
    await book.book(JudgeBooking(opened=(intent(item, estimate=None),)))
    await book.book(JudgeBooking(closed=(closed(item, cost_nanousd=None),)))
    assert await tenant.money(job) == (0, 0, 1)
    assert await tenant.violations() == []


async def finished(tenant: Tenant, cases: int = 3, **shape: Any) -> MadeJob:
    job = await tenant.make_job(cases=cases, estimate=(100, 0), **shape)
    await job.queue.record([make_success(item) for item in await job.queue.claim(cases)])
    await job.queue.sweep()
    return job


async def stored_items(tenant: Tenant, job: MadeJob) -> list[WorkItem]:
    """The results of a job as if they were cells, under the tokens of a scoring."""
    async with tenant.database.transaction(tenant.organization_id) as connection:
        rows, _ = await read_answers(connection, tenant.organization_id, job.id, ("m",), (BEFORE_ALL, 10))
    template = WorkItem(
        item_no=0, lease_token=0, attempt=1, prompt_no=0, model_no=0, repeat=0, case=rows[0].case,
        estimate_nanousd=None,
    )  # fmt: skip
    return [replace(template, item_no=row.item_no, lease_token=row.token) for row in rows]


async def test_judging_stored_results_stays_within_the_budget(tenant: Tenant) -> None:
    job = await finished(tenant, cap_nanousd=3 * 100 + 350)
    items = await stored_items(tenant, job)
    book = book_of(tenant, job, leased=False)
    opened = await book.book(JudgeBooking(opened=tuple(intent(item) for item in items)))
    assert len(opened) == 1, "150 were spent, so that 500 are left, and each call may take 300"
    assert await tenant.money(job) == (300, 150, 0)
    assert await book.book(JudgeBooking(opened=(intent(items[1], estimate=None),))) == set()
    await book.book(JudgeBooking(closed=(closed(items[0]),)))
    assert await tenant.money(job) == (0, 190, 0)
    assert await tenant.violations() == []


async def test_what_a_dead_worker_asked_about_stored_results_may_have_been_paid(tenant: Tenant) -> None:
    job = await finished(tenant)
    first, second, _ = await stored_items(tenant, job)
    await book_of(tenant, job, leased=False, worker="dead").book(JudgeBooking(opened=(intent(first),)))
    alive = book_of(tenant, job, leased=False, worker="alive")
    await alive.book(JudgeBooking(opened=(intent(second),)))
    assert await alive.open_workers() == {"dead", "alive"}
    await alive.close_calls("dead")
    assert await alive.open_workers() == {"alive"}
    assert await tenant.money(job) == (300, 150 + 300, 0)
    assert await tenant.violations() == []


@pytest.mark.parametrize("state", ["scored", "failed"])
async def test_only_a_score_that_failed_is_replaced(tenant: Tenant, state: Any) -> None:
    job = await finished(tenant, cases=1)
    first = Score("exact2", state, 0.25 if state == "scored" else None, "first", None, None, 1, 7)
    second = Score("exact2", "scored", 1.0, "second", True, {"why": "better"}, 2, None)
    versions = {"exact2": "1"}
    async with tenant.database.transaction(tenant.organization_id) as connection:
        assert await add_scores(connection, job.id, [(0, first)], versions) == 1
        assert await add_scores(connection, job.id, [(0, second)], versions) == (state == "failed")
    columns = (
        "select reason, value, calls, cost_nanousd, evidence from assay.metric_scores where metric = 'exact2'"
    )
    expected = (
        ("second", 1.0, 2, None, {"why": "better"}) if state == "failed" else ("first", 0.25, 1, 7, None)
    )
    assert await tenant.rows(columns) == [expected]
    summed = """select scored, failed, passed, value_sum from assay.evaluation_job_summaries
                 where metric = 'exact2'"""
    assert await tenant.rows(summed) == [(1, 0, int(state == "failed"), expected[1])]
    assert await tenant.violations() == []
