"""Metrics whose vectors come from an embeddings model, which is asked like a judge and paid like one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from assay.domain.errors import InvalidResponse, ModelError
from assay.domain.models import ModelRequest
from assay.domain.prompts import Message
from assay.domain.protocols import CallBound, Judge, Reply
from assay.domain.scores import MetricConfig, MetricInfo, Sample, Score
from assay.metrics.entry import MetricSpec
from assay.metrics.meaning import Compare, Embeddings, Pair, Read, judge_pair
from assay.metrics.sample_metric import UNANSWERED, Finding, Unscored, sample_metric, too_long
from assay.models.embeddings import TEXTS_MAX, read_vectors
from assay.models.local_embedder import Embedding

REASON_CHARS = 300


@dataclass(frozen=True, slots=True)
class JudgedEmbeddings:
    """Asks for all the vectors of a sample in one call; a call that fails makes a failed score."""

    spec: MetricSpec
    read: Read
    compare: Compare

    @property
    def info(self) -> MetricInfo:
        """What the catalog says of it, and that a model is asked."""
        return replace(self.spec.info, judged=True)

    @property
    def config(self) -> MetricConfig:
        """What the suite asked for."""
        return self.spec.config

    @property
    def judges(self) -> tuple[str, ...]:
        """The label of the embeddings model."""
        return self.spec.judges

    @property
    def bound(self) -> CallBound:
        """One call, which holds each text once, or each word as often as windows of words overlap."""
        windows = self.spec.options.get("unit") == "window"
        return CallBound(calls=1, fixed_bytes=0, copies=int(self.spec.options["window"]) if windows else 1)

    async def judge(self, sample: Sample, judges: Mapping[str, Judge]) -> Score:
        """The score of one sample; never raises for a sample's content or what the model says."""
        pair = None if sample.response.finish in UNANSWERED else self.read(sample)
        if not isinstance(pair, Pair):
            return self._score(sample, pair)
        texts = pair.texts
        if len(texts) > TEXTS_MAX:
            remedy = "use the local embedder or semantic_similarity"
            return self._score(sample, too_long("parts of answer and expected texts", TEXTS_MAX, remedy))
        if not texts:
            return self._score(sample, judge_pair(pair, {}, self.judges[0], self.compare))
        return await self._ask(sample, pair, judges[self.judges[0]])

    async def _ask(self, sample: Sample, pair: Pair, judge: Judge) -> Score:
        texts = pair.texts
        try:
            reply = await judge.ask(ModelRequest(messages=tuple(Message("user", text) for text in texts)))
        except ModelError as error:
            label = self.judges[0]
            return self._score(sample, Unscored("failed", f"{label}: {error.message}"[:REASON_CHARS]))
        embedder = f"{judge.config.provider}:{reply.response.model or judge.config.model}"
        try:
            embeddings = _embeddings(texts, reply)
            found = judge_pair(pair, embeddings, embedder, self.compare)
        except InvalidResponse as error:
            said = f"{embedder} did not answer with vectors: {error.message}"
            found = Unscored("failed", said[:REASON_CHARS])
        score = self._score(sample, found)
        if reply.response.cached:
            return replace(score, cost_nanousd=reply.cost_nanousd)
        return replace(score, calls=1, cost_nanousd=reply.cost_nanousd)

    def _score(self, sample: Sample, found: Finding | Unscored | None) -> Score:
        """The finding as a score; None for an answer that there is not, on which the metric abstains."""
        unlooked = Unscored("abstained", "there is no answer")
        (score,) = sample_metric(self.spec, lambda _: found or unlooked).score_batch([sample])
        return score


def _embeddings(texts: list[str], reply: Reply) -> Embeddings:
    """Text -> its vector, made 1 long. Raises InvalidResponse for an answer that holds no such vectors."""
    rows = np.array(read_vectors(reply.response.text, len(texts)), dtype=np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not (np.isfinite(lengths).all() and (lengths > 0.0).all()):
        raise InvalidResponse("a vector has no direction")
    return {text: Embedding(row) for text, row in zip(texts, rows / lengths, strict=True)}
