"""Which candidate is better on a quality metric: paired by case, adjusted for the looks, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from assay.reports.aggregate import CaseScores
from assay.reports.values import MetricVerdict, PairSummary
from assay.reports.wording import adjusted_p, listed, p_text, plural, signed_range
from assay.stats.comparison import Comparison, adjust_comparisons, compare_paired
from assay.stats.intervals import Kind
from assay.stats.paired import paired_difference, paired_scores
from assay.stats.power import PairedVariance, cases_needed

# Up to this many candidates every pair is compared; with more, each is compared with the leader only.
ALL_PAIRS_LIMIT = 8
# The difference that a run is asked to see where no margin was set.
DIFFERENCE_OF_INTEREST = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """How candidates are to be compared: their names, the level, the margin of equivalence, and chance."""

    labels: Sequence[str]
    alpha: float
    margin: float | None
    rng: np.random.Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One pair before adjustment; `needed` cases would show the difference of interest."""

    first: int
    second: int
    comparison: Comparison
    needed: int | None


def compare_candidates(
    metric: str, scores: Mapping[int, CaseScores], kind: Kind, question: Question
) -> MetricVerdict:
    """The pairs of one metric and what follows from them; the keys of `scores` are candidates.

    All pairs up to eight candidates, otherwise each against the one that leads. A pair is compared on the
    cases that both have a score of. Two candidates at least must have a score.
    """
    means = {candidate: float(each.value.mean()) for candidate, each in scores.items()}
    order = sorted(means, key=lambda candidate: (-means[candidate], candidate))
    every = list(combinations(order, 2))
    chosen = every if len(order) <= ALL_PAIRS_LIMIT else every[: len(order) - 1]
    looks = [_look(first, second, scores, kind, question) for first, second in chosen]
    adjusted = _adjust([look.comparison for look in looks], len(every))
    pairs = tuple(
        _pair(metric, look, comparison, question) for look, comparison in zip(looks, adjusted, strict=True)
    )
    beaten = [pair.second for pair in pairs if pair.first == order[0] and _verdict(pair) == "better"]
    best = order[0] if len(beaten) == len(order) - 1 else None
    sentence = _metric_sentence(metric, order, pairs, question)
    return MetricVerdict(metric=metric, sentence=sentence, pairs=pairs, best=best)


def _look(first: int, second: int, scores: Mapping[int, CaseScores], kind: Kind, question: Question) -> _Look:
    one, other = scores[first], scores[second]
    _, here, there = np.intersect1d(one.case_no, other.case_no, assume_unique=True, return_indices=True)
    better, base = one.value[here], other.value[there]
    clusters = None if one.cluster is None else one.cluster[here]
    comparison = compare_paired(
        base, better, kind=kind, clusters=clusters, margin=question.margin, alpha=question.alpha,
        rng=question.rng,
    )  # fmt: skip
    variance = paired_difference(paired_scores(base, better, kind, clusters), cautious=True).case_variance()
    needed = None
    if variance:
        delta = question.margin or DIFFERENCE_OF_INTEREST
        needed = cases_needed(PairedVariance(omega2=variance), delta=delta, alpha=question.alpha)
    return _Look(first=first, second=second, comparison=comparison, needed=needed)


def _adjust(comparisons: Sequence[Comparison], family: int) -> Sequence[Comparison]:
    """Holm over all pairs of the metric.

    Where only some were looked at, these were picked by the scores themselves (the leader leads), so that the
    others count too, with p = 1, the most cautious value they can have.
    """
    unseen = replace(
        comparisons[0],
        p=1.0,
        equivalence=replace(comparisons[0].equivalence, p=1.0) if comparisons[0].equivalence else None,
    )
    padded = [*comparisons, *[unseen] * (family - len(comparisons))]
    return adjust_comparisons(padded)[: len(comparisons)]


def _pair(metric: str, look: _Look, comparison: Comparison, question: Question) -> PairSummary:
    names = question.labels[look.first], question.labels[look.second]
    more_cases = None
    if comparison.verdict == "inconclusive" and look.needed is not None:
        more_cases = max(0, look.needed - comparison.n)
    return PairSummary(
        metric=metric,
        first=look.first,
        second=look.second,
        comparison=comparison,
        sentence=_pair_sentence(metric, names, comparison) + _outlook(more_cases, question),
        more_cases=more_cases,
    )


def _pair_sentence(metric: str, names: tuple[str, str], comparison: Comparison) -> str:
    first, second = names
    found = signed_range(comparison.interval)
    clusters = "" if comparison.clusters is None else f" in {plural(comparison.clusters, 'cluster')}"
    p = adjusted_p(comparison)
    adjusted = "" if p == comparison.p else "adjusted "
    basis = f"(n={comparison.n}{clusters}, {adjusted}{p_text(p)})"
    if comparison.verdict == "better":
        return f"{first} beats {second} on {metric} by {found} {basis}"
    if comparison.verdict == "worse":
        return f"{first} is worse than {second} on {metric}: {found} {basis}"
    if comparison.verdict == "equivalent":
        within = f"within \N{PLUS-MINUS SIGN}{comparison.margin:g}"
        return (
            f"{first} and {second} are equivalent on {metric} {within}: {found} (n={comparison.n}{clusters})"
        )
    if not comparison.interval.estimable:
        reason = comparison.interval.reason or "no interval"
        return f"{first} and {second} cannot be compared on {metric}: {reason} (n={comparison.n}{clusters})"
    return f"no difference between {first} and {second} could be shown on {metric}: {found} {basis}"


def _outlook(more_cases: int | None, question: Question) -> str:
    """What more cases would bring; planned for 80% power with the variance seen so far."""
    if more_cases is None:
        return ""
    delta = question.margin or DIFFERENCE_OF_INTEREST
    if more_cases:
        return f"; about {more_cases:,} more cases would be needed to see {delta:g}"
    return f"; a true difference of {delta:g} or more would most likely have shown"


def _metric_sentence(
    metric: str, order: Sequence[int], pairs: Sequence[PairSummary], question: Question
) -> str:
    leader, labels = order[0], question.labels
    mine = [pair for pair in pairs if pair.first == leader]
    beaten = [labels[pair.second] for pair in mine if _verdict(pair) == "better"]
    same = [labels[pair.second] for pair in mine if _verdict(pair) == "equivalent"]
    open_ = [labels[pair.second] for pair in mine if _verdict(pair) in ("inconclusive", "worse")]
    if len(order) == 2:
        return _as_sentence(mine[0].sentence)
    if not same and not open_:
        closest = min(mine, key=lambda pair: pair.comparison.difference or 0.0)
        return (
            f"{labels[leader]} is best on {metric}: better than each of the {len(mine)} others, "
            f"by {signed_range(closest.comparison.interval)} over {labels[closest.second]}, the closest."
        )
    parts = []
    if open_:
        parts.append(
            f"No winner on {metric}: {labels[leader]} leads, but that it is better than {_some(open_)} "
            "could not be shown."
        )
    if same:
        within = f"within \N{PLUS-MINUS SIGN}{question.margin:g}"
        parts.append(f"{labels[leader]} is equivalent to {_some(same)} on {metric} {within}.")
    if beaten:
        parts.append(f"{labels[leader]} is better than {_some(beaten)}.")
    return " ".join(parts)


def _some(names: Sequence[str], limit: int = 4) -> str:
    if len(names) <= limit:
        return listed(names)
    return listed([*names[: limit - 1], f"{len(names) - limit + 1} others"])


def _as_sentence(text: str) -> str:
    """With a full stop; a capital only where the words are ours, never in a name."""
    return f"{text[0].upper()}{text[1:]}." if text.startswith("no difference") else f"{text}."


def _verdict(pair: PairSummary) -> str:
    return pair.comparison.verdict
