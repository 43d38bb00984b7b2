"""Files with labels of people: a row an answer, or a row an answer and annotator."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.domain.errors import InvalidInput
from assay.formats.cases import READERS, format_of
from assay.formats.label_values import UNIT, LabelScale, read_number
from assay.formats.places import Place, Problems, did_you_mean
from assay.formats.spreadsheets import restore

CASE = ("case", "case_id", "id", "key")
LABEL = ("label", "human", "human_label")
ANNOTATOR = ("annotator", "rater", "labeller")
LENGTH = ("answer_length", "length")
FIRST = frozenset({"1", "first", "a", "left"})
SECOND = frozenset({"2", "second", "b", "right"})
ALONE = "people"
"""What the one annotator of a file that names none is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelColumns:
    """Which columns to read, and how. Without `labels` the column `label` is taken, or all `label.NAME`.

    `judge` and `swapped` are columns with a judge's scores, of the answers as shown and in the other order;
    `judge_scale` is theirs.
    """

    labels: tuple[str, ...] = ()
    judge: str | None = None
    swapped: str | None = None
    scale: LabelScale = UNIT
    judge_scale: LabelScale = UNIT


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRow:
    """A row: which answer, what people say of it, and what else is known of it; None is not said.

    Of the key only `case` is always there. `labels` are (annotator, label in [0, 1]). `first` says whether
    the answer was shown first.
    """

    line: int
    case: str
    prompt: str | None = None
    model: str | None = None
    repeat: int | None = None
    labels: tuple[tuple[str, float], ...] = ()
    judge: float | None = None
    swapped: float | None = None
    length: float | None = None
    first: bool | None = None
    judge_family: str | None = None
    answer_family: str | None = None
    group: str | None = None
    cluster: str | None = None
    weight: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFile:
    """The rows of a file, with the SHA-256 of its bytes. `blank` rows have no label yet."""

    path: Path
    rows: tuple[LabelRow, ...]
    blank: int
    sha256: str
    notes: tuple[str, ...] = field(default=())


def read_labels(path: Path, columns: LabelColumns) -> LabelFile:
    """Read CSV, TSV, JSON Lines, JSON, YAML or Parquet. Raises InvalidInput that names every bad line."""
    name = format_of(path)
    reader = _Reader(path, columns)
    problems = Problems(str(path), {})
    rows: list[LabelRow] = []
    for line, row in READERS[name](path):
        if not rows and not problems.found:
            reader.look(row)
        try:
            rows.append(reader.read(line, row))
        except InvalidInput as problem:
            problems.found.append(problem)
    problems.raise_any()
    if not rows:
        raise InvalidInput("there are no labels", file=str(path), remedy="Give at least one row.")
    return LabelFile(
        path=path,
        rows=tuple(rows),
        blank=sum(not row.labels for row in rows),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


class _Reader:
    """Knows the columns of one file, once the first row has been looked at."""

    def __init__(self, path: Path, columns: LabelColumns) -> None:
        self.path, self.columns = path, columns
        self.case = ""
        self.labels: dict[str, str] = {}
        self.annotator: str | None = None

    def look(self, row: Mapping[str, Any]) -> None:
        """Find case and labels among the columns; raises InvalidInput."""
        self.case = self._column(row, CASE, "the case")
        asked = (*self.columns.labels, self.columns.judge, self.columns.swapped)
        for name in asked:
            if name is not None and name not in row:
                raise self._lacking(row, name)
        self.annotator = next((name for name in ANNOTATOR if name in row), None)
        named = self.columns.labels or tuple(name for name in row if name.startswith("label."))
        if named:
            self.labels = {name: name.removeprefix("label.") for name in named}
        else:
            self.labels = {self._column(row, LABEL, "the label"): ALONE}
        if len(self.labels) == 1 and self.columns.labels:
            self.labels = dict.fromkeys(self.labels, ALONE)
        if self.annotator is not None and len(self.labels) > 1:
            raise Place(str(self.path), 1).problem(
                f"annotators are in the column {self.annotator!r} and in several label columns",
                remedy="Name one column of labels: --label-column NAME",
            )

    def read(self, line: int, row: Mapping[str, Any]) -> LabelRow:
        """One row; raises InvalidInput with its line."""
        place, columns = Place(str(self.path), line), self.columns
        case = _text(row.get(self.case))
        if case is None:
            raise place.problem("there is no case", field=self.case)
        return LabelRow(
            line=line,
            case=case,
            prompt=_text(row.get("prompt")),
            model=_text(row.get("model")),
            repeat=_repeat(row.get("repeat"), place),
            labels=tuple(self._labels(row, place)),
            judge=self._score(row, columns.judge, place),
            swapped=self._score(row, columns.swapped, place),
            length=_positive(row, LENGTH, place, zero=True),
            first=_first(row.get("position"), place),
            judge_family=_text(row.get("judge_family")),
            answer_family=_text(row.get("answer_family")),
            group=_text(row.get("group")),
            cluster=_text(row.get("cluster")),
            weight=_weight(row, place),
        )

    def _labels(self, row: Mapping[str, Any], place: Place) -> Iterator[tuple[str, float]]:
        by_row = None if self.annotator is None else _text(row.get(self.annotator))
        for column, name in self.labels.items():
            label = self.columns.scale.read(row.get(column), place, column)
            if label is not None:
                yield by_row or name, label

    def _score(self, row: Mapping[str, Any], column: str | None, place: Place) -> float | None:
        if column is None:
            return None
        return self.columns.judge_scale.read(row.get(column), place, column, "--judge-scale")

    def _column(self, row: Mapping[str, Any], names: Sequence[str], what: str) -> str:
        found = next((name for name in names if name in row), None)
        if found is None:
            raise Place(str(self.path), 1).problem(
                f"no column says {what}",
                remedy=f"Columns here: {', '.join(map(str, row))}. It may be called {', '.join(names)}.",
            )
        return found

    def _lacking(self, row: Mapping[str, Any], name: str) -> InvalidInput:
        return Place(str(self.path), 1).problem(f"there is no column {name!r}{did_you_mean(name, row)}")


def _text(value: Any) -> str | None:
    """A cell as text, as it was before it was made harmless for spreadsheets; None for an empty one."""
    if value is None:
        return None
    text = restore(value) if isinstance(value, str) else str(value)
    return text if text.strip() else None


def _repeat(value: Any, place: Place) -> int | None:
    if _text(value) is None:
        return None
    number = read_number(value)
    if number is None or number < 0 or number != int(number):
        raise place.problem(
            f"{str(value)[:40]!r} is no number of a repeat, which count from 0", field="repeat"
        )
    return int(number)


def _positive(
    row: Mapping[str, Any], names: Sequence[str], place: Place, *, zero: bool = False
) -> float | None:
    name = next((name for name in names if _text(row.get(name)) is not None), None)
    if name is None:
        return None
    number = read_number(row[name])
    if number is None or number < 0.0 or (number == 0.0 and not zero):
        raise place.problem(f"{str(row[name])[:40]!r} is not a positive number", field=name)
    return number


def _weight(row: Mapping[str, Any], place: Place) -> float | None:
    """`weight`, or 1 / `pi` where the chance of being chosen is given."""
    chance = _positive(row, ("pi",), place)
    if chance is None:
        return _positive(row, ("weight",), place)
    if chance > 1.0:
        raise place.problem(f"{chance:g} is no chance: it must lie in (0, 1]", field="pi")
    return 1.0 / chance


def _first(value: Any, place: Place) -> bool | None:
    word = (_text(value) or "").strip().lower().removesuffix(".0")
    if word in FIRST | SECOND:
        return word in FIRST
    if word:
        raise place.problem(
            f"{word[:40]!r} is no position", field="position", remedy="Write 1 or 2, first or second, A or B."
        )
    return None
