"""What the intervals and tests promise, measured: exact enumeration where it can be, seeded draws elsewhere.

A coverage from R draws has an error of about 1.96 sqrt(.05 * .95 / R); the bounds leave room for it.
"""

import numpy as np
import pytest
from scipy import stats as oracle

from assay.stats.comparison import adjust_comparisons, compare_paired, mcnemar_midp, tost_paired
from assay.stats.cost import cost_per_correct
from assay.stats.discordance import tango_interval, tango_score
from assay.stats.distributions import normal_cdf
from assay.stats.intervals import plus_two_t, quantile_interval, score_interval, wilson


def trinomial(n, gain, loss):
    """All (gains, losses) of n pairs that matter, and their probabilities."""
    g, k = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    inside = g + k <= n
    g, k = g[inside], k[inside]
    p = oracle.multinomial.pmf(np.column_stack([g, k, n - g - k]), n, [gain, loss, 1.0 - gain - loss])
    kept = p > 1e-12
    return g[kept].tolist(), k[kept].tolist(), p[kept]


@pytest.mark.parametrize("n", [20, 30, 100, 300])
def test_wilson_covers_as_promised_by_enumeration(n):
    bounds = np.array([(i.low, i.high) for i in (wilson(x, n) for x in range(n + 1))])
    coverages = []
    for rate in np.arange(0.5, 0.9951, 0.005):
        covered = (bounds[:, 0] <= rate) & (rate <= bounds[:, 1])
        coverages.append(oracle.binom.pmf(np.arange(n + 1), n, rate)[covered].sum())
    assert np.mean(coverages) >= 0.945
    if n >= 100:
        assert np.min(coverages) >= 0.90


def rare_zeros(source, n):
    """Five in a hundred answers fail outright, the others score about .98."""
    return np.where(source.random(n) < 0.05, 0.0, source.beta(98, 2, size=n))


def ones_inflated(source, n):
    return np.where(source.random(n) < 0.7, 1.0, source.random(n))


@pytest.mark.parametrize(
    ("law", "mean"),
    [
        (rare_zeros, 0.95 * 0.98),
        (ones_inflated, 0.85),
        (lambda source, n: source.beta(8, 2, size=n), 0.8),
        (
            lambda source, n: source.choice([0, 0.25, 0.5, 0.75, 1], p=[0.02, 0.03, 0.1, 0.25, 0.6], size=n),
            0.845,
        ),
    ],
    ids=["rare zeros", "inflated ones", "beta", "five levels"],
)
@pytest.mark.parametrize("n", [15, 60])
def test_plus_two_t_covers_skewed_scores(law, mean, n):
    source = np.random.default_rng(n)
    found = [plus_two_t(law(source, n)) for _ in range(3000)]
    assert np.mean([i.low <= mean <= i.high for i in found]) >= 0.935


@pytest.mark.parametrize(("documents", "sizes"), [(8, (10, 10)), (15, (2, 19)), (40, (10, 10))])
def test_clustered_intervals_cover_where_naive_ones_do_not(documents, sizes):
    source = np.random.default_rng(documents)
    honest, naive = [], []
    for _ in range(1500):
        size = source.integers(sizes[0], sizes[1] + 1, size=documents)
        rates = np.repeat(source.beta(0.7 * 1.5, 0.3 * 1.5, size=documents), size)
        scores = source.random(rates.size) < rates
        labels = np.repeat(np.arange(documents), size)
        for found, clusters in ((honest, labels), (naive, None)):
            interval = score_interval(scores, kind="binary", clusters=clusters)
            found.append(interval.low <= 0.7 <= interval.high)
    assert 0.93 <= np.mean(honest) <= 0.98
    assert np.mean(naive) < 0.85


def test_quantile_interval_covers_whatever_the_distribution():
    source = np.random.default_rng(16)
    truth = np.exp(oracle.norm.ppf(0.95))
    found = [quantile_interval(source.lognormal(size=120), 0.95) for _ in range(2000)]
    assert np.mean([i.low <= truth <= i.high for i in found]) >= 0.94


@pytest.mark.parametrize("n", [20, 50, 200])
@pytest.mark.parametrize("discordant", [0.1, 0.2, 0.4])
def test_midp_rarely_sees_what_is_not_there(n, discordant):
    law = oracle.binom.pmf(np.arange(n + 1), n, discordant)
    size = 0.0
    for m in range(n + 1):
        rejected = [g for g in range(m + 1) if mcnemar_midp(g, m - g) <= 0.05]
        size += law[m] * oracle.binom.pmf(rejected, m, 0.5).sum()
    assert size <= 0.055


@pytest.mark.parametrize(("n", "gain", "loss"), [(15, 0.04, 0.01), (30, 0.1, 0.1), (40, 0.25, 0.1)])
def test_tango_covers_by_enumeration(n, gain, loss):
    gains, losses, p = trinomial(n, gain, loss)
    intervals = [tango_interval(g, k, n) for g, k in zip(gains, losses, strict=True)]
    covered = np.array([i.low <= gain - loss <= i.high for i in intervals])
    assert p[covered].sum() >= 0.93


@pytest.mark.parametrize("n", [200, 500])
def test_the_gate_lets_few_true_regressions_through(n):
    # Truly two points worse, 12% discordant: on the edge of the margin.
    gains, losses, p = trinomial(n, 0.05, 0.07)
    passed = [normal_cdf(-tango_score(g, k, n, -0.02)) <= 0.05 for g, k in zip(gains, losses, strict=True)]
    assert p[np.array(passed)].sum() <= 0.055


def test_unseen_losses_do_not_make_scores_equivalent():
    # Three in a hundred answers collapse from 1 to 0: three points worse than a margin of two allows.
    source = np.random.default_rng(17)
    claims = 0
    for _ in range(1000):
        a = 0.99 + source.uniform(0, 0.01, size=60)
        b = np.where(source.random(60) < 0.03, 0.0, 0.99 + source.uniform(0, 0.01, size=60))
        claims += tost_paired(a, b, kind="unit", margin=0.02).equivalent
    assert claims <= 50


def test_holm_keeps_eight_equal_candidates_apart_from_false_winners():
    source, flips = np.random.default_rng(19), np.random.default_rng(20)
    plain = adjusted = 0
    for _ in range(120):
        ease = source.beta(2, 1, size=200)
        scores = (source.random((8, 200)) < ease).astype(float)
        family = [
            compare_paired(scores[i], scores[j], kind="binary", rng=flips) for i in range(8) for j in range(i)
        ]
        plain += any(c.verdict != "inconclusive" for c in family)
        adjusted += any(c.verdict != "inconclusive" for c in adjust_comparisons(family))
    assert plain / 120 > 0.25
    assert adjusted / 120 <= 0.10


@pytest.mark.parametrize("n", [20, 50])
def test_fieller_covers(n):
    source = np.random.default_rng(n)
    truth = np.exp(0.5**2 / 2) / 0.7
    found = [cost_per_correct(source.lognormal(0, 0.5, size=n), source.random(n) < 0.7) for _ in range(2000)]
    assert np.mean([i.estimable and i.low <= truth <= i.high for i in found]) >= 0.935


@pytest.mark.parametrize("n", [12, 40])
def test_verdicts_on_equal_sides_are_rarely_wrong(n):
    source, flips = np.random.default_rng(n), np.random.default_rng(18)
    levels = np.array([0, 0.25, 0.5, 0.75, 1])
    verdicts = [
        compare_paired(*source.choice(levels, size=(2, n)), kind="unit", rng=flips).verdict
        for _ in range(800)
    ]
    assert np.mean([v != "inconclusive" for v in verdicts]) <= 0.07


@pytest.mark.parametrize("documents", [8, 25])
def test_verdicts_on_equal_sides_are_rarely_wrong_in_clusters(documents):
    # All five questions of a document move together, up in one, down in the next: only documents count.
    source, flips = np.random.default_rng(documents), np.random.default_rng(21)
    labels, honest, naive = np.repeat(np.arange(documents), 5), 0, 0
    for _ in range(500):
        a = source.uniform(0.3, 0.7, size=labels.size)
        b = a + source.normal(0, 0.1, size=documents)[labels] + source.normal(0, 0.02, size=labels.size)
        honest += compare_paired(a, b, kind="real", clusters=labels, rng=flips).verdict != "inconclusive"
        naive += compare_paired(a, b, kind="real", rng=flips).verdict != "inconclusive"
    assert honest / 500 <= 0.075
    assert naive / 500 > 0.2
