"""How many labels a corrected mean needs to be known within a margin."""

import math
from dataclasses import dataclass

import numpy as np

from assay.stats.arrays import Numbers, check_margin, check_probability, finite_numbers
from assay.stats.distributions import t_quantile
from assay.stats.errors import StatisticsError


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelsNeeded:
    """Labels in all, and beyond those that there are, for an interval of +-margin.

    Both are None where the judged answers themselves are too few: `floor` is the half width that would be
    left with every answer labelled.
    """

    margin: float
    total: int | None
    more: int | None
    floor: float


@dataclass(frozen=True, slots=True)
class _Spread:
    """Variances and covariance of labels and judge scores, and how many answers are judged."""

    people: float
    judge: float
    both: float
    answers: int
    level: float

    def half_width(self, labels: int) -> float:
        """Half the interval with so many labels, the judge's weight tuned anew."""
        others = self.answers - labels
        variance = self.people / labels
        if others > 0 and self.judge > 0.0:
            trust = min(1.0, max(0.0, self.both / ((1.0 + labels / others) * self.judge)))
            judged = trust * trust * self.judge * (1.0 / labels + 1.0 / others)
            variance += judged - 2.0 * trust * self.both / labels
        return t_quantile((1.0 + self.level) / 2.0, labels - 1) * math.sqrt(max(0.0, variance))


def labels_needed(
    people: Numbers, judge: Numbers, unlabelled: Numbers, *, margin: float, level: float = 0.95
) -> LabelsNeeded:
    """From a first round of labels, how many `ppi_mean` needs for an interval of +-margin.

    With n of A judged answers labelled and lambda tuned for n, the half width is
    t_(n-1) sqrt(Var(y)/n - 2 lambda cov(y, f)/n + lambda^2 Var(f) (1/n + 1/(A - n))), with the spreads of the
    first round. Assumes that further labels are like the first, drawn at random: a planning figure, to be
    looked at again with more labels. Raises StatisticsError for fewer than three labels.
    """
    check_margin(margin)
    check_probability(level, "level")
    y, f, rest = (finite_numbers(each) for each in (people, judge, unlabelled))
    if y.size != f.size or y.size < 3:
        raise StatisticsError("at least three labelled answers are needed")
    spread = _Spread(
        people=float(y.var(ddof=1)),
        judge=float(np.concatenate([f, rest]).var(ddof=1)),
        both=float(np.cov(y, f, ddof=1)[0, 1]),
        answers=y.size + rest.size,
        level=level,
    )
    floor = spread.half_width(spread.answers)
    if floor > margin:
        return LabelsNeeded(margin=margin, total=None, more=None, floor=floor)
    low, high = 2, spread.answers
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if spread.half_width(middle) <= margin else (middle, high)
    return LabelsNeeded(margin=margin, total=high, more=max(0, high - y.size), floor=floor)
