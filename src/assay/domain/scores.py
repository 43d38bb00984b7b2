"""Scores: what a metric says of one result."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from assay.domain.datasets import Case
from assay.domain.models import ModelResponse

ScoreState = Literal["scored", "failed", "abstained", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricConfig:
    """A metric as a suite asks for it. `name` is the label, `type` the name in the catalog."""

    name: str
    type: str
    options: Mapping[str, Any] = field(default_factory=dict)
    threshold: float | None = None
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricInfo:
    """What the catalog says of a metric.

    `kind` is "binary" (0 or 1), "unit" (in [0, 1], higher is better) or "measure" (has a `unit`, and
    `better` says which way). `needs` lists what it reads: output, expected, context, tool_calls, usage.
    """

    type: str
    version: str
    kind: Literal["binary", "unit", "measure"]
    summary: str
    needs: tuple[str, ...]
    source: str
    unit: str | None = None
    better: Literal["higher", "lower"] = "higher"
    options: Mapping[str, str] = field(default_factory=dict)
    """Option name -> what it means, with its default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a metric looks at: the case, the answer and what it cost (US dollars; None is unknown)."""

    case: Case
    response: ModelResponse
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """One metric on one result. Only a `scored` score has a value; every score has a reason."""

    metric: str
    state: ScoreState
    value: float | None
    reason: str
    passed: bool | None = None
    evidence: Mapping[str, Any] | None = None
