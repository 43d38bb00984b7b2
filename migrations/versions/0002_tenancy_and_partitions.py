"""Partitions, summaries, budgets, people, secrets, audit: most tables change their shape.

A table cannot become a partitioned one in place. So the old schema steps aside, the book makes the new one,
and `0002_tenancy_and_partitions.sql` moves the rows: one transaction, during which nobody else works. Later
revisions expand and contract (docs/database.md).
"""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"

BOOK = Path(__file__).with_name("0002_tenancy_and_partitions_book.sql")
"""The schema as it was at this revision."""


def upgrade() -> None:
    """Step aside, make, move."""
    driver = op.get_bind().connection.driver_connection
    if driver is None:
        raise RuntimeError("the migration has no connection")
    driver.execute("set local statement_timeout = 0")
    driver.execute("alter schema assay rename to assay_0001")
    book = BOOK.read_text(encoding="utf-8")
    driver.execute("\n".join(line for line in book.splitlines() if line not in ("begin;", "commit;")))
    driver.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
    # Alembic moves its own mark on from here.
    driver.execute("update assay.alembic_version set version_num = '0001'")
