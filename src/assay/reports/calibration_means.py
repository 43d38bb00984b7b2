"""What people would say of each candidate, beside what the judge says."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.reports.calibration_values import CalibrationWish, CandidateMean, JudgedAnswer
from assay.reports.wording import plural
from assay.stats.arrays import FloatArray, Kind
from assay.stats.calibration import corrected_mean, kind_of
from assay.stats.corrected_means import CorrectedMean, rogan_gladen
from assay.stats.errors import StatisticsError
from assay.stats.estimates import Interval
from assay.stats.intervals import score_interval
from assay.stats.jackknife import Design
from assay.stats.labels_needed import LabelsNeeded, labels_needed

LEAST_LABELS = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sample:
    """One number a case: people's and the judge's of labelled cases, the judge's of the others."""

    people: FloatArray
    judge: FloatArray
    weights: FloatArray | None
    rest: FloatArray
    repeated: bool

    @property
    def all_judged(self) -> FloatArray:
        return np.concatenate([self.judge, self.rest])


def candidate_means(answers: Sequence[JudgedAnswer], wish: CalibrationWish) -> tuple[CandidateMean, ...]:
    """The means of each candidate, in the order of the answers.

    Repeats of a case are averaged. A case counts as labelled when one of its repeats has a label; then those
    with a label stand for it. From 10 labels on the mean is corrected.
    """
    groups: dict[str, list[JudgedAnswer]] = {}
    for each in answers:
        if each.judge is not None:
            groups.setdefault(each.candidate, []).append(each)
    return tuple(_mean_of(name, _sample_of(found), wish) for name, found in groups.items())


def _sample_of(answers: Sequence[JudgedAnswer]) -> _Sample:
    cases: dict[str, list[JudgedAnswer]] = {}
    for each in answers:
        cases.setdefault(each.case, []).append(each)
    labelled, rest = [], []
    for found in cases.values():
        known = [each for each in found if each.labels]
        if known:
            labelled.append(known)
        else:
            rest.append(_judge_mean(found))
    weights = [np.mean([1.0 if each.weight is None else each.weight for each in known]) for known in labelled]
    even = len({round(float(weight), 12) for weight in weights}) <= 1
    return _Sample(
        people=np.array([np.mean([each.human for each in known]) for known in labelled], dtype=np.float64),
        judge=np.array([_judge_mean(known) for known in labelled], dtype=np.float64),
        weights=None if even else np.array(weights, dtype=np.float64),
        rest=np.array(rest, dtype=np.float64),
        repeated=len(cases) < len(answers),
    )


def _judge_mean(answers: Sequence[JudgedAnswer]) -> float:
    return float(np.mean([each.judge for each in answers if each.judge is not None]))


def _mean_of(candidate: str, sample: _Sample, wish: CalibrationWish) -> CandidateMean:
    labels = sample.people.size
    corrected, note = _corrected(sample, wish.level)
    return CandidateMean(
        candidate=candidate,
        cases=sample.all_judged.size,
        labels=labels,
        judge=_interval(sample.all_judged, wish.level),
        people=_interval(sample.people, wish.level) if labels and sample.weights is None else None,
        corrected=corrected,
        rogan_gladen=None if corrected is None else _rogan_gladen(sample, wish.level),
        needed=None if corrected is None else _needed(sample, wish),
        note=note,
    )


def _interval(scores: FloatArray, level: float) -> Interval:
    kind: Kind = "binary" if kind_of(scores) == "pass/fail" else "unit"
    return score_interval(scores, kind=kind, level=level)


def _corrected(sample: _Sample, level: float) -> tuple[CorrectedMean | None, str]:
    if sample.people.size < LEAST_LABELS:
        return None, f"{plural(sample.people.size, 'label')}: at least {LEAST_LABELS} are needed"
    if sample.rest.size < 2:
        return None, "every answer is labelled: the mean of the labels needs no judge"
    design = Design(weights=sample.weights, level=level)
    try:
        return corrected_mean(sample.people, sample.judge, sample.rest, design), ""
    except StatisticsError as problem:
        return None, str(problem)


def _rogan_gladen(sample: _Sample, level: float) -> Interval | None:
    """For pass/fail labels and verdicts that count alike; None without passes or without failures."""
    if sample.weights is not None or {kind_of(sample.people), kind_of(sample.all_judged)} != {"pass/fail"}:
        return None
    passes, failures = sample.people == 1.0, sample.people == 0.0
    if not passes.any() or not failures.any():
        return None
    sensitivity = int(sample.judge[passes].sum()), int(passes.sum())
    specificity = int((1.0 - sample.judge[failures]).sum()), int(failures.sum())
    return rogan_gladen(sample.rest, sensitivity, specificity, level=level)


def _needed(sample: _Sample, wish: CalibrationWish) -> LabelsNeeded | None:
    if sample.weights is not None or np.ptp(sample.people) == 0.0:
        return None
    return labels_needed(sample.people, sample.judge, sample.rest, margin=wish.margin, level=wish.level)
