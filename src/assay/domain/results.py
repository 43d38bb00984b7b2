"""Results: one cell of the grid, as it is shown and exported."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from assay.domain.models import ModelResponse
from assay.domain.scores import Score

ItemState = Literal["ready", "leased", "succeeded", "failed", "dead", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One cell: prompt x model x case x repeat. A cell that failed has an error and no response."""

    item_no: int
    case_no: int
    case: str
    prompt: str
    model: str
    repeat: int
    state: ItemState
    vars: Mapping[str, Any] = field(default_factory=dict)
    expected: Any = None
    tags: tuple[str, ...] = ()
    cluster: str | None = None
    response: ModelResponse | None = None
    scores: tuple[Score, ...] = ()
    cost_nanousd: int | None = None
    attempts: int = 0
    error_code: str | None = None
    error_message: str | None = None
