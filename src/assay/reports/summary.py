"""A run in numbers: means with intervals, coverage, costs, latency, and which differences are real."""

from collections.abc import Sequence

import numpy as np

from assay.domain.errors import InvalidInput
from assay.reports.aggregate import CaseScores, by_case, kind_of, summarise_candidate, summarise_metric
from assay.reports.cautions import cautions
from assay.reports.pairs import Question, compare_candidates
from assay.reports.values import (
    CandidateData,
    CandidateSummary,
    MetricData,
    MetricSummary,
    MetricVerdict,
    PairSummary,
    RunSummary,
)
from assay.reports.wording import NOTHING, candidate_labels, digits_for, plural, range_text, value_text

__all__ = [
    "CandidateData",
    "CandidateSummary",
    "MetricData",
    "MetricSummary",
    "MetricVerdict",
    "PairSummary",
    "RunSummary",
    "summarise",
]


def summarise(
    candidates: Sequence[CandidateData],
    metrics: Sequence[MetricData],
    *,
    rng: np.random.Generator,
    title: str = "Evaluation",
    level: float = 0.95,
    margin: float | None = None,
) -> RunSummary:
    """All numbers of a report.

    `rng` decides the random sign flips of graded comparisons: the same seed gives the same summary. `margin`,
    if given, is the difference in [0, 1] below which two candidates count as equal.

    Raises InvalidInput for a metric of an unknown candidate, StatisticsError for scores out of range.
    """
    if any(not 0 <= data.candidate < len(candidates) for data in metrics):
        raise InvalidInput("a metric names a candidate that is not there", field="candidate")
    labels = candidate_labels([(data.prompt, data.model) for data in candidates])
    people = tuple(
        summarise_candidate(data, label, level) for data, label in zip(candidates, labels, strict=True)
    )
    averaged = [by_case(data) for data in metrics]
    means = tuple(
        summarise_metric(data, scores, level) for data, scores in zip(metrics, averaged, strict=True)
    )
    question = Question(labels=labels, alpha=1.0 - level, margin=margin, rng=rng)
    verdicts = tuple(_verdict(name, metrics, averaged, means, question) for name in _quality_metrics(metrics))
    return RunSummary(
        title=title,
        candidates=people,
        metrics=means,
        verdicts=verdicts,
        headline=_headline(people, means, verdicts),
        warnings=cautions(people, means, verdicts),
        level=level,
        margin=margin,
    )


def _quality_metrics(metrics: Sequence[MetricData]) -> list[str]:
    return list(dict.fromkeys(data.metric for data in metrics if data.info.kind != "measure"))


def _verdict(
    name: str,
    metrics: Sequence[MetricData],
    averaged: Sequence[CaseScores],
    means: Sequence[MetricSummary],
    question: Question,
) -> MetricVerdict:
    places = [place for place, data in enumerate(metrics) if data.metric == name]
    scored = [place for place in places if metrics[place].value.size]
    if len(scored) < 2:
        sentence = _single_sentence(name, means[scored[0]] if scored else None, question.labels)
        return MetricVerdict(metric=name, sentence=sentence, pairs=(), best=None)
    kinds = {kind_of(metrics[place], averaged[place].repeated) for place in scored}
    return compare_candidates(
        name,
        {metrics[place].candidate: averaged[place] for place in scored},
        "binary" if kinds == {"binary"} else "unit",
        question,
    )


def _single_sentence(name: str, mean: MetricSummary | None, labels: Sequence[str]) -> str:
    if mean is None or mean.mean.estimate is None:
        return f"Nothing was scored on {name}."
    found = value_text(mean.mean.estimate, mean.info, digits_for(mean.mean))
    bounds = range_text(mean.mean, mean.info).replace(NOTHING, ", ")
    interval = f" [{bounds}]" if bounds else ""
    return f"{labels[mean.candidate]} scores {found}{interval} on {name} over {plural(mean.mean.n, 'case')}."


def _headline(
    candidates: Sequence[CandidateSummary],
    means: Sequence[MetricSummary],
    verdicts: Sequence[MetricVerdict],
) -> str:
    if not any(candidate.planned for candidate in candidates):
        return "Nothing was planned."
    if not any(candidate.succeeded for candidate in candidates):
        return "No cell has an answer: there is nothing to compare."
    scored = {each.metric for each in means if each.scored}
    spoken = [verdict.sentence for verdict in verdicts if verdict.metric in scored]
    if spoken:
        return spoken[0]
    return "No quality metric was scored: there is nothing to compare."
