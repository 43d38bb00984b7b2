"""The accounting of the benchmarks, against work of known size."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "process_tree.py"


@pytest.mark.skipif(sys.platform != "linux", reason="the accounting reads /proc")
def test_cpu_of_children_and_of_a_daemon_is_counted_while_it_lives_and_after_its_end() -> None:
    done = subprocess.run([sys.executable, str(PROGRAM), "--verify"], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
