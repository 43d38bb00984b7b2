"""An answer and its expected texts as parts with vectors, whoever made the vectors."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from assay.domain.scores import Sample
from assay.metrics.entry import MetricSpec
from assay.metrics.sample_metric import Finding, Unscored, compared_texts, too_long
from assay.metrics.sentences import Part, Split
from assay.models.local_embedder import Embedding

MAX_CHARS = 100_000
"""Of the answer, and of each expected text: some seconds on the local embedder."""
MAX_PARTS = 2_000
"""Of the answer, and of each expected text: the matrix of their similarities has 32 MB."""
DIGITS = 6
"""A value is rounded to what float32 vectors can say, so that what else is in a batch does not show."""

Embeddings = Mapping[str, Embedding]


class Pair(NamedTuple):
    """The parts of an answer, and of each expected text."""

    answer: list[Part]
    accepted: list[list[Part]]

    @property
    def texts(self) -> list[str]:
        """All that has to be embedded, each text once."""
        parts = [*self.answer, *(part for each in self.accepted for part in each)]
        return list(dict.fromkeys(part.text for part in parts))


class Readable(NamedTuple):
    """The parts of a text that have vectors, these as rows of length 1, and why another part has none."""

    parts: list[Part]
    rows: npt.NDArray[np.float64]
    problem: str | None = None


Read = Callable[[Sample], Pair | Unscored]
Compare = Callable[[Readable, Sequence[Readable]], Finding]


def read_pair(sample: Sample, spec: MetricSpec, split: Split) -> Pair | Unscored:
    """The parts of a sample's answer and expected texts, or why there is nothing to compare."""
    texts = compared_texts(spec, sample)
    if isinstance(texts, Unscored):
        return texts
    answer, accepted = texts
    if max(map(len, (answer, *accepted))) > MAX_CHARS:
        return too_long("characters of a text", MAX_CHARS, "use char_ngram_similarity or token_f1")
    pair = Pair(split(answer), [split(each) for each in accepted])
    if max(map(len, (pair.answer, *pair.accepted))) > MAX_PARTS:
        return too_long("parts of a text", MAX_PARTS, "use semantic_similarity")
    return pair


def judge_pair(pair: Pair, embeddings: Embeddings, embedder: str, compare: Compare) -> Finding | Unscored:
    """What `compare` finds; abstained where one side has no vector. An empty text is like empty ones only."""
    answer = _readable(pair.answer, embeddings)
    accepted = [_readable(each, embeddings) for each in pair.accepted]
    usable = [each for each in accepted if each.parts]
    if not pair.answer or not any(pair.accepted):
        found = _of_empty(pair)
    elif not answer.parts:
        return Unscored("abstained", f"the answer has no vector: {answer.problem} ({embedder})")
    elif not usable:
        problem = next(each.problem for each in accepted if each.problem)
        return Unscored("abstained", f"the expected text has no vector: {problem} ({embedder})")
    else:
        found = compare(answer, usable)
    evidence = {"embedder": embedder, **(found.evidence or {})}
    if answer.problem:
        evidence["left_out"] = f"parts of the answer: {answer.problem}"
    return Finding(round(found.value, DIGITS), f"{found.reason} ({embedder})", evidence)


def _of_empty(pair: Pair) -> Finding:
    if not pair.answer and [] in pair.accepted:
        return Finding(1.0, "answer and expected text are empty")
    return Finding(0.0, f"the {'expected text' if pair.answer else 'answer'} is empty")


def _readable(parts: list[Part], embeddings: Embeddings) -> Readable:
    found = [(part, embeddings[part.text]) for part in parts]
    rows = [each.vector for _, each in found if each.vector is not None]
    return Readable(
        [part for part, each in found if each.vector is not None],
        np.array(rows, dtype=np.float64),
        next((each.problem for _, each in found if each.problem), None),
    )
