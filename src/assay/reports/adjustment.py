"""The family of a metric's tests, adjusted."""

from collections.abc import Sequence
from dataclasses import replace

from assay.stats.comparison import Comparison, adjust_comparisons
from assay.stats.multiplicity import Method


def adjust_family(comparisons: Sequence[Comparison], size: int, method: Method) -> list[Comparison]:
    """The comparisons with adjusted p-values, in their order.

    Those without an interval tested nothing: they stay as they are and do not count. `size` more than the
    number of tests: the tests were chosen by the scores, so that the others count with p = 1, the most
    cautious value they can have.
    """
    tested = [number for number, each in enumerate(comparisons) if each.interval.estimable]
    found = list(comparisons)
    if not tested:
        return found
    first = comparisons[tested[0]]
    same = None if first.equivalence is None else replace(first.equivalence, p=1.0)
    unseen = replace(first, p=1.0, equivalence=same)
    padded = [*(comparisons[number] for number in tested), *[unseen] * (size - len(tested))]
    for number, adjusted in zip(tested, adjust_comparisons(padded, method), strict=False):
        found[number] = adjusted
    return found
