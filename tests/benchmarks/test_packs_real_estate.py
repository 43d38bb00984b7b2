"""The labelled answers about properties: there are enough, and the metric keeps to its targets."""

import importlib
from collections import Counter
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def pack():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield importlib.import_module("metrics.packs_real_estate")


def test_precision_and_recall_reach_their_targets(pack):
    rows = pack.run()
    judged = [row for row in rows if row["target"] is not None]
    assert (len(rows), len(judged)) == (21, 21)
    assert [row["name"] for row in judged if row["value"] < row["target"]] == []


def test_the_items_are_many_and_of_every_kind(pack):
    items = pack.read_gold("real_estate")
    splits = Counter(item["split"] for item in items)
    assert splits["development"] >= 170 and splits["heldout"] >= 40
    assert len({item["id"] for item in items}) == len(items)
    text = " ".join(str(item["record"]) for item in items)
    assert all(
        f"'{state}'" in text for state in ("NSW", "VIC", "QLD", "SA", "WA", "TAS", "ACT", "NT", "TX", "MA")
    )
    assert sum(not item["wrong"] for item in items) > 100
    verdicts = Counter(label["verdict"] for item in items for label in item["wrong"])
    assert set(verdicts) == {"mismatch", "invented"}
