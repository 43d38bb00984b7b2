"""What a calibration report is made of, and what it says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from assay.stats.calibration import Calibration
from assay.stats.comparison import Comparison
from assay.stats.corrected_means import CorrectedMean
from assay.stats.estimates import Interval
from assay.stats.judge_bias import Favour
from assay.stats.juries import Agreement
from assay.stats.labels_needed import LabelsNeeded
from assay.stats.score_maps import MapKind
from assay.stats.slopes import Slope

LabelDraw = Literal["random", "stratified", "active"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedAnswer:
    """An answer that a judge should have scored. `judge` is None where it did not.

    `labels` are (annotator, label in [0, 1]), none for an answer that nobody has labelled. `cluster`: answers
    with the same one depend on each other. `swapped`: the judge's score with the order of presentation
    swapped. None is not known.
    """

    case: str
    candidate: str
    prompt: str | None = None
    model: str | None = None
    repeat: int = 0
    cluster: str | None = None
    judge: float | None = None
    labels: tuple[tuple[str, float], ...] = ()
    swapped: float | None = None
    length: float | None = None
    first: bool | None = None
    judge_family: str | None = None
    answer_family: str | None = None
    weight: float | None = None

    @property
    def human(self) -> float:
        """The mean label."""
        return sum(label for _, label in self.labels) / len(self.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationWish:
    """What to ask: as `stats.calibration.Wish`, and the margin to plan labels for."""

    pass_at: float | None = None
    threshold: float | None = None
    map_kind: MapKind = "logistic"
    margin: float = 0.05
    level: float = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many answers there are, have a judge's score, have a label, and have both."""

    answers: int
    scored: int
    labelled: int
    both: int
    cases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateMean:
    """The mean of a candidate, repeats averaged: by the judge, by people alone, and corrected.

    `cases` have a judge's score, `labels` of them a label too. `rogan_gladen` only for pass/fail labels and
    verdicts. What is None is said in `note`.
    """

    candidate: str
    cases: int
    labels: int
    judge: Interval
    people: Interval | None
    corrected: CorrectedMean | None
    rogan_gladen: Interval | None
    needed: LabelsNeeded | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BiasProbes:
    """What the judge favours; None where the columns for it are not there."""

    length: Slope | None = None
    position: Favour | None = None
    orders: Comparison | None = None
    self_preference: Favour | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationReport:
    """Everything that is said of a judge. `judge` and `labels` say what it is made of."""

    title: str
    judge: Mapping[str, Any]
    labels: Mapping[str, Any]
    coverage: Coverage
    calibration: Calibration
    people: Agreement | None
    bias: BiasProbes
    means: tuple[CandidateMean, ...]
    cautions: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())
