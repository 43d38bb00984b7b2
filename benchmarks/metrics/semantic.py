"""Metrics of meaning and of shared words: agreement with people, and speed.

The sets are read from a folder with `stsb/stsb-en-{dev,test}.csv` (STS benchmark, Cer et al. 2017: two
sentences and how similar people find them, 0 to 5) and `summeval/{docs,outputs}.jsonl` (Fabbri et al. 2021:
16 systems' summaries of 100 articles, 11 expected summaries each, mean scores of experts). What is not there
is skipped. The speeds are of one process; seconds of CPU are told too, since a wall clock also measures what
else the machine does.
"""

import csv
import json
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr  # type: ignore[import-untyped]  # scipy ships no types

from assay.domain.datasets import Case
from assay.domain.models import ModelResponse
from assay.domain.scores import MetricConfig, Sample
from assay.metrics.catalog import make_metric
from assay.models.local_embedder import THREADS, LocalEmbedder

Row = dict[str, Any]
STSB, SUMMEVAL = "STS-B, English (Cer et al. 2017)", "SummEval (Fabbri et al. 2021)"
METRICS = ("semantic_similarity", "embedding_match", "char_ngram_similarity", "token_f1")
LEAST_SPEARMAN, LEAST_TEXTS_S, LEAST_PAIRS_S = 0.80, 300.0, 10_000.0
PAIRS, WORDS = 10_000, 55
BATCH = 256
"""Answers scored together, as in a run."""


def run(data: Path) -> list[Row]:
    """A row for each figure: name, value, target (None: told, not promised), unit and source.

    The rows of a set that is not in `data` have the value None and say why in `note`.
    """
    return [row for part in (_agreement, _summaries, _embedding_speed, _overlap_speed) for row in part(data)]


def row(name: str, value: float | None, unit: str, source: str, target: float | None = None) -> Row:
    """One figure."""
    return {"name": name, "value": value, "target": target, "unit": unit, "source": source}


def skipped(name: str, source: str, missing: Path) -> Row:
    """A figure that could not be made."""
    return row(name, None, "", source) | {"note": f"skipped: {missing} is not there"}


def _agreement(data: Path) -> Iterator[Row]:
    for split in ("dev", "test"):
        path = data / "stsb" / f"stsb-en-{split}.csv"
        if not path.exists():
            yield skipped(f"STS-B {split}: Spearman", STSB, path)
            continue
        rows = _rows(path)
        people = [float(each[2]) for each in rows]
        samples = [sample(answer, expected) for answer, expected, _ in rows]
        for metric in METRICS:
            promised = metric == "semantic_similarity" and split == "test"
            value = float(spearmanr(_values(metric, samples), people).statistic)
            target = LEAST_SPEARMAN if promised else None
            yield row(f"{metric}: Spearman with people, STS-B {split}", value, "rho", STSB, target)


def _summaries(data: Path) -> Iterator[Row]:
    """Mean over the articles of the rank correlation between its summaries' scores and the experts'."""
    folder = data / "summeval"
    if not folder.is_dir():
        yield skipped("SummEval: Spearman", SUMMEVAL, folder)
        return
    documents = {each["doc_id"]: each for each in _json_lines(folder / "docs.jsonl")}
    outputs = list(_json_lines(folder / "outputs.jsonl"))
    samples = [
        sample(each["summary"], [_text(one) for one in documents[each["doc_id"]]["references"]])
        for each in outputs
    ]
    of_document = defaultdict(list)
    for at, each in enumerate(outputs):
        of_document[each["doc_id"]].append(at)
    for metric in METRICS:
        values = _values(metric, samples)
        for quality in ("relevance", "coherence"):
            found = _mean_spearman(values, [each[quality] for each in outputs], list(of_document.values()))
            yield row(f"{metric}: Spearman with {quality}, SummEval", found, "rho", SUMMEVAL)


def _mean_spearman(values: Sequence[float], people: Sequence[float], groups: list[list[int]]) -> float:
    """Over the groups in which people differ."""
    varied = [group for group in groups if len({people[at] for at in group}) > 1]
    pairs = [([values[at] for at in group], [people[at] for at in group]) for group in varied]
    return float(np.mean([spearmanr(*pair).statistic for pair in pairs]))


def _embedding_speed(data: Path) -> Iterator[Row]:
    """The texts of the dev split warm the embedder up, those of the test split are timed, each once."""
    paths = [data / "stsb" / f"stsb-en-{split}.csv" for split in ("dev", "test")]
    if not all(path.exists() for path in paths):
        yield skipped("texts embedded a second", STSB, paths[0].parent)
        return
    warm, timed = ([text for each in _rows(path) for text in each[:2]] for path in paths)
    sentences = list(dict.fromkeys(timed))
    paragraphs = [" ".join(sentences[at : at + 4]) for at in range(0, len(sentences) - 3, 4)]
    for name, texts in (("sentences", sentences), ("texts of four sentences", paragraphs)):
        wall_s, cpu_s = _time_to_embed(warm, texts)
        words = sum(len(text.split()) for text in texts) / len(texts)
        about = f"{len(texts):,} of {words:.0f} words, {THREADS} threads"
        yield row(f"{name} embedded a second", len(texts) / wall_s, "texts/s", about, LEAST_TEXTS_S)
        yield row(f"{name} embedded a second of CPU", len(texts) / cpu_s, "texts/cpu-s", about)


def _time_to_embed(warm: Sequence[str], texts: Sequence[str]) -> tuple[float, float]:
    embedder = LocalEmbedder()
    embedder.embed(warm)
    return _timed(lambda: embedder.embed(texts))


def _overlap_speed(data: Path) -> Iterator[Row]:
    path = data / "stsb" / "stsb-en-dev.csv"
    if not path.exists():
        yield skipped("pairs scored with BLEU and ROUGE-L a second", STSB, path)
        return
    samples = _pairs([text for each in _rows(path) for text in each[:2]])
    wall_s = cpu_s = 0.0
    about = f"{PAIRS:,} pairs of {WORDS} words, {BATCH} at a time, one thread"
    for metric in ("bleu", "rouge_l"):
        best_cpu_s, its_wall_s = _time_to_score(metric, samples)
        wall_s, cpu_s = wall_s + its_wall_s, cpu_s + best_cpu_s
        yield row(f"{metric}: pairs a second of CPU", PAIRS / best_cpu_s, "pairs/cpu-s", about)
    yield row("bleu and rouge_l: pairs a second", PAIRS / wall_s, "pairs/s", about, LEAST_PAIRS_S)
    yield row("bleu and rouge_l: pairs a second of CPU", PAIRS / cpu_s, "pairs/cpu-s", about, LEAST_PAIRS_S)


def _time_to_score(metric: str, samples: Sequence[Sample]) -> tuple[float, float]:
    """Seconds of CPU, and by the clock, of the best of three times."""
    wall_s, cpu_s = min((_timed(lambda: _values(metric, samples)) for _ in range(3)), key=itemgetter(1))
    return cpu_s, wall_s


def _pairs(sentences: Sequence[str]) -> list[Sample]:
    """Answers of real sentences with expected texts that keep seven in ten of their words in place."""
    rng = random.Random(1)
    samples = []
    for _ in range(PAIRS):
        words: list[str] = []
        while len(words) < WORDS:
            words += rng.choice(sentences).split()
        answer = words[:WORDS]
        expected = [word if rng.random() < 0.7 else rng.choice(answer) for word in answer]
        samples.append(sample(" ".join(answer), " ".join(expected)))
    return samples


def sample(answer: str, expected: Any) -> Sample:
    """An answer with what was expected."""
    return Sample(case=Case(key="1", vars={}, expected=expected), response=ModelResponse(text=answer))


def _values(type_: str, samples: Sequence[Sample]) -> list[float]:
    metric = make_metric(MetricConfig(name=type_, type=type_))
    found = []
    for start in range(0, len(samples), BATCH):
        for score in metric.score_batch(samples[start : start + BATCH]):
            if score.value is None:
                raise ValueError(f"{type_}: {score.reason}")
            found.append(score.value)
    return found


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of CPU in all threads."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _text(reference: Any) -> str:
    """An expected summary: a text, or a list that holds it."""
    return reference if isinstance(reference, str) else str(reference[0])
