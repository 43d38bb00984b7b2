"""Pass/fail verdicts of a judge beside those of people: how often right, and how far beyond chance."""

import math
from dataclasses import dataclass

import numpy as np

from assay.stats.agreement import cohen_kappa
from assay.stats.arrays import FloatArray, Numbers, scores_of_kind
from assay.stats.errors import StatisticsError
from assay.stats.estimates import Interval, not_estimable
from assay.stats.jackknife import PLAIN, Coefficient, Design, jackknife_interval
from assay.stats.proportions import wilson


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of answers: what the judge passed and failed, rightly (`true_`) and wrongly (`false_`)."""

    true_pass: int
    false_pass: int
    true_fail: int
    false_fail: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictQuality:
    """A judge's verdicts beside people's, each figure with its interval.

    `sensitivity`: share of people's passes that the judge passes; `specificity`: share of their failures that
    it fails; `balanced_accuracy`: the mean of both, 0.5 by chance whatever the pass rate. `kappa` and `ac1`:
    agreement beyond chance by Cohen and by Gwet; where almost all answers pass, kappa is low for almost any
    judge, and AC1 is not.
    """

    confusion: Confusion
    accuracy: Interval
    sensitivity: Interval
    specificity: Interval
    balanced_accuracy: Interval
    kappa: Interval
    ac1: Interval


def verdict_quality(passed: Numbers, verdicts: Numbers, *, design: Design = PLAIN) -> VerdictQuality:
    """The verdicts of a judge against `passed`, those of people, both 0 or 1.

    Independent answers that count alike: Wilson intervals of shares; of balanced accuracy the square-and-add
    combination of the two Wilson intervals (Newcombe 1998; Zou and Donner 2008), never of zero width; kappa
    with the error of Fleiss, Cohen and Everitt. Clusters or weights: the jackknife over clusters for all.
    Sources: Cohen (1960); Gwet (2008), British Journal of Mathematical and Statistical Psychology 61:29.
    """
    people, judge = scores_of_kind(passed, "binary", "passed"), scores_of_kind(verdicts, "binary", "verdicts")
    if people.size != judge.size or people.size == 0:
        raise StatisticsError(
            f"{judge.size} verdicts for {people.size} labels: pair them first, at least one"
        )
    shares = {
        "accuracy": lambda w: _share(people == judge, w),
        "sensitivity": lambda w: _share(judge[people == 1.0] == 1.0, w[people == 1.0]),
        "specificity": lambda w: _share(judge[people == 0.0] == 0.0, w[people == 0.0]),
        "balanced_accuracy": lambda w: balanced_accuracy(people, judge, w),
    }
    found = {name: _of_share(of, name, (people, judge), design) for name, of in shares.items()}
    if design.plain:
        found["balanced_accuracy"] = _mean_of_two(found["sensitivity"], found["specificity"], people.size)
    return VerdictQuality(
        confusion=_confusion(people, judge),
        kappa=_kappa(people, judge, design),
        ac1=jackknife_interval(
            lambda w: gwet_ac1(people, judge, w),
            people.size,
            design,
            method="gwet_ac1_jackknife",
            scale="correlation",
        ),
        **found,
    )


def balanced_accuracy(people: FloatArray, judge: FloatArray, weights: FloatArray) -> float:
    """The mean of the share of passes that are passed and of failures that are failed; NaN without either."""
    passes, failures = people == 1.0, people == 0.0
    right = _share(judge[passes] == 1.0, weights[passes]), _share(judge[failures] == 0.0, weights[failures])
    return (right[0] + right[1]) / 2.0


def gwet_ac1(first: FloatArray, second: FloatArray, weights: FloatArray) -> float:
    """(p_o - p_e) / (1 - p_e) of pass/fail labels, with p_e = 2 q (1 - q), q the mean share of passes."""
    observed = _share(first == second, weights)
    passes = (_share(first == 1.0, weights) + _share(second == 1.0, weights)) / 2.0
    expected = 2.0 * passes * (1.0 - passes)
    return (observed - expected) / (1.0 - expected)


def binary_kappa(first: FloatArray, second: FloatArray, weights: FloatArray) -> float:
    """Cohen's kappa of weighted pass/fail labels; NaN where agreement by chance is certain."""
    observed = _share(first == second, weights)
    p, q = _share(first == 1.0, weights), _share(second == 1.0, weights)
    expected = p * q + (1.0 - p) * (1.0 - q)
    return math.nan if expected >= 1.0 - 1e-12 else (observed - expected) / (1.0 - expected)


def _share(hits: object, weights: FloatArray) -> float:
    total = float(weights.sum())
    return math.nan if total <= 0.0 else float(np.asarray(hits, dtype=np.float64) @ weights) / total


def _confusion(people: FloatArray, judge: FloatArray) -> Confusion:
    cells = [
        int(np.sum((judge == said) & (people == truth))) for said, truth in ((1, 1), (1, 0), (0, 0), (0, 1))
    ]
    return Confusion(*cells)


def _of_share(of: Coefficient, name: str, both: tuple[FloatArray, FloatArray], design: Design) -> Interval:
    people, judge = both
    wanted = {"sensitivity": people == 1.0, "specificity": people == 0.0}.get(
        name, np.ones(people.size, np.bool_)
    )
    n = int(wanted.sum())
    if n == 0:
        lacking = "passes" if name == "sensitivity" else "failures"
        reason = f"there are no {lacking} among the labels"
        return not_estimable(reason, estimate=None, level=design.level, method="wilson", n=0)
    if design.plain:
        return wilson(int(np.sum((people == judge) & wanted)), n, level=design.level)
    return jackknife_interval(of, people.size, design, method=f"{name}_jackknife", scale="share")


def _mean_of_two(first: Interval, second: Interval, n: int) -> Interval:
    """(a + b) / 2 by squaring and adding what each interval reaches beyond its estimate."""
    method, level = "newcombe_mean", first.level
    pairs = [(each.estimate, each.low, each.high) for each in (first, second)]
    if any(None in pair for pair in pairs):
        reason = first.reason or second.reason or "one of both rates is not known"
        return not_estimable(reason, estimate=None, level=level, method=method, n=n)
    (a, a_low, a_high), (b, b_low, b_high) = ([float(value or 0.0) for value in pair] for pair in pairs)
    mean = (a + b) / 2.0
    return Interval(
        estimate=mean,
        low=mean - math.hypot(a - a_low, b - b_low) / 2.0,
        high=mean + math.hypot(a_high - a, b_high - b) / 2.0,
        level=level,
        method=method,
        n=n,
    )


def _kappa(people: FloatArray, judge: FloatArray, design: Design) -> Interval:
    if design.plain:
        return cohen_kappa(people, judge, level=design.level).interval

    def of(weights: FloatArray) -> float:
        return binary_kappa(people, judge, weights)

    return jackknife_interval(of, people.size, design, method="cohen_kappa_jackknife", scale="correlation")
