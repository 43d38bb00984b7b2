"""Files that metrics of a suite name: their paths begin at the suite's folder, as all paths of a suite do."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from assay.domain.scores import MetricConfig

OPTIONS = ("target", "packs", "rules")
"""Options that may name files: a program (FILE.py:NAME), packs of rules, files of rules."""


def with_paths(metrics: Sequence[MetricConfig], folder: Path) -> tuple[MetricConfig, ...]:
    """The metrics with absolute paths where an option names a file of the folder; other texts are left."""
    return tuple(_with_paths(metric, folder) for metric in metrics)


def _with_paths(metric: MetricConfig, folder: Path) -> MetricConfig:
    found = {name: _resolved(metric.options[name], folder) for name in OPTIONS if name in metric.options}
    return replace(metric, options={**metric.options, **found}) if found else metric


def _resolved(value: Any, folder: Path) -> Any:
    if isinstance(value, list | tuple):
        return [_resolved(item, folder) for item in value]
    if not isinstance(value, str):
        return value
    file, sign, name = value.partition(":") if ".py:" in value else (value, "", "")
    path = folder / file
    return f"{path.absolute()}{sign}{name}" if file and path.is_file() else value
