"""All checks by name: the modules of this package that have a function `run(data)`."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import metrics
from assay.domain.errors import AssayError
from metrics.public_data import DataAbsent
from metrics.rows import Row, row_of, skipped

Check: TypeAlias = Callable[[Path], Sequence[Row | Mapping[str, Any]]]
"""Measures with the folder of public data, `NO_DATA` when there is none."""

NOT_CHECKS = {"catalog", "judge_scores", "judged_tour", "local_model", "public_data", "rows", "scoring"}


def find_checks() -> dict[str, Check]:
    """Name of the module -> its check, in alphabetical order."""
    names = sorted(module.name for module in pkgutil.iter_modules(metrics.__path__))
    found = {
        name: getattr(importlib.import_module(f"metrics.{name}"), "run", None)
        for name in names
        if name not in NOT_CHECKS
    }
    return {name: check for name, check in found.items() if check is not None}


def rows_of(name: str, check: Check, data: Path) -> Iterator[Row]:
    """The rows of a check: one that is skipped when its data are absent, a failed one for an error."""
    try:
        yield from map(row_of, check(data))
    except DataAbsent as absent:
        yield skipped(name, str(absent))
    except AssayError as error:
        yield Row(name=name, value="error", ok=False, note=str(error))
