"""How well the rules of `legal_compliance` find what was labelled: precision and recall.

The labels are in `benchmarks/gold/legal.jsonl`, written by hand: a text, its jurisdiction, the kind of
document, a day where it matters, and every rule that is violated or whose disclosure is missing. `round`
tells texts that were written before their first results were looked at; `docs/metrics/legal.md` has those
results. Rules were mended on all of them, so their figures show what got worse and no more. Those of new
texts are the figures of the split `unseen`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.domain.datasets import Case
from assay.domain.models import ModelResponse
from assay.domain.scores import MetricConfig, Sample
from assay.metrics.catalog import make_metric
from assay.metrics.rule_packs import list_packs, load_packs
from metrics.gold import UNSEEN, read_gold

SOURCE = "benchmarks/gold"
TARGETS = {
    "dev": 0.95,
    "heldout": 0.95,
    "independent1": 0.95,
    "independent2": 0.95,
    "independent3": 0.95,
    "independent4": 0.95,
    UNSEEN: 0.90,
}
"""Split -> the least precision and recall; None: told as it is."""
Found = tuple[str, str, str]
"""Item, rule and verdict."""


def read_items(split: str) -> list[dict[str, Any]]:
    """The labelled items of a split."""
    return [item for item in read_gold("legal") if item["split"] == split]


def sample_of(item: Mapping[str, Any]) -> Sample:
    """The item as the metric gets it."""
    known = {name: item[name] for name in ("jurisdiction", "document", "date") if name in item}
    return Sample(
        case=Case(key=item["id"], vars={}, metadata=known), response=ModelResponse(text=item["text"])
    )


def find_all(items: Sequence[Mapping[str, Any]]) -> set[Found]:
    """What the metric finds violated or missing."""
    metric = make_metric(MetricConfig(name="legal", type="legal_compliance"))
    scores = metric.score_batch([sample_of(item) for item in items])
    return {
        (item["id"], rule["rule"], rule["verdict"])
        for item, score in zip(items, scores, strict=True)
        for rule in (score.evidence or {}).get("rules", ())
        if rule["verdict"] in ("violated", "missing")
    }


def labels_of(items: Iterable[Mapping[str, Any]]) -> set[Found]:
    """What people labelled."""
    return {(item["id"], label["rule"], label["verdict"]) for item in items for label in item["labels"]}


def precision_recall(found: set[Found], labelled: set[Found]) -> tuple[float | None, float | None]:
    """The share of findings that are right and of labels that are found; None where there is nothing."""
    right = len(found & labelled)
    return (right / len(found) if found else None, right / len(labelled) if labelled else None)


def run(data: Path) -> list[dict[str, Any]]:
    """Rows of all splits, together and by category; `data` is not needed."""
    del data
    categories = {rule.id: rule.category for pack in load_packs(list_packs()) for rule in pack.rules}
    return [row for split in TARGETS for row in _rows(split, categories)]


def _rows(split: str, categories: Mapping[str, str]) -> list[dict[str, Any]]:
    items = read_items(split)
    found, labelled = find_all(items), labels_of(items)
    parts: dict[str, tuple[set[Found], set[Found]]] = defaultdict(lambda: (set(), set()))
    for each, place in ((found, 0), (labelled, 1)):
        for finding in each:
            parts[categories[finding[1]]][place].add(finding)
    rows = _pair(f"legal, {split}", found, labelled, TARGETS[split])
    for category in sorted(parts):
        rows += _pair(f"legal, {split}, {category}", *parts[category], None)
    return rows


def _pair(name: str, found: set[Found], labelled: set[Found], target: float | None) -> list[dict[str, Any]]:
    values = zip(("precision", "recall"), precision_recall(found, labelled), strict=True)
    return [_row(f"{name}, {figure}", value, target) for figure, value in values]


def _row(name: str, value: float | None, target: float | None) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name, "value": value, "target": target, "unit": "", "source": SOURCE}
    if target is not None:
        row["passed"] = value is not None and value >= target
    return row
