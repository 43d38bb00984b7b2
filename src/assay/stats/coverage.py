"""What failures could have hidden: the mean with all of them as 0 and as 1."""

from dataclasses import dataclass

from assay.stats.arrays import Numbers, scores_of_kind
from assay.stats.errors import StatisticsError


@dataclass(frozen=True, slots=True)
class FailureBounds:
    """`mean` of the scored ones; `low` and `high` with every planned but missing score as 0 and as 1.

    `coverage` = scored / planned. A value is None where its denominator is 0.
    """

    scored: int
    planned: int
    coverage: float | None
    mean: float | None
    low: float | None
    high: float | None


def bounds_with_failures(scores: Numbers, planned: int) -> FailureBounds:
    """The range in which the mean of all `planned` scores in [0, 1] lies, whatever the missing ones are.

    Not a confidence interval: it holds no sampling error, but needs no assumption on why scores are missing.
    Source: Manski (1989). Raises StatisticsError when there are more scores than planned.
    """
    values = scores_of_kind(scores, "unit")
    scored, total = values.size, float(values.sum())
    if planned < scored:
        raise StatisticsError(f"{scored} scores, but only {planned} were planned")
    mean = total / scored if scored else None
    if planned == 0:
        return FailureBounds(0, 0, None, None, None, None)
    low, high = total / planned, (total + planned - scored) / planned
    return FailureBounds(scored, planned, scored / planned, mean, low, min(1.0, high))
