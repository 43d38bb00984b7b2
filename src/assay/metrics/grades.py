"""From a judge's grade on a scale to a value in [0, 1]."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assay.domain.errors import InvalidInput
from assay.judging.panel import Opinion, Procedure
from assay.judging.questions import Answer, Question, Unanswered
from assay.judging.seat import Seat
from assay.judging.weighing import Weigh, digits

WIDEST = 100


@dataclass(frozen=True, slots=True)
class Scale:
    """Whole numbers from `low` (worst, value 0) to `high` (best, value 1)."""

    low: int
    high: int

    def value(self, score: float) -> float:
        """(score - low) / (high - low)."""
        return (score - self.low) / (self.high - self.low)

    @property
    def weigh(self) -> Weigh | None:
        """For the probabilities of the grades; None on scales of more than one digit."""
        return digits(self.low, self.high, "score")


FIVE = Scale(1, 5)


def scale_of(options: Mapping[str, Any]) -> Scale:
    """The scale of the options `low` and `high`; raises InvalidInput."""
    scale = Scale(options["low"], options["high"])
    if not scale.low < scale.high <= scale.low + WIDEST:
        raise InvalidInput(
            f"must be above low ({scale.low}), by {WIDEST} at most, not {scale.high}", field="options.high"
        )
    return scale


def graded(question: Question, scale: Scale, shown: tuple[str, ...] = ()) -> Procedure:
    """Put one question whose verdict has a `score`; `shown` are further fields for the evidence.

    With probabilities the value is that of the expected grade (G-Eval), and the evidence says so.
    """

    async def procedure(seat: Seat) -> Opinion | Unanswered:
        answer = await seat.put(question)
        return answer if isinstance(answer, Unanswered) else grade_opinion(answer, scale, shown)

    return procedure


def grade_opinion(answer: Answer, scale: Scale, shown: tuple[str, ...] = ()) -> Opinion:
    """The opinion that a graded verdict is."""
    verdict, weighted = answer.verdict, answer.weighted
    score = verdict["score"]
    evidence: dict[str, Any] = {"score": score, "weighting": "logprobs" if weighted else "none"}
    evidence |= {name: verdict[name] for name in shown if name in verdict}
    if weighted:
        evidence |= {"expected_score": weighted.value, "probabilities": weighted.shares}
    if answer.repaired:
        evidence["repaired"] = True
    value = scale.value(weighted.value if weighted else score)
    return Opinion(value=value, reason=f"{score} of {scale.high}: {reasoning_of(verdict)}", evidence=evidence)


def reasoning_of(verdict: Mapping[str, Any], limit: int = 400) -> str:
    """The beginning of the judge's reasoning, on one line."""
    text = " ".join(str(verdict.get("reasoning", "")).split())
    return (text if len(text) <= limit else f"{text[:limit]}…") or "no reasoning given"
