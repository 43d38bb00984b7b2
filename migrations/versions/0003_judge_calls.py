"""Judges: their calls in the ledger, what they cost beside each score, and scores of stored results.

Only adds: what works by revision 0002 goes on meanwhile.
"""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add columns, replace functions."""
    driver = op.get_bind().connection.driver_connection
    if driver is None:
        raise RuntimeError("the migration has no connection")
    driver.execute("set local statement_timeout = 0")
    driver.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
    driver.execute("reset role")
