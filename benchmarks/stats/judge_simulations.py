"""Simulated judges and people: areas, verdicts, thresholds, biases, drift, and means from uneven draws."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr  # type: ignore[import-untyped]  # scipy ships no types

from assay.stats.auroc import auroc
from assay.stats.calibration import corrected_mean
from assay.stats.corrected_means import ppi_mean
from assay.stats.cutoffs import best_cutoff, fit_cutoff
from assay.stats.drift import anchor_drift
from assay.stats.estimates import Interval
from assay.stats.graded_agreement import graded_agreement
from assay.stats.jackknife import PLAIN, Design
from assay.stats.judge_bias import favour, length_bias
from assay.stats.labels_needed import labels_needed
from assay.stats.verdicts import verdict_quality

Floats = npt.NDArray[np.float64]
Rng = np.random.Generator

PASS_RATE = 0.65
EACH = 4
"""Answers of one case where cases are clusters."""


def covers(interval: Interval, truth: float) -> bool:
    """Whether the truth is inside; an interval that is not estimable does not cover."""
    return interval.low is not None and interval.high is not None and interval.low <= truth <= interval.high


def labelled(rng: Rng, n: int, distance: float) -> tuple[Floats, Floats]:
    """Labels, and scores that are normal with means `distance` apart."""
    people = (rng.random(n) < PASS_RATE).astype(np.float64)
    return people, distance * people + rng.normal(size=n)


def area_covered(rng: Rng, n: int, distance: float, draws: int) -> float:
    """How often the interval of the area holds Phi(distance / sqrt 2); samples of one kind are drawn anew."""
    truth, hits, done = float(ndtr(distance / np.sqrt(2.0))), 0, 0
    while done < draws:
        people, scores = labelled(rng, n, distance)
        if people.min() == people.max():
            continue
        hits += covers(auroc(people, scores), truth)
        done += 1
    return hits / draws


def clustered(rng: Rng, cases: int, distance: float) -> tuple[Floats, Floats, list[int]]:
    """As `labelled`, four answers a case that share half of the variance of labels and of scores."""
    shared_label, shared_score = np.repeat(rng.normal(size=(2, cases)), EACH, axis=1)
    n = cases * EACH
    people = (ndtr((shared_label + rng.normal(size=n)) / np.sqrt(2.0)) < PASS_RATE).astype(np.float64)
    noise = (shared_score + rng.normal(size=n)) / np.sqrt(2.0)
    return people, distance * people + noise, np.repeat(np.arange(cases), EACH).tolist()


Pick = Callable[[Floats, Floats, Design], Interval]


def of_area(people: Floats, scores: Floats, design: Design) -> Interval:
    """The interval of the area."""
    return auroc(people, scores, design=design)


def of_kappa(people: Floats, scores: Floats, design: Design) -> Interval:
    """Kappa of verdicts at the middle of both means."""
    return verdict_quality(people, scores >= 0.6, design=design).kappa


def of_balance(people: Floats, scores: Floats, design: Design) -> Interval:
    """Balanced accuracy of the same verdicts."""
    return verdict_quality(people, scores >= 0.6, design=design).balanced_accuracy


def of_concordance(people: Floats, scores: Floats, design: Design) -> Interval:
    """Concordance of scores and labels."""
    return graded_agreement(people, scores, design=design).concordance


def clusters_covered(rng: Rng, pick: Pick, cases: int, draws: int) -> tuple[float, float]:
    """Coverage of a coefficient of clustered answers with and without their clusters."""
    people, scores, _ = clustered(np.random.default_rng(1), 100_000, 1.2)
    truth = _estimate(pick, people, scores)
    hits = np.zeros(2)
    for _ in range(draws):
        people, scores, codes = clustered(rng, cases, 1.2)
        hits += [covers(pick(people, scores, each), truth) for each in (Design(clusters=codes), PLAIN)]
    return float(hits[0] / draws), float(hits[1] / draws)


def _estimate(pick: Pick, people: Floats, scores: Floats) -> float:
    """The coefficient of a large sample, by parts, so that no interval of all has to be computed."""
    parts = [slice(start, start + 4_000) for start in range(0, people.size, 4_000)]
    values = [pick(people[part], scores[part], PLAIN).estimate for part in parts]
    return float(np.mean([value for value in values if value is not None]))


def plain_balance_covered(rng: Rng, n: int, draws: int) -> float:
    """Coverage of the balanced accuracy of independent verdicts: 0.9 of passes and 0.75 of failures right."""
    hits, done = 0, 0
    while done < draws:
        people = (rng.random(n) < PASS_RATE).astype(np.float64)
        if people.min() == people.max():
            continue
        right = rng.random(n) < np.where(people == 1.0, 0.9, 0.75)
        verdicts = np.where(right, people, 1.0 - people)
        hits += covers(verdict_quality(people, verdicts).balanced_accuracy, 0.825)
        done += 1
    return hits / draws


def thresholds(rng: Rng, n: int, draws: int) -> tuple[float, float]:
    """Mean error of the held-out and of the apparent balanced accuracy of a chosen threshold.

    The truth of each draw is that of its own threshold, from the normal laws of the scores.
    """
    errors = []
    for _ in range(draws):
        people, scores = labelled(rng, n, 0.8)
        if min(people.sum(), n - people.sum()) < 2:
            continue
        found = fit_cutoff(people, scores, rng=rng)
        truth = (1.0 - ndtr(found.threshold - 0.8) + ndtr(found.threshold)) / 2.0
        held_out = found.held_out.balanced_accuracy.estimate or 0.0
        errors.append((held_out - truth, found.apparent - truth))
    means = np.mean(errors, axis=0)
    return float(means[0]), float(means[1])


def threshold_losses(rng: Rng, n: int, draws: int) -> tuple[float, float]:
    """Balanced accuracy that a threshold by n labels loses beside the best one: chosen, and greedily.

    The greedy one is best on the labels. Passes and failures are normal, 1.8 apart: the best is at 0.9.
    """
    losses = []
    for _ in range(draws):
        people, scores = labelled(rng, n, 1.8)
        if people.min() == people.max():
            continue
        chosen = best_cutoff(people, scores), greedy_cutoff(people, scores)
        worth = ndtr(1.8 - np.array(chosen)) + ndtr(np.array(chosen))
        losses.append((2.0 * ndtr(0.9) - worth) / 2.0)
    means = np.mean(losses, axis=0)
    return float(means[0]), float(means[1])


def greedy_cutoff(people: Floats, scores: Floats) -> float:
    """The threshold, halfway between two scores, with the highest balanced accuracy on these labels."""
    x = np.sort(scores)
    edges = (x[:-1] + x[1:]) / 2.0
    passes, failures = scores[people == 1.0], scores[people == 0.0]
    worth = [np.mean(passes >= edge) + np.mean(failures < edge) for edge in edges]
    return float(edges[int(np.argmax(worth))])


def bias_alarms(rng: Rng, cases: int, draws: int) -> tuple[float, float]:
    """How often a judge without bias is said to favour its own family, and length, at 5%.

    The family's answers are better, and its judge sees that; noise grows with length.
    """
    alarms = np.zeros(2)
    codes = np.repeat(np.arange(cases), 2).tolist()
    for _ in range(draws):
        own = np.tile([0.0, 1.0], cases)
        quality = np.repeat(rng.normal(size=cases), 2) + 0.4 * own + rng.normal(size=2 * cases)
        length = rng.lognormal(0.0, 0.5, size=2 * cases)
        people = quality + rng.normal(size=2 * cases)
        judge = quality + 0.7 * length * rng.normal(size=2 * cases)
        design = Design(clusters=codes)
        alarms[0] += favour(people, judge, own, design=design).excess.p <= 0.05
        alarms[1] += length_bias(people, judge, length, design=design).p <= 0.05
    return float(alarms[0] / draws), float(alarms[1] / draws)


def drift_errors(rng: Rng, n: int, draws: int) -> tuple[float, float]:
    """How often an unchanged judge has "drifted", and one that moved by the margin is "stable"."""
    wrong = np.zeros(2)
    for _ in range(draws):
        quality = rng.beta(4, 2, size=n)
        before, after, moved = (
            np.clip(quality + shift + 0.08 * rng.normal(size=n), 0.0, 1.0) for shift in (0.0, 0.0, -0.0515)
        )
        wrong[0] += anchor_drift(before, after, margin=0.05, rng=rng).verdict == "drifted"
        wrong[1] += anchor_drift(before, moved, margin=0.05, rng=rng).verdict == "stable"
    return float(wrong[0] / draws), float(wrong[1] / draws)


def uneven_draw(rng: Rng, n: int, draws: int) -> tuple[float, float]:
    """Coverage of the corrected mean of 2,000 answers, hard ones drawn more often: with weights, without."""
    hits = np.zeros(2)
    for _ in range(draws):
        quality = rng.beta(2, 1.5, size=2_000)
        people = (rng.random(2_000) < quality).astype(np.float64)
        judge = np.clip(0.3 + 0.5 * quality + 0.2 * rng.normal(size=2_000), 0.0, 1.0)
        wanted = np.where(quality < 0.5, 4.0, 1.0)
        chance = np.minimum(1.0, n * wanted / wanted.sum())
        chosen = rng.random(2_000) < chance
        given = people[chosen], judge[chosen], judge[~chosen]
        weighted = corrected_mean(*given, Design(weights=1.0 / chance[chosen]))
        hits[0] += covers(weighted.interval, 2.0 / 3.5)
        hits[1] += covers(ppi_mean(*given).interval, 2.0 / 3.5)
    return float(hits[0] / draws), float(hits[1] / draws)


def planned_widths(rng: Rng, draws: int) -> float:
    """Mean half width with the labels that a first round of 100 asked for, as a share of the margin."""
    reached = []
    for _ in range(draws):
        quality = rng.beta(2, 1.5, size=4_000)
        people = (rng.random(4_000) < quality).astype(np.float64)
        judge = np.clip(quality + 0.15 * rng.normal(size=4_000), 0.0, 1.0)
        total = labels_needed(people[:100], judge[:100], judge[100:], margin=0.05).total or 100
        found = ppi_mean(people[:total], judge[:total], judge[total:]).interval
        reached.append(((found.high or 0.0) - (found.low or 0.0)) / 2.0 / 0.05)
    return float(np.mean(reached))
