"""The value that every interval function returns."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate with a two-sided confidence interval and how it was made.

    Not estimable is said in one way: `low` and `high` are both None and `reason` says why. `estimate` is None
    only when there is not even a point estimate. `n` counts scores, `clusters` independent sources (None when
    every score is one), `df` the degrees of freedom of the t quantile (None when none was used).
    """

    estimate: float | None
    low: float | None
    high: float | None
    level: float
    method: str
    n: int
    df: float | None = None
    clusters: int | None = None
    reason: str | None = None

    @property
    def estimable(self) -> bool:
        """Whether there are bounds."""
        return self.low is not None and self.high is not None

    def excludes(self, value: float) -> bool:
        """Whether there are bounds and `value` lies outside them."""
        if self.low is None or self.high is None:
            return False
        return value < self.low or value > self.high

    def lies_within(self, low: float, high: float) -> bool:
        """Whether there are bounds and both lie strictly between `low` and `high`."""
        if self.low is None or self.high is None:
            return False
        return low < self.low and self.high < high


def not_estimable(
    reason: str, *, estimate: float | None, level: float, method: str, n: int, clusters: int | None = None
) -> Interval:
    """The interval that says why there is none."""
    return Interval(
        estimate=estimate,
        low=None,
        high=None,
        level=level,
        method=method,
        n=n,
        clusters=clusters,
        reason=reason,
    )
