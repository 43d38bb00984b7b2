"""What a reader must know before believing a number."""

import re
from collections.abc import Iterable, Sequence

from assay.reports.values import CandidateSummary, MetricSummary, MetricVerdict
from assay.reports.wording import listed, percent, plural

# Below this the intervals hold, but say little.
FEW_CASES = 30
LOW_COVERAGE = 0.95
_NUMBERS = re.compile(r"\d+(\.\d+)?(e-?\d+)?")


def cautions(
    candidates: Sequence[CandidateSummary],
    metrics: Sequence[MetricSummary],
    verdicts: Sequence[MetricVerdict],
) -> tuple[str, ...]:
    """Warnings in the order of their weight, each once."""
    found = [
        *_unfinished(candidates),
        *_coverage(candidates, metrics),
        *_samples(metrics),
        *_saturation(metrics),
        *_unknown_costs(candidates),
        *_comparisons(verdicts),
    ]
    return tuple(dict.fromkeys(found))


def _unfinished(candidates: Sequence[CandidateSummary]) -> Iterable[str]:
    pending = sum(candidate.pending for candidate in candidates)
    if pending:
        yield f"{plural(pending, 'cell')} not yet run: every number is preliminary"
    cancelled = sum(candidate.cancelled - candidate.not_needed for candidate in candidates)
    if cancelled:
        yield f"{plural(cancelled, 'cell')} cancelled: the cases that ran may not stand for all"
    for candidate in candidates:
        if candidate.errors:
            reasons = listed([f"{code} {number:,}" for code, number in list(candidate.failures.items())[:4]])
            detail = f" ({reasons})" if reasons else ""
            yield f"{candidate.label}: {plural(candidate.errors, 'cell')} without an answer{detail}"


def _coverage(candidates: Sequence[CandidateSummary], metrics: Sequence[MetricSummary]) -> Iterable[str]:
    """One warning a candidate and count, naming the metrics and what the missing cells could hide.

    Cells that a race did not need are not missing.
    """
    low: dict[tuple[int, int, int], list[MetricSummary]] = {}
    for each in metrics:
        not_needed = candidates[each.candidate].not_needed
        meant = each.planned - each.skipped - not_needed
        if each.scored < LOW_COVERAGE * meant:
            low.setdefault((each.candidate, each.scored, meant), []).append(each)
    for (candidate, scored, meant), several in low.items():
        names = listed([each.metric for each in several])
        share = percent(scored / meant)
        hidden = "".join(
            f"; with the rest as 0 or as 1, {each.metric} is {each.bounds[0]:.2f} or {each.bounds[1]:.2f}"
            for each in several
            if each.bounds is not None and not candidates[candidate].not_needed
        )
        label = candidates[candidate].label
        yield f"{label}: only {scored:,} of {meant:,} cells ({share}) scored on {names}{hidden}"


def _samples(metrics: Sequence[MetricSummary]) -> Iterable[str]:
    smallest: dict[str, MetricSummary] = {}
    for each in metrics:
        if 0 < each.mean.n < smallest.get(each.metric, each).mean.n or each.metric not in smallest:
            smallest[each.metric] = each
    few = {name: each.mean.n for name, each in smallest.items() if 0 < each.mean.n < FEW_CASES}
    if few:
        number = min(few.values())
        yield f"only {plural(number, 'case')} on {listed(list(few))}: differences must be large to show"
    alone = [name for name, each in smallest.items() if each.mean.clusters == 1]
    if alone:
        yield f"all cases of {listed(alone)} come from one cluster: nothing can be concluded beyond it"


def _saturation(metrics: Sequence[MetricSummary]) -> Iterable[str]:
    by_name: dict[str, set[float]] = {}
    for each in metrics:
        if each.info.kind != "measure" and each.mean.n > 1 and each.mean.estimate is not None:
            by_name.setdefault(each.metric, set()).add(each.mean.estimate)
    for name, means in by_name.items():
        if means in ({1.0}, {0.0}):
            yield f"every case scores {max(means):g} on {name}: it cannot tell candidates apart"


def _unknown_costs(candidates: Sequence[CandidateSummary]) -> Iterable[str]:
    unknown = [candidate.model for candidate in candidates if candidate.unknown_costs]
    if unknown:
        yield f"no price is known for {listed(sorted(set(unknown)))}: costs are incomplete, not zero"


def _comparisons(verdicts: Sequence[MetricVerdict]) -> Iterable[str]:
    """What the tests warn of, once for each sort of warning: they differ in their numbers only."""
    sorts: dict[str, list[tuple[str, str]]] = {}
    for verdict in verdicts:
        for pair in verdict.pairs:
            for text in pair.comparison.warnings:
                sorts.setdefault(_NUMBERS.sub("#", text), []).append((verdict.metric, text))
    pairs = sum(len(verdict.pairs) for verdict in verdicts)
    for found in sorts.values():
        names = listed(list(dict.fromkeys(metric for metric, _ in found)))
        where = f" (in {len(found)} of {pairs} pairs)" if pairs > len(verdicts) else ""
        yield f"comparison on {names}: {found[0][1]}{where}"
