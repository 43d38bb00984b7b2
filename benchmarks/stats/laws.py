"""Scores and pairs to draw from, with the mean that they really have."""

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from scipy.special import gammaln  # type: ignore[import-untyped]  # scipy ships no types

from stats.rows import Floats

Law: TypeAlias = Callable[[np.random.Generator, tuple[int, ...]], Floats]

_LEVELS = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
_LIKERT = (0.02, 0.03, 0.10, 0.25, 0.60)


def _levels(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return rng.choice(_LEVELS, size=shape, p=_LIKERT)


BOUNDED: dict[str, tuple[Law, float]] = {
    "beta(8,2)": (lambda rng, shape: rng.beta(8.0, 2.0, size=shape), 0.8),
    "ones-inflated": (
        lambda rng, shape: np.where(rng.random(shape) < 0.7, 1.0, rng.random(shape)),
        0.85,
    ),
    "5% zeros": (
        lambda rng, shape: np.where(rng.random(shape) < 0.05, 0.0, rng.beta(98.0, 2.0, size=shape)),
        0.95 * 0.98,
    ),
    "five levels": (_levels, float(_LEVELS @ np.array(_LIKERT))),
    "uniform": (lambda rng, shape: rng.random(shape), 0.5),
    "beta(.5,.5)": (lambda rng, shape: rng.beta(0.5, 0.5, size=shape), 0.5),
    "beta(2,1)": (lambda rng, shape: rng.beta(2.0, 1.0, size=shape), 2.0 / 3.0),
}
"""Seven laws of graded scores in [0, 1] and their means."""


def symmetric(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Differences of graded scores with mean 0, up as often as down."""
    return rng.choice(np.array([-0.5, -0.25, 0.0, 0.25, 0.5]), size=shape, p=(0.1, 0.2, 0.4, 0.2, 0.1))


def skewed(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Differences with mean 0: nine small losses for one large gain."""
    return np.where(rng.random(shape) < 0.1, 0.9, -0.1)


def binomial(n: int, rates: Floats) -> Floats:
    """P(X = x) for X ~ Binomial(n, rate): a row for each rate, strictly between 0 and 1."""
    x = np.arange(n + 1.0)
    choose = gammaln(n + 1.0) - gammaln(x + 1.0) - gammaln(n - x + 1.0)
    log_p = choose + x * np.log(rates)[:, None] + (n - x) * np.log1p(-rates)[:, None]
    return np.asarray(np.exp(log_p), dtype=np.float64)


def discordant_tables(n: int, gain: float, loss: float) -> list[tuple[int, int, float]]:
    """All (gains, losses) of n pairs that matter, and how probable they are."""
    found = []
    for gains in range(n + 1):
        for losses in range(n + 1 - gains):
            rest = n - gains - losses
            log_p = float(
                gammaln(n + 1.0) - gammaln(gains + 1.0) - gammaln(losses + 1.0) - gammaln(rest + 1.0)
            )
            log_p += gains * math.log(gain) + losses * math.log(loss) + rest * math.log1p(-gain - loss)
            if log_p > -27.0:
                found.append((gains, losses, math.exp(log_p)))
    return found


def pair_scores(n: int, gains: int, losses: int) -> tuple[Floats, Floats]:
    """Pass/fail scores of two sides with so many gains and losses; the others agree."""
    first, second = np.ones(n), np.ones(n)
    first[:gains] = 0.0
    second[gains : gains + losses] = 0.0
    return first, second
