"""Result files as columns of scores: what a comparison without a database needs, in a few bytes a score.

Outputs and reasons are not kept; of a case its key, its cluster and a hash of what it asks and expects.
"""

import hashlib
import json
import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from assay.domain.errors import InvalidInput
from assay.formats.json_text import parse_json
from assay.formats.places import Place
from assay.formats.result_files import as_text

FloatArray = npt.NDArray[np.float64]
MAX_CELLS = 20_000_000
MEASURES = ("latency_ms", "ttft_ms", "cost_usd", "input_tokens", "output_tokens")
"""Columns of every result that are measures, whether or not a metric of the suite repeats them."""
ENDED = ("succeeded", "failed", "dead", "cancelled")
SCORED, FAILED, ABSTAINED, SKIPPED, NO_ANSWER, NOT_RUN = range(6)
STATES = ("scored", "failed", "abstained", "skipped")
"""What a score's state is called in a file; its place is its code. The last two codes are of cells."""
_CELL_STATES = {**dict.fromkeys(ENDED, NO_ANSWER), "ready": NOT_RUN, "leased": NOT_RUN}


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricFacts:
    """What a source says of a metric; None where it does not say it.

    `judge_flagged`: whether its judge gave a good score to a canary.
    """

    type: str | None = None
    version: str | None = None
    kind: Literal["binary", "unit", "measure"] | None = None
    unit: str | None = None
    better: Literal["higher", "lower"] | None = None
    options: str | None = None
    judge_flagged: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFacts:
    """What a source says of its job; None where it does not say it."""

    job: str | None = None
    name: str | None = None
    dataset: str | None = None
    dataset_hash: str | None = None
    margin: float | None = None
    metrics: Mapping[str, MetricFacts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoreColumn:
    """The scores of one metric, aligned with the candidate's cells; `value` is NaN unless scored."""

    value: FloatArray
    state: npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CandidateTable:
    """One prompt x model: a row a cell. Measures are NaN where they are not known."""

    prompt: str
    model: str
    case_no: npt.NDArray[np.int32]
    answered: npt.NDArray[np.bool_]
    cached: npt.NDArray[np.bool_]
    scores: Mapping[str, ScoreColumn]
    measures: Mapping[str, FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResultTable:
    """All results of a source. `clusters` and `contents` (hashes) are by case number."""

    source: str
    keys: Mapping[str, int]
    clusters: tuple[str | None, ...]
    contents: tuple[int, ...]
    candidates: tuple[CandidateTable, ...]
    metrics: tuple[str, ...]
    facts: TableFacts


@dataclass(slots=True)
class _Cells:
    """The cells of a candidate, as they come."""

    case_no: "array[int]" = field(default_factory=lambda: array("i"))
    answered: "array[int]" = field(default_factory=lambda: array("b"))
    cached: "array[int]" = field(default_factory=lambda: array("b"))
    repeat: "array[int]" = field(default_factory=lambda: array("i"))
    values: "dict[str, array[float]]" = field(default_factory=dict)
    states: "dict[str, array[int]]" = field(default_factory=dict)
    measures: "dict[str, array[float]]" = field(
        default_factory=lambda: {name: array("d") for name in MEASURES}
    )


class TableBuilder:
    """Takes result rows one by one, as `row_of` makes them or as a file gives them back."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._keys: dict[str, int] = {}
        self._clusters: list[str | None] = []
        self._contents = array("Q")
        self._cells: dict[tuple[str, str], _Cells] = {}
        self._metrics: dict[str, None] = {}
        self._columns: set[str] = set()
        self._rows = 0

    def add(self, row: Mapping[str, Any], place: Place) -> None:
        """Take in a row; raises InvalidInput for one that is no result of ours."""
        self._rows += 1
        if self._rows > MAX_CELLS:
            raise place.problem(f"more than {MAX_CELLS:,} results in one file")
        if row.keys() != self._columns:
            self._look_at_columns(row, place)
        case_no = self._case(row, place)
        pair = _text(row, "prompt", place), _text(row, "model", place)
        cells = self._cells.get(pair)
        if cells is None:
            cells = self._cells[pair] = _Cells()
        cells.repeat.append(_repeat(row["repeat"], place))
        self._add_cell(cells, case_no, row, place)

    def finish(self, facts: TableFacts) -> ResultTable:
        """The table of all rows; raises InvalidInput when there was none."""
        if not self._rows:
            raise InvalidInput("there is no result in it", file=self._source)
        return ResultTable(
            source=self._source,
            keys=self._keys,
            clusters=tuple(self._clusters),
            contents=tuple(self._contents),
            candidates=tuple(self._candidate(pair, cells) for pair, cells in self._cells.items()),
            metrics=tuple(self._metrics),
            facts=facts,
        )

    def _look_at_columns(self, row: Mapping[str, Any], place: Place) -> None:
        for column in ("case", "prompt", "model", "repeat", "state"):
            if column not in row:
                raise place.problem(
                    "this is not a result of ours: the field is missing",
                    field=column,
                    remedy="Result files are written by assay run -o FILE and assay export -o FILE.",
                )
        self._columns = set(row)
        for column in row:
            if column.endswith(".state"):
                self._metrics.setdefault(column.removesuffix(".state"))

    def _case(self, row: Mapping[str, Any], place: Place) -> int:
        key = _text(row, "case", place)
        case_no = self._keys.get(key)
        if case_no is None:
            case_no = self._keys[key] = len(self._clusters)
            self._clusters.append(row.get("cluster") or None)
            self._contents.append(_content(row, place))
        return case_no

    def _add_cell(self, cells: _Cells, case_no: int, row: Mapping[str, Any], place: Place) -> None:
        state = row["state"]
        if state not in _CELL_STATES:
            raise place.problem(f"{state!r} is no state of a result", field="state")
        answered = state == "succeeded"
        done = len(cells.case_no)
        cells.case_no.append(case_no)
        cells.answered.append(answered)
        cells.cached.append(row.get("cached") in (True, "true"))
        for name, column in cells.measures.items():
            value = _number(row.get(name), name, place)
            column.append(math.nan if value is None or not answered else value)
        for name in self._metrics:
            value, code = _score(row, name, place)
            if name not in cells.values:
                cells.values[name] = array("d", [math.nan] * done)
                cells.states[name] = array("b", [NO_ANSWER] * done)
            cells.values[name].append(value)
            cells.states[name].append(_CELL_STATES[state] if code is None else code)

    def _candidate(self, pair: tuple[str, str], cells: _Cells) -> CandidateTable:
        case_no = np.frombuffer(cells.case_no, dtype=np.int32)
        self._check_unique(pair, case_no, np.frombuffer(cells.repeat, dtype=np.int32))
        return CandidateTable(
            prompt=pair[0],
            model=pair[1],
            case_no=case_no,
            answered=np.frombuffer(cells.answered, dtype=np.int8).astype(np.bool_),
            cached=np.frombuffer(cells.cached, dtype=np.int8).astype(np.bool_),
            scores={
                name: ScoreColumn(
                    value=np.frombuffer(values, dtype=np.float64),
                    state=np.frombuffer(cells.states[name], dtype=np.int8),
                )
                for name, values in cells.values.items()
            },
            measures={
                name: np.frombuffer(values, dtype=np.float64) for name, values in cells.measures.items()
            },
        )

    def _check_unique(
        self, pair: tuple[str, str], case_no: npt.NDArray[np.int32], repeat: npt.NDArray[np.int32]
    ) -> None:
        numbers, counts = np.unique(case_no.astype(np.int64) << 32 | repeat, return_counts=True)
        if numbers.size == case_no.size:
            return
        twice = int(numbers[counts > 1][0])
        key = next(key for key, number in self._keys.items() if number == twice >> 32)
        raise InvalidInput(
            f"case {key!r}, repeat {twice & 0xFFFFFFFF}, is there twice for {pair[0]!r} on {pair[1]!r}",
            file=self._source,
            remedy="Give one file for each job; do not join them.",
        )


def _score(row: Mapping[str, Any], name: str, place: Place) -> tuple[float, int | None]:
    """Value (NaN unless scored) and code of a score; no code where the row has no score of the metric."""
    state = row.get(f"{name}.state")
    if state is None or state == "":
        return math.nan, None
    if state not in STATES:
        raise place.problem(f"{state!r} is no state of a score", field=f"{name}.state")
    value = _number(row.get(f"{name}.value"), f"{name}.value", place)
    if (value is None) is (state == "scored"):
        said = "has no value" if value is None else f"is {state!r} and has a value all the same"
        raise place.problem(f"a score that {said}", field=f"{name}.value")
    return math.nan if value is None else value, STATES.index(state)


def _number(value: Any, column: str, place: Place) -> float | None:
    if value is None or value == "":
        return None
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise place.problem(
            f"{value!r} is not a finite number",
            field=column,
            remedy="A score that could not be made is left empty, with its state.",
        )
    return number


def _repeat(value: Any, place: Place) -> int:
    try:
        number = -1 if isinstance(value, bool | float) else int(value)
    except (TypeError, ValueError):
        number = -1
    if not 0 <= number < 2**31:
        raise place.problem(f"{value!r} is not the number of a repeat", field="repeat")
    return number


def _text(row: Mapping[str, Any], column: str, place: Place) -> str:
    value = row[column]
    if not isinstance(value, str) or not value:
        raise place.problem("must be a text", field=column)
    return value


def _content(row: Mapping[str, Any], place: Place) -> int:
    """A hash of what a case asks and expects, the same whatever the format."""
    variables = row.get("vars") or {}
    if isinstance(variables, str):
        variables = parse_json(variables, place, field="vars", checked=False)
    expected = row.get("expected")
    expected_text = "" if expected is None else as_text(expected)
    asked = json.dumps([variables, expected_text], sort_keys=True)  # ASCII: lone surrogates are no matter
    digest = hashlib.blake2b(asked.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")
