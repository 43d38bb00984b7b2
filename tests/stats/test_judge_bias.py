"""Biases that people do not share, drift on anchors, juries, and how many labels are enough."""

import json
from pathlib import Path

import numpy as np
import pytest

from assay.stats.agreement import krippendorff_alpha
from assay.stats.corrected_means import ppi_mean
from assay.stats.distributions import t_quantile
from assay.stats.drift import anchor_drift
from assay.stats.errors import StatisticsError
from assay.stats.jackknife import Design
from assay.stats.judge_bias import favour, length_bias
from assay.stats.juries import rater_agreement
from assay.stats.labels_needed import labels_needed
from assay.stats.slopes import robust_slope


def generator(seed=0):
    return np.random.default_rng(seed)


def test_the_slope_on_length_is_that_of_statsmodels_and_its_error_hc3():
    path = Path(__file__).with_name("golden_calibration.json")
    test = json.loads(path.read_text(encoding="utf-8"))["judge_calibration"]
    data, expected = test["inputs"], test["expected"]["slope"]
    found = length_bias(data["human"], data["judge"], data["length"]).interval
    assert found.estimate == pytest.approx(expected["estimate"], abs=1e-9)
    error = (found.high - found.low) / 2 / t_quantile(0.975, 37)
    assert error == pytest.approx(expected["hc3"] * np.sqrt(39 / 40), abs=1e-9)


def test_the_error_of_clusters_is_that_of_leaving_each_out():
    rng = generator(1)
    codes = np.repeat(np.arange(12), [1, 2, 3, 4] * 3)
    x, y = rng.normal(size=codes.size), rng.normal(size=codes.size) + 0.3 * codes
    found = robust_slope(y, x, [], Design(clusters=codes.tolist())).interval
    every = np.polyfit(x, y, 1)[0]
    without = [np.polyfit(x[codes != g], y[codes != g], 1)[0] for g in range(12)]
    error = np.sqrt(11 / 12 * np.sum((np.array(without) - every) ** 2))
    assert (found.high - found.low) / 2 == pytest.approx(error * t_quantile(0.975, 10))


def test_a_taste_for_length_that_people_share_is_no_bias():
    rng = generator(2)
    length = rng.lognormal(5.0, 0.5, size=400)
    z = (length - length.mean()) / length.std(ddof=1)
    people = np.clip(0.5 + 0.1 * rng.normal(size=400) + 0.05 * z, 0, 1)
    fair = people + 0.05 * rng.normal(size=400)
    assert not length_bias(people, fair, length).interval.excludes(0.0)
    found = length_bias(people, fair + 0.04 * z, length)
    assert found.interval.estimate == pytest.approx(0.04, abs=0.01)
    assert found.p < 1e-6


def test_a_better_candidate_that_writes_more_is_no_bias_inside_its_group():
    rng = generator(3)
    good = np.repeat([0.0, 1.0], 150)
    length = 100 + 80 * good + rng.normal(size=300) * 5
    people = (rng.random(300) < 0.4 + 0.2 * good).astype(float)
    judge = 0.2 + 0.3 * good + 0.2 * people + 0.05 * rng.normal(size=300)
    assert length_bias(people, judge, length).interval.excludes(0.0)
    assert not length_bias(people, judge, length, groups=good.tolist()).interval.excludes(0.0)


def test_a_family_that_is_better_is_not_self_preference():
    rng = generator(4)
    own = (np.arange(600) % 2).astype(float)
    quality = np.clip(0.5 + 0.15 * own + 0.2 * rng.normal(size=600), 0, 1)
    people = np.clip(quality + 0.1 * rng.normal(size=600), 0, 1)
    fair = np.clip(quality + 0.1 * rng.normal(size=600), 0, 1)
    found = favour(people, fair, own)
    assert found.human_gap > 0.1
    assert found.judge_gap > 0.1
    assert not found.excess.interval.excludes(0.0)
    assert found.at_same_label.interval.estimate > found.excess.interval.estimate
    vain = favour(people, np.clip(fair + 0.08 * own, 0, 1), own)
    assert vain.excess.interval.low > 0.03
    assert vain.excess.interval.estimate == pytest.approx(vain.judge_gap - vain.human_gap)
    assert vain.favoured == 300


def test_the_leniency_of_each_judge_is_taken_out_of_self_preference():
    rng = generator(5)
    # judge 0 is kind and mostly sees its own family; neither judge favours anybody
    judge = rng.integers(0, 2, size=800)
    own = (rng.random(800) < np.where(judge == 0, 0.9, 0.2)).astype(float)
    people = rng.random(800) * 0.5
    scores = people + 0.2 * (judge == 0) + 0.05 * rng.normal(size=800)
    assert favour(people, scores, own).excess.interval.low > 0.05
    assert not favour(people, scores, own, judges=judge.tolist()).excess.interval.excludes(0.0)


def test_one_kind_alone_tells_nothing_of_favour():
    found = favour([1, 0, 1, 0, 1], [1, 0, 0, 0, 1], [1, 1, 1, 1, 1])
    assert (found.judge_gap, found.excess.p) == (0.0, 1.0)
    assert found.excess.interval.reason == "it does not vary beside what is controlled for"


def test_a_stricter_judge_has_drifted_and_the_same_one_is_stable():
    rng = generator(6)
    before = rng.random(300)
    same = np.clip(before + 0.01 * rng.normal(size=300), 0, 1)
    stable = anchor_drift(before, same, margin=0.02, rng=generator())
    assert (stable.verdict, stable.shift.verdict) == ("stable", "equivalent")
    stricter = np.clip(same - 0.06, 0, 1)
    drifted = anchor_drift(before, stricter, margin=0.02, rng=generator())
    assert (drifted.verdict, drifted.shift.verdict) == ("drifted", "worse")
    assert drifted.moved == pytest.approx(0.06, abs=0.01)
    few = anchor_drift(before[:8], before[8:16], margin=0.02, rng=generator())
    assert few.verdict == "inconclusive"


def test_a_mean_that_stays_while_scores_move_is_seen_in_the_agreement():
    before = np.tile([0.0, 1.0], 100)
    after = np.where(np.arange(200) % 10 < 2, 1.0 - before, before)
    found = anchor_drift(before, after, kind="binary", margin=0.2, rng=generator())
    assert found.verdict == "stable"
    assert found.same.estimate == pytest.approx(0.8)
    assert found.agreement.estimate == pytest.approx(0.6)


def test_a_rater_who_guesses_agrees_least_with_the_rest():
    rng = generator(7)
    truth = (rng.random(200) < 0.5).astype(float)
    table = np.array([np.where(rng.random(200) < 0.1, 1 - truth, truth) for _ in range(3)])
    table = np.vstack([table, (rng.random(200) < 0.5).astype(float)])
    table[0, :50] = np.nan
    found = rater_agreement(table, ["ann", "ben", "cat", "dan"], rng=rng)
    rest = {each.name: each.with_rest.estimate for each in found.alone}
    assert max(rest, key=rest.get) != "dan" and rest["dan"] < 0.3
    assert min(value for name, value in rest.items() if name != "dan") > 0.4
    assert {(pair.first, pair.second) for pair in found.pairs} >= {("ann", "ben"), ("cat", "dan")}
    assert found.pairs[0].agreement.n == 150
    assert (found.raters, found.shared) == (4, 200)
    assert found.alpha.low < found.alpha.estimate < found.alpha.high


def test_alpha_of_graded_ratings_is_krippendorffs():
    rng = generator(9)
    truth = rng.random(60)
    table = np.clip(truth + 0.1 * rng.normal(size=(3, 60)), 0, 1).round(2)
    table[rng.random((3, 60)) < 0.2] = np.nan
    found = rater_agreement(table, ["ann", "ben", "cat"], rng=rng).alpha
    expected = krippendorff_alpha(table, scale="interval", rng=rng)
    assert found.estimate == pytest.approx(expected.estimate)
    assert [found.low, found.high] == pytest.approx([expected.low, expected.high], abs=0.05)
    cases = np.arange(60) // 3
    clustered = rater_agreement(table, ["a", "b", "c"], design=Design(clusters=cases.tolist()), rng=rng)
    assert clustered.alpha.clusters == 20


def test_raters_who_share_nothing_are_said_to():
    table = [[1, 0, np.nan, np.nan, 1], [np.nan, np.nan, 1, 0, 1], [1, 0, np.nan, np.nan, np.nan]]
    found = rater_agreement(table, ["ann", "ben", "cat"], rng=generator())
    between = {(pair.first, pair.second): pair.agreement for pair in found.pairs}
    assert between["ben", "cat"].reason == "they share no item"
    with pytest.raises(StatisticsError):
        rater_agreement([[1, 0]], ["ann"], rng=generator())


def test_the_labels_that_are_said_to_be_needed_are_enough():
    rng = generator(8)
    quality = rng.random(4_000)
    people = (rng.random(4_000) < quality).astype(float)
    judge = np.clip(quality + 0.1 * rng.normal(size=4_000), 0, 1)
    first = slice(0, 150)
    plan = labels_needed(people[first], judge[first], judge[150:], margin=0.04)
    assert plan.more == plan.total - 150
    achieved = ppi_mean(people[: plan.total], judge[: plan.total], judge[plan.total :]).interval
    assert (achieved.high - achieved.low) / 2 == pytest.approx(0.04, rel=0.1)
    alone = labels_needed(people[first], np.zeros(150), np.zeros(3_850), margin=0.04)
    assert alone.total > 1.2 * plan.total
    impossible = labels_needed(people[first], judge[first], judge[150:], margin=0.001)
    assert (impossible.total, impossible.more) == (None, None)
    assert impossible.floor == pytest.approx(1.96 * 0.5 / np.sqrt(4_000), rel=0.02)
    assert labels_needed(people[first], judge[first], judge[150:], margin=0.9).more == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda: length_bias([1, 0], [1], [1, 2]),
        lambda: length_bias([1, 0], [1, 0], [1]),
        lambda: favour([1, 0], [1, 0], [1, 2]),
        lambda: favour([], [], []),
        lambda: labels_needed([1, 0], [1, 0], [1, 0], margin=0.1),
        lambda: labels_needed([1, 0, 1], [1, 0, 1], [1, 0], margin=0.0),
        lambda: anchor_drift([0.5], [1.5], rng=generator()),
    ],
)
def test_impossible_requests_are_refused(call):
    with pytest.raises(StatisticsError):
        call()
