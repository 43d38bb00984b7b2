"""The examples run through the real command line, on one embedded database for a process of tests."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
CLI = (sys.executable, "-m", "assay")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Without keys, colours and settings of whoever runs the tests."""
    folder = tmp_path_factory.mktemp("examples")
    kept = ("PATH", "PYTHONPATH", "HOME", "LANG", "LD_LIBRARY_PATH", "TMPDIR")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "ASSAY_DATA_DIR": str(folder / "data"),
        "ASSAY_CACHE_DIR": str(folder / "cache"),
        "PYTHONUTF8": "1",
    }


@pytest.fixture(scope="session")
def run(environment: dict[str, str]) -> Iterator[Run]:
    """Run a command in the folder of an example."""

    def start(example: str, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command,
            cwd=EXAMPLES / example,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=150,
            check=False,
        )

    yield start
    start("listing-facts", *CLI, "db", "stop")


@pytest.fixture
def assay(run: Run) -> Run:
    """Run an assay command in the folder of an example."""
    return lambda example, *arguments: run(example, *CLI, *arguments)
