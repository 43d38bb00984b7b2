"""What a judge favours that people do not: length, the first place, its own family."""

from dataclasses import dataclass

import numpy as np

from assay.stats.arrays import FloatArray, Labels, Numbers, finite_numbers
from assay.stats.errors import StatisticsError
from assay.stats.jackknife import PLAIN, Design
from assay.stats.slopes import Slope, dummies, robust_slope


@dataclass(frozen=True, slots=True, kw_only=True)
class Favour:
    """How much more the judge favours some answers than people do.

    `judge_gap`: its mean score of the favoured less that of the others; `human_gap`: the same of people.
    `excess`: the difference of both gaps. `by_verdicts`: these are of the judge's verdicts, not its scores.
    `at_same_label`: the gap of its scores among answers with the same label. `favoured` of
    `excess.interval.n` answers are of the kind in question.
    """

    judge_gap: float
    human_gap: float
    excess: Slope
    at_same_label: Slope
    favoured: int
    by_verdicts: bool


def length_bias(
    people: Numbers, judge: Numbers, length: Numbers, *, groups: Labels | None = None, design: Design = PLAIN
) -> Slope:
    """Points that the judge adds for one standard deviation more of length, the human label held fixed.

    The slope of the judge's score on the standardised length beside the label and, with `groups`, an
    intercept for each group: better candidates may write more. A taste for length that people share is in
    their label; what they see and labels do not say (a coarse scale) is not, and is taken for bias.
    """
    first, second = _aligned(people, judge)
    lengths = finite_numbers(length, "length")
    if lengths.size != first.size:
        raise StatisticsError(f"{lengths.size} lengths for {first.size} labels")
    spread = float(lengths.std(ddof=1)) if lengths.size > 1 else 0.0
    x = (lengths - lengths.mean()) / spread if spread > 0.0 else np.zeros(lengths.size)
    controls = [first, *([] if groups is None else dummies(groups, first.size))]
    return robust_slope(second, x, controls, design)


def favour(
    people: Numbers,
    judge: Numbers,
    favoured: Numbers,
    *,
    judges: Labels | None = None,
    threshold: float | None = None,
    design: Design = PLAIN,
) -> Favour:
    """How much more a judge favours some answers (1 in `favoured`) over the others (0) than people do.

    Self-preference: 1 where the answer comes from the judge's own family of models. Position: 1 where the
    answer was shown first. With several `judges` each has its own leniency. Two estimates, which bracket the
    bias where the favoured answers differ in quality:

    - `excess`, (judge - people among the favoured) less (judge - people among the others): too low for better
      answers if the judge bunches its scores. Graded scores beside pass/fail labels always do: give the
      `threshold` from which on a score is a pass, and the verdicts are compared instead;
    - `at_same_label`, the slope of the judge's score on being favoured beside the label: too high for better
      answers, as labels are coarse and noisy and the judge sees more than they say.

    A bias is shown where both say so. Sources: Wataoka et al. (2024), arXiv:2410.21819 (same label);
    Panickssery et al. (2024), arXiv:2404.13076; Ding and Li (2019), Political Analysis 27:605 (bracketing).
    """
    first, second = _aligned(people, judge)
    kind = finite_numbers(favoured, "favoured")
    if kind.size != first.size or np.any((kind != 0.0) & (kind != 1.0)):
        raise StatisticsError("favoured must be 0 or 1, one for each label")
    weights = design.checked_weights(first.size)
    said = second if threshold is None else (second >= threshold).astype(np.float64)
    controls = [] if judges is None else dummies(judges, first.size)
    return Favour(
        judge_gap=_gap(said, kind, weights),
        human_gap=_gap(first, kind, weights),
        excess=robust_slope(said - first, kind, controls, design),
        at_same_label=robust_slope(second, kind, [first, *controls], design),
        favoured=int(kind.sum()),
        by_verdicts=threshold is not None,
    )


def _gap(values: FloatArray, kind: FloatArray, weights: FloatArray) -> float:
    """The mean where `kind` is 1 less that where it is 0; 0 where one of both is empty."""
    if kind.min() == kind.max():
        return 0.0
    sides = (float(np.average(values[kind == each], weights=weights[kind == each])) for each in (1.0, 0.0))
    return next(sides) - next(sides)


def _aligned(people: Numbers, judge: Numbers) -> tuple[FloatArray, FloatArray]:
    first, second = finite_numbers(people, "people"), finite_numbers(judge, "judge")
    if first.size != second.size or first.size == 0:
        raise StatisticsError(f"{second.size} scores for {first.size} labels: pair them first")
    return first, second
