"""The labelled texts of the domain packs, read from `benchmarks/gold`.

The folder `unseen` there has the texts whose errors nobody has looked at: rules are not mended on them, so
their figures are those of new texts. Whoever reads an error there moves the text to the file beside.
"""

import json
from pathlib import Path
from typing import Any

GOLD = Path(__file__).parents[1] / "gold"
UNSEEN = "unseen"


def read_gold(name: str) -> list[dict[str, Any]]:
    """The items of a pack, each with its `split`; those that were not looked at have the split `unseen`."""
    seen = _lines(GOLD / f"{name}.jsonl")
    return seen + [{**item, "split": UNSEEN} for item in _lines(GOLD / UNSEEN / f"{name}.jsonl")]


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
