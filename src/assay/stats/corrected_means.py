"""The mean score that people would give, from many scores of a judge and few of people."""

import math
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from assay.stats.arrays import FloatArray, IntArray, Labels, Numbers, check_probability, finite_numbers
from assay.stats.distributions import normal_quantile, t_quantile
from assay.stats.errors import StatisticsError
from assay.stats.estimates import Interval, not_estimable

# Standard errors below this are rounding, not spread.
_NO_SPREAD = 1e-12

FEW_LABELS = 30
FEW_IN_STRATUM = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedMean:
    """The corrected mean beside what people's and the judge's scores alone would say.

    `trust` is the weight lambda of the judge (mean over strata); `gain` how many times the human labels
    count: variance of their own mean / variance of the corrected mean, None where one is unknown.
    """

    interval: Interval
    error: float | None
    human_only: Interval
    judge_mean: float
    trust: float
    gain: float | None
    labels: int
    unlabelled: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """One stratum: people's scores `y`, the judge's of the same answers, and of the answers without label."""

    y: FloatArray
    f: FloatArray
    rest: FloatArray


@dataclass(frozen=True, slots=True)
class _Estimate:
    """`strata` means and `fits` lambdas were taken from the labels."""

    mean: float
    variance: float
    trust: float
    strata: int = 1
    fits: int = 0


def ppi_mean(  # noqa: PLR0913 - three series, and the keywords that every caller knows
    y: Numbers,
    f_lab: Numbers,
    f_unlab: Numbers,
    *,
    strata: tuple[Labels, Labels] | None = None,
    pi: Numbers | None = None,
    trust: float | None = None,
    level: float = 0.95,
) -> CorrectedMean:
    """Prediction-powered mean: the judge's mean, less its mean error seen on the labelled answers.

    `y` are people's scores, `f_lab` the judge's of the same n answers, `f_unlab` its scores of the N others.
    lambda mean(f_unlab) + mean(y - lambda f_lab), with lambda = cov(y, f) / ((1 + n/N) Var f) inside [0, 1],
    or as given by `trust` (1: plain PPI, 0: people alone). Variance: lambda^2 Var(f_unlab)/N +
    Var(y - lambda f)/n, ddof 1; t with n - 1 df, times sqrt((n - 1)/(n - 2)) for the fitted lambda.

    `strata`: names of the strata of the labelled and of the other answers, each weighted by its share of all.
    Each has its own lambda; if one has fewer than 10 labels, all share one, pooled within strata. `pi`: the
    chance with which each labelled answer was chosen; then the mean over all answers of
    lambda f + [labelled] (y - lambda f)/pi. Without `pi` labels must be a random sample (of each stratum).

    Bounds may leave the range of the scores. Sources: Angelopoulos et al. (2023), Science 382:669; PPI++
    (2023), arXiv:2311.01453; Fisch et al. (2024), arXiv:2406.04291; Zrnic and Candes (2024),
    arXiv:2403.03208. Raises StatisticsError for missing, misaligned or too few scores.
    """
    check_probability(level, "level")
    whole = _whole(y, f_lab, f_unlab)
    if trust is not None and not 0.0 <= trust <= 1.0:
        raise StatisticsError(f"trust must lie in [0, 1], not {trust}")
    if strata is not None and pi is not None:
        raise StatisticsError("give strata or pi: strata drawn at unequal rates are weighted by themselves")
    if pi is not None:
        chances = _chances(pi, whole.y.size)
        found, people = _weighted(whole, chances, trust), _weighted(whole, chances, 0.0)
        method = "ppi_weighted"
    else:
        parts = [whole] if strata is None else _split(whole, strata)
        found, people = _combined(parts, trust), _combined(parts, 0.0)
        method = "ppi" if strata is None else "ppi_stratified"
    return _corrected(whole, found, people, f"{method}_tuned" if trust is None else method, level)


def rogan_gladen(
    judge: Numbers, sensitivity: tuple[int, int], specificity: tuple[int, int], *, level: float = 0.95
) -> Interval:
    """True pass rate behind a pass/fail judge: (p + Sp - 1) / (Se + Sp - 1).

    `judge`: its verdicts on answers without label; `sensitivity` and `specificity`: (right, seen) among the
    labelled passes and failures. The error is by the delta method, the interval normal, cut to [0, 1]. Rests
    on error rates that are the same everywhere, and is wider than `ppi_mean`, which needs no such thing:
    there to reproduce others. Not estimable for a judge no better than chance. Source: Rogan and Gladen
    (1978), American Journal of Epidemiology 107:71.
    """
    check_probability(level, "level")
    verdicts = finite_numbers(judge, "judge")
    if verdicts.size == 0 or np.any((verdicts != 0.0) & (verdicts != 1.0)):
        raise StatisticsError("the judge's verdicts must be 0 or 1, at least one")
    for right, seen in (sensitivity, specificity):
        if seen < 1 or not 0 <= right <= seen:
            raise StatisticsError(f"{right} right of {seen} labelled answers is impossible")
    rates = [float(verdicts.mean()), sensitivity[0] / sensitivity[1], specificity[0] / specificity[1]]
    sizes = (verdicts.size, sensitivity[1], specificity[1])
    if rates[1] + rates[2] <= 1.0:
        reason = "the judge is no better than chance: its verdicts tell nothing of the pass rate"
        return not_estimable(reason, estimate=None, level=level, method="rogan_gladen", n=verdicts.size)
    estimate, error = rogan_gladen_estimate((rates[0], rates[1], rates[2]), sizes)
    half = normal_quantile((1.0 + level) / 2.0) * error
    estimate = min(1.0, max(0.0, estimate))
    return Interval(
        estimate=estimate,
        low=max(0.0, min(estimate, estimate - half)),
        high=min(1.0, estimate + half),
        level=level,
        method="rogan_gladen",
        n=verdicts.size,
    )


def rogan_gladen_estimate(
    rates: tuple[float, float, float], sizes: tuple[int, int, int]
) -> tuple[float, float]:
    """Estimate, not cut to [0, 1], and its delta error, from (pass rate, Se, Sp) and their counts."""
    passed, sensitivity, specificity = rates
    youden = sensitivity + specificity - 1.0
    estimate = (passed + specificity - 1.0) / youden
    slopes = (1.0, -estimate, 1.0 - estimate)
    variances = (rate * (1.0 - rate) / size for rate, size in zip(rates, sizes, strict=True))
    total = math.fsum(v * s * s for v, s in zip(variances, slopes, strict=True))
    return estimate, math.sqrt(total) / youden


def _whole(y: Numbers, f_lab: Numbers, f_unlab: Numbers) -> _Part:
    whole = _Part(finite_numbers(y, "y"), finite_numbers(f_lab, "f_lab"), finite_numbers(f_unlab, "f_unlab"))
    if whole.y.size != whole.f.size:
        raise StatisticsError(f"{whole.y.size} human scores for {whole.f.size} of the judge: pair them first")
    if whole.y.size < 3 or whole.rest.size < 2:
        raise StatisticsError("at least three labelled and two other answers are needed")
    return whole


def _split(whole: _Part, strata: tuple[Labels, Labels]) -> list[_Part]:
    """The strata; StatisticsError when one has too few answers."""
    codes: dict[Hashable, int] = {}
    coded: list[IntArray] = []
    for labels, scores in zip(strata, (whole.y, whole.rest), strict=True):
        listed = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
        if len(listed) != scores.size:
            raise StatisticsError(f"{len(listed)} strata for {scores.size} scores")
        coded.append(np.array([codes.setdefault(label, len(codes)) for label in listed], dtype=np.intp))
    parts = []
    for label, code in codes.items():
        labelled, rest = coded[0] == code, coded[1] == code
        if labelled.sum() < 2 or rest.sum() < 2:
            raise StatisticsError(f"stratum {label!r} needs two labelled and two other answers: merge strata")
        parts.append(_Part(whole.y[labelled], whole.f[labelled], whole.rest[rest]))
    return parts


def _combined(parts: list[_Part], trust: float | None) -> _Estimate:
    """Strata weighted by their share of all answers."""
    sizes = np.array([part.y.size + part.rest.size for part in parts], dtype=np.float64)
    weights = sizes / sizes.sum()
    trusts, fits = _trusts(parts) if trust is None else ([trust] * len(parts), 0)
    found = [_estimate(part, own) for part, own in zip(parts, trusts, strict=True)]
    return _Estimate(
        mean=float(weights @ [one.mean for one in found]),
        variance=float(weights**2 @ [one.variance for one in found]),
        trust=float(weights @ trusts),
        strata=len(parts),
        fits=fits,
    )


def _trusts(parts: list[_Part]) -> tuple[list[float], int]:
    """The lambda of each stratum, and how many were fitted."""
    if min(part.y.size for part in parts) >= FEW_IN_STRATUM:
        return [_tuned([part]) for part in parts], len(parts)
    return [_tuned(parts)] * len(parts), 1


def _estimate(part: _Part, trust: float) -> _Estimate:
    n, others = part.y.size, part.rest.size
    rectified = part.y - trust * part.f
    return _Estimate(
        mean=trust * float(part.rest.mean()) + float(rectified.mean()),
        variance=trust**2 * float(part.rest.var(ddof=1)) / others + float(rectified.var(ddof=1)) / n,
        trust=trust,
    )


def _tuned(parts: list[_Part]) -> float:
    """The lambda of the least variance, inside [0, 1]; 0 for a judge that always says the same."""
    covariance = spread = labelled = answers = 0.0
    for part in parts:
        every = np.concatenate([part.f, part.rest])
        covariance += (part.y.size - 1.0) * float(np.cov(part.y, part.f, ddof=1)[0, 1])
        spread += (every.size - 1.0) * (1.0 + part.y.size / part.rest.size) * float(every.var(ddof=1))
        labelled += part.y.size - 1.0
        answers += every.size - 1.0
    if spread / answers <= _NO_SPREAD**2:
        return 0.0
    return min(1.0, max(0.0, (covariance / labelled) / (spread / answers)))


def _chances(pi: Numbers, n: int) -> FloatArray:
    chances = finite_numbers(pi, "pi")
    if chances.size != n:
        raise StatisticsError(f"{chances.size} chances for {n} labelled answers")
    if np.any((chances <= 0.0) | (chances > 1.0)):
        raise StatisticsError("chances of being labelled must lie in (0, 1]")
    return chances


def _weighted(whole: _Part, chances: FloatArray, trust: float | None) -> _Estimate:
    """Labels chosen with known, unequal chances: each stands for 1 / chance answers."""
    unseen = np.zeros(whole.rest.size)
    by_judge = np.concatenate([whole.f * (1.0 / chances - 1.0), -whole.rest])
    by_people = np.concatenate([whole.y / chances, unseen])
    fits = 1 if trust is None else 0
    if trust is None:
        table = np.cov(by_judge, by_people, ddof=1)
        spread = float(table[0, 0])
        trust = min(1.0, max(0.0, float(table[0, 1]) / spread)) if spread > _NO_SPREAD**2 else 0.0
    rectified = by_people - trust * by_judge
    variance = float(rectified.var(ddof=1)) / rectified.size
    return _Estimate(float(rectified.mean()), variance, trust, fits=fits)


def _corrected(whole: _Part, found: _Estimate, people: _Estimate, method: str, level: float) -> CorrectedMean:
    spread = found.variance > _NO_SPREAD**2
    return CorrectedMean(
        interval=_interval(whole, found, method, level),
        error=math.sqrt(found.variance) if spread else None,
        human_only=_interval(whole, people, "human_only", level),
        judge_mean=float(np.concatenate([whole.f, whole.rest]).mean()),
        trust=found.trust,
        gain=people.variance / found.variance if spread else None,
        labels=whole.y.size,
        unlabelled=whole.rest.size,
        warnings=_warnings(whole, found),
    )


def _interval(whole: _Part, found: _Estimate, method: str, level: float) -> Interval:
    n = whole.y.size
    df = float(n - found.strata)
    fits = found.fits if found.trust > 0.0 else 0
    if found.variance <= _NO_SPREAD**2 or df - fits < 1.0:
        reason = "all human scores are the same: their spread is unknown" if df > fits else "too few labels"
        return not_estimable(reason, estimate=found.mean, level=level, method=method, n=n)
    half = t_quantile((1.0 + level) / 2.0, df) * math.sqrt(df / (df - fits) * found.variance)
    return Interval(
        estimate=found.mean,
        low=found.mean - half,
        high=found.mean + half,
        level=level,
        method=method,
        n=n,
        df=df,
    )


def _warnings(whole: _Part, found: _Estimate) -> tuple[str, ...]:
    n = whole.y.size
    cases = [
        (n < FEW_LABELS, f"{n} human labels: below {FEW_LABELS} the interval may be too short"),
        (
            found.fits > 0 and found.trust == 0.0,
            "the judge's scores do not rise with people's: they were not used",
        ),
        (np.ptp(whole.y) == 0.0, "all human scores are the same: rare others have not been seen yet"),
    ]
    return tuple(text for applies, text in cases if applies)
