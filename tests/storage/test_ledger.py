"""The ledger: every call once, late truths in place of estimates, and answers that nobody can break."""

import base64
import random
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.domain.models import ModelResponse, Usage
from assay.domain.scores import Score
from assay.storage.queue import clean_text, encode_batch, storable
from tenants import ESTIMATE, Tenant, make_failure, make_success

CALLS = """
select state::text, outcome, lost, counts, cost_nanousd, closed_at is not null
  from assay.model_calls where job_id = %s order by lease_token, call_no
"""
HOSTILE = [
    "\0",
    "\ud800",
    "\udfff!",
    "\\u0000",
    "\ufffe\uffff",
    "\U0001f600",
    "'; drop table x; --",
    "\x1b[2J",
    "{{ q }}",
]


async def test_a_success_settles_its_call_at_what_it_cost(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=1)
    (item,) = await job.queue.claim(1)
    assert await tenant.money(job) == (ESTIMATE, 0, 0)
    await job.queue.record([make_success(item)])
    assert await tenant.money(job) == (0, 50, 0)
    assert await tenant.rows(CALLS, [job.id]) == [("settled", "ok", False, True, 50, True)]


async def test_a_late_truth_replaces_the_estimate_and_never_adds(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=1)
    (lost,) = await job.queue.claim(1)
    await tenant.crash(job)
    assert await tenant.money(job) == (0, ESTIMATE, 0)
    (held,) = await job.queue.claim(1)
    for _ in range(2):
        assert await job.queue.record([make_success(lost, cost_nanousd=30)]) == ["fenced"]
        assert await tenant.money(job) == (ESTIMATE, 30, 0)
    assert await job.queue.record([make_success(held, cost_nanousd=40)]) == ["succeeded"]
    assert await tenant.money(job) == (0, 70, 0)
    assert await tenant.rows(CALLS, [job.id]) == [
        ("settled", "ok", True, True, 30, True),
        ("settled", "ok", False, True, 40, True),
    ]
    assert await tenant.violations() == []


async def test_calls_of_unknown_price_are_counted_and_cost_no_number(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=4, estimate=(None, None))
    items = await job.queue.claim(4)
    await job.queue.record([make_success(items[0], cost_nanousd=None), make_failure(items[1])])
    assert await tenant.money(job) == (0, 0, 1)
    await tenant.crash(job)
    assert await tenant.money(job) == (0, 0, 3), "a lost call of unknown price may have been paid"
    await job.queue.record(
        [make_success(items[2], cost_nanousd=20), make_success(items[3], cost_nanousd=None)]
    )
    assert await tenant.money(job) == (0, 20, 2)
    assert await tenant.violations() == []


async def test_a_cached_answer_costs_nothing_and_is_no_source_of_answers(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=2)
    first, second = await job.queue.claim(2)
    key = bytes(range(32))
    cached = ModelResponse(text="yes", latency_ms=5.0, cached=True)
    await job.queue.record([make_success(first, request_key=key, response=cached, cost_nanousd=0)])
    assert await job.queue.find_answers([key]) == {}
    assert await tenant.money(job) == (ESTIMATE, 0, 0)
    await job.queue.record([make_success(second, text="true\0", request_key=key)])
    found = await job.queue.find_answers([key, bytes(32)])
    assert found == {
        key: ModelResponse(text="true\0", usage=found[key].usage, latency_ms=5.0, model="e", cached=True)
    }
    assert found[key].usage == Usage(input_tokens=9, output_tokens=3)
    outcomes = await tenant.rows(
        "select outcome from assay.model_calls where job_id = %s order by item_no", [job.id]
    )
    assert outcomes == [("cached",), ("ok",)]


async def test_the_answer_of_a_fallback_is_no_source_of_answers(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=1)
    key = bytes([8]) * 32
    stand_in = ModelResponse(text="of another model", answered_by="other")
    await job.queue.record([make_success((await job.queue.claim(1))[0], request_key=key, response=stand_in)])
    assert await job.queue.find_answers([key]) == {}


async def test_the_newest_of_several_answers_is_found_and_only_this_tenants(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    key = bytes(range(32))
    for text in ("old", "new"):
        job = await tenant.make_job(cases=1)
        (item,) = await job.queue.claim(1)
        await job.queue.record([make_success(item, text=text, request_key=key)])
    assert (await job.queue.find_answers([key]))[key].text == "new"
    other = await other_tenant.make_job(cases=1)
    assert await other.queue.find_answers([key]) == {}


@pytest.mark.parametrize(
    ("usage", "cost", "stored"),
    [
        (
            Usage(input_tokens=10**12, output_tokens=-1, cached_tokens=2**31 - 1),
            10**18,
            (None, None, 2**31 - 1, None),
        ),
        (Usage(input_tokens=0, reasoning_tokens=2**63), -5, (0, None, None, None)),
    ],
)
async def test_impossible_numbers_are_unknown(
    tenant: Tenant, usage: Usage, cost: int, stored: tuple[Any, ...]
) -> None:
    job = await tenant.make_job(cases=1)
    (item,) = await job.queue.claim(1)
    response = ModelResponse(text="x", usage=usage, latency_ms=float("nan"), ttft_ms=1e300)
    assert await job.queue.record([make_success(item, response=response, cost_nanousd=cost)]) == ["succeeded"]
    columns = "input_tokens, output_tokens, cached_tokens, cost_nanousd, latency_ms, ttft_ms"
    query = f"select {columns} from assay.evaluation_results where job_id = %s"  # noqa: S608 - the line above
    assert await tenant.rows(query, [job.id]) == [(*stored, None, None)]
    assert await tenant.money(job) == (0, 0, 1)
    assert await tenant.violations() == []


async def test_a_score_without_a_number_is_a_failed_score(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=3)
    items = await job.queue.claim(3)
    values = [float("nan"), float("inf"), None]
    outcomes = [
        make_success(
            item,
            scores=(Score("exact", "scored", value, "why", True), Score("length", "skipped", 7.0, "no text")),
        )
        for item, value in zip(items, values, strict=True)
    ]
    assert await job.queue.record(outcomes) == ["succeeded"] * 3
    query = """
    select metric, state::text, value, passed, reason from assay.metric_scores where job_id = %s
     order by metric, item_no
    """
    rows = await tenant.rows(query, [job.id])
    assert rows[:3] == [
        ("exact", "failed", None, None, f"the metric's value is {value}: why") for value in values
    ]
    assert rows[3:] == [("length", "skipped", None, None, "no text")] * 3


async def test_what_postgresql_refuses_fails_alone(tenant: Tenant) -> None:
    job = await tenant.make_job(cases=9)
    items = await job.queue.claim(9)
    outcomes = [make_success(item) for item in items]
    broken = ModelResponse(text="x", finish="exploded", latency_ms=1.0)  # type: ignore[arg-type]
    outcomes[4] = make_success(items[4], response=broken)
    outcomes[7] = make_success(items[7], scores=(Score("exact", "scored", 1.0, "r"),) * 2)
    answers = await job.queue.record(outcomes)
    assert answers == ["failed" if n in (4, 7) else "succeeded" for n in range(9)]
    assert await tenant.money(job) == (0, 9 * 50, 0), "an answer that cannot be stored was paid all the same"
    (code, message) = (await tenant.items(job, "error_code, error_message"))[4]
    assert code == "unstorable"
    assert "violates check constraint" in message
    assert await tenant.violations() == []


def hostile_text(rng: random.Random) -> str:
    """Text as models and attackers write it."""
    parts = [chr(rng.randrange(0x110000)) for _ in range(rng.randrange(20))]
    parts += rng.choices(HOSTILE, k=rng.randrange(3))
    rng.shuffle(parts)
    return "".join(parts)


def hostile_value(rng: random.Random, depth: int = 0) -> Any:
    """Evidence as a broken metric makes it."""
    deep: Any = "bottom"
    for _ in range(300 if depth == 0 and rng.random() < 0.01 else 0):
        deep = [deep]
    return rng.choice(
        [
            deep,
            hostile_text(rng),
            rng.choice([10**30, -(2**70), 1e308, float("nan"), -0.0, 2**63]),
            {1, 2},
            b"bytes",
            object(),
            {hostile_text(rng): hostile_text(rng), 3: None},
            [] if depth > 3 else [hostile_value(rng, depth + 1)],
        ]
    )


async def test_ten_thousand_hostile_answers_are_all_stored(tenant: Tenant) -> None:
    rng = random.Random(20_260)
    job = await tenant.make_job(cases=2_500, repeats=4)
    texts: dict[int, str] = {}
    while items := await job.queue.claim(1_000):
        outcomes = []
        for item in items:
            texts[item.item_no] = "\0" + "x" * 1_000_000 if item.item_no % 2_500 == 7 else hostile_text(rng)
            response = ModelResponse(
                text=texts[item.item_no], tool_calls=({"a": hostile_text(rng)},), latency_ms=1.0
            )
            evidence = hostile_value(rng)
            score = Score(
                "exact",
                "scored",
                0.5,
                hostile_text(rng),
                None,
                evidence if isinstance(evidence, Mapping) else {"e": evidence},
            )
            outcomes.append(make_success(item, response=response, scores=(score,)))
        assert await job.queue.record(outcomes) == ["succeeded"] * len(items)
    query = "select item_no, output, output_bytes from assay.evaluation_results where job_id = %s"
    stored = await tenant.rows(query, [job.id])
    assert len(stored) == len(texts) == 10_000
    for item_no, output, raw in stored:
        assert (output if raw is None else bytes(raw).decode("utf-8", "surrogatepass")) == texts[item_no]
    assert await tenant.violations() == []


@given(st.text(alphabet=st.characters(), max_size=50))
def test_text_survives_storage_in_one_of_two_forms(text: str) -> None:
    clean, raw = storable(text)
    assert "\0" not in clean
    clean.encode()
    assert text == (clean if raw is None else base64.b64decode(raw).decode("utf-8", "surrogatepass"))
    assert clean_text(clean) == clean


def test_a_batch_is_always_json_without_nul() -> None:
    rng = random.Random(1)
    for _ in range(2_000):
        encoded = encode_batch([{"value": hostile_value(rng), "text": hostile_text(rng)}])
        assert "\\u0000" not in encoded.replace("\\\\", "")
        encoded.encode()
