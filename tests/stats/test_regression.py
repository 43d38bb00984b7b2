"""What got worse, case by case, and what shipping it costs."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy import stats as oracle

from assay.stats.errors import StatisticsError
from assay.stats.regression import case_regressions, fisher_exact_fewer, shipping_risk

sides = st.integers(1, 12).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def runs(rates, repeats, seed):
    """Pass/fail answers of each case and the case of each answer."""
    cases = np.repeat(np.arange(len(rates)), repeats)
    return np.random.default_rng(seed).random(cases.size) < np.asarray(rates)[cases], cases


@settings(deadline=None)
@given(sides, sides)
def test_the_exact_test_is_that_of_scipy(before, after):
    table = [[after[0], after[1] - after[0]], [before[0], before[1] - before[0]]]
    expected = oracle.fisher_exact(table, alternative="less").pvalue
    assert fisher_exact_fewer(before, after) == pytest.approx(expected, abs=1e-9)


def test_a_case_that_broke_is_found_among_many():
    rates = [0.9] * 40
    broken = [*rates[:3], 0.0, *rates[4:]]
    found = case_regressions(runs(rates, 10, 1), runs(broken, 10, 2))
    assert [change.case for change in found.cases if change.regressed] == [3]
    assert found.warnings == ()
    worst = found.cases[3]
    assert (worst.answers_before, worst.answers_after, worst.passes_after) == (10, 10, 0)
    assert worst.p <= worst.p_adjusted <= 0.05


def test_unchanged_flaky_cases_seldom_look_broken():
    alarms = sum(
        any(
            change.regressed
            for change in case_regressions(runs([0.8] * 30, 5, s), runs([0.8] * 30, 5, s + 999)).cases
        )
        for s in range(200)
    )
    assert alarms / 200 <= 0.05


def test_single_answers_cannot_prove_a_regression_and_the_report_says_so():
    found = case_regressions(([1, 1], ["a", "b"]), ([0, 1], ["a", "b"]))
    assert not any(change.regressed for change in found.cases)
    assert "too few answers" in found.warnings[0]
    assert found.cases[0].p == pytest.approx(0.5)


def test_cases_of_one_side_are_left_out_and_counted():
    found = case_regressions(([1] * 8, ["a"] * 4 + ["b"] * 4), ([0] * 8, ["a"] * 4 + ["c"] * 4))
    assert [change.case for change in found.cases] == ["a"]
    assert found.cases[0].regressed
    assert found.warnings == ("2 cases have answers on one side only and are left out",)
    assert case_regressions(([], []), ([], [])).cases == ()


@settings(deadline=None, max_examples=50)
@given(st.floats(-0.2, 0.2), st.floats(0.005, 0.1))
def test_the_loss_is_the_mean_of_what_is_lost(difference, error):
    found = shipping_risk(difference, error)
    law = oracle.norm(difference, error)
    expected = integrate.quad(lambda d: -d * law.pdf(d), difference - 12 * error, 0.0, limit=200)[0]
    if difference - 12 * error < 0.0:
        assert found.expected_loss == pytest.approx(expected, abs=1e-7)
    assert found.chance_worse == pytest.approx(law.cdf(0.0))
    assert found.expected_loss >= max(0.0, -difference) - 1e-12


@pytest.mark.parametrize(
    "call",
    [
        lambda: shipping_risk(0.1, 0.0),
        lambda: shipping_risk(math.nan, 0.1),
        lambda: fisher_exact_fewer((3, 2), (0, 1)),
        lambda: fisher_exact_fewer((0, 0), (0, 1)),
        lambda: case_regressions(([0.5], ["a"]), ([1], ["a"])),
    ],
)
def test_what_is_impossible_is_refused(call):
    with pytest.raises(StatisticsError):
        call()
