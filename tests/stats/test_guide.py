"""The guide shows output that its example really prints."""

import re
import subprocess
import sys
from pathlib import Path


def test_the_worked_example_prints_what_the_guide_shows():
    guide = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", guide, re.DOTALL).group(1)
    shown = re.search(r"```text\n(.*?)```", guide, re.DOTALL).group(1)
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == shown
