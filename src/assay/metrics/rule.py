"""One rule of a pack, as `assay.metrics.rule_packs` says what its fields mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from assay.metrics.pack_fields import in_force
from assay.metrics.rule_amounts import Ratio
from assay.metrics.rule_concepts import Occasion, Together
from assay.metrics.rule_phrases import Phrases

Kind = Literal["required", "prohibited", "advice", "citation"]
Severity = Literal["critical", "major", "minor"]
KINDS: tuple[Kind, ...] = get_args(Kind)
WEIGHTS: Mapping[Severity, float] = {"critical": 5.0, "major": 3.0, "minor": 1.0}
"""What a rule of each severity counts in a metric's value."""
EXCUSES = ("mention", "negation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a pack. An empty `documents` means every kind of document."""

    id: str
    title: str
    kind: Kind
    category: str
    jurisdictions: frozenset[str]
    source: str
    severity: Severity
    message: str
    remedy: str
    valid_from: date | None
    valid_to: date | None
    documents: frozenset[str]
    when: Phrases
    when_all: tuple[Phrases, ...]
    when_none: Phrases
    occasions: tuple[Occasion, ...]
    patterns: Phrases
    gap_not: Phrases
    allowed: Phrases
    exceptions: Phrases
    cleared_by: Phrases
    exceptions_anywhere: Phrases
    excused_by: frozenset[str]
    needs_judge: bool
    needs_document: bool
    question: str
    gives_way_to: str
    together: tuple[Together, ...]
    also_allowed: tuple[Phrases, Phrases]
    ratio: tuple[Ratio, ...]
    max_spread_percent: float | None = None

    @property
    def weight(self) -> float:
        """What it counts in a metric's value."""
        return WEIGHTS[self.severity]

    def holds_on(self, day: date | None) -> bool:
        """Whether it is law on a day. With no day known: whether it has not ended."""
        return in_force(self.valid_from, self.valid_to, day)
