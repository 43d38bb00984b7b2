"""The guide shows output that its examples really print."""

import re
import subprocess
import sys
from pathlib import Path


def test_the_worked_examples_print_what_the_guide_shows():
    guide = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```\n\nprints\n\n```text\n(.*?)```", guide, re.DOTALL)
    assert len(examples) >= 2
    for code, shown in examples:
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert found.stdout == shown
