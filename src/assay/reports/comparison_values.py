"""What a comparison says, as frozen values: all faces show these."""

from dataclasses import dataclass
from typing import Literal

from assay.domain.scores import MetricInfo
from assay.reports.values import CandidateSummary
from assay.stats.comparison import Comparison
from assay.stats.estimates import Interval
from assay.stats.multiplicity import Method

Scheme = Literal["all_pairs", "counterparts", "baseline", "leader"]
"""Which pairs are compared: all; each with its namesake in the first job; each with a chosen one; each with
the one that leads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A case whose score differs between the sides of a pair; `case` is its number in the contest.

    Answers are those of all repeats, shortened; empty where they were not looked up.
    """

    case: int
    key: str
    before: float
    after: float
    answers_before: tuple[str, ...] = ()
    answers_after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """How the cases of a pair moved, better and worse in the sense of the metric, and the largest moves."""

    improved: int
    worsened: int
    same: int
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A candidate against a baseline: the difference is candidate minus baseline, the verdict speaks of the
    candidate.

    `absent` cases belong to the job of one side only. `skipped` ones were passed over by the metric.
    `unscored` ones belong to both, but one side or both have no score: `bounds` are the difference if all of
    these had gone against the candidate, and for it (quality metrics only). `more_cases` would show the
    difference of interest with 80% power, where the pair is inconclusive; 0: these cases would most likely
    have shown it. `regressed`: cases that got worse beyond what flaky answers do; None without repeats.
    """

    baseline: int
    candidate: int
    comparison: Comparison
    absent: int
    unscored: int
    skipped: int
    bounds: tuple[float, float] | None
    movement: Movement
    more_cases: int | None
    sentence: str
    regressed: tuple[str, ...] | None = None

    @property
    def tested(self) -> bool:
        """Whether there is a difference with an interval: without one no number counts."""
        return self.comparison.interval.estimable


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The tests that were adjusted for one another: `tests` of them, as a part of `size` possible ones.

    The two differ where the scores themselves chose the pairs: the others count too, with p = 1.
    """

    method: Method
    size: int
    tests: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentPair:
    """A pair on the cases of one tag; None: the cases without any."""

    tag: str | None
    cases: int
    baseline: int
    candidate: int
    comparison: Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """Pairs by tag. An exploration: adjusted among themselves, and no claim of the main comparison."""

    family: Family
    rows: tuple[SegmentPair, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RankRow:
    """A candidate's place: 1 is best; its true rank lies in [low, high], all these intervals together."""

    candidate: int
    mean: float
    rank: int
    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RankTable:
    """Candidates by rank, on the cases that all of them have a score of. Without rows `reason` says why."""

    rows: tuple[RankRow, ...]
    n: int
    method: str
    left_out: tuple[int, ...] = ()
    reason: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontRow:
    """A candidate's place between quality and cost (US dollars an answer).

    `probability`: how often it is on the front when cases are drawn anew. `dominated_by`: candidates that
    cost no more and are shown to be better.
    """

    candidate: int
    quality: float
    cost_usd: float
    on_front: bool
    probability: float
    dominated_by: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontTable:
    """The cost-quality front of one metric; without rows `reason` says why there is none."""

    metric: str
    rows: tuple[FrontRow, ...]
    n: int
    left_out: tuple[int, ...] = ()
    reason: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FlakyCase:
    """A case that both passed and failed."""

    key: str
    passes: int
    answers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """Chances over k answers to a case, as means by case: at least one passes, all pass."""

    k: int
    any_passes: Interval
    all_pass: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeatability:
    """How steady a member (prompt x model) is.

    `flake_rate`: the chance that two answers to a case disagree, mean by case. `flaky` are the cases that did
    both, the closest to even first; `repeated` is the number of cases with two answers or more.
    """

    member: str
    chances: tuple[Chance, ...]
    flake_rate: Interval
    repeated: int
    flaky: tuple[FlakyCase, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricComparison:
    """All that is said of one metric. `means` are aligned with the candidates, each over its own cases."""

    metric: str
    info: MetricInfo
    lower: bool
    means: tuple[Interval, ...]
    family: Family
    pairs: tuple[Pair, ...]
    ranking: RankTable | None
    segments: Segments | None
    repeats: tuple[Repeatability, ...]
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonReport:
    """A comparison in numbers and words."""

    title: str
    scheme: Scheme
    candidates: tuple[CandidateSummary, ...]
    jobs: tuple[int, ...]
    cases: int
    metrics: tuple[MetricComparison, ...]
    front: FrontTable | None
    headline: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    level: float
    margin: float | None

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the candidates, each once."""
        return tuple(candidate.label for candidate in self.candidates)
