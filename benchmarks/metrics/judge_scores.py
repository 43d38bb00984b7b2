"""Replies that people labelled, and what a judge said of them: stored, read, and asked for again."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assay.demo.sources import QWEN_CODER_15B
from assay.domain.datasets import Case
from assay.domain.models import ModelResponse
from assay.domain.protocols import JudgedMetric
from assay.domain.scores import MetricConfig, Sample, Score
from assay.judging.templates import get_template
from assay.metrics.catalog import make_any_metric
from assay.stats.arrays import FloatArray
from metrics.local_model import LABEL, local_judges

GOLD = Path(__file__).parents[1] / "gold" / "faithdial"
ITEMS, SYSTEMS, SCORES = GOLD / "wow.jsonl", GOLD / "systems.jsonl", GOLD / "scores_qwen15.jsonl"
PROMPT = "faithfulness_verdict"
FAITHFUL, UNFAITHFUL = "entailment", "hallucination"


@dataclass(frozen=True, slots=True)
class Judged:
    """People's labels (1 faithful, 0 not) and the judge's scores of the same replies."""

    labels: FloatArray
    scores: FloatArray

    def part(self, chosen: np.ndarray[Any, np.dtype[Any]]) -> "Judged":
        """The replies that are chosen, by place or by mask."""
        return Judged(self.labels[chosen], self.scores[chosen])


@dataclass(frozen=True, slots=True)
class Recording:
    """Stored scores: what made them, and a row for each reply by its id."""

    made_by: dict[str, Any]
    rows: dict[str, dict[str, Any]]

    @property
    def is_current(self) -> bool:
        """Whether the prompt that was asked is the one that the product asks today."""
        return bool(self.made_by["prompt_hash"] == get_template(PROMPT).hash)


def read_items(path: Path = ITEMS) -> list[dict[str, str]]:
    """The labelled replies."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read_recording(path: Path = SCORES) -> Recording:
    """The stored scores: the first line says what made them."""
    head, *rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return Recording(head, {row["id"]: row for row in rows})


def judged(items: Sequence[dict[str, str]], recording: Recording) -> Judged:
    """The replies that have a score."""
    found = [
        (float(item["label"] == FAITHFUL), recording.rows[item["id"]]["score"])
        for item in items
        if recording.rows.get(item["id"], {}).get("score") is not None
    ]
    return Judged(np.array([label for label, _ in found]), np.array([score for _, score in found]))


async def ask_again(base_url: str, path: Path = SCORES) -> None:
    """Ask the judge about every reply, and store what it says as it comes."""
    config = MetricConfig(name="faithfulness", type="faithfulness", options={"mode": "verdict"})
    metric = make_any_metric(config, (LABEL,))
    assert isinstance(metric, JudgedMetric)  # noqa: S101 - the catalog says so
    template, started = get_template(PROMPT), time.perf_counter()
    made_by = {
        "metric": "faithfulness, mode verdict",
        "prompt": PROMPT,
        "prompt_version": template.version,
        "prompt_hash": template.hash,
        "weights": QWEN_CODER_15B.file_name,
        "weights_sha256": QWEN_CODER_15B.sha256,
    }
    lines = [json.dumps(made_by)]
    async with local_judges(base_url) as judges:
        for number, item in enumerate(read_items(), start=1):
            score = await metric.judge(sample_of(item), judges)
            lines.append(json.dumps(stored(item["id"], score)))
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            print(f"{number}: {item['label']}: {score.reason} ({time.perf_counter() - started:.0f} s)")


def sample_of(item: dict[str, str]) -> Sample:
    """A labelled reply as the answer to a case that has the knowledge as its context."""
    case = Case(key=item["id"], vars={}, context=(item["knowledge"],))
    return Sample(case=case, response=ModelResponse(text=item["response"]))


def stored(id_: str, score: Score) -> dict[str, Any]:
    """What is kept of a score."""
    row: dict[str, Any] = {"id": id_, "state": score.state}
    if score.value is None:
        return {**row, "reason": score.reason}
    return {**row, "score": round(score.value, 6)}
