"""What are the metrics worth? Published figures reproduced, and agreement with people's labels.

    make bench-metrics DATA=FOLDER                    every check; FOLDER holds the public data sets
    python benchmarks/run_metrics.py --only frank     a single one; may be repeated
    python benchmarks/run_metrics.py --judge NAME     ask the local judge again, which takes long
    python benchmarks/run_metrics.py --tour 5         every judged metric with the local judge, likewise

Without the public data the checks that need them are skipped. docs/metrics/agreement.md says what the figures
mean and where the data come from.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from assay.settings import read_settings
from metrics.catalog import Check, find_checks, rows_of
from metrics.judge_scores import REPLIES, ask_again
from metrics.judge_summaries import RECORDED as SUMMARIES
from metrics.judged_tour import tour
from metrics.local_model import served
from metrics.public_data import NO_DATA, VARIABLE
from metrics.rows import Row

RECORDED = {"faithdial": REPLIES, "summaries": SUMMARIES}
VERDICTS = {True: "ok", False: "FAILED", None: ""}
HEAD = "| check | measured | accepted | | note |\n|---|---|---|---|---|"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print; 0 when no check failed, 1 otherwise."""
    checks = find_checks()
    given = _parse(arguments, checks)
    asked = ask_judge(given) if given.judge or given.tour else []
    chosen = {name: checks[name] for name in given.only or checks}
    started = time.perf_counter()
    rows = [*asked, *report(chosen, given.data)]
    failed = sum(row.ok is False for row in rows)
    print(f"\n{len(rows)} rows, {failed} failed, {time.perf_counter() - started:.0f} s")
    if given.markdown:
        given.markdown.write_text("\n".join([HEAD, *map(line_of, rows)]) + "\n", encoding="utf-8")
    return 1 if failed else 0


def report(checks: Mapping[str, Check], data: Path) -> list[Row]:
    """Print the rows of each check as soon as they are there."""
    print(HEAD, flush=True)
    return [_printed(row) for name, check in checks.items() for row in rows_of(name, check, data)]


def ask_judge(given: argparse.Namespace) -> list[Row]:
    """Ask the local judge, for the labelled replies and for each judged metric, as was ordered."""
    cache = given.cache or read_settings(os.environ).cache_dir / "models"
    with served(cache, given.base_url) as base_url:
        for name in given.judge or ():
            asyncio.run(ask_again(RECORDED[name], given.data, base_url))
        return asyncio.run(_tour(base_url, given.tour)) if given.tour else []


async def _tour(base_url: str, count: int) -> list[Row]:
    print(HEAD, flush=True)
    rows = [_printed(row) async for row in tour(base_url, count)]
    print()
    return rows


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
    default = Path(folder) if folder else NO_DATA
    add("--data", type=Path, default=default, help=f"folder of the public data; default ${VARIABLE}")
    add("--only", action="append", choices=list(names), metavar="NAME", help=", ".join(names))
    add("--markdown", type=Path, metavar="FILE", help="write the table to a file too")
    add(
        "--judge",
        action="append",
        choices=list(RECORDED),
        metavar="NAME",
        help=f"ask the local judge again and store its scores: {', '.join(RECORDED)}",
    )
    add("--tour", type=int, metavar="CASES", help="every judged metric on so many cases of the demo")
    add("--base-url", metavar="URL", help="of the judge where it is served already; ends in /v1")
    add("--cache", type=Path, metavar="FOLDER", help="holds the judge's weights, or will (1.1 GB)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
