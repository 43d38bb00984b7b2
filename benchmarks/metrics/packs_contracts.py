"""How well `contract_completeness` finds what is wrong with the contracts of
`benchmarks/gold/contracts.jsonl`.

Each item has a text, its kind, jurisdiction and conditions, and every required clause that is not complete,
with its verdict. A finding is a clause that is not complete, whatever its verdict; by verdict, the verdict
must be right too. A clause counts as present when its verdict is `present`. docs/metrics/contracts.md has
the figures of the first look at each set. The packs were mended on all of them, so what is found today shows
what got worse and no more; figures of new contracts are those of `unseen`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from assay.domain.datasets import Case
from assay.domain.models import ModelResponse
from assay.domain.scores import MetricConfig, Sample
from assay.metrics.catalog import make_metric
from assay.metrics.clause_packs import list_clause_packs, load_clause_packs
from assay.metrics.contract import detect_contract
from assay.metrics.contract_places import find_jurisdiction
from metrics.gold import UNSEEN, read_gold

SOURCE = "benchmarks/gold"
GROUPS: Mapping[str, tuple[tuple[str, ...], float | None]] = {
    "development": (("written", "composed"), 0.95),
    "heldout": (("heldout",), 0.90),
    "heldout2": (("heldout2",), 0.90),
    "heldout3": (("heldout3",), 0.90),
    "heldout4": (("heldout4",), 0.90),
    "independent": (("independent1", "independent2", "independent3"), 0.95),
    UNSEEN: ((UNSEEN,), 0.90),
}
"""Group -> its splits and the least precision and recall; None: told as it is."""
VERDICTS = ("partial", "blank", "empty", "excluded", "dangling", "missing")


class Judged(NamedTuple):
    """One clause of one item: what the label says and what the metric says."""

    item: str
    clause: str
    labelled: str
    found: str


def read_items(splits: Sequence[str]) -> list[dict[str, Any]]:
    """The items of some splits."""
    return [item for item in read_gold("contracts") if item["split"] in splits]


def judge_items(items: Iterable[Mapping[str, Any]]) -> Iterator[Judged]:
    """Each clause that applies, judged with the kind, jurisdiction and conditions of the item."""
    metric = make_metric(MetricConfig(name="contract", type="contract_completeness"))
    for item in items:
        known = {
            "contract_type": item["contract"],
            "jurisdiction": item["jurisdiction"],
            "conditions": item["conditions"],
        }
        (score,) = metric.score_batch([_sample(item, known)])
        labels = {label["clause"]: label["verdict"] for label in item["findings"]}
        for clause in (score.evidence or {}).get("clauses", ()):
            if clause["verdict"] != "not_applicable" or clause["clause"] in labels:
                labelled = labels.pop(clause["clause"], "present")
                yield Judged(item["id"], clause["clause"], labelled, clause["verdict"])
        yield from (
            Judged(item["id"], clause, verdict, "not_applicable") for clause, verdict in labels.items()
        )


def _sample(item: Mapping[str, Any], known: Mapping[str, Any]) -> Sample:
    case = Case(key=item["id"], vars={}, metadata=known)
    return Sample(case=case, response=ModelResponse(text=item["text"]))


def precision_recall(
    judged: Sequence[Judged], positives: Sequence[str], exact: bool
) -> tuple[float | None, float | None]:
    """Precision and recall of some verdicts; `exact` asks for the same one. None where there is nothing."""
    found = [each for each in judged if each.found in positives]
    labelled = [each for each in judged if each.labelled in positives]
    right = sum(each.labelled == each.found if exact else each.labelled in positives for each in found)
    return (right / len(found) if found else None, right / len(labelled) if labelled else None)


def known_kinds(items: Sequence[Mapping[str, Any]]) -> float:
    """The share of items whose kind is found from the text alone."""
    packs = load_clause_packs(list_clause_packs())
    right = [
        detect_contract(item["text"], packs, find_jurisdiction(item["text"])) == item["contract"]
        for item in items
    ]
    return float(sum(right) / len(right))


def run(data: Path) -> list[dict[str, Any]]:
    """Rows for each group of items; `data` is not needed."""
    del data
    return [row for group in GROUPS for row in _rows(group)]


def _rows(group: str) -> Iterator[dict[str, Any]]:
    splits, target = GROUPS[group]
    items = read_items(splits)
    judged = list(judge_items(items))
    yield _row(f"contracts {group}: items", float(len(items)), None, "items")
    yield from _pair(
        f"contracts {group}: not complete", precision_recall(judged, VERDICTS, exact=False), target
    )
    yield from _pair(f"contracts {group}: present", precision_recall(judged, ["present"], exact=True), target)
    for verdict in VERDICTS:
        count = sum(each.labelled == verdict for each in judged)
        name = f"contracts {group}: {verdict} ({count})"
        yield from _pair(name, precision_recall(judged, [verdict], exact=True), None)
    yield _row(f"contracts {group}: kind found from the text", known_kinds(items), target, "share")


def _pair(
    name: str, values: tuple[float | None, float | None], target: float | None
) -> Iterator[dict[str, Any]]:
    for measure, value in zip(("precision", "recall"), values, strict=True):
        yield _row(f"{name}, {measure}", value, target, "share")


def _row(name: str, value: float | None, target: float | None, unit: str) -> dict[str, Any]:
    return {"name": name, "value": value, "target": target, "unit": unit, "source": SOURCE}
