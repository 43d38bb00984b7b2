"""The simulations of races: data sets as they are meant, and rows that can fail."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from stats.race_simulations import (
    EQUAL,
    Tally,
    _promise,
    check_order,
    least_favourable,
    run_race,
    superpopulation,
)


def test_the_least_favourable_data_set_is_one_case_from_a_tie() -> None:
    totals = np.sort(least_favourable(1, np.random.default_rng(5)).sum(axis=1))
    assert totals[-1] - totals[-2] == 1
    assert totals[0] == totals[-2]


def test_scores_of_a_superpopulation_correlate_by_a_half() -> None:
    scores = superpopulation((0.5,) * 40, np.random.default_rng(1))
    correlations = np.corrcoef(scores)[np.triu_indices(40, 1)]
    assert 0.45 < correlations.mean() < 0.55


def test_a_simulated_race_ends_within_the_grid() -> None:
    result = run_race(superpopulation(EQUAL, np.random.default_rng(2)), 0.02)
    assert result.winner is not None
    assert 0.0 <= result.saved < 1.0


def test_the_detector_of_a_sorted_order_sees_it() -> None:
    row = check_order(reps=50)
    assert row.ok, row.measured


def test_a_promise_that_is_broken_is_not_ok() -> None:
    broken = _promise("x", "y", Tally(wrong=0.06, saved=0.9, low=0.8, high=1.0))
    assert not broken.ok
