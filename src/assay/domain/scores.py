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
    judged: bool = False
    """Whether models are asked to score: they cost money, and each call is in the ledger."""
    prompts: tuple[str, ...] = ()
    """Names of the prompt templates that judges are given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a metric looks at: the case, the answer and what it cost (US dollars; None is unknown).

    `baseline` is another candidate's answer to the same case and repeat, where there is one to compare with.
    """

    case: Case
    response: ModelResponse
    cost_usd: float | None = None
    baseline: str | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """One metric on one result. Only a `scored` score has a value; every score has a reason."""

    metric: str
    state: ScoreState
    value: float | None
    reason: str
    passed: bool | None = None
    evidence: Mapping[str, Any] | None = None
    calls: int = 0
    """How many judge calls it took, without those that the cache answered."""
    cost_nanousd: int | None = 0
    """What those calls cost, in billionths of a US dollar; None when a price is unknown."""
