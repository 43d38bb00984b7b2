"""Which of several candidates is best? Ranks, and how sure they are, on the same cases."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.stats.arrays import Labels, check_probability
from assay.stats.candidates import Candidates, candidates_of, max_t_critical, score_matrix
from assay.stats.distributions import t_quantile
from assay.stats.estimates import Interval, not_estimable
from assay.stats.multiplicity import holm

FEW_CASES = 30
FEW_CLUSTERS = 10


@dataclass(frozen=True, slots=True)
class Ranked:
    """One candidate: `rank` 1 is best, equal means share a rank; its true rank lies in [rank_low, rank_high].

    `index` is the row of the matrix.
    """

    index: int
    mean: float
    rank: int
    rank_low: int
    rank_high: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """All candidates, in the order of the rows.

    Two candidates differ when |difference| > `critical` x its standard error; all such claims together are
    false with probability `alpha` at most.
    """

    entries: tuple[Ranked, ...]
    n: int
    alpha: float
    critical: float
    method: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PairOfCandidates:
    """`second` less `first`: simultaneous band, p of the paired t test and the same adjusted by Holm."""

    first: int
    second: int
    interval: Interval
    p: float
    p_holm: float


def rank(
    matrix: npt.ArrayLike, *, alpha: float = 0.05, clusters: Labels | None = None, rng: np.random.Generator
) -> Ranking:
    """Rank candidates by mean score (higher is better) with simultaneous rank intervals.

    `matrix` has a row a candidate and a column a case. The interval of a rank is [1 + candidates
    significantly above, k - candidates significantly below], judged by the maximum of the paired t statistics
    of all pairs (max-T, 4,000 draws): all k intervals hold the true ranks together with about 1 - alpha. A
    difference that is the same in every case has no spread; it counts only for scores in [0, 1], with one
    difference of -1 and one of +1 added. Assumes independent cases (clusters). Sources: Mogstad et al.
    (2024), Review of Economic Studies 91:476; Hothorn, Bretz and Westfall (2008). Raises StatisticsError for
    a missing score.
    """
    check_probability(alpha, "alpha")
    found = candidates_of(score_matrix(matrix), clusters)
    pairs = max(1, found.means.size * (found.means.size - 1) // 2)
    single = t_quantile(1.0 - alpha / (2.0 * pairs), (found.df or found.n) + 2.0)
    drawn = max_t_critical(found, alpha=alpha, rng=rng)
    critical = single if drawn is None else drawn
    above = _significant(found, critical) | (found.constant_t > single)
    return Ranking(
        entries=_entries(found, above),
        n=found.n,
        alpha=alpha,
        critical=critical,
        method="max_t" if found.clusters is None else "max_t_cr2",
        warnings=_warnings(found),
    )


def compare_all_pairs(
    matrix: npt.ArrayLike, *, alpha: float = 0.05, clusters: Labels | None = None, rng: np.random.Generator
) -> tuple[PairOfCandidates, ...]:
    """Every pair of rows: the later less the earlier, with bands that hold together and Holm's p.

    Bands are difference +- max-T critical x standard error; p comes from the paired t test, CR2 with
    clusters; of a difference without spread it is that of the plus-two t for scores in [0, 1], else 1.
    """
    check_probability(alpha, "alpha")
    found = candidates_of(score_matrix(matrix), clusters)
    critical = max_t_critical(found, alpha=alpha, rng=rng)
    rows, columns = np.triu_indices(found.means.size, 1)
    differences, errors = -found.differences[rows, columns], found.errors[rows, columns]
    above = found.p_above
    p_values = (2.0 * np.minimum(above, above.T).clip(max=0.5))[rows, columns].tolist()
    adjusted = holm(p_values).tolist()
    return tuple(
        PairOfCandidates(
            int(rows[i]),
            int(columns[i]),
            _band(found, float(differences[i]), float(errors[i]) * (critical or 0.0), 1.0 - alpha),
            p_values[i],
            adjusted[i],
        )
        for i in range(rows.size)
    )


def _significant(found: Candidates, critical: float) -> npt.NDArray[np.bool_]:
    """Whether the row's candidate is significantly above the column's."""
    errors = found.errors
    return (errors > 0.0) & (found.differences > critical * errors)


def _entries(found: Candidates, above: npt.NDArray[np.bool_]) -> tuple[Ranked, ...]:
    ahead = (found.differences > 0.0).sum(axis=0)
    better, worse = above.sum(axis=0), above.sum(axis=1)
    return tuple(
        Ranked(
            index=index,
            mean=float(mean),
            rank=1 + int(ahead[index]),
            rank_low=1 + int(better[index]),
            rank_high=found.means.size - int(worse[index]),
        )
        for index, mean in enumerate(found.means)
    )


def _warnings(found: Candidates) -> tuple[str, ...]:
    groups = found.clusters
    own = ~np.eye(found.means.size, dtype=np.bool_)
    constant = bool(np.any((found.errors <= 0.0) & (found.differences != 0.0) & own))
    cases = [
        (
            found.n < FEW_CASES,
            f"{found.n} cases: below {FEW_CASES} a skewed difference can mislead every test",
        ),
        (found.df is None, "one case or one cluster: nothing can be concluded beyond it"),
        (
            groups is not None and 1 < groups < FEW_CLUSTERS,
            f"{groups} clusters: below {FEW_CLUSTERS} the test has little power",
        ),
        (constant and found.df is not None, "a difference is equal in all cases: its spread is unknown"),
    ]
    return tuple(text for applies, text in cases if applies)


def _band(found: Candidates, difference: float, half: float, level: float) -> Interval:
    if half <= 0.0:
        return not_estimable(
            "the difference is equal in all cases: its spread is unknown",
            estimate=difference,
            level=level,
            method="max_t",
            n=found.n,
            clusters=found.clusters,
        )
    return Interval(
        estimate=difference,
        low=difference - half,
        high=difference + half,
        level=level,
        method="max_t",
        n=found.n,
        df=found.df,
        clusters=found.clusters,
    )
