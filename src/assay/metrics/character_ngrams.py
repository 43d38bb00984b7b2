"""Similarity by shared runs of characters: what is left when there is no model of meaning."""

from math import sqrt

from assay.metrics.entry import MetricSpec
from assay.metrics.sample_metric import Finding, SampleMetric, Unscored, text_metric, too_long

ORDERS = (2, 3)
MAX_CHARS = 400_000
"""Of answer and references together: at most a second, and 100 MB."""


def make_char_ngram_similarity(spec: MetricSpec) -> SampleMetric:
    """Ochiai coefficient |A & B| / sqrt(|A| |B|) of the sets of 2- and 3-grams; the best reference.

    That is the cosine of the vectors that say of each n-gram whether it is there. Case does not count, and
    runs of whitespace count as one space. Of sets and counts, and of orders 2 to 5, this agreed best with
    people on STS-B dev (Spearman 0.71).
    """

    def compare(text: str, accepted: tuple[str, ...]) -> Finding | Unscored:
        if len(text) + sum(map(len, accepted)) > MAX_CHARS:
            return too_long("characters of answer and references together", MAX_CHARS, "use token_f1")
        answer = character_ngrams(text)
        value, shared, known = max(_overlap(answer, character_ngrams(each)) for each in accepted)
        return Finding(
            value, f"{shared} shared 2- and 3-grams of {len(answer)} answered and {known} expected"
        )

    return text_metric(spec, compare)


def character_ngrams(text: str) -> frozenset[str]:
    """The 2- and 3-grams of a text with a space before and after it."""
    words = text.casefold().split()
    if not words:
        return frozenset()
    line = f" {' '.join(words)} "
    return frozenset(line[at : at + order] for order in ORDERS for at in range(len(line) - order + 1))


def _overlap(answer: frozenset[str], reference: frozenset[str]) -> tuple[float, int, int]:
    """The coefficient, how many n-grams are shared, and how many the reference has."""
    if not answer or not reference:
        return float(answer == reference), 0, len(reference)
    shared = len(answer & reference)
    return shared / sqrt(len(answer) * len(reference)), shared, len(reference)
