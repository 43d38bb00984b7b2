"""Planned looks: alpha is spent, all of it, and no more, however the looks lie."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.stats.errors import StatisticsError
from assay.stats.group_sequential import crossing_probabilities, gs_bounds

SPENDINGS = ("pocock", "obrien_fleming", "lan_demets_pocock", "lan_demets_obrien_fleming")
plans = st.lists(st.integers(1, 40), min_size=1, max_size=8).map(
    lambda steps: (*(float(x) for x in np.cumsum(steps)[:-1] / sum(steps)), 1.0)
)


@settings(max_examples=30, deadline=None)
@given(plans, st.sampled_from(SPENDINGS), st.sampled_from([0.01, 0.05, 0.1]))
def test_the_looks_exhaust_alpha_and_no_more(fractions, spending, alpha):
    plan = gs_bounds(fractions, alpha, spending)
    assert plan.spent[-1] == pytest.approx(alpha, abs=1e-6)
    assert plan.spent[-1] <= alpha + 1e-9
    assert list(plan.spent) == sorted(plan.spent)
    assert all(bound >= 1.95 or alpha > 0.05 for bound in plan.critical)
    assert plan.fractions == fractions


@pytest.mark.parametrize("spending", SPENDINGS)
def test_a_single_look_is_the_usual_test(spending):
    plan = gs_bounds(1, 0.05, spending)
    assert plan.critical == pytest.approx((1.959964,), abs=1e-6)
    assert plan.nominal(1) == pytest.approx(0.05)


def test_obrien_fleming_asks_for_much_early_and_little_late():
    plan = gs_bounds(5, 0.05, "obrien_fleming")
    assert list(plan.critical) == sorted(plan.critical, reverse=True)
    assert plan.nominal(1) < 1e-5 < 0.04 < plan.nominal(5) < 0.05
    assert gs_bounds(5, 0.05, "pocock").nominal(1) == pytest.approx(0.0158, abs=1e-4)


def test_a_look_too_early_to_spend_anything_has_no_bound():
    plan = gs_bounds(40, 0.05, "lan_demets_obrien_fleming")
    assert math.isinf(plan.critical[0])
    assert plan.nominal(1) == 0.0
    assert plan.spent[-1] == pytest.approx(0.05, abs=1e-6)


def test_crossings_are_those_of_a_random_walk():
    plan = gs_bounds(4, 0.05, "obrien_fleming")
    source = np.random.default_rng(4)
    for drift in (0.0, 2.8):
        steps = source.normal(drift / 4, math.sqrt(1 / 4), size=(200_000, 4))
        z = np.cumsum(steps, axis=1) / np.sqrt(np.arange(1, 5) / 4)
        crossed = np.maximum.accumulate(np.abs(z) >= plan.critical, axis=1).mean(axis=0)
        found = crossing_probabilities(plan.fractions, plan.critical, drift)
        assert found == pytest.approx(crossed, abs=0.004)


@pytest.mark.parametrize("looks", [0, [], [0.5], [0.5, 0.4, 1.0], [0.0, 1.0], [0.5, 1.5], [0.5, 0.5, 1.0]])
def test_impossible_looks_are_refused(looks):
    with pytest.raises(StatisticsError, match="look"):
        gs_bounds(looks)


def test_impossible_plans_are_refused():
    with pytest.raises(StatisticsError, match="alpha"):
        gs_bounds(3, 1.0)
    with pytest.raises(StatisticsError, match="unknown spending"):
        gs_bounds(3, 0.05, "haybittle")
    with pytest.raises(StatisticsError, match="not one of the 3"):
        gs_bounds(3).nominal(4)
