"""Which cases take part, told as ranges of their numbers."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput
from assay.services.selection import Filters, Selector

TAGS = st.lists(st.sampled_from(["a", "b"]), unique=True)
CASES = st.lists(st.tuples(TAGS, st.sampled_from(["x", "y"])), max_size=40).map(
    lambda rows: [
        Case(key=f"c{n}", vars={}, tags=tuple(tags), metadata={"k": value})
        for n, (tags, value) in enumerate(rows)
    ]
)
FILTERS = st.builds(
    Filters,
    pattern=st.none() | st.sampled_from(["1", "^c[0-4]$", "nothing"]),
    tags=TAGS.map(tuple),
    metadata=st.sampled_from([(), (("k", "x"),)]),
    first=st.none() | st.integers(0, 45),
    last=st.none() | st.integers(0, 45),
    sample=st.none() | st.integers(1, 50),
    limit=st.none() | st.integers(1, 50),
    seed=st.integers(0, 3),
)


def chosen(cases: list[Case], filters: Filters) -> list[int]:
    """The numbers that a selector chooses."""
    selector = Selector(filters)
    assert [case for case, _ in selector.watch(cases)] == cases
    ranges = selector.finish()
    if ranges is None:
        return list(range(len(cases)))
    assert all(first < last for first, last in ranges)
    assert all(before[1] < after[0] for before, after in pairwise(ranges))
    return [number for first, last in ranges for number in range(first, last)]


@given(CASES, FILTERS)
def test_ranges_hold_the_cases_that_pass_every_filter(cases: list[Case], filters: Filters) -> None:
    wanted = [
        n
        for n, case in enumerate(cases)
        if (filters.first is None or n >= filters.first)
        and (filters.last is None or n < filters.last)
        and (filters.pattern is None or matches(filters.pattern, case.key))
        and set(filters.tags) <= set(case.tags)
        and all(case.metadata[name] == value for name, value in filters.metadata)
    ]
    numbers = chosen(cases, filters)
    if filters.sample is None:
        assert numbers == wanted[: filters.limit]
    else:
        expected = min(len(wanted), filters.sample, filters.limit or len(cases))
        assert len(numbers) == expected
        assert set(numbers) <= set(wanted)
        assert numbers == chosen(cases, filters)


def matches(pattern: str, key: str) -> bool:
    """The three patterns by other means."""
    return {"1": "1" in key, "^c[0-4]$": key in {"c0", "c1", "c2", "c3", "c4"}, "nothing": False}[pattern]


def test_every_case_is_as_likely_to_be_drawn() -> None:
    cases = [Case(key=f"c{n}", vars={}) for n in range(10)]
    counts = [0] * 10
    for seed in range(2000):
        for number in chosen(cases, Filters(sample=3, seed=seed)):
            counts[number] += 1
    assert all(500 < count < 700 for count in counts)


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidInput, match="--filter-pattern"):
        Selector(Filters(pattern="("))
