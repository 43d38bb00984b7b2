"""Verdicts on pairs, in both orders."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.stats.errors import StatisticsError
from assay.stats.preferences import PreferenceCounts, count_preferences, preference_agreement

VERDICTS = st.sampled_from([-1, 0, 1])
PAIRS = st.lists(st.tuples(VERDICTS, VERDICTS, VERDICTS), min_size=1, max_size=40)


def test_only_what_both_orders_say_is_a_win_or_a_loss():
    given_order, swapped = [1, 1, 1, -1, -1, 0], [1, -1, 0, -1, 1, 0]
    assert count_preferences(given_order, swapped) == PreferenceCounts(wins=1, ties=4, losses=1)


def test_a_judge_that_prefers_the_first_shown_wins_nothing_and_is_right_half_the_time():
    human = [1, -1] * 10
    found = preference_agreement(human, [1] * 20, [-1] * 20)
    assert found.counts == PreferenceCounts(0, 20, 0)
    assert (found.accuracy, found.consistent.estimate, found.both.estimate) == (0.5, 0.0, 0.0)


def test_shares_are_those_counted_by_hand():
    found = preference_agreement([1, 1, -1, -1], [1, 1, -1, 1], [1, -1, -1, 0])
    assert (found.given.estimate, found.swapped.estimate) == (0.75, 0.5)
    assert found.accuracy == 0.625
    assert (found.both.estimate, found.consistent.estimate) == (0.5, 0.5)


def test_a_verdict_that_says_nothing_is_not_right_but_may_be_consistent():
    found = preference_agreement([1, -1], [0, -1], [0, -1])
    assert (found.accuracy, found.consistent.estimate) == (0.5, 1.0)


def test_kappa_is_the_mean_over_both_orders():
    human, first, second = [1, 1, -1, -1], [1, 1, -1, 1], [1, -1, -1, -1]
    found = preference_agreement(human, first, second)
    assert found.kappa == pytest.approx((found.kappa_given.kappa + found.kappa_swapped.kappa) / 2)
    assert found.kappa_given.kappa == pytest.approx(0.5)


def test_kappa_is_undefined_where_an_order_is_constant_like_people():
    assert preference_agreement([1, 1], [1, 1], [1, -1]).kappa is None


@given(PAIRS)
def test_swapping_the_roles_of_the_answers_swaps_wins_and_losses_only(rows):
    human, first, second = np.array(rows).T
    found, turned = preference_agreement(human, first, second), preference_agreement(-human, -first, -second)
    assert (found.counts.wins, found.counts.losses) == (turned.counts.losses, turned.counts.wins)
    assert (found.accuracy, found.consistent) == (turned.accuracy, turned.consistent)
    assert found.both.estimate <= min(found.accuracy, found.consistent.estimate)


@pytest.mark.parametrize(
    ("series", "message"),
    [
        (([1, 2], [1, 1], [1, 1]), "must be 1, 0 or -1"),
        (([1, 1], [1], [1, 1]), "align them"),
        (([1, 1], [1, 1], [1]), "align them"),
        (([], [], []), "no pairs"),
    ],
)
def test_what_cannot_be_compared_is_refused(series, message):
    with pytest.raises(StatisticsError, match=message):
        preference_agreement(*series)
