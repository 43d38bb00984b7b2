"""Is b better than a: tests, intervals, verdicts and their adjustment."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as oracle

from assay.stats.comparison import (
    adjust_comparisons,
    bonett_price_interval,
    compare_paired,
    lower_is_better,
    mcnemar_exact,
    mcnemar_midp,
    noninferiority,
    tango_interval,
    tost_paired,
)
from assay.stats.discordance import tango_score
from assay.stats.errors import StatisticsError
from assay.stats.multiplicity import adjust, bh, by, hochberg, holm
from assay.stats.permutation import sign_flip

OPPOSITE = {"better": "worse", "worse": "better", "equivalent": "equivalent", "inconclusive": "inconclusive"}


def rng():
    return np.random.default_rng(2026)


def pass_fail(gains, losses, n):
    """Two aligned pass/fail columns with these discordant counts, half of the others passed by both."""
    both = (n - gains - losses) // 2
    a = [0] * gains + [1] * losses + [1] * both + [0] * (n - gains - losses - both)
    b = [1] * gains + [0] * losses + [1] * both + [0] * (n - gains - losses - both)
    return a, b


counts = st.integers(1, 200).flatmap(
    lambda n: st.integers(0, n).flatmap(lambda d: st.integers(0, d).map(lambda gains: (gains, d - gains, n)))
)
pairs = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(0, 6)), min_size=0, max_size=40)


@settings(deadline=None)
@given(counts)
def test_mcnemar_p_values_are_the_exact_binomial_ones(data):
    gains, losses, _ = data
    m, smaller = gains + losses, min(gains, losses)
    tail = Fraction(sum(comb(m, k) for k in range(smaller + 1)), 2**m)
    point = Fraction(comb(m, smaller), 2**m)
    midp = 1 - point / 2 if gains == losses else 2 * tail - point
    expected = (1.0, 1.0) if m == 0 else (float(min(1, 2 * tail)), float(midp))
    assert (mcnemar_exact(gains, losses), mcnemar_midp(gains, losses)) == pytest.approx(expected, rel=1e-9)


def test_no_discordant_case_is_no_evidence():
    assert mcnemar_exact(0, 0) == mcnemar_midp(0, 0) == 1.0


@settings(deadline=None)
@given(counts, st.sampled_from([0.8, 0.95, 0.99]))
def test_intervals_of_paired_pass_rates_hold_the_difference_and_mirror(data, level):
    gains, losses, n = data
    found = tango_interval(gains, losses, n, level=level)
    assert -1.0 <= found.low <= found.estimate <= found.high <= 1.0
    assert found.high - found.low > 0.0
    mirrored = tango_interval(losses, gains, n, level=level)
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low), abs=1e-9)
    closed = bonett_price_interval(gains, losses, n, level=level)
    assert -1.0 <= closed.low < closed.high <= 1.0


@settings(deadline=None)
@given(counts)
def test_tango_bounds_are_where_the_score_test_turns(data):
    gains, losses, n = data
    found, critical = tango_interval(gains, losses, n), oracle.norm.ppf(0.975)
    if found.low > -1.0 + 1e-9:
        assert tango_score(gains, losses, n, found.low) == pytest.approx(critical, abs=1e-4)
    if found.high < 1.0 - 1e-9:
        assert tango_score(gains, losses, n, found.high) == pytest.approx(-critical, abs=1e-4)


@pytest.mark.parametrize(("gains", "losses", "n"), [(-1, 0, 5), (3, 3, 5), (0, 0, 0)])
def test_impossible_tables_are_refused(gains, losses, n):
    with pytest.raises(StatisticsError):
        tango_interval(gains, losses, n)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=2, max_size=10))
def test_exact_sign_flips_are_those_of_scipy(differences):
    values = np.round(np.array(differences), 3)
    found = sign_flip(values, rng=rng())
    expected = oracle.permutation_test(
        (values,),
        lambda x, axis: np.round(np.abs(np.sum(x, axis=axis)), 9),
        permutation_type="samples",
        n_resamples=np.inf,
        alternative="greater",
        vectorized=True,
    )
    assert found.exact
    assert found.p == pytest.approx(expected.pvalue)


def test_random_sign_flips_approach_the_exact_p():
    values = np.random.default_rng(8).normal(0.45, 1.0, size=16)
    exact = sign_flip(values, rng=rng())
    # Seventeen moving values leave the exact range; the last one is too small to matter.
    near = sign_flip(np.append(values, 1e-9), rng=rng())
    assert exact.exact
    assert not near.exact
    assert near.p == pytest.approx(exact.p, abs=4 * np.sqrt(exact.p * (1 - exact.p) / 10_000))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=0, max_size=60), st.integers(1, 200))
def test_a_permutation_p_is_never_zero_and_never_above_one(values, flips):
    found = sign_flip(np.array(values), rng=rng(), flips=flips)
    assert 0.0 < found.resolution <= found.p <= 1.0


def test_what_rounding_leaves_of_cancelled_differences_is_no_evidence():
    found = sign_flip(np.array([1.0, 1e-12, 1e-12]), rng=rng())
    assert (found.p, found.exact) == (1.0, True)


def test_a_permutation_needs_a_flip():
    with pytest.raises(StatisticsError, match="at least one"):
        sign_flip(np.array([1.0]), rng=rng(), flips=0)


@settings(max_examples=60, deadline=None)
@given(pairs, st.sampled_from([None, 0.05, 0.5]), st.booleans())
def test_swapping_the_sides_mirrors_the_comparison(data, margin, clustered):
    a, b, clusters = [row[0] for row in data], [row[1] for row in data], [row[2] for row in data]
    options = {"kind": "unit", "margin": margin, "clusters": clusters if clustered else None}
    forth, back = compare_paired(a, b, **options, rng=rng()), compare_paired(b, a, **options, rng=rng())
    assert forth.p == back.p
    assert 0.0 < forth.p <= 1.0
    assert forth.interval.estimable == back.interval.estimable
    if forth.interval.estimable:
        assert (back.interval.low, back.interval.high) == pytest.approx(
            (-forth.interval.high, -forth.interval.low), abs=1e-9
        )
        assert -1.0 <= forth.interval.low <= forth.difference <= forth.interval.high <= 1.0
    assert back.verdict == OPPOSITE[forth.verdict]


@settings(max_examples=30, deadline=None)
@given(pairs)
def test_renaming_clusters_changes_nothing(data):
    a, b, clusters = [row[0] for row in data], [row[1] for row in data], [row[2] for row in data]
    named = [f"document {17 - cluster}" for cluster in clusters]
    expected = compare_paired(a, b, kind="unit", clusters=clusters, margin=0.1, rng=rng())
    assert compare_paired(a, b, kind="unit", clusters=named, margin=0.1, rng=rng()) == expected


def test_pass_fail_scores_get_tango_and_midp():
    found = compare_paired(*pass_fail(12, 2, 50), kind="binary", rng=rng())
    assert (found.interval.method, found.test) == ("tango", "mcnemar_midp")
    assert found.p == pytest.approx(0.00738525390625)
    assert (found.difference, found.verdict, found.n) == (0.2, "better", 50)
    assert found.warnings == ()
    assert found.mean_b - found.mean_a == pytest.approx(found.difference)


def test_graded_scores_get_paired_t_and_sign_flips():
    source = np.random.default_rng(9)
    a = source.beta(4, 2, size=200)
    b = np.clip(a - 0.1 + source.normal(0, 0.05, size=200), 0, 1)
    found = compare_paired(a, b, kind="unit", rng=rng())
    assert (found.interval.method, found.test, found.verdict) == ("paired_t", "sign_flip", "worse")
    expected = oracle.ttest_rel(b, a).confidence_interval(0.95)
    assert (found.interval.low, found.interval.high) == pytest.approx((expected.low, expected.high))
    assert found.p == pytest.approx(1 / 10_001)


def test_clusters_take_away_what_repetition_pretends():
    # Eight documents of ten questions; each document goes one way as a whole.
    a = np.zeros(80)
    b = np.repeat([1, 1, 1, 0, 1, 0, 1, 0], 10)
    documents = np.repeat(np.arange(8), 10)
    naive = compare_paired(a, b, kind="binary", rng=rng())
    honest = compare_paired(a, b, kind="binary", clusters=documents, rng=rng())
    assert naive.p < 1e-9
    assert (honest.test, honest.interval.method) == ("cluster_sign_flip_exact", "paired_cr2_t")
    assert honest.p == pytest.approx(2 / 2**5)
    assert honest.verdict == "inconclusive"
    assert honest.clusters == 8
    assert any("8 clusters" in warning for warning in honest.warnings)
    assert any("smallest possible p" in warning for warning in honest.warnings)


def test_a_verdict_needs_test_and_interval_to_agree():
    # Mid-p says .031 at 5 gains of 5, Tango's interval starts above 0; six sign flips cannot reach .01.
    found = compare_paired(*pass_fail(5, 0, 40), kind="binary", alpha=0.01, rng=rng())
    assert found.verdict == "inconclusive"
    skewed = np.concatenate([np.full(25, 0.02), [0.9] * 4])
    graded = compare_paired(np.zeros(29), skewed, kind="unit", rng=rng())
    assert graded.p <= 0.05
    assert graded.interval.low > 0.0 or any("disagree" in warning for warning in graded.warnings)


@pytest.mark.parametrize(("n", "verdict"), [(60, "inconclusive"), (400, "equivalent")])
@pytest.mark.parametrize("kind", ["binary", "unit"])
def test_identical_scores_are_equivalent_only_with_enough_cases(n, verdict, kind):
    scores = [0, 1] * (n // 2)
    found = compare_paired(scores, scores, kind=kind, margin=0.02, rng=rng())
    assert found.verdict == verdict
    assert found.interval.high - found.interval.low > 0.0
    assert found.p == 1.0
    assert any("all differences are equal" in warning for warning in found.warnings)


def test_a_real_but_tiny_difference_is_equivalent_within_the_margin():
    source = np.random.default_rng(10)
    a = source.random(2000) * 0.9
    b = a + source.uniform(0.0, 0.01, size=2000)
    found = compare_paired(a, b, kind="unit", margin=0.03, rng=rng())
    assert found.verdict == "equivalent"
    assert any("smaller than the margin" in warning for warning in found.warnings)
    assert compare_paired(a, b, kind="unit", rng=rng()).verdict == "better"


def test_latency_is_better_when_lower():
    source = np.random.default_rng(11)
    slow = source.lognormal(6.0, 0.3, size=80)
    fast = slow * 0.8
    found = compare_paired(slow, fast, kind="real", rng=rng())
    assert found.verdict == "worse"
    turned = lower_is_better(found)
    assert turned.verdict == "better"
    assert turned.difference == found.difference < 0
    assert adjust_comparisons([turned])[0].verdict == "better"


def test_a_constant_difference_of_a_measure_is_inconclusive_and_says_why():
    found = compare_paired([1.0] * 40, [2.0] * 40, kind="real", rng=rng())
    assert (found.verdict, found.interval.low) == ("inconclusive", None)
    assert "spread is unknown" in found.interval.reason


@pytest.mark.parametrize("kind", ["binary", "unit", "real"])
@pytest.mark.parametrize(("scores", "difference"), [([], None), ([1.0], 0.0)])
def test_too_few_pairs_are_inconclusive_and_no_crash(kind, scores, difference):
    found = compare_paired(scores, scores, kind=kind, margin=0.1, rng=rng())
    assert (found.verdict, found.p, found.difference) == ("inconclusive", 1.0, difference)
    assert not found.interval.estimable
    assert any("below 30" in warning for warning in found.warnings)


def test_one_cluster_is_inconclusive():
    found = compare_paired([0] * 40, [1] * 40, kind="binary", clusters=["x"] * 40, margin=0.1, rng=rng())
    assert (found.verdict, found.p) == ("inconclusive", 1.0)
    assert any("one cluster" in warning for warning in found.warnings)


def test_misaligned_or_missing_scores_are_refused():
    with pytest.raises(StatisticsError, match="pair them by case"):
        compare_paired([0, 1], [1], kind="binary", rng=rng())
    with pytest.raises(StatisticsError, match="missing"):
        compare_paired([0.1, 0.2], [0.3, float("nan")], kind="unit", rng=rng())
    with pytest.raises(StatisticsError, match="margin"):
        compare_paired([0, 1], [1, 1], kind="binary", margin=0.0, rng=rng())
    with pytest.raises(StatisticsError, match="alpha"):
        tost_paired([0, 1], [1, 1], kind="binary", margin=0.1, alpha=0.5)


def test_tost_is_two_one_sided_t_tests(golden):
    inputs = golden["sleep_paired_t"]["inputs"]
    g1, g2 = np.array(inputs["g1"]), np.array(inputs["g2"])
    found = tost_paired(g1, g2, kind="real", margin=3.0)
    lower = oracle.ttest_1samp(g2 - g1, -3.0, alternative="greater").pvalue
    upper = oracle.ttest_1samp(g2 - g1, 3.0, alternative="less").pvalue
    assert (found.p_lower, found.p_upper) == pytest.approx((lower, upper))
    assert found.p == max(found.p_lower, found.p_upper)
    expected = oracle.ttest_1samp(g2 - g1, 0.0).confidence_interval(0.9)
    assert (found.interval.low, found.interval.high) == pytest.approx((expected.low, expected.high))
    assert found.equivalent == (found.p <= 0.05)
    assert not tost_paired(g1, g2, kind="real", margin=1.6).equivalent


@settings(deadline=None)
@given(counts, st.sampled_from([0.02, 0.1, 0.3]))
def test_equivalence_of_pass_rates_agrees_between_p_and_interval(data, margin):
    if data[2] < 2:
        return
    found = tost_paired(*pass_fail(*data), kind="binary", margin=margin)
    if abs(found.p - 0.05) > 1e-6:
        assert found.equivalent == (found.p < 0.05)


def test_gate_passes_fails_or_says_what_is_missing():
    base, candidate = pass_fail(12, 12, 1000)
    assert noninferiority(base, candidate, kind="binary", margin=0.02).outcome == "pass"
    base, candidate = pass_fail(5, 60, 1000)
    failed = noninferiority(base, candidate, kind="binary", margin=0.02)
    assert (failed.outcome, failed.proven_worse, failed.cases_needed) == ("fail", True, None)
    base, candidate = pass_fail(6, 6, 100)
    open_ = noninferiority(base, candidate, kind="binary", margin=0.02)
    assert open_.outcome == "inconclusive"
    assert open_.cases_needed > 1000
    assert not open_.proven_worse
    base, candidate = pass_fail(1, 5, 100)
    assert noninferiority(base, candidate, kind="binary", margin=0.02).cases_needed is None
    assert noninferiority([1], [1], kind="binary", margin=0.02).reason


@settings(deadline=None)
@given(counts)
def test_an_inconclusive_gate_asks_for_more_cases_than_there_are(data):
    if data[2] < 2:
        return
    found = noninferiority(*pass_fail(*data), kind="binary", margin=0.05)
    if found.cases_needed is not None:
        assert found.cases_needed > found.n


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=0, max_size=40), st.randoms(use_true_random=False))
def test_adjusted_p_values_rise_with_the_raw_ones_and_never_fall_below_them(p_values, random):
    raw = np.array(p_values, dtype=float)
    for method in (holm, hochberg, bh, by):
        adjusted = method(raw)
        assert np.all(adjusted >= raw)
        assert np.all(adjusted <= 1.0)
        assert np.all(np.diff(adjusted[np.argsort(raw)]) >= 0)
        order = list(range(raw.size))
        random.shuffle(order)
        assert method(raw[order]) == pytest.approx(adjusted[order])
    assert np.all(hochberg(raw) <= holm(raw) + 1e-15)
    assert np.all(bh(raw) <= hochberg(raw) + 1e-15)


def test_adjustment_refuses_what_is_no_p_value():
    for values in ([0.5, 1.5], [float("nan")], [-0.1]):
        with pytest.raises(StatisticsError):
            holm(values)
    with pytest.raises(StatisticsError, match="unknown adjustment"):
        adjust([0.5], "tukey")


def test_holm_takes_verdicts_back_that_one_of_many_would_have_won():
    clear = compare_paired(*pass_fail(40, 5, 200), kind="binary", rng=rng())
    marginal = compare_paired(*pass_fail(15, 4, 200), kind="binary", rng=rng())
    assert (clear.verdict, marginal.verdict) == ("better", "better")
    nothing = compare_paired(*pass_fail(9, 9, 200), kind="binary", rng=rng())
    family = adjust_comparisons([marginal, clear, *[nothing] * 8])
    assert [c.verdict for c in family[:3]] == ["inconclusive", "better", "inconclusive"]
    assert [c.p_adjusted for c in family] == pytest.approx(
        holm([c.p for c in [marginal, clear, *[nothing] * 8]])
    )
    assert family[0].p == marginal.p
    assert family[0].adjustment == "holm"
    assert adjust_comparisons(family) == family
    assert adjust_comparisons([]) == ()


def test_equivalence_is_adjusted_too():
    edge = next(
        found
        for n in range(100, 2000, 10)
        if (found := compare_paired(*pass_fail(3, 3, n), kind="binary", margin=0.02, rng=rng())).verdict
        == "equivalent"
    )
    family = adjust_comparisons([edge] * 5)
    assert [c.verdict for c in family] == ["inconclusive"] * 5
    assert family[0].equivalence_p_adjusted == pytest.approx(5 * edge.equivalence.p)


def test_a_family_too_large_for_the_flips_is_warned_of():
    source = np.random.default_rng(12)
    a = source.random(40)
    found = compare_paired(a, a * 0.5, kind="unit", rng=rng())
    assert found.verdict == "worse"
    family = adjust_comparisons([found, *[compare_paired(a, a, kind="unit", rng=rng())] * 600])
    assert any("too coarse for 601 comparisons" in warning for warning in family[0].warnings)
    again = adjust_comparisons(family[:2])
    assert not any("too coarse" in warning for warning in again[0].warnings)
