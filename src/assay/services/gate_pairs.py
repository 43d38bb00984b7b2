"""Which candidates are held against which, on which cases, and what forbids it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.domain.errors import InvalidInput
from assay.formats.result_tables import (
    ABSTAINED,
    FAILED,
    NO_ANSWER,
    NOT_RUN,
    SCORED,
    SKIPPED,
    CandidateTable,
    ResultTable,
)
from assay.reports.wording import candidate_labels, listed, plural
from assay.stats.gates import SideScores

UNCACHED = frozenset({"latency_ms", "ttft_ms", "cost_usd"})
"""Measures of a call: an answer from the cache made none, so that its value is of another run, or 0."""
_CACHED, _UNKNOWN = -1, -2
"""Codes beside those of scores: a call that was not made, an amount that nobody reported."""
_WORDS = {
    NO_ANSWER: "no answer",
    FAILED: "metric failed",
    ABSTAINED: "abstained",
    NOT_RUN: "not run",
    _CACHED: "from the cache",
    _UNKNOWN: "unknown",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidatePair:
    """One prompt x model of each side."""

    label: str
    candidate: CandidateTable
    baseline: CandidateTable


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """The cells of a metric on one side, by common case; `missing_why` counts those without a score."""

    scores: SideScores
    skipped: npt.NDArray[np.intp]
    missing_why: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CommonCases:
    """The cases that both tables have, numbered anew; -1 for those of one only."""

    candidate: npt.NDArray[np.int32]
    baseline: npt.NDArray[np.int32]
    clusters: npt.NDArray[np.intp] | None
    count: int


def pair_candidates(
    candidate: ResultTable, baseline: ResultTable, chosen: tuple[str | None, str | None]
) -> tuple[list[CandidatePair], list[str]]:
    """The pairs to gate, and notes on what has no partner. `chosen`: PROMPT or PROMPT/MODEL of each side.

    By prompt and model; what a side has one of only need not have the same name on the other. Raises
    InvalidInput when nothing fits.
    """
    ours = _choose(candidate, chosen[0], "--candidate")
    theirs = _choose(baseline, chosen[1] or chosen[0], "--baseline-candidate", strict=chosen[1] is not None)
    free_prompt, free_model = (
        all(len({getattr(each, part) for each in side}) == 1 for side in (ours, theirs))
        for part in ("prompt", "model")
    )

    def key(each: CandidateTable) -> tuple[str, str]:
        return ("" if free_prompt else each.prompt, "" if free_model else each.model)

    partners = {key(each): each for each in theirs}
    matched = [(each, partners[key(each)]) for each in ours if key(each) in partners]
    if not matched:
        raise InvalidInput(
            "no candidate is on both sides",
            remedy=f"Choose --candidate of {_names(ours)}, and --baseline-candidate of {_names(theirs)}.",
        )
    mine = {key(each) for each in ours}
    notes = [
        *(
            f"{_name(each)} is not in the baseline and was not gated"
            for each in ours
            if key(each) not in partners
        ),
        *(f"{_name(each)} of the baseline has no candidate" for each in theirs if key(each) not in mine),
    ]
    labels = candidate_labels([(each.prompt, each.model) for each, _ in matched])
    return [_pair(label, *pair) for label, pair in zip(labels, matched, strict=True)], notes


def differences(candidate: ResultTable, baseline: ResultTable, metrics: Sequence[str]) -> list[str]:
    """What makes the two sides incomparable unless somebody insists; empty when nothing does."""
    found = []
    ours, theirs = candidate.facts, baseline.facts
    if ours.dataset_hash and theirs.dataset_hash and ours.dataset_hash != theirs.dataset_hash:
        found.append(
            f"the data sets differ: {theirs.dataset} in the baseline, {ours.dataset} in the candidate"
        )
    found += _case_differences(candidate, baseline)
    for name in metrics:
        mine, other = ours.metrics.get(name), theirs.metrics.get(name)
        if mine is None or other is None:
            continue
        for part in ("type", "version"):
            values = getattr(other, part), getattr(mine, part)
            if None not in values and values[0] != values[1]:
                found.append(
                    f"metric {name} has {part} {values[0]} in the baseline, {values[1]} in the candidate"
                )
        if mine.options and other.options and mine.options != other.options:
            found.append(f"metric {name} has other options in the candidate")
    return found


def _case_differences(candidate: ResultTable, baseline: ResultTable) -> list[str]:
    found = []
    lost = [key for key in baseline.keys if key not in candidate.keys]
    new = [key for key in candidate.keys if key not in baseline.keys]
    changed = [
        key
        for key, number in candidate.keys.items()
        if key in baseline.keys and candidate.contents[number] != baseline.contents[baseline.keys[key]]
    ]
    for keys, what in (
        (lost, "of the baseline {is_} not in the candidate"),
        (new, "of the candidate {is_} not in the baseline"),
        (changed, "{has} other variables or expectations in the candidate"),
    ):
        if keys:
            one = len(keys) == 1
            said = what.format(is_="is" if one else "are", has="has" if one else "have")
            found.append(f"{plural(len(keys), 'case')} {said}: {_some(keys)}")
    return found


def common_cases(candidate: ResultTable, baseline: ResultTable) -> CommonCases:
    """The cases of both, with the baseline's clusters."""
    numbers = {key: place for place, key in enumerate(key for key in baseline.keys if key in candidate.keys)}
    sides = []
    for table in (candidate, baseline):
        renumbered = np.full(len(table.keys), -1, dtype=np.int32)
        for key, place in numbers.items():
            renumbered[table.keys[key]] = place
        sides.append(renumbered)
    labels = [baseline.clusters[baseline.keys[key]] for key in numbers]
    codes: dict[str, int] = {}
    clusters = None
    if any(label is not None for label in labels):
        clusters = np.array(
            [
                -1 - place if label is None else codes.setdefault(label, len(codes))
                for place, label in enumerate(labels)
            ],
            dtype=np.intp,
        )
    return CommonCases(candidate=sides[0], baseline=sides[1], clusters=clusters, count=len(numbers))


def cells_of(
    table: CandidateTable, metric: str, uncached: bool, numbers: npt.NDArray[np.int32], count: int
) -> Cells:
    """The scores of a metric, or the values of a measure, by common case.

    A case of which the candidate has no cell at all is missing. `uncached`: answers from the cache are no
    evidence on this measure.
    """
    places = numbers[table.case_no]
    inside = places >= 0
    places = places[inside]
    value, state = _column(table, metric)
    value, state, cached = value[inside], state[inside], table.cached[inside]
    if uncached:
        state = np.where(cached & (state == SCORED), np.int8(_CACHED), state)
    scored, skipped = state == SCORED, state == SKIPPED
    missing = ~scored & ~skipped
    cells = np.bincount(places, minlength=count)
    absent = cells == 0
    why = {word: int(np.count_nonzero(state == code)) for code, word in _WORDS.items()}
    why["not there"] = int(np.count_nonzero(absent))
    return Cells(
        scores=SideScores(
            total=np.bincount(places[scored], weights=value[scored], minlength=count).astype(np.float64),
            scored=np.bincount(places[scored], minlength=count),
            missing=np.bincount(places[missing], minlength=count) + absent,
        ),
        skipped=np.bincount(places[skipped], minlength=count),
        missing_why={word: number for word, number in why.items() if number},
    )


def settle_skipped(ours: Cells, theirs: Cells) -> tuple[Cells, Cells]:
    """A case that one side skipped and the other did not is missing on the side that skipped it."""
    return _settled(ours, theirs), _settled(theirs, ours)


def has_metric(table: CandidateTable, metric: str) -> bool:
    """Whether there is a score, or a known value, of this name in any cell."""
    return metric in table.scores or metric in table.measures


def values_of(table: CandidateTable, metric: str) -> npt.NDArray[np.float64]:
    """All values of a metric or measure."""
    value, state = _column(table, metric)
    found: npt.NDArray[np.float64] = value[state == SCORED]
    return found


def _column(table: CandidateTable, metric: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int8]]:
    measure = table.measures.get(metric)
    if measure is not None:
        unknown = np.where(table.answered, np.int8(_UNKNOWN), np.int8(NO_ANSWER))
        return measure, np.where(np.isnan(measure), unknown, np.int8(SCORED))
    column = table.scores[metric]
    return column.value, column.state


def _settled(mine: Cells, other: Cells) -> Cells:
    silent = (mine.scores.scored == 0) & (mine.scores.missing == 0) & (mine.skipped > 0)
    spoke = other.scores.scored + other.scores.missing > 0
    turned = silent & spoke
    if not turned.any():
        return mine
    scores = SideScores(
        total=mine.scores.total,
        scored=mine.scores.scored,
        missing=mine.scores.missing + np.where(turned, mine.skipped, 0),
    )
    skipped = int(mine.skipped[turned].sum())
    return Cells(scores=scores, skipped=mine.skipped, missing_why={**mine.missing_why, "skipped": skipped})


def _choose(
    table: ResultTable, wanted: str | None, option: str, *, strict: bool = True
) -> list[CandidateTable]:
    if wanted is None:
        return list(table.candidates)
    found = [each for each in table.candidates if wanted in (each.prompt, f"{each.prompt}/{each.model}")]
    if found or not strict:
        return found or list(table.candidates)
    raise InvalidInput(
        f"{table.source} has no candidate {wanted!r}",
        field=option,
        remedy=f"There is: {_names(table.candidates)}",
    )


def _pair(label: str, candidate: CandidateTable, baseline: CandidateTable) -> CandidatePair:
    if _name(candidate) != _name(baseline):
        label = f"{label} (against {_name(baseline)})"
    return CandidatePair(label=label, candidate=candidate, baseline=baseline)


def _name(table: CandidateTable) -> str:
    return f"{table.prompt}/{table.model}"


def _names(tables: Sequence[CandidateTable]) -> str:
    return _some([_name(each) for each in tables], 8)


def _some(names: Sequence[str], limit: int = 3) -> str:
    if len(names) <= limit:
        return listed(names)
    return listed([*names[:limit], f"{len(names) - limit:,} more"])
