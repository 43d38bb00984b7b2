"""Alembic's entry: revisions are raw SQL, run over a connection that the caller opened."""

from alembic import context
from sqlalchemy import text

connection = context.config.attributes["connection"]
connection.execute(text("set lock_timeout = '5s'"))
connection.execute(text("create schema if not exists assay"))
connection.commit()
context.configure(connection=connection, version_table_schema="assay", transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
