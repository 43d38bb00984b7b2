"""Maps from a judge's scores to what people would say: monotone curves, fitted on labels."""

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from assay.stats.arrays import FloatArray, Numbers, finite_numbers, scores_of_kind
from assay.stats.errors import StatisticsError

MapKind: TypeAlias = Literal["logistic", "isotonic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreMap:
    """A curve from judge scores to [0, 1]: the chance of a pass, or the mean label, that people would give.

    `logistic`: 1 / (1 + exp(-(intercept + slope x))). `isotonic`: straight lines through `knots`, (score,
    value) pairs that rise, flat beyond the ends.
    """

    kind: MapKind
    intercept: float = 0.0
    slope: float = 0.0
    knots: tuple[tuple[float, float], ...] = ()

    def apply(self, scores: Numbers) -> FloatArray:
        """The mapped scores."""
        values = finite_numbers(scores)
        if self.kind == "logistic":
            return _logistic(self.intercept + self.slope * values)
        x, y = np.array(self.knots).T
        return np.asarray(np.interp(values, x, y), dtype=np.float64)


def fit_map(
    labels: Numbers, scores: Numbers, *, kind: MapKind = "logistic", weights: FloatArray | None = None
) -> ScoreMap:
    """The curve of least loss on labelled answers; `labels` are 0 or 1, or means in between.

    `logistic`: maximum likelihood with Platt's (1999) targets, (N+ + 1)/(N+ + 2) for a pass and 1/(N- + 2)
    for a failure, so that perfectly parted labels have a finite curve; two parameters, right for tens of
    labels. `isotonic`: least squares among all rising curves by pooling adjacent violators (Ayer et al. 1955;
    Zadrozny and Elkan 2002); follows any shape, needs hundreds. Raises StatisticsError for fewer than two
    answers or, for `logistic`, scores that are all the same.
    """
    targets, values = scores_of_kind(labels, "unit", "labels"), finite_numbers(scores)
    if targets.size != values.size or targets.size < 2:
        raise StatisticsError(
            f"{values.size} scores for {targets.size} labels: a map needs two pairs at least"
        )
    each = np.ones(targets.size) if weights is None else finite_numbers(weights, "weights")
    if kind == "isotonic":
        return ScoreMap(kind="isotonic", knots=_pooled(targets, values, each))
    if kind != "logistic":
        raise StatisticsError(f"unknown kind of map {kind!r}: expected logistic or isotonic")
    if np.ptp(values) == 0.0:
        raise StatisticsError("all scores are the same: there is no curve through one point")
    intercept, slope = _fitted_logistic(targets, values, each)
    return ScoreMap(kind="logistic", intercept=intercept, slope=slope)


def _fitted_logistic(targets: FloatArray, values: FloatArray, weights: FloatArray) -> tuple[float, float]:
    """Newton's method on standardised scores, halving a step that does not lessen the loss."""
    passes, failures = float(weights @ targets), float(weights @ (1.0 - targets))
    high, low = (passes + 1.0) / (passes + 2.0), 1.0 / (failures + 2.0)
    smoothed = targets * high + (1.0 - targets) * low
    centre, scale = float(values.mean()), float(values.std()) or 1.0
    design = np.column_stack([np.ones(values.size), (values - centre) / scale])
    beta = np.array([math.log((passes + 1.0) / (failures + 1.0)), 0.0])
    loss = _cross_entropy(design @ beta, smoothed, weights)
    for _ in range(100):
        chance = _logistic(design @ beta)
        slope = design.T @ (weights * (smoothed - chance))
        curvature = (design.T * (weights * chance * (1.0 - chance))) @ design + 1e-12 * np.eye(2)
        step = np.linalg.solve(curvature, slope)
        while _cross_entropy(design @ (beta + step), smoothed, weights) > loss and np.abs(step).max() > 1e-12:
            step = step / 2.0
        beta = beta + step
        loss = _cross_entropy(design @ beta, smoothed, weights)
        if np.abs(step).max() < 1e-10:
            break
    slope_of_score = float(beta[1]) / scale
    return float(beta[0]) - slope_of_score * centre, slope_of_score


def _cross_entropy(logits: FloatArray, targets: FloatArray, weights: FloatArray) -> float:
    return float(weights @ (np.logaddexp(0.0, logits) - targets * logits))


def _logistic(logits: FloatArray) -> FloatArray:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -700.0, 700.0))), dtype=np.float64)


def _pooled(targets: FloatArray, values: FloatArray, weights: FloatArray) -> tuple[tuple[float, float], ...]:
    """The ends of each level of the rising step function that is nearest to the labels."""
    x, codes = np.unique(values, return_inverse=True)
    mass = np.bincount(codes, weights=weights)
    heights = np.bincount(codes, weights=weights * targets) / mass
    blocks: list[tuple[float, float, int]] = []
    for height, weight in zip(heights.tolist(), mass.tolist(), strict=True):
        block = (height, weight, 1)
        while blocks and blocks[-1][0] >= block[0]:
            before = blocks.pop()
            total = before[1] + block[1]
            block = ((before[0] * before[1] + block[0] * block[1]) / total, total, before[2] + block[2])
        blocks.append(block)
    knots, start = [], 0
    for height, _, length in blocks:
        ends = dict.fromkeys((start, start + length - 1))
        knots += [(float(x[end]), float(height)) for end in ends]
        start += length
    return tuple(knots)
