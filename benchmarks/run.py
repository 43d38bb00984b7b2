"""How fast, how small: measures `assay run` against a provider of known latency.

    make bench                                     1,000 and 10,000 evaluations
    python benchmarks/run.py --large               100,000 as well (some minutes more)
    python benchmarks/run.py --only-cpu -n 2000    a quick look at the cost of an evaluation
    python benchmarks/run.py --profile run.prof    a cProfile of the main process

Everything happens in temporary folders, with an embedded PostgreSQL of its own; Linux only, no privileges
needed. What is measured, and what limits it, is in docs/performance.md.
"""

import argparse
import json
import os
import platform
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from measure import Load, Measurement, MeasurementFailed, Start, measure, measure_start
from process_tree import adopt_orphans, end_all
from targets import LARGE, MEDIUM, Verdict, judge

SMALL = 1_000
HEADER = (
    "n",
    "latency",
    "wall s",
    "wall/ideal",
    "run/ideal",
    "CPU ms/eval",
    "of it main",
    "database",
    "peak MB",
    "of it main",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 0 when every target that was measured is met, 1 otherwise."""
    given = _parse(arguments)
    adopt_orphans()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        return _profile(given) if given.profile else _measure(given)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except MeasurementFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        end_all()


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add = parser.add_argument
    add("-n", "--cases", type=int, action="append", help="instead of 1,000 and 10,000; may be repeated")
    add("--large", action="store_true", help="measure 100,000 as well, and how memory grows")
    add("-j", "--concurrency", type=int, default=50)
    add("--latency-ms", type=float, default=200.0, help="of the provider")
    add("--fault-rate", type=float, default=0.0, help="share of failing calls, 0 to 1")
    add("--only-cpu", action="store_true", help="without latency only; no start-up figures")
    add("--json", type=Path, metavar="FILE", help="write the figures there")
    add("--profile", type=Path, metavar="FILE", help="write a profile of one run without latency; no table")
    return parser.parse_args(arguments)


def _sizes(given: argparse.Namespace) -> list[int]:
    sizes: list[int] = list(given.cases or (SMALL, MEDIUM))
    return [*sizes, LARGE] if given.large else sizes


def _load(given: argparse.Namespace, cases: int, latency_ms: float) -> Load:
    return Load(
        cases=cases, latency_ms=latency_ms, concurrency=given.concurrency, fault_rate=given.fault_rate
    )


def _profile(given: argparse.Namespace) -> int:
    measure(_load(given, _sizes(given)[-1], 0.0), profile=given.profile.absolute())
    print(f"read it with: python -m pstats {given.profile}")
    return 0


def _measure(given: argparse.Namespace) -> int:
    machine = describe_machine()
    print("{cpu}, {cores} cores, Python {python}, load average {load_average:.2f}".format(**machine))
    _print_row(HEADER)
    done: list[Measurement] = []
    for latency_ms in (0.0,) if given.only_cpu else (given.latency_ms, 0.0):
        for cases in _sizes(given):
            done.append(measure(_load(given, cases, latency_ms)))
            _print_row(row_of(done[-1]))
    start = None if given.only_cpu else measure_start()
    if start is not None:
        print(describe_start(start))
    machine["load_average_after"] = os.getloadavg()[0]
    verdicts = judge(done, start)
    for verdict in verdicts:
        print(f"{'met   ' if verdict.met else 'MISSED'}  {verdict.text}")
    if given.json is not None:
        given.json.write_text(json.dumps(document(machine, done, start, verdicts), indent=2) + "\n")
    return 0 if all(verdict.met for verdict in verdicts) else 1


def describe_machine() -> dict[str, Any]:
    """What the figures depend on."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "load_average": os.getloadavg()[0],
    }


def describe_start(start: Start) -> str:
    """The figures of starting, in a line."""
    return (
        "to the first call: "
        f"{start.cold_cpu_s:.2f} CPU s ({start.cold_wall_s:.2f} s) on an empty data folder, "
        f"{start.warm_cpu_s:.2f} CPU s ({start.warm_wall_s:.2f} s) on a database that runs"
    )


def row_of(done: Measurement) -> tuple[str, ...]:
    """A measurement as a line of the table."""
    each_ms = 1000 / done.load.cases
    return (
        f"{done.load.cases:,}",
        f"{done.load.latency_ms:g} ms",
        f"{done.wall_s:.2f}",
        _ratio(done.over_ideal(done.wall_s)),
        _ratio(done.over_ideal(done.run_s)),
        f"{done.cpu_ms_each:.2f}",
        f"{done.main_cpu_s * each_ms:.2f}",
        f"{done.server_cpu_s * each_ms:.2f}",
        f"{done.tree_peak_mb:.0f}",
        f"{done.main_peak_mb:.0f}",
    )


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _print_row(cells: Sequence[str]) -> None:
    columns = zip(cells, HEADER, strict=True)
    print("  ".join(cell.rjust(max(8, len(name))) for cell, name in columns), flush=True)


def document(
    machine: dict[str, Any], done: Sequence[Measurement], start: Start | None, verdicts: Sequence[Verdict]
) -> dict[str, Any]:
    """Everything that was measured, for a file."""
    runs = [
        {
            **asdict(each),
            "ideal_s": each.load.ideal_s,
            "wall_over_ideal": each.over_ideal(each.wall_s),
            "run_over_ideal": each.over_ideal(each.run_s),
            "cpu_ms_each": each.cpu_ms_each,
        }
        for each in done
    ]
    return {
        "machine": machine,
        "runs": runs,
        "start": None if start is None else asdict(start),
        "targets": [asdict(verdict) for verdict in verdicts],
    }


if __name__ == "__main__":
    sys.exit(main())
