"""Edit distance on characters."""

from rapidfuzz.distance import Levenshtein

from assay.metrics.entry import MetricSpec
from assay.metrics.sample_metric import Finding, SampleMetric, Unscored, text_metric, too_long

MAX_CELLS = 40_000_000_000
"""Largest product of the two lengths: about one second of the bit-parallel algorithm."""


def make_levenshtein(spec: MetricSpec) -> SampleMetric:
    """1 - edit distance / length of the longer text; the best of several references."""
    ignore_case: bool = spec.options["ignore_case"]

    def compare(text: str, accepted: tuple[str, ...]) -> Finding | Unscored:
        if len(text) * max(map(len, accepted)) > MAX_CELLS:
            return too_long("the product of the texts' lengths", MAX_CELLS, "use chrf or rouge_1")
        answer = text.casefold() if ignore_case else text
        candidates = [each.casefold() for each in accepted] if ignore_case else list(accepted)
        value, best = max((Levenshtein.normalized_similarity(answer, each), each) for each in candidates)
        edits = round((1.0 - value) * max(len(answer), len(best)))
        return Finding(value, f"{edits} edits between {len(answer)} and {len(best)} characters")

    return text_metric(spec, compare)
