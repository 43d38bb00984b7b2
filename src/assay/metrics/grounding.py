"""How much of an answer stands in its source, word by word, and what that says beside a judge."""

import re
from collections.abc import Sequence
from math import sqrt

from rapidfuzz.distance import LCSseq

_WORD = re.compile(r"\w+(?:'\w+)*")


def grounding(answer: str, documents: Sequence[str]) -> float:
    """The share of the answer's words that the documents have in the same order: LCS / words; 0 without any.

    The precision of ROUGE-L (Lin 2004), over words of any script, without regard to case.
    """
    words = _WORD.findall(answer.casefold())
    source = _WORD.findall("\n".join(documents).casefold())
    return LCSseq.similarity(words, source) / len(words) if words else 0.0


def grounded_value(probability: float, share: float) -> float:
    """The geometric mean of a judge's probability of "supported" and the grounding: low when either is."""
    return sqrt(probability * share)
