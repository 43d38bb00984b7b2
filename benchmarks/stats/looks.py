"""Looking again and again: how often does that find what is not there?"""

import math

import numpy as np

from assay.stats.confidence_sequences import ConfidenceSequence, asymptotic_half_width, betting_interval
from assay.stats.eprocess import PairedNull, mcnemar_log_e, msprt_interval, msprt_log_e, paired_log_e_paths
from assay.stats.group_sequential import Spending, gs_bounds
from stats.laws import BOUNDED, skewed
from stats.rows import Check, Effort, Floats, Row, at_least, at_most, contrast, share

_ARMS = "70 and 73% of 4,000 an arm, {:,} draws"
_PAIRS = "500 pairs, 12% better and 6% worse, {:,} draws"
# Sequences that are followed at once.
_BLOCK = 250


def exact_tie(effort: Effort) -> Row:
    """Two sides that are equal on the whole dataset, the hardest null: at most 5% each."""
    draws, rng, out = effort.draws(4000), effort.rng("tie"), 0
    # 25% of the cases differ, as often up as down: neither side is better on this dataset.
    dataset = np.repeat([1.0, -1.0, 0.0], [125, 125, 750])
    null = PairedNull(population=dataset.size)
    for start in range(0, draws, _BLOCK):
        orders = rng.permuted(np.tile(dataset, (min(_BLOCK, draws - start), 1)), axis=1)
        evidence = np.maximum(paired_log_e_paths(orders, null), paired_log_e_paths(-orders, null))
        out += int(np.count_nonzero(evidence.max(axis=1) >= math.log(20.0)))
    design = f"two tied sides on 1,000 cases drawn without replacement, {draws:,} orders"
    return at_most("e-process: either side put out", design, [out / draws], 0.107, effort.slack(0.107, 4000))


def anytime_betting(effort: Effort) -> Row:
    """Skewed differences without a mean, looked at after each case."""
    draws, rng = effort.draws(4000), effort.rng("skew")
    found = []
    for start in range(0, draws, _BLOCK):
        differences = skewed(rng, (min(_BLOCK, draws - start), 500))
        evidence = np.maximum(
            paired_log_e_paths(differences, PairedNull()), paired_log_e_paths(-differences, PairedNull())
        )
        found.append(evidence[:, 9:].max(axis=1) >= math.log(40.0))
    rate = share(np.concatenate(found))
    design = f"skewed differences of mean 0, each of 10 to 500 cases looked at, {draws:,} draws"
    return at_most("betting, any look: false alarms", design, [rate], 0.055, effort.slack(0.055, 4000))


def asymptotic_contrast(effort: Effort) -> Row:
    """The same differences with the observed deviation plugged in."""
    draws = effort.draws(4000)
    differences = skewed(effort.rng("skew"), (draws, 500))
    n = np.arange(1.0, 501.0)
    means = np.cumsum(differences, axis=1) / n
    squares = np.cumsum(differences**2, axis=1) / n
    deviations = np.sqrt(np.maximum(squares - means**2, 0.0) * n / np.maximum(n - 1.0, 1.0))
    halves = np.array([asymptotic_half_width(k, 1.0, best_at=250.0) for k in n])
    outside = np.abs(means) > halves * deviations
    design = f"the same differences, {draws:,} draws"
    return contrast("asymptotic sequence: false alarms", design, [share(outside[:, 9:].any(axis=1))])


def betting_sequence(effort: Effort) -> Row:
    """The sequence of skewed scores leaves the true mean out at any look."""
    full, found = 400, []
    for name in ("5% zeros", "five levels"):
        law, mean = BOUNDED[name]
        left = []
        for scores in law(effort.rng(f"sequence {name}"), (effort.draws(full), 300)):
            interval = ConfidenceSequence().extend(scores.tolist()).interval
            left.append(not interval.estimable or interval.excludes(mean))
        found.append(share(left))
    design = f"mean left out at any of 300 looks, 2 laws, {effort.draws(full)} draws each"
    return at_most("betting sequence: misses", design, found, 0.07, effort.slack(0.07, full))


def betting_once(effort: Effort) -> Row:
    """The betting interval for one look, at a size at which others are too short."""
    found, full = [], 1000
    for name, (law, mean) in BOUNDED.items():
        samples = law(effort.rng(f"once {name}"), (effort.draws(full), 50))
        found.append(share([not betting_interval(scores).excludes(mean) for scores in samples]))
    design = f"one look, 7 laws, n = 50, {effort.draws(full):,} draws each"
    return at_least("betting interval: coverage", design, found, 0.94, effort.slack(0.94, full))


def mcnemar_any_look(_: Effort) -> Row:
    """The chance to ever cross, followed exactly through all counts of gains and losses."""
    alive, crossed, threshold = np.array([1.0]), 0.0, math.log(20.0)
    for differ in range(1, 401):
        moved = 0.5 * (np.append(alive, 0.0) + np.append(0.0, alive))
        evidence = np.array([mcnemar_log_e(gains, differ - gains) for gains in range(differ + 1)])
        over = evidence >= threshold
        crossed += float(moved[over].sum())
        alive = np.where(over, 0.0, moved)
    design = "exact; each of 400 pairs that differ looked at"
    return at_most("sequential McNemar: false alarms", design, [crossed], 0.05)


def planned_looks(effort: Effort) -> Row:
    """The plans for forty looks at two equal arms."""
    plans: tuple[Spending, ...] = ("obrien_fleming", "lan_demets_obrien_fleming", "pocock")
    z = _z_at_looks(effort, 3000, looks=40, per_look=100)
    found = [share((z >= np.array(gs_bounds(40, 0.05, plan).critical)).any(axis=1)) for plan in plans]
    design = f"O'Brien-Fleming, Lan-DeMets, Pocock: 40 looks, 4,000 an arm, {len(z):,} draws"
    return at_most("planned looks: false alarms", design, found, 0.06, effort.slack(0.06, 3000))


def peeking_contrast(effort: Effort) -> Row:
    """The usual test at the same looks."""
    z = _z_at_looks(effort, 3000, looks=40, per_look=100)
    design = f"p < .05 at any of 40 looks, 4,000 an arm, {len(z):,} draws"
    return contrast("naive peeking: false alarms", design, [share((z >= 1.959964).any(axis=1))])


def mixture_any_look(effort: Effort) -> Row:
    """The open horizon: mixture SPRT with narrow and wide expectations."""
    rng, found, full = effort.rng("msprt"), [], 1000
    totals = np.cumsum(rng.binomial(100, 0.7, size=(2, effort.draws(full), 40)), axis=2)
    n = 100.0 * np.arange(1, 41)
    rates = totals / n
    differences, variances = rates[1] - rates[0], (rates * (1.0 - rates)).sum(axis=0) / n
    for tau in (0.01, 0.03, 0.1):
        alarms = [
            any(msprt_log_e(d, v, tau=tau) >= math.log(20.0) for d, v in zip(row, spread, strict=True))
            for row, spread in zip(differences, variances, strict=True)
        ]
        found.append(share(alarms))
    design = f"tau = .01, .03, .1: 40 looks, 4,000 an arm, {effort.draws(full):,} draws"
    return at_most("mSPRT, any look: false alarms", design, found, 0.055, effort.slack(0.055, full))


def power_once(effort: Effort) -> Row:
    """What one look at the end finds of a difference of 3 points."""
    z = _z_at_looks(effort, 3000, looks=40, per_look=100, gain=0.03)
    return contrast("power, one look", _ARMS.format(len(z)), [share(z[:, -1] >= 1.959964)])


def power_planned(effort: Effort) -> Row:
    """What forty planned looks find of it."""
    z = _z_at_looks(effort, 3000, looks=40, per_look=100, gain=0.03)
    critical = np.array(gs_bounds(40, 0.05).critical)
    return contrast("power, 40 planned looks", _ARMS.format(len(z)), [share((z >= critical).any(axis=1))])


def data_planned(effort: Effort) -> Row:
    """The share of the data that they need for it on average."""
    z = _z_at_looks(effort, 3000, looks=40, per_look=100, gain=0.03)
    crossed = z >= np.array(gs_bounds(40, 0.05).critical)
    used = np.where(crossed.any(axis=1), crossed.argmax(axis=1) + 1, 40) / 40
    return contrast("data used, 40 planned looks", _ARMS.format(len(z)), [float(used.mean())])


def power_open(effort: Effort) -> Row:
    """What the mixture SPRT finds of it, without a planned end."""
    z = _z_at_looks(effort, 3000, looks=40, per_look=100, gain=0.03)
    variances = 2.0 * 0.7 * 0.3 / (100.0 * np.arange(1, 41))
    # Evidence against 0 starts where the estimate is so many standard errors away.
    critical = [
        msprt_interval(0.0, variance, tau=0.03)[1] / math.sqrt(variance) for variance in variances.tolist()
    ]
    return contrast("power, open horizon", _ARMS.format(len(z)), [share((z >= critical).any(axis=1))])


def power_paired_once(effort: Effort) -> Row:
    """What the one-sided test at the end finds on paired cases."""
    drawn = _paired(effort)
    gains, losses = (drawn > 0).sum(axis=1), (drawn < 0).sum(axis=1)
    z = (gains - losses) / np.sqrt(np.maximum(gains + losses, 1))
    return contrast("power on pairs, one look", _PAIRS.format(len(drawn)), [share(z >= 1.644854)])


def power_betting(effort: Effort) -> Row:
    """What betting finds on the same cases, looked at after each."""
    drawn = _paired(effort)
    found = [
        paired_log_e_paths(drawn[start : start + _BLOCK], PairedNull()).max(axis=1) >= math.log(20.0)
        for start in range(0, len(drawn), _BLOCK)
    ]
    return contrast("power on pairs, any look", _PAIRS.format(len(drawn)), [share(np.concatenate(found))])


def _paired(effort: Effort) -> Floats:
    shape = (effort.draws(2000), 500)
    return effort.rng("paired").choice(np.array([1.0, 0.0, -1.0]), size=shape, p=(0.12, 0.82, 0.06))


def _z_at_looks(effort: Effort, full: int, *, looks: int, per_look: int, gain: float = 0.0) -> Floats:
    """|z| of two arms at each look; the second passes 70% and `gain` more."""
    rng, draws = effort.rng(f"looks {gain}"), effort.draws(full)
    rates = np.array([0.7, 0.7 + gain])[:, None, None]
    totals = np.cumsum(rng.binomial(per_look, rates, size=(2, draws, looks)), axis=2)
    n = per_look * np.arange(1.0, looks + 1.0)
    seen = totals / n
    spread = np.sqrt((seen * (1.0 - seen)).sum(axis=0) / (n - 1.0))
    return np.asarray(np.abs(seen[1] - seen[0]) / spread, dtype=np.float64)


CHECKS: tuple[Check, ...] = (
    exact_tie,
    anytime_betting,
    asymptotic_contrast,
    betting_sequence,
    betting_once,
    mcnemar_any_look,
    planned_looks,
    peeking_contrast,
    mixture_any_look,
    power_once,
    power_planned,
    data_planned,
    power_open,
    power_paired_once,
    power_betting,
)
