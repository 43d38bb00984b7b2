"""Which answers people should label, so that the corrected mean gains most."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from assay.stats.arrays import FloatArray, IntArray, Numbers, scores_of_kind
from assay.stats.errors import StatisticsError

LabelMethod: TypeAlias = Literal["random", "stratified", "neyman", "active"]

STRATA = 5

# The part of the labels that the active plan spreads evenly, so that no answer is beyond reach.
_EVEN = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class LabelPlan:
    """The answers to label and what the estimate must know of how they were chosen.

    `indices`: the chosen ones, ascending. `pi` (chance of being chosen) and `stratum` (0, 1, ... from the
    lowest judge scores up) are aligned with all answers; keep both with the labels.
    """

    indices: IntArray
    pi: FloatArray
    stratum: IntArray
    method: LabelMethod


def label_plan(
    judge_scores: Numbers, n: int, *, method: LabelMethod = "stratified", rng: np.random.Generator
) -> LabelPlan:
    """Choose `n` of the answers, whose judge scores lie in [0, 1], for people to label.

    | method | chosen | corrected by |
    |---|---|---|
    | `random` | each with the same chance | `ppi_mean(y, f_lab, f_unlab)` |
    | `stratified` | up to 5 strata of judge scores, each in proportion to its size | `strata=` |
    | `neyman` | the same strata, in proportion to size x sqrt(mean f(1 - f)) | `strata=` |
    | `active` | chance 80% in proportion to sqrt(f(1 - f)), 20% even | `pi=` |

    `active` draws exactly n by systematic sampling in random order. Never label "the interesting ones"
    without keeping their chances: the estimate is then biased beyond repair. Sources: Neyman (1934); Zrnic
    and Candes (2024), arXiv:2403.03208. Raises StatisticsError unless 3 <= n <= answers - 2.
    """
    scores = scores_of_kind(judge_scores, "unit", "judge_scores")
    if not 3 <= n <= scores.size - 2:
        raise StatisticsError(f"{n} of {scores.size} answers cannot be planned: 3 to {scores.size - 2} can")
    single = np.zeros(scores.size, dtype=np.intp)
    if method == "random":
        return _by_strata(single, np.array([n]), method, rng)
    if method == "active":
        pi = _chances(np.sqrt(scores * (1.0 - scores)), n)
        return LabelPlan(_systematic(pi, rng), pi, single, method)
    if method not in ("stratified", "neyman"):
        raise StatisticsError(f"unknown method {method!r}: expected random, stratified, neyman or active")
    stratum = _strata(scores, n)
    sizes = np.bincount(stratum)
    spread = np.sqrt(np.bincount(stratum, weights=scores * (1.0 - scores)) / sizes)
    # A stratum of which the judge is sure still gets labels: it may be wrong.
    shares = sizes * (1.0 if method == "stratified" else np.maximum(spread, 0.1))
    return _by_strata(stratum, _allocated(shares.astype(np.float64), sizes, n), method, rng)


def _by_strata(
    stratum: IntArray, counts: IntArray, method: LabelMethod, rng: np.random.Generator
) -> LabelPlan:
    sizes = np.bincount(stratum)
    chosen = [
        rng.choice(np.flatnonzero(stratum == code), size=count, replace=False)
        for code, count in enumerate(counts.tolist())
    ]
    pi = (counts / sizes)[stratum]
    return LabelPlan(np.sort(np.concatenate(chosen)), pi.astype(np.float64), stratum, method)


def _strata(scores: FloatArray, n: int) -> IntArray:
    """Up to five strata of near equal size, equal scores together, of four answers and more each.

    No more of them than two labelled and two left in each allow, with `n` labelled in all.
    """
    wanted = min(STRATA, n // 2, scores.size // 4, (scores.size - n) // 2)
    edges = np.unique(np.quantile(scores, np.arange(1, wanted) / wanted, method="higher"))
    codes = np.searchsorted(edges, scores, side="left")
    while True:
        names, codes, sizes = np.unique(codes, return_inverse=True, return_counts=True)
        if names.size == 1 or sizes.min() >= 4:
            return codes.astype(np.intp)
        small = int(np.argmin(sizes))
        codes = np.where(codes == small, small - 1 if small else 1, codes)


def _allocated(shares: FloatArray, sizes: IntArray, n: int) -> IntArray:
    """`n` split by `shares`, at least two labelled and two left in each stratum, largest remainders first."""
    counts = np.full(sizes.size, 2, dtype=np.intp)
    while counts.sum() < n:
        wanted = shares / shares.sum() * n - counts
        wanted[counts >= sizes - 2] = -np.inf
        counts[int(np.argmax(wanted))] += 1
    return counts


def _chances(uncertainty: FloatArray, n: int) -> FloatArray:
    """Chances that sum to `n`, none above 1: what is cut off goes to the others in proportion."""
    total = float(uncertainty.sum())
    even = np.full(uncertainty.size, 1.0 / uncertainty.size)
    weight = even if total <= 0.0 else (1.0 - _EVEN) * uncertainty / total + _EVEN * even
    certain = np.zeros(uncertainty.size, dtype=np.bool_)
    while True:
        left = n - int(certain.sum())
        chances = np.where(certain, 1.0, left * weight / weight[~certain].sum())
        above = ~certain & (chances > 1.0)
        if not above.any():
            return np.asarray(chances, dtype=np.float64)
        certain |= above


def _systematic(pi: FloatArray, rng: np.random.Generator) -> IntArray:
    """Exactly sum(pi) answers, each with its chance: equal steps through a random order."""
    n = round(float(pi.sum()))
    order = rng.permutation(pi.size)
    ends = np.cumsum(pi[order])
    ends *= n / ends[-1]
    marks = rng.random() + np.arange(n)
    return np.sort(order[np.minimum(np.searchsorted(ends, marks, side="right"), pi.size - 1)])
