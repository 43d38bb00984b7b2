"""Data sets as they are read: splits, counts, differences and streams of a version."""

import tracemalloc
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from assay.domain.datasets import Case, Split
from assay.domain.errors import InvalidInput
from assay.domain.versions import Reference
from assay.storage import dataset_versions as stored
from assay.storage.dataset_versions import CaseChange, TagChange
from assay.storage.datasets import StoredDataset
from tenants import Tenant, make_cases


def with_splits(cases: Iterable[Case], splits: str) -> Iterator[Case]:
    """Cases whose splits are told by letters: t(rain), e(valuation: test), h(oldout), -(none)."""
    names: dict[str, Split | None] = {"t": "train", "e": "test", "h": "holdout", "-": None}
    for case, letter in zip(cases, splits, strict=True):
        yield replace(case, split=names[letter])


async def read(tenant: Tenant, dataset: StoredDataset) -> list[Case]:
    async with tenant.database.transaction(tenant.organization_id) as connection:
        stream = stored.stream_cases(connection, tenant.organization_id, dataset.id)
        return [case async for batch in stream for case in batch]


async def diff(
    tenant: Tenant, first: StoredDataset, second: StoredDataset, limit: int = 10
) -> tuple[dict[str, int], list[CaseChange]]:
    async with tenant.database.transaction(tenant.organization_id) as connection:
        pair = (first.id, second.id)
        return await stored.diff_versions(connection, tenant.organization_id, pair, limit)


async def test_every_part_of_a_case_comes_back_in_order(tenant: Tenant) -> None:
    whole = Case(
        key="whole",
        vars={"q": "ü\t\U0001f600", "list": [1, None, {"a": 1.5}]},
        expected=["a", 2],
        context=("first", "second"),
        metadata={"source": "x"},
        tags=("t1", "with, comma"),
        cluster="c",
        weight=0.25,
        split="validation",
    )
    cases = [whole, *(replace(case, line=None) for case in make_cases(2500))]
    assert await read(tenant, await tenant.add_cases(cases)) == cases


async def test_another_split_is_another_version_of_the_same_cases(tenant: Tenant) -> None:
    first = await tenant.add_cases(with_splits(make_cases(4), "ttee"))
    second = await tenant.add_cases(with_splits(make_cases(4), "tteh"))
    third = await tenant.add_cases(make_cases(4))
    assert len({first.content_hash, second.content_hash, third.content_hash}) == 3
    assert [first.added, second.added, third.added] == [4, 0, 0]
    assert await tenant.value("select count(*) from assay.test_cases") == 4
    assert (await tenant.add_cases(with_splits(make_cases(4), "ttee"))).id == first.id
    totals, changes = await diff(tenant, first, second)
    assert totals == {"moved": 1}
    assert (changes[0].key, changes[0].first_split, changes[0].second_split) == ("c3", "test", "holdout")


async def test_the_splits_are_counted_with_their_clusters(tenant: Tenant) -> None:
    cases = [replace(case, cluster=f"k{number // 2}") for number, case in enumerate(make_cases(6))]
    dataset = await tenant.add_cases(with_splits(cases, "ttttee"))
    async with tenant.database.transaction(tenant.organization_id) as connection:
        counts = await stored.count_splits(connection, tenant.organization_id, dataset.id)
    assert [(each.split, each.cases, each.clusters) for each in counts] == [("train", 4, 2), ("test", 2, 1)]


@pytest.mark.parametrize("splits", ["tte", "t-t"])
async def test_a_cluster_in_two_splits_is_refused(tenant: Tenant, splits: str) -> None:
    cases = [replace(case, cluster="same") for case in make_cases(3)]
    with pytest.raises(InvalidInput, match="the cluster 'same' lies in") as refused:
        await tenant.add_cases(with_splits(cases, splits))
    assert refused.value.field == "split"
    assert await tenant.rows("select from assay.test_datasets") == []


async def test_a_difference_tells_added_removed_and_changed(tenant: Tenant) -> None:
    cases = list(make_cases(40))
    first = await tenant.add_cases(cases)
    changed = [*cases[:10], replace(cases[10], expected="other", tags=("new",)), *cases[12:]]
    second = await tenant.add_cases([Case(key="new", vars={}), *changed])
    totals, changes = await diff(tenant, first, second)
    assert totals == {"added": 1, "removed": 1, "changed": 1}
    found = {change.kind: change for change in changes}
    assert (found["added"].key, found["removed"].key, found["changed"].key) == ("new", "c11", "c10")
    assert found["changed"].first == {"expected": "answer 10", "tags": []}
    assert found["changed"].second == {"expected": "other", "tags": ["new"]}
    assert await diff(tenant, second, second) == ({}, [])


async def test_a_difference_shows_the_first_and_counts_all(tenant: Tenant) -> None:
    first = await tenant.add_cases(make_cases(5))
    second = await tenant.add_cases(make_cases(300))
    totals, changes = await diff(tenant, first, second, limit=3)
    assert totals == {"added": 295}
    assert [change.key for change in changes] == ["c5", "c6", "c7"]


async def test_the_numbers_of_a_data_set_follow_its_versions(tenant: Tenant) -> None:
    for count in (5, 7, 5, 3):
        await tenant.add_cases(make_cases(count), "growing")
    async with tenant.database.transaction(tenant.organization_id) as connection:
        (head,) = await stored.list_datasets(connection, tenant.organization_id, tag=None, limit=5)
    assert (head.name, head.version_count, head.case_count) == ("growing", 3, 3)


async def test_tags_change_and_versions_do_not(tenant: Tenant) -> None:
    dataset = await tenant.add_cases(make_cases(2), "tagged")
    org = tenant.organization_id
    async with tenant.database.transaction(org) as connection:
        change = TagChange(add=("b", "a", "b"), description="what for")
        assert await stored.tag_dataset(connection, org, dataset.dataset_id, change) == ("a", "b")
        change = TagChange(add=("c",), remove=("a", "nothing"))
        assert await stored.tag_dataset(connection, org, dataset.dataset_id, change) == ("b", "c")
        found = await stored.get_dataset_version(connection, org, Reference("tagged"))
        assert [h.name for h in await stored.list_datasets(connection, org, tag="b", limit=5)] == ["tagged"]
        assert await stored.list_datasets(connection, org, tag="a", limit=5) == []
    assert (found.id, found.value.version, found.value.tags) == (dataset.id, 1, ("b", "c"))


async def test_a_name_that_cannot_be_kept_is_refused(tenant: Tenant) -> None:
    for name in ("", "n" * 201, "a\x1b[2Jb"):
        with pytest.raises(InvalidInput) as refused:
            await tenant.add_cases(make_cases(1), name)
        assert refused.value.field == "name"


async def test_streaming_takes_the_memory_of_a_batch(tenant: Tenant) -> None:
    dataset = await tenant.add_cases(make_cases(50_000))
    count = 0
    tracemalloc.start()
    try:
        async with tenant.database.transaction(tenant.organization_id) as connection:
            async for batch in stored.stream_cases(connection, tenant.organization_id, dataset.id):
                count += len(batch)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 50_000
    assert peak < 8_000_000
