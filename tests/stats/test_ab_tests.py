"""A/B tests: sticky assignment, the unit that was randomised, covariates, and looks before the end."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.stats.ab_tests import (
    Look,
    OpenHorizon,
    Ratio,
    Segment,
    Units,
    ab_test,
    allocate,
    assign,
    bucket,
    cuped_theta,
    extend,
    srm,
    welch,
)
from assay.stats.errors import StatisticsError
from assay.stats.group_sequential import gs_bounds

names = st.text(max_size=20)
HALVES = {"control": 0.5, "treatment": 0.5}


def two_arms(control, treatment, **more):
    variant = ["a"] * len(control) + ["b"] * len(treatment)
    return Units(variant=variant, control="a", **more), np.concatenate([control, treatment])


@given(names, names)
def test_a_unit_always_sees_the_same_variant(experiment, unit):
    assert 0.0 <= bucket(experiment, unit) < 1.0
    seen = {assign(experiment, unit, HALVES) for _ in range(3)}
    assert len(seen) == 1
    assert seen <= HALVES.keys()


@pytest.mark.parametrize("weights", [{"a": 0.5, "b": 0.5}, {"a": 0.1, "b": 0.2, "c": 0.7}, {"a": 0.05}])
def test_variants_get_their_shares(weights):
    seen = [assign("shares", f"user-{i}", weights) for i in range(20_000)]
    for variant, share in weights.items():
        error = math.sqrt(share * (1 - share) / len(seen))
        assert seen.count(variant) / len(seen) == pytest.approx(share, abs=4 * error)
    outside = 1 - sum(weights.values())
    assert seen.count(None) / len(seen) == pytest.approx(outside, abs=0.015)


def test_experiments_do_not_know_of_each_other():
    pairs = np.array([(bucket("one", f"u{i}"), bucket("two", f"u{i}")) for i in range(10_000)])
    assert abs(np.corrcoef(pairs.T)[0, 1]) < 0.04


@given(st.lists(st.integers(0, 100), min_size=2, max_size=4), st.lists(st.integers(0, 100), min_size=2))
def test_ramping_up_moves_nobody(first, more):
    first, more = (first + [0] * 4)[:4], (more + [0] * 4)[:4]
    grown = [a + b for a, b in zip(first, more, strict=True)]
    total = max(1, sum(grown))
    before = allocate({f"v{i}": x / total for i, x in enumerate(first)})
    after = extend(before, {f"v{i}": x / total for i, x in enumerate(grown)})
    ends = [0.0, *(part.end for part in after)]
    assert [part.start for part in after] == ends[:-1]
    for i in range(50):
        old, new = assign("ramp", f"u{i}", before), assign("ramp", f"u{i}", after)
        assert old in {None, new}
    if sum(grown):
        assert after[-1].end == 1.0


def test_ramping_up_keeps_the_first_segments():
    start = allocate({"a": 0.1, "b": 0.1})
    assert start == (Segment("a", 0.0, 0.1), Segment("b", 0.1, 0.2))
    assert extend(start, {"a": 0.5, "b": 0.5})[:2] == start
    with pytest.raises(StatisticsError, match="share of a cannot shrink"):
        extend(start, {"a": 0.05, "b": 0.5})
    with pytest.raises(StatisticsError, match="share of b cannot shrink"):
        extend(start, {"a": 0.5})


@pytest.mark.parametrize(
    "weights", [{}, {"a": 0.7, "b": 0.7}, {"a": -0.1}, {"a": 50, "b": 50}, {"a": math.nan}]
)
def test_impossible_shares_are_refused(weights):
    with pytest.raises(StatisticsError):
        allocate(weights)


def test_lost_units_raise_the_alarm():
    assert srm([5200, 4800]).mismatch
    assert not srm([5050, 4950]).mismatch
    found = srm([700, 200, 100], [7, 2, 1])
    assert (found.chi2, found.p, found.df) == (0.0, 1.0, 2)
    assert found.expected == pytest.approx((700, 200, 100))


@pytest.mark.parametrize(
    ("counts", "weights"), [([1], None), ([0, 0], None), ([-1, 2], None), ([1, 2], [1, 0])]
)
def test_counts_that_say_nothing_are_refused(counts, weights):
    with pytest.raises(StatisticsError):
        srm(counts, weights)


def test_one_row_a_unit_is_welch():
    source = np.random.default_rng(1)
    control, treatment = source.normal(0, 1, 40), source.normal(0.5, 2, 60)
    units, values = two_arms(control, treatment, weights=(0.4, 0.6))
    found = ab_test(units, values)
    interval, p = welch(control, treatment)
    assert found.p == p
    assert [found.interval.low, found.interval.high] == pytest.approx([interval.low, interval.high])
    assert found.estimate == pytest.approx(treatment.mean() - control.mean())
    assert (found.control, found.treatment) == pytest.approx((control.mean(), treatment.mean()))
    assert found.units == (40, 60)
    assert found.warnings == ()


def test_rows_of_a_unit_count_once():
    source = np.random.default_rng(2)
    per_user = [source.normal(m, 1, 50) for m in (0.0, 0.6)]
    units, values = two_arms(*per_user)
    once = ab_test(units, values)
    many = Units(variant=np.repeat(units.variant, 7), control="a", unit=np.repeat(np.arange(100), 7))
    found = ab_test(many, np.repeat(values, 7))
    assert found.estimate == pytest.approx(once.estimate)
    assert found.p == pytest.approx(once.p)
    assert found.units == (50, 50)
    naive = ab_test(Units(variant=many.variant, control="a"), np.repeat(values, 7))
    assert naive.p < found.p


def test_a_ratio_is_the_sum_over_the_sum_with_the_delta_method():
    source = np.random.default_rng(3)
    rows = source.poisson(4, size=(2, 400)) + 1.0
    values = rows * source.normal(1.0, 0.3, size=(2, 400))
    units = Units(variant=np.repeat(["a", "b"], 400), control="a")
    found = ab_test(units, Ratio(values.ravel(), rows.ravel()))
    ratios = values.sum(axis=1) / rows.sum(axis=1)
    assert found.estimate == pytest.approx(ratios[1] - ratios[0])
    parts = [
        np.var(v - r * n, ddof=1) / 400 / n.mean() ** 2 for v, n, r in zip(values, rows, ratios, strict=True)
    ]
    half = (found.interval.high - found.interval.low) / 2
    assert half == pytest.approx(1.963 * math.sqrt(sum(parts)), rel=0.01)


def test_a_covariate_narrows_the_interval_as_its_correlation_says():
    source = np.random.default_rng(4)
    before = source.normal(size=4000)
    after = 0.8 * before + source.normal(0, 0.6, size=4000)
    units = Units(variant=np.repeat(["a", "b"], 2000), control="a")
    plain, adjusted = ab_test(units, after), ab_test(units, after, covariate=before)
    width = [found.interval.high - found.interval.low for found in (plain, adjusted)]
    assert adjusted.variance_ratio == pytest.approx(1 - 0.8**2, abs=0.03)
    assert (width[1] / width[0]) ** 2 == pytest.approx(adjusted.variance_ratio, rel=0.01)
    assert adjusted.theta == pytest.approx(0.8, abs=0.03)
    assert (plain.theta, plain.variance_ratio) == (None, None)


def test_a_covariate_leaves_the_estimate_unbiased_when_sizes_depend_on_it():
    # Active users send more rows, and the treatment makes them send more still.
    source, estimates = np.random.default_rng(5), []
    for _ in range(200):
        before = source.gamma(2.0, size=600)
        treated = np.arange(600) % 2
        rows = 1 + source.poisson(before * (1 + treated))
        values = rows * (before + source.normal(0, 0.5, size=600))
        units = Units(variant=treated, control=0)
        pair = [ab_test(units, Ratio(values, rows), covariate=c).estimate for c in (None, before)]
        estimates.append(pair)
    plain, adjusted = np.mean(estimates, axis=0)
    error = np.std(estimates, axis=0, ddof=1) / math.sqrt(200)
    assert adjusted == pytest.approx(plain, abs=3 * float(error.max()))
    assert error[1] < error[0]


def test_planned_looks_compare_with_their_own_level():
    source = np.random.default_rng(6)
    units, values = two_arms(source.normal(0, 1, 300), source.normal(0.28, 1, 300))
    plan = gs_bounds(4, 0.05, "obrien_fleming")
    early, late = (ab_test(units, values, looks=Look(plan, k)) for k in (1, 4))
    once = ab_test(units, values)
    assert once.decision == "different" == late.decision
    assert early.decision == "not shown"
    assert early.p == late.p == once.p
    assert early.threshold < late.threshold < once.threshold
    assert early.interval.low < late.interval.low < once.interval.low
    for found in (early, late, once):
        assert found.interval.excludes(0.0) == (found.decision == "different")
    with pytest.raises(StatisticsError, match="alpha"):
        ab_test(units, values, looks=Look(plan, 1), alpha=0.01)
    with pytest.raises(StatisticsError, match="look 5"):
        ab_test(units, values, looks=Look(plan, 5))


def test_a_look_without_anything_to_spend_decides_nothing():
    units, values = two_arms([0.0, 0.1] * 50, [5.0, 5.1] * 50)
    plan = gs_bounds(40)
    found = ab_test(units, values, looks=Look(plan, 1))
    assert not found.interval.estimable
    assert "too early" in found.interval.reason
    assert found.decision == "not shown"


def test_an_open_horizon_is_wider_and_valid_at_any_time():
    source = np.random.default_rng(7)
    units, values = two_arms(source.normal(0, 1, 2000), source.normal(0.3, 1, 2000))
    found, once = ab_test(units, values, looks=OpenHorizon(tau=0.2)), ab_test(units, values)
    assert found.p > once.p
    assert found.decision == "different"
    assert found.interval.low < once.interval.low
    assert found.interval.method == "msprt"


@given(st.floats(-5, 5), st.floats(0.1, 10))
def test_a_shift_moves_and_a_scale_scales(shift, scale):
    source = np.random.default_rng(8)
    units, values = two_arms(source.normal(0, 1, 30), source.normal(1, 1, 30))
    plain, moved = ab_test(units, values), ab_test(units, shift + scale * values)
    assert moved.p == pytest.approx(plain.p, rel=1e-6)
    assert moved.estimate == pytest.approx(scale * plain.estimate, rel=1e-6)


def test_swapping_control_and_treatment_mirrors_the_result():
    source = np.random.default_rng(9)
    units, values = two_arms(source.normal(0, 1, 35), source.normal(1, 1, 30))
    found = ab_test(units, values, covariate=source.normal(size=65))
    turned = ab_test(Units(variant=units.variant, control="b"), values, covariate=np.arange(65.0))
    plain = ab_test(units, values, covariate=np.arange(65.0))
    assert turned.interval.low == pytest.approx(-plain.interval.high)
    assert turned.p == pytest.approx(plain.p)
    assert found.p != plain.p


def test_what_spoils_a_test_is_said():
    units, values = two_arms([0.0, 1.0] * 500, [0.0, 1.0] * 350)
    found = ab_test(units, values)
    assert found.sample_ratio.mismatch
    assert "no result can be trusted" in found.warnings[0]
    small = ab_test(*two_arms([0.0, 1.0] * 5, [0.0, 1.0] * 5), looks=OpenHorizon(tau=0.1))
    assert [text.split(" units")[0] for text in small.warnings] == ["fewer than 30", "fewer than 100"]


@pytest.mark.parametrize(
    ("control", "treatment", "reason"),
    [
        ([], [], "fewer than two units"),
        ([1.0], [1.0, 2.0], "fewer than two units"),
        ([1.0, 1.0], [2.0, 2.0], "spread is unknown"),
    ],
)
def test_what_cannot_be_estimated_says_why(control, treatment, reason):
    found = ab_test(*two_arms(control, treatment))
    assert reason in found.interval.reason
    assert found.p == 1.0
    assert found.decision == "not shown"


def test_a_covariate_that_cannot_help_is_no_result_and_not_a_crash():
    units, values = two_arms([1.0, 2.0, 3.0], [2.0, 3.0, 5.0])
    assert "does not vary" in ab_test(units, values, covariate=[1.0] * 6).interval.reason
    assert "wholly" in ab_test(units, values, covariate=values).interval.reason
    few = two_arms([1.0, 2.0], [2.0, 5.0])
    assert ab_test(*few, covariate=[1.0, 2.0, 1.0, 3.0]).interval.estimable


def test_denominators_of_zero_are_units_without_weight():
    units = Units(variant=["a"] * 3 + ["b"] * 3, control="a")
    found = ab_test(units, Ratio([0, 1, 2, 0, 2, 3], [0, 2, 2, 0, 2, 2]))
    assert (found.control, found.treatment) == (0.75, 1.25)
    empty = ab_test(units, Ratio([0, 0, 0, 0, 2, 3], [0, 0, 0, 0, 2, 2]))
    assert "denominator above 0" in empty.interval.reason


def test_rows_that_fit_nowhere_are_refused():
    with pytest.raises(StatisticsError, match="1 units saw both"):
        ab_test(Units(variant=["a", "b", "a"], control="a", unit=[1, 1, 2]), [1.0, 2.0, 3.0])
    with pytest.raises(StatisticsError, match="more than one treatment"):
        ab_test(Units(variant=["a", "b", "c"], control="a"), [1.0, 2.0, 3.0])
    with pytest.raises(StatisticsError, match="one of each a row"):
        ab_test(Units(variant=["a", "b"], control="a"), [1.0, 2.0, 3.0])
    with pytest.raises(StatisticsError, match="missing"):
        ab_test(Units(variant=["a", "b"], control="a"), [1.0, math.nan])
    with pytest.raises(StatisticsError, match="units for"):
        ab_test(Units(variant=["a", "b"], control="a", unit=[1]), [1.0, 2.0])
    with pytest.raises(StatisticsError, match="negative"):
        ab_test(Units(variant=["a", "b"], control="a"), Ratio([1, 1], [1, -1]))
    with pytest.raises(StatisticsError, match="2 numerators"):
        ab_test(Units(variant=["a", "b"], control="a"), Ratio([1, 1], [1]))
    with pytest.raises(StatisticsError, match="explains nothing"):
        cuped_theta([1.0, 2.0], [3.0, 3.0])
    with pytest.raises(StatisticsError, match="one a unit"):
        cuped_theta([1.0, 2.0], [3.0])
