"""What a judge said of answers that people labelled: stored, read, and asked for again.

A recording is a JSONL file: its first line says what made it, the others have a score each, by the item's id.
"""

import json
import time
from collections.abc import Callable, Sequence
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

GOLD = Path(__file__).parents[1] / "gold"
FAITHDIAL = GOLD / "faithdial"
ITEMS, SYSTEMS = FAITHDIAL / "wow.jsonl", FAITHDIAL / "systems.jsonl"
FAITHFUL, UNFAITHFUL = "entailment", "hallucination"


@dataclass(frozen=True, slots=True)
class Judged:
    """People's labels (1 faithful, 0 not) and the judge's scores of the same replies."""

    labels: FloatArray
    scores: FloatArray

    def part(self, chosen: np.ndarray[Any, np.dtype[Any]]) -> "Judged":
        """The replies that are chosen, by place or by mask."""
        return Judged(self.labels[chosen], self.scores[chosen])


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Answers with a metric that a model judges them by, and the file that has its scores.

    `read` gives the samples by their ids from the folder of public data, or raises DataAbsent. `prompts` are
    those that are asked.
    """

    metric: MetricConfig
    prompts: tuple[str, ...]
    path: Path
    read: Callable[[Path], dict[str, Sample]]

    @property
    def made_by(self) -> dict[str, Any]:
        """The first line of its file when it is recorded today."""
        return {
            "metric": self.metric.type,
            "options": dict(self.metric.options),
            "prompts": {name: get_template(name).hash for name in self.prompts},
            "weights": QWEN_CODER_15B.file_name,
            "weights_sha256": QWEN_CODER_15B.sha256,
        }


@dataclass(frozen=True, slots=True)
class Recording:
    """Stored scores: what made them, and a row for each reply by its id."""

    made_by: dict[str, Any]
    rows: dict[str, dict[str, Any]]

    def is_of(self, recorded: Recorded) -> bool:
        """Whether the metric, the prompts and the model are those of today."""
        return self.made_by == recorded.made_by

    def values(self) -> dict[str, float]:
        """The scores by id; what failed has none."""
        return {id_: row["score"] for id_, row in self.rows.items() if row.get("score") is not None}


def read_items(path: Path = ITEMS) -> list[dict[str, str]]:
    """The labelled replies."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read_recording(path: Path) -> Recording:
    """The stored scores."""
    head, *rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return Recording(head, {row["id"]: row for row in rows})


def judged(items: Sequence[dict[str, str]], recording: Recording) -> Judged:
    """The replies that have a score."""
    values = recording.values()
    found = [(float(item["label"] == FAITHFUL), values[item["id"]]) for item in items if item["id"] in values]
    return Judged(np.array([label for label, _ in found]), np.array([score for _, score in found]))


async def ask_again(recorded: Recorded, data: Path, base_url: str) -> None:
    """Ask the judge about every sample, and store what it says as it comes.

    Scores that the same metric, prompts and model have given are kept, so what was cut off goes on; failed
    ones are made again.
    """
    samples = recorded.read(data)
    metric = make_any_metric(recorded.metric, (LABEL,))
    assert isinstance(metric, JudgedMetric)  # noqa: S101 - the catalog says so
    kept = {id_: row for id_, row in _kept(recorded).items() if id_ in samples}
    lines = [json.dumps(recorded.made_by), *map(json.dumps, kept.values())]
    started = time.perf_counter()
    async with local_judges(base_url) as judges:
        for number, (id_, sample) in enumerate(samples.items(), start=1):
            if id_ in kept:
                continue
            score = await metric.judge(sample, judges)
            lines.append(json.dumps(stored(id_, score)))
            recorded.path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            print(f"{number} of {len(samples)}: {score.reason} ({time.perf_counter() - started:.0f} s)")


def _kept(recorded: Recorded) -> dict[str, dict[str, Any]]:
    if not recorded.path.is_file():
        return {}
    recording = read_recording(recorded.path)
    rows = recording.rows if recording.is_of(recorded) else {}
    return {id_: row for id_, row in rows.items() if row["state"] != "failed"}


def stored(id_: str, score: Score) -> dict[str, Any]:
    """What is kept of a score."""
    row: dict[str, Any] = {"id": id_, "state": score.state}
    if score.value is None:
        return {**row, "reason": score.reason}
    return {**row, "score": round(score.value, 6)}


def read_replies(_: Path) -> dict[str, Sample]:
    """FaithDial's labelled replies as answers to cases that have the knowledge as their context."""
    return {item["id"]: _sample(item["id"], item["response"], (item["knowledge"],)) for item in read_items()}


def _sample(id_: str, text: str, context: tuple[str, ...]) -> Sample:
    return Sample(case=Case(key=id_, vars={}, context=context), response=ModelResponse(text=text))


def faithfulness(mode: str) -> MetricConfig:
    """The metric in a mode that asks one question."""
    return MetricConfig(name="faithfulness", type="faithfulness", options={"mode": mode})


REPLIES = Recorded(
    metric=faithfulness("verdict"),
    prompts=("faithfulness_verdict",),
    path=FAITHDIAL / "scores_qwen15.jsonl",
    read=read_replies,
)
