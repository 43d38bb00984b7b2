"""From the cells of a run to one number with its interval."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.reports.values import CandidateData, CandidateSummary, MetricData, MetricSummary
from assay.stats.coverage import bounds_with_failures
from assay.stats.intervals import Kind, quantile_interval, score_interval

_ALONE = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CaseScores:
    """One value a case, by rising case number: repeats are averaged, since they are not independent cases."""

    case_no: npt.NDArray[np.int32]
    value: npt.NDArray[np.float64]
    passed: npt.NDArray[np.float64] | None
    cluster: npt.NDArray[np.int64] | None
    repeated: bool


def by_case(data: MetricData) -> CaseScores:
    """The scored cells of a metric, averaged by case."""
    cases, first, inverse, sizes = np.unique(
        data.case_no, return_index=True, return_inverse=True, return_counts=True
    )
    passes = passes_of(data)
    return CaseScores(
        case_no=cases,
        value=_averages(data.value, inverse, sizes),
        passed=None if passes is None else _averages(passes, inverse, sizes),
        cluster=None if data.cluster is None else _clusters(data.cluster[first], cases),
        repeated=bool(sizes.size) and int(sizes.max()) > 1,
    )


def summarise_metric(data: MetricData, scores: CaseScores, level: float) -> MetricSummary:
    """The mean of a metric by case, its pass rate, and the bounds that its missing cells leave open."""
    scored = int(data.value.size)
    passes = passes_of(data)
    pass_rate = None
    if scores.passed is not None:
        pass_kind: Kind = "unit" if scores.repeated else "binary"
        pass_rate = score_interval(scores.passed, kind=pass_kind, clusters=scores.cluster, level=level)
    return MetricSummary(
        candidate=data.candidate,
        metric=data.metric,
        info=data.info,
        threshold=data.threshold,
        planned=data.planned,
        scored=scored,
        failed=data.failed,
        abstained=data.abstained,
        skipped=data.skipped,
        mean=score_interval(
            scores.value, kind=kind_of(data, scores.repeated), clusters=scores.cluster, level=level
        ),
        bounds=None if data.info.kind == "measure" else _bounds(data, scored),
        pass_rate=pass_rate,
        passed=None if passes is None else int(passes.sum()),
    )


def summarise_candidate(data: CandidateData, label: str, level: float) -> CandidateSummary:
    """The totals of a candidate; what is not known at all becomes None."""
    tokens_known = data.succeeded > data.unknown_tokens
    cost_known = data.succeeded > data.unknown_costs
    return CandidateSummary(
        label=label,
        prompt=data.prompt,
        model=data.model,
        planned=data.planned,
        succeeded=data.succeeded,
        errors=data.failed + data.dead,
        cancelled=data.cancelled,
        not_needed=data.not_needed,
        pending=data.pending,
        failures=dict(sorted(data.failures.items(), key=lambda item: (-item[1], item[0]))),
        cached=data.cached,
        input_tokens=data.input_tokens if tokens_known else None,
        output_tokens=data.output_tokens if tokens_known else None,
        unknown_tokens=data.unknown_tokens,
        cost_usd=data.cost_nanousd / 1e9 if cost_known else None,
        unknown_costs=data.unknown_costs,
        judge_calls=data.judge_calls,
        judge_cost_usd=data.judge_cost_nanousd / 1e9,
        unknown_judge_costs=data.unknown_judge_costs,
        p50_ms=quantile_interval(data.latency_ms, 0.50, level=level),
        p95_ms=quantile_interval(data.latency_ms, 0.95, level=level),
    )


def kind_of(data: MetricData, repeated: bool) -> Kind:
    """The kind of a case's value: an average of passes is graded, no longer pass or fail."""
    if data.info.kind == "measure":
        return "real"
    return "unit" if repeated else data.info.kind


def _averages(
    values: npt.NDArray[np.float64], inverse: npt.NDArray[np.intp], sizes: npt.NDArray[np.intp]
) -> npt.NDArray[np.float64]:
    return np.bincount(inverse, weights=values, minlength=sizes.size) / sizes


def passes_of(data: MetricData) -> npt.NDArray[np.float64] | None:
    """1 where a cell reaches the threshold, on the better side of it."""
    if data.threshold is None:
        return None
    reached = data.value <= data.threshold if data.info.better == "lower" else data.value >= data.threshold
    return reached.astype(np.float64)


def _clusters(codes: npt.NDArray[np.int32], cases: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Cluster codes in which a case that stands alone has one of its own."""
    wide = codes.astype(np.int64)
    return np.where(wide == _ALONE, -2 - cases.astype(np.int64), wide)


def _bounds(data: MetricData, scored: int) -> tuple[float, float] | None:
    """Mean of the cells with each missing one as 0 and as 1."""
    found = bounds_with_failures(data.value, max(scored, data.planned - data.skipped))
    return None if found.low is None or found.high is None else (found.low, found.high)
