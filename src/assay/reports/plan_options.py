"""What cases and repeats buy: the options of a sample-size plan."""

from collections.abc import Callable

from assay.reports.plan import Basis, Option, SamplePlan, Wish
from assay.reports.wording import plural
from assay.stats.power import (
    PairedVariance,
    cases_needed,
    detectable_difference,
    mcnemar_cases,
    mcnemar_detectable,
)

FEW_UNITS = 30
MOST_REPEATS = 1000
REPEATS_SHOWN = (1, 2, 3, 5, 10)
CASES_SHOWN = (50, 100, 200, 500, 1000, 2000)


def plan_from(wish: Wish, basis: Basis) -> SamplePlan:
    """The numbers of cases and repeats that follow from the variance of a basis."""
    repeats = wish.repeats or basis.repeats
    if repeats != basis.repeats and not basis.noise_known:
        reason = (
            f"What {plural(repeats, 'answer')} a case would bring cannot be told: each case was answered "
            "once, so the noise of answering is unknown. Run some cases with --repeat 3, and plan from these."
        )
        return SamplePlan(wish=wish, basis=basis, reason=reason)
    needed = _needed(basis, wish, repeats)
    present = None
    doubled: list[Option] = []
    if basis.cases is not None:
        present = _option(basis, wish, basis.cases, repeats)
        doubled = [_option(basis, wish, 2 * basis.cases, repeats)]
        if basis.noise_known:
            doubled.append(_option(basis, wish, basis.cases, 2 * repeats))
    return SamplePlan(
        wish=wish,
        basis=basis,
        present=present,
        by_cases=None if needed is None else _option(basis, wish, needed, repeats),
        by_repeats=_by_repeats(basis, wish, repeats),
        doubled=tuple(doubled),
        table=_table(basis, wish, repeats, needed),
        notes=tuple(_notes(basis)),
    )


def _detect(basis: Basis, wish: Wish) -> Callable[[int, int], float | None]:
    """Cases and repeats -> the smallest difference that they show."""
    if basis.discordance is not None:
        share = basis.discordance
        return lambda cases, _: mcnemar_detectable(share, cases=cases, alpha=wish.alpha, power=wish.power)
    return lambda cases, repeats: detectable_difference(
        _paired(basis, repeats), cases=cases, alpha=wish.alpha, power=wish.power
    )


def _paired(basis: Basis, repeats: int) -> PairedVariance:
    """Where noise is unknown, `variance` holds it for the repeats that there were."""
    return PairedVariance(
        omega2=basis.variance or 0.0,
        sigma2_a=basis.noise_first or 0.0,
        sigma2_b=basis.noise_second or 0.0,
        repeats_a=repeats,
        repeats_b=repeats,
    )


def _needed(basis: Basis, wish: Wish, repeats: int) -> int | None:
    if wish.difference is None:
        return None
    if basis.discordance is not None:
        return mcnemar_cases(basis.discordance, delta=wish.difference, alpha=wish.alpha, power=wish.power)
    return cases_needed(_paired(basis, repeats), delta=wish.difference, alpha=wish.alpha, power=wish.power)


def _by_repeats(basis: Basis, wish: Wish, repeats: int) -> Option | None:
    """The fewest answers a case with which the present cases show the difference."""
    if wish.difference is None or basis.cases is None or not basis.noise_known:
        return None
    for more in range(repeats, MOST_REPEATS + 1):
        option = _option(basis, wish, basis.cases, more)
        if option.detectable is not None and option.detectable <= wish.difference:
            return option
    return None


def _option(basis: Basis, wish: Wish, cases: int, repeats: int) -> Option:
    calls = 2 * cases * repeats
    return Option(
        cases=cases,
        repeats=repeats,
        detectable=_detect(basis, wish)(cases, repeats),
        calls=calls,
        cost_usd=None if basis.cost_usd is None else basis.cost_usd * cases * repeats,
    )


def _table(basis: Basis, wish: Wish, repeats: int, needed: int | None) -> tuple[tuple[Option, ...], ...]:
    n = basis.cases
    cases = set(CASES_SHOWN if n is None else (n, 2 * n, 4 * n, 8 * n))
    cases |= {needed} if needed is not None else set()
    across = sorted({*REPEATS_SHOWN, repeats}) if basis.noise_known else [repeats]
    return tuple(tuple(_option(basis, wish, count, each) for each in across) for count in sorted(cases))


def _notes(basis: Basis) -> list[str]:
    notes = []
    if basis.design_effect is not None:
        notes.append(
            f"Cases of a cluster rise and fall together: design effect {basis.design_effect:.2f}. More cases "
            "means more clusters of the same size; more cases of the same clusters bring less."
        )
    units = basis.clusters if basis.clusters is not None else basis.cases
    if units is not None and units < FEW_UNITS:
        kind = "case" if basis.clusters is None else "cluster"
        notes.append(f"The variance comes from {plural(units, kind)} only: take the numbers as rough.")
    return notes
