"""Coverage: how often does the 95% interval of a score hold the true mean?"""

from collections.abc import Callable

import numpy as np

from assay.stats.cost import cost_per_correct
from assay.stats.estimates import Interval
from assay.stats.intervals import plus_two_t, score_interval, t_interval, wilson
from assay.stats.repeats import pass_at_k, pass_hat_k
from stats.laws import BOUNDED, binomial
from stats.rows import Check, Effort, Floats, Row, at_least, at_most, between, contrast, share

RATES = np.arange(0.5, 0.9951, 0.005)


def wald(successes: int, n: int) -> Interval:
    """p +- 1.96 sqrt(p(1-p)/n), which is not used."""
    rate = successes / n
    half = 1.959964 * (rate * (1.0 - rate) / n) ** 0.5
    return Interval(estimate=rate, low=rate - half, high=rate + half, level=0.95, method="wald", n=n)


def coverage_by_enumeration(method: Callable[[int, int], Interval], n: int, rates: Floats) -> Floats:
    """The exact coverage at each true rate."""
    bounds = np.array([(found.low, found.high) for found in (method(x, n) for x in range(n + 1))])
    inside = (bounds[:, 0] <= rates[:, None]) & (rates[:, None] <= bounds[:, 1])
    return np.asarray((binomial(n, rates) * inside).sum(axis=1), dtype=np.float64)


def mean_coverage(method: Callable[[int, int], Interval], name: str, bound: float) -> Row:
    """The check of an interval of a pass rate: its coverage, averaged over true rates."""
    sizes = (20, 30, 50, 100, 200, 300, 1000)
    found = [float(coverage_by_enumeration(method, n, RATES).mean()) for n in sizes]
    design = "exact; mean over rates .50 to .995, n = 20, 30, 50, 100, 200, 300, 1000"
    return at_least(f"{name}: mean coverage", design, found, bound)


def wilson_mean(_: Effort) -> Row:
    """The default interval of a pass rate, averaged over true rates."""
    return mean_coverage(wilson, "Wilson", 0.945)


def wilson_small(_: Effort) -> Row:
    """The same, held to 1.5 points below nominal at the sizes that people have."""
    found = [float(coverage_by_enumeration(wilson, n, RATES).mean()) for n in (20, 50, 200)]
    return at_least(
        "Wilson: nominal less 1.5 points", "exact; mean over rates, n = 20, 50, 200", found, 0.935
    )


def wilson_worst(_: Effort) -> Row:
    """No true rate is an exception from 100 cases on."""
    found = [float(coverage_by_enumeration(wilson, n, RATES).min()) for n in (100, 200, 300, 1000)]
    design = "exact; the worst of the rates, n = 100, 200, 300, 1000"
    return at_least("Wilson: worst coverage", design, found, 0.90)


def wald_contrast(_: Effort) -> Row:
    """The usual formula near the top of the scale."""
    found = [float(coverage_by_enumeration(wald, n, np.array([0.95]))[0]) for n in (20, 50, 100, 200)]
    return contrast("Wald: coverage", "exact; rate .95, n = 20, 50, 100, 200", found)


def plus_two(effort: Effort) -> Row:
    """The default interval of fewer than 100 graded scores."""
    found = _bounded_coverage(plus_two_t, effort, (10, 15, 30, 60, 100, 300))
    design = f"7 laws, n = 10 to 300, {effort.draws(4000):,} draws each"
    return at_least("plus-two t: coverage", design, found, 0.935, effort.slack(0.935, 4000))


def student_contrast(effort: Effort) -> Row:
    """The usual formula where rare failures may not have shown up yet."""
    found = _bounded_coverage(t_interval, effort, (15,), ("5% zeros",))
    return contrast("plain t: coverage", f"5% zeros, n = 15, {effort.draws(4000):,} draws", found)


def graded_default(effort: Effort) -> Row:
    """What score_interval chooses, at sizes on both sides of its switch."""

    def default(scores: Floats) -> Interval:
        return score_interval(scores, kind="unit")

    found = _bounded_coverage(default, effort, (30, 99, 300))
    design = f"7 laws, n = 30, 99, 300, {effort.draws(4000):,} draws each"
    return at_least("default for graded scores", design, found, 0.93, effort.slack(0.93, 4000))


def _bounded_coverage(
    method: Callable[[Floats], Interval],
    effort: Effort,
    sizes: tuple[int, ...],
    laws: tuple[str, ...] = tuple(BOUNDED),
) -> list[float]:
    rng, found = effort.rng("bounded"), []
    for name in laws:
        law, mean = BOUNDED[name]
        for n in sizes:
            samples = law(rng, (effort.draws(4000), n))
            found.append(share([_holds(method(sample), mean) for sample in samples]))
    return found


def _holds(interval: Interval, truth: float) -> bool:
    return interval.low is not None and interval.high is not None and interval.low <= truth <= interval.high


def clustered(effort: Effort) -> Row:
    """The default interval of scores in clusters of equal and of unequal size."""
    found = [
        _clustered_coverage(effort, documents, spread, honest=True)
        for documents in (8, 15, 30, 60, 200)
        for spread in (0, 8)
    ]
    design = f"8, 15, 30, 60, 200 documents of 10 or 2 to 18 questions, {effort.draws(4000):,} draws each"
    return between("CR2-Wilson: coverage", design, found, (0.935, 0.975), effort.slack(0.935, 4000))


def clustered_contrast(effort: Effort) -> Row:
    """The same scores as if each were a source of its own."""
    found = [_clustered_coverage(effort, documents, 0, honest=False) for documents in (8, 60)]
    design = f"8 and 60 documents of 10 questions, {effort.draws(4000):,} draws each"
    return contrast("clusters ignored: coverage", design, found)


def _clustered_coverage(effort: Effort, documents: int, spread: int, *, honest: bool) -> float:
    rng, hits = effort.rng(f"clusters {documents} {spread}"), []
    for _ in range(effort.draws(4000)):
        sizes = rng.integers(10 - spread, 11 + spread, size=documents)
        labels = np.repeat(np.arange(documents), sizes)
        # Beta rates with this many pseudo-counts have an intraclass correlation of .4.
        scores = rng.random(labels.size) < rng.beta(1.05, 0.45, size=documents)[labels]
        found = score_interval(scores, kind="binary", clusters=labels if honest else None)
        hits.append(_holds(found, 0.7))
    return share(hits)


def averaged(effort: Effort) -> Row:
    """Several answers to a case, averaged before."""
    found = _repeated_coverage(effort, pooled=False)
    design = f"200 cases, K = 1, 2, 5, 10 answers, {effort.draws(4000):,} draws each"
    return at_least("K answers averaged: coverage", design, found, 0.94, effort.slack(0.94, 4000))


def pooled_contrast(effort: Effort) -> Row:
    """The same answers as if each were a case."""
    found = _repeated_coverage(effort, pooled=True)
    design = f"200 cases, K = 1, 2, 5, 10 answers, {effort.draws(4000):,} draws each"
    return contrast("K answers pooled: coverage", design, found)


def _repeated_coverage(effort: Effort, *, pooled: bool) -> list[float]:
    rng, found = effort.rng("repeats"), []
    for repeats in (1, 2, 5, 10):
        hits = []
        for _ in range(effort.draws(4000)):
            passes = rng.binomial(repeats, rng.beta(2.0, 1.0, size=200))
            if pooled:
                interval = wilson(int(passes.sum()), 200 * repeats)
            else:
                interval = score_interval(passes / repeats, kind="binary" if repeats == 1 else "unit")
            hits.append(_holds(interval, 2.0 / 3.0))
        found.append(share(hits))
    return found


def fieller(effort: Effort) -> Row:
    """The cost of a correct answer."""
    rng, found, full = effort.rng("fieller"), [], 20_000
    truth = float(np.exp(0.125)) / 0.7
    for n in (20, 50, 200):
        costs = rng.lognormal(0.0, 0.5, size=(effort.draws(full), n))
        right = rng.random(costs.shape) < 0.7
        pairs = zip(costs, right, strict=True)
        found.append(share([_holds(cost_per_correct(cost, correct), truth) for cost, correct in pairs]))
    design = f"log-normal costs, 70% correct, n = 20, 50, 200, {effort.draws(full):,} draws each"
    return at_least("Fieller: coverage", design, found, 0.94, effort.slack(0.94, full))


def pass_rates(_: Effort) -> Row:
    """The estimates of "one of k" and "all of k"."""
    n, k = 5, 3
    rates, passes = np.arange(0.01, 1.0, 0.01), range(n + 1)
    law = binomial(n, rates)
    any_of = law @ np.array([pass_at_k(n, c, k) for c in passes]) - (1.0 - (1.0 - rates) ** k)
    all_of = law @ np.array([pass_hat_k(n, c, k) for c in passes]) - rates**k
    found = [float(np.abs(bias).max()) for bias in (any_of, all_of)]
    return at_most("pass@k and pass^k: bias", "exact; n = 5, k = 3, worst of the rates", found, 0.002)


def plug_in_contrast(_: Effort) -> Row:
    """The same from the share of passes, which is biased."""
    rates, share_passed = np.arange(0.01, 1.0, 0.01), np.arange(6) / 5.0
    law = binomial(5, rates)
    any_of = law @ (1.0 - (1.0 - share_passed) ** 3) - (1.0 - (1.0 - rates) ** 3)
    all_of = law @ share_passed**3 - rates**3
    found = [float(np.abs(bias).max()) for bias in (any_of, all_of)]
    return contrast("plug-in pass rates: bias", "exact; n = 5, k = 3, worst of the rates", found)


CHECKS: tuple[Check, ...] = (
    wilson_mean,
    wilson_small,
    wilson_worst,
    wald_contrast,
    plus_two,
    student_contrast,
    graded_default,
    clustered,
    clustered_contrast,
    averaged,
    pooled_contrast,
    fieller,
    pass_rates,
    plug_in_contrast,
)
