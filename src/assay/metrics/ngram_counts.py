"""How many word n-grams two texts share, counted for many pairs of texts at once.

Words become numbers; a pair and n words are packed into one 64-bit integer, so that sorting counts the
n-grams of many pairs. Nothing is hashed: the counts are exact.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt

ORDERS = 4
WORD_BITS = 14
MAX_WORDS = 1 << WORD_BITS
MAX_PAIRS = 1 << 7
"""Four words of 14 bits leave 7 for the pair, and the sign."""

Integers = npt.NDArray[np.int64]
Counts = tuple[Integers, Integers]
"""Packed n-grams, ascending, and how often each is there."""


class NgramCounter:
    """Takes pairs of texts as words, and then counts for all of them together."""

    def __init__(self) -> None:
        self._numbers: defaultdict[str, int] = defaultdict()
        self._numbers.default_factory = self._numbers.__len__
        self._firsts: list[list[int]] = []
        self._seconds: list[list[int]] = []

    def add(self, first: list[str], second: list[str]) -> bool:
        """Take a pair, if there is room for it: for its words to be told apart, and for one more pair."""
        full = len(self._numbers) + len(first) + len(second) > MAX_WORDS or len(self._firsts) == MAX_PAIRS
        if not full:
            number = self._numbers.__getitem__
            self._firsts.append(list(map(number, first)))
            self._seconds.append(list(map(number, second)))
        return not full

    def matched(self) -> list[list[int]]:
        """For each pair the n-grams of the first text that the second has too, n from 1 to 4.

        An n-gram counts as often as the text that has it less often.
        """
        found, allowed = _flat(self._firsts), _flat(self._seconds)
        columns = []
        for order in range(1, ORDERS + 1):
            shared, counts = _shared(_counted(*found, order), _counted(*allowed, order))
            pairs = shared >> WORD_BITS * order
            columns.append(np.bincount(pairs, weights=counts, minlength=len(self._firsts)))
        matched: list[list[int]] = np.stack(columns, axis=1).astype(np.int64).tolist()
        return matched


def _flat(texts: Sequence[list[int]]) -> tuple[Integers, Integers]:
    """All words one after another, and of each the pair that it belongs to."""
    sizes = np.fromiter(map(len, texts), np.int64, len(texts))
    words = np.fromiter(chain.from_iterable(texts), np.int64, int(sizes.sum()))
    return words, np.repeat(np.arange(len(texts)), sizes)


def _counted(words: Integers, pairs: Integers, order: int) -> Counts:
    """The packed n-grams of one order, ascending, and how often each is there."""
    size = max(len(words) - order + 1, 0)
    packed = pairs[:size]
    for ahead in range(order):
        packed = packed << WORD_BITS | words[ahead : size + ahead]
    whole = np.sort(packed[pairs[:size] == pairs[order - 1 :][:size]])
    starts = np.flatnonzero(np.concatenate(([True], whole[1:] != whole[:-1]))[: len(whole)])
    return whole[starts], np.diff(starts, append=len(whole))


def _shared(found: Counts, allowed: Counts) -> Counts:
    """The n-grams that both have, with the smaller of their counts."""
    if not len(allowed[0]):
        return found[0][:0], found[1][:0]
    places = np.minimum(np.searchsorted(allowed[0], found[0]), len(allowed[0]) - 1)
    both = allowed[0][places] == found[0]
    return found[0][both], np.minimum(found[1][both], allowed[1][places[both]])
