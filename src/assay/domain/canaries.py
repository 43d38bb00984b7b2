"""Canaries: answers that deserve no good score, and what the judges of a job made of them."""

from dataclasses import dataclass
from typing import Literal

CanaryName = Literal["planted", "empty"]
CanaryState = Literal["asking", "held", "flagged", "not_asked", "not_checked"]
"""`flagged`: it got a good score. `held`: it got none. `not_asked`: the metric settled it by a rule.
`not_checked`: its judge could not be asked. `asking`: a worker is about it, or was when it died."""
SETTLED: tuple[CanaryState, ...] = ("held", "flagged", "not_asked")
"""What is known for good: it is not asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryOutcome:
    """One canary of one metric. `value` is what it was scored; above `threshold` its judge is flagged.

    `calls` and `cost_nanousd` are as those of a Score. `reason` is None once the job's answers were pruned.
    """

    metric: str
    canary: CanaryName
    state: CanaryState
    threshold: float
    value: float | None = None
    reason: str | None = None
    calls: int = 0
    cost_nanousd: int | None = 0
