"""False alarms: how often is a difference called that is not there?"""

from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np

from assay.stats.comparison import (
    adjust_comparisons,
    compare_paired,
    mcnemar_midp,
    noninferiority,
    tango_interval,
)
from stats.laws import Law, binomial, discordant_tables, pair_scores, skewed, symmetric
from stats.rows import Check, Effort, Row, at_least, at_most, contrast, share

SIZES = (20, 30, 50, 100, 200, 300)


def midp_size(_: Effort) -> Row:
    """The default test of paired pass rates."""
    found = [_size_of(mcnemar_midp, n, rate) for n in SIZES for rate in (0.05, 0.1, 0.2, 0.3, 0.4)]
    design = "exact; n = 20 to 300, 5 to 40% of the pairs differ"
    return at_most("mid-p McNemar: false alarms", design, found, 0.055)


def _size_of(test: Callable[[int, int], float], n: int, discordant: float) -> float:
    law, size = binomial(n, np.array([discordant]))[0], 0.0
    for differ in range(1, n + 1):
        rejected = [gains for gains in range(differ + 1) if test(gains, differ - gains) <= 0.05]
        if rejected:
            size += float(law[differ] * binomial(differ, np.array([0.5]))[0, rejected].sum())
    return size


def tango_coverage(_: Effort) -> Row:
    """The default interval of the difference of paired pass rates."""
    found = []
    for n, gain, loss in (
        *((15, 0.04, 0.01), (15, 0.1, 0.1), (30, 0.04, 0.01), (30, 0.1, 0.05), (30, 0.2, 0.2)),
        *((60, 0.04, 0.01), (60, 0.1, 0.1), (100, 0.04, 0.01), (100, 0.05, 0.05), (100, 0.15, 0.05)),
        *((200, 0.03, 0.02), (200, 0.1, 0.1), (300, 0.04, 0.01), (300, 0.1, 0.06)),
    ):
        covered = 0.0
        for gains, losses, probability in discordant_tables(n, gain, loss):
            interval = tango_interval(gains, losses, n)
            covered += probability * (not interval.excludes(gain - loss))
        found.append(covered)
    design = "exact; 14 designs, n = 15 to 300, 5 to 40% of the pairs differ"
    return at_least("Tango: coverage", design, found, 0.93)


def verdict_binary(_: Effort) -> Row:
    """The verdict of compare_paired on pass/fail scores."""
    rng, found = np.random.default_rng(0), []
    for n, rate in ((20, 0.4), (50, 0.2), (100, 0.1), (100, 0.4), (200, 0.2)):
        wrong = 0.0
        for gains, losses, probability in discordant_tables(n, rate / 2, rate / 2):
            first, second = pair_scores(n, gains, losses)
            verdict = compare_paired(first, second, kind="binary", rng=rng).verdict
            wrong += probability * (verdict != "inconclusive")
        found.append(wrong)
    design = "exact; through compare_paired, 5 designs, n = 20 to 200"
    return at_most("verdict on equal pass rates", design, found, 0.055)


def verdict_graded(effort: Effort) -> Row:
    """The verdict of compare_paired on graded scores."""
    found = [_wrong_verdicts(effort, symmetric, n) for n in (12, 30, 100)]
    design = f"through compare_paired, n = 12, 30, 100, {effort.draws(3000):,} draws each"
    return at_most("verdict on equal graded scores", design, found, 0.06, effort.slack(0.06, 3000))


def verdict_skewed(effort: Effort) -> Row:
    """The same where all tests are off: few pairs and heavy skew."""
    found = [_wrong_verdicts(effort, skewed, n) for n in (30, 100, 300)]
    design = f"nine small losses for one large gain, n = 30, 100, 300, {effort.draws(1000):,} draws each"
    return contrast("verdict on equal means, skewed", design, found)


def _wrong_verdicts(effort: Effort, law: Law, n: int) -> float:
    check = f"verdict {law.__name__} {n}"
    rng, flips = effort.rng(check), effort.rng(f"flips {check}")
    draws = effort.draws(3000 if law is symmetric else 1000)
    verdicts = [
        compare_paired(np.zeros(n), differences, kind="real", rng=flips).verdict
        for differences in law(rng, (draws, n))
    ]
    return share([verdict != "inconclusive" for verdict in verdicts])


def verdict_clustered(effort: Effort) -> Row:
    """The verdict of compare_paired where questions of a document move together."""
    found = []
    for documents in (10, 25, 60):
        rng, flips = effort.rng(f"documents {documents}"), effort.rng(f"flips {documents}")
        labels, hits = np.repeat(np.arange(documents), 5), []
        for _ in range(effort.draws(2000)):
            shift = rng.normal(0.0, 0.1, size=documents)[labels] + rng.normal(0.0, 0.02, size=labels.size)
            verdict = compare_paired(
                np.zeros(labels.size), shift, kind="real", clusters=labels, rng=flips
            ).verdict
            hits.append(verdict != "inconclusive")
        found.append(share(hits))
    design = f"10, 25, 60 documents of 5 that move together, {effort.draws(2000):,} draws each"
    return at_most("verdict on equal scores, clustered", design, found, 0.065, effort.slack(0.065, 2000))


def holm(effort: Effort) -> Row:
    """Any false claim among all pairs of eight equal candidates."""
    draws = effort.draws(1000)
    _, adjusted = _false_winners(effort, draws)
    design = f"8 equal candidates, 28 pairs, 500 cases, {draws:,} draws"
    return at_most("Holm: any false win", design, [adjusted], 0.065, effort.slack(0.065, 1000))


def unadjusted_contrast(effort: Effort) -> Row:
    """The same without adjustment."""
    draws = effort.draws(400)
    plain, _ = _false_winners(effort, draws)
    design = f"8 equal candidates, 28 pairs, 500 cases, {draws:,} draws"
    return contrast("unadjusted: any false win", design, [plain])


def _false_winners(effort: Effort, draws: int) -> tuple[float, float]:
    rng, flips, plain, adjusted = effort.rng("holm"), effort.rng("holm flips"), [], []
    for _ in range(draws):
        ease = rng.beta(2.0, 1.0, size=500)
        scores = (rng.random((8, 500)) < ease).astype(np.float64)
        family = [
            compare_paired(scores[i], scores[j], kind="binary", rng=flips) for i in range(8) for j in range(i)
        ]
        plain.append(any(each.verdict != "inconclusive" for each in family))
        adjusted.append(any(each.verdict != "inconclusive" for each in adjust_comparisons(family)))
    return share(plain), share(adjusted)


def gate_error(effort: Effort) -> Row:
    """A true regression at the margin passes the gate."""
    draws = effort.draws(40_000)
    tables = [(n, _drawn_tables(effort, n, 0.05, 0.07, draws)) for n in (200, 500, 1000, 3000)]
    found = [_passed(n, table) / draws for n, table in tables]
    design = f"2 points worse, margin 2 points, n = 200, 500, 1000, 3000, {draws:,} draws each"
    return at_most("gate lets a regression through", design, found, 0.055, effort.slack(0.055, 40_000))


def gate_passes(effort: Effort) -> Row:
    """How often the gate passes what did not change: the price of few cases."""
    draws = effort.draws(40_000)
    tables = [(n, _drawn_tables(effort, n, 0.06, 0.06, draws)) for n in (200, 500, 1000, 3000)]
    found = [_passed(n, table) / draws for n, table in tables]
    design = f"margin 2 points, n = 200, 500, 1000, 3000, {draws:,} draws each"
    return contrast("gate passes when nothing changed", design, found)


def naive_gate_contrast(effort: Effort) -> Row:
    """How often a score falls although nothing changed."""
    draws, found = effort.draws(40_000), []
    for n in (200, 500, 1000, 3000):
        tables = _drawn_tables(effort, n, 0.06, 0.06, draws)
        found.append(sum(count for (gains, losses), count in tables if gains < losses) / draws)
    design = f"n = 200, 500, 1000, 3000, {draws:,} draws each"
    return contrast('"the score fell": false alarms', design, found)


def _drawn_tables(
    effort: Effort, n: int, gain: float, loss: float, draws: int
) -> Iterable[tuple[tuple[int, int], int]]:
    rng = effort.rng(f"gate {n} {gain}")
    drawn = rng.multinomial(n, [gain, loss, 1.0 - gain - loss], size=draws)
    return Counter((int(gains), int(losses)) for gains, losses, _ in drawn).items()


def _passed(n: int, tables: Iterable[tuple[tuple[int, int], int]]) -> int:
    passed = 0
    for (gains, losses), count in tables:
        first, second = pair_scores(n, gains, losses)
        outcome = noninferiority(first, second, kind="binary", margin=0.02).outcome
        passed += count * (outcome == "pass")
    return passed


CHECKS: tuple[Check, ...] = (
    midp_size,
    tango_coverage,
    verdict_binary,
    verdict_graded,
    verdict_clustered,
    verdict_skewed,
    holm,
    unadjusted_contrast,
    gate_error,
    gate_passes,
    naive_gate_contrast,
)
