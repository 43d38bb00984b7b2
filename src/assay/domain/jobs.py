"""Jobs: the frozen plan of a grid, and the work that is claimed from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import orjson

from assay.domain.datasets import Case
from assay.domain.models import Limits, ModelConfig, ModelResponse, Price, Timeouts
from assay.domain.prompts import Message, Prompt
from assay.domain.races import RaceConfig
from assay.domain.scores import MetricConfig, Score

JobState = Literal["draft", "queued", "running", "paused", "completed", "failed", "cancelling", "cancelled"]
Recorded = Literal["succeeded", "failed", "ready", "already", "fenced"]
"""What became of a recorded cell: its new state, or why nothing changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a job was made of, frozen when it was created: nothing mutable is read afterwards.

    A cell's number is ((case_no * prompts + prompt_no) * models + model_no) * repeats + repeat.
    """

    prompts: tuple[Prompt, ...]
    models: tuple[ModelConfig, ...]
    metrics: tuple[MetricConfig, ...]
    repeats: int
    variables: Mapping[str, Any]
    seed: int = 0
    margin: float | None = None
    race: RaceConfig | None = None
    judges: tuple[ModelConfig, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """One leased cell. `lease_token` fences every later write; `estimate_nanousd` is reserved for it."""

    item_no: int
    lease_token: int
    attempt: int
    prompt_no: int
    model_no: int
    repeat: int
    case: Case
    estimate_nanousd: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """A cell with an answer and its scores. `cost_nanousd` is None when the price is unknown."""

    item: WorkItem
    request_key: bytes
    response: ModelResponse
    scores: tuple[Score, ...]
    cost_nanousd: int | None
    price_version: str | None
    call_no: int = 1

    @property
    def paid_nanousd(self) -> int:
        """What the answer and its judges cost, as far as prices are known."""
        return (self.cost_nanousd or 0) + sum(score.cost_nanousd or 0 for score in self.scores)

    @property
    def has_unknown_price(self) -> bool:
        """Whether something of it was paid at an unknown price."""
        return self.cost_nanousd is None or any(score.cost_nanousd is None for score in self.scores)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A cell without an answer. `retry_after_s` set: the cell goes back to the queue for later;
    `counts` False: the attempt does not count against the job's limit (429, stopped account). `response`
    with its cost: an answer came, but could not be judged yet."""

    item: WorkItem
    code: str
    message: str
    retry_after_s: float | None = None
    counts: bool = True
    http_status: int | None = None
    provider_request_id: str | None = None
    latency_ms: float | None = None
    call_no: int = 1
    response: ModelResponse | None = None
    cost_nanousd: int | None = 0
    price_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobHead:
    """What a list of jobs shows of one. Costs in billionths of a US dollar."""

    id: UUID
    name: str
    state: JobState
    planned: int
    succeeded: int
    failed: int
    created_at: str
    finished_at: str | None
    spent_nanousd: int
    parent_job_id: UUID | None = None
    dataset: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedAttempt:
    """An attempt that is followed by another one on the same lease. `call_no` counts from 1."""

    item_no: int
    lease_token: int
    call_no: int
    code: str
    message: str
    counts: bool
    http_status: int | None
    provider_request_id: str | None
    latency_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeIntent:
    """A call that a judge is about to be asked. `estimate_nanousd` is its upper bound; None is unknown."""

    item_no: int
    lease_token: int
    call_no: int
    metric: str
    judge: str
    estimate_nanousd: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedCall:
    """How a call to a judge ended: with a response, or with the code and message of an error."""

    item_no: int
    lease_token: int
    call_no: int
    outcome: str
    request_key: bytes | None = None
    response: ModelResponse | None = None
    cost_nanousd: int | None = 0
    price_version: str | None = None
    message: str | None = None
    http_status: int | None = None
    provider_request_id: str | None = None
    latency_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """An answer that is about to be judged, kept in the ledger until its cell is recorded."""

    item_no: int
    lease_token: int
    request_key: bytes
    response: ModelResponse
    cost_nanousd: int | None
    price_version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeBooking:
    """What changes in the ledger at once: answers kept, calls closed, and calls to open."""

    kept: tuple[KeptAnswer, ...] = ()
    closed: tuple[ClosedCall, ...] = ()
    opened: tuple[JudgeIntent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What a sweep of a job found. `next_ready_s` is how long until a waiting cell may be claimed."""

    reclaimed: int
    dead: int
    ready: bool
    leased: bool
    next_ready_s: float | None
    state: JobState


def plan_to_json(plan: Plan) -> bytes:
    """A plan as JSON; keys of providers are no part of it."""
    return orjson.dumps(plan, option=orjson.OPT_NON_STR_KEYS)


def plan_from_json(document: Mapping[str, Any]) -> Plan:
    """The plan that `plan_to_json` wrote."""
    return Plan(
        prompts=tuple(_prompt(item) for item in document["prompts"]),
        models=tuple(_model(item) for item in document["models"]),
        metrics=tuple(MetricConfig(**item) for item in document["metrics"]),
        repeats=document["repeats"],
        variables=document["variables"],
        seed=document["seed"],
        margin=document["margin"],
        race=RaceConfig(**document["race"]) if document.get("race") else None,
        judges=tuple(_model(item) for item in document.get("judges", ())),
    )


def added_from_json(document: Mapping[str, Any]) -> tuple[tuple[MetricConfig, ...], tuple[ModelConfig, ...]]:
    """The metrics that were added to a job, and their judges."""
    metrics = tuple(MetricConfig(**item) for item in document["metrics"])
    return metrics, tuple(_model(item) for item in document["judges"])


def _prompt(item: Mapping[str, Any]) -> Prompt:
    messages = tuple(Message(**message) for message in item["messages"])
    return Prompt(**{**item, "messages": messages, "tools": tuple(item["tools"])})


def _model(item: Mapping[str, Any]) -> ModelConfig:
    nested = {
        "timeouts": Timeouts(**item["timeouts"]),
        "limits": Limits(**item["limits"]),
        "price": None if item["price"] is None else Price(**item["price"]),
        "fallbacks": tuple(item["fallbacks"]),
    }
    return ModelConfig(**{**item, **nested})
