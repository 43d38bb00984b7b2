"""Judges together: samples of one judge, a jury of several, and what they settle on."""

import asyncio
import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from assay.domain.protocols import Judge
from assay.domain.scores import ScoreState
from assay.judging.questions import Unanswered
from assay.judging.refusals import Refusals
from assay.judging.seat import Seat


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What one sample of one judge makes of an answer: a value in [0, 1], why, and what shows it."""

    value: float
    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


Procedure = Callable[[Seat], Awaitable[Opinion | Unanswered]]
"""What is done at each seat: it puts one question or several, and makes an opinion of the verdicts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What the judges settle on; `value` is there only when `state` is scored."""

    state: ScoreState
    value: float | None
    reason: str
    evidence: Mapping[str, Any]
    calls: int
    cost_nanousd: int | None


@dataclass(frozen=True, slots=True)
class _Vote:
    seat: Seat
    found: Opinion | Unanswered


async def convene(
    judges: Mapping[str, Judge], procedure: Procedure, *, samples: int = 1, refusals: Refusals | None = None
) -> Ruling:
    """Let each judge do the procedure `samples` times, all at once, and settle on a value.

    A judge's value is the mean of its samples, the jury's the median of its judges: of yes/no verdicts that
    is the majority, and an even split is 0.5. At least half of the samples must give a value for the judge to
    have one, and at least half of the judges for the jury; else the ruling is `abstained` when only
    abstentions are the cause, and `failed` otherwise. What `procedure` raises is raised when all have ended.
    """
    refusals = refusals or Refusals()
    seats = [
        Seat(label=label, judge=judge, refusals=refusals, sample=sample, samples=samples)
        for label, judge in judges.items()
        for sample in range(samples)
    ]
    found = await asyncio.gather(*(procedure(seat) for seat in seats), return_exceptions=True)
    votes = []
    for seat, each in zip(seats, found, strict=True):
        if isinstance(each, BaseException):
            raise each
        votes.append(_Vote(seat, each))
    return _settle([[vote for vote in votes if vote.seat.label == label] for label in judges])


def _settle(by_judge: Sequence[Sequence[_Vote]]) -> Ruling:
    values = [_mean_of(votes) for votes in by_judge]
    given = [value for value in values if value is not None]
    votes = [vote for each in by_judge for vote in each]
    value = statistics.median(given) if 2 * len(given) >= len(by_judge) and given else None
    state: ScoreState = "scored"
    if value is None:
        state = "failed" if any(_state(vote) == "failed" for vote in votes) else "abstained"
    evidence: dict[str, Any] = {"judges": list(map(_of_judge, by_judge, values))}
    if len(given) > 1:
        evidence["disagreement"] = max(given) - min(given)
    if cached := sum(vote.seat.cached for vote in votes):
        evidence["cached_calls"] = cached
    costs = [vote.seat.cost_nanousd for vote in votes]
    return Ruling(
        state=state,
        value=value,
        reason=_reason(by_judge, given, value),
        evidence=evidence,
        calls=sum(vote.seat.calls for vote in votes),
        cost_nanousd=None if None in costs else sum(cost for cost in costs if cost is not None),
    )


def _mean_of(votes: Sequence[_Vote]) -> float | None:
    """A judge's value: the mean of its samples, when at least half of them have one."""
    values = _values(votes)
    return statistics.fmean(values) if values and 2 * len(values) >= len(votes) else None


def _values(votes: Sequence[_Vote]) -> list[float]:
    return [vote.found.value for vote in votes if isinstance(vote.found, Opinion)]


def _state(vote: _Vote) -> str:
    return "scored" if isinstance(vote.found, Opinion) else vote.found.state


def _of_judge(votes: Sequence[_Vote], value: float | None) -> dict[str, Any]:
    """The evidence of one judge: its value, the standard deviation of its samples, and each of them."""
    values = _values(votes)
    made: dict[str, Any] = {"judge": votes[0].seat.label, "value": value}
    models = [vote.seat.model for vote in votes if vote.seat.model]
    if models:
        made["model"] = models[0]
    if len(values) > 1:
        made["sd"] = statistics.stdev(values)
    return {**made, "samples": [_of_sample(vote) for vote in votes]}


def _of_sample(vote: _Vote) -> dict[str, Any]:
    found = vote.found
    if isinstance(found, Opinion):
        return {"value": found.value, "reason": found.reason, **found.evidence}
    return {"state": found.state, "reason": found.reason, **({"reply": found.raw} if found.raw else {})}


def _reason(by_judge: Sequence[Sequence[_Vote]], given: Sequence[float], value: float | None) -> str:
    """The reason of the sample nearest to the value; before it, how many gave one and how far they differ."""
    votes = [vote for each in by_judge for vote in each]
    if value is None:
        missing = [vote.found for vote in votes if isinstance(vote.found, Unanswered)]
        worst = next((each for each in missing if each.state == "failed"), missing[0])
        ruled = f"{len(given)} of {len(by_judge)} judges ruled: "
        return worst.reason if len(votes) == 1 else ruled + worst.reason
    opinions = [vote.found for vote in votes if isinstance(vote.found, Opinion)]
    nearest = min(opinions, key=lambda opinion: abs(opinion.value - value))
    if len(votes) == 1:
        return nearest.reason
    spread = f"{min(o.value for o in opinions):.2f} to {max(o.value for o in opinions):.2f}"
    who = f"{len(given)} of {len(by_judge)} judges, " if len(by_judge) > 1 else ""
    return f"{who}{len(opinions)} of {len(votes)} samples from {spread}: {nearest.reason}"
