"""All that labels tell of a judge's scores, in one call."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from assay.stats.arrays import FloatArray, Numbers, finite_numbers, scores_of_kind
from assay.stats.auroc import auroc
from assay.stats.corrected_means import CorrectedMean, ppi_mean
from assay.stats.cutoffs import Cutoff, MapFit, fit_cutoff, fit_score_map
from assay.stats.errors import StatisticsError
from assay.stats.estimates import Interval
from assay.stats.graded_agreement import GradedAgreement, graded_agreement
from assay.stats.jackknife import PLAIN, Design
from assay.stats.score_maps import MapKind
from assay.stats.verdicts import VerdictQuality, verdict_quality

ScoreKind: TypeAlias = Literal["pass/fail", "graded"]

FEW_LABELS = 50
COMMON = 0.9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wish:
    """What to ask of the labels.

    `pass_at`: graded labels of it or more count as a pass, for the questions that need passes and failures.
    `threshold`: the judge's own, which decides its verdicts today. `map_kind`: the curve to fit.
    """

    design: Design = PLAIN
    pass_at: float | None = None
    threshold: float | None = None
    map_kind: MapKind = "logistic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What `n` labelled answers tell of a judge. What cannot be told is None, and `notes` say why.

    `clusters` is the number of independent sources, None when every answer is one. `verdicts`: those that the
    judge gives today, by itself or by `threshold`. `cutoff` and `map` are recommendations with held-out
    figures. `corrected` needs scores without label.
    """

    n: int
    clusters: int | None
    label_kind: ScoreKind
    judge_kind: ScoreKind
    human_mean: float
    judge_mean: float
    graded: GradedAgreement
    auroc: Interval | None
    threshold: float | None
    verdicts: VerdictQuality | None
    cutoff: Cutoff | None
    map: MapFit | None
    corrected: CorrectedMean | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """Labels and scores, aligned; `passed` is None where labels do not tell passes from failures."""

    people: FloatArray
    judge: FloatArray
    passed: FloatArray | None
    design: Design


def calibrate(
    scores: Numbers,
    labels: Numbers,
    *,
    unlabelled: Numbers | None = None,
    wish: Wish | None = None,
    rng: np.random.Generator,
) -> Calibration:
    """Hold a judge's `scores` against people's `labels` of the same answers, both in [0, 1].

    Agreement as it is (`graded`, `auroc`, `verdicts`), the best threshold and map with what they are worth on
    labels that did not choose them, and with `unlabelled`, the judge's scores of other answers of the same
    kind, the mean that people would give (`ppi_mean`; weights of the design are taken for 1/chance). Assumes
    that labels are a random sample of the answers, or weighted for how they were drawn, and that clusters are
    independent. Raises StatisticsError for misaligned, missing or out-of-range numbers.
    """
    wish = wish or Wish()
    people, judge = scores_of_kind(labels, "unit", "labels"), scores_of_kind(scores, "unit", "scores")
    if people.size != judge.size or people.size == 0:
        raise StatisticsError(f"{judge.size} scores for {people.size} labels: pair them first, at least one")
    sample = _Sample(people, judge, _passed(people, wish.pass_at), wish.design)
    notes = _notes(sample)
    weights, codes = wish.design.checked_weights(people.size), wish.design.codes(people.size)
    groups = int(codes.max()) + 1
    binary = kind_of(judge) == "pass/fail"
    threshold = 0.5 if binary else wish.threshold
    verdicts = None
    if sample.passed is not None and threshold is not None:
        verdicts = verdict_quality(sample.passed, (judge >= threshold).astype(np.float64), design=wish.design)
    return Calibration(
        n=people.size,
        clusters=None if groups == people.size else groups,
        label_kind=kind_of(people),
        judge_kind=kind_of(judge),
        human_mean=float(np.average(people, weights=weights)),
        judge_mean=float(np.average(judge, weights=weights)),
        graded=graded_agreement(people, judge, design=wish.design),
        auroc=None if sample.passed is None else auroc(sample.passed, judge, design=wish.design),
        threshold=None if binary else wish.threshold,
        verdicts=verdicts,
        cutoff=None if binary else _cutoff(sample, rng, notes),
        map=_map(sample, wish.map_kind, rng, notes),
        corrected=None if unlabelled is None else _corrected(sample, unlabelled, notes),
        notes=tuple(notes),
    )


def kind_of(values: FloatArray) -> ScoreKind:
    """Whether all are 0 or 1."""
    return "pass/fail" if bool(np.all((values == 0.0) | (values == 1.0))) else "graded"


def corrected_mean(
    people: FloatArray, judge: FloatArray, unlabelled: Numbers, design: Design = PLAIN
) -> CorrectedMean:
    """`ppi_mean` at the level of a design, whose weights stand for 1/chance of being labelled.

    Weights are known up to a factor: they are scaled to speak for all answers together. Clusters are not
    reckoned with: give one score a case. Raises StatisticsError for too few answers.
    """
    others = finite_numbers(unlabelled, "unlabelled")
    chances = None
    if design.weights is not None:
        share = people.size / (people.size + others.size)
        chances = np.minimum(1.0, share / design.checked_weights(people.size))
    return ppi_mean(people, judge, others, pi=chances, level=design.level)


def _passed(people: FloatArray, pass_at: float | None) -> FloatArray | None:
    """Labels as passes and failures, where they are or where it is said from which on they pass."""
    if pass_at is not None:
        return np.asarray(people >= pass_at - 1e-12, dtype=np.float64)
    return people if kind_of(people) == "pass/fail" else None


def _cutoff(sample: _Sample, rng: np.random.Generator, notes: list[str]) -> Cutoff | None:
    if sample.passed is None:
        return None
    try:
        return fit_cutoff(sample.passed, sample.judge, design=sample.design, rng=rng)
    except StatisticsError as problem:
        notes.append(f"no threshold: {problem}")
        return None


def _map(sample: _Sample, kind: MapKind, rng: np.random.Generator, notes: list[str]) -> MapFit | None:
    """The map of scores to labels; its folds come from the same generator, after those of the threshold."""
    try:
        return fit_score_map(sample.people, sample.judge, kind=kind, design=sample.design, rng=rng)
    except StatisticsError as problem:
        notes.append(f"no calibration map: {problem}")
        return None


def _corrected(sample: _Sample, unlabelled: Numbers, notes: list[str]) -> CorrectedMean | None:
    try:
        return corrected_mean(sample.people, sample.judge, unlabelled, sample.design)
    except StatisticsError as problem:
        notes.append(f"no corrected mean: {problem}")
        return None


def _notes(sample: _Sample) -> list[str]:
    people, judge = sample.people, sample.judge
    n = people.size
    shares = [float(np.unique(values, return_counts=True)[1].max()) / n for values in (people, judge)]
    found = [
        (n < FEW_LABELS, f"{n} labels: below {FEW_LABELS} the agreement is hardly known"),
        (shares[0] == 1.0, "all labels are the same: nothing can be said of agreement beyond chance"),
        (
            COMMON <= shares[0] < 1.0,
            f"{shares[0]:.0%} of the labels are the same: kappa is low for almost any judge then, "
            "and agreement is cheap",
        ),
        (
            shares[1] >= COMMON > shares[0],
            f"the judge gives the same score to {shares[1]:.0%} of the labelled answers",
        ),
        (
            sample.passed is None,
            "the labels are graded: say from which on they pass, to get a threshold and an AUROC",
        ),
    ]
    return [text for applies, text in found if applies]
