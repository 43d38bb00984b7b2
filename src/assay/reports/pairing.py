"""Which candidates are compared with which."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from assay.reports.comparison_values import Scheme
from assay.reports.contest import Contest, MetricTable

ALL_PAIRS_LIMIT = 8
"""Up to this many candidates every pair is compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """How pairs are chosen; `fixed` are (baseline, candidate) where that does not depend on the scores."""

    scheme: Scheme
    fixed: tuple[tuple[int, int], ...] = ()


def choose_pairing(contest: Contest, baseline: int | None = None) -> Pairing:
    """The pairs that answer what was most likely asked, in this order.

    With a baseline, each against it. Jobs of several candidates: each against its namesake in the first job
    (the same prompt and model, or where only one of both was changed, the same other one). Up to eight
    candidates: all pairs. More, one a job: each against the first job. Else each against the leader.
    """
    count = len(contest.candidates)
    if baseline is not None:
        others = (number for number in range(count) if number != baseline)
        return Pairing(scheme="baseline", fixed=tuple((baseline, number) for number in others))
    jobs = len(set(contest.jobs))
    if 1 < jobs < count and (found := _counterparts(contest)):
        return Pairing(scheme="counterparts", fixed=tuple(found))
    if count <= ALL_PAIRS_LIMIT:
        return Pairing(scheme="all_pairs")
    if jobs == count:
        return choose_pairing(contest, 0)
    return Pairing(scheme="leader")


def pairs_of(pairing: Pairing, contest: Contest, table: MetricTable) -> list[tuple[int, int]]:
    """(baseline, candidate) of each pair on one metric.

    Of two candidates of one job the better one is the candidate; of two jobs the later one.
    """
    if pairing.scheme in ("baseline", "counterparts"):
        return list(pairing.fixed)
    order = ranked_by_mean(table)
    every = list(combinations(order, 2))
    chosen = every if pairing.scheme == "all_pairs" else every[: len(order) - 1]
    return [_oriented(first, second, contest.jobs) for first, second in chosen]


def family_size(pairing: Pairing, tested: Sequence[tuple[int, int]], table: MetricTable) -> int:
    """How many tests were possible; more than were made where the scores chose them."""
    if pairing.scheme != "leader":
        return len(tested)
    scored = int((~np.isnan(table.value)).any(axis=1).sum())
    return max(len(tested), scored * (scored - 1) // 2)


def ranked_by_mean(table: MetricTable) -> list[int]:
    """Candidates by their means, the best first; those without any score last."""
    present = ~np.isnan(table.value)
    counts = present.sum(axis=1)
    sums = np.where(present, table.value, 0.0).sum(axis=1)
    means = np.full(counts.size, -np.inf)
    np.divide(sums if not table.lower else -sums, counts, out=means, where=counts > 0)
    return [int(number) for number in np.lexsort((np.arange(means.size), -means))]


def _oriented(better: int, worse: int, jobs: Sequence[int]) -> tuple[int, int]:
    if jobs[better] == jobs[worse]:
        return worse, better
    return (better, worse) if jobs[better] < jobs[worse] else (worse, better)


def _counterparts(contest: Contest) -> list[tuple[int, int]]:
    names = [(candidate.prompt, candidate.model) for candidate in contest.candidates]
    first = [number for number, job in enumerate(contest.jobs) if job == 0]
    found = []
    for job in sorted(set(contest.jobs) - {0}):
        mine = [number for number, own in enumerate(contest.jobs) if own == job]
        for parts in ((0, 1), (1,), (0,)):
            before = _unique({number: tuple(names[number][part] for part in parts) for number in first})
            after = _unique({number: tuple(names[number][part] for part in parts) for number in mine})
            pairs = [(before[name], number) for name, number in after.items() if name in before]
            if pairs:
                found += pairs
                break
    return found


def _unique(names: dict[int, tuple[str, ...]]) -> dict[tuple[str, ...], int]:
    """The candidates whose name no other one has."""
    values = list(names.values())
    return {name: number for number, name in names.items() if values.count(name) == 1}
