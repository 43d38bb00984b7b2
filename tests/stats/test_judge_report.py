"""What is said of a judge beside people."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as oracle

from assay.stats.errors import StatisticsError
from assay.stats.judge_report import judge_report


def generator():
    return np.random.default_rng(0)


def noisy(scores, rate, seed=1):
    """The same pass/fail scores with a share of them turned over."""
    source = np.random.default_rng(seed)
    return np.where(source.random(scores.size) < rate, 1.0 - scores, scores)


def passes(n, rate=0.6, seed=2):
    return (np.random.default_rng(seed).random(n) < rate).astype(float)


def test_a_good_judge_agrees_and_has_no_bias():
    human = passes(400)
    found = judge_report(human, noisy(human, 0.1), rng=generator())
    assert found.agreement.estimate == pytest.approx(0.9, abs=0.03)
    assert found.kappa.kappa == pytest.approx(0.8, abs=0.08)
    assert found.kappa.interval.low < found.kappa.kappa < found.kappa.interval.high
    assert found.leniency.verdict == "inconclusive"
    assert found.errors.balanced_accuracy == pytest.approx(0.9, abs=0.04)
    assert (found.position, found.length, found.warnings) == (None, None, ())


def test_a_lenient_judge_is_called_lenient_and_its_error_rates_say_where():
    human = passes(300)
    judge = np.maximum(human, passes(300, 0.5, seed=3))
    found = judge_report(human, judge, rng=generator())
    assert found.leniency.verdict == "better"
    assert found.errors.sensitivity.estimate == 1.0
    assert found.errors.specificity.estimate == pytest.approx(0.5, abs=0.12)


def test_a_judge_that_favours_the_first_place_is_found_and_averaged_out():
    source = np.random.default_rng(4)
    human = np.full(300, 0.5)
    first_place = (source.random((2, 300)) < 0.75).astype(float)
    found = judge_report(human, first_place[0], order=1.0 - first_place[1], rng=generator())
    assert found.position.difference.verdict == "better"
    assert found.position.difference.difference == pytest.approx(0.5, abs=0.1)
    assert found.position.consistent.estimate < 0.5
    assert found.leniency.verdict == "inconclusive"
    alone = judge_report(human, first_place[0], rng=generator())
    assert alone.leniency.verdict == "better"


def test_a_judge_that_answers_alike_in_both_orders_has_no_position_bias():
    human = passes(200)
    judge = noisy(human, 0.1)
    found = judge_report(human, judge, order=judge, rng=generator())
    assert found.position.difference.difference == 0.0
    assert found.position.consistent.estimate == 1.0
    assert found.kappa == judge_report(human, judge, rng=generator()).kappa


def test_a_taste_for_length_is_found_and_one_that_people_share_is_not():
    source = np.random.default_rng(5)
    length = source.lognormal(5.0, 0.5, size=400)
    z = (length - length.mean()) / length.std(ddof=1)
    quality = np.clip(0.5 + 0.1 * source.normal(size=400) + 0.05 * z, 0, 1)
    fair = np.clip(quality + 0.05 * source.normal(size=400), 0, 1)
    unbiased = judge_report(quality, fair, length=length, rng=generator())
    assert not unbiased.length.slope.excludes(0.0)
    biased = judge_report(quality, np.clip(fair + 0.04 * z, 0, 1), length=length, rng=generator())
    assert biased.length.slope.low > 0.0
    assert biased.length.slope.estimate == pytest.approx(0.04, abs=0.02)
    assert biased.length.p < 1e-6


def test_the_slope_is_that_of_least_squares():
    source = np.random.default_rng(6)
    human, judge, length = source.random(80), source.random(80), source.random(80)
    found = judge_report(human, judge, length=length, rng=generator())
    z = (length - length.mean()) / length.std(ddof=1)
    expected = oracle.linregress(z, judge - human)
    assert found.length.slope.estimate == pytest.approx(expected.slope)
    width = (found.length.slope.high - found.length.slope.low) / 2 / oracle.t.ppf(0.975, 78)
    assert width == pytest.approx(expected.stderr, rel=0.15)


def test_the_slope_keeps_its_level_where_noise_grows_with_length():
    source = np.random.default_rng(7)
    alarms = 0
    for _ in range(300):
        length = source.lognormal(0.0, 0.6, size=60)
        judge = 0.2 * length * source.normal(size=60)
        found = judge_report(np.zeros(60), judge, length=length, rng=source)
        alarms += found.length.p < 0.05
    assert alarms / 300 <= 0.09


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=30))
def test_any_rubric_gets_a_report(pairs):
    human, judge = ([float(pair[i]) for pair in pairs] for i in (0, 1))
    found = judge_report(human, judge, length=human, rng=generator())
    assert found.n == len(pairs)
    assert found.errors is None or set(human) | set(judge) <= {0.0, 1.0}
    assert 0.0 <= found.agreement.low <= found.agreement.estimate <= found.agreement.high <= 1.0
    assert 0.0 <= found.length.p <= 1.0


def test_a_rare_failure_is_warned_of():
    human = np.r_[np.ones(95), np.zeros(5)]
    found = judge_report(human, np.ones(100), rng=generator())
    assert found.agreement.estimate == pytest.approx(0.95)
    assert found.kappa.kappa == pytest.approx(0.0)
    assert any("kappa is low" in warning for warning in found.warnings)
    half = judge_report(passes(100), np.ones(100), rng=generator())
    assert any("the judge gives the same score" in warning for warning in half.warnings)
    same = judge_report([1.0] * 60, [1.0] * 60, rng=generator())
    assert same.kappa.kappa is None
    assert same.errors.specificity is None
    assert same.errors.balanced_accuracy is None


@pytest.mark.parametrize(
    "call",
    [
        lambda: judge_report([], [], rng=generator()),
        lambda: judge_report([1.0], [1.0, 0.0], rng=generator()),
        lambda: judge_report([1.0, 0.0], [1.0, 0.0], order=[1.0], rng=generator()),
        lambda: judge_report([1.0, 0.0], [1.0, 0.0], length=[1.0], rng=generator()),
        lambda: judge_report([1.0, np.nan], [1.0, 0.0], rng=generator()),
    ],
)
def test_scores_that_do_not_belong_together_are_refused(call):
    with pytest.raises(StatisticsError):
        call()
