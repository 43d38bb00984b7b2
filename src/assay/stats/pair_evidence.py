"""Evidence that one candidate beats another on a finite data set, valid however often it is looked at.

For "i beats j" on N cases in random order, d_t = x_it - x_jt in [-1, 1] and S = sum of d over t seen cases:

    m0   = -S / (N - t)                  the most that the mean of the rest is, if i is not better in all
    meps = m0 - eps N / (N - t)          the same, if i is worse than j by eps or more
    lam  = min(stake N / (N - t), .95 / (1 + m0))
    W0  <- W0 (1 + lam (d - m0)),        Weps <- Weps (1 + lam (d - meps))

and E is the mean of W over four stakes. Under its null hypothesis E is a nonnegative supermartingale, since
the rest of a shuffled data set has that mean at most: P(E is ever >= c) <= 1/c (Ville 1939). Both processes
bet the same stakes, so that Eps >= E0 path by path and one union bound covers both. Betting without
replacement: Waudby-Smith and Ramdas 2020, 2024. Beside it stands plain arithmetic: a lead that the rest
cannot undo is certain.

A case without a score is an interval [low, high]; "i beats j" then takes low of i and high of j, the worst
for what is claimed: a claim holds whatever the missing scores would have been.
"""

import numpy as np
import numpy.typing as npt

from assay.stats.arrays import FloatArray

STAKES = np.geomspace(0.1, 0.6, 4)
LARGEST_LOSS = 0.95
"""The share of its wealth that a bet can lose at most."""
ROUNDING = 1e-9
"""What sums of scores may be off by."""
BLOCK = 1 << 16
"""Pairs x cases that are worked on at once: bounds the memory."""

Numbers = npt.NDArray[np.int64]


class PairEvidence:
    """The processes of all ordered pairs of `k` candidates; row beats column.

    `beaten_at`, `close_at`: after how many common cases it was shown that the row is better than the column,
    and that it is less than `eps` worse; 0 while it is not.
    """

    def __init__(self, k: int, n_cases: int, *, eps: float, log_threshold: float) -> None:
        self._n_cases, self._eps, self._log_threshold = n_cases, eps, log_threshold
        self.cases: Numbers = np.zeros((k, k), dtype=np.int64)
        self.total: FloatArray = np.zeros((k, k))
        self.log_e: FloatArray = np.zeros((k, k))
        self.log_e_close: FloatArray = np.zeros((k, k))
        self.beaten_at: Numbers = np.zeros((k, k), dtype=np.int64)
        self.close_at: Numbers = np.zeros((k, k), dtype=np.int64)
        self._wealth: FloatArray = np.zeros((k, k, STAKES.size))
        self._wealth_close: FloatArray = np.zeros((k, k, STAKES.size))

    def extend(self, low: FloatArray, high: FloatArray, seen: Numbers) -> None:
        """Take in what is new: bounds of scores by candidate and position, and how many of each are seen."""
        common = np.minimum.outer(seen, seen)
        np.fill_diagonal(common, 0)
        first, second = np.nonzero(common > self.cases)
        spans = np.stack([self.cases[first, second], common[first, second]], axis=1)
        for start, end in np.unique(spans, axis=0):
            chosen = (spans == (start, end)).all(axis=1)
            pairs = first[chosen], second[chosen]
            step = max(1, BLOCK // pairs[0].size)
            for begin in range(start, end, step):
                self._bet(pairs, low, high, (begin, min(begin + step, end)))

    def _bet(
        self,
        pairs: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]],
        low: FloatArray,
        high: FloatArray,
        span: tuple[int, int],
    ) -> None:
        begin, end = span
        d = differences(low[pairs[0], begin:end], high[pairs[1], begin:end])
        after = self.total[pairs][:, None] + np.cumsum(d, axis=1)
        left = (self._n_cases - np.arange(begin, end)).astype(np.float64)
        null = (d - after) / left
        cap = LARGEST_LOSS / np.maximum(1.0 + null, 1e-12)
        stakes = np.minimum(STAKES * (self._n_cases / left)[:, None], cap[:, :, None])
        lead = after - (left - 1.0)
        earlier = (pairs[0] < pairs[1])[:, None]
        certain = np.where(earlier, lead >= -ROUNDING, lead > ROUNDING)
        close = lead + self._eps * self._n_cases >= -ROUNDING
        wealth, wealth_close = self._wealth, self._wealth_close
        log_e = _grow(wealth, pairs, stakes * (d - null)[:, :, None])
        log_e_close = log_e
        if self._eps:
            gain = d - null + self._eps * self._n_cases / left
            log_e_close = _grow(wealth_close, pairs, stakes * gain[:, :, None])
        self._note(self.beaten_at, pairs, certain | (log_e >= self._log_threshold), begin)
        self._note(self.close_at, pairs, close | certain | (log_e_close >= self._log_threshold), begin)
        self.log_e[pairs] = np.where(certain[:, -1], np.inf, log_e[:, -1])
        self.log_e_close[pairs] = np.where(close[:, -1], np.inf, log_e_close[:, -1])
        self.total[pairs], self.cases[pairs] = after[:, -1], end

    @staticmethod
    def _note(
        when: Numbers,
        pairs: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]],
        shown: npt.NDArray[np.bool_],
        begin: int,
    ) -> None:
        new = shown.any(axis=1) & (when[pairs] == 0)
        when[pairs] = np.where(new, begin + 1 + shown.argmax(axis=1), when[pairs])


def differences(low: FloatArray, high: FloatArray) -> FloatArray:
    """Score of one minus score of the other, at the worst for the one.

    NaN is a case that was skipped: by both it is a draw, by one of them it is the worst there can be.
    """
    found = low - high
    if not np.isnan(found).any():
        return found
    both = np.isnan(low) & np.isnan(high)
    return np.where(both, 0.0, np.where(np.isnan(found), -1.0, found))


def _grow(
    wealth: FloatArray, pairs: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]], gains: FloatArray
) -> FloatArray:
    """Log wealth after each case of a block, averaged over the stakes; `wealth` is moved to its end."""
    logs = wealth[pairs][:, None, :] + np.cumsum(np.log1p(gains), axis=1)
    wealth[pairs] = logs[:, -1]
    top = logs.max(axis=2)
    mean: FloatArray = top + np.log(np.exp(logs - top[:, :, None]).mean(axis=2))
    return mean
