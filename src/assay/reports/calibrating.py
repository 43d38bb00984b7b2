"""From judged answers and labels to the report on a judge."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from assay.reports.calibration_means import candidate_means
from assay.reports.calibration_values import (
    BiasProbes,
    CalibrationReport,
    CalibrationWish,
    Coverage,
    JudgedAnswer,
)
from assay.reports.wording import listed, plural
from assay.stats.arrays import FloatArray
from assay.stats.calibration import Calibration, Wish, calibrate, kind_of
from assay.stats.comparison import Comparison, compare_paired
from assay.stats.errors import StatisticsError
from assay.stats.jackknife import Design
from assay.stats.judge_bias import Favour, favour, length_bias
from assay.stats.juries import Agreement, rater_agreement
from assay.stats.slopes import Slope

FEW_OF_CLASS = 10
LEAST_FAVOURED = 5
NAMED = 10


def calibrate_answers(
    answers: Sequence[JudgedAnswer],
    wish: CalibrationWish,
    *,
    title: str,
    judge: Mapping[str, Any],
    labels: Mapping[str, Any],
    seed: int,
) -> CalibrationReport:
    """The report on a judge's scores in [0, 1] of `answers`, some of them labelled.

    Raises StatisticsError when no answer has both a score and a label.
    """
    both = [each for each in answers if each.judge is not None and each.labels]
    if not both:
        raise StatisticsError("no answer has both a label and a score of the judge")
    rng = np.random.default_rng(seed)
    design = design_of(both, wish.level)
    rows = by_person(both)
    people, scores = _series(rows)
    found = calibrate(
        scores,
        people,
        wish=Wish(
            design=design_of(rows, wish.level),
            pass_at=wish.pass_at,
            threshold=wish.threshold,
            map_kind=wish.map_kind,
        ),
        rng=rng,
    )
    return CalibrationReport(
        title=title,
        judge=judge,
        labels=labels,
        coverage=_coverage(answers),
        calibration=found,
        people=_people(answers, wish.level, rng),
        bias=_bias(both, design, _passing(found), rng),
        means=candidate_means(answers, wish),
        cautions=tuple(_cautions(answers, both)),
        notes=found.notes,
    )


def by_person(answers: Sequence[JudgedAnswer]) -> list[JudgedAnswer]:
    """Pass/fail labels of several people as one row each, which share the weight of the answer.

    So the judge is held against a person, as a person is against another; no tie has to be broken. Graded
    labels stay together: their mean is the better measure.
    """
    binary = all(label in (0.0, 1.0) for each in answers for _, label in each.labels)
    if not binary or all(len(each.labels) == 1 for each in answers):
        return list(answers)
    return [
        replace(each, labels=(label,), weight=(each.weight or 1.0) / len(each.labels))
        for each in answers
        for label in each.labels
    ]


def design_of(answers: Sequence[JudgedAnswer], level: float) -> Design:
    """How the labelled answers were drawn: clusters unless each stands alone, weights where there are any."""
    clusters = [each.cluster or each.case for each in answers]
    weights = [each.weight for each in answers]
    alone = len(set(clusters)) == len(clusters)
    known = [1.0 if weight is None else weight for weight in weights]
    even = len({round(weight, 12) for weight in known}) == 1
    return Design(
        clusters=None if alone else clusters, weights=None if even else np.array(known), level=level
    )


def _series(answers: Sequence[JudgedAnswer]) -> tuple[FloatArray, FloatArray]:
    """Mean labels and judge scores."""
    people = np.array([each.human for each in answers], dtype=np.float64)
    scores = [each.judge for each in answers if each.judge is not None]
    return people, np.array(scores, dtype=np.float64)


def _coverage(answers: Sequence[JudgedAnswer]) -> Coverage:
    return Coverage(
        answers=len(answers),
        scored=sum(each.judge is not None for each in answers),
        labelled=sum(bool(each.labels) for each in answers),
        both=sum(bool(each.labels) and each.judge is not None for each in answers),
        cases=len({each.case for each in answers}),
    )


def _people(answers: Sequence[JudgedAnswer], level: float, rng: np.random.Generator) -> Agreement | None:
    """How far annotators agree; None where no answer has two."""
    labelled = [each for each in answers if each.labels]
    names = list(dict.fromkeys(name for each in labelled for name, _ in each.labels))
    if len(names) < 2 or not any(len(each.labels) > 1 for each in labelled):
        return None
    table = np.full((len(names), len(labelled)), np.nan)
    rows = {name: row for row, name in enumerate(names)}
    for column, each in enumerate(labelled):
        for name, label in each.labels:
            table[rows[name], column] = label
    # people's agreement is about the answers that were labelled: how they were drawn is left out
    design = replace(design_of(labelled, level), weights=None)
    return rater_agreement(table, names, design=design, rng=rng)


def _passing(found: Calibration) -> float | None:
    """The score from which on an answer passes, where labels are pass/fail and scores are graded."""
    if found.label_kind == "graded" or found.judge_kind == "pass/fail":
        return None
    return found.threshold if found.cutoff is None else found.cutoff.threshold


def _bias(
    answers: Sequence[JudgedAnswer], design: Design, threshold: float | None, rng: np.random.Generator
) -> BiasProbes:
    return BiasProbes(
        length=_length(answers, design),
        position=_position(answers, design.level, threshold),
        orders=_orders(answers, design, rng),
        self_preference=_self_preference(answers, design.level, threshold),
    )


def _length(answers: Sequence[JudgedAnswer], design: Design) -> Slope | None:
    lengths = [each.length for each in answers if each.length is not None]
    if len(lengths) < len(answers):
        return None
    people, scores = _series(answers)
    groups = [each.candidate for each in answers]
    return length_bias(people, scores, np.array(lengths), groups=groups, design=design)


def _position(answers: Sequence[JudgedAnswer], level: float, threshold: float | None) -> Favour | None:
    known = [each for each in answers if each.first is not None]
    if not known:
        return None
    people, scores = _series(known)
    shown = [bool(each.first) for each in known]
    return favour(people, scores, shown, threshold=threshold, design=design_of(known, level))


def _orders(answers: Sequence[JudgedAnswer], design: Design, rng: np.random.Generator) -> Comparison | None:
    """Scores as shown less scores in the other order."""
    known = [each for each in answers if each.swapped is not None]
    if not known:
        return None
    other = np.array([each.swapped for each in known], dtype=np.float64)
    _, scores = _series(known)
    kinds = {kind_of(other), kind_of(scores)}
    return compare_paired(
        other,
        scores,
        kind="binary" if kinds == {"pass/fail"} else "unit",
        clusters=[each.cluster or each.case for each in known],
        alpha=1.0 - design.level,
        rng=rng,
    )


def _self_preference(answers: Sequence[JudgedAnswer], level: float, threshold: float | None) -> Favour | None:
    known = [each for each in answers if each.judge_family is not None and each.answer_family is not None]
    own = [_same(each.judge_family, each.answer_family) for each in known]
    if not known or not LEAST_FAVOURED <= sum(own) <= len(own) - LEAST_FAVOURED:
        return None
    people, scores = _series(known)
    judges = [each.judge_family for each in known]
    return favour(people, scores, own, judges=judges, threshold=threshold, design=design_of(known, level))


def _same(first: str | None, second: str | None) -> bool:
    return (first or "").strip().lower() == (second or "").strip().lower()


def _cautions(answers: Sequence[JudgedAnswer], both: Sequence[JudgedAnswer]) -> list[str]:
    """What a reader must know before the numbers are used."""
    scored = [each for each in answers if each.judge is not None]
    lost = sum(bool(each.labels) and each.judge is None for each in answers)
    every, seen = ([each.judge for each in group if each.judge is not None] for group in (scored, both))
    judged, labelled, spread = float(np.mean(every)), float(np.mean(seen)), float(np.std(every))
    apart = abs(judged - labelled)
    weighted = any(each.weight is not None for each in both)
    limit = 3.0 * spread / len(both) ** 0.5
    found = [
        (
            lost > 0,
            f"{plural(lost, 'labelled answer')} without a score of the judge: left out of all figures",
        ),
        (
            len(both) < len(scored) and apart > limit and not weighted,
            f"the judge's mean is {labelled:.2f} on the labelled answers and {judged:.2f} on all: they do "
            "not look drawn at random, and no correction mends that without their chances (column pi)",
        ),
        (
            len(both) < len(scored) and not weighted and apart <= limit,
            "the labelled answers are taken for a random sample of all; if they were picked by hand, no "
            "figure here speaks for the others",
        ),
        (
            0 < min(_classes(both)) < FEW_OF_CLASS,
            f"only {plural(min(_classes(both)), 'label')} of the rarer kind: thresholds and error rates hang "
            "on few answers",
        ),
    ]
    return [*(text for applies, text in found if applies), *_of_candidates(scored, both)]


def _of_candidates(scored: Sequence[JudgedAnswer], both: Sequence[JudgedAnswer]) -> list[str]:
    """Candidates that nobody has labelled, and cases that depend on each other."""
    labelled = {each.candidate for each in both}
    names = dict.fromkeys(each.candidate for each in scored)
    bare = [name for name in names if name not in labelled]
    cases = {(each.case, each.cluster) for each in scored}
    joined = len(cases) - len({cluster or case for case, cluster in cases})
    found = [
        (bool(bare), f"nobody has labelled answers of {listed(bare[:NAMED])}: all figures are of the others"),
        (
            joined > 0,
            "cases share clusters: the means of candidates take each case for independent, so that their "
            "intervals may be too short",
        ),
    ]
    return [text for applies, text in found if applies]


def _classes(answers: Sequence[JudgedAnswer]) -> tuple[int, int]:
    """Passes and failures among pass/fail labels; (0, 0) for graded ones."""
    people, _ = _series(by_person(answers))
    if kind_of(people) != "pass/fail":
        return 0, 0
    return int(people.sum()), int((1.0 - people).sum())
