"""Strengths of candidates that were compared two at a time."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.stats.arrays import FloatArray, IntArray, Labels, check_probability, cluster_codes
from assay.stats.distributions import normal_quantile
from assay.stats.errors import StatisticsError
from assay.stats.estimates import Interval, not_estimable

# Makes the equations solvable without a reference candidate; it moves strengths by less than 1e-6.
_RIDGE = 1e-6
_STEPS = 100
# Rounding moves a nearly flat direction by 1e-8; Newton squares the error, so what is left is far smaller.
_CONVERGED = 1e-7

# Elements of one block of tables: 8 MB of floats however many candidates there are.
_BLOCK = 1_000_000

FEW_CASES = 30


@dataclass(frozen=True, slots=True)
class Strength:
    """One candidate: log-odds of beating the average candidate, its rank and the interval of its rank."""

    index: int
    strength: float
    interval: Interval
    rank: int
    rank_low: int
    rank_high: int


@dataclass(frozen=True, slots=True)
class BradleyTerry:
    """All candidates by index; `cases` counts independent sources, `critical` is that of the max-T.

    `method` is `bradley_terry`, or `bradley_terry_plus_half` where half a win was added.
    """

    entries: tuple[Strength, ...]
    comparisons: int
    cases: int
    alpha: float
    critical: float | None
    method: str
    warnings: tuple[str, ...]


def bradley_terry(
    wins: npt.ArrayLike,
    case_ids: Labels | None,
    *,
    alpha: float = 0.05,
    draws: int = 1_000,
    rng: np.random.Generator,
) -> BradleyTerry:
    """Bradley-Terry strengths with a bootstrap of whole cases, and simultaneous rank intervals.

    `wins` has a row (first, second, result) a comparison: indices of two candidates, and 1 when the first
    won, 0 when the second did, 0.5 for a tie (half a win each). P(i beats j) = 1/(1 + exp(b_j - b_i)), the b
    by Newton's method with a ridge of 1e-6, their mean 0. All comparisons of a case are drawn together.
    Two candidates differ when |b_i - b_j| / its error exceeds the 1 - alpha quantile of the largest
    studentised deviation of any pair; intervals are percentiles. Where some candidates won or lost against
    all others no finite strengths fit (Ford 1957): then half a win is added to both sides of each pair that
    met, and errors are at least those of the model, so that few wins in a row prove nothing. Assumes
    independent cases and that one number a candidate is enough. Source: Bradley and Terry (1952), Biometrika
    39:324. Raises StatisticsError for impossible rows and for groups of candidates that never met.
    """
    check_probability(alpha, "alpha")
    if draws < 100:
        raise StatisticsError(f"{draws} draws are too few: at least 100")
    games = _games(_checked(wins), case_ids)
    table = games.table(np.ones(games.cases))
    _check_connected(table)
    half = 0.0 if _reaches_all(table > 0.0) else 0.5
    added = (half * ((table + table.T) > 0.0)).astype(np.float64)
    strengths = _newton(table + added, np.zeros(games.size))
    drawn = _bootstrapped(games, added, strengths, draws, rng)
    found = _Found(strengths, drawn, _model_covariance(table + added, strengths) if half else None)
    above, critical = _above(found, alpha)
    return BradleyTerry(
        entries=_entries(found, above, alpha, games.cases),
        comparisons=games.pairs.size // 2,
        cases=games.cases,
        alpha=alpha,
        critical=critical,
        method=found.method,
        warnings=_warnings(games.cases, half > 0.0),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Games:
    """Each comparison twice, once from either side: code i * size + j, the share that i won, its case."""

    pairs: IntArray
    shares: FloatArray
    sources: IntArray
    size: int
    cases: int

    def table(self, counts: FloatArray) -> FloatArray:
        """Wins of the row over the column, each case as often as it is counted."""
        won = np.bincount(self.pairs, weights=self.shares * counts[self.sources], minlength=self.size**2)
        return np.asarray(won, dtype=np.float64).reshape(self.size, self.size)


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Strengths, those of each draw, and the model's covariance where errors may not fall below it."""

    strengths: FloatArray
    drawn: FloatArray
    floor: FloatArray | None

    @property
    def method(self) -> str:
        """Name of the method."""
        return "bradley_terry" if self.floor is None else "bradley_terry_plus_half"


def bradley_terry_strengths(table: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Strengths, their mean 0, and the model's error of each difference, from wins of row over column.

    The errors hold for independent comparisons only. Raises StatisticsError where no finite strengths fit.
    """
    counts = np.asarray(table, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not np.all(counts >= 0.0):
        raise StatisticsError("wins must be a square table of counts")
    _check_connected(counts)
    if not _reaches_all(counts > 0.0):
        raise StatisticsError("some candidates won or lost against all others: no finite strengths fit")
    strengths = _newton(counts, np.zeros(len(counts)))
    return strengths, _difference_errors(_model_covariance(counts, strengths))


def _checked(wins: npt.ArrayLike) -> FloatArray:
    try:
        rows = np.asarray(wins, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise StatisticsError(f"wins must be rows (first, second, result): {error}") from error
    if rows.ndim != 2 or rows.shape[1] != 3 or len(rows) == 0:
        raise StatisticsError(f"wins must be rows (first, second, result), not of shape {rows.shape}")
    players, results = rows[:, :2], rows[:, 2]
    if np.any(players != np.floor(players)) or np.any(players < 0.0) or not np.all(np.isfinite(players)):
        raise StatisticsError("candidates of a comparison must be named by whole numbers from 0 on")
    if np.any(players[:, 0] == players[:, 1]):
        raise StatisticsError("a candidate was compared with itself")
    if not np.all((results >= 0.0) & (results <= 1.0)):
        raise StatisticsError("the result of a comparison must lie in [0, 1]: 1, 0 or 0.5 for a tie")
    return rows


def _games(rows: FloatArray, case_ids: Labels | None) -> _Games:
    first, second = rows[:, 0].astype(np.intp), rows[:, 1].astype(np.intp)
    size = int(max(first.max(), second.max())) + 1
    codes = cluster_codes(case_ids, len(rows))
    sources = np.arange(len(rows)) if codes is None else codes
    return _Games(
        pairs=np.concatenate([first * size + second, second * size + first]),
        shares=np.concatenate([rows[:, 2], 1.0 - rows[:, 2]]),
        sources=np.concatenate([sources, sources]),
        size=size,
        cases=int(sources.max()) + 1,
    )


def _check_connected(table: FloatArray) -> None:
    """StatisticsError when some candidates never met the others, not even over third ones."""
    reached = _reached((table + table.T) > 0.0)
    if not reached.all():
        apart = ", ".join(str(index) for index in np.flatnonzero(~reached))
        raise StatisticsError(f"candidates {apart} were never compared with candidate 0, nor over others")


def _reaches_all(beats: npt.NDArray[np.bool_]) -> bool:
    """Whether every candidate reaches every other over wins: the condition of finite strengths."""
    return bool(_reached(beats).all() and _reached(beats.T).all())


def _reached(edges: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """What can be reached from candidate 0."""
    reached: npt.NDArray[np.bool_] = np.zeros(len(edges), dtype=np.bool_)
    reached[0] = True
    for _ in range(len(edges)):
        reached |= edges[reached].any(axis=0)
    return reached


def _newton(tables: FloatArray, start: FloatArray) -> FloatArray:
    """Maximum of sum w_ij log P(i beats j) - ridge |b|^2 / 2, mean 0; for one table or a stack of them."""
    games, won = tables + np.swapaxes(tables, -1, -2), tables.sum(axis=-1)
    strengths = np.broadcast_to(start, won.shape)
    for _ in range(_STEPS):
        gradient = won - (games * _chances(strengths)).sum(axis=-1) - _RIDGE * strengths
        step = np.linalg.solve(_information(games, strengths), gradient[..., None])[..., 0]
        strengths = strengths + np.clip(step, -2.0, 2.0)
        if np.abs(step - step.mean(axis=-1, keepdims=True)).max() < _CONVERGED:
            break
    return np.asarray(strengths - strengths.mean(axis=-1, keepdims=True), dtype=np.float64)


def _chances(strengths: FloatArray) -> FloatArray:
    """Chance that the row's candidate beats the column's."""
    gaps = strengths[..., None, :] - strengths[..., :, None]
    return np.asarray(1.0 / (1.0 + np.exp(gaps)), dtype=np.float64)


def _information(games: FloatArray, strengths: FloatArray) -> FloatArray:
    chance = _chances(strengths)
    weight = games * chance * (1.0 - chance)
    own = weight.sum(axis=-1) + _RIDGE
    return np.asarray(own[..., None] * np.eye(games.shape[-1]) - weight, dtype=np.float64)


def _model_covariance(table: FloatArray, strengths: FloatArray) -> FloatArray:
    """Covariance of the strengths, their mean 0, if all comparisons were independent."""
    inverse = np.linalg.inv(_information(table + table.T, strengths))
    centred = inverse - inverse.mean(axis=0)
    return np.asarray(centred - centred.mean(axis=1, keepdims=True), dtype=np.float64)


def _difference_errors(covariance: FloatArray) -> FloatArray:
    own = np.diag(covariance)
    variances = np.maximum(own[:, None] + own[None, :] - 2.0 * covariance, 0.0)
    return np.asarray(np.sqrt(variances), dtype=np.float64)


def _bootstrapped(
    games: _Games, added: FloatArray, start: FloatArray, draws: int, rng: np.random.Generator
) -> FloatArray:
    """Strengths (draws, candidates) from cases drawn with replacement."""
    block = max(1, _BLOCK // games.size**2)
    found = []
    for first in range(0, draws, block):
        chosen = rng.integers(0, games.cases, size=(min(block, draws - first), games.cases))
        counts = (np.bincount(row, minlength=games.cases).astype(np.float64) for row in chosen)
        found.append(_newton(np.array([games.table(row) + added for row in counts]), start))
    return np.concatenate(found)


def _above(found: _Found, alpha: float) -> tuple[npt.NDArray[np.bool_], float | None]:
    """Whether the row's candidate is significantly above the column's, and the critical value."""
    strengths = found.strengths
    rows, columns = np.triu_indices(strengths.size, 1)
    gaps = found.drawn[:, rows] - found.drawn[:, columns]
    seen, errors = strengths[rows] - strengths[columns], gaps.std(axis=0, ddof=1)
    above = np.zeros((strengths.size, strengths.size), dtype=np.bool_)
    varies = errors > 1e-9
    if not np.any(varies):
        critical = normal_quantile(1.0 - alpha / (2.0 * rows.size)) if found.floor is not None else None
    else:
        largest = (np.abs(gaps - seen)[:, varies] / errors[varies]).max(axis=1)
        critical = float(np.quantile(largest, 1.0 - alpha))
    if found.floor is not None:
        errors = np.maximum(errors, _difference_errors(found.floor)[rows, columns])
    if critical is not None:
        above[rows, columns] = (errors > 1e-9) & (seen > critical * errors)
        above[columns, rows] = (errors > 1e-9) & (-seen > critical * errors)
    return above, critical


def _entries(found: _Found, above: npt.NDArray[np.bool_], alpha: float, cases: int) -> tuple[Strength, ...]:
    strengths = found.strengths
    low, high = _bounds(found, alpha)
    ahead = (strengths[:, None] > strengths[None, :] + 1e-9).sum(axis=0)
    return tuple(
        Strength(
            index=index,
            strength=float(strengths[index]),
            interval=_interval(found, index, (float(low[index]), float(high[index])), 1.0 - alpha, cases),
            rank=1 + int(ahead[index]),
            rank_low=1 + int(above[:, index].sum()),
            rank_high=strengths.size - int(above[index].sum()),
        )
        for index in range(strengths.size)
    )


def _bounds(found: _Found, alpha: float) -> tuple[FloatArray, FloatArray]:
    """Percentiles of the draws; where half a win was added, at least as far as the model's errors reach."""
    low, high = (np.asarray(np.quantile(found.drawn, q, axis=0)) for q in (alpha / 2.0, 1.0 - alpha / 2.0))
    if found.floor is None:
        return low, high
    half = normal_quantile(1.0 - alpha / 2.0) * np.sqrt(np.diag(found.floor))
    return np.minimum(low, found.strengths - half), np.maximum(high, found.strengths + half)


def _interval(found: _Found, index: int, bounds: tuple[float, float], level: float, cases: int) -> Interval:
    estimate = float(found.strengths[index])
    low, high = min(bounds[0], estimate), max(bounds[1], estimate)
    if high - low <= 1e-9:
        reason = "the strength does not vary over the draws: its spread is unknown"
        return not_estimable(reason, estimate=estimate, level=level, method=found.method, n=cases)
    return Interval(estimate=estimate, low=low, high=high, level=level, method=found.method, n=cases)


def _warnings(cases: int, added: bool) -> tuple[str, ...]:
    found = [
        (cases < FEW_CASES, f"{cases} cases: below {FEW_CASES} the bootstrap is too sure"),
        (
            added,
            "some candidates won or lost against all others: half a win was added to both sides of a pair",
        ),
    ]
    return tuple(text for applies, text in found if applies)
