"""Results, one by one, gathered into the columns that summaries are made of."""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from assay.domain.results import Result
from assay.domain.scores import MetricInfo, Score
from assay.reports.values import CandidateData, MetricData


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultTables:
    """What results amount to: `keys` are the cases' ids by their numbers."""

    keys: tuple[str, ...]
    candidates: tuple[CandidateData, ...]
    metrics: tuple[MetricData, ...]


@dataclass(slots=True)
class _Column:
    """The scores of one metric on one candidate, as they come."""

    case_no: "array[int]" = field(default_factory=lambda: array("i"))
    value: "array[float]" = field(default_factory=lambda: array("d"))
    states: Counter[str] = field(default_factory=Counter)
    threshold: float | None = None


@dataclass(slots=True)
class _Cells:
    """What is counted of one candidate."""

    prompt: str
    model: str
    states: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    cached: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    unknown_tokens: int = 0
    cost_nanousd: int = 0
    unknown_costs: int = 0
    latency_ms: "array[float]" = field(default_factory=lambda: array("d"))


def tables_of(
    results: Iterable[Result],
    *,
    infos: Mapping[str, MetricInfo],
    thresholds: Mapping[str, float | None] | None = None,
) -> ResultTables:
    """Gather results, read once; candidates and cases are numbered as they first come.

    `infos` says what is known of metrics by name. The kind of any other is told from its values: only 0 and 1
    is binary, inside [0, 1] is graded, anything else a measure. Memory is a few bytes a score.
    """
    tables = _Tables()
    for result in results:
        tables.add(result)
    return tables.finish(infos, thresholds or {})


class _Tables:
    def __init__(self) -> None:
        self.cases: dict[str, int] = {}
        self.clusters: dict[str, int] = {}
        self.cluster_of = array("i")
        self.cells: dict[tuple[str, str], _Cells] = {}
        self.columns: dict[tuple[str, tuple[str, str]], _Column] = {}

    def add(self, result: Result) -> None:
        case_no = self.cases.setdefault(result.case, len(self.cases))
        if case_no == len(self.cluster_of):
            named = result.cluster is not None
            code = self.clusters.setdefault(result.cluster or "", len(self.clusters)) if named else -1
            self.cluster_of.append(code)
        pair = (result.prompt, result.model)
        cells = self.cells.get(pair)
        if cells is None:
            cells = self.cells[pair] = _Cells(*pair)
        _count(cells, result)
        for score in result.scores:
            column = self.columns.setdefault((score.metric, pair), _Column())
            _take(column, score, case_no)

    def finish(self, infos: Mapping[str, MetricInfo], thresholds: Mapping[str, float | None]) -> ResultTables:
        names = list(dict.fromkeys([*infos, *(name for name, _ in self.columns)]))
        known = {name: infos.get(name) or self._guess(name) for name in names}
        return ResultTables(
            keys=tuple(self.cases),
            candidates=tuple(_candidate(cells) for cells in self.cells.values()),
            metrics=tuple(
                self._metric(name, number, pair, known[name], thresholds.get(name))
                for name in names
                for number, pair in enumerate(self.cells)
            ),
        )

    def _guess(self, name: str) -> MetricInfo:
        parts = [_floats(column.value) for (metric, _), column in self.columns.items() if metric == name]
        values = np.concatenate(parts)
        graded = bool(np.all((values >= 0.0) & (values <= 1.0)))
        binary = graded and bool(np.all((values == 0.0) | (values == 1.0)))
        return MetricInfo(
            type=name,
            version="",
            kind="binary" if binary else "unit" if graded else "measure",
            summary="",
            needs=(),
            source="",
        )

    def _metric(
        self, name: str, number: int, pair: tuple[str, str], info: MetricInfo, threshold: float | None
    ) -> MetricData:
        column = self.columns.get((name, pair)) or _Column()
        case_no = np.array(column.case_no, dtype=np.int32)
        clusters = np.array(self.cluster_of, dtype=np.int32)
        return MetricData(
            candidate=number,
            metric=name,
            info=info,
            case_no=case_no,
            value=_floats(column.value),
            planned=self.cells[pair].states.total(),
            cluster=clusters[case_no] if self.clusters else None,
            threshold=threshold,
            failed=column.states["failed"],
            abstained=column.states["abstained"],
            skipped=column.states["skipped"],
        )


def _take(column: _Column, score: Score, case_no: int) -> None:
    column.states[score.state] += 1
    if score.state == "scored" and score.value is not None:
        column.case_no.append(case_no)
        column.value.append(score.value)


def _count(cells: _Cells, result: Result) -> None:
    cells.states[result.state] += 1
    if result.state in ("failed", "dead"):
        cells.failures[result.error_code or "unknown"] += 1
    response = result.response
    if result.state != "succeeded" or response is None:
        return
    cells.cached += response.cached
    usage = response.usage
    if usage.input_tokens is None or usage.output_tokens is None:
        cells.unknown_tokens += 1
    else:
        cells.input_tokens += usage.input_tokens
        cells.output_tokens += usage.output_tokens
    if result.cost_nanousd is None:
        cells.unknown_costs += 1
    else:
        cells.cost_nanousd += result.cost_nanousd
    if not response.cached:
        cells.latency_ms.append(response.latency_ms)


def _candidate(cells: _Cells) -> CandidateData:
    states = cells.states
    return CandidateData(
        prompt=cells.prompt,
        model=cells.model,
        planned=states.total(),
        succeeded=states["succeeded"],
        failed=states["failed"],
        dead=states["dead"],
        cancelled=states["cancelled"],
        pending=states["ready"] + states["leased"],
        failures=dict(cells.failures),
        cached=cells.cached,
        input_tokens=cells.input_tokens,
        output_tokens=cells.output_tokens,
        unknown_tokens=cells.unknown_tokens,
        cost_nanousd=cells.cost_nanousd,
        unknown_costs=cells.unknown_costs,
        latency_ms=_floats(cells.latency_ms),
    )


def _floats(values: "array[float]") -> npt.NDArray[np.float64]:
    return np.array(values, dtype=np.float64)
