"""Versions of data sets: found by content, stored once, in order, in one pass of bounded memory."""

import asyncio
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import pytest

from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput
from tenants import Tenant, make_cases

CASES = """
select c.key from assay.dataset_cases d
  join assay.test_cases c on c.organization_id = d.organization_id and c.id = d.case_id
 where d.dataset_version_id = %s order by d.case_no
"""


async def stored_cases(tenant: Tenant) -> int:
    """How many cases the tenant's data sets hold, each counted once."""
    return int(await tenant.value("select count(*) from assay.test_cases"))


async def test_the_same_cases_are_the_same_version(tenant: Tenant) -> None:
    first = await tenant.add_cases(make_cases(5))
    again = await tenant.add_cases(make_cases(5))
    assert (first.id, first.content_hash, first.case_count) == (again.id, again.content_hash, 5)
    assert await stored_cases(tenant) == 5


async def test_only_a_case_that_changed_is_stored_again(tenant: Tenant) -> None:
    cases = list(make_cases(50))
    first = await tenant.add_cases(cases)
    changed = [*cases[:20], replace(cases[20], expected="another"), *cases[21:]]
    second = await tenant.add_cases(changed)
    assert second.id != first.id
    assert await stored_cases(tenant) == 51
    assert await tenant.rows("select version, case_count from assay.dataset_versions order by version") == [
        (1, 50),
        (2, 50),
    ]
    assert (await tenant.add_cases(cases)).id == first.id


async def test_the_order_of_the_cases_is_kept_and_makes_a_version(tenant: Tenant) -> None:
    cases = list(make_cases(30))
    first, second = await tenant.add_cases(cases), await tenant.add_cases(cases[::-1])
    assert first.id != second.id
    keys = [case.key for case in cases]
    assert [key for (key,) in await tenant.rows(CASES, [first.id])] == keys
    assert [key for (key,) in await tenant.rows(CASES, [second.id])] == keys[::-1]
    assert await stored_cases(tenant) == 30


async def test_the_lines_of_a_file_do_not_count_as_content(tenant: Tenant) -> None:
    cases = list(make_cases(3))
    moved = [replace(case, line=99 + number) for number, case in enumerate(cases)]
    assert (await tenant.add_cases(cases)).id == (await tenant.add_cases(moved)).id


async def test_every_part_of_a_case_comes_back(tenant: Tenant) -> None:
    case = Case(
        key="c0",
        vars={"q": "ü\t\U0001f600", "n": 1.5, "list": [1, None, {"a": True}]},
        expected=["a", 2],
        context=("first", "second"),
        metadata={"source": "x", "9": [1]},
        tags=("t1", "with, comma", '"quoted"', "back\\slash"),
        cluster="c\tluster\n",
        weight=0.25,
    )
    tenant.datasets[1] = await tenant.add_cases([case])
    job = await tenant.make_job(cases=1)
    (item,) = await job.queue.claim(1)
    assert item.case == case


async def test_a_key_that_comes_twice_is_named_with_its_lines(tenant: Tenant) -> None:
    cases = list(make_cases(10))
    cases[7] = replace(cases[7], key="c2")
    with pytest.raises(InvalidInput, match=r"'c2' comes more than once \(first in line 3\)") as refused:
        await tenant.add_cases(cases)
    assert (refused.value.line, refused.value.field) == (8, "id")
    assert await tenant.rows("select from assay.test_datasets") == []
    assert (await tenant.add_cases(make_cases(2))).case_count == 2


async def test_no_cases_and_a_stream_that_breaks_leave_nothing(tenant: Tenant) -> None:
    with pytest.raises(InvalidInput, match="holds no cases"):
        await tenant.add_cases([])

    def broken() -> Iterator[Case]:
        yield from make_cases(1500)
        raise InvalidInput("line 1501 is no JSON", line=1501)

    with pytest.raises(InvalidInput, match="1501"):
        await tenant.add_cases(broken())
    assert await stored_cases(tenant) == 0


async def test_writers_at_once_make_one_version_of_each_content(tenant: Tenant) -> None:
    sizes = [3, 4, 3, 4, 5, 3]
    made = await asyncio.gather(*(tenant.add_cases(make_cases(size)) for size in sizes))
    assert len({dataset.id for dataset in made}) == 3
    versions = await tenant.rows("select version from assay.dataset_versions order by version")
    assert versions == [(1,), (2,), (3,)]
    assert await stored_cases(tenant) == 5


async def test_fifty_thousand_cases_take_no_more_memory_than_a_batch(tenant: Tenant) -> None:
    await tenant.add_cases(make_cases(10), "warm")
    tracemalloc.start()
    try:
        dataset = await tenant.add_cases(make_cases(50_000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert dataset.case_count == 50_000
    assert peak < 8_000_000
