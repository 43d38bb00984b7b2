"""Is b better than a on the same cases? One value with the difference, its interval, a test and a verdict."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from assay.stats.arrays import Kind, Labels, Numbers, check_probability
from assay.stats.clusters import cluster_sums
from assay.stats.discordance import (
    bonett_price_interval,
    mcnemar_exact,
    mcnemar_midp,
    tango_interval,
)
from assay.stats.estimates import Interval
from assay.stats.multiplicity import Method, adjust
from assay.stats.paired import (
    Equivalence,
    NonInferiority,
    Pairs,
    equivalence,
    noninferiority,
    paired_difference,
    paired_scores,
    tost_paired,
)
from assay.stats.permutation import SignFlip, sign_flip

__all__ = [
    "Comparison",
    "Equivalence",
    "NonInferiority",
    "PairedTest",
    "Verdict",
    "adjust_comparisons",
    "bonett_price_interval",
    "compare_paired",
    "conclude",
    "flip_test",
    "lower_is_better",
    "mcnemar_exact",
    "mcnemar_midp",
    "mcnemar_test",
    "noninferiority",
    "tango_interval",
    "tost_paired",
]

Verdict: TypeAlias = Literal["better", "worse", "equivalent", "inconclusive"]

FEW_PAIRS = 30
FEW_CLUSTERS = 10
_TOO_COARSE = "the test is too coarse for"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Difference `b - a` of paired scores, and what may be said of it.

    `p` belongs to `test` (1 where nothing could be tested); `resolution` is the smallest p that test could
    have given. `p_adjusted` and `equivalence_p_adjusted` are set by `adjust_comparisons` and then count
    instead. `verdict` speaks of b: `better` or `worse` when p and interval both say so; `equivalent` when the
    difference is shown to be smaller than `margin`, even if it is certainly not 0; else `inconclusive`.
    """

    n: int
    clusters: int | None
    mean_a: float | None
    mean_b: float | None
    difference: float | None
    interval: Interval
    test: str
    p: float
    resolution: float
    alpha: float
    margin: float | None
    equivalence: Equivalence | None
    verdict: Verdict
    warnings: tuple[str, ...]
    higher_is_better: bool = True
    adjustment: Method | None = None
    p_adjusted: float | None = None
    equivalence_p_adjusted: float | None = None


@dataclass(frozen=True, slots=True)
class PairedTest:
    """A test that was done: its name, two-sided p, and the smallest p that it could have given."""

    name: str
    p: float
    resolution: float


def compare_paired(  # noqa: PLR0913 - the two sides, and the keywords that every caller knows
    a: Numbers,
    b: Numbers,
    *,
    kind: Kind,
    clusters: Labels | None = None,
    margin: float | None = None,
    alpha: float = 0.05,
    rng: np.random.Generator,
) -> Comparison:
    """Compare `b` with `a`, aligned by case, repeats averaged before.

    | scores | interval | test |
    |---|---|---|
    | pass/fail (`binary`) | Tango | mid-p McNemar |
    | graded (`unit`) or unbounded (`real`) | paired t | sign-flip permutation of the mean |
    | any, in clusters | CR2 t with Satterthwaite df | sign flips of whole clusters |

    Wilcoxon is not offered: it rejects up to always when the mean difference is 0 but skewed. `margin` asks
    for the verdict `equivalent` (two one-sided tests at `alpha`). The interval has level 1 - alpha. Assumes
    that cases (clusters) are independent. Raises StatisticsError for missing, misaligned or out-of-range
    scores.
    """
    check_probability(alpha, "alpha")
    pairs = paired_scores(a, b, kind, clusters)
    return conclude(pairs, _tested(pairs, rng), margin=margin, alpha=alpha)


def conclude(pairs: Pairs, test: PairedTest, *, margin: float | None, alpha: float) -> Comparison:
    """What `compare_paired` says of checked pairs whose test was done."""
    interval = paired_difference(pairs).interval(1.0 - alpha)
    same = None if margin is None else equivalence(pairs, margin, alpha)
    comparison = Comparison(
        n=pairs.n,
        clusters=pairs.clusters,
        mean_a=float(pairs.first.mean()) if pairs.n else None,
        mean_b=float(pairs.second.mean()) if pairs.n else None,
        difference=interval.estimate,
        interval=interval,
        test=test.name,
        p=test.p,
        resolution=test.resolution,
        alpha=alpha,
        margin=margin,
        equivalence=same,
        verdict="inconclusive",
        warnings=(),
    )
    decided = replace(comparison, verdict=_verdict(comparison))
    return replace(decided, warnings=_warnings(pairs, decided))


def lower_is_better(comparison: Comparison) -> Comparison:
    """The same comparison of a measure such as latency or cost: a lower `b` is the better one."""
    turned = replace(comparison, higher_is_better=False)
    return replace(turned, verdict=_verdict(turned))


def adjust_comparisons(comparisons: Sequence[Comparison], method: Method = "holm") -> tuple[Comparison, ...]:
    """The comparisons of one family with adjusted p-values and the verdicts that follow from these.

    Tests of a difference and, where there is a margin, tests of equivalence are adjusted each among
    themselves; intervals stay as they are. Adjusting again starts from the raw p-values. A warning is added
    where no p could have been small enough, because random flips end at 1/10,001.
    """
    adjusted = adjust([comparison.p for comparison in comparisons], method)
    margins = [index for index, comparison in enumerate(comparisons) if comparison.equivalence is not None]
    same = dict(zip(margins, adjust([_equivalence_p(comparisons[i]) for i in margins], method), strict=True))
    family = len(comparisons)
    return tuple(
        _with_adjusted(comparison, method, (float(p), float(same.get(index, 1.0))), family)
        for index, (comparison, p) in enumerate(zip(comparisons, adjusted, strict=True))
    )


def _with_adjusted(
    comparison: Comparison, method: Method, p_values: tuple[float, float], family: int
) -> Comparison:
    p, equivalence_p = p_values
    warnings = tuple(warning for warning in comparison.warnings if not warning.startswith(_TOO_COARSE))
    if comparison.resolution <= comparison.alpha < comparison.resolution * family:
        warnings += (f"{_TOO_COARSE} {family} comparisons: its smallest p is {comparison.resolution:.2g}",)
    adjusted = replace(
        comparison,
        adjustment=method,
        p_adjusted=p,
        equivalence_p_adjusted=None if comparison.equivalence is None else equivalence_p,
        warnings=warnings,
    )
    return replace(adjusted, verdict=_verdict(adjusted))


def _equivalence_p(comparison: Comparison) -> float:
    return 1.0 if comparison.equivalence is None else comparison.equivalence.p


def mcnemar_test(pairs: Pairs) -> PairedTest:
    """The test of pass/fail pairs that no cluster joins."""
    gains, losses = pairs.discordant
    return PairedTest("mcnemar_midp", mcnemar_midp(gains, losses), mcnemar_midp(gains + losses, 0))


def flip_test(flipped: SignFlip, *, clustered: bool) -> PairedTest:
    """A sign-flip test by its name."""
    name = "cluster_sign_flip" if clustered else "sign_flip"
    return PairedTest(f"{name}_exact" if flipped.exact else name, flipped.p, flipped.resolution)


def _tested(pairs: Pairs, rng: np.random.Generator) -> PairedTest:
    if pairs.kind == "binary" and pairs.codes is None:
        return mcnemar_test(pairs)
    sums, _ = cluster_sums(pairs.differences, pairs.codes)
    return flip_test(sign_flip(sums, rng=rng), clustered=pairs.codes is not None)


def _verdict(comparison: Comparison) -> Verdict:
    if _is_equivalent(comparison):
        return "equivalent"
    p = comparison.p if comparison.p_adjusted is None else comparison.p_adjusted
    difference = comparison.difference
    if p > comparison.alpha or not comparison.interval.excludes(0.0) or difference is None:
        return "inconclusive"
    return "better" if (difference > 0.0) == comparison.higher_is_better else "worse"


def _is_equivalent(comparison: Comparison) -> bool:
    same, adjusted = comparison.equivalence, comparison.equivalence_p_adjusted
    if same is None or not same.equivalent:
        return False
    return adjusted is None or adjusted <= comparison.alpha


def _warnings(pairs: Pairs, comparison: Comparison) -> tuple[str, ...]:
    excludes, significant = comparison.interval.excludes(0.0), comparison.p <= comparison.alpha
    groups = comparison.clusters
    found = [
        (
            pairs.n < FEW_PAIRS,
            f"{pairs.n} pairs: below {FEW_PAIRS} a skewed difference can mislead every test",
        ),
        (groups == 1, "all pairs come from one cluster: nothing can be concluded beyond it"),
        (
            groups is not None and 1 < groups < FEW_CLUSTERS,
            f"{groups} clusters: below {FEW_CLUSTERS} the test has little power",
        ),
        (
            pairs.n > 0 and comparison.resolution > comparison.alpha,
            f"too few pairs differ to reach p <= {comparison.alpha:g}: "
            f"the smallest possible p is {comparison.resolution:.2g}",
        ),
        (pairs.n > 1 and _all_equal(pairs), "all differences are equal: their spread is unknown"),
        (
            comparison.interval.estimable and excludes != significant,
            "the test and the interval disagree: no verdict rests on one alone",
        ),
        (
            comparison.verdict == "equivalent" and excludes and significant,
            "the difference is real but smaller than the margin",
        ),
    ]
    return tuple(text for applies, text in found if applies)


def _all_equal(pairs: Pairs) -> bool:
    return float(np.ptp(pairs.differences)) <= 1e-12
