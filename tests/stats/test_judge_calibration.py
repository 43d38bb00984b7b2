"""Areas, verdicts, thresholds and maps: the numbers of scikit-learn and statsmodels, and what must hold."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.stats.agreement import cohen_kappa
from assay.stats.auroc import auroc, newcombe_auroc_bounds, weighted_auroc
from assay.stats.calibration import Wish, calibrate
from assay.stats.cutoffs import best_cutoff, deal_folds, fit_cutoff, fit_score_map
from assay.stats.distributions import t_quantile
from assay.stats.errors import StatisticsError
from assay.stats.graded_agreement import concordance, graded_agreement, weighted_spearman
from assay.stats.jackknife import Design, jackknife_interval
from assay.stats.score_maps import fit_map
from assay.stats.verdicts import gwet_ac1, verdict_quality


def generator(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def golden():
    path = Path(__file__).with_name("golden_calibration.json")
    test = json.loads(path.read_text(encoding="utf-8"))["judge_calibration"]
    arrays = {name: np.array(values, dtype=float) for name, values in test["inputs"].items()}
    return arrays, test["expected"], test["tolerance"]


def sample(n, separation=0.4, seed=1):
    """Pass/fail labels, and graded scores of a judge that sees some of it."""
    rng = generator(seed)
    people = (rng.random(n) < 0.6).astype(float)
    return people, np.clip(separation * people + 0.3 + 0.2 * rng.normal(size=n), 0, 1)


def test_the_area_is_that_of_scikit_learn_and_its_error_that_of_delong(golden):
    given_, expected, tolerance = golden
    found = auroc(given_["human"], given_["judge"])
    assert found.estimate == pytest.approx(expected["auroc"], abs=tolerance)
    weighted = auroc(given_["human"], given_["judge"], design=Design(weights=given_["weights"]))
    assert weighted.estimate == pytest.approx(expected["auroc_weighted"], abs=tolerance)
    area = found.estimate
    reach = (np.log(found.high / (1 - found.high)) - np.log(found.low / (1 - found.low))) / 2
    error = reach * area * (1 - area) / t_quantile(0.975, found.df)
    assert error == pytest.approx(expected["auroc_error"], abs=tolerance)


def test_verdicts_are_scored_as_by_scikit_learn(golden):
    given_, expected, tolerance = golden
    verdicts = given_["judge"] >= 0.6
    plain = verdict_quality(given_["human"], verdicts)
    weighted = verdict_quality(given_["human"], verdicts, design=Design(weights=given_["weights"]))
    for quality, ending in ((plain, ""), (weighted, "_weighted")):
        for name in ("balanced_accuracy", "kappa"):
            expected_value = expected[name + ending]
            assert getattr(quality, name).estimate == pytest.approx(expected_value, abs=tolerance)
    confusion = plain.confusion
    assert confusion.true_pass + confusion.false_fail == given_["human"].sum()
    assert plain.accuracy.estimate == pytest.approx((confusion.true_pass + confusion.true_fail) / 40)


def test_maps_are_those_of_scikit_learn(golden):
    given_, expected, tolerance = golden
    logistic = fit_map(given_["human"], given_["judge"])
    platt = expected["platt"]
    assert logistic.intercept == pytest.approx(platt["intercept"], abs=tolerance)
    assert logistic.slope == pytest.approx(platt["slope"], abs=tolerance)
    for key, weights in (("isotonic", None), ("isotonic_weighted", given_["weights"])):
        curve = fit_map(given_["human"], given_["judge"], kind="isotonic", weights=weights)
        assert curve.apply(expected["grid"]) == pytest.approx(expected[key], abs=tolerance)
    assert fit_score_map(given_["human"], given_["judge"], rng=generator()).raw_loss == pytest.approx(
        expected["brier"], abs=tolerance
    )


def test_gwets_ac1_is_high_where_kappa_is_low():
    # Gwet's (2008) paradox: 118 + 5 + 2 + 0 of 125, AC1 = 0.9404
    first = np.repeat([1.0, 1.0, 0.0, 0.0], [118, 5, 2, 0])
    second = np.repeat([1.0, 0.0, 1.0, 0.0], [118, 5, 2, 0])
    assert gwet_ac1(first, second, np.ones(125)) == pytest.approx(0.9408, abs=5e-4)
    assert verdict_quality(first, second).kappa.estimate < 0.0


def test_concordance_is_kappa_with_quadratic_weights():
    rng = generator(3)
    first = rng.integers(1, 6, size=80).astype(float)
    second = np.clip(first + rng.integers(-1, 2, size=80), 1, 5)
    kappa = cohen_kappa(first, second, weights="quadratic").kappa
    assert concordance(first, second, np.ones(80)) == pytest.approx(kappa)


def test_perfect_separation_has_an_interval_all_the_same():
    people, judge = np.r_[np.ones(12), np.zeros(8)], np.r_[np.full(12, 0.9), np.full(8, 0.2)]
    found = auroc(people, judge)
    assert (found.estimate, found.high, found.method) == (1.0, 1.0, "auroc_newcombe")
    assert 0.7 < found.low < 0.9
    assert newcombe_auroc_bounds(0.0, (12, 8), 0.95)[1] == pytest.approx(1.0 - found.low)
    quality = fit_cutoff(people, judge, rng=generator()).held_out
    assert quality.balanced_accuracy.estimate == 1.0
    assert 0.7 < quality.balanced_accuracy.low < 1.0


def test_a_judge_that_always_says_the_same_gets_no_bar_of_zero_width():
    found = auroc([1, 0, 1, 0, 1], [0.5] * 5)
    assert (found.estimate, found.estimable, found.reason) == (0.5, False, "no spread shows")
    lone = auroc([1, 0, 1, 0], [0.9, 0.2, 0.1, 0.5], design=Design(clusters=["case"] * 4))
    assert lone.reason == "all labels come from one case: at least two are needed"


def test_one_class_alone_is_not_estimable():
    found = calibrate([0.2, 0.5, 0.9], [1, 1, 1], wish=Wish(threshold=0.5), rng=generator())
    assert (found.auroc.estimable, found.cutoff) == (False, None)
    assert found.verdicts.specificity.reason == "there are no failures among the labels"
    assert not found.verdicts.balanced_accuracy.estimable
    assert any("all labels are the same" in note for note in found.notes)


def test_a_threshold_is_the_mean_of_all_weighted_by_what_they_separate():
    edges = np.array([0.1, 0.15, 0.4, 0.75, 0.9])
    say = np.exp(0.5 * 4.0 * (np.array([0.5, 0.75, 1.0, 0.75, 0.5]) - 1.0))
    found = best_cutoff([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.9])
    assert found == pytest.approx((edges * say).sum() / say.sum())


def test_a_threshold_parts_scores_that_stand_apart():
    assert 0.2 < best_cutoff(np.r_[np.ones(12), np.zeros(8)], np.r_[np.full(12, 0.9), np.full(8, 0.2)]) <= 0.9


def test_scores_on_another_scale_move_the_threshold_along():
    people, judge = sample(60, seed=4)
    assert best_cutoff(people, 3.0 * judge - 1.0) == pytest.approx(3.0 * best_cutoff(people, judge) - 1.0)


def test_a_threshold_by_few_labels_does_better_on_others_than_the_one_that_was_best_on_them():
    rng, gains = generator(11), []
    others, scores = (rng.random(4_000) < 0.5).astype(float), rng.random(4_000)
    scores = np.where(others == 1.0, 1.0 - scores**2, scores)
    for draw in range(60):
        seen = slice(30 * draw, 30 * draw + 30)
        people, judge = others[seen], scores[seen]
        greedy = max(np.unique(judge), key=lambda t: balance(people, judge >= t))
        gains.append(
            balance(others, scores >= best_cutoff(people, judge)) - balance(others, scores >= greedy)
        )
    assert np.mean(gains) > 0.005


def balance(people, verdicts):
    return (verdicts[people == 1.0].mean() + 1.0 - verdicts[people == 0.0].mean()) / 2.0


def test_held_out_figures_do_not_flatter_a_judge_of_noise():
    apparent, held_out = [], []
    for seed in range(40):
        rng = generator(seed)
        people, judge = (rng.random(40) < 0.5).astype(float), rng.random(40)
        found = fit_cutoff(people, judge, rng=rng)
        apparent.append(found.apparent)
        held_out.append(found.held_out.balanced_accuracy.estimate)
    assert np.mean(apparent) > np.mean(held_out) + 0.01
    assert np.mean(held_out) == pytest.approx(0.5, abs=0.04)


def test_clusters_are_never_split_over_folds():
    codes = np.repeat(np.arange(30), 3)
    kinds = (np.arange(90) % 4 == 0).astype(float)
    fold = deal_folds(kinds, codes, generator())
    assert all(len(set(fold[codes == code])) == 1 for code in range(30))
    assert set(fold) == set(range(10))


def test_copies_of_a_case_widen_every_interval():
    people, judge = sample(50, seed=6)
    alone = calibrate(judge, people, rng=generator())
    copies = np.repeat(people, 4), np.repeat(judge, 4)
    design = Design(clusters=np.repeat(np.arange(50), 4).tolist())
    clustered = calibrate(copies[1], copies[0], wish=Wish(design=design), rng=generator())
    naive = calibrate(copies[1], copies[0], rng=generator())
    for pick in (lambda c: c.auroc, lambda c: c.graded.spearman, lambda c: c.graded.concordance):
        one, honest, wrong = (pick(each).high - pick(each).low for each in (alone, clustered, naive))
        assert honest == pytest.approx(one, rel=0.2)
        assert wrong < 0.7 * honest
    assert clustered.clusters == 50
    assert clustered.graded.spearman.clusters == 50


def test_a_weight_of_two_is_two_answers_to_every_estimate():
    people, judge = sample(40, seed=7)
    twice = np.arange(40) % 2 == 0
    weights = np.where(twice, 2.0, 1.0)
    more = np.r_[people, people[twice]], np.r_[judge, judge[twice]]
    ones = np.ones(more[0].size)
    assert weighted_auroc(people, judge, weights) == pytest.approx(weighted_auroc(*more, ones))
    assert weighted_spearman(people, judge, weights) == pytest.approx(weighted_spearman(*more, ones))
    assert best_cutoff(people, judge, weights) == best_cutoff(*more)


def test_the_jackknife_error_of_a_mean_is_the_usual_one():
    values = generator(8).random(60)
    found = jackknife_interval(
        lambda w: float(np.average(values, weights=w)), 60, Design(), method="mean", scale="share"
    )
    mean = values.mean()
    half = t_quantile(0.975, 59) * values.std(ddof=1) / np.sqrt(60) / (mean * (1 - mean))
    odds = np.log(mean / (1 - mean))
    assert [found.low, found.high] == pytest.approx([1 / (1 + np.exp(-odds - s * half)) for s in (-1, 1)])


def test_graded_labels_get_a_threshold_once_it_is_said_what_passes():
    rng = generator(9)
    people = rng.integers(0, 5, size=120) / 4
    judge = np.clip(people + 0.15 * rng.normal(size=120), 0, 1)
    without = calibrate(judge, people, rng=generator())
    assert (without.label_kind, without.auroc, without.cutoff) == ("graded", None, None)
    assert any("AUROC" in note for note in without.notes)
    passing = calibrate(judge, people, wish=Wish(pass_at=0.75), rng=generator())
    assert 0.5 < passing.cutoff.threshold < 0.75
    assert passing.auroc.estimate > 0.9
    assert without.graded == passing.graded


def test_a_map_mends_a_judge_that_is_too_kind():
    rng = generator(10)
    quality = rng.random(400)
    people = (rng.random(400) < quality).astype(float)
    kind = 0.6 + 0.4 * quality
    found = fit_score_map(people, kind, rng=rng)
    assert found.held_out_loss < found.raw_loss - 0.02
    assert found.held_out_loss < found.base_loss
    assert found.map.apply([0.6, 0.8, 1.0]) == pytest.approx([0.1, 0.5, 0.9], abs=0.13)


def test_corrected_means_undo_a_kind_judge_and_weights_a_skewed_draw():
    rng = generator(11)
    quality = rng.random(3_000)
    people = (rng.random(3_000) < quality).astype(float)
    judge = 0.3 + 0.7 * quality
    chance = np.where(quality > 0.5, 0.25, 0.05)
    labelled = rng.random(3_000) < chance
    design = Design(weights=1.0 / chance[labelled])
    given_ = judge[labelled], people[labelled]
    found = calibrate(*given_, unlabelled=judge[~labelled], wish=Wish(design=design), rng=rng)
    assert found.corrected.interval.low < people.mean() < found.corrected.interval.high
    assert found.corrected.judge_mean > people.mean() + 0.1
    assert abs(found.human_mean - people.mean()) < 0.07 < people[labelled].mean() - people.mean()


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0.0, 0.25, 1.0]), st.integers(0, 4)),
        min_size=1,
        max_size=25,
    ),
    st.booleans(),
)
def test_any_labels_get_a_report(rows, plain):
    people, judge, clusters = (list(column) for column in zip(*rows, strict=True))
    design = Design() if plain else Design(clusters=clusters, weights=np.arange(1.0, len(rows) + 1))
    wish = Wish(design=design, pass_at=0.5, threshold=0.25)
    found = calibrate(judge, people, unlabelled=[0.1, 0.9], wish=wish, rng=generator())
    for interval in (found.auroc, found.verdicts.balanced_accuracy, found.graded.concordance):
        if interval.estimable:
            assert interval.low <= interval.estimate <= interval.high
    assert found.n == len(rows)


@pytest.mark.parametrize(
    "call",
    [
        lambda: calibrate([], [], rng=generator()),
        lambda: calibrate([0.5], [1, 0], rng=generator()),
        lambda: calibrate([2.0], [1], rng=generator()),
        lambda: calibrate([0.5], [np.nan], rng=generator()),
        lambda: calibrate([0.5], [1], wish=Wish(design=Design(weights=np.array([-1.0]))), rng=generator()),
        lambda: auroc([1, 0], [0.5]),
        lambda: fit_map([1, 0], [0.5, 0.5]),
        lambda: fit_map([1, 0], [0.5, 0.7], kind="cubic"),
        lambda: best_cutoff([1, 1], [0.5, 0.7]),
        lambda: graded_agreement([1.0], []),
    ],
)
def test_impossible_requests_are_refused(call):
    with pytest.raises(StatisticsError):
        call()
