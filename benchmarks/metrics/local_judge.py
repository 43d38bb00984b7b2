"""A small local judge against people: is a reply faithful to its source?

96 replies of FaithDial's audit of Wizard of Wikipedia, and what `faithfulness` in mode `verdict` says of
them with Qwen2.5-Coder-1.5B. The figures come from stored scores; `run_metrics.py --judge` asks again.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assay.metrics.grounding import grounded_value, grounding
from assay.stats.arrays import FloatArray
from assay.stats.auroc import auroc
from assay.stats.calibration import calibrate
from assay.stats.corrected_means import CorrectedMean, ppi_mean
from assay.stats.cutoffs import best_cutoff
from assay.stats.estimates import Interval
from assay.stats.verdicts import balanced_accuracy, verdict_quality
from metrics.judge_scores import (
    FAITHFUL,
    REPLIES,
    SYSTEMS,
    Judged,
    Recording,
    judged,
    read_items,
    read_recording,
)
from metrics.rows import Row, at_least, bounds
from metrics.scoring import score_texts, values_of

SPLITS = 500
SHARE = 1 / 3
SEED = 20_261
COVERAGE = 0.93
GOALS = {"AUROC": 0.90, "balanced accuracy": 0.85}
"""What mode `grounded` must reach. Of `verdict` it is told, and not held against a model this small."""
NAME = "Local judge"
OTHER_SYSTEMS = ("CTRL", "DoHA", "GPT2")


def run(_: Path) -> list[Row]:
    """The figures of the stored scores."""
    items, recording = read_items(), read_recording(REPLIES.path)
    rows = [recorded(recording, len(items)), without_model(items), *words_alone(items)]
    for name, sample, bound in (
        (f"{NAME}, verdict", judged(items, recording), False),
        (f"{NAME}, grounded", judged(items, grounded(items, recording)), True),
    ):
        rng = np.random.default_rng(SEED)
        rows += [
            ranking(name, sample, bound),
            one_split(name, sample, rng),
            many_splits(name, sample, rng, bound),
            corrected(name, sample, rng),
            corrected_anew(name, sample, rng),
        ]
    return rows


def grounded(items: Sequence[dict[str, str]], recording: Recording) -> Recording:
    """What mode `grounded` makes of the stored verdicts: the judge need not be asked again."""
    shares = {item["id"]: grounding(item["response"], [item["knowledge"]]) for item in items}
    rows = {
        id_: {**row, "score": grounded_value(row["score"], shares[id_])}
        for id_, row in recording.rows.items()
        if row.get("score") is not None
    }
    return Recording(recording.made_by, rows)


def recorded(recording: Recording, items: int) -> Row:
    """Whether the stored scores are those of the prompt that the product asks today."""
    states = Counter(row["state"] for row in recording.rows.values())
    told = ", ".join(f"{count} {state}" for state, count in states.items())
    is_current = recording.is_of(REPLIES)
    return Row(
        name=f"{NAME}: prompt of the stored scores",
        value=str(recording.made_by["prompts"]["faithfulness_verdict"])[:12],
        target="today's prompt",
        ok=is_current,
        note=f"{told} of {items}" + ("" if is_current else "; the prompt has changed: run --judge faithdial"),
    )


def ranking(name: str, sample: Judged, bound: bool) -> Row:
    """How well the scores tell faithful replies from invented ones."""
    found = auroc(sample.labels, sample.scores)
    note = f"{found.n} replies, 95% interval {bounds(found)}"
    return held(f"{name}: AUROC", "AUROC", found.estimate or 0.0, note, bound)


def without_model(items: Sequence[dict[str, str]]) -> Row:
    """The same by ROUGE-L of the reply against its source, which asks no model: shown for comparison."""
    scores = values_of(score_texts("rouge_l", [(item["response"], item["knowledge"]) for item in items]))
    found = auroc([float(item["label"] == FAITHFUL) for item in items], scores)
    note = f"`rouge_l` of the reply against its source; 95% interval {bounds(found)}"
    return Row(name="No judge: AUROC of word overlap", value=f"{found.estimate or 0.0:.3f}", note=note)


def words_alone(items: Sequence[dict[str, str]]) -> list[Row]:
    """The grounding alone, on these replies and on those of three systems, by which its form was chosen."""
    others = read_items(SYSTEMS)
    samples = {system: [each for each in others if each["system"] == system] for system in OTHER_SYSTEMS}
    found = {"people's replies": area_of_words(items), **{k: area_of_words(v) for k, v in samples.items()}}
    return [
        Row(name=f"No judge: AUROC of the grounding, {name}", value=f"{area:.3f}", note=f"{n} replies")
        for name, (area, n) in found.items()
    ]


def area_of_words(items: Sequence[dict[str, str]]) -> tuple[float, int]:
    """AUROC of the grounding, and the number of replies."""
    shares = [grounding(item["response"], [item["knowledge"]]) for item in items]
    return auroc([float(item["label"] == FAITHFUL) for item in items], shares).estimate or 0.0, len(items)


def one_split(name: str, sample: Judged, rng: np.random.Generator) -> Row:
    """The threshold that `calibrate` finds on a third of the labels, on the other two thirds."""
    learnt, rest = split(sample, rng)
    found = calibrate(learnt.scores, learnt.labels, rng=rng)
    threshold = 0.5 if found.cutoff is None else found.cutoff.threshold
    after = verdict_quality(rest.labels, verdicts(rest, threshold)).balanced_accuracy
    note = f"threshold {threshold:.3f} by {found.n} labels; 95% interval {bounds(after)} on {after.n} others"
    return Row(name=f"{name}: balanced accuracy, one split", value=f"{after.estimate or 0.0:.3f}", note=note)


def many_splits(name: str, sample: Judged, rng: np.random.Generator, bound: bool) -> Row:
    """The same over many random splits, as no single one says what to expect."""
    after, before = [], []
    for _ in range(SPLITS):
        learnt, rest = split(sample, rng)
        after.append(balanced(rest, best_cutoff(learnt.labels, learnt.scores)))
        before.append(balanced(rest, 0.5))
    low, high = np.quantile(after, [0.05, 0.95])
    mean = float(np.mean(after))
    note = (
        f"mean of {SPLITS} splits, threshold by a third of the labels; 90% of them {low:.3f} to {high:.3f}; "
        f"without labels, at 0.5: {np.mean(before):.3f}"
    )
    return held(f"{name}: balanced accuracy, calibrated", "balanced accuracy", mean, note, bound)


def corrected(name: str, sample: Judged, rng: np.random.Generator) -> Row:
    """How often the interval of the corrected mean holds the mean of all labels, when a third is known."""
    n = sample.labels.size
    found = []
    for _ in range(SPLITS):
        known = np.zeros(n, dtype=np.bool_)
        known[rng.permutation(n)[: round(n * SHARE)]] = True
        found.append(_corrected_mean(sample.part(known), sample.part(~known)))
    return coverage(name, "splits of the labels", sample, found)


def corrected_anew(name: str, sample: Judged, rng: np.random.Generator) -> Row:
    """The same where the replies stand for a large population: all are drawn with replacement."""
    n = sample.labels.size
    found = []
    for _ in range(SPLITS):
        labelled, rest = rng.integers(0, n, round(n * SHARE)), rng.integers(0, n, 10 * n)
        found.append(_corrected_mean(sample.part(labelled), sample.part(rest)))
    return coverage(name, "drawn anew", sample, found)


def _corrected_mean(labelled: Judged, rest: Judged) -> CorrectedMean:
    return ppi_mean(labelled.labels, labelled.scores, rest.scores)


def coverage(name: str, how: str, sample: Judged, found: Sequence[CorrectedMean]) -> Row:
    """How many of the intervals hold the mean of all labels."""
    truth = float(sample.labels.mean())
    held = sum(each.interval.estimable and not each.interval.excludes(truth) for each in found)
    widths = [width(each.interval) for each in found], [width(each.human_only) for each in found]
    note = (
        f"people {truth:.3f}, judge alone {sample.scores.mean():.3f}; {found[0].labels} labels, "
        f"{len(found)} times; width {np.mean(widths[0]):.3f}, of the labels alone {np.mean(widths[1]):.3f}"
    )
    return at_least(f"{name}: corrected mean covers, {how}", held / len(found), COVERAGE, note)


def held(name: str, kind: str, found: float, note: str, bound: bool) -> Row:
    """A figure held to its goal; where it is not bound to it, the goal is only told."""
    goal = GOALS[kind]
    if bound:
        return at_least(name, found, goal, note)
    reached = "reached" if found >= goal else "missed"
    return Row(name=name, value=f"{found:.3f}", note=f"{note}; the goal of {goal:.2f} is {reached}")


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


def width(interval: Interval) -> float:
    """How wide it is; 1 where it is not known."""
    return 1.0 if interval.low is None or interval.high is None else interval.high - interval.low
