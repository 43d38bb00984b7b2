"""Has a judge changed? The same anchor answers, judged at two times."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from assay.stats.arrays import Kind, Labels, Numbers, scores_of_kind
from assay.stats.comparison import Comparison, compare_paired
from assay.stats.estimates import Interval
from assay.stats.graded_agreement import concordance
from assay.stats.jackknife import Design, jackknife_interval
from assay.stats.proportions import wilson

DriftVerdict: TypeAlias = Literal["drifted", "stable", "inconclusive"]

MARGIN = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The shift of a judge's mean score on `n` anchors, later less earlier, and what may be said of it.

    `same`: share of anchors with the same score. `moved`: mean distance of both scores. `agreement`: Lin's
    concordance (kappa with quadratic weights). `verdict`: `stable` when the shift is shown to be within
    +-margin, even where it is certainly not 0; `drifted` when it is shown not to be 0; else `inconclusive`.
    """

    n: int
    shift: Comparison
    same: Interval
    moved: float
    agreement: Interval
    margin: float
    verdict: DriftVerdict


def anchor_drift(
    earlier: Numbers,
    later: Numbers,
    *,
    kind: Kind = "unit",
    clusters: Labels | None = None,
    margin: float = MARGIN,
    rng: np.random.Generator,
) -> Drift:
    """Compare two judgements of the same anchors, aligned; 95% intervals, tests at 5%.

    The shift and its test are those of `compare_paired`, equivalence two one-sided tests. A mean may stay
    while single scores move: look at `same` and `moved` too, and compare them with the judge asked twice on
    the same day. Assumes that the anchors (clusters) are independent and speak for what is judged. Raises
    StatisticsError for missing, misaligned or out-of-range scores.
    """
    before, after = scores_of_kind(earlier, kind, "earlier"), scores_of_kind(later, kind, "later")
    shift = compare_paired(before, after, kind=kind, clusters=clusters, margin=margin, rng=rng)
    equal = int(np.count_nonzero(np.isclose(before, after, atol=1e-9)))
    agreement = jackknife_interval(
        lambda w: concordance(before, after, w),
        before.size,
        Design(clusters=clusters),
        method="concordance_jackknife",
        scale="correlation",
    )
    verdicts: dict[str, DriftVerdict] = {"better": "drifted", "worse": "drifted", "equivalent": "stable"}
    return Drift(
        n=before.size,
        shift=shift,
        same=wilson(equal, before.size),
        moved=float(np.abs(after - before).mean()),
        agreement=agreement,
        margin=margin,
        verdict=verdicts.get(shift.verdict, "inconclusive"),
    )
