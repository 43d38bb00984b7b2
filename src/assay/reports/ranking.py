"""Candidates by rank, and how sure each rank is."""

import numpy as np

from assay.reports.comparison_values import RankRow, RankTable
from assay.reports.contest import Contest, MetricTable
from assay.stats.ranking import rank


def rank_table(
    contest: Contest, table: MetricTable, *, alpha: float, rng: np.random.Generator
) -> RankTable | None:
    """The ranking of three candidates or more on the cases that all of them have a score of.

    Candidates without any score are left out. None for two candidates: their comparison says it all.
    """
    if len(contest.candidates) < 3:
        return None
    present = ~np.isnan(table.value)
    scored = np.flatnonzero(present.any(axis=1))
    left_out = tuple(int(number) for number in np.flatnonzero(~present.any(axis=1)))
    if scored.size < 2:
        return RankTable(rows=(), n=0, method="", left_out=left_out, reason="fewer than two have a score")
    common = present[scored].all(axis=0)
    n = int(common.sum())
    if n < 2:
        reason = f"{n} case{'' if n == 1 else 's'} with a score of every candidate: at least two are needed"
        return RankTable(rows=(), n=n, method="", left_out=left_out, reason=reason)
    values = table.value[scored][:, common]
    clusters = None if contest.clusters is None else contest.clusters[common]
    found = rank(-values if table.lower else values, alpha=alpha, clusters=clusters, rng=rng)
    rows = [
        RankRow(
            candidate=int(scored[each.index]),
            mean=-each.mean if table.lower else each.mean,
            rank=each.rank,
            low=each.rank_low,
            high=each.rank_high,
        )
        for each in found.entries
    ]
    rows.sort(key=lambda row: (row.rank, row.low, row.high, row.candidate))
    return RankTable(
        rows=tuple(rows), n=n, method=found.method, left_out=left_out, warnings=tuple(found.warnings)
    )
