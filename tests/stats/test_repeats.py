"""Several answers a case: the case is the unit."""

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.stats.errors import StatisticsError
from assay.stats.repeats import (
    case_means,
    flake_rates,
    flaky_cases,
    group_repeats,
    pass_at_k,
    pass_hat_k,
    pass_of_k,
    variance_components,
)


def test_repeats_are_averaged_within_their_case_first():
    cases, means = case_means([1, 0, 0, 1, 1, 1], ["b", "a", "a", "b", "b", "c"])
    assert cases == ("b", "a", "c")
    assert means == pytest.approx([1.0, 0.0, 1.0])


def test_cases_may_have_lost_some_of_their_repeats():
    found = group_repeats([1.0, 0.0, 0.5], ["x", "x", "y"])
    assert found.counts.tolist() == [2, 1]
    assert found.variances[0] == pytest.approx(0.5)
    assert np.isnan(found.variances[1])
    assert group_repeats([], []).cases == ()


def test_unbalanced_components_are_unbiased_over_many_cases():
    source = np.random.default_rng(13)
    n, within, between = 20_000, 0.09, 0.04
    repeats = source.integers(1, 6, size=n)
    cases = np.repeat(np.arange(n), repeats)
    truth = source.normal(0.0, np.sqrt(between), size=n)
    found = variance_components(
        group_repeats(truth[cases] + source.normal(0, np.sqrt(within), size=cases.size), cases)
    )
    assert found.within == pytest.approx(within, rel=0.04)
    assert found.between == pytest.approx(between, rel=0.08)
    assert found.cases == n


def test_components_need_repeats():
    with pytest.raises(StatisticsError, match="repeats"):
        variance_components(group_repeats([1.0, 0.0], ["x", "y"]))
    with pytest.raises(StatisticsError, match="labels for"):
        group_repeats([1.0, 0.0], ["x"])


def test_noise_alone_gives_no_negative_variance():
    found = variance_components(group_repeats([0, 1, 1, 0], ["x", "x", "y", "y"]))
    assert (found.within, found.between) == (0.5, 0.0)
    assert found.error == pytest.approx(np.sqrt(0.25 / 2))


def test_flaky_cases_are_those_that_passed_and_failed():
    passed = [True, True, False, False, True, False]
    assert flaky_cases(passed, ["a", "a", "b", "b", "c", "c"]) == ("c",)
    with pytest.raises(StatisticsError, match="0 or 1"):
        flaky_cases([0.5], ["a"])


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.floats(0.0, 1.0))
def test_rates_of_k_answers_are_unbiased(n, k, rate):
    if k > n:
        return
    weights = [comb(n, c) * rate**c * (1 - rate) ** (n - c) for c in range(n + 1)]
    at = sum(w * pass_at_k(n, c, k) for c, w in enumerate(weights))
    hat = sum(w * pass_hat_k(n, c, k) for c, w in enumerate(weights))
    assert at == pytest.approx(1 - (1 - rate) ** k, abs=1e-9)
    assert hat == pytest.approx(rate**k, abs=1e-9)


@pytest.mark.parametrize(("n", "c", "k"), [(5, 3, 6), (5, 3, 0), (5, 6, 1), (5, -1, 1), (0, 0, 1)])
def test_impossible_counts_are_refused(n, c, k):
    for function in (pass_at_k, pass_hat_k):
        with pytest.raises(StatisticsError):
            function(n, c, k)


@given(st.integers(2, 12).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n - 1))))
def test_more_tries_pass_more_often_at_least_once_and_less_often_always(counts):
    n, c, k = counts
    assert pass_at_k(n, c, k) <= pass_at_k(n, c, k + 1)
    assert pass_hat_k(n, c, k) >= pass_hat_k(n, c, k + 1)
    assert pass_hat_k(n, c, k) <= c / n + 1e-12
    assert pass_at_k(n, c, k) >= c / n - 1e-12
    assert pass_at_k(n, c, 1) == pytest.approx(pass_hat_k(n, c, 1))


def test_the_flake_rate_is_the_chance_that_two_answers_disagree():
    found = flake_rates([1, 0, 1, 1, 1, 0, 1], ["a", "a", "a", "b", "b", "c", "a"])
    assert [(case.case, case.answers, case.passes) for case in found] == [
        ("a", 4, 3),
        ("b", 2, 2),
        ("c", 1, 0),
    ]
    assert [case.flake_rate for case in found] == [pytest.approx(0.5), 0.0, None]


@given(st.integers(2, 12), st.floats(0.0, 1.0))
def test_the_flake_rate_is_unbiased(n, rate):
    weights = [comb(n, c) * rate**c * (1 - rate) ** (n - c) for c in range(n + 1)]
    found = [flake_rates([1] * c + [0] * (n - c), ["a"] * n)[0].flake_rate for c in range(n + 1)]
    assert sum(w * f for w, f in zip(weights, found, strict=True)) == pytest.approx(2 * rate * (1 - rate))


def test_pass_of_k_has_its_interval_by_case():
    source = np.random.default_rng(21)
    cases = np.repeat(np.arange(60), 5)
    passed = source.random(300) < np.repeat(source.random(60), 5)
    found = pass_of_k(passed, cases, 3)
    assert found.at.n == found.hat.n == 60
    assert found.hat.low < found.hat.estimate < found.hat.high < found.at.estimate
    assert found.at.low < 0.75 < found.at.high
    assert found.hat.low < 0.25 < found.hat.high
    by_pair = pass_of_k(passed, cases, 3, clusters=np.arange(60) // 2)
    assert by_pair.at.clusters == 30
    with pytest.raises(StatisticsError, match="at least as many"):
        pass_of_k([1, 0, 1], ["a", "a", "b"], 2)
