"""What a race found and what it saved, in words."""

from collections.abc import Sequence
from dataclasses import replace

from assay.reports.values import CandidateSummary, RaceCandidate, RaceSummary, RunSummary
from assay.reports.wording import count, dollars, percent, plural
from assay.stats.racing import RaceResult, Standing

ESTIMATED = "estimated from the means of the cells that ran"
ADAPTIVE = (
    "the race chose whom to ask by the scores so far: means, intervals and comparisons are made as if the "
    "number of cases had been fixed, and hold only roughly. They speak of cases like these; what the race "
    "states is about this data set, and holds"
)


def with_race(summary: RunSummary, metric: str, result: RaceResult) -> RunSummary:
    """The summary of a run that was a race, whose candidates are those of the summary."""
    race = summarise_race(metric, result, summary.candidates)
    answered = any(candidate.succeeded for candidate in summary.candidates)
    return replace(
        summary,
        race=race,
        headline=race.sentence if answered else summary.headline,
        warnings=(ADAPTIVE, *summary.warnings),
    )


def summarise_race(metric: str, result: RaceResult, candidates: Sequence[CandidateSummary]) -> RaceSummary:
    """The standing of a race; `candidates` are those of the run, in the order of the race."""
    labels = [candidate.label for candidate in candidates]
    rows = tuple(
        _candidate(standing, candidates[standing.candidate], result, labels) for standing in result.standings
    )
    planned = sum(candidate.planned for candidate in candidates)
    cells = sum(row.saved_cells for row in rows)
    return RaceSummary(
        metric=metric,
        winner=result.winner,
        leader=result.leader,
        exact=result.exact,
        within=result.eps,
        alpha=result.alpha,
        cases=result.n_cases,
        candidates=rows,
        planned=planned,
        saved_cells=cells,
        saved_tokens=_total([row.saved_tokens for row in rows if row.saved_cells]),
        saved_usd=_total([row.saved_usd for row in rows if row.saved_cells]),
        sentence=_sentence(metric, result, labels),
        savings=_savings(rows, cells, planned),
    )


def _candidate(
    standing: Standing, counts: CandidateSummary, result: RaceResult, labels: Sequence[str]
) -> RaceCandidate:
    cells, known = counts.not_needed, counts.succeeded - counts.unknown_tokens
    tokens = None
    if counts.input_tokens is not None and counts.output_tokens is not None:
        tokens = cells * (counts.input_tokens + counts.output_tokens) / known
    cost = counts.cost_per_answer_usd
    return RaceCandidate(
        candidate=standing.candidate,
        ending=standing.ending,
        seen=standing.seen,
        missing=standing.missing,
        mean=standing.mean,
        reason=_reason(standing, result, labels),
        saved_cells=cells,
        saved_tokens=tokens,
        saved_usd=None if cost is None else cells * cost,
    )


def _reason(standing: Standing, result: RaceResult, labels: Sequence[str]) -> str:
    if standing.ending == "won":
        return "won"
    if standing.ending == "beaten" and standing.beaten_by is not None:
        cases = plural(standing.beaten_after or 0, "case")
        return f"out: {labels[standing.beaten_by]} is better, as {cases} show"
    if standing.ending == "close":
        return f"not chosen: at most {result.eps:g} better than the winner, if at all"
    return "leads" if standing.candidate == result.leader else "not beaten so far"


def _sentence(metric: str, result: RaceResult, labels: Sequence[str]) -> str:
    if result.winner is not None:
        or_close = "" if result.exact else f", or one at most {result.eps:g} better"
        certain = f"{100 * (1 - result.alpha):.6g}% certainty"
        return (
            f"{labels[result.winner]} wins the race on {metric}: the full grid on this data set would choose "
            f"it{or_close}, with {certain}."
        )
    leader = labels[result.leader]
    missing = sum(standing.missing for standing in result.standings)
    if missing and _all_asked(result):
        lost = plural(missing, "case")
        open_ = f"{leader} leads, but {lost} without a score leave it open"
        return f"The race on {metric} has no winner: {open_}."
    if not any(standing.seen for standing in result.standings):
        return f"The race on {metric} has not begun."
    return f"The race on {metric} is not decided yet: {leader} leads."


def _all_asked(result: RaceResult) -> bool:
    return all(each.seen == result.n_cases for each in result.standings if each.ending != "beaten")


def _savings(rows: Sequence[RaceCandidate], cells: int, planned: int) -> str:
    if not cells:
        return "Nothing was saved: the whole grid was needed." if planned else ""
    text = f"Saved against the full grid: {cells:,} of {planned:,} calls ({percent(cells / planned)})"
    lost = [row for row in rows if row.saved_cells]
    parts = []
    if (tokens := _total([row.saved_tokens for row in lost])) is not None:
        parts.append(f"about {count(round(tokens))} tokens")
    if (usd := _total([row.saved_usd for row in lost])) is not None:
        parts.append(f"about {dollars(usd)}")
    if not parts:
        return f"{text}; their tokens and cost are unknown."
    return f"{text}, {' and '.join(parts)} ({ESTIMATED})."


def _total(values: Sequence[float | None]) -> float | None:
    """The sum; None where a part of it is unknown."""
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) and known else None
