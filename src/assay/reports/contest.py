"""What a comparison is made from: tables of scores in which a row is a candidate and a column a case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from assay.domain.scores import MetricInfo
from assay.reports.aggregate import passes_of, summarise_candidate
from assay.reports.values import CandidateData, CandidateSummary, MetricData
from assay.stats.intervals import Kind

FloatTable = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
_ALONE = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MetricTable:
    """One metric: the mean score of each case, repeats averaged; NaN where a candidate has none.

    `skipped`: cases that the metric passed over for a candidate; they are missing by design, not by failure.
    With repeats `answers` (members, cases) counts the scored answers of a case and `passes` those that pass
    (at the threshold, or 1 for a pass/fail metric; None where nothing can pass). Without repeats both are
    None.
    """

    metric: str
    info: MetricInfo
    kind: Kind
    value: FloatTable
    skipped: Mask | None = None
    answers: FloatTable | None = None
    passes: FloatTable | None = None

    @property
    def lower(self) -> bool:
        """Whether less is better."""
        return self.info.kind == "measure" and self.info.better == "lower"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contest:
    """Candidates of one or several jobs on a common list of cases.

    A candidate is made of one or more `members` (prompt x model), whose numbers `groups` holds. `jobs`: the
    number of each candidate's job; `takes` (candidates, cases): whether that job has the case.
    `clusters`: a code a case, equal for cases that share a source; None when none do. `tags`: the cases of
    each tag. `cost_usd` (candidates, cases): what an answer cost that was not cached; NaN where unknown.
    """

    candidates: tuple[CandidateSummary, ...]
    groups: tuple[tuple[int, ...], ...]
    members: tuple[str, ...]
    jobs: tuple[int, ...]
    cases: Sequence[str]
    takes: Mask
    clusters: npt.NDArray[np.int64] | None
    metrics: tuple[MetricTable, ...]
    cost_usd: FloatTable | None = None
    tags: Mapping[str, Mask] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the candidates, each once."""
        return tuple(candidate.label for candidate in self.candidates)


def metric_table(
    data: Sequence[MetricData | None], groups: Sequence[Sequence[int]], cases: int
) -> MetricTable:
    """One metric of all candidates by case; `data` is aligned with the members that `groups` are made of.

    A group's value of a case is the mean over its members, and only where each of them has a score: otherwise
    groups would be averaged over different members.
    """
    known = [each for each in data if each is not None]
    infos = [each.info for each in known]
    members = [_by_case(each, cases) for each in data]
    repeated = any(bool(np.any(answers > 1.0)) for _, answers, _ in members)
    value = _grouped([value for value, _, _ in members], groups)
    plain = infos[0].kind == "binary" and not repeated and all(len(group) == 1 for group in groups)
    kinds = {info.kind for info in infos}
    kind: Kind = "real" if "measure" in kinds else "binary" if plain and kinds == {"binary"} else "unit"
    passes = [row for _, _, row in members]
    return MetricTable(
        metric=known[0].metric,
        info=infos[0],
        kind=kind,
        value=value,
        skipped=_skipped(data, groups, value),
        answers=np.stack([answers for _, answers, _ in members]) if repeated else None,
        passes=np.stack([row for row in passes if row is not None])
        if repeated and all(row is not None for row in passes)
        else None,
    )


def cost_table(
    costs: Sequence[tuple[npt.NDArray[np.int64], FloatTable]], groups: Sequence[Sequence[int]], cases: int
) -> FloatTable:
    """Mean cost of an answer by case in US dollars, from case numbers and costs of each member's answers."""
    rows = [_means(case_no, value, cases)[0] for case_no, value in costs]
    return _grouped(rows, groups)


def merge_candidates(
    members: Sequence[CandidateData], groups: Sequence[Sequence[int]], names: Sequence[tuple[str, str, str]]
) -> tuple[CandidateSummary, ...]:
    """The totals of each group; `names` are its label, prompt and model."""
    return tuple(
        summarise_candidate(
            replace(_merged([members[number] for number in group]), prompt=prompt, model=model), label, 0.95
        )
        for group, (label, prompt, model) in zip(groups, names, strict=True)
    )


def cluster_labels(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64] | None:
    """Codes in which a case that stands alone (-1) has a cluster of its own; None when all do."""
    if not np.any(codes != _ALONE):
        return None
    return np.where(codes == _ALONE, -2 - np.arange(codes.size), codes)


def _merged(members: Sequence[CandidateData]) -> CandidateData:
    if len(members) == 1:
        return members[0]
    counted = ("planned", "succeeded", "failed", "dead", "cancelled", "pending", "cached", "input_tokens",
               "output_tokens", "unknown_tokens", "cost_nanousd", "unknown_costs")  # fmt: skip
    failures: dict[str, int] = {}
    for member in members:
        for code, number in member.failures.items():
            failures[code] = failures.get(code, 0) + number
    return replace(
        members[0],
        failures=failures,
        latency_ms=np.concatenate([member.latency_ms for member in members]),
        **{name: sum(getattr(member, name) for member in members) for name in counted},
    )


def _skipped(
    data: Sequence[MetricData | None], groups: Sequence[Sequence[int]], value: FloatTable
) -> Mask | None:
    """Cases without a score that the metric passed over for a member of the group."""
    if not any(each.skipped_case_no.size for each in data if each is not None):
        return None
    found = np.zeros(value.shape, dtype=np.bool_)
    for row, group in enumerate(groups):
        for member in group:
            own = data[member]
            if own is not None:
                found[row, own.skipped_case_no] = True
    return found & np.isnan(value)


def _by_case(data: MetricData | None, cases: int) -> tuple[FloatTable, FloatTable, FloatTable | None]:
    """Mean score, number of scored answers and number of passes of each case."""
    if data is None:
        return np.full(cases, np.nan), np.zeros(cases), np.zeros(cases)
    value, answers = _means(data.case_no, data.value, cases)
    passed = passes_of(data)
    if passed is None and data.info.kind == "binary":
        passed = data.value
    if passed is None:
        return value, answers, None
    counted = np.bincount(data.case_no, weights=passed, minlength=cases)
    return value, answers, counted.astype(np.float64)


def _means(
    case_no: npt.NDArray[np.signedinteger], value: FloatTable, cases: int
) -> tuple[FloatTable, FloatTable]:
    answers = np.bincount(case_no, minlength=cases).astype(np.float64)
    sums = np.bincount(case_no, weights=value, minlength=cases)
    means = np.full(cases, np.nan)
    np.divide(sums, answers, out=means, where=answers > 0)
    return means, answers


def _grouped(rows: Sequence[FloatTable], groups: Sequence[Sequence[int]]) -> FloatTable:
    return np.stack(
        [
            rows[group[0]] if len(group) == 1 else np.mean([rows[number] for number in group], axis=0)
            for group in groups
        ]
    )
