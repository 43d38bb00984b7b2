"""The receipt of a job: what a reader needs months later to know what was run."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from assay.domain.datasets import Split
from assay.services.context import Context
from assay.services.grid import Grid


@dataclass(frozen=True, slots=True)
class JobDataset:
    """The version of a data set that a job is made of; `reference` is its NAME:VERSION."""

    id: UUID
    content_hash: bytes
    case_count: int
    reference: str


def make_receipt(context: Context, grid: Grid, dataset: JobDataset, split: Split | None) -> dict[str, Any]:
    """What a reader needs months later to know what was run."""
    prices = (*grid.judging.pricings.items(), *grid.pricings.items())
    return {
        "assay": context.version,
        "created": context.now.isoformat(timespec="seconds"),
        "prompts": {prompt.name: prompt.content_hash.hex() for prompt in grid.plan.prompts},
        "stored_prompts": {
            prompt.name: f"{prompt.template}:{prompt.version}"
            for prompt in grid.plan.prompts
            if prompt.template is not None
        },
        "dataset": dataset.reference,
        "split": split,
        "models": {config.name: config.content_hash.hex() for config in grid.plan.models},
        "metrics": grid.metric_versions,
        "judges": {config.name: config.content_hash.hex() for config in grid.judging.judges},
        "judge_prompts": grid.judging.prompt_hashes,
        "prices": {name: None if p is None else p.version for name, p in prices},
        "seed": grid.plan.seed,
    }
