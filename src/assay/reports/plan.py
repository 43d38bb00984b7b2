"""How many cases or repeats: the values of a sample-size plan, and what they say in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from assay.reports.wording import NOTHING, dollars, measure, percent, plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be planned for; `difference` None asks only what the present cases can show.

    `difference` is in score points (of a measure: in its unit), `repeats` answers a case, `candidates` the
    labels of the two to compare.
    """

    difference: float | None = None
    power: float = 0.8
    alpha: float = 0.05
    metric: str | None = None
    repeats: int | None = None
    candidates: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a plan rests on: two candidates paired by case, or assumptions (then `cases` is None).

    `variance` is that of the difference of one case without the noise of answering where `noise_first` and
    `noise_second` (variance of one answer round its case's mean) are known, and with it where they are None.
    Clusters are in it; `design_effect` says by how much they multiply it. `discordance` is set instead where
    pass rates were assumed. `cost_usd` is one answer of each side; None is unknown.
    """

    source: str
    metric: str | None = None
    unit: str | None = None
    first: str | None = None
    second: str | None = None
    cases: int | None = None
    clusters: int | None = None
    repeats: int = 1
    variance: float | None = None
    noise_first: float | None = None
    noise_second: float | None = None
    design_effect: float | None = None
    discordance: float | None = None
    gains: int | None = None
    losses: int | None = None
    cost_usd: float | None = None

    @property
    def noise_known(self) -> bool:
        """Whether it can be told what more answers a case would bring."""
        return self.noise_first is not None and self.noise_second is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way to go: so many cases and repeats, what they would show, and what they take.

    `detectable` None: no difference can be found with so few. `calls` are answers of both sides, judges and
    cached answers not counted; `cost_usd` None is unknown.
    """

    cases: int
    repeats: int
    detectable: float | None
    calls: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePlan:
    """A plan. `reason` says why there is none; every number is None then.

    `present`: the cases that there are. `by_cases`, `by_repeats`: what reaches the difference by this lever
    alone. `doubled`: twice the cases, and twice the repeats. `table`: rows of rising cases, in each an option
    for each number of repeats.
    """

    wish: Wish
    basis: Basis
    present: Option | None = None
    by_cases: Option | None = None
    by_repeats: Option | None = None
    doubled: tuple[Option, ...] = ()
    table: tuple[tuple[Option, ...], ...] = ()
    notes: tuple[str, ...] = ()
    reason: str | None = None


def plan_sentences(plan: SamplePlan) -> Iterator[str]:
    """What a plan says, a sentence each."""
    if plan.reason is not None:
        yield plan.reason
        return
    power = percent(plan.wish.power)
    if plan.present is not None:
        yield _present(plan.present, plan.basis.unit, power)
    if plan.wish.difference is not None:
        yield from _needed(plan, power)
    if plan.present is not None:
        yield from _levers(plan)


def basis_text(basis: Basis) -> str:
    """What the plan rests on, on one line."""
    if basis.cases is None:
        return basis.source
    parts = [plural(basis.cases, "case"), f"{plural(basis.repeats, 'answer')} each"]
    if basis.clusters is not None:
        parts.append(plural(basis.clusters, "cluster"))
    if basis.gains is not None and basis.losses is not None:
        differ = basis.gains + basis.losses
        parts.append(f"{differ:,} of them differ ({basis.gains:,} up, {basis.losses:,} down)")
    return f"{basis.source}: {basis.first} against {basis.second} on {basis.metric}; {', '.join(parts)}"


def plan_table(plan: SamplePlan) -> list[list[str]]:
    """Header and rows: cases down, repeats across, the smallest difference that each would show."""
    if not plan.table:
        return []
    many = len(plan.table[0]) > 1
    names = [plural(option.repeats, "answer", "answers") for option in plan.table[0]]
    header = (
        ["cases", *names, "calls a repeat", "cost a repeat"] if many else ["cases", "shows", "calls", "cost"]
    )
    return [header, *(_row(options, plan.basis.unit, each_repeat=many) for options in plan.table)]


def _row(options: tuple[Option, ...], unit: str | None, *, each_repeat: bool) -> list[str]:
    first = options[0]
    parts = first.repeats if each_repeat else 1
    cost_usd = None if first.cost_usd is None else first.cost_usd / parts
    shown = (difference_text(option.detectable, unit) for option in options)
    return [f"{first.cases:,}", *shown, f"{first.calls // parts:,}", _cost(cost_usd)]


def difference_text(value: float | None, unit: str | None) -> str:
    """A difference in score points, or in the unit of a measure."""
    if value is None:
        return NOTHING
    return f"{value:.3f}" if unit is None else measure(value, unit)


def _present(option: Option, unit: str | None, power: str) -> str:
    size = f"{plural(option.cases, 'case')} with {plural(option.repeats, 'answer')} each"
    if option.detectable is None:
        return f"{size} cannot show any difference with probability {power}."
    found = difference_text(option.detectable, unit)
    return f"{size} show a true difference of {found} or more with probability {power}."


def _needed(plan: SamplePlan, power: str) -> Iterator[str]:
    wish, option = plan.wish, plan.by_cases
    wanted = difference_text(wish.difference, plan.basis.unit)
    if option is not None:
        yield (
            f"To show {wanted} with probability {power}: {plural(option.cases, 'case')} with "
            f"{plural(option.repeats, 'answer')} each, {_price(option)}."
        )
    present, repeated = plan.present, plan.by_repeats
    if present is None or option is None or option.cases <= present.cases:
        return
    if repeated is not None:
        yield (
            f"Or the present {plural(present.cases, 'case')} with {plural(repeated.repeats, 'answer')} each: "
            f"{_price(repeated)}."
        )
    elif plan.basis.noise_known:
        yield (
            f"More answers to the present {plural(present.cases, 'case')} cannot show it, however many: "
            "what is left is the difference between cases."
        )


def _levers(plan: SamplePlan) -> Iterator[str]:
    if not plan.doubled:
        return
    unit, (cases, *more) = plan.basis.unit, plan.doubled
    brought = f"Twice the cases bring it to {difference_text(cases.detectable, unit)}"
    if not more:
        yield (
            f"{brought}, {_price(cases)}. What more answers a case would bring is unknown, since each case "
            "was answered once: run some of them with --repeat 3 and plan from that job."
        )
        return
    better = "Cases buy more" if plan.basis.variance else "Both buy the same"
    yield (
        f"{brought}, twice the answers a case to {difference_text(more[0].detectable, unit)}; either takes "
        f"{_price(cases)}. {better}: more answers take away the noise of answering only."
    )


def _price(option: Option) -> str:
    return f"{plural(option.calls, 'call')}, {_cost(option.cost_usd, 'cost unknown')}"


def _cost(usd: float | None, unknown: str = "unknown") -> str:
    return unknown if usd is None else dollars(usd)
