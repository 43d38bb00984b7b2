"""What a reader of a comparison must know before believing a number."""

import re
from collections.abc import Iterable, Sequence

from assay.reports.comparison_values import MetricComparison, Pair
from assay.reports.contest import Contest
from assay.reports.wording import listed, plural, signed

_NUMBERS = re.compile(r"\d+(\.\d+)?(e-?\d+)?")


def comparison_cautions(contest: Contest, metrics: Sequence[MetricComparison]) -> tuple[str, ...]:
    """Warnings, each once."""
    found = [
        *_candidates(contest),
        *_missing(contest, metrics),
        *_turning(contest, metrics),
        *_clusters(contest),
        *_constant(metrics),
        *_families(metrics),
        *_of_tests(metrics),
        *_cached(contest),
    ]
    return tuple(dict.fromkeys(found))


def _candidates(contest: Contest) -> Iterable[str]:
    for candidate in contest.candidates:
        unrun = candidate.pending + candidate.cancelled
        if unrun:
            yield f"{candidate.label}: {plural(unrun, 'cell')} not run: its numbers are preliminary"
        if candidate.errors:
            reasons = listed([f"{code} {number:,}" for code, number in list(candidate.failures.items())[:3]])
            detail = f" ({reasons})" if reasons else ""
            yield f"{candidate.label}: {plural(candidate.errors, 'cell')} without an answer{detail}"


def _missing(contest: Contest, metrics: Sequence[MetricComparison]) -> Iterable[str]:
    """Cases that do not pair, once for each number of them."""
    absent = {
        (pair.absent, pair.baseline, pair.candidate) for each in metrics for pair in each.pairs if pair.absent
    }
    for number, baseline, candidate in sorted(absent):
        names = f"{contest.labels[candidate]} and {contest.labels[baseline]}"
        yield f"{plural(number, 'case')} not in both of {names}: left out of the comparison"
    for each in metrics:
        gaps = [pair.unscored for pair in each.pairs if pair.unscored]
        if gaps:
            where = f"up to {max(gaps):,} cases" if len(gaps) > 1 else plural(gaps[0], "case")
            yield f"{each.metric}: {where} of a pair not scored on both sides: left out, not counted as 0"


def _turning(contest: Contest, metrics: Sequence[MetricComparison]) -> Iterable[str]:
    for each in metrics:
        for pair in each.pairs:
            if pair.comparison.verdict in ("better", "worse") and _could_turn(pair):
                low, high = pair.bounds or (0.0, 0.0)
                yield (
                    f"{contest.labels[pair.candidate]} on {each.metric}: had the unscored cases been scored, "
                    f"the difference could lie anywhere from {signed(low)} to {signed(high)}"
                )


def _could_turn(pair: Pair) -> bool:
    return pair.bounds is not None and pair.bounds[0] <= 0.0 <= pair.bounds[1]


def _clusters(contest: Contest) -> Iterable[str]:
    if contest.clusters is not None:
        yield "cases share sources: intervals and tests are by cluster, not by case"


def _constant(metrics: Sequence[MetricComparison]) -> Iterable[str]:
    for each in metrics:
        means = {mean.estimate for mean in each.means if mean.n > 1}
        if each.info.kind != "measure" and (means == {0.0} or means == {1.0}):
            yield f"every case scores {means.pop():g} on {each.metric}: it cannot tell candidates apart"


def _families(metrics: Sequence[MetricComparison]) -> Iterable[str]:
    tested = [each for each in metrics if each.family.tests]
    if len(tested) > 1:
        yield (
            f"{len(tested)} metrics are {len(tested)} questions, each with its own chance of a false claim: "
            "choose the one that decides before you look"
        )


def _of_tests(metrics: Sequence[MetricComparison]) -> Iterable[str]:
    """What tests and rankings warn of, once for each sort of warning: they differ in their numbers only."""
    sorts: dict[str, list[tuple[str, str]]] = {}
    for each in metrics:
        texts = [text for pair in each.pairs if pair.tested for text in pair.comparison.warnings]
        texts += each.ranking.warnings if each.ranking is not None else ()
        for text in texts:
            sorts.setdefault(_NUMBERS.sub("#", text), []).append((each.metric, text))
    for found in sorts.values():
        names = listed(list(dict.fromkeys(metric for metric, _ in found)))
        times = f" ({len(found)} times)" if len(found) > 1 else ""
        yield f"{names}: {found[0][1]}{times}"


def _cached(contest: Contest) -> Iterable[str]:
    cached = [candidate for candidate in contest.candidates if candidate.cached]
    if cached:
        number = sum(candidate.cached for candidate in cached)
        yield f"{plural(number, 'answer')} came from the cache: their cost and latency are not compared"
