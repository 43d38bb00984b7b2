"""The mean that people would give, from a judge's scores and few labels."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay.stats.corrected_means import ppi_mean, rogan_gladen
from assay.stats.errors import StatisticsError
from assay.stats.labelling import label_plan
from assay.stats.token_scores import expected_score

METHODS = ("random", "stratified", "neyman", "active")


def generator():
    return np.random.default_rng(0)


def answers(n, seed=1, trust=0.8):
    """People's pass/fail scores and a judge's grades that know a part of them; the true mean is .691."""
    source = np.random.default_rng(seed)
    seen = source.normal(size=n)
    quality = trust * seen + math.sqrt(1 - trust**2) * source.normal(size=n)
    return (quality > -0.5).astype(float), 1 / (1 + np.exp(-1.7 * seen - 1.0))


def corrected(y, f, plan):
    """The estimate that belongs to the plan."""
    i = plan.indices
    rest = np.setdiff1d(np.arange(y.size), i)
    if plan.method == "active":
        return ppi_mean(y[i], f[i], f[rest], pi=plan.pi[i])
    strata = None if plan.method == "random" else (plan.stratum[i], plan.stratum[rest])
    return ppi_mean(y[i], f[i], f[rest], strata=strata)


def width(interval):
    return interval.high - interval.low


def test_a_good_judge_makes_few_labels_count_as_many():
    y, f = answers(3000)
    found = ppi_mean(y[:100], f[:100], f[100:])
    assert found.interval.low < 0.691 < found.interval.high
    assert found.gain > 1.3
    assert width(found.interval) < width(found.human_only)
    assert 0.5 < found.trust <= 1.0
    assert (found.labels, found.unlabelled, found.warnings) == (100, 2900, ())


def test_a_lenient_judge_is_corrected():
    y, f = answers(3000)
    lenient = np.minimum(1.0, f + 0.15)
    found = ppi_mean(y[:200], lenient[:200], lenient[200:])
    assert found.judge_mean > found.interval.high
    assert found.interval.low < 0.691 < found.interval.high


def test_a_judge_that_knows_nothing_is_not_used():
    y, _ = answers(2000)
    noise = np.random.default_rng(5).random(2000)
    found = ppi_mean(y[:100], -noise[:100] * (y[:100] + 1), noise[100:])
    assert found.trust == 0.0
    assert found.interval.estimate == pytest.approx(y[:100].mean())
    assert any("not used" in warning for warning in found.warnings)
    constant = ppi_mean(y[:100], np.ones(100), np.ones(1900))
    assert constant.trust == 0.0
    assert (constant.interval.low, constant.interval.high) == (
        constant.human_only.low,
        constant.human_only.high,
    )


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(5, 60), st.integers(20, 400))
def test_a_perfect_judge_narrows_and_the_estimate_stays_between_both_means(seed, n, others):
    source = np.random.default_rng(seed)
    y = source.random(n + others)
    found = ppi_mean(y[:n], y[:n], y[n:])
    assert found.gain >= 1.0 - 0.35 / math.sqrt(n)
    ends = sorted([float(y[:n].mean()), float(y[n:].mean())])
    assert ends[0] - 1e-9 <= found.interval.estimate <= ends[1] + 1e-9
    whole = ppi_mean(y[:n], y[:n], y[n:], trust=1.0)
    assert whole.interval.estimate == pytest.approx(y[n:].mean())


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.floats(0.1, 10.0), st.floats(-5.0, 5.0))
def test_the_unit_and_the_origin_of_people_only_move_the_result(seed, scale, shift):
    source = np.random.default_rng(seed)
    y, f = source.random(30), source.random(130)
    first = ppi_mean(y, f[:30], f[30:], trust=0.0)
    second = ppi_mean(y * scale + shift, f[:30], f[30:], trust=0.0)
    assert second.interval.estimate == pytest.approx(first.interval.estimate * scale + shift)
    assert width(second.interval) == pytest.approx(width(first.interval) * scale)


def test_one_stratum_is_no_stratum_and_even_chances_are_a_sample():
    y, f = answers(400)
    plain = ppi_mean(y[:60], f[:60], f[60:])
    one = ppi_mean(y[:60], f[:60], f[60:], strata=(["a"] * 60, ["a"] * 340))
    assert (one.interval.low, one.interval.high) == pytest.approx((plain.interval.low, plain.interval.high))
    even = ppi_mean(y[:60], f[:60], f[60:], pi=np.full(60, 60 / 400), trust=1.0)
    expected = f.mean() + (y[:60] - f[:60]).mean()
    assert even.interval.estimate == pytest.approx(expected)


def test_strata_drawn_at_unequal_rates_are_weighted_back():
    source = np.random.default_rng(6)
    stratum = np.repeat([0, 1], [900, 100])
    y = np.where(stratum == 0, 0.9, 0.1) + 0.05 * source.normal(size=1000)
    f = y + 0.05 * source.normal(size=1000)
    chosen = np.r_[0:30, 900:930]
    rest = np.setdiff1d(np.arange(1000), chosen)
    found = ppi_mean(y[chosen], f[chosen], f[rest], strata=(stratum[chosen], stratum[rest]))
    assert found.interval.estimate == pytest.approx(0.82, abs=0.01)
    assert found.interval.df == 58


@pytest.mark.parametrize("method", METHODS)
def test_every_plan_with_its_estimate_covers_the_truth(method):
    covered = []
    for seed in range(250):
        y, f = answers(800, seed)
        found = corrected(y, f, label_plan(f, 60, method=method, rng=np.random.default_rng(seed)))
        covered.append(found.interval.low <= 0.6915 <= found.interval.high)
    assert np.mean(covered) >= 0.90


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), min_size=5, max_size=200),
    st.integers(3, 60),
    st.sampled_from(METHODS),
)
@example([0.0] * 5 + [0.1] * 4, 6, "stratified")
@example([0.0] * 5 + [0.1] * 4 + [0.5] * 4, 10, "stratified")
@example([0.0] * 5 + [0.1] * 4 + [0.5] * 4, 10, "neyman")
def test_a_plan_labels_exactly_what_was_asked_for(scores, n, method):
    if n > len(scores) - 2:
        with pytest.raises(StatisticsError, match="cannot be planned"):
            label_plan(scores, n, method=method, rng=generator())
        return
    plan = label_plan(scores, n, method=method, rng=generator())
    assert plan.indices.size == np.unique(plan.indices).size == n
    assert plan.pi.sum() == pytest.approx(n)
    assert np.all((plan.pi > 0.0) & (plan.pi <= 1.0))
    labelled = np.bincount(plan.stratum[plan.indices], minlength=plan.stratum.max() + 1)
    if method != "active":
        assert labelled.min() >= 2
        assert np.all(np.bincount(plan.stratum) - labelled >= 2)


@pytest.mark.parametrize("method", METHODS)
def test_answers_are_chosen_as_often_as_their_chance_says(method):
    scores = np.round(np.random.default_rng(7).random(40), 2)
    source = np.random.default_rng(8)
    plans = [label_plan(scores, 12, method=method, rng=source) for _ in range(3000)]
    often = np.bincount(np.concatenate([p.indices for p in plans]), minlength=40) / 3000
    assert np.abs(often - plans[0].pi).max() < 0.045


def test_doubtful_answers_are_labelled_first_and_sure_ones_still():
    scores = np.r_[np.full(50, 0.5), np.full(50, 1.0)]
    plan = label_plan(scores, 20, method="active", rng=generator())
    assert plan.pi[0] > 5 * plan.pi[99] > 0.0
    strata = label_plan(scores, 20, method="neyman", rng=generator())
    assert strata.pi[0] > 2 * strata.pi[99] > 0.0
    sure = label_plan(np.ones(50), 10, method="active", rng=generator())
    assert sure.pi == pytest.approx(np.full(50, 0.2))


def test_labels_without_spread_give_no_interval():
    f = np.random.default_rng(9).random(100)
    found = ppi_mean(np.ones(40), f[:40], f[40:])
    assert (found.interval.estimate, found.interval.low, found.error, found.gain) == (1.0, None, None, None)
    assert any("not been seen" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    "call",
    [
        lambda: ppi_mean([1.0, 0.0], [1.0, 0.0], [1.0, 0.0]),
        lambda: ppi_mean([1.0, 0.0, 1.0], [1.0, 0.0], [1.0, 0.0]),
        lambda: ppi_mean([1.0, 0.0, 1.0], [1.0, 0.0, 1.0], [1.0]),
        lambda: ppi_mean([1.0, 0.0, 1.0], [1.0, 0.0, np.nan], [1.0, 0.0]),
        lambda: ppi_mean([1.0, 0.0, 1.0], [1.0, 0.0, 1.0], [1.0, 0.0], trust=2.0),
        lambda: ppi_mean([1.0, 0.0, 1.0], [1.0, 0.0, 1.0], [1.0, 0.0], pi=[0.5, 0.5]),
        lambda: ppi_mean([1.0, 0.0, 1.0], [1.0, 0.0, 1.0], [1.0, 0.0], pi=[0.5, 0.0, 1.0]),
        lambda: ppi_mean([1.0, 0.0, 1.0], [1.0, 0.0, 1.0], [1.0, 0.0], strata=([1, 1, 2], [1, 2])),
        lambda: ppi_mean([1.0, 0.0, 1.0], [1.0, 0.0, 1.0], [1.0, 0.0], strata=([1, 1], [1, 2])),
        lambda: ppi_mean(
            [1.0, 0.0, 1.0], [1.0, 0.0, 1.0], [1.0, 0.0], strata=([1] * 3, [1] * 2), pi=[0.5] * 3
        ),
        lambda: label_plan([0.5] * 10, 9, rng=generator()),
        lambda: label_plan([1.5] * 10, 5, rng=generator()),
        lambda: label_plan([0.5] * 10, 5, method="interesting", rng=generator()),
        lambda: rogan_gladen([], (9, 10), (9, 10)),
        lambda: rogan_gladen([0.5], (9, 10), (9, 10)),
        lambda: rogan_gladen([1.0], (11, 10), (9, 10)),
        lambda: rogan_gladen([1.0], (9, 10), (0, 0)),
        lambda: expected_score({1: 0.2, 2: 0.2}),
        lambda: expected_score({1: 0.9, 2: 0.9}),
        lambda: expected_score({1: -0.1, 2: 0.9}),
        lambda: expected_score({math.nan: 0.9}),
        lambda: expected_score({}),
    ],
)
def test_what_cannot_be_corrected_is_refused(call):
    with pytest.raises(StatisticsError):
        call()


def test_rogan_gladen_undoes_known_error_rates():
    source = np.random.default_rng(10)
    truth = source.random(20_000) < 0.3
    judge = np.where(truth, source.random(20_000) < 0.9, source.random(20_000) < 0.2)
    found = rogan_gladen(judge, (900, 1000), (800, 1000))
    assert found.estimate == pytest.approx(0.3, abs=0.02)
    assert found.low < 0.3 < found.high
    useless = rogan_gladen([1, 0], (5, 10), (5, 10))
    assert "no better than chance" in useless.reason
    edge = rogan_gladen([0] * 50, (9, 10), (9, 10))
    assert (edge.estimate, edge.low) == (0.0, 0.0)


@given(st.dictionaries(st.integers(1, 5), st.floats(0.01, 1.0), min_size=1, max_size=5))
def test_an_expected_score_lies_between_the_scores(weights):
    total = sum(weights.values())
    found = expected_score({float(k): v / total for k, v in weights.items()})
    assert min(weights) - 1e-9 <= found <= max(weights) + 1e-9


def test_mass_on_other_tokens_is_left_out():
    assert expected_score({1: 0.1, 2: 0.2, 3: 0.3, 4: 0.25, 5: 0.15}) == pytest.approx(3.15)
    assert expected_score({4: 0.3, 5: 0.3}) == pytest.approx(4.5)
