"""Is the database fast when it is full? Fills one with many tenants and asks what the pages ask.

    make bench-db                                  50 tenants, 1,000,000 results, 5,000,000 scores
    python benchmarks/db.py --tenants 5 --jobs 4   a quick look

An embedded PostgreSQL of its own in a temporary folder, with fsync on. Exits with 1 when a promise is broken.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psycopg

from assay.storage import embedded, migrate
from database.ask import MEDIAN_MS, P95_MS, ask_all
from database.fill import CELLS, METRICS, Filled, fill

RESULTS_PER_S = 20_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill, ask, print; 0 when every promise is kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tenants", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=20, help=f"jobs a tenant, of {CELLS:,} cells each")
    parser.add_argument("--writers", type=int, default=2, help="connections that write at once")
    parser.add_argument("--times", type=int, default=60, help="how often each query is asked")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="assay-bench-", ignore_cleanup_errors=True) as folder:
        settings = {"max_wal_size": "4GB", "shared_buffers": "512MB"}
        with embedded.start(Path(folder) / "data", idle_s=1, settings=settings) as server:
            return _measure(server.dsn(), given)


def _measure(dsn: str, given: argparse.Namespace) -> int:
    signer = migrate.upgrade(dsn)
    filled = fill(dsn, signer, given.tenants, given.jobs, given.writers)
    kept = _report_writing(filled)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("vacuum analyze")
        size = connection.execute("select pg_size_pretty(pg_database_size(current_database()))").fetchone()
        print(f"the database has {size[0] if size else '?'}\n")
    print(f"{'query of one tenant':32} {'rows':>5} {'median ms':>10} {'p95 ms':>8}")
    for asked in ask_all(dsn, signer, filled.tenants, given.times):
        wrong = (
            ""
            if asked.ok
            else f"  MISSED {' '.join(asked.scans)} {'per row' if asked.policies_per_row else ''}"
        )
        print(f"{asked.name:32} {asked.rows:>5} {asked.median_ms:>10.2f} {asked.p95_ms:>8.2f}{wrong}")
        kept &= asked.ok
    print(f"\npromised: median < {MEDIAN_MS:g} ms, p95 < {P95_MS:g} ms, no scan of a big table: "
          f"{'kept' if kept else 'NOT kept'}")  # fmt: skip
    return 0 if kept else 1


def _report_writing(filled: Filled) -> bool:
    rate = filled.results_per_s
    print(f"{len(filled.tenants)} tenants, {filled.results:,} results, {filled.scores:,} scores in "
          f"{filled.wall_s:.0f} s, with queue and ledger")  # fmt: skip
    print(f"written through row-level security: {rate:,.0f} results a second, {len(METRICS)} scores each; "
          f"promised {RESULTS_PER_S:,}")  # fmt: skip
    return rate >= RESULTS_PER_S


if __name__ == "__main__":
    sys.exit(main())
