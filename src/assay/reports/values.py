"""What a report is made from and what it says, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from assay.domain.canaries import CanaryOutcome
from assay.domain.scores import MetricInfo
from assay.stats.comparison import Comparison
from assay.stats.estimates import Interval
from assay.stats.racing import Ending

_NO_VALUES = np.empty(0, dtype=np.float64)
_NO_CASES = np.empty(0, dtype=np.int32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CandidateData:
    """What is counted of one prompt x model. The counts are cells, all repeats together.

    `planned` = succeeded + failed + dead + cancelled + pending; `not_needed` of the cancelled cells were so
    because a race was decided without them. Tokens and costs are sums over the answers of
    which they are known, `unknown_tokens` and `unknown_costs` the answers of which they are not.
    `judge_calls` and `judge_cost_nanousd` are of the scores, `unknown_judge_costs` the scores whose cost is
    not known. `latency_ms` holds the answers that were not cached. `failures` counts failed and dead cells by
    their error code.
    """

    prompt: str
    model: str
    planned: int
    succeeded: int
    failed: int = 0
    dead: int = 0
    cancelled: int = 0
    not_needed: int = 0
    pending: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    cached: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    unknown_tokens: int = 0
    cost_nanousd: int = 0
    unknown_costs: int = 0
    judge_calls: int = 0
    judge_cost_nanousd: int = 0
    unknown_judge_costs: int = 0
    latency_ms: npt.NDArray[np.float64] = field(default_factory=lambda: _NO_VALUES)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MetricData:
    """The scores of one metric on one candidate.

    `case_no`, `value` and `cluster` are aligned, one entry a scored cell, repeats apart. A cluster code of -1
    is a case that shares its source with no other; None means that no case does. `planned` counts the cells
    that the metric was meant to score; those neither scored, failed, abstained nor skipped had no answer.
    """

    candidate: int
    metric: str
    info: MetricInfo
    case_no: npt.NDArray[np.int32]
    value: npt.NDArray[np.float64]
    planned: int
    cluster: npt.NDArray[np.int32] | None = None
    threshold: float | None = None
    failed: int = 0
    abstained: int = 0
    skipped: int = 0
    skipped_case_no: npt.NDArray[np.int32] = field(default_factory=lambda: _NO_CASES)
    """Cases of which the metric had nothing to say, such as a number where none is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSummary:
    """One metric on one candidate: its mean by case with interval, and how much of the plan stands behind it.

    `bounds`: the mean if every cell without a score (skipped ones apart) had scored 0, and if it had scored
    1; None for measures. `pass_rate` is the share of cases at the threshold, None without a threshold.
    """

    candidate: int
    metric: str
    info: MetricInfo
    threshold: float | None
    planned: int
    scored: int
    failed: int
    abstained: int
    skipped: int
    mean: Interval
    bounds: tuple[float, float] | None
    pass_rate: Interval | None
    passed: int | None

    @property
    def coverage(self) -> float | None:
        """Scored / planned; None when nothing was planned."""
        return self.scored / self.planned if self.planned else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateSummary:
    """One prompt x model: what it did, what it cost and how fast it was.

    `label` is unique and as short as the run allows. `cost_usd` and tokens are None when nothing is known;
    otherwise they are what is known, with the number of answers of which nothing is. Judges count apart.
    """

    label: str
    prompt: str
    model: str
    planned: int
    succeeded: int
    errors: int
    cancelled: int
    not_needed: int
    pending: int
    failures: Mapping[str, int]
    cached: int
    input_tokens: int | None
    output_tokens: int | None
    unknown_tokens: int
    cost_usd: float | None
    unknown_costs: int
    p50_ms: Interval
    p95_ms: Interval
    judge_calls: int = 0
    judge_cost_usd: float = 0.0
    unknown_judge_costs: int = 0

    @property
    def cost_per_answer_usd(self) -> float | None:
        """US dollars an answer, over the answers of which the cost is known."""
        known = self.succeeded - self.unknown_costs
        return None if self.cost_usd is None or known < 1 else self.cost_usd / known


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSummary:
    """Two candidates on the same cases of one metric. The difference is `first` minus `second`.

    `more_cases`: how many more would show the difference of interest with 80% power, given where the pair is
    inconclusive; 0 means that these cases would most likely have shown it.
    """

    metric: str
    first: int
    second: int
    comparison: Comparison
    sentence: str
    more_cases: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricVerdict:
    """What the comparisons of one quality metric amount to, in words.

    `pairs` were adjusted for one another (Holm). `best` is a candidate only if it was shown to be better than
    every other one that was compared.
    """

    metric: str
    sentence: str
    pairs: tuple[PairSummary, ...]
    best: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RaceCandidate:
    """One candidate in a race: how many cases were seen of it, why it was not asked more, what that saved.

    `saved_tokens` and `saved_usd` are estimates: cells that were not needed times the mean of those that ran;
    None where nothing is known.
    """

    candidate: int
    ending: Ending
    seen: int
    missing: int
    mean: float | None
    reason: str
    saved_cells: int
    saved_tokens: float | None
    saved_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RaceSummary:
    """What a race found. `winner` is None while it is not decided; `sentence` says what is guaranteed.

    `exact`: the full grid would choose the winner; else the winner or one at most `within` better. Both with
    probability 1 - `alpha`. What was saved is as for a candidate.
    """

    metric: str
    winner: int | None
    leader: int
    exact: bool
    within: float
    alpha: float
    cases: int
    candidates: tuple[RaceCandidate, ...]
    planned: int
    saved_cells: int
    saved_tokens: float | None
    saved_usd: float | None
    sentence: str
    savings: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A run in numbers: what all reports show. `race` is None where the whole grid was to be run.

    `canaries`: what its judges made of answers that deserve no good score.
    """

    title: str
    candidates: tuple[CandidateSummary, ...]
    metrics: tuple[MetricSummary, ...]
    verdicts: tuple[MetricVerdict, ...]
    headline: str
    warnings: tuple[str, ...]
    level: float = 0.95
    margin: float | None = None
    race: RaceSummary | None = None
    canaries: tuple[CanaryOutcome, ...] = ()

    @property
    def planned(self) -> int:
        """Cells of the whole grid."""
        return sum(candidate.planned for candidate in self.candidates)

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The metrics in the order of the suite."""
        return tuple(dict.fromkeys(each.metric for each in self.metrics))

    def metric_of(self, candidate: int, metric: str) -> MetricSummary | None:
        """One cell of the score table."""
        found = (each for each in self.metrics if each.candidate == candidate and each.metric == metric)
        return next(found, None)
