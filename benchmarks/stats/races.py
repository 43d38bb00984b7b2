"""Races: is the winner right as often as promised, and what is saved?"""

from stats import race_simulations as simulations
from stats.race_simulations import Found
from stats.rows import Check, Effort, Row


def _row(found: Found) -> Row:
    return Row(
        check=found.check, design=found.design, measured=found.measured, bound=found.bound, ok=found.ok
    )


def race_least_favourable_exact(effort: Effort) -> Row:
    """The best leads by a single case."""
    return _row(simulations.check_least_favourable(1, 0.0, effort.draws(2_000)))


def race_least_favourable_within(effort: Effort) -> Row:
    """The best leads by one case more than epsilon."""
    return _row(simulations.check_least_favourable(21, 0.02, effort.draws(2_000)))


def race_even(effort: Effort) -> Row:
    """Candidates in even steps."""
    return _row(simulations.check_savings("even", effort.draws(2_000)))


def race_clear(effort: Effort) -> Row:
    """One candidate is far ahead."""
    return _row(simulations.check_savings("clear", effort.draws(2_000)))


def race_twin(effort: Effort) -> Row:
    """Two candidates are nearly equal."""
    return _row(simulations.check_savings("twin", effort.draws(2_000)))


def race_equal(effort: Effort) -> Row:
    """All candidates are equal."""
    return _row(simulations.check_savings("equal", effort.draws(2_000)))


def race_tie(effort: Effort) -> Row:
    """Two candidates with equal totals."""
    return _row(simulations.check_exact_tie(effort.draws(4_000)))


def race_order(effort: Effort) -> Row:
    """A data set in the order of its topics."""
    return _row(simulations.check_order(effort.draws(300)))


CHECKS: tuple[Check, ...] = (
    race_least_favourable_exact,
    race_least_favourable_within,
    race_even,
    race_clear,
    race_twin,
    race_equal,
    race_tie,
    race_order,
)
