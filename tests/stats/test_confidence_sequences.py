"""Confidence sequences: they hold the mean, only shrink, and keep their promise under constant peeking."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.stats.confidence_sequences import (
    ConfidenceSequence,
    asymptotic_half_width,
    betting_interval,
    empirical_bernstein_sequence,
    normal_mixture_bound,
)
from assay.stats.errors import StatisticsError

scores_of = st.lists(st.floats(0, 1, allow_subnormal=False), min_size=1, max_size=60)


@settings(max_examples=40)
@given(scores_of)
def test_the_mean_so_far_is_never_ruled_out_by_its_own_scores(scores):
    found = ConfidenceSequence(running=False).extend(scores).interval
    assert found.low <= found.estimate <= found.high
    fixed = betting_interval(scores)
    assert fixed.low <= fixed.estimate <= fixed.high


@settings(max_examples=40)
@given(scores_of)
def test_intervals_only_shrink(scores):
    sequence, low, high = ConfidenceSequence(), 0.0, 1.0
    for score in scores:
        sequence = sequence.update(score)
        if not sequence.interval.estimable:
            return
        assert low <= sequence.interval.low
        assert sequence.interval.high <= high
        low, high = sequence.interval.low, sequence.interval.high


@settings(max_examples=40)
@given(scores_of)
def test_mirrored_scores_have_mirrored_intervals(scores):
    plain = ConfidenceSequence(running=False).extend(scores).interval
    mirrored = ConfidenceSequence(running=False).extend([1.0 - x for x in scores]).interval
    # Rounding may move a bound by one step of the grid.
    assert [mirrored.low, mirrored.high] == pytest.approx([1 - plain.high, 1 - plain.low], abs=0.0011)
    fixed, turned = betting_interval(scores), betting_interval([1.0 - x for x in scores])
    assert [turned.low, turned.high] == pytest.approx([1 - fixed.high, 1 - fixed.low], abs=1e-9)


@settings(max_examples=40)
@given(scores_of, st.integers(0, 59))
def test_a_higher_score_lowers_no_bound_of_empirical_bernstein_at_once(scores, index):
    low, high = empirical_bernstein_sequence(scores)
    assert np.all((low >= 0.0) & (high <= 1.0) & (low <= high))
    assert low.size == len(scores)
    # The past does not know the future.
    cut = min(index + 1, len(scores))
    assert empirical_bernstein_sequence(scores[:cut])[0] == pytest.approx(low[:cut], abs=1e-12)


def test_other_ends_are_only_another_scale():
    scores = np.random.default_rng(2).random(50)
    unit = ConfidenceSequence().extend(scores).interval
    stars = ConfidenceSequence((1, 5)).extend(1 + 4 * scores).interval
    for name in ("low", "high", "estimate"):
        assert getattr(stars, name) == pytest.approx(1 + 4 * getattr(unit, name))
    assert betting_interval(1 + 4 * scores, bounds=(1, 5)).low == pytest.approx(
        1 + 4 * betting_interval(scores).low
    )


def test_an_update_leaves_the_sequence_before_it_alone():
    start = ConfidenceSequence()
    first = start.update(1.0)
    assert (start.n, first.n, first.update(0.0).n, first.n) == (0, 1, 2, 1)
    assert start.interval.reason == "no scores"


def test_the_truth_stays_inside_all_the_time():
    source, left = np.random.default_rng(11), 0
    for _ in range(200):
        # Rare failures: the law for which intervals from the observed deviation fail.
        scores = np.where(source.random(150) < 0.05, 0.0, 1.0)
        found = ConfidenceSequence().extend(scores).interval
        left += not found.estimable or not found.low <= 0.95 <= found.high
    assert left <= 16


def test_one_look_is_narrower_than_all_looks():
    scores = np.random.default_rng(7).beta(8, 2, size=300)
    once, always = betting_interval(scores), ConfidenceSequence().extend(scores).interval
    assert once.high - once.low < always.high - always.low
    assert (once.method, always.method) == ("betting", "betting_sequence")


def test_scores_that_drift_leave_no_mean_and_say_so():
    found = ConfidenceSequence().extend([0.0] * 300 + [1.0] * 3000).interval
    assert not found.estimable
    assert "drift" in found.reason


@pytest.mark.parametrize("two_sided", [True, False])
def test_mixture_bounds_rise_with_time_and_with_certainty(two_sided):
    bounds = [normal_mixture_bound(v, best_at=100, two_sided=two_sided) for v in (0, 10, 100, 1000)]
    assert bounds == sorted(bounds)
    assert normal_mixture_bound(100, alpha=0.01, best_at=100, two_sided=two_sided) > bounds[2]


def test_the_asymptotic_half_width_shrinks_nearly_as_the_root():
    widths = [asymptotic_half_width(n, 1.0, best_at=500) for n in (100, 500, 2000, 8000)]
    assert widths == sorted(widths, reverse=True)
    assert all(width > 1.96 / math.sqrt(n) for width, n in zip(widths, (100, 500, 2000, 8000), strict=True))


def test_what_cannot_be_followed_is_refused():
    with pytest.raises(StatisticsError, match="declared bounds"):
        ConfidenceSequence().update(1.5)
    with pytest.raises(StatisticsError, match="declared bounds"):
        ConfidenceSequence().update(math.nan)
    with pytest.raises(StatisticsError, match="two finite numbers"):
        ConfidenceSequence((1, 0))
    with pytest.raises(StatisticsError, match="alpha"):
        ConfidenceSequence(alpha=0.0)
    with pytest.raises(StatisticsError, match="best_at"):
        normal_mixture_bound(1, best_at=0)
    with pytest.raises(StatisticsError, match="positive"):
        asymptotic_half_width(0, 1.0, best_at=10)
    assert betting_interval([]).reason == "no scores"
