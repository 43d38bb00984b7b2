"""Quality against cost: which candidates are worth their price."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.stats.arrays import FloatArray, IntArray, Labels, check_probability, cluster_codes
from assay.stats.candidates import candidates_of, score_matrix
from assay.stats.errors import StatisticsError
from assay.stats.multiplicity import holm

# Elements of one block of resamples: 16 MB of floats however many cases there are.
_BLOCK = 2_000_000


@dataclass(frozen=True, slots=True)
class FrontEntry:
    """One candidate; `index` is its row.

    `on_front`: no other is at least as good and as cheap, and better in one of both, by the means seen.
    `front_probability`: how often that holds when cases are drawn anew. `dominated_by`: rows that are not
    dearer and shown to score higher.
    """

    index: int
    mean_score: float
    mean_cost: float
    on_front: bool
    front_probability: float
    dominated_by: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Front:
    """All candidates whose costs are known, in the order of the rows."""

    entries: tuple[FrontEntry, ...]
    n: int
    alpha: float
    draws: int
    warnings: tuple[str, ...]


def pareto(
    scores: npt.ArrayLike,
    costs: npt.ArrayLike,
    *,
    alpha: float = 0.05,
    clusters: Labels | None = None,
    draws: int = 2_000,
    rng: np.random.Generator,
) -> Front:
    """The cost-quality front of candidates (rows) on the same cases (columns); higher scores are better.

    The front of the means alone is fully right in a third of the times, so each candidate gets the share of
    paired bootstrap draws (by cluster) in which it is on the front. A candidate is dominated with confidence
    by one that costs the same or less and whose score is higher by a one-sided paired t test, adjusted by
    Holm over all pairs that could be claimed: any claim is false with probability `alpha` at most. Mean costs
    are taken as they are. A row with an unknown (NaN) cost is left out with a warning. Raises StatisticsError
    for missing scores, negative or infinite costs, misaligned tables.
    """
    check_probability(alpha, "alpha")
    if draws < 100:
        raise StatisticsError(f"{draws} draws are too few: at least 100")
    quality, price = score_matrix(scores), _cost_matrix(costs)
    if quality.shape != price.shape:
        raise StatisticsError(f"scores of shape {quality.shape} for costs of shape {price.shape}")
    unknown = np.isnan(price).any(axis=1)
    known = np.flatnonzero(~unknown)
    warnings = _warnings(known.size, np.flatnonzero(unknown))
    quality, price = quality[known], price[known]
    if known.size == 0:
        return Front((), quality.shape[1], alpha, draws, warnings)
    dominated = _dominated(quality, price.mean(axis=1), alpha, clusters)
    drawn = _on_front(*_resampled_means(quality, price, clusters, draws, rng)).mean(axis=1)
    seen = _on_front(quality.mean(axis=1)[:, None], price.mean(axis=1)[:, None])[:, 0]
    entries = tuple(
        FrontEntry(
            index=int(known[i]),
            mean_score=float(quality[i].mean()),
            mean_cost=float(price[i].mean()),
            on_front=bool(seen[i]),
            front_probability=float(drawn[i]),
            dominated_by=tuple(int(known[j]) for j in dominated[i]),
        )
        for i in range(known.size)
    )
    return Front(entries, quality.shape[1], alpha, draws, warnings)


def _cost_matrix(costs: npt.ArrayLike) -> FloatArray:
    try:
        array = np.asarray(costs, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise StatisticsError(f"costs must be numbers, one row a candidate: {error}") from error
    if np.any(np.isinf(array)) or np.any(array < 0.0):
        raise StatisticsError("costs cannot be negative or infinite; use NaN for an unknown cost")
    return array


def _warnings(known: int, unknown: IntArray) -> tuple[str, ...]:
    if unknown.size == 0:
        return ()
    rows = ", ".join(str(index) for index in unknown)
    rest = "" if known else "; none is left"
    return (f"rows {rows} are left out: some of their costs are unknown{rest}",)


def _dominated(
    quality: FloatArray, cost: FloatArray, alpha: float, clusters: Labels | None
) -> tuple[tuple[int, ...], ...]:
    """For each row the rows that are not dearer and significantly better."""
    found = candidates_of(quality, clusters)
    rounding, p_above = _rounding(cost), found.p_above
    pairs = [
        (worse, better)
        for worse in range(cost.size)
        for better in range(cost.size)
        if worse != better and cost[better] <= cost[worse] + rounding
    ]
    adjusted = holm([float(p_above[better, worse]) for worse, better in pairs])
    claimed = {pair for pair, p in zip(pairs, adjusted.tolist(), strict=True) if p <= alpha}
    return tuple(
        tuple(better for better in range(cost.size) if (worse, better) in claimed)
        for worse in range(cost.size)
    )


def _resampled_means(
    quality: FloatArray, price: FloatArray, clusters: Labels | None, draws: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Mean scores and costs, (candidates, draws) each, of cases or whole clusters drawn with replacement."""
    sums, sizes = _sums_by_source(np.vstack([quality, price]), cluster_codes(clusters, quality.shape[1]))
    sources = sizes.size
    rows = max(1, _BLOCK // sources)
    blocks = []
    for start in range(0, draws, rows):
        block = min(rows, draws - start)
        chosen = rng.integers(0, sources, size=(block, sources)) + sources * np.arange(block)[:, None]
        counts = np.bincount(chosen.ravel(), minlength=block * sources).reshape(block, sources)
        weights = counts.astype(np.float64)
        blocks.append(sums @ weights.T / (weights @ sizes))
    means = np.hstack(blocks)
    return means[: len(quality)], means[len(quality) :]


def _sums_by_source(rows: FloatArray, codes: IntArray | None) -> tuple[FloatArray, FloatArray]:
    if codes is None:
        return rows, np.ones(rows.shape[1])
    return np.array([np.bincount(codes, weights=row) for row in rows]), np.bincount(codes).astype(np.float64)


def _on_front(score: FloatArray, cost: FloatArray) -> npt.NDArray[np.bool_]:
    """Whether no other row is at least as good and as cheap and better in one, column by column."""
    close_score, close_cost = _rounding(score), _rounding(cost)
    front = np.ones(score.shape, dtype=np.bool_)
    for other_score, other_cost in zip(score, cost, strict=True):
        as_good = (other_score >= score - close_score) & (other_cost <= cost + close_cost)
        better = (other_score > score + close_score) | (other_cost < cost - close_cost)
        front &= ~(as_good & better)
    return front


def _rounding(values: FloatArray) -> float:
    """What two equal means may differ by."""
    return 1e-12 * float(np.abs(values).max(initial=0.0))
