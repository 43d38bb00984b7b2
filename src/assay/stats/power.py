"""How many cases are needed, and what can be seen with those that there are.

Var(difference of a case) = omega^2 + sigma_A^2/K_A + sigma_B^2/K_B. Source: Miller (2024), "Adding Error Bars
to Evals", section 5, arXiv:2411.00640. Normal approximation, two-sided tests, independent cases.
"""

import math
from dataclasses import dataclass

import numpy as np

from assay.stats.arrays import Kind, Numbers, check_margin, check_probability
from assay.stats.distributions import normal_cdf, normal_quantile
from assay.stats.errors import StatisticsError
from assay.stats.paired import paired_difference, paired_scores
from assay.stats.repeats import Repeats


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedVariance:
    """What makes paired differences vary.

    `omega2`: variance over cases of the true difference; `sigma2_a`, `sigma2_b`: variance of one answer's
    score round its case's mean; `repeats_a`, `repeats_b`: answers a case. `design_effect` multiplies for
    clusters.
    """

    omega2: float
    sigma2_a: float = 0.0
    sigma2_b: float = 0.0
    repeats_a: int = 1
    repeats_b: int = 1
    design_effect: float = 1.0

    @property
    def per_case(self) -> float:
        """Variance of the difference of one case; StatisticsError unless it is positive."""
        if min(self.repeats_a, self.repeats_b) < 1:
            raise StatisticsError("repeats must be at least 1")
        if min(self.omega2, self.sigma2_a, self.sigma2_b) < 0.0 or self.design_effect <= 0.0:
            raise StatisticsError("variances and the design effect cannot be negative")
        variance = self.omega2 + self.sigma2_a / self.repeats_a + self.sigma2_b / self.repeats_b
        if variance <= 0.0:
            raise StatisticsError("without any variance no number of cases can be planned")
        return variance * self.design_effect


def pilot_variance(a: Numbers, b: Numbers, *, kind: Kind) -> PairedVariance:
    """The variance seen in a pilot of paired scores, answering noise included in `omega2`.

    For pass/fail and graded scores it is never 0: one gain and one loss are added. Needs two pairs.
    """
    variance = paired_difference(paired_scores(a, b, kind), cautious=True).case_variance()
    if variance is None:
        raise StatisticsError(
            "the pilot shows no variance: at least two pairs that differ unequally are needed"
        )
    return PairedVariance(omega2=variance)


def repeated_pilot_variance(a: Repeats, b: Repeats) -> PairedVariance:
    """The variance seen in a pilot with repeats, noise of answering apart from differences between cases.

    sigma^2 of each side is its mean variance within a case; omega^2 = Var(difference of case means) -
    sigma_A^2 mean(1/K_A) - sigma_B^2 mean(1/K_B), at least 0. `repeats_a` and `repeats_b` are those of the
    pilot: replace them to plan with others. Raises StatisticsError unless both sides have the same cases, two
    at least, and repeats.
    """
    if set(a.cases) != set(b.cases):
        raise StatisticsError("a and b have different cases: keep those that both have")
    if len(a.cases) < 2 or not (np.any(a.counts > 1) and np.any(b.counts > 1)):
        raise StatisticsError("the pilot needs two cases, and repeats on both sides")
    place = {case: index for index, case in enumerate(b.cases)}
    differences = b.means[[place[case] for case in a.cases]] - a.means
    noise = [float(side.variances[side.counts > 1].mean()) for side in (a, b)]
    shares = [float(np.mean(1.0 / side.counts)) for side in (a, b)]
    between = float(differences.var(ddof=1)) - noise[0] * shares[0] - noise[1] * shares[1]
    return PairedVariance(
        omega2=max(0.0, between),
        sigma2_a=noise[0],
        sigma2_b=noise[1],
        repeats_a=round(1.0 / shares[0]),
        repeats_b=round(1.0 / shares[1]),
    )


def cases_needed(variance: PairedVariance, *, delta: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Cases with which a true difference of `delta` is found with probability `power`, rounded up."""
    return math.ceil(exact_cases_needed(variance, delta=delta, alpha=alpha, power=power))


def exact_cases_needed(
    variance: PairedVariance, *, delta: float, alpha: float = 0.05, power: float = 0.8
) -> float:
    """(z_{alpha/2} + z_beta)^2 (omega^2 + sigma_A^2/K_A + sigma_B^2/K_B) / delta^2, not rounded."""
    check_margin(abs(delta))
    return _factor(alpha, power) ** 2 * variance.per_case / delta**2


def detectable_difference(
    variance: PairedVariance, *, cases: float, alpha: float = 0.05, power: float = 0.8
) -> float:
    """The smallest true difference that `cases` find with probability `power`."""
    _check_cases(cases)
    return _factor(alpha, power) * math.sqrt(variance.per_case / cases)


def power_of(variance: PairedVariance, *, delta: float, cases: float, alpha: float = 0.05) -> float:
    """Probability that `cases` show a true difference of `delta`, either tail of the test counted."""
    check_probability(alpha, "alpha")
    _check_cases(cases)
    shift = abs(delta) / math.sqrt(variance.per_case / cases)
    critical = normal_quantile(1.0 - alpha / 2.0)
    return normal_cdf(shift - critical) + normal_cdf(-shift - critical)


def mcnemar_cases(discordance: float, *, delta: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Pairs of pass/fail scores with which McNemar's test finds a difference of `delta`, rounded up.

    (z_{alpha/2} sqrt(d) + z_beta sqrt(d - delta^2))^2 / delta^2 for the share d of cases that only one side
    passes; |delta| <= d <= 1, or StatisticsError. Source: Connor (1987), Biometrics 43:207.
    """
    check_probability(alpha, "alpha")
    check_probability(power, "power")
    check_margin(abs(delta))
    if not abs(delta) <= discordance <= 1.0:
        raise StatisticsError(
            f"a difference of {abs(delta):g} needs a discordance of at least that and at most 1, "
            f"not {discordance:g}"
        )
    return math.ceil(_mcnemar_exact_cases(discordance, abs(delta), alpha, power))


def mcnemar_detectable(
    discordance: float, *, cases: float, alpha: float = 0.05, power: float = 0.8
) -> float | None:
    """The smallest difference that `cases` pairs find; None where even `discordance` would not be found."""
    check_probability(alpha, "alpha")
    check_probability(power, "power")
    _check_cases(cases)
    if not 0.0 < discordance <= 1.0:
        raise StatisticsError(f"the discordance must lie above 0 and up to 1, not {discordance:g}")
    if _mcnemar_exact_cases(discordance, discordance, alpha, power) > cases:
        return None
    low, high = 0.0, discordance
    for _ in range(60):
        middle = (low + high) / 2.0
        if _mcnemar_exact_cases(discordance, middle, alpha, power) > cases:
            low = middle
        else:
            high = middle
    return high


def independent_discordance(first: float, second: float) -> float:
    """Share of cases that only one side passes when these pass rates have nothing to do with each other.

    p (1 - q) + q (1 - p). Two versions of one prompt agree more often than that.
    """
    if not (0.0 <= first <= 1.0 and 0.0 <= second <= 1.0):
        raise StatisticsError(f"pass rates lie in [0, 1], not {first:g} and {second:g}")
    return first * (1.0 - second) + second * (1.0 - first)


def noninferiority_cases(
    variance: PairedVariance, *, margin: float, alpha: float = 0.05, power: float = 0.8
) -> int:
    """Cases with which a gate of this margin passes with probability `power` when nothing changed."""
    check_margin(margin)
    factor = _factor(2.0 * alpha, power)
    return math.ceil(factor**2 * variance.per_case / margin**2)


def _factor(alpha: float, power: float) -> float:
    check_probability(alpha, "alpha")
    check_probability(power, "power")
    factor = normal_quantile(1.0 - alpha / 2.0) + normal_quantile(power)
    if factor <= 0.0:
        raise StatisticsError(f"a power of {power} is below the false alarms at alpha {alpha}")
    return factor


def _mcnemar_exact_cases(discordance: float, delta: float, alpha: float, power: float) -> float:
    critical, reach = normal_quantile(1.0 - alpha / 2.0), normal_quantile(power)
    spread = math.sqrt(max(0.0, discordance - delta * delta))
    return (critical * math.sqrt(discordance) + reach * spread) ** 2 / (delta * delta)


def _check_cases(cases: float) -> None:
    if not 0.0 < cases < math.inf:
        raise StatisticsError(f"the number of cases must be positive, not {cases}")


def units_per_arm(rate_a: float, rate_b: float, *, power: float = 0.8, alpha: float = 0.05) -> float:
    """Units that each of two independent arms needs to tell two rates apart; round it up.

    n = ((z_{alpha/2} sqrt(2 p q) + z_beta sqrt(p_a q_a + p_b q_b)) / (p_a - p_b))^2 with p the mean rate: the
    two-sided normal test of two proportions, its variance pooled under the null. For traffic that is split,
    where nothing is paired; paired cases need fewer (`mcnemar_cases`). Source: Fleiss, Levin and Paik (2003),
    "Statistical Methods for Rates and Proportions", section 4.2. Raises StatisticsError for equal rates.
    """
    for rate in (rate_a, rate_b):
        if not 0.0 <= rate <= 1.0:
            raise StatisticsError("a rate lies between 0 and 1")
    check_probability(power, "power")
    check_probability(alpha, "alpha")
    if rate_a == rate_b:
        raise StatisticsError("no number of units tells equal rates apart")
    mean = (rate_a + rate_b) / 2.0
    pooled = math.sqrt(2.0 * mean * (1.0 - mean))
    apart = math.sqrt(rate_a * (1.0 - rate_a) + rate_b * (1.0 - rate_b))
    root = (normal_quantile(1.0 - alpha / 2.0) * pooled + normal_quantile(power) * apart) / (rate_a - rate_b)
    return root * root
