"""Several candidates scored on the same cases: their means and how these vary together."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.stats.arrays import FloatArray, Labels, check_probability, cluster_codes
from assay.stats.clusters import cluster_sums, mean_error
from assay.stats.distributions import t_cdf, t_quantile
from assay.stats.errors import StatisticsError

DRAWS = 4_000

# A difference whose variance is below this share of the candidates' own is rounding, not spread.
_NO_SPREAD = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Mean of each candidate and the covariance matrix of these means.

    The mean score of each case was taken off before `covariance` was computed: differences between
    candidates are what counts, and they keep more digits so. `df` and `covariance` (all 0) know nothing where
    there is only one independent source: `df` is then None.
    """

    means: FloatArray
    covariance: FloatArray
    n: int
    clusters: int | None
    df: float | None
    rounding: float
    bounded: bool

    @property
    def errors(self) -> FloatArray:
        """Standard error of each difference of two candidates; 0 where the difference does not vary."""
        own = np.diag(self.covariance)
        both = own[:, None] + own[None, :]
        variance = both - 2.0 * self.covariance
        least = np.maximum(_NO_SPREAD * both, self.rounding**2 / self.n)
        return np.sqrt(np.where(variance <= least, 0.0, variance))

    @property
    def differences(self) -> FloatArray:
        """Mean of the row's candidate less that of the column's; exactly 0 where only rounding differs."""
        differences = self.means[:, None] - self.means[None, :]
        return np.where(np.abs(differences) <= self.rounding, 0.0, differences)

    @property
    def constant_t(self) -> FloatArray:
        """t statistics, df + 2, of differences that are equal in all cases; 0 for all other pairs.

        They are those of plus-two t: one difference of -1 and one of +1 are added (as clusters of mean size).
        A difference of unbounded scores without spread stays without evidence: 0.
        """
        if self.df is None or not self.bounded:
            return np.zeros_like(self.covariance)
        sources = self.n if self.clusters is None else self.clusters
        constant = np.where(self.errors > 0.0, 0.0, self.differences)
        centre = constant * sources / (sources + 2.0)
        square = (sources * constant**2 + 2.0) / (sources + 2.0) - centre**2
        return np.asarray(centre / np.sqrt(square / (sources + 1.0)), dtype=np.float64)

    @property
    def p_above(self) -> FloatArray:
        """One-sided p of H0 "the row's candidate is at most as good as the column's"; 1 without evidence."""
        p = np.ones_like(self.covariance)
        if self.df is None:
            return p
        differences, errors, constant = self.differences, self.errors, self.constant_t
        for pair in np.ndindex(p.shape):
            if errors[pair] > 0.0:
                p[pair] = t_cdf(-float(differences[pair] / errors[pair]), self.df)
            elif constant[pair] != 0.0:
                p[pair] = t_cdf(-float(constant[pair]), self.df + 2.0)
        return p


def score_matrix(matrix: npt.ArrayLike, name: str = "scores") -> FloatArray:
    """`matrix` as floats of shape (candidates, cases); StatisticsError if empty, ragged or not finite."""
    try:
        array = np.asarray(matrix, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise StatisticsError(f"{name} must be numbers, one row a candidate: {error}") from error
    if array.ndim != 2 or array.size == 0:
        raise StatisticsError(f"{name} must have candidates and cases, not the shape {array.shape}")
    broken = int(np.count_nonzero(~np.isfinite(array)))
    if broken:
        raise StatisticsError(
            f"{name}: {broken} of {array.size} values are missing or infinite; "
            "keep the cases that every candidate has a score for"
        )
    return array


def candidates_of(scores: FloatArray, clusters: Labels | None = None) -> Candidates:
    """Means and their covariance, clustered as CR2 (Bell and McCaffrey 2002), df as Satterthwaite's.

    With e_ic the residual sum of candidate i in cluster c of n_c of the n cases, the covariance of i and j is
    sum_c e_ic e_jc / (1 - n_c/n) / n^2; without clusters the usual sample covariance / n.
    """
    n = scores.shape[1]
    codes = cluster_codes(clusters, n)
    groups = n if codes is None else int(codes.max()) + 1
    means = scores.mean(axis=1)
    known = None if codes is None else groups
    rounding = 1e-12 * float(np.abs(scores).max())
    bounded = bool(scores.min() >= 0.0 and scores.max() <= 1.0)
    if groups < 2:
        return Candidates(means, np.zeros((means.size, means.size)), n, known, None, rounding, bounded)
    residuals = scores - scores.mean(axis=0)
    residuals -= residuals.mean(axis=1, keepdims=True)
    if codes is None:
        covariance = residuals @ residuals.T / (n * (n - 1.0))
        return Candidates(means, covariance, n, None, n - 1.0, rounding, bounded)
    sums = np.array([cluster_sums(row, codes)[0] for row in residuals])
    sizes = np.bincount(codes).astype(np.float64)
    weighted = sums / np.sqrt(1.0 - sizes / n)
    _, _, df = mean_error(sums[0], sizes)
    return Candidates(means, weighted @ weighted.T / (n * n), n, known, df, rounding, bounded)


def max_t_critical(
    candidates: Candidates, *, alpha: float, rng: np.random.Generator, draws: int = DRAWS
) -> float | None:
    """The size that |difference| / error of any pair of equal candidates exceeds with probability `alpha`.

    The 1 - alpha quantile of the maximum over all pairs, over `draws` from N(0, covariance) divided by
    sqrt(chi^2_df / df), so that short samples get the tails of t. Two candidates need no draws: t's quantile.
    None where no difference varies. Source: Hothorn, Bretz and Westfall (2008), Biometrical Journal 50:346.
    """
    check_probability(alpha, "alpha")
    errors, df = candidates.errors, candidates.df
    if df is None or not np.any(errors > 0.0):
        return None
    if candidates.means.size == 2:
        return t_quantile(1.0 - alpha / 2.0, df)
    # In the order of the means, and by the symmetric root: the order of the rows then changes nothing.
    order = np.argsort(candidates.means, kind="stable")
    values, vectors = np.linalg.eigh(candidates.covariance[np.ix_(order, order)])
    root = vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
    means = (root @ rng.standard_normal((order.size, draws))) / np.sqrt(rng.chisquare(df, draws) / df)
    return float(np.quantile(_largest(means, errors[np.ix_(order, order)]), 1.0 - alpha))


def _largest(means: FloatArray, errors: FloatArray) -> FloatArray:
    """Of each draw the largest |difference| / error; a loop over candidates keeps the memory small."""
    scale = np.zeros_like(errors)
    np.divide(1.0, errors, out=scale, where=errors > 0.0)
    largest = np.zeros(means.shape[1])
    for index in range(means.shape[0] - 1):
        scaled = np.abs(means[index + 1 :] - means[index]) * scale[index + 1 :, index, None]
        np.maximum(largest, scaled.max(axis=0), out=largest)
    return largest
