"""E-processes: what they agree with, what holds for every input, and that peeking costs nothing."""

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from assay.stats.eprocess import (
    GRID,
    PairedNull,
    anytime_p,
    mcnemar_log_e,
    msprt_interval,
    msprt_log_e,
    paired_log_e,
    paired_log_e_paths,
    rejects,
)
from assay.stats.errors import StatisticsError

differences_of = st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0]), min_size=1, max_size=30)


def step_by_step(differences, null):
    """The definition, one case after the other."""
    wealth, total, path = [0.0] * len(null.grid), 0.0, []
    for seen, difference in enumerate(differences):
        left = 1.0 if null.population is None else null.population / (null.population - seen)
        centre = 0.0 if null.population is None else max(-1.0, -total / (null.population - seen))
        for index, bet in enumerate(null.grid):
            stake = min(bet * left, 0.95 / (1.0 + centre)) if centre > -1.0 else bet * left
            wealth[index] += math.log(1.0 + stake * (difference - centre + null.eps * left))
        total += difference
        path.append(np.logaddexp.reduce(wealth) - math.log(len(wealth)))
        if null.population is not None:
            lowest = (total - (null.population - seen - 1)) / null.population
            if lowest > 1e-9 - null.eps or math.isinf(path[max(0, seen - 1)]):
                path[-1] = math.inf
    return path


@given(differences_of, st.sampled_from([None, 30, 1000]), st.sampled_from([0.0, 0.02]))
def test_the_paths_are_those_of_the_definition(differences, population, eps):
    null = PairedNull(population=population, eps=eps)
    assert paired_log_e(differences, null) == pytest.approx(step_by_step(differences, null), abs=1e-9)


@given(differences_of, st.sampled_from([None, 40]))
def test_a_looser_null_never_has_less_evidence(differences, population):
    strict = paired_log_e(differences, PairedNull(population=population))
    loose = paired_log_e(differences, PairedNull(population=population, eps=0.05))
    assert np.all(loose >= strict - 1e-12)


@given(differences_of, st.data())
def test_a_larger_difference_is_more_evidence(differences, data):
    index = data.draw(st.integers(0, len(differences) - 1))
    raised = [*differences[:index], 1.0, *differences[index + 1 :]]
    null = PairedNull()
    assert np.all(paired_log_e(raised, null) >= paired_log_e(differences, null) - 1e-12)


@given(st.integers(0, 400), st.integers(0, 400))
def test_a_gain_adds_evidence_and_a_loss_takes_some(gains, losses):
    here = mcnemar_log_e(gains, losses)
    assert mcnemar_log_e(gains + 1, losses) > here > mcnemar_log_e(gains, losses + 1)


@pytest.mark.parametrize(("gains", "losses"), [(0, 0), (0, 5000), (20, 1200), (3, 2), (400, 1500)])
def test_mcnemar_evidence_is_the_integral_also_in_the_far_tail(gains, losses):
    def inside(bet):
        return math.exp(gains * math.log1p(bet) + losses * math.log1p(-bet)) if bet < 1.0 else 0.0

    expected, _ = quad(inside, 0.0, 1.0, points=[0.0001, 0.001, 0.01, 0.1], epsabs=0.0, epsrel=1e-10)
    assert mcnemar_log_e(gains, losses) == pytest.approx(math.log(expected), abs=1e-7)


def test_the_expected_wealth_is_exactly_one_under_a_fair_coin():
    for n in (1, 2, 7, 12):
        weights = [
            math.comb(n, gains) / 2**n * math.exp(mcnemar_log_e(gains, n - gains)) for gains in range(n + 1)
        ]
        # Each bet has expectation 1, and so has their mixture.
        assert sum(weights) == pytest.approx(1.0, abs=1e-12)


def test_all_orders_of_a_tied_dataset_have_a_mean_wealth_of_one():
    # Drawing without replacement from a dataset without a winner is a fair game at every step.
    dataset = np.repeat([1.0, -1.0, 0.0], [2, 2, 2])
    source = np.random.default_rng(3)
    orders = np.array([source.permutation(dataset) for _ in range(40_000)])
    wealth = np.exp(paired_log_e_paths(orders, PairedNull(population=dataset.size)))
    assert wealth[:, 2].mean() == pytest.approx(1.0, abs=0.03)


def test_gains_that_the_rest_cannot_undo_are_certain():
    path = paired_log_e([1.0] * 6 + [-1.0] * 2, PairedNull(population=10))
    assert np.all(np.isfinite(path[:5]))  # five losses may follow: a tie
    assert np.all(np.isinf(path[5:]))
    assert rejects(path[-1], 1e-9)
    assert anytime_p(path[-1]) == 0.0


def test_a_tie_is_never_certain_in_any_order():
    for order in set(permutations([1.0, 1.0, 0.0, -1.0, -1.0])):
        assert np.all(np.isfinite(paired_log_e(order, PairedNull(population=5))))


@given(differences_of, st.sampled_from([0.0, 0.02]))
def test_the_last_case_gives_the_exact_answer(differences, eps):
    path = paired_log_e(differences, PairedNull(population=len(differences), eps=eps))
    assert math.isinf(path[-1]) == (np.mean(differences) > -eps)


def test_a_clear_difference_is_found_and_none_is_not():
    source = np.random.default_rng(5)
    clear = source.choice([1.0, 0.0, -1.0], p=[0.25, 0.7, 0.05], size=400)
    assert rejects(float(paired_log_e(clear, PairedNull()).max()), 0.05)
    assert not rejects(float(paired_log_e(-clear, PairedNull()).max()), 0.05)


@given(st.floats(-5, 5), st.floats(0.01, 4), st.floats(0.05, 2))
def test_mixture_evidence_and_interval_agree(difference, variance, tau):
    low, high = msprt_interval(difference, variance, tau=tau)
    assert low < difference < high
    assert msprt_log_e(low - difference, variance, tau=tau) == pytest.approx(math.log(20), abs=1e-6)
    assert (msprt_log_e(difference, variance, tau=tau) > math.log(20)) == (not low <= 0.0 <= high)


def test_mixture_evidence_follows_the_formula():
    found = msprt_log_e(0.03, 0.0001, tau=0.02)
    expected = 0.5 * math.log(0.0001 / 0.0005) + 0.0004 * 0.0009 / (2 * 0.0001 * 0.0005)
    assert found == pytest.approx(expected, abs=1e-12)


def test_what_cannot_be_betted_on_is_refused():
    with pytest.raises(StatisticsError, match="rescale"):
        paired_log_e([1.5], PairedNull())
    with pytest.raises(StatisticsError, match="from a population of 2"):
        paired_log_e([1, 0, 1], PairedNull(population=2))
    with pytest.raises(StatisticsError, match="eps"):
        PairedNull(eps=1.0)
    with pytest.raises(StatisticsError, match="grid"):
        PairedNull(grid=(*GRID, 1.0))
    with pytest.raises(StatisticsError, match="at least one case"):
        PairedNull(population=0)
    with pytest.raises(StatisticsError, match="negative"):
        mcnemar_log_e(-1, 2)
    with pytest.raises(StatisticsError, match="tau"):
        msprt_log_e(0.1, 0.0, tau=0.1)
