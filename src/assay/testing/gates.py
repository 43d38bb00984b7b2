"""Gates on aggregates: passed, failed, or inconclusive, which is neither.

A cell without a score (its metric failed or abstained, its test broke, its worker died) is never left out in
silence: a gate passes only if it would with all of them at 0, and fails only if it would with all at 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from assay.domain.errors import InvalidInput
from assay.formats.results import read_results
from assay.metrics.catalog import METRICS
from assay.reports.aggregate import CaseScores, by_case, kind_of, summarise_metric
from assay.reports.result_tables import ResultTables, tables_of
from assay.reports.values import MetricData, MetricSummary
from assay.reports.wording import digits_for, plural, range_text, signed_range, value_text
from assay.stats.arrays import Kind
from assay.stats.estimates import Interval
from assay.stats.paired import NonInferiority, noninferiority
from assay.testing.signal_log import GroupLog
from assay.testing.signals import Gate

Outcome = Literal["pass", "fail", "inconclusive"]
LEVEL = 0.95
WORDS: Mapping[Outcome, str] = {"pass": "passed", "fail": "failed", "inconclusive": "inconclusive"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer of one gate. `asked` is the rule in words, `found` what stands beside it."""

    group: str
    metric: str
    key: str
    outcome: Outcome
    asked: str
    found: str

    @property
    def sentence(self) -> str:
        """All of it, on one line."""
        return f"{self.asked}: {WORDS[self.outcome]}, {self.found}"


def judge_gate(log: GroupLog, gate: Gate) -> Verdict:
    """Does the mean (or the share at the threshold) of a group reach the gate's limit?

    It does when the lower bound of its 95% interval is at the limit or above, it does not when the upper one
    is below it. For measures that are better low the bounds change places.
    """
    data = log.metric(gate.metric)
    rule = f"{gate.key} at least {gate.limit:g}"
    if data is None:
        return _verdict(log, gate.metric, gate.key, ("inconclusive", rule, "no test of this group scores it"))
    lower = data.info.better == "lower" and gate.rate == "mean"
    if lower:
        rule = f"{gate.key} at most {gate.limit:g}"
    missing = missing_cells(log, gate.metric)
    worst, best = (_interval(_filled(data, missing, value), gate) for value in (0.0, 1.0))
    seen = _interval(data, gate)
    found = f"{_interval_text(seen, data, gate)}{_missing_text(missing, data)}"
    if data.info.kind == "measure" and missing:
        return _verdict(log, gate.metric, gate.key, ("inconclusive", rule, found))
    return _verdict(log, gate.metric, gate.key, (_outcome(worst, best, gate.limit, lower), rule, found))


def missing_cells(log: GroupLog, metric: str) -> list[int | None]:
    """The case numbers of the cells that lack a score; None for a test that never ended."""
    numbers = {key: number for number, key in enumerate(log.tables().keys)}
    missing: list[int | None] = []
    for result in log.ordered:
        score = next((score for score in result.scores if score.metric == metric), None)
        if result.state == "cancelled" or (score is not None and score.state in ("scored", "skipped")):
            continue
        missing.append(numbers[result.case])
    skipped = sum(result.state == "cancelled" for result in log.ordered)
    return [*missing, *[None] * (log.planned + skipped - len(log.results))]


def read_baseline(path: Path) -> ResultTables:
    """The results to compare with. Raises InvalidInput for a file that is none."""
    return tables_of(read_results(path), infos={name: entry.info for name, entry in METRICS.items()})


def judge_baseline(log: GroupLog, baseline: ResultTables, margin: float) -> list[Verdict]:
    """For each quality metric: is this group shown to be worse than the baseline by less than the margin?"""
    try:
        candidate = _candidate(log, baseline)
    except InvalidInput as problem:
        return [
            _verdict(
                log, name, f"{name}.baseline", ("inconclusive", _margin_rule(name, margin), problem.message)
            )
            for name in _quality(log)
        ]
    return [_compare(log, name, baseline, candidate, margin) for name in _quality(log)]


def _margin_rule(metric: str, margin: float) -> str:
    return f"{metric} no worse than the baseline by {margin:g}"


def _quality(log: GroupLog) -> list[str]:
    return [data.metric for data in log.tables().metrics if data.info.kind != "measure"]


def _candidate(log: GroupLog, baseline: ResultTables) -> int:
    """The baseline's results of this group: those of its name, or the only ones that there are."""
    names = [data.prompt for data in baseline.candidates]
    if names.count(log.group.name) == 1:
        return names.index(log.group.name)
    if len(names) == 1:
        return 0
    raise InvalidInput(f"the baseline has no results of {log.group.name}; it has {', '.join(names)}")


def _compare(log: GroupLog, metric: str, baseline: ResultTables, candidate: int, margin: float) -> Verdict:
    key, rule = f"{metric}.baseline", _margin_rule(metric, margin)
    data = log.metric(metric)
    found = (each for each in baseline.metrics if each.metric == metric and each.candidate == candidate)
    before = next(found, None)
    if data is None or before is None or not before.value.size:
        return _verdict(log, metric, key, ("inconclusive", rule, "the baseline has no such scores"))
    keys = log.tables().keys
    missing = [number for number in missing_cells(log, metric) if number is not None]
    worst, best = (
        _noninferior(_filled(data, missing, value), before, (keys, baseline.keys), margin)
        for value in (0.0, 1.0)
    )
    seen = _noninferior(data, before, (keys, baseline.keys), margin)
    outcome: Outcome = (
        "pass" if worst.outcome == "pass" else "fail" if best.outcome == "fail" else "inconclusive"
    )
    text = f"{_difference_text(seen)}{_missing_text(missing, data)}"
    return _verdict(log, metric, key, (outcome, rule, text))


def _noninferior(
    now: MetricData, before: MetricData, keys: tuple[Sequence[str], Sequence[str]], margin: float
) -> NonInferiority:
    ours, theirs = by_case(now), by_case(before)
    then = {keys[1][number]: value for number, value in zip(theirs.case_no, theirs.value, strict=True)}
    pairs = [
        (place, then[keys[0][number]])
        for place, number in enumerate(ours.case_no)
        if number < len(keys[0]) and keys[0][number] in then
    ]
    places = [place for place, _ in pairs]
    return noninferiority(
        np.array([value for _, value in pairs], dtype=np.float64),
        ours.value[places],
        kind=_kind(now, ours, theirs),
        margin=margin,
        clusters=None if ours.cluster is None else ours.cluster[places],
    )


def _kind(data: MetricData, ours: CaseScores, theirs: CaseScores) -> Kind:
    return kind_of(data, ours.repeated or theirs.repeated)


def _filled(data: MetricData, missing: Sequence[int | None], value: float) -> MetricData:
    """The scores with each missing one as `value`; a test that never ended is a case of its own."""
    if not missing:
        return data
    free = int(data.case_no.max(initial=-1)) + 1 + len(missing)
    numbers = [free + place if number is None else number for place, number in enumerate(missing)]
    cluster = data.cluster
    if cluster is not None:
        known = dict(zip(data.case_no.tolist(), cluster.tolist(), strict=True))
        cluster = np.append(cluster, [known.get(number, -1) for number in numbers]).astype(np.int32)
    return replace(
        data,
        case_no=np.append(data.case_no, numbers).astype(np.int32),
        value=np.append(data.value, [value] * len(numbers)),
        cluster=cluster,
    )


def summary_of(data: MetricData) -> MetricSummary:
    """Mean, interval and coverage of one metric of a group."""
    return summarise_metric(data, by_case(data), LEVEL)


def _interval(data: MetricData, gate: Gate) -> Interval:
    if gate.rate == "pass_rate":
        data = replace(data, planned=max(data.planned, data.value.size))
        rate = summary_of(data).pass_rate
        if rate is not None:
            return rate
    return summary_of(replace(data, planned=max(data.planned, data.value.size))).mean


def _outcome(worst: Interval, best: Interval, limit: float, lower: bool) -> Outcome:
    if worst.low is None or worst.high is None or best.low is None or best.high is None:
        return "inconclusive"
    passes = best.high <= limit if lower else worst.low >= limit
    fails = worst.low > limit if lower else best.high < limit
    return "pass" if passes else "fail" if fails else "inconclusive"


def _interval_text(interval: Interval, data: MetricData, gate: Gate) -> str:
    if not interval.estimable:
        return interval.reason or "no interval"
    info = data.info if gate.rate == "mean" else replace(data.info, kind="unit", unit=None)
    mean = value_text(interval.estimate, info, digits_for(interval))
    return f"{mean} [{range_text(interval, info)}] over {plural(interval.n, 'case')}"


def _difference_text(found: NonInferiority) -> str:
    if found.low is None or found.high is None:
        return found.reason or "no interval"
    interval = Interval(
        estimate=found.difference,
        low=found.low,
        high=found.high,
        level=1.0 - 2.0 * found.alpha,
        method=found.method,
        n=found.n,
    )
    needed = f"; about {plural(found.cases_needed, 'case')} would decide it" if found.cases_needed else ""
    return f"difference {signed_range(interval)} over {plural(found.n, 'pair')}{needed}"


def _missing_text(missing: Sequence[int | None], data: MetricData) -> str:
    if not missing:
        return ""
    return f"; {len(missing):,} of {plural(data.planned, 'cell')} without a score"


def _verdict(log: GroupLog, metric: str, key: str, answer: tuple[Outcome, str, str]) -> Verdict:
    outcome, rule, found = answer
    return Verdict(group=log.group.name, metric=metric, key=key, outcome=outcome, asked=rule, found=found)
