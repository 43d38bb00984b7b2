"""SummEval: how ROUGE goes together with experts' scores of summaries, document by document.

Fabbri et al. (2021), arXiv:2007.12626, with the eleven references of the set. Summary-level correlation:
Spearman's over the systems for each document, then the mean over documents.
"""

from collections import defaultdict
from pathlib import Path
from statistics import fmean
from typing import Any

from assay.stats.correlation import spearman
from metrics.public_data import read_lines
from metrics.rows import Row, equal
from metrics.scoring import score_texts, values_of

QUALITIES = ("coherence", "consistency", "fluency", "relevance")
ROUGE = {"rouge_1": (0.169, 0.160, 0.116, 0.328), "rouge_2": (0.184, 0.187, 0.159, 0.290), "rouge_l": None}
NOTE = "stemmed, mean over 11 references; coherence, consistency, fluency, relevance; as google's rouge-score"


def run(data: Path) -> list[Row]:
    """A row for each metric; the published ROUGE-L splits sentences otherwise, so ours is only shown."""
    references = {row["doc_id"]: row["references"] for row in read_lines(data, "summeval/docs.jsonl")}
    outputs = read_lines(data, "summeval/outputs.jsonl")
    rows = []
    for metric, wanted in ROUGE.items():
        scores = mean_scores(metric, outputs, references)
        found = [summary_level(scores, outputs, quality) for quality in QUALITIES]
        name = f"SummEval: `{metric}` and experts, Spearman"
        if wanted is None:
            rows.append(Row(name=name, value=" / ".join(f"{each:.3f}" for each in found)))
        else:
            rows.append(equal(name, found, wanted, 3, NOTE))
    return rows


def mean_scores(metric: str, outputs: list[dict[str, Any]], references: dict[str, list[str]]) -> list[float]:
    """Of each summary the mean score over the references, each taken alone."""
    pairs = [(row["summary"], reference) for row in outputs for reference in references[row["doc_id"]]]
    values = iter(values_of(score_texts(metric, pairs, {"stemmer": True})))
    return [fmean(next(values) for _ in references[row["doc_id"]]) for row in outputs]


def summary_level(scores: list[float], outputs: list[dict[str, Any]], quality: str) -> float:
    """The mean over documents of Spearman's correlation over systems; constant documents say nothing."""
    documents: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for score, row in zip(scores, outputs, strict=True):
        documents[row["doc_id"]].append((score, row[quality]))
    found = [spearman(*zip(*pairs, strict=True)).estimate for pairs in documents.values()]
    return fmean(each for each in found if each is not None)
