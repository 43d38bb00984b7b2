"""Do the statistics keep what they promise? Coverage and false alarms, by enumeration and simulation.

    make bench-stats                                every check
    python benchmarks/run_stats.py --quick          a tenth of the draws, wider bounds
    python benchmarks/run_stats.py --only holm      a single one; may be repeated

The seeds are fixed: two runs print the same figures. What they mean is in docs/statistics.md.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from stats.catalog import CHECKS
from stats.rows import Check, Effort, Row

VERDICTS = {True: "ok", False: "FAILED", None: ""}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print; 0 when every check is within its bound, 1 otherwise."""
    given = _parse(arguments)
    return report([CHECKS[name] for name in given.only or CHECKS], Effort(quick=given.quick), given.processes)


def report(checks: Sequence[Check], effort: Effort, processes: int) -> int:
    """Print a row for each check, as soon as it is there; 1 when one failed, else 0."""
    started, rows, failed = time.perf_counter(), 0, 0
    print(f"| {'check':36} | {'measured':>13} | {'accepted':>14} | {'':6} | design |")
    print(f"|{'-' * 38}|{'-' * 14}:|{'-' * 15}:|{'-' * 8}|---|", flush=True)
    for row in _rows(checks, effort, processes):
        print(line_of(row), flush=True)
        rows, failed = rows + 1, failed + (row.ok is False)
    print(f"\n{rows} rows, {failed} failed, {time.perf_counter() - started:.0f} s")
    return 1 if failed else 0


def _rows(checks: Sequence[Check], effort: Effort, processes: int) -> Iterator[Row]:
    if processes == 1:
        for check in checks:
            yield from _several(check(effort))
        return
    with ProcessPoolExecutor(max_workers=processes) as pool:
        for started in [pool.submit(check, effort) for check in checks]:
            yield from _several(started.result())


def _several(found: Row | tuple[Row, ...]) -> tuple[Row, ...]:
    return found if isinstance(found, tuple) else (found,)


def line_of(row: Row) -> str:
    """A row of the table; of several designs the lowest and the highest figure."""
    shown = figures_of(row.measured)
    return f"| {row.check:36} | {shown:>13} | {row.bound:>14} | {VERDICTS[row.ok]:6} | {row.design} |"


def figures_of(measured: Iterable[float] | str) -> str:
    """A figure, or the lowest and the highest of several; words as they are."""
    if isinstance(measured, str):
        return measured
    values = sorted(measured)
    ends = dict.fromkeys(_figure(value) for value in (values[0], values[-1]))
    return " - ".join(ends)


def _figure(value: float) -> str:
    if value < 5e-6:
        return "0" if value == 0.0 else "<.00001"
    return f"{value:.{5 if value < 0.01 else 3}f}".removeprefix("0")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add = parser.add_argument
    add("--quick", action="store_true", help="a tenth of the draws, bounds wider by their error")
    add("--only", action="append", choices=CHECKS, metavar="NAME", help=", ".join(CHECKS))
    add("--processes", type=int, default=min(2, os.cpu_count() or 1))
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
