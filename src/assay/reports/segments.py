"""The pairs again, on the cases of each tag: where does a difference come from?"""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from assay.reports.adjustment import adjust_family
from assay.reports.comparison_values import Family, SegmentPair, Segments
from assay.reports.contest import Contest, Mask
from assay.stats.comparison import Comparison
from assay.stats.comparisons import ScoreTable, compare_many

EXPLORATORY = (
    "exploratory: Benjamini-Hochberg over the {size} tests of this metric by tag, apart from the comparison "
    "above; a place to look, no claim"
)


def segments_of(
    contest: Contest,
    tables: Sequence[ScoreTable],
    chosen: Sequence[str] | None,
    *,
    alpha: float,
    rng: np.random.Generator,
) -> list[Segments]:
    """The pairs of each metric by tag; `tables` are aligned with the metrics, `chosen` None takes all tags.

    A case may have several tags and counts in each. Cases without any tag are a segment of their own where
    all tags are taken.
    """
    masks = _masks(contest, chosen)
    found = [
        compare_many(
            [_part(table, mask) for table in tables],
            clusters=None if contest.clusters is None else contest.clusters[mask],
            alpha=alpha,
            rng=rng,
        )
        for mask in masks.values()
    ]
    return [_segments(masks, table, [part[number] for part in found]) for number, table in enumerate(tables)]


def _masks(contest: Contest, chosen: Sequence[str] | None) -> Mapping[str | None, Mask]:
    if chosen is not None:
        none = np.zeros(len(contest.cases), dtype=np.bool_)
        return {tag: contest.tags.get(tag, none) for tag in dict.fromkeys(chosen)}
    masks: dict[str | None, Mask] = {tag: contest.tags[tag] for tag in sorted(contest.tags)}
    bare = ~np.logical_or.reduce(list(masks.values())) if masks else np.zeros(0, dtype=np.bool_)
    return {**masks, None: bare} if bare.any() else masks


def _part(table: ScoreTable, mask: Mask) -> ScoreTable:
    return ScoreTable(
        scores=table.scores[:, mask],
        kind=table.kind,
        pairs=table.pairs,
        margin=table.margin,
        lower=table.lower,
    )


def _segments(
    masks: Mapping[str | None, Mask],
    table: ScoreTable,
    found: Sequence[Sequence[Comparison]],
) -> Segments:
    flat = [comparison for part in found for comparison in part]
    tests = sum(1 for each in flat if each.interval.estimable)
    adjusted = adjust_family(flat, tests, "bh")
    places = product(masks.items(), table.pairs)
    rows = tuple(
        SegmentPair(
            tag=tag,
            cases=int(mask.sum()),
            baseline=baseline,
            candidate=candidate,
            comparison=comparison,
        )
        for ((tag, mask), (baseline, candidate)), comparison in zip(places, adjusted, strict=True)
    )
    text = EXPLORATORY.format(size=tests) if tests > 1 else "exploratory: a place to look, no claim"
    return Segments(family=Family(method="bh", size=tests, tests=tests, text=text), rows=rows)
