"""How near an answer is in meaning to what was expected, by vectors of texts or of their parts.

References: Yang et al. 2019 (the local embedder), Zhang et al. 2020 (greedy matching, there of tokens).
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from assay.domain.protocols import JudgedMetric, Metric
from assay.domain.scores import Sample
from assay.metrics.entry import MetricSpec
from assay.metrics.judged_embeddings import JudgedEmbeddings
from assay.metrics.meaning import DIGITS, Compare, Pair, Read, Readable, judge_pair, read_pair
from assay.metrics.sample_metric import BatchMetric, Finding, Measure, Unscored
from assay.metrics.sentences import Part, Split, sentences, whole, word_windows
from assay.models.local_embedder import NAME, local_embedder

QUOTED_CHARS = 300


def make_semantic_similarity(spec: MetricSpec) -> Metric | JudgedMetric:
    """Cosine of the vectors of answer and expected text, negative ones as 0; the best reference."""
    return _make(spec, whole, _nearest)


def make_embedding_match(spec: MetricSpec) -> Metric | JudgedMetric:
    """F1 of greedy matching: each sentence (or window of words) with the nearest of the other text.

    Precision is the mean over the answer's parts, recall over the expected text's; cosines below 0 count as
    0. BERTScore does so with tokens in context; here a part has a vector of its own. The best reference
    by F1.
    """
    window = int(spec.options["window"])
    by_window = spec.options["unit"] == "window"
    split: Split = partial(word_windows, size=window) if by_window else sentences
    unit = f"windows of {window} words" if by_window else "sentences"
    return _make(spec, split, partial(_matched, unit=unit, measure=spec.options["measure"]))


def _make(spec: MetricSpec, split: Split, compare: Compare) -> Metric | JudgedMetric:
    read = partial(read_pair, spec=spec, split=split)
    if spec.judges:
        return JudgedEmbeddings(spec, read, compare)
    return BatchMetric(spec, partial(_embedded, read, compare))


def _embedded(read: Read, compare: Compare, samples: Sequence[Sample]) -> Measure:
    """The measure of a batch, whose texts are embedded here and together."""
    pairs = {id(sample): read(sample) for sample in samples}
    texts = [text for pair in pairs.values() if isinstance(pair, Pair) for text in pair.texts]
    embeddings = local_embedder().embed(texts) if texts else {}

    def measure(sample: Sample) -> Finding | Unscored:
        pair = pairs[id(sample)]
        if isinstance(pair, Unscored):
            return pair
        return judge_pair(pair, embeddings, NAME, compare)

    return measure


def _nearest(answer: Readable, accepted: Sequence[Readable]) -> Finding:
    cosines = [float(answer.rows[0] @ each.rows[0]) for each in accepted]
    best = max(cosines)
    of_several = f", the nearest of {len(cosines)} expected texts" if len(cosines) > 1 else ""
    below = ", counted as 0" if best < 0.0 else ""
    return Finding(max(0.0, best), f"cosine {best:.3f}{below}{of_several}", {"cosine": round(best, DIGITS)})


def _matched(answer: Readable, accepted: Sequence[Readable], *, unit: str, measure: str) -> Finding:
    best = max((_match(answer, each) for each in accepted), key=lambda match: match["f1"])
    counts = f"{unit}: {best['answered']} answered, {best['expected']} expected"
    reason = f"precision {best['precision']:.3f}, recall {best['recall']:.3f}, F1 {best['f1']:.3f}; {counts}"
    return Finding(best[measure], reason, {"unit": unit, **best})


def _match(answer: Readable, expected: Readable) -> dict[str, Any]:
    """Precision, recall and F1 of two texts, with the part of each that is the least like the other."""
    similar = np.clip(answer.rows @ expected.rows.T, 0.0, 1.0)
    answered, covered = similar.max(axis=1), similar.max(axis=0)
    precision, recall = float(answered.mean()), float(covered.mean())
    both = precision + recall
    return {
        "precision": round(precision, DIGITS),
        "recall": round(recall, DIGITS),
        "f1": round(2.0 * precision * recall / both, DIGITS) if both else 0.0,
        "answered": len(answer.parts),
        "expected": len(expected.parts),
        "least_supported": _quoted(answer.parts, answered),
        "least_covered": _quoted(expected.parts, covered),
    }


def _quoted(parts: Sequence[Part], similar: npt.NDArray[np.float64]) -> dict[str, Any]:
    """The part with the lowest similarity, and where in its text it stands."""
    at = int(similar.argmin())
    text, start, end = parts[at]
    low = round(float(similar[at]), DIGITS)
    return {"text": text[:QUOTED_CHARS], "start": start, "end": end, "similarity": low}
