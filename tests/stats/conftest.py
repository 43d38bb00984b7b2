"""Reference values shared by the tests of the statistics."""

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def golden() -> dict[str, dict[str, Any]]:
    """Inputs, expected outputs, tolerance and reference by id."""
    return json.loads(Path(__file__).with_name("golden.json").read_text(encoding="utf-8"))
