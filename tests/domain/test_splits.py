"""Splits by share: stable, seeded, in the right proportion, clusters whole."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput
from assay.domain.splits import Shares, parse_shares

SHARES = parse_shares("train=0.7,test=0.3")


def case(key: str, cluster: str | None = None) -> Case:
    return Case(key=key, vars={}, cluster=cluster)


def test_shares_are_exact() -> None:
    assert parse_shares("train=0.7, test=0.2 ,holdout=0.1").shares == {
        "train": Fraction(7, 10),
        "test": Fraction(1, 5),
        "holdout": Fraction(1, 10),
    }
    assert parse_shares("train=1/3,test=2/3").shares["train"] == Fraction(1, 3)


def test_the_assignment_is_the_same_for_ever() -> None:
    """A change of these breaks every stored split: a held-out case would come into training."""
    found = "".join(SHARES.split_of(case(f"case-{number}"))[1] for number in range(24))
    assert found == "rrrreerrrrrrrrrrrerrrerr"


@given(key=st.text(min_size=1), cluster=st.none() | st.text(), seed=st.integers())
def test_a_cluster_stays_together_and_a_case_stays_where_it_is(
    key: str, cluster: str | None, seed: int
) -> None:
    shares = replace(SHARES, seed=seed)
    one = case(key, cluster)
    assert shares.split_of(one) == shares.split_of(replace(one, vars={"more": 1}, expected="x"))
    if cluster is not None:
        assert shares.split_of(one) == shares.split_of(case(key + "another", cluster))


def test_the_shares_hold_for_cases_and_for_clusters() -> None:
    count = 20_000
    for made in (
        [case(str(number)) for number in range(count)],
        [case(str(number), f"cluster {number}") for number in range(count)],
    ):
        found = Counter(SHARES.split_of(each) for each in made)
        # four standard deviations of a binomial
        assert abs(found["train"] - 0.7 * count) < 4 * (count * 0.7 * 0.3) ** 0.5


def test_more_for_one_split_moves_no_case_out_of_it() -> None:
    more = Shares({"train": Fraction(8, 10), "test": Fraction(2, 10)})
    cases = [case(str(number)) for number in range(5000)]
    moved = {(SHARES.split_of(each), more.split_of(each)) for each in cases}
    assert moved == {("train", "train"), ("test", "test"), ("test", "train")}


def test_another_seed_draws_another_assignment() -> None:
    other = replace(SHARES, seed=1)
    assert len({(SHARES.split_of(case(str(n))), other.split_of(case(str(n)))) for n in range(200)}) == 4


def test_a_share_of_one_takes_all_and_of_nothing_none() -> None:
    everything = parse_shares("train=0,holdout=1")
    assert {everything.split_of(case(str(number))) for number in range(500)} == {"holdout"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("train=0.7", "add up to 0.7"),
        ("train=0.7,test=0.7", "add up to 1.4"),
        ("dev=1", "'dev' is no split"),
        ("train=x", "'x' is no share"),
        ("train=1/0", "'1/0' is no share"),
        ("train=nan", "no share"),
        ("train=", "no share"),
        ("train=1,train=0", "there twice"),
        ("train=-1,test=2", "less than 0"),
        ("=1", "'' is no split"),
    ],
)
def test_shares_that_cannot_be_meant_are_refused(text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as refused:
        parse_shares(text)
    assert refused.value.field == "--split"
    assert "train=0.7,test=0.3" in (refused.value.remedy or "")
