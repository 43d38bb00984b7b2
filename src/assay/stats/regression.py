"""What got worse: case by case over repeats, and what shipping it would cost on average."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from assay.stats.arrays import Labels, Numbers, check_probability, scores_of_kind
from assay.stats.distributions import normal_cdf
from assay.stats.errors import StatisticsError
from assay.stats.multiplicity import bh
from assay.stats.repeats import group_repeats


@dataclass(frozen=True, slots=True)
class CaseChange:
    """Passes of one case before and after; `p` is one-sided, against "it passes as often as before"."""

    case: Hashable
    passes_before: int
    answers_before: int
    passes_after: int
    answers_after: int
    p: float
    p_adjusted: float
    regressed: bool


@dataclass(frozen=True, slots=True)
class CaseRegressions:
    """All cases that both sides have, in the order of `before`."""

    cases: tuple[CaseChange, ...]
    alpha: float
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShippingRisk:
    """Expected loss E[max(0, -D)] in points of the score, and the chance that D is below 0."""

    expected_loss: float
    chance_worse: float


def case_regressions(
    before: tuple[Sequence[bool] | Numbers, Labels],
    after: tuple[Sequence[bool] | Numbers, Labels],
    *,
    alpha: float = 0.05,
) -> CaseRegressions:
    """Which cases pass less often than before, from repeated pass/fail answers: (passed, case of each).

    Fisher's exact test for each case, one-sided, adjusted by Benjamini and Hochberg: of the cases called
    regressed a share of `alpha` at most is so by chance. One answer a side proves nothing: an unchanged case
    that passes 8 times in 10 goes from pass to fail in 16% of single repeats. Cases of one side only are left
    out with a warning, and so are impossible claims: too few answers for the number of cases. Sources: Fisher
    (1935); Benjamini and Hochberg (1995).
    """
    check_probability(alpha, "alpha")
    old, new = _passes(*before), _passes(*after)
    shared = [case for case in old if case in new]
    p_values = [fisher_exact_fewer(old[case], new[case]) for case in shared]
    adjusted = bh(p_values).tolist()
    changes = tuple(
        CaseChange(case, *old[case], *new[case], p, q, q <= alpha)
        for case, p, q in zip(shared, p_values, adjusted, strict=True)
    )
    resolution = min((fisher_exact_fewer((o, o), (0, n)) for o, n in _answers(old, new, shared)), default=1.0)
    return CaseRegressions(changes, alpha, _warnings(len({*old, *new}) - len(shared), resolution, alpha))


def fisher_exact_fewer(before: tuple[int, int], after: tuple[int, int]) -> float:
    """One-sided p of Fisher's exact test that `after` passes less often; each is (passes, answers).

    P(X <= passes after) for X hypergeometric: all passes fall on the answers at random.
    """
    for passes, answers in (before, after):
        if not 0 <= passes <= answers or answers < 1:
            raise StatisticsError(f"{passes} passes of {answers} answers are impossible")
    passes, answers = before[0] + after[0], before[1] + after[1]
    ways = math.fsum(
        math.comb(passes, k) * math.comb(answers - passes, after[1] - k) for k in range(after[0] + 1)
    )
    return min(1.0, ways / math.comb(answers, after[1]))


def shipping_risk(difference: float, error: float) -> ShippingRisk:
    """What shipping B costs on average where its true difference D to A is N(difference, error^2).

    E[max(0, -D)] = error phi(d/error) - d Phi(-d/error), and P(D < 0). Multiply by the value of a point and
    ship when the loss is below what you accept. Assumes a flat prior and a near-normal estimate.
    """
    if not math.isfinite(difference) or not 0.0 < error < math.inf:
        raise StatisticsError("the difference must be finite and its error positive")
    ratio = difference / error
    density = math.exp(-ratio * ratio / 2.0) / math.sqrt(2.0 * math.pi)
    worse = normal_cdf(-ratio)
    return ShippingRisk(max(0.0, error * density - difference * worse), worse)


def _passes(passed: Sequence[bool] | Numbers, cases: Labels) -> dict[Hashable, tuple[int, int]]:
    """Passes and answers of each case."""
    grouped = group_repeats(scores_of_kind(passed, "binary", "passed"), cases)
    passes = np.rint(grouped.means * grouped.counts).astype(int).tolist()
    counts = grouped.counts.tolist()
    return {case: (c, n) for case, c, n in zip(grouped.cases, passes, counts, strict=True)}


def _answers(
    old: dict[Hashable, tuple[int, int]], new: dict[Hashable, tuple[int, int]], shared: list[Hashable]
) -> set[tuple[int, int]]:
    return {(old[case][1], new[case][1]) for case in shared}


def _warnings(unpaired: int, resolution: float, alpha: float) -> tuple[str, ...]:
    found = [
        (unpaired > 0, f"{unpaired} cases have answers on one side only and are left out"),
        (
            resolution > alpha,
            f"too few answers a case: even from all passed to all failed p is {resolution:.2g}",
        ),
    ]
    return tuple(text for applies, text in found if applies)
