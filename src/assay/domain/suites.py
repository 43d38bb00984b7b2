"""A suite: what one file asks to be evaluated."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.domain.datasets import Case, Split
from assay.domain.models import ModelConfig
from assay.domain.prompts import Prompt, StoredPrompt
from assay.domain.races import RaceConfig
from assay.domain.scores import MetricConfig
from assay.domain.versions import Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSource:
    """Where cases come from: a file (`path`, its `format` told by the extension unless set), `cases`, or
    the store (`stored`).

    `fields` maps our names of fields (id, vars, expected, context, metadata, tags, cluster, weight, split)
    to the file's. `split` is the part of the cases that takes part; None is all of them.
    """

    name: str
    path: Path | None = None
    format: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    cases: tuple[Case, ...] = ()
    stored: Reference | None = None
    split: Split | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """What one suite file asks for; every path in it is absolute, every name resolved."""

    name: str
    description: str = ""
    prompts: tuple[Prompt | StoredPrompt, ...]
    models: tuple[ModelConfig, ...]
    dataset: DatasetSource
    metrics: tuple[MetricConfig, ...]
    judges: tuple[ModelConfig, ...] = ()
    """Models that judge for metrics, the default first."""
    canaries: bool = True
    """Whether the judges are asked about answers that deserve no good score, when a run ends."""
    repeats: int = 1
    seed: int = 0
    concurrency: int | None = None
    budget_usd: float | None = None
    margin: float | None = None
    """Largest difference of a quality metric that does not matter, for the verdict "equivalent"."""
    race: RaceConfig | None = None
    """Set: stop candidates that cannot win. None: run the whole grid."""
    variables: Mapping[str, Any] = field(default_factory=dict)
    """Defaults for template variables that a case does not set."""
    path: Path | None = None
    lines: Mapping[str, int] = field(default_factory=dict)
    """Field path ("models.0.parameters") -> line in the file, for error messages."""

    @property
    def is_stored(self) -> bool:
        """Whether any part of it is taken from the store."""
        return self.dataset.stored is not None or any(isinstance(each, StoredPrompt) for each in self.prompts)
