"""From which score on an answer passes: chosen on labels, judged on labels that did not choose it."""

import math
from dataclasses import dataclass

import numpy as np

from assay.stats.arrays import FloatArray, IntArray, Numbers, finite_numbers, scores_of_kind
from assay.stats.errors import StatisticsError
from assay.stats.jackknife import PLAIN, Design
from assay.stats.score_maps import MapKind, ScoreMap, fit_map
from assay.stats.verdicts import VerdictQuality, balanced_accuracy, verdict_quality

FOLDS = 10
LEARNING_RATE = 0.5
"""How fast the say of a threshold falls with its balanced accuracy on the labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoff:
    """A threshold (a score of it or more passes) and what it is worth.

    `held_out`: verdicts on each answer by a threshold that was chosen without it. `apparent`: balanced
    accuracy on the labels that chose it, which flatters; None is never shown alone. `spread`: the lowest and
    the highest threshold of the folds.
    """

    threshold: float
    held_out: VerdictQuality
    apparent: float
    spread: tuple[float, float]
    folds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MapFit:
    """A map from scores to labels with its held-out loss: mean squared error, beside that of raw scores.

    `raw_loss` is None for scores outside [0, 1]; `base_loss` is that of the mean label alone.
    """

    map: ScoreMap
    held_out_loss: float
    raw_loss: float | None
    base_loss: float


def best_cutoff(passed: Numbers, scores: Numbers, weights: FloatArray | None = None) -> float:
    """The threshold that is expected to have the highest balanced accuracy on other answers.

    Every threshold t that the scores tell apart (halfway between two of them, and both ends) speaks with the
    weight exp(n (B(t) - max B) / 2), where B(t) is its balanced accuracy on the labels and
    n = 4 P F / (P + F) for P passes and F failures; the result is their weighted mean. It is the mean of a
    Gibbs posterior (Syring and Martin 2017, J. Stat. Plan. Inference 187, 67-77), at a learning rate of 1/2.
    The single best threshold of few labels follows their noise: what it loses on other answers is twice as
    much (`benchmarks/stats/judge_simulations.py`). Raises StatisticsError without passes or failures.
    """
    people, values = scores_of_kind(passed, "binary", "passed"), finite_numbers(scores)
    each = np.ones(people.size) if weights is None else weights
    passes, failures = (float(each[people == truth].sum()) for truth in (1.0, 0.0))
    if min(passes, failures) <= 0.0 or people.size != values.size:
        raise StatisticsError("a threshold needs passes and failures among the labels, one score each")
    x, codes = np.unique(values, return_inverse=True)
    lost, gained = (
        np.concatenate([[0.0], np.cumsum(np.bincount(codes, weights=each * (people == truth)))]) / total
        for truth, total in ((1.0, passes), (0.0, failures))
    )
    edges = np.concatenate([[x[0]], (x[:-1] + x[1:]) / 2.0, [np.nextafter(x[-1], math.inf)]])
    balance = (1.0 + gained - lost) / 2.0
    labels = 4.0 * passes * failures / (passes + failures)
    say = np.exp(LEARNING_RATE * labels * (balance - balance.max()))
    return float(np.average(edges, weights=say))


def fit_cutoff(
    passed: Numbers, scores: Numbers, *, design: Design = PLAIN, rng: np.random.Generator
) -> Cutoff:
    """Choose a threshold by all labels, and tell by cross-fitting what it is worth on others.

    Clusters are dealt into 10 folds (fewer where there are few) at random, so that each has its share of the
    clusters with a failure; the verdict on an answer comes from the threshold of the other folds. The
    intervals take the verdicts as given: how the threshold would vary is in `spread`. Raises StatisticsError
    unless two clusters have a pass and two a failure.
    """
    people, values = scores_of_kind(passed, "binary", "passed"), finite_numbers(scores)
    weights, codes = design.checked_weights(people.size), design.codes(people.size)
    threshold = best_cutoff(people, values, weights)
    fold = deal_folds(people, codes, rng)
    verdicts, chosen = np.empty(people.size), []
    for number in range(int(fold.max()) + 1):
        inside = fold == number
        chosen.append(best_cutoff(people[~inside], values[~inside], weights[~inside]))
        verdicts[inside] = values[inside] >= chosen[-1]
    return Cutoff(
        threshold=threshold,
        held_out=verdict_quality(people, verdicts, design=design),
        apparent=balanced_accuracy(people, (values >= threshold).astype(np.float64), weights),
        spread=(min(chosen), max(chosen)),
        folds=len(chosen),
    )


def fit_score_map(
    labels: Numbers,
    scores: Numbers,
    *,
    kind: MapKind = "logistic",
    design: Design = PLAIN,
    rng: np.random.Generator,
) -> MapFit:
    """Fit a map by all labels; its loss is that on answers which the map of the other folds has not seen.

    Raises StatisticsError where scores or labels do not vary enough to fit each fold.
    """
    targets, values = scores_of_kind(labels, "unit", "labels"), finite_numbers(scores)
    weights, codes = design.checked_weights(targets.size), design.codes(targets.size)
    fold = deal_folds((targets > targets.mean()).astype(np.float64), codes, rng)
    mapped, base = np.empty(targets.size), np.empty(targets.size)
    for number in range(int(fold.max()) + 1):
        inside = fold == number
        seen = targets[~inside], values[~inside]
        mapped[inside] = fit_map(*seen, kind=kind, weights=weights[~inside]).apply(values[inside])
        base[inside] = np.average(seen[0], weights=weights[~inside])
    unit = float(values.min()) >= 0.0 and float(values.max()) <= 1.0
    return MapFit(
        map=fit_map(targets, values, kind=kind, weights=weights),
        held_out_loss=_loss(mapped, targets, weights),
        raw_loss=_loss(values, targets, weights) if unit else None,
        base_loss=_loss(base, targets, weights),
    )


def _loss(said: FloatArray, truth: FloatArray, weights: FloatArray) -> float:
    return float(np.average((said - truth) ** 2, weights=weights))


def deal_folds(kinds: FloatArray, codes: IntArray, rng: np.random.Generator, folds: int = FOLDS) -> IntArray:
    """The fold of each item: whole clusters, those of the rarer kind dealt first, in random order.

    At most `folds`, and no more than each kind has clusters. Raises StatisticsError for fewer than two.
    """
    groups = int(codes.max()) + 1 if codes.size else 0
    holders = [np.unique(codes[kinds == kind]) for kind in (0.0, 1.0)]
    count = min(folds, *(held.size for held in holders))
    if count < 2:
        raise StatisticsError(
            "cross-fitting needs two independent cases with a pass and two with a failure among the labels"
        )
    rarer = min(holders, key=lambda held: held.size)
    others = np.setdiff1d(np.arange(groups), rarer)
    order = np.concatenate([rng.permutation(rarer), rng.permutation(others)])
    dealt = np.empty(groups, dtype=np.intp)
    dealt[order] = np.arange(groups) % count
    return dealt[codes]
