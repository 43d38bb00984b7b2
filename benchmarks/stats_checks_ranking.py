"""Do ranks, fronts, corrected means and repeats keep what they promise? Seeded simulations with bounds."""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from assay.stats.agreement import cohen_kappa
from assay.stats.bradley_terry import BradleyTerry, bradley_terry
from assay.stats.corrected_means import CorrectedMean, ppi_mean
from assay.stats.front import pareto
from assay.stats.judge_report import judge_report
from assay.stats.labelling import LabelMethod, label_plan
from assay.stats.means import t_interval
from assay.stats.ranking import compare_all_pairs, rank
from assay.stats.regression import case_regressions
from assay.stats.repeats import pass_at_k, pass_hat_k

FloatArray = npt.NDArray[np.float64]

CANDIDATES = 8


@dataclass(frozen=True, slots=True)
class Row:
    """One check: what was simulated how, what came out, what is accepted, and whether it is."""

    check: str
    design: str
    measured: float
    bound: str
    ok: bool


def row(check: str, design: str, measured: float, bound: tuple[str, float]) -> Row:
    """The row whose bound is ("<=", x) or (">=", x)."""
    sign, limit = bound
    value = float(measured)
    ok = value <= limit if sign == "<=" else value >= limit
    return Row(check, design, value, f"{sign} {limit:g}", ok)


def equal_candidates(rng: np.random.Generator, n: int) -> FloatArray:
    """Pass/fail scores of eight equal candidates that find the same cases hard."""
    rates = rng.beta(1.75, 0.75, size=n)
    return (rng.random((CANDIDATES, n)) < rates).astype(np.float64)


def max_t_false_wins(n: int, repeats: int = 1_500) -> Row:
    """How often any of eight equal candidates is said to differ from another by its rank interval."""
    rng = np.random.default_rng(n)
    wrong = 0
    for _ in range(repeats):
        found = rank(equal_candidates(rng, n), rng=rng)
        wrong += any((e.rank_low, e.rank_high) != (1, CANDIDATES) for e in found.entries)
    return row("max-T, any false claim", f"8 equal, n={n}, {repeats:,} runs", wrong / repeats, ("<=", 0.07))


def holm_false_wins(n: int = 500, repeats: int = 1_000) -> Row:
    """The same for Holm over all 28 pairs."""
    rng = np.random.default_rng(1)
    wrong = 0
    for _ in range(repeats):
        wrong += any(pair.p_holm <= 0.05 for pair in compare_all_pairs(equal_candidates(rng, n), rng=rng))
    return row("Holm, any false claim", f"8 equal, n={n}, {repeats:,} runs", wrong / repeats, ("<=", 0.065))


def arena(rng: np.random.Generator, strengths: FloatArray, cases: int) -> BradleyTerry:
    """Two comparisons a case, each judged twice alike: four rows that are worth two."""
    first = rng.integers(0, CANDIDATES, size=2 * cases)
    second = (first + rng.integers(1, CANDIDATES, size=first.size)) % CANDIDATES
    chance = 1.0 / (1.0 + np.exp(strengths[second] - strengths[first]))
    won = rng.random(first.size) < chance
    rows = np.repeat(np.column_stack([first, second, won]), 2, axis=0)
    return bradley_terry(rows, np.repeat(np.arange(cases), 4), draws=300, rng=rng)


def bradley_terry_covers(repeats: int = 200) -> tuple[Row, Row]:
    """Coverage of single strengths, and of all rank intervals at once."""
    rng = np.random.default_rng(2)
    strengths = np.linspace(-0.7, 0.7, CANDIDATES)
    covered, together = 0, 0
    for _ in range(repeats):
        found = arena(rng, strengths, 150)
        covered += sum(
            e.interval.low is not None and e.interval.low <= strengths[e.index] <= (e.interval.high or 0.0)
            for e in found.entries
        )
        together += all(e.rank_low <= CANDIDATES - e.index <= e.rank_high for e in found.entries)
    design = f"8 systems, 150 cases of 2 comparisons judged twice, {repeats} runs"
    return (
        row("Bradley-Terry, coverage of a strength", design, covered / repeats / CANDIDATES, (">=", 0.91)),
        row("Bradley-Terry, all ranks covered", design, together / repeats, (">=", 0.93)),
    )


def judged(rng: np.random.Generator, n: int, correlation: float = 0.59) -> tuple[FloatArray, FloatArray]:
    """Preferences 0, 1/2, 1 of people, and of a judge that repeats a share of them and guesses the rest."""
    human = rng.choice([0.0, 0.5, 1.0], p=[0.40, 0.15, 0.45], size=n)
    guess = rng.choice([0.0, 0.5, 1.0], p=[0.40, 0.15, 0.45], size=n)
    return human, np.where(rng.random(n) < correlation, human, guess)


def judge_alone_misses(repeats: int = 1_500) -> tuple[Row, Row]:
    """A judge that is 3 points too kind: its own interval, and the tuned mean with 100 labels."""
    rng = np.random.default_rng(9)
    alone = corrected = 0
    for _ in range(repeats):
        human, fair = judged(rng, 2_100)
        judge = np.where(rng.random(2_100) < 0.0675, 1.0, fair)
        alone += not t_interval(judge).excludes(0.525)
        corrected += not ppi_mean(human[:100], judge[:100], judge[100:]).interval.excludes(0.525)
    design = f"judge 3 points too kind, N=2,100, {repeats:,} runs"
    return (
        row("judge alone, coverage (contrast)", design, alone / repeats, ("<=", 0.5)),
        row("PPI++ of this judge, coverage", f"n=100, {design}", corrected / repeats, (">=", 0.93)),
    )


def ppi_covers(n: int, repeats: int = 1_500) -> Row:
    """Coverage of the tuned mean with n labels and 2,000 scores of a judge."""
    rng = np.random.default_rng(n)
    covered = 0
    for _ in range(repeats):
        human, judge = judged(rng, 2_000 + n)
        found = ppi_mean(human[:n], judge[:n], judge[n:])
        covered += not found.interval.excludes(0.525)
    design = f"n={n}, N=2,000, correlation .59, {repeats:,} runs"
    return row("PPI++, coverage", design, covered / repeats, (">=", 0.93))


def ppi_gains(repeats: int = 1_500) -> Row:
    """Variance of the labels' own mean over that of the tuned mean."""
    rng = np.random.default_rng(3)
    found: list[tuple[float, float]] = []
    for _ in range(repeats):
        human, judge = judged(rng, 2_100)
        corrected = ppi_mean(human[:100], judge[:100], judge[100:])
        found.append((corrected.human_only.estimate or 0.0, corrected.interval.estimate or 0.0))
    alone, both = np.var(np.array(found), axis=0)
    design = f"n=100, N=2,000, correlation .59, {repeats:,} runs"
    return row("PPI++, gain", design, float(alone / both), (">=", 1.35))


def planned(
    rng: np.random.Generator, method: LabelMethod, answers: int, labels: int
) -> tuple[CorrectedMean, float]:
    """The corrected mean of one plan, and the mean of as many random labels."""
    seen = rng.normal(size=answers)
    human = (0.8 * seen + 0.6 * rng.normal(size=answers) > -0.5).astype(np.float64)
    judge = np.array([0.5 * math.erfc(-(0.8 * z + 0.5) / 0.6 / math.sqrt(2.0)) for z in seen])
    plan = label_plan(judge, labels, method=method, rng=rng)
    i = plan.indices
    rest = np.setdiff1d(np.arange(answers), i)
    alone = float(rng.choice(human, size=labels, replace=False).mean())
    if method == "active":
        return ppi_mean(human[i], judge[i], judge[rest], pi=plan.pi[i]), alone
    strata = None if method == "random" else (plan.stratum[i], plan.stratum[rest])
    return ppi_mean(human[i], judge[i], judge[rest], strata=strata), alone


def plans_gain(method: LabelMethod, least: float, repeats: int = 1_000) -> tuple[Row, Row]:
    """Coverage and gain of a plan with 100 of 2,000 answers labelled."""
    rng = np.random.default_rng(4)
    truth = 0.5 * math.erfc(-0.5 / math.sqrt(2.0))
    runs = [planned(rng, method, 2_000, 100) for _ in range(repeats)]
    covered = np.mean([not found.interval.excludes(truth) for found, _ in runs])
    corrected = [found.interval.estimate or 0.0 for found, _ in runs]
    gain = np.var([alone for _, alone in runs]) / np.var(corrected)
    design = f"{method}, 100 labels of 2,000, {repeats:,} runs"
    return (
        row("label plan, coverage", design, float(covered), (">=", 0.925)),
        row("label plan, gain", design, float(gain), (">=", least)),
    )


def swapped_ties(repeats: int = 400) -> tuple[Row, Row, Row]:
    """Two equal systems and a judge that favours the first place: winners declared, and bias found."""
    rng = np.random.default_rng(5)
    people = np.full(200, 0.5)
    single = averaged = found = 0
    for _ in range(repeats):
        lead = rng.normal(size=200)
        first, second = (
            (rng.random(200) < 1.0 / (1.0 + np.exp(-q - 0.6))).astype(np.float64) for q in (lead, -lead)
        )
        single += judge_report(people, first, rng=rng).leniency.verdict != "inconclusive"
        both = judge_report(people, first, order=1.0 - second, rng=rng)
        averaged += both.leniency.verdict != "inconclusive"
        found += both.position is not None and both.position.difference.verdict == "better"
    design = f"equal systems, bias .6 logits, 200 pairs, {repeats} runs"
    return (
        row("a winner by one order (contrast)", design, single / repeats, (">=", 0.5)),
        row("a winner by the mean of both orders", design, averaged / repeats, ("<=", 0.075)),
        row("position bias found", design, found / repeats, (">=", 0.95)),
    )


def pass_of_k_is_unbiased(cases: int = 400_000) -> tuple[Row, Row, Row]:
    """pass@3 and pass^3 from 5 answers, pass rates Beta(2, 1): truth .9 and .4."""
    rng = np.random.default_rng(6)
    passes = rng.binomial(5, rng.beta(2.0, 1.0, size=cases))
    at, hat = (np.array([function(5, c, 3) for c in range(6)]) for function in (pass_at_k, pass_hat_k))
    design = f"n=5, k=3, {cases:,} cases"
    plug_in = abs(float(np.mean(1.0 - (1.0 - passes / 5.0) ** 3)) - 0.9)
    return (
        row("pass@k, bias", design, abs(float(at[passes].mean()) - 0.9), ("<=", 0.002)),
        row("pass^k, bias", design, abs(float(hat[passes].mean()) - 0.4), ("<=", 0.002)),
        row("pass@k by the pass rate, bias (contrast)", design, plug_in, (">=", 0.02)),
    )


def fronts(repeats: int = 400) -> tuple[Row, Row]:
    """Six candidates: how often the front of the means is right, and a claim of domination false."""
    rng = np.random.default_rng(7)
    rates, prices = np.array([0.60, 0.66, 0.66, 0.72, 0.71, 0.74]), np.array([1.0, 2.0, 2.2, 4.0, 4.4, 8.0])
    truth = [True, True, False, True, False, True]
    costs = np.tile(prices[:, None], (1, 200))
    right = false = 0
    for _ in range(repeats):
        hard = 0.2 * rng.normal(size=200)
        scores = (rng.random((6, 200)) < rates[:, None] + hard).astype(np.float64)
        found = pareto(scores, costs, draws=100, rng=rng)
        right += [entry.on_front for entry in found.entries] == truth
        false += any(rates[j] <= rates[e.index] for e in found.entries for j in e.dominated_by)
    design = f"6 candidates, n=200, {repeats} runs"
    return (
        row("front of the means fully right (contrast)", design, right / repeats, ("<=", 0.6)),
        row("any false claim of domination", design, false / repeats, ("<=", 0.065)),
    )


def kappa_covers(n: int, repeats: int = 1_500) -> Row:
    """Coverage of Cohen's kappa of two noisy raters of a pass/fail score; its true value is .5996."""
    rng = np.random.default_rng(n + 1)
    agree = 0.85
    second_rate = 0.8 * agree + 0.2 * (1.0 - agree)
    by_chance = 0.8 * second_rate + 0.2 * (1.0 - second_rate)
    truth = (agree - by_chance) / (1.0 - by_chance)
    covered = 0
    for _ in range(repeats):
        first = rng.random(n) < 0.8
        second = np.where(rng.random(n) < agree, first, ~first)
        interval = cohen_kappa(first, second).interval
        covered += interval.estimable and not interval.excludes(truth)
    return row("kappa, coverage", f"n={n}, {repeats:,} runs", covered / repeats, (">=", 0.91))


def unchanged_cases(repeats: int = 400) -> Row:
    """Any case called regressed when nothing changed: 50 cases of a pass rate of .8, 5 answers a side."""
    rng = np.random.default_rng(8)
    cases = np.repeat(np.arange(50), 5)
    wrong = 0
    for _ in range(repeats):
        before, after = rng.random((2, 250)) < 0.8
        wrong += any(c.regressed for c in case_regressions((before, cases), (after, cases)).cases)
    return row(
        "regressed cases, any false", f"50 cases, 5 answers, {repeats} runs", wrong / repeats, ("<=", 0.065)
    )


def checks() -> tuple[Callable[[], Row | tuple[Row, ...]], ...]:
    """All checks at full size; each returns a row or several."""
    return (
        *(partial(max_t_false_wins, n) for n in (30, 200, 500)),
        holm_false_wins,
        bradley_terry_covers,
        *(partial(ppi_covers, n) for n in (30, 50, 100, 200)),
        judge_alone_misses,
        ppi_gains,
        partial(plans_gain, "random", 1.35),
        partial(plans_gain, "stratified", 1.4),
        partial(plans_gain, "neyman", 1.5),
        partial(plans_gain, "active", 1.6),
        swapped_ties,
        pass_of_k_is_unbiased,
        fronts,
        *(partial(kappa_covers, n) for n in (50, 100, 200)),
        unchanged_cases,
    )


def main() -> int:
    """Print a line a row; 1 when a bound does not hold."""
    failed = 0
    for check in checks():
        found = check()
        for each in (found,) if isinstance(found, Row) else found:
            mark = "ok" if each.ok else "MISSED"
            print(f"{mark:6} {each.measured:8.4f} {each.bound:9} {each.check}: {each.design}", flush=True)
            failed += not each.ok
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
