"""The public data sets, read from a folder that holds one folder for each."""

import json
import os
from pathlib import Path
from typing import Any

VARIABLE = "ASSAY_BENCH_DATA"
NO_DATA = Path(os.devnull)
"""The folder when none is named: nothing is in it."""


class DataAbsent(Exception):
    """The folder is not named, or does not hold the file."""


def read_lines(data: Path, name: str) -> list[dict[str, Any]]:
    """The objects of a JSONL file; raises DataAbsent."""
    return [json.loads(line) for line in _text(data, name).splitlines() if line]


def read_document(data: Path, name: str) -> Any:
    """The value of a JSON file; raises DataAbsent."""
    return json.loads(_text(data, name))


def _text(data: Path, name: str) -> str:
    if data == NO_DATA:
        raise DataAbsent(f"no folder of public data: set {VARIABLE} or give --data")
    path = data / name
    if not path.is_file():
        raise DataAbsent(f"{name} is not in the folder of public data")
    return path.read_text(encoding="utf-8")
