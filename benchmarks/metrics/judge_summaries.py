"""A small local judge on summaries of news that experts graded: are they consistent with the article?

SummEval (Fabbri et al. 2021): 50 summaries, each of another article, half of them with the highest grade for
consistency from all three experts and half not. The judge is Qwen2.5-Coder-1.5B in `faithfulness` with mode
`grounded`; its scores are stored, texts and grades are read from the public data.
"""

from pathlib import Path
from typing import Any

import numpy as np

from assay.domain.datasets import Case
from assay.domain.models import ModelResponse
from assay.domain.scores import Sample
from assay.metrics.grounding import grounding
from assay.stats.auroc import auroc
from metrics.judge_scores import GOLD, Recorded, Recording, faithfulness, read_recording
from metrics.public_data import read_lines
from metrics.rows import Row, bounds

SEED = 20_261
ARTICLES = 50
"""As many as are asked about: a small model takes half a minute for a long text on one thread."""
CONSISTENT = 5.0
"""The mean grade when all three experts gave the highest."""
NAME = "Local judge, summaries"
Summaries = dict[str, dict[str, Any]]


def run(data: Path) -> list[Row]:
    """What the stored scores are worth, beside the words alone."""
    summaries, recording = read_summaries(data), read_recording(RECORDED.path)
    values = recording.values()
    alone = {id_: grounding(summaries[id_]["summary"], [summaries[id_]["source"]]) for id_ in values}
    return [
        stored_scores(recording),
        area("grounded", values, summaries),
        area("the words alone", alone, summaries),
    ]


def read_summaries(data: Path) -> Summaries:
    """Summaries with their articles, one an article: half of them wholly consistent, half not.

    Most of the set are consistent: a plain draw would have too few of the others to say anything.
    """
    rng = np.random.default_rng(SEED)
    left = {True: ARTICLES // 2, False: ARTICLES // 2}
    found: Summaries = {}
    for article, rows in sorted(_by_article(data).items()):
        kinds = {kind: [row for row in rows if (row["consistency"] >= CONSISTENT) is kind] for kind in left}
        wanted = max((kind for kind in left if kinds[kind]), key=lambda kind: left[kind])
        if left[wanted]:
            left[wanted] -= 1
            row = kinds[wanted][int(rng.integers(len(kinds[wanted])))]
            found[f"{article}/{row['system']}"] = row
    return found


def _by_article(data: Path) -> dict[str, list[dict[str, Any]]]:
    sources = {row["doc_id"]: row["source"] for row in read_lines(data, "summeval/docs.jsonl")}
    articles: dict[str, list[dict[str, Any]]] = {}
    for row in read_lines(data, "summeval/outputs.jsonl"):
        articles.setdefault(row["doc_id"], []).append({**row, "source": sources[row["doc_id"]]})
    return articles


def samples(data: Path) -> dict[str, Sample]:
    """Each summary as an answer with its article as the context."""
    return {
        id_: Sample(
            case=Case(key=id_, vars={}, context=(row["source"],)),
            response=ModelResponse(text=row["summary"]),
        )
        for id_, row in read_summaries(data).items()
    }


RECORDED = Recorded(
    metric=faithfulness("grounded"),
    prompts=("faithfulness_verdict",),
    path=GOLD / "judge" / "summeval_consistency_qwen15.jsonl",
    read=samples,
)


def stored_scores(recording: Recording) -> Row:
    """Whether stored scores are those of today's prompt, and how many there are."""
    is_current = recording.is_of(RECORDED)
    return Row(
        name=f"{NAME}: prompt of the stored scores",
        value=f"{len(recording.values())} scored of {len(recording.rows)}",
        target="today's prompt",
        ok=is_current,
        note="" if is_current else "the prompt has changed: run --judge summaries",
    )


def area(name: str, scores: dict[str, float], summaries: Summaries) -> Row:
    """How well scores tell summaries that all experts found consistent from the others."""
    labels = [float(summaries[id_]["consistency"] >= CONSISTENT) for id_ in scores]
    found = auroc(labels, list(scores.values()))
    note = f"{found.n} summaries, {labels.count(0.0)} not wholly consistent, 95% interval {bounds(found)}"
    return Row(name=f"{NAME}, {name}: AUROC", value=f"{found.estimate or 0.0:.3f}", note=note)
