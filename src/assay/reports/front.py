"""Quality against what an answer costs."""

from collections.abc import Sequence

import numpy as np

from assay.reports.comparison_values import FrontRow, FrontTable
from assay.reports.contest import Contest, MetricTable
from assay.stats.front import FrontEntry, pareto


def front_table(contest: Contest, *, alpha: float, rng: np.random.Generator) -> FrontTable | None:
    """The cost-quality front on the first quality metric, over cases whose score and cost all have.

    Cached answers cost nothing now and say nothing of the price: their cost counts as unknown. None where
    nothing is known to have cost anything or no quality metric is there.
    """
    table = next((each for each in contest.metrics if each.info.kind != "measure"), None)
    if table is None or contest.cost_usd is None or not np.any(contest.cost_usd > 0.0):
        return None
    known = ~np.isnan(contest.cost_usd) & ~np.isnan(table.value)
    some = known.any(axis=1)
    left_out = tuple(int(number) for number in np.flatnonzero(~some))
    taken = np.flatnonzero(some)
    if taken.size < 2:
        return _without(table, left_out, "fewer than two candidates have a known cost")
    common = known[taken].all(axis=0)
    n = int(common.sum())
    if n < 2:
        return _without(table, left_out, "no two cases have a score and a known cost of every candidate")
    found = pareto(
        table.value[taken][:, common],
        contest.cost_usd[taken][:, common],
        alpha=alpha,
        clusters=None if contest.clusters is None else contest.clusters[common],
        rng=rng,
    )
    return FrontTable(
        metric=table.metric,
        rows=tuple(_row(each, taken.tolist()) for each in found.entries),
        n=found.n,
        left_out=left_out,
        warnings=tuple(found.warnings),
    )


def _row(entry: FrontEntry, taken: Sequence[int]) -> FrontRow:
    return FrontRow(
        candidate=taken[entry.index],
        quality=entry.mean_score,
        cost_usd=entry.mean_cost,
        on_front=entry.on_front,
        probability=entry.front_probability,
        dominated_by=tuple(taken[other] for other in entry.dominated_by),
    )


def _without(table: MetricTable, left_out: tuple[int, ...], reason: str) -> FrontTable:
    return FrontTable(metric=table.metric, rows=(), n=0, left_out=left_out, reason=reason)
