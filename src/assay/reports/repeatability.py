"""How steady the answers are, where each case was answered more than once."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from assay.reports.comparison_values import Chance, FlakyCase, Repeatability
from assay.reports.contest import Contest, FloatTable, MetricTable
from assay.stats.estimates import Interval
from assay.stats.intervals import score_interval
from assay.stats.multiplicity import bh
from assay.stats.regression import fisher_exact_fewer
from assay.stats.repeat_rates import flake_rate_by_case, pass_at_k_by_case, pass_hat_k_by_case

CHANCES_SHOWN = 10
"""Chances are given for k up to this."""


def repeatability(contest: Contest, table: MetricTable, *, level: float) -> Iterator[Repeatability]:
    """pass@k, pass^k, flake rate and flaky cases of each member; nothing without repeats or passes."""
    if table.answers is None or table.passes is None:
        return
    for number, member in enumerate(contest.members):
        answers, passes = table.answers[number], np.round(table.passes[number])
        most = int(answers.max(initial=0))
        yield Repeatability(
            member=member,
            chances=tuple(
                Chance(
                    k=k,
                    any_passes=_mean(contest, pass_at_k_by_case(answers, passes, k), level),
                    all_pass=_mean(contest, pass_hat_k_by_case(answers, passes, k), level),
                )
                for k in range(1, min(most, CHANCES_SHOWN) + 1)
            ),
            flake_rate=_mean(contest, flake_rate_by_case(answers, passes), level),
            repeated=int(np.count_nonzero(answers >= 2)),
            flaky=_flaky(contest, answers, passes),
        )


def regressed_cases(
    contest: Contest, table: MetricTable, sides: tuple[int, int], *, alpha: float
) -> tuple[str, ...] | None:
    """Cases that pass less often than the baseline's, beyond what flaky answers do; None without repeats.

    Fisher's exact test of each case that both sides answered, one-sided, adjusted by Benjamini and Hochberg.
    None too for candidates of several members, whose answers are not repeats of each other.
    """
    groups = [contest.groups[side] for side in sides]
    if table.answers is None or table.passes is None or any(len(group) > 1 for group in groups):
        return None
    (before,), (after,) = groups
    both = np.flatnonzero((table.answers[before] > 0) & (table.answers[after] > 0))
    counts = np.round(
        [table.passes[before], table.answers[before], table.passes[after], table.answers[after]]
    ).astype(np.int64)[:, both]
    kinds, which = np.unique(counts, axis=1, return_inverse=True)
    p_values = np.array([fisher_exact_fewer((a, b), (c, d)) for a, b, c, d in kinds.T.tolist()])
    adjusted = bh(p_values[which.ravel()])
    return tuple(contest.cases[case] for case in both[adjusted <= alpha])


def _mean(contest: Contest, values: FloatTable, level: float) -> Interval:
    known = ~np.isnan(values)
    clusters = None if contest.clusters is None else contest.clusters[known]
    return score_interval(np.clip(values[known], 0.0, 1.0), kind="unit", clusters=clusters, level=level)


def _flaky(contest: Contest, answers: FloatTable, passes: FloatTable) -> tuple[FlakyCase, ...]:
    """The closest to even first, then in the order of the cases."""
    mixed: npt.NDArray[np.intp] = np.flatnonzero((passes > 0) & (passes < answers))
    order = np.lexsort((mixed, np.abs(passes[mixed] / answers[mixed] - 0.5)))
    return tuple(
        FlakyCase(key=contest.cases[case], passes=int(passes[case]), answers=int(answers[case]))
        for case in mixed[order]
    )
