"""How much of an answer stands in its source, word by word, and what that says beside a judge."""

import re
from collections.abc import Sequence
from math import sqrt

from rapidfuzz.distance import LCSseq

_WORD = re.compile(r"\w+(?:'\w+)*")


def grounding(answer: str, documents: Sequence[str]) -> float:
    """The geometric mean of two shares of the answer's words; 0 without any words.

    Those that the documents have in the same order, LCS / words, the precision of ROUGE-L (Lin 2004); and
    those that they have at all, so that a source told in another order counts. Words of any script, without
    regard to case.
    """
    words = _WORD.findall(answer.casefold())
    source = _WORD.findall("\n".join(documents).casefold())
    if not words:
        return 0.0
    known = set(source)
    there = sum(word in known for word in words)
    return sqrt(LCSseq.similarity(words, source) * there) / len(words)


def grounded_value(probability: float, share: float) -> float:
    """The geometric mean of a judge's probability of "supported" and the grounding: low when either is."""
    return sqrt(probability * share)
