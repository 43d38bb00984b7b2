"""Calibrating a judge: do intervals, thresholds, tests of bias and corrected means keep what they promise?"""

from stats import judge_simulations as simulations
from stats.rows import Check, Effort, Row, at_least, at_most, between, contrast


def area_coverage(effort: Effort) -> tuple[Row, ...]:
    """AUROC by DeLong, on the log-odds."""
    rng, draws = effort.rng("area_coverage"), effort.draws(2_000)
    slack = effort.slack(0.93, 2_000)
    rows = []
    for n in (30, 100, 300):
        found = [simulations.area_covered(rng, n, distance, draws) for distance in (0.5, 1.2, 2.2)]
        design = f"areas .64, .80, .94, n={n}, {draws:,} draws"
        rows.append(at_least("AUROC covers", design, found, 0.93, slack))
    return tuple(rows)


def clustered_agreement(effort: Effort) -> tuple[Row, ...]:
    """Coefficients of answers that share a case, with and without their clusters."""
    draws = effort.draws(600)
    slack = effort.slack(0.925, 600)
    names = ("area", "kappa", "balance", "concordance")
    rng = effort.rng("clustered_agreement")
    found = [
        simulations.clusters_covered(rng, getattr(simulations, f"of_{name}"), 40, draws) for name in names
    ]
    design = f"AUROC, kappa, balanced accuracy, concordance; 40 cases of 4, {draws:,} draws"
    honest, naive = zip(*found, strict=True)
    return (
        at_least("clustered agreement covers", design, honest, 0.925, slack),
        contrast("the same without clusters", design, naive),
    )


def balanced_accuracy(effort: Effort) -> Row:
    """The square-and-add interval of two Wilson intervals."""
    rng, draws = effort.rng("balanced_accuracy"), effort.draws(2_000)
    found = [simulations.plain_balance_covered(rng, n, draws) for n in (30, 100, 300)]
    slack = effort.slack(0.935, 2_000)
    return at_least("balanced accuracy covers", f"n=30, 100, 300, {draws:,} draws", found, 0.935, slack)


def held_out_threshold(effort: Effort) -> tuple[Row, ...]:
    """A threshold's worth by cross-fitting, and on the labels that chose it."""
    draws = effort.draws(1_000)
    held_out, apparent = simulations.thresholds(effort.rng("held_out_threshold"), 60, draws)
    design = f"60 labels, AUROC .71, {draws:,} draws"
    slack = 0.01 * effort.quick
    return (
        between("held-out balanced accuracy, +.5", design, [0.5 + held_out], (0.48, 0.51), slack),
        contrast("on the labels that chose it, +.5", design, [0.5 + apparent]),
    )


def threshold_losses(effort: Effort) -> tuple[Row, ...]:
    """Balanced accuracy that a threshold by few labels loses beside the best one of all."""
    draws = effort.draws(2_000)
    rng = effort.rng("threshold_losses")
    chosen, greedy = zip(*[simulations.threshold_losses(rng, n, draws) for n in (30, 100)], strict=True)
    design = f"30 and 100 labels, AUROC .90, {draws:,} draws"
    return (
        at_most("threshold: balanced accuracy lost", design, chosen, 0.01, 0.003 * effort.quick),
        contrast("by the one that is best on the labels", design, greedy),
    )


def judge_bias_alarms(effort: Effort) -> tuple[Row, ...]:
    """Self-preference and length where there is none."""
    draws = effort.draws(2_000)
    own, length = simulations.bias_alarms(effort.rng("judge_bias_alarms"), 40, draws)
    design = f"40 cases of 2, {draws:,} draws"
    better, noisy = f"the family is better; {design}", f"log-normal, noise grows with it; {design}"
    return (
        at_most("own family: false alarms", better, [own], 0.065, effort.slack(0.065, 2_000)),
        at_most("length: false alarms", noisy, [length], 0.085, effort.slack(0.085, 2_000)),
    )


def anchor_drift(effort: Effort) -> Row:
    """An unchanged judge, and one that moved by the margin."""
    draws = effort.draws(1_000)
    found = simulations.drift_errors(effort.rng("anchor_drift"), 100, draws)
    design = f"unchanged drifted, moved stable; 100 anchors, {draws:,} draws"
    return at_most("wrong verdicts on drift", design, found, 0.065, effort.slack(0.065, 1_000))


def weighted_correction(effort: Effort) -> tuple[Row, ...]:
    """Labels drawn with uneven chances, with and without their weights."""
    draws = effort.draws(1_000)
    weighted, without = simulations.uneven_draw(effort.rng("weighted_correction"), 150, draws)
    design = f"150 of 2,000, hard ones four times as often, {draws:,} draws"
    return (
        at_least("weighted corrected mean covers", design, [weighted], 0.93, effort.slack(0.93, 1_000)),
        contrast("the same without weights", design, [without]),
    )


def labels_planned(effort: Effort) -> Row:
    """Half widths with as many labels as were said to be needed."""
    draws = effort.draws(200)
    found = simulations.planned_widths(effort.rng("labels_planned"), draws)
    design = f"from 100 labels, 4,000 answers, {draws:,} draws"
    return between("half width / margin as planned", design, [found], (0.95, 1.06), 0.01 * effort.quick)


CHECKS: tuple[Check, ...] = (
    area_coverage,
    clustered_agreement,
    balanced_accuracy,
    held_out_threshold,
    threshold_losses,
    judge_bias_alarms,
    anchor_drift,
    weighted_correction,
    labels_planned,
)
