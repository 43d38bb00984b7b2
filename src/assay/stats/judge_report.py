"""Can this judge be trusted? Its scores beside those of people on the same answers."""

import math
from dataclasses import dataclass

import numpy as np

from assay.stats.agreement import Kappa, cohen_kappa
from assay.stats.arrays import FloatArray, Kind, Numbers, check_probability, finite_numbers
from assay.stats.comparison import Comparison, compare_paired
from assay.stats.correlation import kendall_tau_b, spearman
from assay.stats.distributions import t_cdf, t_quantile
from assay.stats.errors import StatisticsError
from assay.stats.estimates import Interval, not_estimable
from assay.stats.proportions import wilson

FEW_LABELS = 50
COMMON = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRates:
    """Of a pass/fail judge: what it passes of the passes and fails of the failures that people see.

    An interval is None where people saw no such answer; `balanced_accuracy` is the mean of both rates.
    """

    sensitivity: Interval | None
    specificity: Interval | None
    balanced_accuracy: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionBias:
    """The same answers judged in both orders; a positive difference favours what is shown first."""

    difference: Comparison
    consistent: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthBias:
    """Points that the judge adds to the human score for one standard deviation more of length, and its p."""

    slope: Interval
    p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeReport:
    """Agreement of a judge with people on `n` answers.

    `agreement` is the share of equal scores. `kappa` is unweighted for pass/fail scores and quadratic for
    graded ones. `leniency` is the comparison "judge less human". `errors` only for pass/fail scores.
    """

    n: int
    agreement: Interval
    kappa: Kappa
    tau_b: Interval
    spearman: Interval
    leniency: Comparison
    errors: ErrorRates | None
    position: PositionBias | None
    length: LengthBias | None
    warnings: tuple[str, ...]


def judge_report(
    human: Numbers,
    judge: Numbers,
    *,
    order: Numbers | None = None,
    length: Numbers | None = None,
    level: float = 0.95,
    rng: np.random.Generator,
) -> JudgeReport:
    """Compare a judge's scores with people's, aligned by answer.

    `order`: the judge's scores of the same answers with the order of presentation swapped. The report is then
    on the mean of both, which takes the bias of position out, and position bias is their paired difference.
    `length`: lengths of the answers (or differences of lengths, for preferences). Length bias is the slope of
    judge - human on the standardised length, HC3 errors, t with n - 2 df: a taste for length that people
    share is not counted. Compare answers of one model, or lengths less their model's mean: better models
    may write more.

    Assumes independent answers, drawn at random from those that the report shall speak of. Raises
    StatisticsError for missing or misaligned scores.
    """
    check_probability(level, "level")
    people, first = finite_numbers(human, "human"), _aligned(judge, "judge", len(human))
    if people.size == 0:
        raise StatisticsError("no human scores: a judge cannot be checked without them")
    second = None if order is None else _aligned(order, "order", people.size)
    scores = first if second is None else (first + second) / 2.0
    kind = _kind_of(people, scores)
    kappa = cohen_kappa(people, scores, weights="none" if kind == "binary" else "quadratic", level=level)
    return JudgeReport(
        n=people.size,
        agreement=_equal(people, scores, level),
        kappa=kappa,
        tau_b=kendall_tau_b(people, scores, level=level),
        spearman=spearman(people, scores, level=level),
        leniency=compare_paired(people, scores, kind=kind, alpha=1.0 - level, rng=rng),
        errors=_error_rates(people, scores, level) if kind == "binary" else None,
        position=None if second is None else _position_bias(first, second, level, rng),
        length=None if length is None else _length_bias(scores - people, length, level),
        warnings=_warnings(people, scores, kappa),
    )


def _aligned(values: Numbers, name: str, n: int) -> FloatArray:
    array = finite_numbers(values, name)
    if array.size != n:
        raise StatisticsError(f"{array.size} values of {name} for {n} human scores: pair them first")
    return array


def _kind_of(*series: FloatArray) -> Kind:
    values = np.concatenate(series)
    if np.all((values == 0.0) | (values == 1.0)):
        return "binary"
    return "unit" if values.min() >= 0.0 and values.max() <= 1.0 else "real"


def _equal(first: FloatArray, second: FloatArray, level: float) -> Interval:
    return wilson(int(np.count_nonzero(np.isclose(first, second))), first.size, level=level)


def _error_rates(people: FloatArray, scores: FloatArray, level: float) -> ErrorRates:
    rates = []
    for truth in (1.0, 0.0):
        seen = scores[people == truth]
        right = int(np.count_nonzero(seen == truth))
        rates.append(wilson(right, seen.size, level=level) if seen.size else None)
    known = [rate.estimate for rate in rates if rate is not None and rate.estimate is not None]
    return ErrorRates(
        sensitivity=rates[0],
        specificity=rates[1],
        balanced_accuracy=sum(known) / 2.0 if len(known) == 2 else None,
    )


def _position_bias(
    first: FloatArray, second: FloatArray, level: float, rng: np.random.Generator
) -> PositionBias:
    difference = compare_paired(second, first, kind=_kind_of(first, second), alpha=1.0 - level, rng=rng)
    return PositionBias(difference=difference, consistent=_equal(first, second, level))


def _length_bias(excess: FloatArray, length: Numbers, level: float) -> LengthBias:
    """Least squares of the excess on the standardised length, with the HC3 error of the slope."""
    n = excess.size
    lengths = _aligned(length, "length", n)
    if n < 4 or np.ptp(lengths) == 0.0:
        reason = "the lengths do not vary" if n >= 4 else "a slope needs at least four answers"
        return LengthBias(
            slope=not_estimable(reason, estimate=None, level=level, method="hc3_slope", n=n), p=1.0
        )
    x = (lengths - lengths.mean()) / lengths.std(ddof=1)
    square = float(x @ x)
    slope = float(x @ excess) / square
    residuals = excess - excess.mean() - slope * x
    leverage = np.minimum(1.0 / n + x * x / square, 1.0 - 1e-9)
    error = math.sqrt(float(np.sum((x * residuals / (1.0 - leverage)) ** 2))) / square
    if error <= 1e-12 * max(1.0, float(np.abs(excess).max())):
        reason = "the differences do not vary beyond the slope: its spread is unknown"
        return LengthBias(
            slope=not_estimable(reason, estimate=slope, level=level, method="hc3_slope", n=n), p=1.0
        )
    half = t_quantile((1.0 + level) / 2.0, n - 2) * error
    slope_interval = Interval(
        estimate=slope,
        low=slope - half,
        high=slope + half,
        level=level,
        method="hc3_slope",
        n=n,
        df=n - 2.0,
    )
    return LengthBias(slope=slope_interval, p=2.0 * t_cdf(-abs(slope) / error, n - 2))


def _warnings(people: FloatArray, scores: FloatArray, kappa: Kappa) -> tuple[str, ...]:
    n = people.size
    shares = [float(np.unique(values, return_counts=True)[1].max()) / n for values in (people, scores)]
    found = [
        (n < FEW_LABELS, f"{n} human scores: below {FEW_LABELS} the agreement is hardly known"),
        (
            shares[0] >= COMMON,
            f"{shares[0]:.0%} of the human scores are the same: kappa is low for almost any judge then, "
            "and equal scores are cheap",
        ),
        (
            shares[1] >= COMMON > shares[0],
            f"the judge gives the same score to {shares[1]:.0%} of the answers",
        ),
        (kappa.kappa is None, "all scores are the same: nothing can be said of agreement beyond chance"),
    ]
    return tuple(text for applies, text in found if applies)
