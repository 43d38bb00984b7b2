"""METEOR with the exact and the stem module. Lavie and Agarwal 2007, parameters and alignment as in NLTK."""

from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise

from assay.metrics.entry import MetricSpec
from assay.metrics.porter import stem
from assay.metrics.sample_metric import Finding, SampleMetric, Unscored, text_metric, too_long
from assay.metrics.tokenizer_13a import tokenize_13a

ALPHA = 0.9
BETA = 3.0
GAMMA = 0.5
MAX_CHARS = 400_000
"""Characters of answer and references together: some seconds even where each is a token."""

Words = list[tuple[int, str]]
Pairs = list[tuple[int, int]]


def make_meteor(spec: MetricSpec) -> SampleMetric:
    """METEOR on lower-cased 13a tokens; the best of several references."""

    def compare(text: str, accepted: tuple[str, ...]) -> Finding | Unscored:
        if len(text) + sum(map(len, accepted)) > MAX_CHARS:
            return too_long("the number of characters", MAX_CHARS, "use bleu or rouge_2")
        answer = tokens(text)
        return max((_single(answer, tokens(each)) for each in accepted), key=lambda finding: finding.value)

    return text_metric(spec, compare)


def tokens(text: str) -> list[str]:
    """The text's 13a tokens in lower case."""
    return [token.lower() for token in tokenize_13a(text)]


def _single(answer: list[str], reference: list[str]) -> Finding:
    pairs = _align(answer, reference)
    if not pairs:
        return Finding(0.0, "no word in common")
    precision, recall = len(pairs) / len(answer), len(pairs) / len(reference)
    mean = precision * recall / (ALPHA * precision + (1.0 - ALPHA) * recall)
    chunks = 1 + sum(after != (before[0] + 1, before[1] + 1) for before, after in pairwise(pairs))
    penalty = GAMMA * (chunks / len(pairs)) ** BETA
    reason = f"precision {precision:.3f}, recall {recall:.3f}, {len(pairs)} words in {chunks} chunks"
    return Finding((1.0 - penalty) * mean, reason)


def _align(answer: list[str], reference: list[str]) -> Pairs:
    """Pairs of positions: first words that are equal, then words with equal stems; in the answer's order."""
    left, right = list(enumerate(answer)), list(enumerate(reference))
    exact, left, right = _matched(left, right, str)
    stemmed, _, _ = _matched(left, right, stem)
    return sorted(exact + stemmed)


def _matched(left: Words, right: Words, key: Callable[[str], str]) -> tuple[Pairs, Words, Words]:
    """Pairs the last words first, each with the last free word that has the same key; and what is left."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for index, (_, word) in enumerate(right):
        places[key(word)].append(index)
    pairs: Pairs = []
    unmatched: Words = []
    taken: set[int] = set()
    for position, word in reversed(left):
        free = places.get(key(word))
        if free:
            index = free.pop()
            taken.add(index)
            pairs.append((position, right[index][0]))
        else:
            unmatched.append((position, word))
    return pairs, unmatched[::-1], [item for index, item in enumerate(right) if index not in taken]
