"""How far raters agree, and how far series rise together."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats as oracle

from assay.stats.agreement import cohen_kappa, fleiss_kappa, krippendorff_alpha
from assay.stats.correlation import average_ranks, kendall_tau_b, pearson, spearman
from assay.stats.errors import StatisticsError

levels = st.integers(1, 5)
ratings = st.lists(st.tuples(levels, levels), min_size=2, max_size=40)


def generator():
    return np.random.default_rng(0)


@settings(deadline=None)
@given(ratings, st.sampled_from(["none", "linear", "quadratic"]))
def test_kappa_lies_between_its_ends_and_is_symmetric(pairs, weights):
    first, second = ([float(pair[i]) for pair in pairs] for i in (0, 1))
    found = cohen_kappa(first, second, weights=weights)
    if found.kappa is None:
        assert len({*first, *second}) == 1
        return
    assert -1.0 - 1e-12 <= found.kappa <= 1.0
    assert cohen_kappa(second, first, weights=weights).kappa == pytest.approx(found.kappa, abs=1e-12)
    if found.interval.estimable:
        assert -1.0 <= found.interval.low <= found.kappa <= found.interval.high <= 1.0


@settings(deadline=None)
@given(st.lists(levels, min_size=2, max_size=40), st.sampled_from(["none", "linear", "quadratic"]))
def test_kappa_of_a_rater_with_himself_is_one_and_claims_no_interval(labels, weights):
    assume(len(set(labels)) > 1)
    found = cohen_kappa(labels, labels, weights=weights)
    assert found.kappa == pytest.approx(1.0)
    assert not found.interval.estimable
    assert found.observed == 1.0


def test_quadratic_kappa_of_equal_margins_is_the_correlation():
    first = np.repeat([1, 2, 3, 4, 5], 8)
    second = np.roll(first, 3)
    found = cohen_kappa(first, second, weights="quadratic")
    assert found.kappa == pytest.approx(np.corrcoef(first, second)[0, 1])


def test_distances_are_those_of_the_values_not_of_the_levels_that_were_seen():
    seen = cohen_kappa([1, 2, 5, 5], [1, 2, 5, 2], weights="quadratic").kappa
    named = cohen_kappa([0.0, 0.25, 1.0, 1.0], [0.0, 0.25, 1.0, 0.25], weights="quadratic").kappa
    assert seen == pytest.approx(named)


def test_labels_need_no_numbers_unless_they_are_weighted():
    assert cohen_kappa(["yes", "no", "no"], ["yes", "no", "yes"]).kappa == pytest.approx(0.4)
    with pytest.raises(StatisticsError, match="numbers"):
        cohen_kappa(["yes", "no"], ["yes", "no"], weights="linear")


def test_the_error_of_kappa_is_that_of_many_samples():
    source = np.random.default_rng(2)

    def sample(n):
        truth = source.random(n) < 0.7
        return truth, np.where(source.random(n) < 0.2, ~truth, truth)

    found = [cohen_kappa(*sample(300)) for _ in range(600)]
    assert np.mean([k.error for k in found]) == pytest.approx(np.std([k.kappa for k in found]), rel=0.1)


@settings(deadline=None, max_examples=50)
@given(ratings, st.sampled_from(["nominal", "ordinal", "interval"]))
def test_alpha_of_agreeing_raters_is_one_and_never_above(pairs, scale):
    table = np.array(pairs, dtype=float).T
    found = krippendorff_alpha(table, scale=scale, rng=generator())
    if np.ptp(table) == 0.0:
        assert found.estimate is None
        return
    assert found.estimate <= 1.0
    assert (found.estimate == pytest.approx(1.0)) == bool(np.all(table[0] == table[1]))


def test_nominal_alpha_comes_close_to_kappa_for_many_items():
    source = np.random.default_rng(3)
    truth = source.integers(0, 3, size=20_000)
    other = np.where(source.random(truth.size) < 0.3, source.integers(0, 3, size=truth.size), truth)
    alpha = krippendorff_alpha([truth[:2000], other[:2000]], scale="nominal", rng=generator())
    kappa = cohen_kappa(truth[:2000], other[:2000])
    assert alpha.estimate == pytest.approx(kappa.kappa, abs=1e-3)
    assert (alpha.low, alpha.high) == pytest.approx((kappa.interval.low, kappa.interval.high), abs=0.01)


def test_interval_alpha_comes_close_to_the_correlation_of_exchangeable_raters():
    source = np.random.default_rng(4)
    truth = source.normal(size=4000)
    table = truth + source.normal(size=(2, 4000))
    alpha = krippendorff_alpha(table[:, :1000], scale="interval", rng=generator())
    assert alpha.estimate == pytest.approx(0.5, abs=0.06)
    assert alpha.low < 0.5 < alpha.high


def test_order_alone_counts_on_an_ordinal_scale():
    table = np.array([[1, 2, 3, 4, 1, 3], [1, 2, 4, 3, 2, 3]], dtype=float)
    stretched = table**3
    first, second = (krippendorff_alpha(t, scale="ordinal", rng=generator()) for t in (table, stretched))
    assert first == second


def test_an_item_with_one_rating_tells_nothing():
    table = np.array([[1, 2, 3, 1, 2], [1, 2, 2, 1, np.nan]], dtype=float)
    with_it = krippendorff_alpha(table, scale="nominal", rng=generator())
    without = krippendorff_alpha(table[:, :4], scale="nominal", rng=generator())
    assert with_it == without
    with pytest.raises(StatisticsError, match="two ratings"):
        krippendorff_alpha([[1, np.nan], [np.nan, 2]], scale="nominal", rng=generator())


def test_fleiss_kappa_of_two_raters_is_alpha_but_for_the_size():
    source = np.random.default_rng(5)
    first = source.integers(0, 3, size=4000)
    second = np.where(source.random(4000) < 0.4, source.integers(0, 3, size=4000), first)
    counts = np.stack([(first == k).astype(int) + (second == k) for k in range(3)], axis=1)
    fleiss = fleiss_kappa(counts, rng=generator())
    alpha = krippendorff_alpha([first, second], scale="nominal", rng=generator())
    assert fleiss.estimate == pytest.approx(alpha.estimate, abs=1e-3)
    assert fleiss.low < fleiss.estimate < fleiss.high
    unanimous = fleiss_kappa([[2, 0], [2, 0]], rng=generator())
    assert (unanimous.estimate, unanimous.low) == (None, None)


@settings(deadline=None)
@given(ratings)
def test_correlations_of_tied_series_are_those_of_scipy(pairs):
    x, y = ([float(pair[i]) for pair in pairs] for i in (0, 1))
    assume(len(x) >= 4 and len(set(x)) > 1 and len(set(y)) > 1)
    assert average_ranks(np.array(x)) == pytest.approx(oracle.rankdata(x))
    for ours, theirs in (
        (pearson, oracle.pearsonr),
        (spearman, oracle.spearmanr),
        (kendall_tau_b, oracle.kendalltau),
    ):
        assert ours(x, y).estimate == pytest.approx(theirs(x, y).statistic, abs=1e-9)


def test_pearson_has_the_interval_of_fisher():
    source = np.random.default_rng(6)
    x = source.normal(size=50)
    y = x + source.normal(size=50)
    found, expected = pearson(x, y), oracle.pearsonr(x, y).confidence_interval()
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("function", [spearman, kendall_tau_b])
def test_rank_correlations_cover_the_truth_in_spite_of_ties(function):
    source = np.random.default_rng(7)

    def sample(n):
        z = source.normal(size=n)
        noisy = 0.8 * z + 0.7 * source.normal(size=n)
        return np.clip(np.round(3 + z), 1, 5), np.clip(np.round(3 + noisy), 1, 5)

    truth = np.mean([function(*sample(2000)).estimate for _ in range(10)])
    found = [function(*sample(60)) for _ in range(500)]
    assert 0.91 <= np.mean([i.low <= truth <= i.high for i in found]) <= 0.99


def test_what_has_no_correlation_says_why():
    assert "constant" in pearson([1.0] * 5, [1, 2, 3, 4, 5]).reason
    assert "four pairs" in kendall_tau_b([1, 2, 3], [1, 2, 3]).reason
    assert "perfect" in spearman([1, 2, 3, 4], [1, 4, 9, 16]).reason
    assert spearman([1, 2, 3, 4], [1, 4, 9, 16]).estimate == 1.0
    assert math.isclose(kendall_tau_b([1, 2, 3, 4], [4, 3, 2, 1]).estimate, -1.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: cohen_kappa([1, 2], [1]),
        lambda: cohen_kappa([], []),
        lambda: cohen_kappa([1, None], [1, 2]),
        lambda: cohen_kappa([1.0, math.nan], [1.0, 2.0]),
        lambda: cohen_kappa([1.0, 2.0], [1.0, 2.0], weights="cubic"),
        lambda: krippendorff_alpha([[1, 2], [1, 2]], scale="ratio", rng=generator()),
        lambda: krippendorff_alpha([1, 2], scale="nominal", rng=generator()),
        lambda: krippendorff_alpha([["a"], ["b"]], scale="nominal", rng=generator()),
        lambda: fleiss_kappa([[1, 1], [3, 0]], rng=generator()),
        lambda: fleiss_kappa([[1, 0]], rng=generator()),
        lambda: fleiss_kappa([1, 0], rng=generator()),
        lambda: pearson([1, 2], [1]),
        lambda: spearman([1, 2, 3, math.nan], [1, 2, 3, 4]),
    ],
)
def test_ratings_that_cannot_be_compared_are_refused(call):
    with pytest.raises(StatisticsError):
        call()
