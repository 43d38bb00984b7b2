"""How long the statistics of a comparison take, from arrays of scores to the finished report.

    python benchmarks/compare.py [--candidates 20] [--cases 10000] [--metrics 10] [--target-s 5]

Scores are drawn: half of the metrics pass/fail, half graded, cases of different difficulty, candidates half a
point apart. Measured are the pairs that a comparison chooses by itself, all pairs, and all pairs with one in
a hundred scores missing and cases in clusters of five. Ends with 1 if one of them takes longer than the
target.
"""

import argparse
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np
import numpy.typing as npt

from assay.domain.scores import MetricInfo
from assay.reports.comparing import Wish, compare_contest
from assay.reports.contest import Contest, MetricTable
from assay.reports.values import CandidateSummary
from assay.stats.comparisons import ScoreTable, compare_many
from assay.stats.estimates import not_estimable

REPEATS = 3


@dataclass(frozen=True, slots=True)
class Size:
    """How much is compared."""

    candidates: int
    cases: int
    metrics: int


def contest_of(size: Size, seed: int = 7) -> Contest:
    """Candidates with drawn scores and costs."""
    rng = np.random.default_rng(seed)
    difficulty = rng.random(size.cases)
    tables = [_table(number, difficulty, size, rng) for number in range(size.metrics)]
    names = [f"prompt-{number + 1:02}" for number in range(size.candidates)]
    return Contest(
        candidates=tuple(_candidate(name, size.cases) for name in names),
        groups=tuple((number,) for number in range(size.candidates)),
        members=tuple(names),
        jobs=(0,) * size.candidates,
        cases=[f"case-{number}" for number in range(size.cases)],
        takes=np.ones((size.candidates, size.cases), dtype=np.bool_),
        clusters=None,
        metrics=tuple(tables),
        cost_usd=rng.gamma(4.0, 0.0001, (size.candidates, size.cases)),
    )


def _table(
    number: int, difficulty: npt.NDArray[np.float64], size: Size, rng: np.random.Generator
) -> MetricTable:
    strength = 0.005 * np.arange(size.candidates)[:, None]
    noise = rng.normal(0.0, 0.2, (size.candidates, size.cases))
    scores = np.clip(difficulty + strength + noise, 0.0, 1.0)
    kind: Literal["binary", "unit"] = "binary" if number % 2 == 0 else "unit"
    info = MetricInfo(type=kind, version="1", kind=kind, summary="", needs=(), source="")
    value = (scores > 0.5).astype(np.float64) if kind == "binary" else scores
    return MetricTable(metric=f"{kind}-{number}", info=info, kind=kind, value=value)


def _candidate(name: str, cases: int) -> CandidateSummary:
    nothing = not_estimable("not measured", estimate=None, level=0.95, method="order_statistic", n=0)
    return CandidateSummary(
        label=name,
        prompt=name,
        model="drawn",
        planned=cases,
        succeeded=cases,
        errors=0,
        cancelled=0,
        not_needed=0,
        pending=0,
        failures={},
        cached=0,
        input_tokens=None,
        output_tokens=None,
        unknown_tokens=cases,
        cost_usd=None,
        unknown_costs=0,
        p50_ms=nothing,
        p95_ms=nothing,
    )


def with_gaps(contest: Contest) -> Contest:
    """The same with one in a hundred scores missing and cases in clusters of five."""
    rng = np.random.default_rng(11)
    tables = [
        replace(table, value=np.where(rng.random(table.value.shape) < 0.01, np.nan, table.value))
        for table in contest.metrics
    ]
    clusters = np.arange(len(contest.cases), dtype=np.int64) // 5
    return replace(contest, metrics=tuple(tables), clusters=clusters)


def report_of(contest: Contest) -> str:
    """The whole comparison as it is by default."""
    report = compare_contest(contest, _wish(), title="benchmark")
    return f"{report.scheme}, {sum(len(metric.pairs) for metric in report.metrics)} tests"


def all_pairs_of(contest: Contest) -> str:
    """Every pair on every metric, tests and intervals only."""
    pairs = list(combinations(range(len(contest.candidates)), 2))
    tables = [
        ScoreTable(scores=table.value, kind=table.kind, pairs=pairs, margin=0.02) for table in contest.metrics
    ]
    found = compare_many(tables, clusters=contest.clusters, rng=np.random.default_rng(0))
    return f"all pairs, {sum(map(len, found))} tests"


def _wish() -> Wish:
    return Wish(rng=np.random.default_rng(0), margin=0.02)


def measure(name: str, work: Callable[[Contest], str], contest: Contest) -> float:
    """The median of some runs in seconds by the clock, printed with all of them and the work of the cores."""
    times, worked, what = [], [], ""
    for _ in range(REPEATS):
        start, start_cpu = time.perf_counter(), time.process_time()
        what = work(contest)
        times.append(time.perf_counter() - start)
        worked.append(time.process_time() - start_cpu)
    middle, runs = statistics.median(times), ", ".join(f"{each:.2f}" for each in times)
    print(f"{name:<32} {what:<22} {middle:6.2f} s  ({runs}), {statistics.median(worked):.2f} s of a core")
    return middle


def main() -> int:
    """Measure, print, and say whether the target was reached."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--candidates", type=int, default=20)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--metrics", type=int, default=10)
    parser.add_argument("--target-s", type=float, default=5.0)
    asked = parser.parse_args()
    size = Size(asked.candidates, asked.cases, asked.metrics)
    print(
        f"{size.candidates} candidates x {size.cases:,} cases x {size.metrics} metrics, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, numpy {np.__version__}"
    )
    whole = contest_of(size)
    gaps = with_gaps(whole)
    times = [
        measure("comparison", report_of, whole),
        measure("comparison, gaps and clusters", report_of, gaps),
        measure("tests alone", all_pairs_of, whole),
        measure("tests alone, gaps and clusters", all_pairs_of, gaps),
    ]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    slowest = max(times)
    reached = slowest <= asked.target_s
    print(f"peak memory {peak:,.0f} MiB, slowest {slowest:.2f} s, target {asked.target_s:g} s: ", end="")
    print("reached" if reached else "missed")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
