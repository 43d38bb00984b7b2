"""Ranks, fronts, agreement, corrected means and repeats: do they keep what they promise?"""

from collections.abc import Iterable

from stats import candidate_simulations as simulations
from stats.candidate_simulations import Found
from stats.rows import Check, Effort, Row, at_least, at_most


def _rows(found: Iterable[Found], effort: Effort, full: int) -> tuple[Row, ...]:
    return tuple(_row(each, effort, full) for each in found)


def _row(found: Found, effort: Effort, full: int) -> Row:
    # a gain is no rate: a quick run may miss it by a quarter
    rate = 0.0 < found.limit < 1.0
    slack = effort.slack(found.limit, full) if rate else found.limit / 4 * effort.quick
    accept = at_most if found.sign == "<=" else at_least
    return accept(found.check, found.design, [found.measured], found.limit, slack)


def max_t(effort: Effort) -> tuple[Row, ...]:
    """Rank intervals of equal candidates."""
    draws = effort.draws(1_500)
    return _rows((simulations.max_t_false_wins(n, draws) for n in (30, 200, 500)), effort, 1_500)


def holm_pairs(effort: Effort) -> tuple[Row, ...]:
    """Holm over all pairs of equal candidates."""
    return _rows([simulations.holm_false_wins(500, effort.draws(1_000))], effort, 1_000)


def arena(effort: Effort) -> tuple[Row, ...]:
    """Bradley-Terry strengths and ranks."""
    return _rows(simulations.bradley_terry_covers(effort.draws(200)), effort, 200)


def corrected_coverage(effort: Effort) -> tuple[Row, ...]:
    """A judge's mean corrected by few labels, and not corrected."""
    draws = effort.draws(1_500)
    found = [simulations.ppi_covers(n, draws) for n in (30, 50, 100, 200)]
    return _rows([*found, *simulations.judge_alone_misses(draws)], effort, 1_500)


def corrected_gain(effort: Effort) -> tuple[Row, ...]:
    """What the judge's scores save in labels."""
    return _rows([simulations.ppi_gains(effort.draws(1_500))], effort, 1_500)


def label_plans(effort: Effort) -> tuple[Row, ...]:
    """Which results to label."""
    draws = effort.draws(1_000)
    plans = (
        simulations.plans_gain("random", 1.35, draws),
        simulations.plans_gain("stratified", 1.4, draws),
        simulations.plans_gain("neyman", 1.5, draws),
        simulations.plans_gain("active", 1.6, draws),
    )
    return _rows((each for plan in plans for each in plan), effort, 1_000)


def both_orders(effort: Effort) -> tuple[Row, ...]:
    """Pairwise judgements in one order, and in both."""
    return _rows(simulations.swapped_ties(effort.draws(400)), effort, 400)


def pass_of_k(effort: Effort) -> tuple[Row, ...]:
    """pass@k and pass^k against their plug-in estimates."""
    return _rows(simulations.pass_of_k_is_unbiased(effort.draws(400_000)), effort, 400_000)


def fronts(effort: Effort) -> tuple[Row, ...]:
    """Cost-quality fronts."""
    return _rows(simulations.fronts(effort.draws(400)), effort, 400)


def kappa_coverage(effort: Effort) -> tuple[Row, ...]:
    """Intervals of Cohen's kappa."""
    draws = effort.draws(1_500)
    return _rows((simulations.kappa_covers(n, draws) for n in (50, 100, 200)), effort, 1_500)


def regressed_cases(effort: Effort) -> tuple[Row, ...]:
    """Cases that did not change."""
    return _rows([simulations.unchanged_cases(effort.draws(400))], effort, 400)


CHECKS: tuple[Check, ...] = (
    max_t,
    holm_pairs,
    arena,
    corrected_coverage,
    corrected_gain,
    label_plans,
    both_orders,
    pass_of_k,
    fronts,
    kappa_coverage,
    regressed_cases,
)
