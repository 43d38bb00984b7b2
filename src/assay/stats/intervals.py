"""The error bar of a score: the right interval for the kind of score, its number and its clusters."""

from assay.stats.arrays import (
    FloatArray,
    IntArray,
    Kind,
    Labels,
    Numbers,
    check_probability,
    cluster_codes,
    scores_of_kind,
)
from assay.stats.bootstrap import bca_bootstrap
from assay.stats.clusters import ClusterRobust, cluster_robust, cluster_sums, mean_error
from assay.stats.distributions import t_quantile
from assay.stats.estimates import Interval, not_estimable
from assay.stats.means import (
    effective_n,
    is_constant,
    plus_two_t,
    t_interval,
    too_few,
    wilson_effective_n,
)
from assay.stats.order_statistics import quantile_interval
from assay.stats.proportions import agresti_coull, clopper_pearson, jeffreys, wilson, wilson_bounds

__all__ = [
    "ClusterRobust",
    "Interval",
    "Kind",
    "agresti_coull",
    "bca_bootstrap",
    "clopper_pearson",
    "cluster_robust",
    "jeffreys",
    "plus_two_t",
    "quantile_interval",
    "score_interval",
    "t_interval",
    "wilson",
    "wilson_effective_n",
]

# From here on the plus-two t is no better than Wilson with effective n, and wider.
LARGE_SAMPLE = 100


def score_interval(
    scores: Numbers, *, kind: Kind, clusters: Labels | None = None, level: float = 0.95
) -> Interval:
    """The default interval of a mean score: one score a case, repeats averaged before.

    | scores | method |
    |---|---|
    | pass/fail (`binary`) | `wilson` |
    | graded in [0, 1] (`unit`), fewer than 100 | `plus_two_t` |
    | graded in [0, 1], 100 or more | `wilson_effective_n` |
    | either, in clusters | `cr2_wilson`: CR2 error, Satterthwaite df, Wilson with effective n |
    | unbounded (`real`) | `t`, in clusters `cr2_t` |

    Scores in [0, 1] never get a bar of zero width. Fewer than two scores, one cluster, or constant unbounded
    values are not estimable, with the reason. Clusters of one case each count as no clusters. Missing scores
    raise StatisticsError: leave failures out and show `bounds_with_failures` beside the interval.
    """
    check_probability(level, "level")
    values = scores_of_kind(scores, kind)
    codes = cluster_codes(clusters, values.size)
    if codes is not None:
        return _clustered(values, codes, kind, level)
    if values.size < 2:
        return too_few(values, level, _simple_method(kind))
    if kind == "binary":
        return wilson(int(values.sum()), values.size, level=level)
    if kind == "real":
        return t_interval(values, level=level)
    if values.size < LARGE_SAMPLE:
        return plus_two_t(values, level=level)
    return wilson_effective_n(values, level=level)


def _simple_method(kind: Kind) -> str:
    return {"binary": "wilson", "unit": "plus_two_t", "real": "t"}[kind]


def _clustered(values: FloatArray, codes: IntArray, kind: Kind, level: float) -> Interval:
    method = "cr2_t" if kind == "real" else "cr2_wilson"
    sums, sizes = cluster_sums(values, codes)
    n, groups = values.size, sums.size
    estimate = float(values.mean())
    if groups < 2:
        return not_estimable(
            "all scores come from one cluster: at least two are needed",
            estimate=estimate,
            level=level,
            method=method,
            n=n,
            clusters=groups,
        )
    _, error, df = mean_error(sums, sizes)
    quantile = t_quantile((1.0 + level) / 2.0, df)
    if kind != "real":
        low, high = wilson_bounds(estimate, effective_n(estimate, error, fallback=groups), quantile)
    elif is_constant(sums / sizes):
        return not_estimable(
            "all clusters have the same mean: their spread is unknown",
            estimate=estimate,
            level=level,
            method=method,
            n=n,
            clusters=groups,
        )
    else:
        low, high = estimate - quantile * error, estimate + quantile * error
    return Interval(
        estimate=estimate, low=low, high=high, level=level, method=method, n=n, df=df, clusters=groups
    )
