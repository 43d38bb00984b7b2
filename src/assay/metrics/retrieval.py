"""How well the right documents were found: precision, recall, MRR, nDCG and hit rate at k, by ids.

Sources: Manning, Raghavan and Schuetze (2008), Introduction to Information Retrieval, chapter 8; nDCG of
Jarvelin and Kekalainen (2002) with the discount log2(rank + 1) of trec_eval and scikit-learn.
"""

from collections.abc import Callable, Sequence
from math import fsum, log2
from typing import Any

from assay.domain.scores import Sample
from assay.metrics.entry import MetricSpec
from assay.metrics.ranked_ids import Ranked, read_ranked
from assay.metrics.sample_metric import Finding, SampleMetric, Unscored, sample_metric

SHOWN = 50
"""How many ids are kept as evidence."""

Measured = Callable[[Ranked, int | None], tuple[float, str]]
"""A value and its reason, of ids that are cut at k."""


def _metric(spec: MetricSpec, measure: Measured) -> SampleMetric:
    k: int | None = spec.options["k"]

    def score(sample: Sample) -> Finding | Unscored:
        ranked = read_ranked(sample, spec.options)
        if isinstance(ranked, Unscored):
            return ranked
        top = ranked.retrieved[:k]
        value, reason = measure(ranked._replace(retrieved=top), k)
        if ranked.repeated:
            reason += f"; {ranked.repeated} repeated ids left out"
        found = [
            {"id": name, "rank": rank, "grade": ranked.grades[name]}
            for rank, name in enumerate(top, 1)
            if name in ranked.grades
        ]
        missed = [name for name in ranked.grades if name not in set(top)]
        evidence: dict[str, Any] = {
            "retrieved": list(top[:SHOWN]), "found": found[:SHOWN], "missed": missed[:SHOWN],
        }  # fmt: skip
        return Finding(value, reason, evidence)

    return sample_metric(spec, score, {})


def _hits(ranked: Ranked) -> int:
    return sum(name in ranked.grades for name in ranked.retrieved)


def _first_rank(ranked: Ranked) -> int | None:
    return next((rank for rank, name in enumerate(ranked.retrieved, 1) if name in ranked.grades), None)


def _precision(ranked: Ranked, k: int | None) -> tuple[float, str]:
    hits, count = _hits(ranked), len(ranked.retrieved)
    if not count:
        return 0.0, "nothing was retrieved"
    return hits / (k or count), f"{hits} of {k or count} retrieved are relevant"


def _recall(ranked: Ranked, _k: int | None) -> tuple[float, str]:
    hits = _hits(ranked)
    return hits / len(ranked.grades), f"{hits} of {len(ranked.grades)} relevant are retrieved"


def _mrr(ranked: Ranked, _k: int | None) -> tuple[float, str]:
    rank = _first_rank(ranked)
    return (
        (0.0, "no relevant one is retrieved") if rank is None else (1 / rank, f"the first is at rank {rank}")
    )


def _hit(ranked: Ranked, _k: int | None) -> tuple[float, str]:
    rank = _first_rank(ranked)
    return (
        (0.0, "no relevant one is retrieved") if rank is None else (1.0, f"a relevant one is at rank {rank}")
    )


def discounted_gain(gains: Sequence[float]) -> float:
    """DCG: the sum of gain_i / log2(i + 1) over the ranks i from 1."""
    return fsum(gain / log2(rank + 1) for rank, gain in enumerate(gains, 1))


def make_precision(spec: MetricSpec) -> SampleMetric:
    """relevant among the first k / k; without k, / all that were retrieved."""
    return _metric(spec, _precision)


def make_recall(spec: MetricSpec) -> SampleMetric:
    """relevant among the first k / relevant."""
    return _metric(spec, _recall)


def make_mrr(spec: MetricSpec) -> SampleMetric:
    """1 / rank of the first relevant one; 0 without one. The mean over cases is the MRR."""
    return _metric(spec, _mrr)


def make_hit(spec: MetricSpec) -> SampleMetric:
    """1 when one of the first k is relevant."""
    return _metric(spec, _hit)


def make_ndcg(spec: MetricSpec) -> SampleMetric:
    """DCG / DCG of the best order of all relevant ones, both cut at k; gain is the grade or 2^grade - 1."""
    exponential = spec.options["gain"] == "exponential"

    def gain(grade: float) -> float:
        return 2.0**grade - 1.0 if exponential else grade

    def measure(ranked: Ranked, k: int | None) -> tuple[float, str]:
        found = discounted_gain([gain(ranked.grades.get(name, 0.0)) for name in ranked.retrieved])
        best = discounted_gain(sorted(map(gain, ranked.grades.values()), reverse=True)[:k])
        return found / best, f"DCG {found:.4g} of {best:.4g}"

    return _metric(spec, measure)
