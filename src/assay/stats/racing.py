"""Racing: find the best of k candidates on a data set without asking all of them all of it.

The target is the candidate that the full grid on these cases would choose, or one at most `eps` worse. The
case order must be a uniform shuffle. Evidence is that of `pair_evidence`, with threshold (k - 1) / alpha:
only the best candidate needs protection, against k - 1 rivals. So the promise holds with probability
1 - alpha whatever the scores are, whatever the order in which they arrive and however often one looks.

(a) j is out when some i has shown to be better; (b) h wins when it was shown to be less than eps worse than
each that is not out; (c) the leader or its closest challenger is asked next, whichever has seen fewer cases
(LUCB, Kalyanakrishnan et al. 2012); (d) after all cases the larger total wins, of equal ones the earlier.

All of it is a function of the scores that are there, so that a race can be taken up again from them.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from assay.stats.arrays import FloatArray, check_probability
from assay.stats.errors import StatisticsError
from assay.stats.pair_evidence import Numbers, PairEvidence

Ending = Literal["won", "beaten", "close", "open"]
"""`close`: another was chosen that is less than eps worse, if it is; `open`: the race is not decided."""

_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Stretch:
    """Ask `candidate` the cases at positions `first` to `last` - 1 of the shuffled order."""

    candidate: int
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One candidate in a race.

    `seen` cases count as evidence, `missing` of them without a full score. `beaten_by` and `beaten_after` say
    who was shown to be better and on how many common cases. `log_evidence`: of the winner (or the leader)
    against this one, that it is not worse by eps or more; infinite where it is certain.
    """

    candidate: int
    ending: Ending
    seen: int
    missing: int
    mean: float | None
    beaten_by: int | None = None
    beaten_after: int | None = None
    log_evidence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RaceResult:
    """How a race stands. `winner` is None until it is decided; `leader` has the best mean so far.

    `exact`: all others were beaten, so that the full grid would choose the winner; else it would choose the
    winner or one that is at most `eps` better. Both with probability 1 - `alpha`.
    """

    winner: int | None
    leader: int
    exact: bool
    alpha: float
    eps: float
    n_cases: int
    log_threshold: float
    standings: tuple[Standing, ...]

    @property
    def seen(self) -> int:
        """Scores of single cases that were looked at, over all candidates."""
        return sum(each.seen for each in self.standings)

    @property
    def saved(self) -> float:
        """The share of the full grid that was not needed."""
        return 1.0 - self.seen / (self.n_cases * len(self.standings))


class Race:
    """A race of `k` candidates over `n_cases` cases in one shuffled order.

    Memory: 17 bytes for each candidate and case that was seen, and 112 for each ordered pair of candidates.
    Raises StatisticsError for fewer than two candidates or impossible settings.
    """

    def __init__(
        self, k: int, n_cases: int, *, alpha: float = 0.05, eps: float = 0.02, batch: int = 25
    ) -> None:
        if k < 2:
            raise StatisticsError(f"a race needs at least two candidates, not {k}")
        if n_cases < 1 or batch < 1:
            raise StatisticsError("a race needs at least one case, and batches of at least one")
        check_probability(alpha, "alpha")
        if not 0.0 <= eps < 1.0:
            raise StatisticsError(f"eps must lie in [0, 1), not {eps}")
        self._k, self._n_cases, self._batch, self._alpha, self._eps = k, n_cases, batch, alpha, eps
        # Zeros that nobody wrote to take no memory: what is never asked costs nothing.
        self._low: FloatArray = np.zeros((k, n_cases))
        self._high: FloatArray = np.zeros((k, n_cases))
        self._known = np.zeros((k, n_cases), dtype=np.bool_)
        self._seen: Numbers = np.zeros(k, dtype=np.int64)
        self._opened = [0] * k
        self._log_threshold = float(np.log((k - 1) / alpha))
        self._pairs = PairEvidence(k, n_cases, eps=eps, log_threshold=self._log_threshold)
        self._sums, self._scored = [0.0] * k, [0] * k
        self._out = [False] * k

    @property
    def opened(self) -> tuple[int, ...]:
        """How many cases each candidate was handed by `next`, or told of."""
        return tuple(self._opened)

    def update(self, candidate: int, position: int, score: float, upper: float | None = None) -> None:
        """Take in the score of a case, in any order and more than once.

        `upper` makes it an interval: 0 and 1 for a case that failed, since its score would lie between them.
        Raises StatisticsError outside [0, 1]: without bounds there is no guarantee.
        """
        high = score if upper is None else upper
        if not -_SLACK <= score <= high <= 1.0 + _SLACK:
            raise StatisticsError(f"a race needs scores in [0, 1], not {score} to {high}")
        self._put(candidate, position, min(max(score, 0.0), 1.0), min(max(high, 0.0), 1.0))

    def skip(self, candidate: int, position: int) -> None:
        """Take in that a case has no score by its nature; a draw where both of a pair skip it."""
        self._put(candidate, position, np.nan, np.nan)

    def note_opened(self, candidate: int, position: int) -> None:
        """Take note that a case was handed out, by a race before this one."""
        self._opened[candidate] = max(self._opened[candidate], position + 1)

    def next(self) -> tuple[Stretch, ...]:
        """What to ask next: empty when the race is decided, or waits for what was handed out.

        May be called before earlier stretches have their scores; what it hands out then is a guess, that can
        cost calls but no certainty.
        """
        self._settle()
        if self._winner() is not None:
            return ()
        active = self._active()
        if any(self._seen[c] < min(self._batch, self._n_cases) for c in active):
            chosen = self._least_opened(active)
            return self._hand_out(chosen[:1] if self._opened[active[0]] else chosen)
        leader = self._leader(active)
        for rival in sorted(active, key=lambda c: (self._pairs.log_e_close[leader, c], c)):
            if rival == leader or self._pairs.close_at[leader, rival]:
                continue
            chosen = self._least_opened([leader, rival])
            if chosen:
                return self._hand_out(chosen)
        return ()

    def result(self) -> RaceResult:
        """How the race stands."""
        self._settle()
        winner = self._winner()
        best = self._leader(self._active())
        chosen = best if winner is None else winner
        standings = tuple(self._standing(c, chosen, winner) for c in range(self._k))
        exact = winner is not None and all(self._out[c] for c in range(self._k) if c != winner)
        return RaceResult(
            winner=winner,
            leader=best,
            exact=exact,
            alpha=self._alpha,
            eps=self._eps,
            n_cases=self._n_cases,
            log_threshold=self._log_threshold,
            standings=standings,
        )

    def _put(self, candidate: int, position: int, low: float, high: float) -> None:
        if not (0 <= candidate < self._k and 0 <= position < self._n_cases):
            raise StatisticsError(f"there is no candidate {candidate} with a case {position}")
        if position < self._seen[candidate]:
            return  # it is part of the evidence already
        self._low[candidate, position], self._high[candidate, position] = low, high
        self._known[candidate, position] = True
        self._opened[candidate] = max(self._opened[candidate], position + 1)

    def _settle(self) -> None:
        """Count as seen what is known from the first case on without a gap, and bet on it."""
        moved = False
        for candidate in range(self._k):
            first, last = int(self._seen[candidate]), self._opened[candidate]
            if first == last:
                continue
            known = self._known[candidate, first:last]
            run = known.size if known.all() else int(known.argmin())
            self._seen[candidate] += run
            self._sum_up(candidate, slice(first, first + run))
            moved = moved or run > 0
        if moved:
            self._pairs.extend(self._low, self._high, self._seen)
            self._out = _beaten(self._pairs.beaten_at)

    def _sum_up(self, candidate: int, new: slice) -> None:
        middle = (self._low[candidate, new] + self._high[candidate, new]) / 2
        scored = middle[~np.isnan(middle)]
        self._sums[candidate] += float(scored.sum())
        self._scored[candidate] += scored.size

    def _active(self) -> list[int]:
        return [candidate for candidate in range(self._k) if not self._out[candidate]]

    def _winner(self) -> int | None:
        """Who was shown to be close to each that is not out. Once there is one there always is."""
        rows = (self._pairs.close_at > 0) | np.asarray(self._out) | np.eye(self._k, dtype=np.bool_)
        found = [int(h) for h in np.flatnonzero(rows.all(axis=1))]
        standing = [h for h in found if not self._out[h]]
        return self._leader(standing or found) if found else None

    def _leader(self, candidates: list[int]) -> int:
        return max(candidates, key=lambda c: (-1.0 if (mean := self._mean(c)) is None else mean, -c))

    def _mean(self, candidate: int) -> float | None:
        """The mean of what was seen, a missing score in the middle of its bounds; only choices rest on it."""
        scored = self._scored[candidate]
        return self._sums[candidate] / scored if scored else None

    def _least_opened(self, candidates: list[int]) -> list[int]:
        """Those of whom the fewest cases were asked, if any are left to ask."""
        fewest = min(self._opened[c] for c in candidates)
        return [c for c in candidates if self._opened[c] == fewest < self._n_cases]

    def _hand_out(self, candidates: list[int]) -> tuple[Stretch, ...]:
        stretches = []
        for candidate in candidates:
            first = self._opened[candidate]
            self._opened[candidate] = min(first + self._batch, self._n_cases)
            stretches.append(Stretch(candidate, first, self._opened[candidate]))
        return tuple(stretches)

    def _standing(self, candidate: int, chosen: int, winner: int | None) -> Standing:
        beaten = self._pairs.beaten_at[:, candidate]
        by = None
        if self._out[candidate]:
            by = min((int(n), c) for c, n in enumerate(beaten) if n > 0)[1]
        ending: Ending = "open" if winner is None else "close"
        if candidate == winner:
            ending = "won"
        elif by is not None:
            ending = "beaten"
        seen = int(self._seen[candidate])
        gap = self._high[candidate, :seen] - self._low[candidate, :seen]
        return Standing(
            candidate=candidate,
            ending=ending,
            seen=seen,
            missing=int(np.count_nonzero(gap > 0)),
            mean=self._mean(candidate),
            beaten_by=by,
            beaten_after=None if by is None else int(beaten[by]),
            log_evidence=None if candidate == chosen else float(self._pairs.log_e_close[chosen, candidate]),
        )


def _beaten(beaten_at: Numbers) -> list[bool]:
    """Whether each is out; should all be (which alpha allows), the last one that was shown is not."""
    never = np.iinfo(np.int64).max
    first = np.where(beaten_at > 0, beaten_at, never).min(axis=0)
    out = first < never
    if out.all():
        out[int(first.argmax())] = False
    return [bool(each) for each in out]
