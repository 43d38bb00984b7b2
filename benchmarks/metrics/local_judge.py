"""A small local judge against people: is a reply faithful to its source?

179 replies of FaithDial's audit of Wizard of Wikipedia, and what `faithfulness` in mode `verdict` says of
them with Qwen2.5-Coder-1.5B. The figures come from stored scores; `run_metrics.py --judge` asks again.
"""

from collections import Counter
from pathlib import Path

import numpy as np

from assay.stats.arrays import FloatArray
from assay.stats.auroc import auroc
from assay.stats.calibration import calibrate
from assay.stats.corrected_means import ppi_mean
from assay.stats.cutoffs import best_cutoff
from assay.stats.estimates import Interval
from assay.stats.verdicts import balanced_accuracy, verdict_quality
from metrics.judge_scores import (
    FAITHFUL,
    PARTLY,
    UNFAITHFUL,
    Judged,
    Recording,
    judged,
    read_items,
    read_recording,
)
from metrics.rows import Row, at_least

SPLITS = 500
SHARE = 1 / 3
SEED = 20_261
AUROC, BALANCED, COVERAGE = 0.90, 0.85, 0.93
NAME = "Local judge"


def run(_: Path | None) -> list[Row]:
    """The figures of the stored scores."""
    items, recording = read_items(), read_recording()
    clear = judged(items, recording, (FAITHFUL, UNFAITHFUL))
    whole = judged(items, recording, (FAITHFUL, UNFAITHFUL, PARTLY))
    rng = np.random.default_rng(SEED)
    rows = [recorded(recording, len(items)), ranking(clear), one_split(clear, rng), many_splits(clear, rng)]
    rows.append(corrected(clear, rng, "clear labels"))
    if whole.labels.size > clear.labels.size:
        rows += [ranking_of_all(whole), corrected(whole, rng, "all labels")]
    return rows


def recorded(recording: Recording, items: int) -> Row:
    """Whether the stored scores are those of the prompt that the product asks today."""
    states = Counter(row["state"] for row in recording.rows.values())
    told = ", ".join(f"{count} {state}" for state, count in states.items())
    note = f"{told} of {items}" + ("" if recording.is_current else "; the prompt has changed: run --judge")
    shown = recording.made_by["prompt_hash"][:12]
    return Row(
        name=f"{NAME}: prompt of the stored scores",
        value=shown,
        target="today's prompt",
        ok=recording.is_current,
        note=note,
    )


def ranking(sample: Judged) -> Row:
    """How well the scores tell faithful replies from invented ones."""
    found = auroc(sample.labels, sample.scores)
    note = f"{found.n} replies, entailment against hallucination; 95% interval {bounds(found)}"
    return at_least(f"{NAME}: AUROC", found.estimate or 0.0, AUROC, note)


def ranking_of_all(sample: Judged) -> Row:
    """The same with replies that are partly invented: harder, shown without a bound."""
    found = auroc(sample.labels, sample.scores)
    note = f"{found.n} replies, partial hallucinations are unfaithful; 95% interval {bounds(found)}"
    return Row(name=f"{NAME}: AUROC with partial ones", value=f"{found.estimate or 0.0:.3f}", note=note)


def one_split(sample: Judged, rng: np.random.Generator) -> Row:
    """The threshold that `calibrate` finds on a third of the labels, on the other two thirds."""
    learnt, rest = split(sample, rng)
    found = calibrate(learnt.scores, learnt.labels, rng=rng)
    threshold = 0.5 if found.cutoff is None else found.cutoff.threshold
    after = verdict_quality(rest.labels, verdicts(rest, threshold)).balanced_accuracy
    note = f"threshold {threshold:.3f} by {found.n} labels; 95% interval {bounds(after)} on {after.n} others"
    return Row(name=f"{NAME}: balanced accuracy, one split", value=f"{after.estimate or 0.0:.3f}", note=note)


def many_splits(sample: Judged, rng: np.random.Generator) -> Row:
    """The same over many random splits, as no single one says what to expect."""
    after, before = [], []
    for _ in range(SPLITS):
        learnt, rest = split(sample, rng)
        after.append(balanced(rest, best_cutoff(learnt.labels, learnt.scores)))
        before.append(balanced(rest, 0.5))
    low, high = np.quantile(after, [0.05, 0.95])
    note = (
        f"mean of {SPLITS} splits, threshold by a third of the labels; 90% of them {low:.3f} to {high:.3f}; "
        f"without labels, at 0.5: {np.mean(before):.3f}"
    )
    return at_least(f"{NAME}: balanced accuracy, calibrated", float(np.mean(after)), BALANCED, note)


def corrected(sample: Judged, rng: np.random.Generator, of: str) -> Row:
    """How often the interval of the corrected mean holds the mean of all labels, when a third is known."""
    truth, n = float(sample.labels.mean()), sample.labels.size
    found = []
    for _ in range(SPLITS):
        known = np.zeros(n, dtype=np.bool_)
        known[rng.permutation(n)[: round(n * SHARE)]] = True
        labelled, rest = sample.part(known), sample.part(~known)
        found.append(ppi_mean(labelled.labels, labelled.scores, rest.scores))
    held = sum(each.interval.estimable and not each.interval.excludes(truth) for each in found)
    widths = [width(each.interval) for each in found], [width(each.human_only) for each in found]
    note = (
        f"{of}: people {truth:.3f}, judge alone {sample.scores.mean():.3f}; {SPLITS} draws of "
        f"{round(n * SHARE)} labels of {n}; mean width {np.mean(widths[0]):.3f}, "
        f"of the labels alone {np.mean(widths[1]):.3f}"
    )
    return at_least(f"{NAME}: corrected mean, coverage", held / SPLITS, COVERAGE, note)


def split(sample: Judged, rng: np.random.Generator) -> tuple[Judged, Judged]:
    """A random third of the faithful and of the other replies, and the rest."""
    chosen = np.zeros(sample.labels.size, dtype=np.bool_)
    for truth in (0.0, 1.0):
        places = rng.permutation(np.flatnonzero(sample.labels == truth))
        chosen[places[: round(places.size * SHARE)]] = True
    return sample.part(chosen), sample.part(~chosen)


def balanced(sample: Judged, threshold: float) -> float:
    """Balanced accuracy of the verdicts by a threshold."""
    return balanced_accuracy(sample.labels, verdicts(sample, threshold), np.ones(sample.labels.size))


def verdicts(sample: Judged, threshold: float) -> FloatArray:
    """1 where a score reaches the threshold, else 0."""
    return (sample.scores >= threshold).astype(np.float64)


def bounds(interval: Interval) -> str:
    """The bounds for people to read."""
    if interval.low is None or interval.high is None:
        return "not known"
    return f"{interval.low:.3f} to {interval.high:.3f}"


def width(interval: Interval) -> float:
    """How wide it is; 1 where it is not known."""
    return 1.0 if interval.low is None or interval.high is None else interval.high - interval.low
