"""The benchmark of meaning: it tells agreement and speed, and skips sets that are not there."""

import importlib
import json
from pathlib import Path

import pytest

from assay.models.local_embedder import local_embedder

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SENTENCES = (
    ("A man plays a guitar.", "A man is playing the guitar.", 5.0),
    ("A dog runs in the park.", "A cat sleeps on the sofa.", 1.0),
    ("The bank raised interest rates.", "A girl is eating an apple.", 0.0),
    ("A woman slices an onion.", "A woman is cutting onions.", 4.5),
)


@pytest.fixture
def semantic(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("metrics.semantic")


def write_sets(folder: Path) -> None:
    lines = "".join(f"{first},{second},{people}\n" for first, second, people in SENTENCES)
    (folder / "stsb").mkdir()
    for split in ("dev", "test"):
        (folder / "stsb" / f"stsb-en-{split}.csv").write_text(lines, encoding="utf-8")
    (folder / "summeval").mkdir()
    document = {"doc_id": "d", "references": [["A man plays."], "A dog runs."]}
    outputs = [
        {"doc_id": "d", "summary": text, "relevance": relevance, "coherence": relevance}
        for text, relevance in (("A man plays a song.", 4), ("A bank.", 1), ("A dog is running.", 5))
    ]
    for name, rows in (("docs", [document]), ("outputs", outputs)):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "summeval" / f"{name}.jsonl").write_text(text, encoding="utf-8")


def test_each_figure_has_its_row(semantic, tmp_path, monkeypatch):
    write_sets(tmp_path)
    monkeypatch.setattr(semantic, "PAIRS", 20)
    monkeypatch.setattr(semantic, "LocalEmbedder", local_embedder)  # loaded already
    rows = {row["name"]: row for row in semantic.run(tmp_path)}
    promised = {name: row["target"] for name, row in rows.items() if row["target"] is not None}
    assert promised == {
        "semantic_similarity: Spearman with people, STS-B test": 0.8,
        "sentences embedded a second": 300.0,
        "texts of four sentences embedded a second": 300.0,
        "bleu and rouge_l: pairs a second": 10_000.0,
        "bleu and rouge_l: pairs a second of CPU": 10_000.0,
    }
    assert all(row["value"] is not None and row["unit"] and row["source"] for row in rows.values())
    assert rows["semantic_similarity: Spearman with people, STS-B test"]["value"] == pytest.approx(1.0)
    assert rows["semantic_similarity: Spearman with relevance, SummEval"]["value"] == pytest.approx(1.0)


def test_sets_that_are_not_there_are_skipped_and_named(semantic, tmp_path):
    rows = semantic.run(tmp_path)
    assert {row["value"] for row in rows} == {None}
    assert {row["target"] for row in rows} == {None}
    assert all(row["note"].startswith(f"skipped: {tmp_path}") for row in rows)
