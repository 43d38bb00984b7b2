"""Loads pyarrow when a Parquet file is first read or written: importing it takes longer than most runs."""

import functools
import importlib
from dataclasses import dataclass
from typing import Any

from assay.domain.errors import OptionalPartMissing


@dataclass(frozen=True, slots=True)
class Arrow:
    """The parts of pyarrow that are used."""

    core: Any
    parquet: Any

    @property
    def problems(self) -> tuple[type[Exception], ...]:
        """What pyarrow raises for files that it cannot read."""
        return (self.core.ArrowException, OSError, ValueError)


@functools.cache
def load_arrow() -> Arrow:
    """pyarrow; raises OptionalPartMissing where it is not installed."""
    try:
        return Arrow(importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet"))
    except ImportError as problem:
        raise OptionalPartMissing(
            "Parquet files need pyarrow", remedy="Install it: pip install pyarrow"
        ) from problem
