"""Races: cells that are held back, opened, and closed when they are not needed."""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0001"


def upgrade() -> None:
    """Run the SQL beside this file as the owner of the schema."""
    body = Path(__file__).with_name("0003_race.sql").read_text(encoding="utf-8")
    driver = op.get_bind().connection.driver_connection
    if driver is None:
        raise RuntimeError("the migration has no connection")
    driver.execute("set local role assay_owner")
    driver.execute(body)
    driver.execute("reset role")
