"""A few planned looks at a test: critical values that keep the false alarms of all looks at alpha."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

import numpy as np
from scipy.special import ndtr  # type: ignore[import-untyped]  # scipy ships no types

from assay.stats.arrays import FloatArray, check_probability, finite_numbers
from assay.stats.distributions import normal_cdf, normal_quantile
from assay.stats.errors import StatisticsError

Spending: TypeAlias = Literal["pocock", "obrien_fleming", "lan_demets_pocock", "lan_demets_obrien_fleming"]
"""`pocock`: the same critical value at each look; `obrien_fleming`: high at first, near the usual one at the
end; `lan_demets_*`: about the same by spending alpha over time, for looks that are not evenly spaced."""

# |Z| beyond this has a probability below 1e-18: the density is not followed further.
_REACH = 9.0
# A look that may spend less than this has no critical value: the quadrature cannot tell it from nothing.
_NOTHING = 1e-15
# Quadrature nodes for one standard deviation of the step between two looks.
_NODES_A_STEP = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSequential:
    """The plan: reject at look k when |z| >= `critical[k]`, else go on.

    `fractions`: share of all planned data at each look, the last one is 1. `spent`: the chance of a false
    alarm up to and with each look.
    """

    fractions: tuple[float, ...]
    critical: tuple[float, ...]
    spent: tuple[float, ...]
    alpha: float
    spending: Spending

    @property
    def looks(self) -> int:
        """How many looks are planned."""
        return len(self.fractions)

    def nominal(self, look: int) -> float:
        """The p-value that must not be exceeded at look 1, 2, ...; StatisticsError for one not planned."""
        if not 1 <= look <= self.looks:
            raise StatisticsError(f"look {look} is not one of the {self.looks} that were planned")
        return 2.0 * normal_cdf(-self.critical[look - 1])


def gs_bounds(
    looks: int | Sequence[float],
    alpha: float = 0.05,
    spending: Spending = "lan_demets_obrien_fleming",
) -> GroupSequential:
    """Two-sided critical values for the z statistic at each look.

    `looks`: a number of evenly spaced ones, or the shares of the planned data, rising to 1. Computed by
    recursive integration of the density of the statistic that has not crossed yet (Armitage, McPherson and
    Rowe 1969). Pocock (1977) has c at each look, O'Brien and Fleming (1979) c/sqrt(t). Lan and DeMets (1983)
    spend alpha by share t of the data: 4(1 - Phi(z_{alpha/4}/sqrt t)), which is half of it on each side, or
    alpha log(1 + (e-1)t). An early look that may spend next to nothing has an infinite value.

    Assumes a statistic that is normal given the plan (means of hundreds of units), looks that were planned
    and that do not depend on the results. Raises StatisticsError for impossible looks or alpha.
    """
    check_probability(alpha, "alpha")
    fractions = _fractions(looks)
    if spending in _SHAPES:
        critical = _constant_bounds(fractions, alpha, _SHAPES[spending])
    elif spending in _SPENDING:
        critical = _spending_bounds(fractions, alpha, _SPENDING[spending])
    else:
        known = ", ".join([*_SHAPES, *_SPENDING])
        raise StatisticsError(f"unknown spending {spending!r}: expected one of {known}")
    return GroupSequential(
        fractions=fractions,
        critical=critical,
        spent=crossing_probabilities(fractions, critical),
        alpha=alpha,
        spending=spending,
    )


def crossing_probabilities(
    fractions: Sequence[float], critical: Sequence[float], drift: float = 0.0
) -> tuple[float, ...]:
    """Chance that |z| has reached its critical value up to and with each look.

    `drift` is the expected z with all data: 0 gives the false alarms, another value the power.
    """
    walk, crossed, total = _Walk.start(drift), [], 0.0
    for fraction, bound in zip(fractions, critical, strict=True):
        total += walk.crossing(fraction, bound)
        crossed.append(total)
        walk = walk.after(fraction, bound)
    return tuple(crossed)


@dataclass(frozen=True, slots=True, eq=False)
class _Walk:
    """Where a Brownian motion with drift is at `time` if it has not crossed: points and their masses."""

    time: float
    points: FloatArray
    masses: FloatArray
    drift: float

    @classmethod
    def start(cls, drift: float) -> "_Walk":
        return cls(0.0, np.zeros(1), np.ones(1), drift)

    def crossing(self, time: float, bound: float) -> float:
        """The chance to cross at `time` and not before."""
        if math.isinf(bound):
            return 0.0
        step, edge = math.sqrt(time - self.time), bound * math.sqrt(time)
        moved = self.points + self.drift * (time - self.time)
        return float(self.masses @ (ndtr((moved - edge) / step) + ndtr((-edge - moved) / step)))

    def after(self, time: float, bound: float) -> "_Walk":
        """The walk at `time` where it stayed inside."""
        step = math.sqrt(time - self.time)
        mean, reach = self.drift * time, _REACH * math.sqrt(time)
        edge = bound * math.sqrt(time)
        low, high = max(-edge, mean - reach), min(edge, mean + reach)
        if low >= high:
            return _Walk(time, np.zeros(1), np.zeros(1), self.drift)
        nodes, weights = _legendre(math.ceil(max(64.0, _NODES_A_STEP * (high - low) / step) / 32))
        points = (low + high) / 2.0 + (high - low) / 2.0 * nodes
        moved = self.points + self.drift * (time - self.time)
        kernel = np.exp(-0.5 * ((points[:, None] - moved[None, :]) / step) ** 2)
        density = kernel @ self.masses / (step * math.sqrt(2.0 * math.pi))
        return _Walk(time, points, density * weights * (high - low) / 2.0, self.drift)


@cache
def _legendre(count_32: int) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights of Gauss and Legendre, in steps of 32 so that few have to be found."""
    nodes, weights = np.polynomial.legendre.leggauss(32 * count_32)
    return np.asarray(nodes, dtype=np.float64), np.asarray(weights, dtype=np.float64)


_SHAPES: dict[str, Callable[[float], float]] = {
    "pocock": lambda _: 1.0,
    "obrien_fleming": lambda fraction: 1.0 / math.sqrt(fraction),
}
_SPENDING: dict[str, Callable[[float, float], float]] = {
    "lan_demets_obrien_fleming": lambda alpha, t: (
        4.0 * normal_cdf(normal_quantile(alpha / 4.0) / math.sqrt(t))
    ),
    "lan_demets_pocock": lambda alpha, t: alpha * math.log1p((math.e - 1.0) * t),
}


def _fractions(looks: int | Sequence[float]) -> tuple[float, ...]:
    if isinstance(looks, int):
        if looks < 1:
            raise StatisticsError(f"at least one look is needed, not {looks}")
        return tuple((look + 1) / looks for look in range(looks))
    fractions = finite_numbers(list(looks), "looks")
    rising = bool(np.all(np.diff(fractions, prepend=0.0) > 0.0))
    if fractions.size == 0 or not rising or fractions[-1] != 1.0:
        raise StatisticsError("looks must be shares of the planned data that rise from above 0 to 1")
    return tuple(float(fraction) for fraction in fractions)


def _constant_bounds(
    fractions: tuple[float, ...], alpha: float, shape: Callable[[float], float]
) -> tuple[float, ...]:
    def critical(constant: float) -> tuple[float, ...]:
        return tuple(constant * shape(fraction) for fraction in fractions)

    def excess(constant: float) -> float:
        return math.log(crossing_probabilities(fractions, critical(constant))[-1] / alpha)

    # At least the value of a single look, at most that of Bonferroni.
    single, bonferroni = (-normal_quantile(alpha / (2.0 * looks)) for looks in (1, len(fractions)))
    return critical(_falling_root(excess, single, bonferroni))


def _spending_bounds(
    fractions: tuple[float, ...], alpha: float, spend: Callable[[float, float], float]
) -> tuple[float, ...]:
    walk, critical, before = _Walk.start(0.0), [], 0.0
    for fraction in fractions:
        allowed = spend(alpha, fraction)
        bound = _bound_for(walk, fraction, allowed - before)
        critical.append(bound)
        walk, before = walk.after(fraction, bound), allowed
    return tuple(critical)


def _bound_for(walk: _Walk, fraction: float, allowed: float) -> float:
    if allowed < _NOTHING:
        return math.inf

    def excess(bound: float) -> float:
        return math.log(max(walk.crossing(fraction, bound), 1e-300) / allowed)

    return _falling_root(excess, 0.0, _REACH)


def _falling_root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a falling function passes 0 between `low` and `high`; the end that errs to caution.

    The Illinois method: a secant within a bracket, an end that stays is trusted half as much.
    """
    at_low, at_high = function(low), function(high)
    for _ in range(200):
        if high - low <= 1e-9 or at_high >= 0.0:
            break
        guess = high - at_high * (high - low) / (at_high - at_low)
        guess = guess if low < guess < high else (low + high) / 2.0
        value = function(guess)
        if value > 0.0:
            low, at_low, at_high = guess, value, at_high / 2.0
        else:
            high, at_high, at_low = guess, value, at_low / 2.0
    return high
