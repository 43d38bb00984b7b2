"""Power, bounds for failures and the cost of a correct answer."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as oracle

from assay.stats.cost import cost_per_correct
from assay.stats.coverage import bounds_with_failures
from assay.stats.discordance import mcnemar_midp
from assay.stats.errors import StatisticsError
from assay.stats.power import (
    PairedVariance,
    cases_needed,
    detectable_difference,
    independent_discordance,
    mcnemar_cases,
    mcnemar_detectable,
    noninferiority_cases,
    pilot_variance,
    power_of,
    repeated_pilot_variance,
    units_per_arm,
)
from assay.stats.repeats import group_repeats

variances = st.builds(
    PairedVariance,
    omega2=st.floats(0.01, 0.5),
    sigma2_a=st.floats(0, 0.25),
    sigma2_b=st.floats(0, 0.25),
    repeats_a=st.integers(1, 8),
    repeats_b=st.integers(1, 8),
    design_effect=st.floats(1, 5),
)


@settings(deadline=None)
@given(variances, st.floats(0.005, 0.3), st.sampled_from([0.01, 0.05]), st.sampled_from([0.8, 0.9]))
def test_the_planned_cases_have_the_power_that_was_asked_for(variance, delta, alpha, power):
    cases = cases_needed(variance, delta=delta, alpha=alpha, power=power)
    assert power_of(variance, delta=delta, cases=cases, alpha=alpha) >= power - 1e-9
    assert detectable_difference(variance, cases=cases, alpha=alpha, power=power) <= delta * (1 + 1e-9)
    assert cases_needed(variance, delta=-delta, alpha=alpha, power=power) == cases


def test_power_without_a_difference_is_the_false_alarm_rate():
    assert power_of(PairedVariance(omega2=0.1), delta=0.0, cases=100) == pytest.approx(0.05)


def test_clusters_multiply_the_cases():
    plain = cases_needed(PairedVariance(omega2=0.1), delta=0.03)
    assert cases_needed(PairedVariance(omega2=0.1, design_effect=2.0), delta=0.03) == pytest.approx(
        2 * plain, abs=2
    )


def test_a_gate_needs_fewer_cases_than_a_two_sided_test_of_the_same_size():
    variance = PairedVariance(omega2=0.12)
    cases = noninferiority_cases(variance, margin=0.02)
    shift = 0.02 / np.sqrt(0.12 / cases)
    assert oracle.norm.cdf(shift - oracle.norm.ppf(0.95)) == pytest.approx(0.8, abs=1e-3)
    assert cases < cases_needed(variance, delta=0.02)


def test_a_pilot_tells_the_variance():
    source = np.random.default_rng(14)
    a, b = source.normal(size=300), source.normal(size=300)
    assert pilot_variance(a, b, kind="real").per_case == pytest.approx(np.var(b - a, ddof=1))
    unchanged = pilot_variance([1, 0] * 20, [1, 0] * 20, kind="binary")
    assert 0 < unchanged.per_case < 0.05
    with pytest.raises(StatisticsError, match="pilot"):
        pilot_variance([1.0], [0.0], kind="unit")


def test_a_pilot_with_repeats_tells_noise_from_differences_between_cases():
    source = np.random.default_rng(16)
    n, repeats = 4000, 4
    cases = np.repeat(np.arange(n), repeats)
    hard, change = source.normal(0, 0.3, size=n), source.normal(0, 0.2, size=n)
    a = group_repeats(hard[cases] + source.normal(0, 0.1, size=cases.size), cases)
    b = group_repeats((hard + change)[cases] + source.normal(0, 0.4, size=cases.size), cases)
    found = repeated_pilot_variance(a, b)
    assert found.omega2 == pytest.approx(0.04, rel=0.15)
    assert found.sigma2_a == pytest.approx(0.01, rel=0.1)
    assert found.sigma2_b == pytest.approx(0.16, rel=0.1)
    assert (found.repeats_a, found.repeats_b) == (4, 4)
    seen = pilot_variance(a.means, b.means, kind="real")
    assert found.per_case == pytest.approx(seen.per_case, rel=1e-9)
    turned = group_repeats(b.means[::-1], np.arange(n)[::-1])
    with pytest.raises(StatisticsError, match="repeats on both sides"):
        repeated_pilot_variance(a, turned)
    with pytest.raises(StatisticsError, match="different cases"):
        repeated_pilot_variance(a, group_repeats([1.0, 0.0], ["x", "x"]))


def test_cases_of_a_pilot_are_matched_by_name():
    a = group_repeats([0, 1, 1, 1, 0, 0], ["x", "x", "y", "y", "z", "z"])
    b = group_repeats([0, 0, 1, 1, 1, 0], ["z", "z", "y", "y", "x", "x"])
    assert repeated_pilot_variance(a, b).omega2 == 0.0


@pytest.mark.parametrize(
    "call",
    [
        lambda: cases_needed(PairedVariance(omega2=0.0), delta=0.1),
        lambda: cases_needed(PairedVariance(omega2=-0.1), delta=0.1),
        lambda: cases_needed(PairedVariance(omega2=0.1, repeats_a=0), delta=0.1),
        lambda: cases_needed(PairedVariance(omega2=0.1), delta=0.0),
        lambda: cases_needed(PairedVariance(omega2=0.1), delta=0.1, power=0.01),
        lambda: cases_needed(PairedVariance(omega2=0.1), delta=0.1, alpha=0.0),
        lambda: detectable_difference(PairedVariance(omega2=0.1), cases=0),
        lambda: noninferiority_cases(PairedVariance(omega2=0.1), margin=-0.1),
    ],
)
def test_impossible_plans_are_refused(call):
    with pytest.raises(StatisticsError):
        call()


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), max_size=40), st.integers(0, 10))
def test_failures_bound_the_mean_from_both_sides(scores, failed):
    found = bounds_with_failures(scores, len(scores) + failed)
    if not scores and not failed:
        assert (found.mean, found.low, found.high, found.coverage) == (None, None, None, None)
        return
    assert found.low == pytest.approx(np.mean([*scores, *[0.0] * failed]))
    assert found.high == pytest.approx(np.mean([*scores, *[1.0] * failed]))
    assert found.coverage == len(scores) / (len(scores) + failed)
    assert (found.mean is None) == (not scores)
    if scores:
        assert found.low - 1e-12 <= found.mean <= found.high + 1e-12


def test_more_scores_than_planned_are_refused():
    with pytest.raises(StatisticsError, match="only 1 were planned"):
        bounds_with_failures([1.0, 0.0], 1)


def accepted_ratios(cost, correct, level):
    """The ratios that a t test does not reject, by a search over a grid: Fieller's definition."""
    grid = np.linspace(0.0, 4.0 * cost.sum() / correct.sum(), 40_001)
    residual = cost - grid[:, None] * correct
    t = residual.mean(axis=1) / (residual.std(axis=1, ddof=1) / np.sqrt(cost.size))
    kept = grid[np.abs(t) <= oracle.t.ppf((1 + level) / 2, cost.size - 1)]
    return kept.min(), kept.max(), grid[1]


@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize("scale", [1e-7, 1.0, 1e4])
def test_fieller_holds_the_ratios_that_a_t_test_accepts(level, scale):
    source = np.random.default_rng(15)
    cost = source.lognormal(0.0, 0.6, size=60) * scale
    correct = (source.random(60) < 0.6).astype(float)
    found = cost_per_correct(cost, correct, level=level)
    low, high, step = accepted_ratios(cost, correct, level)
    assert found.estimate == pytest.approx(cost.sum() / correct.sum())
    assert (found.low, found.high) == pytest.approx((low, high), abs=2 * step)
    assert found.df == 59


@pytest.mark.parametrize(
    ("cost", "correct", "reason", "estimate"),
    [
        ([0.1, 0.2, 0.3], [0, 0, 0], "no answer is correct", None),
        ([0.1, 0.2, 0.3], [0, 0, 1], "no upper bound", 0.6),
        ([0.1], [1], "two cases", 0.1),
        ([], [], "two cases", None),
        ([0.0, 0.0], [1, 0], "all costs are 0", 0.0),
        ([0.1, 0.1], [1, 1], "spread is unknown", 0.1),
    ],
)
def test_a_cost_that_cannot_be_bounded_says_why(cost, correct, reason, estimate):
    found = cost_per_correct(cost, correct)
    assert (found.low, found.high) == (None, None)
    assert found.estimate == (None if estimate is None else pytest.approx(estimate))
    assert reason in found.reason


def test_costs_are_paired_and_not_negative():
    with pytest.raises(StatisticsError, match="pair them"):
        cost_per_correct([0.1, 0.2], [1])
    with pytest.raises(StatisticsError, match="negative"):
        cost_per_correct([0.1, -0.2], [1, 1])


@pytest.mark.parametrize(
    ("discordance", "delta", "cases"),
    [(0.2, 0.05, 626), (0.4, 0.1, 312), (0.1, 0.04, 489)],
)
def test_mcnemar_finds_the_planned_difference_as_often_as_promised(discordance, delta, cases):
    planned = mcnemar_cases(discordance, delta=delta)
    assert planned == cases
    gain, loss = (discordance + delta) / 2, (discordance - delta) / 2
    source = np.random.default_rng(17)
    tables = source.multinomial(planned, [gain, loss, 1 - gain - loss], size=4_000)
    found = np.mean([mcnemar_midp(int(up), int(down)) < 0.05 for up, down, _ in tables])
    assert 0.77 < found < 0.83


@given(st.floats(0.02, 1.0), st.integers(20, 5_000))
def test_what_mcnemar_can_detect_is_what_it_was_planned_for(discordance, cases):
    delta = mcnemar_detectable(discordance, cases=cases)
    if delta is None:
        assert mcnemar_cases(discordance, delta=discordance) > cases
        return
    assert 0 < delta <= discordance
    assert mcnemar_cases(discordance, delta=min(discordance, delta * (1 + 1e-9))) <= cases + 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: mcnemar_cases(0.02, delta=0.05),
        lambda: mcnemar_cases(1.2, delta=0.05),
        lambda: mcnemar_detectable(0.0, cases=100),
        lambda: mcnemar_detectable(0.1, cases=0),
        lambda: independent_discordance(1.2, 0.5),
    ],
)
def test_impossible_discordances_are_refused(call):
    with pytest.raises(StatisticsError):
        call()


def test_unrelated_pass_rates_disagree_as_two_coins_do():
    assert independent_discordance(0.5, 0.5) == 0.5
    assert independent_discordance(1.0, 0.7) == pytest.approx(0.3)


def test_units_per_arm_agree_with_r():
    # R 4.2.2: power.prop.test(p1 = .7, p2 = .75, power = .8)
    assert units_per_arm(0.7, 0.75) == pytest.approx(1250.71673846211, abs=0.001)


@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95), st.floats(0.5, 0.95))
def test_more_power_needs_more_units_whichever_arm_is_first(first, second, power):
    if abs(first - second) < 0.01:
        return
    needed = units_per_arm(first, second, power=power)
    assert needed == pytest.approx(units_per_arm(second, first, power=power))
    assert needed < units_per_arm(first, second, power=power + 0.04)


@pytest.mark.parametrize(("first", "second"), [(0.5, 0.5), (-0.1, 0.5), (0.5, 1.1), (math.nan, 0.5)])
def test_rates_that_cannot_be_told_apart_are_refused(first, second):
    with pytest.raises(StatisticsError):
        units_per_arm(first, second)
