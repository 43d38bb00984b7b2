"""Cases that share a source (a document, a user, a template) are not independent: errors that know it."""

import math
from dataclasses import dataclass

import numpy as np

from assay.stats.arrays import FloatArray, IntArray, Labels, Numbers, cluster_codes, finite_numbers
from assay.stats.errors import StatisticsError


@dataclass(frozen=True, slots=True)
class ClusterRobust:
    """Standard errors of a mean under clustering; CR1 and CR2 need two clusters (else None), `df` too."""

    mean: float
    n: int
    clusters: int
    naive: float
    cr0: float
    cr1: float | None
    cr2: float | None
    df: float | None


@dataclass(frozen=True, slots=True)
class Icc:
    """One-way analysis of variance of scores by cluster. `n0`: the average cluster size that enters `icc`."""

    ms_between: float
    ms_within: float
    n0: float
    icc: float


def cluster_robust(scores: Numbers, clusters: Labels) -> ClusterRobust:
    """Standard errors of the mean of clustered scores: naive, CR0, CR1, CR2 and Satterthwaite's df.

    With e_c the residual sum of cluster c of size n_c, n scores and G clusters:
    CR0^2 = sum e_c^2 / n^2 (Miller 2024, arXiv:2411.00640); CR1^2 = CR0^2 G/(G-1);
    CR2^2 = sum e_c^2 / (1 - n_c/n) / n^2 (Bell and McCaffrey 2002), unbiased when scores are independent.
    Assumes that clusters are independent. Raises StatisticsError for fewer than two scores.
    """
    values = finite_numbers(scores)
    n = values.size
    if n < 2:
        raise StatisticsError("a standard error needs at least two scores")
    codes = cluster_codes(clusters, n)
    sums, sizes = cluster_sums(values, codes)
    mean = float(values.mean())
    groups = sums.size
    cr0 = math.sqrt(float(np.sum((sums - sizes * mean) ** 2))) / n
    naive = float(values.std(ddof=1)) / math.sqrt(n)
    if groups < 2:
        return ClusterRobust(mean, n, groups, naive, cr0, None, None, None)
    _, cr2, df = mean_error(sums, sizes)
    return ClusterRobust(mean, n, groups, naive, cr0, cr0 * math.sqrt(groups / (groups - 1)), cr2, df)


def cluster_sums(values: FloatArray, codes: IntArray | None) -> tuple[FloatArray, FloatArray]:
    """Sum and size of each cluster; without codes each value is its own cluster."""
    if codes is None:
        return values, np.ones(values.size)
    sums = np.bincount(codes, weights=values).astype(np.float64)
    return sums, np.bincount(codes).astype(np.float64)


def mean_error(sums: FloatArray, sizes: FloatArray) -> tuple[float, float, float]:
    """Mean, CR2 standard error and Satterthwaite df from the sums and sizes of at least two clusters.

    With clusters of one case each these are the usual s/sqrt(n) and n - 1. The df is tr(A)^2 / |A|^2 for
    A = diag(a)(diag(n_c) - n_c n_c'/n)diag(a), a_c = (1 - n_c/n)^(-1/2) (Bell and McCaffrey 2002; Pustejovsky
    and Tipton 2018). Here tr(A) = n and the off-diagonal part has a closed form, so that it takes O(G).
    """
    n = float(sizes.sum())
    mean = float(sums.sum()) / n
    keep = 1.0 - sizes / n
    variance = float(np.sum((sums - sizes * mean) ** 2 / keep)) / (n * n)
    weight = sizes * sizes / keep
    off_diagonal = (float(weight.sum()) ** 2 - float(np.sum(weight * weight))) / (n * n)
    df = n * n / (float(np.sum(sizes * sizes)) + off_diagonal)
    return mean, math.sqrt(variance), df


def icc_anova(scores: Numbers, clusters: Labels) -> Icc:
    """Intraclass correlation by analysis of variance, ICC(1) for clusters of unequal size.

    (MSB - MSW) / (MSB + (n0 - 1) MSW) with n0 = (n - sum n_c^2 / n) / (G - 1). Source: Donner (1986).
    Needs two clusters, one of them with two cases; raises StatisticsError otherwise or for constant scores.
    """
    values = finite_numbers(scores)
    codes = cluster_codes(clusters, values.size)
    sums, sizes = cluster_sums(values, codes)
    n, groups = values.size, sums.size
    if groups < 2 or codes is None:
        raise StatisticsError("an intraclass correlation needs two clusters, one of them with two cases")
    means = sums / sizes
    between = float(np.sum(sizes * (means - values.mean()) ** 2)) / (groups - 1)
    within = float(np.sum((values - means[codes]) ** 2)) / (n - groups)
    n0 = (n - float(np.sum(sizes * sizes)) / n) / (groups - 1)
    total = between + (n0 - 1.0) * within
    if total <= 0.0:
        raise StatisticsError("the scores are constant: no intraclass correlation")
    return Icc(between, within, n0, (between - within) / total)


def design_effect(icc: float, cluster_size: float) -> float:
    """How many times the variance of a mean grows by clustering: 1 + (m - 1) ICC (Kish 1965)."""
    return 1.0 + (cluster_size - 1.0) * icc
