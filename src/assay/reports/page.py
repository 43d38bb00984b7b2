"""What the HTML page shows of a summary: texts and pictures, ready for the template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from assay.reports.charts import Point, forest_axis, forest_range, forest_row, scatter, whisker
from assay.reports.values import (
    CandidateSummary,
    MetricSummary,
    MetricVerdict,
    PairSummary,
    RaceSummary,
    RunSummary,
)
from assay.reports.wording import (
    NOTHING,
    adjusted_p,
    count,
    digits_for,
    dollars,
    duration,
    judge_cost,
    p_text,
    percent,
    plural,
    range_text,
    run_size,
    signed_range,
    value_text,
)


@dataclass(frozen=True, slots=True)
class Fact:
    """One number of the head line, with what must be said beside it."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreView:
    """A cell of the score table."""

    value: str
    bounds: str
    chart: Markup
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateView:
    """A row of the score table; `tag` names the candidate in charts and rows."""

    tag: str
    label: str
    prompt: str
    model: str
    scores: tuple[ScoreView, ...]
    work: tuple[tuple[str, ...], ...]
    errors: tuple[str, ...]
    failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PairView:
    """A row of a forest plot."""

    first: str
    second: str
    chart: Markup
    difference: str
    n: str
    p: str
    verdict: str
    outlook: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonView:
    """The forest plot of a metric."""

    metric: str
    sentence: str
    pairs: tuple[PairView, ...]
    axis: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class ScatterView:
    """Quality against cost or latency; `what` names the latter."""

    what: str
    chart: Markup
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RaceView:
    """A race: what it saved, and (tag, label, cases, how it ended) of each candidate."""

    savings: str
    rows: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All of the page but its rows."""

    title: str
    headline: str
    size: str
    level: str
    margin: str
    facts: tuple[Fact, ...]
    warnings: tuple[str, ...]
    race: RaceView | None
    metric_names: tuple[str, ...]
    candidates: tuple[CandidateView, ...]
    comparisons: tuple[ComparisonView, ...]
    scatter: ScatterView | None
    cut: str
    states: tuple[str, ...]
    receipt: tuple[tuple[str, str], ...]


def page_of(summary: RunSummary, receipt: Mapping[str, str], rows_limit: int) -> Page:
    """The page of a summary."""
    scales = {name: _scale(summary, name) for name in summary.metric_names}
    cut = ""
    if summary.planned > rows_limit:
        cut = f"The first {rows_limit:,} of {summary.planned:,} cells; an export has all of them."
    return Page(
        title=summary.title,
        headline=summary.headline,
        size=run_size(summary),
        level=percent(summary.level),
        margin="" if summary.margin is None else f"{summary.margin:g}",
        facts=_facts(summary.candidates),
        warnings=summary.warnings,
        race=None if summary.race is None else _race(summary, summary.race),
        metric_names=summary.metric_names,
        candidates=tuple(
            _candidate(summary, number, candidate, scales)
            for number, candidate in enumerate(summary.candidates)
        ),
        comparisons=tuple(_comparison(summary, verdict) for verdict in summary.verdicts if verdict.pairs),
        scatter=_scatter(summary),
        cut=cut,
        states=("succeeded", "failed", "dead", "cancelled", "ready", "leased"),
        receipt=tuple(receipt.items()),
    )


def _race(summary: RunSummary, race: RaceSummary) -> RaceView:
    rows = (
        (
            str(each.candidate + 1),
            summary.candidates[each.candidate].label,
            f"{each.seen:,} of {race.cases:,}",
            each.reason,
        )
        for each in race.candidates
    )
    return RaceView(savings=race.savings, rows=tuple(rows))


def _facts(candidates: Sequence[CandidateSummary]) -> tuple[Fact, ...]:
    planned = sum(each.planned for each in candidates)
    answered = sum(each.succeeded for each in candidates)
    errors = sum(each.errors for each in candidates)
    cached = sum(each.cached for each in candidates)
    costs = [each.cost_usd for each in candidates if each.cost_usd is not None]
    unknown_costs = sum(each.unknown_costs for each in candidates)
    tokens_in = [each.input_tokens for each in candidates if each.input_tokens is not None]
    tokens_out = [each.output_tokens for each in candidates if each.output_tokens is not None]
    unknown_tokens = sum(each.unknown_tokens for each in candidates)
    share = f"of {planned:,} cells" + (f", {cached:,} cached" if cached else "")
    total = dollars(sum(costs)) if costs else ("unknown" if answered else NOTHING)
    return (
        Fact("Answers", f"{answered:,}", share),
        Fact("Errors", f"{errors:,}", percent(errors / planned) if planned else ""),
        Fact("Cost", total, f"without {unknown_costs:,} of unknown price" if unknown_costs else ""),
        Fact("Tokens in", count(sum(tokens_in)) if tokens_in else NOTHING, _unknown(unknown_tokens)),
        Fact("Tokens out", count(sum(tokens_out)) if tokens_out else NOTHING, _unknown(unknown_tokens)),
    )


def _unknown(number: int) -> str:
    return f"{number:,} answers do not say" if number else ""


def _scale(summary: RunSummary, name: str) -> tuple[float, float]:
    """The scale of a metric's whiskers: 0 to 1, or from 0 to what a measure needs."""
    found = [each for each in summary.metrics if each.metric == name]
    if all(each.info.kind != "measure" for each in found):
        return 0.0, 1.0
    ends = [
        end
        for each in found
        for end in (each.mean.low, each.mean.high, each.mean.estimate)
        if end is not None
    ]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    return (low, high) if high > low else (0.0, 1.0)


def _candidate(
    summary: RunSummary,
    number: int,
    candidate: CandidateSummary,
    scales: Mapping[str, tuple[float, float]],
) -> CandidateView:
    scores = tuple(
        _score(summary.metric_of(number, name), scales[name], candidate.label)
        for name in summary.metric_names
    )
    errors = [f"{cells:,} {code}" for code, cells in list(candidate.failures.items())[:6]]
    if len(candidate.failures) != 1:
        errors.insert(0, f"{candidate.errors:,}")
    not_run = candidate.pending + candidate.cancelled - candidate.not_needed
    if candidate.not_needed:
        errors.append(f"{candidate.not_needed:,} not needed")
    if not_run:
        errors.append(f"{not_run:,} not run")
    return CandidateView(
        tag=str(number + 1),
        label=candidate.label,
        prompt=candidate.prompt,
        model=candidate.model,
        scores=scores,
        work=_work(candidate),
        errors=tuple(errors),
        failed=candidate.errors > 0,
    )


def _score(metric: MetricSummary | None, scale: tuple[float, float], label: str) -> ScoreView:
    if metric is None:
        return ScoreView(value=NOTHING, bounds="", chart=Markup(""), notes=())
    value = value_text(metric.mean.estimate, metric.info, digits_for(metric.mean))
    bounds = range_text(metric.mean, metric.info)
    chart = Markup("")
    if metric.mean.estimate is not None:
        words = f"{label}, {metric.metric}: {value}" + (f", interval {bounds}" if bounds else "")
        chart = whisker(metric.mean, *scale, words)
    return ScoreView(value=value, bounds=bounds, chart=chart, notes=_notes(metric))


def _notes(metric: MetricSummary) -> tuple[str, ...]:
    """n, coverage, pass rate, and why there is no interval."""
    clusters = "" if metric.mean.clusters is None else f" in {plural(metric.mean.clusters, 'cluster')}"
    method = f", {metric.mean.method.replace('_', ' ')}" if metric.mean.estimable else ""
    notes = [f"n={metric.mean.n:,}{clusters}{method}"]
    if metric.mean.reason is not None and metric.mean.n:
        notes.append(f"no interval: {metric.mean.reason}")
    rate = metric.pass_rate
    if rate is not None and rate.estimate is not None and metric.info.kind != "binary":
        between = (
            ""
            if rate.low is None or rate.high is None
            else f" ({percent(rate.low)}{NOTHING}{percent(rate.high)})"
        )
        notes.append(f"{percent(rate.estimate)} pass{between} at {metric.threshold:g}")
    if metric.scored < metric.planned:
        states = {"failed": metric.failed, "abstained": metric.abstained, "skipped": metric.skipped}
        missing = ", ".join(f"{number:,} {state}" for state, number in states.items() if number)
        notes.append(f"{metric.scored:,} of {metric.planned:,} scored" + (f"; {missing}" if missing else ""))
        if metric.bounds is not None:
            low, high = metric.bounds
            notes.append(f"{low:.2f} with the rest as 0, {high:.2f} as 1")
    return tuple(notes)


def _work(candidate: CandidateSummary) -> tuple[tuple[str, ...], ...]:
    tokens: tuple[str, ...] = ("unknown",) if candidate.succeeded else (NOTHING,)
    if candidate.input_tokens is not None and candidate.output_tokens is not None:
        tokens = (f"{count(candidate.input_tokens)} in", f"{count(candidate.output_tokens)} out")
    cost = [NOTHING]
    if candidate.cost_usd is not None:
        cost = [dollars(candidate.cost_usd)]
        if candidate.unknown_costs:
            cost.append(f"{candidate.unknown_costs:,} unknown")
    elif candidate.succeeded:
        cost = ["unknown"]
    if judged := judge_cost(candidate):
        cost.append(judged)
    if candidate.cached:
        cost.append(f"{candidate.cached:,} cached")
    latency = [
        f"{name} {duration(each.estimate)}"
        for name, each in (("p50", candidate.p50_ms), ("p95", candidate.p95_ms))
        if each.estimate is not None
    ]
    return tokens, tuple(cost), tuple(latency) or (NOTHING,)


def _comparison(summary: RunSummary, verdict: MetricVerdict) -> ComparisonView:
    scale = forest_range([pair.comparison.interval for pair in verdict.pairs], summary.margin)
    return ComparisonView(
        metric=verdict.metric,
        sentence=verdict.sentence,
        pairs=tuple(_pair(summary, pair, scale) for pair in verdict.pairs),
        axis=forest_axis(scale),
    )


def _pair(summary: RunSummary, pair: PairSummary, scale: tuple[float, float]) -> PairView:
    comparison = pair.comparison
    clusters = "" if comparison.clusters is None else f" in {comparison.clusters}"
    return PairView(
        first=summary.candidates[pair.first].label,
        second=summary.candidates[pair.second].label,
        chart=forest_row(comparison.interval, scale, summary.margin, pair.sentence),
        difference=signed_range(comparison.interval),
        n=f"{comparison.n:,}{clusters}",
        p=p_text(adjusted_p(comparison)).removeprefix("p=").removeprefix("p"),
        verdict=comparison.verdict,
        outlook=f"about {pair.more_cases:,} more cases needed" if pair.more_cases else "",
    )


def _scatter(summary: RunSummary) -> ScatterView | None:
    """Cost against the first quality metric; latency where no cost is known."""
    quality = next((each.metric for each in summary.metrics if each.info.kind != "measure"), None)
    if quality is None:
        return None
    costs = [each.cost_per_answer_usd for each in summary.candidates]
    if sum(1 for cost in costs if cost is not None) >= 2 and any(costs):
        what, title = "cost", "US dollars for 1,000 answers"
        places = [None if cost is None else 1000 * cost for cost in costs]
    else:
        what, title = "latency", "median latency in seconds"
        medians = [each.p50_ms.estimate for each in summary.candidates]
        places = [None if median is None else median / 1000 for median in medians]
    points = []
    for number, (candidate, x) in enumerate(zip(summary.candidates, places, strict=True)):
        metric = summary.metric_of(number, quality)
        if x is not None and metric is not None and metric.mean.estimate is not None:
            points.append(Point(tag=str(number + 1), label=candidate.label, x=x, quality=metric.mean))
    if len(points) < 2:
        return None
    left_out = len(summary.candidates) - len(points)
    caption = f"{quality} with its interval against {title}; numbers as in the score table."
    if left_out:
        caption += f" {left_out} left out: {what} or score unknown."
    return ScatterView(what=what, chart=scatter(points, title, quality), caption=caption)
