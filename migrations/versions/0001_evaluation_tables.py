"""The schema as the book tells it."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Run the book inside Alembic's transaction."""
    book = Path(__file__).parent.parent.joinpath("create_evaluation_tables.sql").read_text(encoding="utf-8")
    body = "\n".join(line for line in book.splitlines() if line not in ("begin;", "commit;"))
    driver = op.get_bind().connection.driver_connection
    if driver is None:
        raise RuntimeError("the migration has no connection")
    driver.execute(body)
    # The book notes its revision for installs by psql; here Alembic notes it.
    driver.execute("delete from assay.alembic_version")
