"""From tables of scores to a comparison: paired by case, clustered, adjusted, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.domain.errors import InvalidInput
from assay.reports.adjustment import adjust_family
from assay.reports.changes import movement_of
from assay.reports.comparison_cautions import comparison_cautions
from assay.reports.comparison_values import ComparisonReport, Family, MetricComparison, Pair, Segments
from assay.reports.comparison_words import family_text, metric_sentence, outlook, pair_sentence
from assay.reports.contest import Contest, MetricTable
from assay.reports.front import front_table
from assay.reports.pairing import Pairing, choose_pairing, family_size, pairs_of
from assay.reports.pairs import DIFFERENCE_OF_INTEREST
from assay.reports.ranking import rank_table
from assay.reports.repeatability import regressed_cases, repeatability
from assay.reports.segments import segments_of
from assay.stats.comparison import Comparison
from assay.stats.comparisons import ScoreTable, compare_many
from assay.stats.estimates import Interval
from assay.stats.intervals import score_interval
from assay.stats.paired import paired_difference, paired_scores
from assay.stats.power import PairedVariance, cases_needed

TOP_CHANGES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked of a comparison.

    `margin`: a difference of scores that does not matter. `baseline`: the candidate that all others are
    compared with; None chooses. `by_tag`: pairs by tag as well, of `tags` or of all (None). `top`: how many
    changed cases of a pair are listed. `rng` decides the random sign flips: the same seed, the same report.
    """

    rng: np.random.Generator
    level: float = 0.95
    margin: float | None = None
    baseline: int | None = None
    by_tag: bool = False
    tags: tuple[str, ...] | None = None
    top: int = TOP_CHANGES

    @property
    def alpha(self) -> float:
        """The chance of a false claim that is accepted."""
        return 1.0 - self.level

    @property
    def delta(self) -> float:
        """The difference that more cases are planned for."""
        return self.margin or DIFFERENCE_OF_INTEREST


def compare_contest(
    contest: Contest, wish: Wish, *, title: str, notes: Sequence[str] = ()
) -> ComparisonReport:
    """Compare the candidates of a contest on every metric of it.

    Raises InvalidInput for fewer than two candidates, StatisticsError for scores out of the range of their
    metric. Where too little is known a pair is inconclusive and says why.
    """
    if len(contest.candidates) < 2:
        raise InvalidInput(
            "there is one candidate only: nothing to compare it with", remedy="Name a second job."
        )
    pairing = choose_pairing(contest, wish.baseline)
    tables = [_score_table(table, pairs_of(pairing, contest, table), wish) for table in contest.metrics]
    found = compare_many(tables, clusters=contest.clusters, alpha=wish.alpha, rng=wish.rng)
    segments: Sequence[Segments | None] = [None] * len(tables)
    if wish.by_tag:
        segments = segments_of(contest, tables, wish.tags, alpha=wish.alpha, rng=wish.rng)
    metrics = tuple(
        _metric(contest, number, pairing, wish, (tables[number], found[number], segments[number]))
        for number in range(len(tables))
    )
    front = front_table(contest, alpha=wish.alpha, rng=wish.rng)
    return ComparisonReport(
        title=title,
        scheme=pairing.scheme,
        candidates=contest.candidates,
        jobs=contest.jobs,
        cases=len(contest.cases),
        metrics=metrics,
        front=front,
        headline=_headline(metrics),
        notes=tuple(notes),
        warnings=comparison_cautions(contest, metrics),
        level=wish.level,
        margin=wish.margin,
    )


def _score_table(table: MetricTable, pairs: Sequence[tuple[int, int]], wish: Wish) -> ScoreTable:
    margin = None if table.kind == "real" else wish.margin
    return ScoreTable(scores=table.value, kind=table.kind, pairs=pairs, margin=margin, lower=table.lower)


def _metric(
    contest: Contest,
    number: int,
    pairing: Pairing,
    wish: Wish,
    found: tuple[ScoreTable, Sequence[Comparison], Segments | None],
) -> MetricComparison:
    table, (scores, comparisons, segments) = contest.metrics[number], found
    tested = [pair for pair, each in zip(scores.pairs, comparisons, strict=True) if each.interval.estimable]
    size = family_size(pairing, tested, table)
    family = Family(
        method="holm",
        size=size,
        tests=len(tested),
        text=family_text(pairing.scheme, "holm", size, len(tested)),
    )
    adjusted = adjust_family(comparisons, size, "holm")
    pairs = tuple(
        _pair(contest, table, sides, comparison, wish)
        for sides, comparison in zip(scores.pairs, adjusted, strict=True)
    )
    return MetricComparison(
        metric=table.metric,
        info=table.info,
        lower=table.lower,
        means=tuple(_mean(contest, table, row, wish.level) for row in range(len(contest.candidates))),
        family=family,
        pairs=pairs,
        ranking=rank_table(contest, table, alpha=wish.alpha, rng=wish.rng),
        segments=segments,
        repeats=tuple(repeatability(contest, table, level=wish.level)),
        sentence=metric_sentence(table.metric, pairing.scheme, pairs, contest.labels),
    )


def _mean(contest: Contest, table: MetricTable, row: int, level: float) -> Interval:
    known = ~np.isnan(table.value[row])
    clusters = None if contest.clusters is None else contest.clusters[known]
    return score_interval(table.value[row][known], kind=table.kind, clusters=clusters, level=level)


def _pair(
    contest: Contest, table: MetricTable, sides: tuple[int, int], comparison: Comparison, wish: Wish
) -> Pair:
    baseline, candidate = sides
    before, after = table.value[baseline], table.value[candidate]
    shared = contest.takes[baseline] & contest.takes[candidate]
    either = contest.takes[baseline] | contest.takes[candidate]
    skipped = np.zeros_like(shared)
    if table.skipped is not None:
        skipped = shared & (table.skipped[baseline] | table.skipped[candidate])
    unscored = int(shared.sum()) - int(skipped.sum()) - comparison.n
    more_cases = _more_cases(contest, table, sides, comparison, wish)
    names = contest.labels[candidate], contest.labels[baseline]
    sentence = pair_sentence(table.metric, names, comparison, table.info)
    return Pair(
        baseline=baseline,
        candidate=candidate,
        comparison=comparison,
        absent=int(either.sum()) - int(shared.sum()),
        unscored=unscored,
        skipped=int(skipped.sum()),
        bounds=_bounds(table, comparison, unscored),
        movement=movement_of(contest, before, after, lower=table.lower, top=wish.top),
        more_cases=more_cases,
        sentence=sentence + outlook(more_cases, wish.delta),
        regressed=regressed_cases(contest, table, sides, alpha=wish.alpha),
    )


def _bounds(table: MetricTable, comparison: Comparison, unscored: int) -> tuple[float, float] | None:
    if table.kind == "real" or not unscored or comparison.difference is None:
        return None
    total, cases = comparison.difference * comparison.n, comparison.n + unscored
    return (total - unscored) / cases, (total + unscored) / cases


def _more_cases(
    contest: Contest, table: MetricTable, sides: tuple[int, int], comparison: Comparison, wish: Wish
) -> int | None:
    undecided = comparison.verdict == "inconclusive" and comparison.interval.estimable
    if not undecided or table.kind == "real":
        return None
    before, after = (table.value[side] for side in sides)
    both = ~np.isnan(before) & ~np.isnan(after)
    clusters = None if contest.clusters is None else contest.clusters[both]
    pairs = paired_scores(before[both], after[both], table.kind, clusters)
    variance = paired_difference(pairs, cautious=True).case_variance()
    if not variance:
        return None
    needed = cases_needed(PairedVariance(omega2=variance), delta=wish.delta, alpha=wish.alpha)
    return max(0, needed - comparison.n)


def _headline(metrics: Sequence[MetricComparison]) -> str:
    if not metrics:
        return "There is no metric to compare on."
    quality = [each for each in metrics if each.info.kind != "measure"]
    known = [each for each in quality if each.family.tests] or quality or list(metrics)
    return known[0].sentence
