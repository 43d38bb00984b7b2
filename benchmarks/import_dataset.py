"""How fast, how small: measures `assay datasets import` of many small rows, and the export of them again.

    python benchmarks/import_dataset.py                    1,000,000 rows
    python benchmarks/import_dataset.py -n 100000 --json figures.json

A row has an id, a question of some ten words, an expected word and one of n / 10 clusters. Everything happens
in a temporary folder with an embedded PostgreSQL of its own; Linux only. The peak is that of the client: the
resident set of `assay`, as the kernel counts it. A second import changes one row in a hundred.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from measure import ASSAY, Bench, MeasurementFailed, open_bench
from process_tree import adopt_orphans, end_all

ROWS = 1_000_000
CHANGED_EVERY = 100
SPLITS = "train=0.8,test=0.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one command took. `client_peak_mb` is the peak of its resident set."""

    name: str
    rows: int
    wall_s: float
    client_cpu_s: float
    client_peak_mb: float

    @property
    def rows_a_second(self) -> float:
        """Rows by the wall clock, from the start of the process to its end."""
        return self.rows / self.wall_s


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 0 when all commands did what they should."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("-n", type=int, default=ROWS, help="rows")
    parser.add_argument("--json", type=Path, help="write the figures there")
    given = parser.parse_args(arguments)
    adopt_orphans()
    try:
        steps = measure_import(given.n)
    except MeasurementFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        end_all()
    for step in steps:
        print(
            f"{step.name:16} {step.rows:>9,} rows  {step.wall_s:7.1f} s  {step.rows_a_second:8,.0f} rows/s  "
            f"client: {step.client_cpu_s:6.1f} CPU s, peak {step.client_peak_mb:5.0f} MB"
        )
    if given.json is not None:
        given.json.write_text(json.dumps([asdict(step) for step in steps], indent=2))
    return 0


def measure_import(rows: int) -> list[Step]:
    """Import, import with one row in a hundred changed, export."""
    with open_bench() as bench:
        first, second = bench.folder / "first.jsonl", bench.folder / "second.jsonl"
        write_rows(first, rows, changed=False)
        write_rows(second, rows, changed=True)
        bench.assay("db", "upgrade")
        keep = ("datasets", "import", "--name", "large", "--split", SPLITS, "--json")
        return [
            _run(bench, "import", rows, *keep, str(first)),
            _run(bench, "import of changes", rows, *keep, str(second)),
            _run(bench, "export", rows, "datasets", "export", "large", "-o", str(bench.folder / "out.jsonl")),
        ]


def write_rows(path: Path, rows: int, *, changed: bool) -> None:
    """A JSON Lines file of so many cases; with `changed`, each hundredth expects another word."""
    with path.open("w") as lines:
        for number in range(rows):
            other = changed and number % CHANGED_EVERY == 0
            case = {
                "id": f"case-{number:07d}",
                "vars": {"question": f"In which street of the suburb is the house with the number {number}?"},
                "expected": f"street {number % 9973}{' west' if other else ''}",
                "cluster": f"suburb-{number // 10}",
            }
            lines.write(json.dumps(case) + "\n")


def _run(bench: Bench, name: str, rows: int, *arguments: str) -> Step:
    started = time.monotonic()
    with (bench.folder / "run.log").open("wb") as log:
        run = subprocess.Popen([*ASSAY, *arguments], env=bench.environment, stdout=log, stderr=log)
        _, status, used = os.wait4(run.pid, 0)
    run.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.monotonic() - started
    if run.returncode:
        said = (bench.folder / "run.log").read_text()[-2000:]
        raise MeasurementFailed(f"assay {' '.join(arguments)} ended with {run.returncode}: {said}")
    return Step(
        name=name,
        rows=rows,
        wall_s=wall_s,
        client_cpu_s=used.ru_utime + used.ru_stime,
        client_peak_mb=used.ru_maxrss * 1024 / 1e6,
    )


if __name__ == "__main__":
    sys.exit(main())
