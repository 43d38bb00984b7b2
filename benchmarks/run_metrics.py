"""What are the metrics worth? Published figures reproduced, and agreement with people's labels.

    make bench-metrics DATA=FOLDER                    every check; FOLDER holds the public data sets
    python benchmarks/run_metrics.py --only frank     a single one; may be repeated
    python benchmarks/run_metrics.py --judge          ask the local judge again, which takes long

Without the public data the checks that need them are skipped. docs/metrics/agreement.md says what the figures
mean and where the data come from.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from metrics.catalog import Check, find_checks, rows_of
from metrics.public_data import VARIABLE
from metrics.rows import Row

VERDICTS = {True: "ok", False: "FAILED", None: ""}
HEAD = "| check | measured | accepted | | note |\n|---|---|---|---|---|"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print; 0 when no check failed, 1 otherwise."""
    checks = find_checks()
    given = _parse(arguments, checks)
    if given.judge:
        from_judge = ["local_judge", "judged_tour"]
        print("The local judge is asked again:", ", ".join(from_judge), file=sys.stderr)
    chosen = {name: checks[name] for name in given.only or checks}
    started = time.perf_counter()
    rows = report(chosen, given.data)
    failed = sum(row.ok is False for row in rows)
    print(f"\n{len(rows)} rows, {failed} failed, {time.perf_counter() - started:.0f} s")
    if given.markdown:
        given.markdown.write_text("\n".join([HEAD, *map(line_of, rows)]) + "\n", encoding="utf-8")
    return 1 if failed else 0


def report(checks: Mapping[str, Check], data: Path | None) -> list[Row]:
    """Print the rows of each check as soon as they are there."""
    print(HEAD, flush=True)
    return [_printed(row) for name, check in checks.items() for row in rows_of(name, check, data)]


def _printed(row: Row) -> Row:
    print(line_of(row), flush=True)
    return row


def line_of(row: Row) -> str:
    """A row of the table; what would break it is written otherwise."""
    cells = (row.name, row.value, row.target, VERDICTS[row.ok], row.note)
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


def _parse(arguments: Sequence[str] | None, names: Iterable[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add = parser.add_argument
    folder = os.environ.get(VARIABLE)
    default = Path(folder) if folder else None
    add("--data", type=Path, default=default, help=f"folder of the public data; default ${VARIABLE}")
    add("--only", action="append", choices=list(names), metavar="NAME", help=", ".join(names))
    add("--markdown", type=Path, metavar="FILE", help="write the table to a file too")
    add("--judge", action="store_true", help="ask the local judge again and store its scores")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
