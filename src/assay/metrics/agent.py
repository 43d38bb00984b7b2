"""Tool calls of agents: were the expected ones made, with the right arguments, in the right order?"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]  # SciPy ships no types

from assay.domain.errors import InvalidInput
from assay.domain.scores import Sample
from assay.domain.text import valid_text
from assay.metrics.call_evidence import call_evidence
from assay.metrics.entry import MetricSpec
from assay.metrics.sample_metric import Finding, SampleMetric, Unscored, quote, sample_metric, too_long
from assay.metrics.tool_arguments import STRICT, Tolerance, compare_arguments
from assay.metrics.tool_calls import Call, expected_calls, find_calls, made_calls, parse_json
from assay.models.placeholders import follow, steps_of

MAX_CALLS = 500
"""Calls that one answer or one case may have: pairs of them are compared."""
TIE = 2e-7
"""What all pairs out of step lose at most together is far below 1: it decides between equal pairings only."""
_MISSING = object()

Pairs = tuple[tuple[int, int], ...]
Weigh = Callable[[Call, Call], float]


class Both(NamedTuple):
    """The expected and the made calls of one sample."""

    expected: tuple[Call, ...]
    made: tuple[Call, ...]


Rate = Callable[[Both], Finding | Unscored]


def make_tool_call_f1(spec: MetricSpec) -> SampleMetric:
    """F1 = 2 x matched / (expected + made), over a maximum matching; 1 when both are empty."""
    fits = _fits(spec.options["arguments"])

    def rate(both: Both) -> Finding:
        pairs = pair_calls(both, lambda expected, made: float(fits(expected, made)))
        total = len(both.expected) + len(both.made)
        value = 2 * len(pairs) / total if total else 1.0
        reason = _nothing(both) or (
            f"{len(pairs)} of {len(both.expected)} expected calls made, "
            f"{len(both.made) - len(pairs)} others{_first_names(both, pairs)}"
        )
        return Finding(value, reason, call_evidence(both.expected, both.made, pairs))

    return _metric(spec, rate)


def make_argument_match(spec: MetricSpec) -> SampleMetric:
    """Right arguments / arguments on either side, summed over the calls that are paired by name."""
    options = spec.options
    tolerance = Tolerance(options["ignore_case"], options["tolerance"])
    count_missing = options["missing_calls"] == "wrong"

    def weigh(expected: Call, made: Call) -> float:
        # The most right arguments; of equally many, the fewest that are not.
        found = compare_arguments(expected.arguments or {}, made.arguments or {}, tolerance)
        return 1.0 + len(found.right) + 0.5 / (1 + found.total)

    def rate(both: Both) -> Finding | Unscored:
        if not both.expected and not both.made:
            return Finding(1.0, "no call expected and none made", call_evidence((), (), ()))
        pairs = pair_calls(both, weigh)
        if not pairs and not (count_missing and both.expected):
            return Unscored("skipped", _no_pairs(both))
        return _rate_arguments(both, pairs, tolerance, count_missing)

    return _metric(spec, rate)


def make_trajectory(spec: MetricSpec) -> SampleMetric:
    """The made calls held against the expected ones as `order` says.

    exact: 1 when they are the same calls in the same order. in_order: longest common subsequence / expected.
    any_order: 1 when every expected call was made. precision: matched / made. recall: matched / expected.
    """
    order, fits = spec.options["order"], _fits(spec.options["arguments"])
    return _metric(spec, partial(_rate_trajectory, order, fits))


def pair_calls(both: Both, weigh: Weigh) -> Pairs:
    """(expected, made) of calls of one name, so that the sum of the weights is largest; 0 is no pair."""
    made_by_name = _by_name(both.made)
    pairs: list[tuple[int, int]] = []
    for name, rows in _by_name(both.expected).items():
        columns = made_by_name.get(name, [])
        weights = [[weigh(both.expected[i], both.made[j]) for j in columns] for i in rows]
        pairs += [(rows[i], columns[j]) for i, j in _assign(weights) if weights[i][j] > 0]
    return tuple(sorted(pairs))


def _assign(weights: list[list[float]]) -> Iterable[tuple[int, int]]:
    """Row and column of each pair of an assignment whose sum of weights is largest."""
    if not weights[0]:
        return ()
    if len(weights) == len(weights[0]) == 1:
        return ((0, 0),)
    matrix = np.array(weights)
    in_step = TIE * np.abs(np.subtract.outer(*map(np.arange, matrix.shape)))
    return zip(
        *linear_sum_assignment(np.where(matrix > 0, matrix - in_step, 0.0), maximize=True), strict=True
    )


def _metric(spec: MetricSpec, rate: Rate) -> SampleMetric:
    """A metric from a function of expected and made calls."""
    read = _reader(spec.options["calls"])

    def measure(sample: Sample) -> Finding | Unscored:
        expected = expected_calls(sample.case)
        if isinstance(expected, Unscored):
            return expected
        made = read(sample)
        if isinstance(made, Unscored):
            return made
        if max(len(expected), len(made)) > MAX_CALLS:
            return too_long("the number of tool calls", MAX_CALLS, "score a part of the trace")
        return rate(Both(expected, made))

    return sample_metric(spec, measure)


def _reader(path: str | None) -> Callable[[Sample], tuple[Call, ...] | Unscored]:
    """Where the made calls come from: the answer, or a path in the case."""
    if path is None:
        return lambda sample: made_calls(sample.response)
    steps = steps_of(path)
    if steps[0] not in ("metadata", "vars"):
        raise InvalidInput(
            f"{path!r} does not begin with metadata or vars",
            field="options.calls",
            remedy="Write it as metadata.trace.",
        )

    def read(sample: Sample) -> tuple[Call, ...] | Unscored:
        found = follow({"metadata": sample.case.metadata, "vars": sample.case.vars}, steps, _MISSING)
        if found is _MISSING or found is None:
            return Unscored("skipped", f"the case has nothing at {path}")
        parsed = parse_json(valid_text(found)) if isinstance(found, str) else found
        if not isinstance(parsed, list | tuple | Mapping):
            return Unscored(
                "skipped", f"what the case has at {path} is no list or object: {quote(str(found))}"
            )
        return find_calls(parsed, named=True)

    return read


def _fits(arguments: str) -> Callable[[Call, Call], bool]:
    """Whether a made call is the expected one, by name and as far as arguments count."""

    def fits(expected: Call, made: Call) -> bool:
        if expected.name != made.name:
            return False
        if arguments == "ignore" or expected.arguments is None:
            return True
        if made.fault is not None:
            return False
        found = compare_arguments(expected.arguments, made.arguments or {}, STRICT)
        allowed = len(found.right) + (len(found.extra) if arguments == "subset" else 0)
        return allowed == found.total

    return fits


def _by_name(calls: Sequence[Call]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, call in enumerate(calls):
        places.setdefault(call.name, []).append(place)
    return places


def _rate_arguments(both: Both, pairs: Pairs, tolerance: Tolerance, count_missing: bool) -> Finding:
    right = total = 0
    for i, j in pairs:
        expected, made = both.expected[i], both.made[j]
        if expected.arguments is not None:
            found = compare_arguments(expected.arguments, made.arguments or {}, tolerance)
            right, total = right + len(found.right), total + max(found.total, int(made.fault is not None))
    lost = set(range(len(both.expected))) - {i for i, _ in pairs}
    if count_missing:
        total += sum(max(1, len(both.expected[i].arguments or {})) for i in lost)
    value = right / total if total else 1.0
    reason = f"{right} of {total} arguments right in {len(pairs)} matched calls"
    if lost:
        reason += f"; {len(lost)} expected calls were not made"
    return Finding(value, reason, call_evidence(both.expected, both.made, pairs, tolerance))


def _rate_trajectory(order: str, fits: Callable[[Call, Call], bool], both: Both) -> Finding:
    expected, made = both
    if order in ("exact", "in_order"):
        pairs = _common_subsequence(both, fits)
    else:
        pairs = pair_calls(both, lambda left, right: float(fits(left, right)))
    count = len(pairs)
    if order == "exact":
        value = float(count == len(expected) == len(made))
    elif order == "any_order":
        value = float(count == len(expected))
    elif order == "precision":
        value = _share(count, len(made), both)
    else:
        value = _share(count, len(expected), both)
    how = " in order" if order in ("exact", "in_order") else ""
    reason = _nothing(both) or (
        f"{count} of {len(expected)} expected calls made{how}, "
        f"{len(made) - count} others{_first_names(both, pairs)}"
    )
    return Finding(value, reason, call_evidence(expected, made, pairs))


def _share(count: int, of: int, both: Both) -> float:
    """count / of; with nothing to divide by, 1 when nothing was expected and 0 when nothing was made."""
    return count / of if of else float(not both.expected)


def _common_subsequence(both: Both, fits: Callable[[Call, Call], bool]) -> Pairs:
    """The pairs of a longest common subsequence."""
    expected, made = both
    lengths = [[0] * (len(made) + 1) for _ in range(len(expected) + 1)]
    same = [[fits(left, right) for right in made] for left in expected]
    for i in range(len(expected) - 1, -1, -1):
        row, below, equal = lengths[i], lengths[i + 1], same[i]
        for j in range(len(made) - 1, -1, -1):
            row[j] = below[j + 1] + 1 if equal[j] else max(below[j], row[j + 1])
    pairs, i, j = [], 0, 0
    while i < len(expected) and j < len(made):
        if same[i][j] and lengths[i][j] == lengths[i + 1][j + 1] + 1:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif lengths[i + 1][j] >= lengths[i][j + 1]:
            i += 1
        else:
            j += 1
    return tuple(pairs)


def _nothing(both: Both) -> str | None:
    if not both.expected:
        return "no call expected and none made" if not both.made else f"no call expected, {_made(both.made)}"
    return None if both.made else f"no call made, {len(both.expected)} expected: {_names(both.expected)}"


def _made(calls: Sequence[Call]) -> str:
    return f"{len(calls)} made: {_names(calls)}"


def _no_pairs(both: Both) -> str:
    if not both.expected:
        return f"there are no arguments to compare: no call expected, {_made(both.made)}"
    made = _made(both.made) if both.made else "no call made"
    return (
        f"none of the expected calls was made ({_names(both.expected)}; {made}), so no arguments are compared"
    )


def _first_names(both: Both, pairs: Pairs) -> str:
    """What is missing and what is extra, by name."""
    matched, used = {i for i, _ in pairs}, {j for _, j in pairs}
    missing = [call for place, call in enumerate(both.expected) if place not in matched]
    extra = [call for place, call in enumerate(both.made) if place not in used]
    parts = [f"{word} {_names(calls)}" for word, calls in (("missing", missing), ("extra", extra)) if calls]
    return f": {'; '.join(parts)}" if parts else ""


def _names(calls: Sequence[Call], shown: int = 5) -> str:
    names = ", ".join(quote(call.name, 40) for call in calls[:shown])
    return names + (f" and {len(calls) - shown} more" if len(calls) > shown else "")
