"""The first schema, as it was: `0001_evaluation_tables.sql`. New databases are made by the book instead."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Run the text inside Alembic's transaction."""
    text = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    body = "\n".join(line for line in text.splitlines() if line not in ("begin;", "commit;"))
    driver = op.get_bind().connection.driver_connection
    if driver is None:
        raise RuntimeError("the migration has no connection")
    driver.execute(body)
    # The text notes its revision for installs by psql; here Alembic notes it.
    driver.execute("delete from assay.alembic_version")
