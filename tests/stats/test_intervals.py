"""Error bars: which one is chosen, what always holds, and what is refused."""

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as oracle

from assay.stats.bootstrap import bca_bootstrap
from assay.stats.clusters import cluster_robust, design_effect, icc_anova
from assay.stats.errors import StatisticsError
from assay.stats.intervals import (
    agresti_coull,
    clopper_pearson,
    jeffreys,
    plus_two_t,
    quantile_interval,
    score_interval,
    t_interval,
    wilson,
    wilson_effective_n,
)
from assay.stats.order_statistics import values_needed

unit = st.floats(0.0, 1.0, allow_subnormal=False)
levels = st.sampled_from([0.8, 0.9, 0.95, 0.99])


@st.composite
def clustered_scores(draw, elements=unit):
    scores = draw(st.lists(elements, min_size=2, max_size=140))
    clusters = draw(st.lists(st.integers(0, 12), min_size=len(scores), max_size=len(scores)))
    return scores, clusters


@pytest.mark.parametrize(
    ("kind", "scores", "clusters", "method"),
    [
        ("binary", [0, 1, 1, 0] * 40, None, "wilson"),
        ("unit", [0.2, 0.9, 0.4], None, "plus_two_t"),
        ("unit", [0.2, 0.9, 0.4, 0.5] * 25, None, "wilson_effective_n"),
        ("real", [120.0, 340.0, 90.5], None, "t"),
        ("binary", [0, 1, 1, 0], ["x", "x", "y", "y"], "cr2_wilson"),
        ("unit", [0.2, 0.9, 0.4, 0.5], ["x", "x", "y", "z"], "cr2_wilson"),
        ("real", [1.0, 2.0, 5.0, 9.0], ["x", "x", "y", "z"], "cr2_t"),
        ("binary", [0, 1, 1, 0], ["w", "x", "y", "z"], "wilson"),
        ("binary", [0, 1, 1, 0], [None] * 4, "wilson"),
    ],
)
def test_the_method_follows_kind_size_and_clusters(kind, scores, clusters, method):
    found = score_interval(scores, kind=kind, clusters=clusters)
    assert found.method == method
    assert found.n == len(scores)
    assert found.estimable
    assert found.low < found.estimate < found.high


@settings(deadline=None)
@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), levels)
def test_intervals_of_a_proportion_hold_it_and_stay_in_range(counts, level):
    successes, n = counts
    for function in (wilson, clopper_pearson, jeffreys, agresti_coull):
        found = function(successes, n, level=level)
        assert 0.0 <= found.low <= found.estimate <= found.high <= 1.0
        assert found.high - found.low > 0.0
        mirrored = function(n - successes, n, level=level)
        assert (mirrored.low, mirrored.high) == pytest.approx((1.0 - found.high, 1.0 - found.low), abs=1e-9)


@settings(deadline=None)
@given(st.lists(unit, min_size=2, max_size=150), levels)
def test_intervals_of_graded_scores_hold_the_mean_and_stay_in_range(scores, level):
    for function in (plus_two_t, wilson_effective_n):
        found = function(scores, level=level)
        assert 0.0 <= found.low <= found.estimate <= found.high <= 1.0


@settings(deadline=None)
@given(unit, st.integers(2, 150), levels)
def test_constant_bounded_scores_never_get_a_bar_of_zero_width(score, n, level):
    for clusters in (None, [index // 2 for index in range(n)] if n > 3 else None):
        found = score_interval([score] * n, kind="unit", clusters=clusters, level=level)
        assert found.high - found.low > 0.5 / n
        assert found.low <= found.estimate <= found.high


@settings(deadline=None)
@given(clustered_scores(), st.randoms(use_true_random=False))
def test_relabelling_and_reordering_clusters_changes_nothing(data, random):
    scores, clusters = data
    names = list(range(13))
    random.shuffle(names)
    expected = score_interval(scores, kind="unit", clusters=clusters)
    assert score_interval(scores, kind="unit", clusters=[f"doc {names[c]}" for c in clusters]) == expected
    assert score_interval(scores, kind="unit", clusters=np.array(clusters)) == expected
    order = list(range(len(scores)))
    random.shuffle(order)
    moved = score_interval([scores[i] for i in order], kind="unit", clusters=[clusters[i] for i in order])
    assert moved.estimable == expected.estimable
    if expected.estimable:
        assert (moved.low, moved.high) == pytest.approx((expected.low, expected.high), abs=1e-6)
        assert 0.0 <= expected.low <= expected.estimate <= expected.high <= 1.0


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60))
def test_clusters_of_one_are_no_clusters(values):
    plain = score_interval(values, kind="real")
    assert score_interval(values, kind="real", clusters=list(range(len(values)))) == plain


def test_a_case_without_a_cluster_stands_alone():
    scores = [0, 1, 1, 1, 0, 1]
    unnamed = score_interval(scores, kind="binary", clusters=["x", "x", None, None, "y", "y"])
    assert unnamed == score_interval(scores, kind="binary", clusters=["x", "x", "p", "q", "y", "y"])
    assert unnamed.clusters == 4


@pytest.mark.parametrize("kind", ["binary", "unit", "real"])
@pytest.mark.parametrize(("scores", "estimate"), [([], None), ([1.0], 1.0)])
@pytest.mark.parametrize("clustered", [False, True])
def test_no_or_one_score_is_not_estimable_and_says_why(kind, scores, estimate, clustered):
    found = score_interval(scores, kind=kind, clusters=["x"] * len(scores) if clustered else None)
    assert (found.low, found.high, found.estimate) == (None, None, estimate)
    assert not found.estimable
    assert found.reason
    assert not found.excludes(0.5)


@pytest.mark.parametrize("kind", ["binary", "unit", "real"])
def test_one_cluster_is_not_estimable(kind):
    found = score_interval([0, 1, 1, 0], kind=kind, clusters=["x"] * 4)
    assert not found.estimable
    assert found.estimate == 0.5
    assert "one cluster" in found.reason


@pytest.mark.parametrize("clusters", [None, ["x", "x", "y"]])
def test_constant_unbounded_values_are_not_estimable(clusters):
    found = score_interval([0.1 + 0.2, 0.3, 0.3], kind="real", clusters=clusters)
    assert not found.estimable
    assert found.reason


@pytest.mark.parametrize("kind", ["binary", "unit", "real"])
@pytest.mark.parametrize("missing", [float("nan"), None, float("inf")])
def test_a_missing_score_is_refused_and_never_a_zero(kind, missing):
    with pytest.raises(StatisticsError, match="missing or infinite"):
        score_interval([1.0, missing, 0.0], kind=kind)


@pytest.mark.parametrize(
    ("scores", "arguments", "message"),
    [
        ([0.5, 1.0], {"kind": "binary"}, "must be 0 or 1"),
        ([1.2, 1.0], {"kind": "unit"}, r"\[0, 1\]"),
        ([0.5, 1.0], {"kind": "ordinal"}, "unknown kind"),
        ([0.5, 1.0], {"kind": "unit", "level": 95}, "level"),
        ([0.5, 1.0], {"kind": "unit", "clusters": ["x"]}, "1 cluster labels for 2"),
        ([0.5, 1.0], {"kind": "unit", "clusters": [float("nan"), "x"]}, "NaN"),
        ([[0.5, 1.0]], {"kind": "unit"}, "one-dimensional"),
        (["good", "bad"], {"kind": "unit"}, "must be numbers"),
    ],
)
def test_impossible_input_is_named(scores, arguments, message):
    with pytest.raises(StatisticsError, match=message):
        score_interval(scores, **arguments)


def test_averages_that_leave_the_range_by_rounding_are_taken():
    assert score_interval([1.0 + 2e-16, 0.1 * 3, -1e-17], kind="unit").estimable


def test_wilson_matches_the_published_interval_of_1_in_29():
    # Newcombe (1998), Statistics in Medicine 17:857, table I, printed to four digits.
    found = wilson(1, 29)
    assert (found.low, found.high) == pytest.approx((0.0061, 0.1718), abs=5e-5)


def test_jeffreys_matches_scipy_beta():
    found = jeffreys(8, 10)
    assert (found.low, found.high) == pytest.approx(oracle.beta(8.5, 2.5).interval(0.95), abs=1e-9)
    assert jeffreys(0, 10).low == 0.0
    assert jeffreys(10, 10).high == 1.0


@pytest.mark.parametrize(("successes", "n"), [(5, 4), (-1, 4), (0, 0)])
def test_impossible_counts_are_refused(successes, n):
    with pytest.raises(StatisticsError, match="impossible"):
        wilson(successes, n)


def cr2_by_matrices(scores, clusters):
    """CR2 and Satterthwaite from the general regression formulas: hat matrix, symmetric roots, traces."""
    n = len(scores)
    hat = np.full((n, n), 1.0 / n)
    residuals = scores - scores.mean()
    vectors, meat = [], 0.0
    for label in np.unique(clusters):
        inside = np.flatnonzero(clusters == label)
        values, basis = np.linalg.eigh(np.eye(inside.size) - hat[np.ix_(inside, inside)])
        adjust = basis @ np.diag(values**-0.5) @ basis.T
        weights = np.ones(inside.size) @ adjust / n
        meat += float(weights @ residuals[inside]) ** 2
        vectors.append(weights @ (np.eye(n) - hat)[inside])
    gram = np.array(vectors) @ np.array(vectors).T
    return np.sqrt(meat), np.trace(gram) ** 2 / np.sum(gram**2)


def test_cluster_errors_equal_the_general_regression_formulas(golden):
    inputs = golden["icc_anova"]["inputs"]
    scores, clusters = np.array(inputs["scores"], dtype=float), np.array(inputs["cluster"])
    found = cluster_robust(scores, clusters)
    error, df = cr2_by_matrices(scores, clusters)
    sums = [scores[clusters == c].sum() - scores.mean() * np.sum(clusters == c) for c in range(1, 7)]
    assert found.cr0 == pytest.approx(np.sqrt(np.sum(np.square(sums))) / 21)
    assert found.cr1 == pytest.approx(found.cr0 * np.sqrt(6 / 5))
    assert (found.cr2, found.df) == pytest.approx((error, df), rel=1e-12)
    assert found.naive == pytest.approx(oracle.sem(scores))
    interval = score_interval(scores, kind="real", clusters=clusters)
    half = oracle.t.ppf(0.975, df) * error
    assert (interval.low, interval.high) == pytest.approx((scores.mean() - half, scores.mean() + half))
    assert interval.df == pytest.approx(df)


def test_equal_clusters_have_one_df_less_than_clusters():
    scores = np.random.default_rng(3).random(40)
    assert cluster_robust(scores, np.repeat(np.arange(8), 5)).df == pytest.approx(7.0)


def test_singleton_clusters_give_the_classic_error():
    scores = np.random.default_rng(4).random(12)
    found = cluster_robust(scores, list(range(12)))
    assert (found.cr2, found.df) == pytest.approx((oracle.sem(scores), 11.0))


def test_cluster_errors_need_two_of_each():
    single = cluster_robust([0.0, 1.0], ["x", "x"])
    assert (single.cr1, single.cr2, single.df) == (None, None, None)
    with pytest.raises(StatisticsError, match="two scores"):
        cluster_robust([1.0], ["x"])
    with pytest.raises(StatisticsError, match="two clusters"):
        icc_anova([0.0, 1.0], ["x", "y"])
    with pytest.raises(StatisticsError, match="constant"):
        icc_anova([1.0, 1.0, 1.0], ["x", "x", "y"])


def test_design_effect_grows_with_size_and_correlation():
    assert design_effect(0.4, 10) == pytest.approx(4.6)
    assert design_effect(0.0, 10) == 1.0


def test_t_interval_is_that_of_scipy():
    values = [120.0, 340.0, 90.5, 210.0]
    found = t_interval(values, level=0.9)
    expected = oracle.t.interval(0.9, 3, loc=np.mean(values), scale=oracle.sem(values))
    assert (found.low, found.high) == pytest.approx(expected)


@pytest.mark.parametrize(("quantile", "needed"), [(0.5, 6), (0.95, 72), (0.99, 368), (0.05, 72)])
def test_a_quantile_needs_enough_values(quantile, needed):
    assert values_needed(quantile) == needed
    assert quantile_interval(np.arange(needed), quantile).estimable
    refused = quantile_interval(np.arange(needed - 1), quantile)
    assert (refused.low, refused.high) == (None, None)
    assert str(needed) in refused.reason
    assert refused.estimate is not None


@settings(max_examples=60, deadline=None)
@given(st.integers(6, 500), st.sampled_from([0.1, 0.5, 0.9, 0.95]), levels)
def test_quantile_bounds_keep_their_level_exactly_and_waste_no_rank(n, quantile, level):
    found = quantile_interval(np.arange(1, n + 1), quantile, level=level)
    if not found.estimable:
        return
    low, high, tail = int(found.low), int(found.high), (1.0 - level) / 2.0
    law = oracle.binom(n, quantile)
    assert law.cdf(low - 1) <= tail + 1e-12
    assert law.sf(high - 1) <= tail + 1e-12
    assert law.cdf(low) > tail - 1e-12
    assert law.sf(high - 2) > tail - 1e-12
    assert low <= found.estimate <= high


def test_no_values_have_no_quantile():
    found = quantile_interval([], 0.5)
    assert (found.estimate, found.low, found.n) == (None, None, 0)


def test_bca_is_repeatable_and_close_to_scipy():
    scores = np.random.default_rng(6).beta(6, 2, size=40)
    found = bca_bootstrap(scores, rng=np.random.default_rng(1))
    assert found == bca_bootstrap(scores, rng=np.random.default_rng(1))
    expected = oracle.bootstrap((scores,), np.mean, rng=np.random.default_rng(2)).confidence_interval
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.004)


def test_bca_takes_any_statistic():
    scores = np.random.default_rng(7).random(60)
    found = bca_bootstrap(scores, rng=np.random.default_rng(1), statistic=lambda s: np.median(s, axis=-1))
    assert found.estimate == np.median(scores)
    assert found.low < found.estimate < found.high


@pytest.mark.parametrize("scores", [[0.3] * 12, [0.3], []])
def test_bca_of_constant_or_too_little_data_is_not_estimable(scores):
    found = bca_bootstrap(scores, rng=np.random.default_rng(1))
    assert not found.estimable
    assert found.reason


def test_bca_refuses_a_handful_of_resamples():
    with pytest.raises(StatisticsError, match="too few"):
        bca_bootstrap([0.0, 1.0], rng=np.random.default_rng(1), resamples=10)


def test_exact_interval_inverts_the_binomial_test():
    found = clopper_pearson(7, 19)
    for bound, tail in ((found.low, oracle.binom.sf), (found.high, oracle.binom.cdf)):
        count = 6 if bound == found.low else 7
        assert tail(count, 19, bound) == pytest.approx(float(Fraction(1, 40)))


def test_importing_the_statistics_loads_no_heavy_library():
    modules = ["intervals", "comparison", "multiplicity", "repeats", "power", "coverage", "cost"]
    code = "import sys; " + "; ".join(f"import assay.stats.{name}" for name in modules)
    code += "; print([m for m in sys.modules if m.startswith(('scipy.stats', 'scipy.optimize', 'pandas'))])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
