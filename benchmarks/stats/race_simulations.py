"""Does a race keep its promise, also where it is hardest to keep? Seeded simulations of `assay.stats.racing`.

Each check returns what it found. A pick is wrong where the full grid has a candidate that is better than it
by more than eps. Bounds are the promise (alpha = .05) and the noise of the simulation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri  # type: ignore[import-untyped]  # scipy ships no types

from assay.stats.pair_evidence import PairEvidence
from assay.stats.racing import Race, RaceResult

Scores = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator], Scores]

N_CASES, REPS = 1_000, 2_000
LATENT = float(np.sin(np.pi / 4))
"""Latent normal correlation at which two pass/fail scores of rate 1/2 correlate by .5."""
EVEN = tuple(np.linspace(0.62, 0.75, 8))
CLEAR = (0.60, 0.62, 0.63, 0.65, 0.66, 0.67, 0.69, 0.75)
TWIN = (0.62, 0.64, 0.66, 0.68, 0.69, 0.70, 0.745, 0.75)
EQUAL = (0.70,) * 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One promise: what was simulated, what was found, and what it must keep to."""

    check: str
    design: str
    measured: str
    bound: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """Of many races: the share that picked wrongly, and what was saved, with 10th and 90th percentile."""

    wrong: float
    saved: float
    low: float
    high: float


def run_race(scores: Scores, eps: float, batch: int = 25) -> RaceResult:
    """One race to its end, scores by candidate and position in the order of the race."""
    race = Race(*scores.shape, eps=eps, batch=batch)
    while stretches := race.next():
        for stretch in stretches:
            for position in range(stretch.first, stretch.last):
                race.update(stretch.candidate, position, scores[stretch.candidate, position])
    return race.result()


def superpopulation(rates: Sequence[float], rng: np.random.Generator) -> Scores:
    """Pass/fail scores of candidates with these rates, alike on hard and easy cases."""
    shared = rng.normal(size=N_CASES) * np.sqrt(LATENT)
    own = rng.normal(size=(len(rates), N_CASES)) * np.sqrt(1 - LATENT)
    passes: npt.NDArray[np.bool_] = shared + own < ndtri(np.asarray(rates))[:, None]
    return passes.astype(np.float64)


def least_favourable(lead: int, rng: np.random.Generator) -> Scores:
    """The best of 8 leads 7 rivals, exactly tied, by `lead` cases of the data set; shuffled.

    Cases are drawn as in a superpopulation of equals and then edited until all totals are so.
    """
    scores = superpopulation(EQUAL, rng)
    target = int(scores[1:].sum(axis=1).mean())
    best = int(rng.integers(8))
    for candidate in range(8):
        _edit(scores[candidate], target + lead * (candidate == best), rng)
    return scores[:, rng.permutation(N_CASES)]


def _edit(row: Scores, total: int, rng: np.random.Generator) -> None:
    excess = int(row.sum()) - total
    chosen = rng.choice(np.flatnonzero(row == (excess > 0)), size=abs(excess), replace=False)
    row[chosen] = 1 - row[chosen]


def sorted_by_topic(shuffle: bool, rng: np.random.Generator) -> Scores:
    """Two candidates: the worse one is better on the first third of the data set."""
    third = N_CASES // 3
    rates = np.where(np.arange(N_CASES) < third, 0.85, 0.55), np.where(np.arange(N_CASES) < third, 0.65, 0.75)
    scores = (rng.random((2, N_CASES)) < np.stack(rates)).astype(np.float64)
    return scores[:, rng.permutation(N_CASES)] if shuffle else scores


def _races(draw: Draw, eps: float, seeds: Sequence[int]) -> list[tuple[bool, float]]:
    rows = []
    for seed in seeds:
        scores = draw(np.random.default_rng(seed))
        result, means = run_race(scores, eps), scores.mean(axis=1)
        wrong = result.winner is None or means[result.winner] < means.max() - eps - 1e-9
        rows.append((bool(wrong), result.saved))
    return rows


def tally(draw: Draw, eps: float, reps: int) -> Tally:
    """Run many races, each with a seed of its own."""
    rows = _races(draw, eps, range(reps))
    wrong, saved = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    low, high = np.quantile(saved, [0.1, 0.9])
    return Tally(float(wrong.mean()), float(saved.mean()), float(low), float(high))


def _promise(name: str, design: str, found: Tally, least_saved: float = 0.0) -> Found:
    bound = "wrong <= 5.5%" + (f", saved >= {least_saved:.0%}" if least_saved else "")
    return Found(
        check=name,
        design=design,
        measured=f"wrong {found.wrong:.2%}, saved {found.saved:.1%} ({found.low:.0%} to {found.high:.0%})",
        bound=bound,
        ok=found.wrong <= 0.055 and found.saved >= least_saved,
    )


def check_least_favourable(lead: int, eps: float, reps: int = REPS) -> Found:
    """The hardest data set for the promise: the best leads by as little as still counts."""
    found = tally(partial(least_favourable, lead), eps, reps)
    design = f"best of 8 leads 7 tied rivals by {lead} of {N_CASES:,} cases, {reps:,} races"
    return _promise(f"LFC race eps={eps:g}", design, found)


def check_savings(name: str, reps: int = REPS) -> Found:
    """What is saved on a profile of candidates: even, clear, twin or equal."""
    rates = {"even": EVEN, "clear": CLEAR, "twin": TWIN, "equal": EQUAL}[name]
    least = {"even": 0.65, "clear": 0.75, "twin": 0.65, "equal": 0.30}[name]
    found = tally(partial(superpopulation, rates), 0.02, reps)
    design = f"8 candidates, {min(rates):.2f} to {max(rates):.2f}, scores correlate by .5, {reps:,} races"
    return _promise(f"race savings, {name}", design, found, least)


def _either_out(seeds: Sequence[int]) -> list[bool]:
    outs = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        scores = least_favourable(0, rng)[:2]
        evidence = PairEvidence(2, N_CASES, eps=0.0, log_threshold=float(np.log(1 / 0.05)))
        # One case short of all: at the end the rule for ties decides.
        evidence.extend(scores, scores, np.array([N_CASES - 1, N_CASES - 1]))
        outs.append(bool(evidence.log_e.max() != np.inf and evidence.beaten_at.any()))
    return outs


def check_exact_tie(reps: int = 2 * REPS) -> Found:
    """Two tied candidates: each is shown to be worse with probability alpha at most."""
    found = float(np.mean(_either_out(range(reps))))
    return Found(
        check="e-process, exact tie",
        design=f"2 candidates with equal totals over {N_CASES:,} cases, {reps:,} races",
        measured=f"either out {found:.2%}",
        bound="<= 10.7% (2 alpha)",
        ok=found <= 0.107,
    )


def check_order(reps: int = 300) -> Found:
    """Shows that the shuffle is needed: a data set in the order of its topics misleads a race."""
    shuffled = tally(partial(sorted_by_topic, True), 0.02, reps)
    in_order = tally(partial(sorted_by_topic, False), 0.02, reps)
    return Found(
        check="sorted order detector",
        design=f"the worse of 2 leads on the first third of the data set, {reps} races",
        measured=f"wrong {shuffled.wrong:.1%} shuffled, {in_order.wrong:.1%} sorted",
        bound="shuffled <= 5.5%, sorted >= 90%",
        ok=shuffled.wrong <= 0.055 and in_order.wrong >= 0.9,
    )
