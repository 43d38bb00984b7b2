"""Restore: a backup becomes a database again, is proven to be the same, and old workers are fenced."""

import re
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from assay.domain.errors import Conflict, InvalidInput, StorageFailed
from assay.storage import migrate
from assay.storage.backup import Manifest, read_manifest
from assay.storage.pool import Database
from assay.storage.postgres_programs import (
    find_program,
    finish_program,
    require_passing_policies,
    start_program,
)
from assay.storage.queue import JobQueue
from assay.storage.table_sums import differences, prepare, sum_tables

TOKEN_LEAP = 1_000_000_000
"""How far the fencing tokens jump: no worker from before the restore can hold one that comes after it."""
REVISION_DATA = " TABLE DATA assay alembic_version "
POLICY = re.compile(r"\d+; \d+ \d+ (POLICY|ROW SECURITY) ")
MAINTENANCE = "template1"
PATIENCE_S, POLL_S = 30.0, 0.2
OTHER_SCHEMAS = """
select distinct n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname not in ('assay', 'pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'
   and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
   and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
 order by 1
"""
LEAP = "select setval('assay.lease_tokens', (select last_value from assay.lease_tokens) + %s)"
MEMBER_OF = """
select r.rolname, exists (select from pg_auth_members m
                           where m.roleid = r.oid and m.member = current_user::regrole)
  from pg_roles r
"""
NOW = "select to_char(clock_timestamp() at time zone 'UTC', 'YYYYMMDDHH24MISS')"
END_SESSIONS = "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s"
LEASED = """
select distinct organization_id, job_id from assay.evaluation_queue where state = 'leased' order by 1, 2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore has done. `kept` is the database that was there before, under its new name."""

    manifest: Manifest
    ended_leases: int
    kept: str | None


async def restore(
    dsn: str, file: Path, environment: Mapping[str, str], *, replace: bool = False, jobs: int = 1
) -> Restored:
    """Restore a backup into the database of `dsn`, see that every row is there, and fence old workers.

    With `replace` it is restored into a new database beside the one of `dsn`, which gets its name when all
    is done; sessions on the old one are ended, and it is kept. `jobs` is how many tables are loaded at once;
    one loads all in one transaction. The schema's revision is noted after the fencing tokens have leapt: no
    worker works on a database without one.

    Raises InvalidInput for a file that is no backup, Conflict for a database that is not empty,
    StorageFailed when it cannot be done or a row is not what it was.
    """
    manifest = read_manifest(file)
    if manifest.revision > migrate.HEAD:
        raise InvalidInput(
            f"holds the schema {manifest.revision}, this version of Assay knows {migrate.HEAD}",
            file=str(file),
            remedy="Restore it with the version that wrote it, or a newer one.",
        )
    kept = None
    if replace:
        with _beside(dsn) as (new_dsn, new_name):
            _fill(new_dsn, file, manifest, environment, jobs)
            ended = await _end_leases(new_dsn)
            kept = _swap(dsn, new_name)
    else:
        _require_empty(dsn)
        _fill(dsn, file, manifest, environment, jobs)
        ended = await _end_leases(dsn)
    return Restored(manifest=manifest, ended_leases=ended, kept=kept)


def _require_empty(dsn: str) -> None:
    with _connect(dsn) as connection:
        if connection.execute("select to_regnamespace('assay')").fetchone() != (None,):
            raise Conflict(
                "the database holds a schema of Assay",
                remedy="Name an empty one by DATABASE_URL, or put the backup in its place: --replace",
            )


def _fill(dsn: str, file: Path, manifest: Manifest, environment: Mapping[str, str], jobs: int) -> None:
    """Everything up to a database that works: roles, rows, proof, tokens, revision, migrations."""
    with _connect(dsn) as connection:
        major = connection.info.server_version // 10_000
        if major < manifest.major:
            raise Conflict(
                f"the backup is of PostgreSQL {manifest.major}, the server is {major}",
                remedy="Restore it into the same version or a newer one.",
            )
        require_passing_policies(connection)
        program = find_program("pg_restore", major, environment)
        _make_roles(connection, manifest)
    _load(program, dsn, file, environment, jobs)
    with _connect(dsn) as connection:
        prepare(connection)
        with connection.transaction():
            _finish(connection, manifest)
        connection.execute("analyze")
    if manifest.revision != migrate.HEAD:
        migrate.upgrade(dsn)


def _make_roles(connection: psycopg.Connection[Any], manifest: Manifest) -> None:
    found = dict(connection.execute(MEMBER_OF).fetchall())
    for role in manifest.roles:
        name = sql.Identifier(role.name)
        if role.name not in found:
            login = sql.SQL("login" if role.can_login else "nologin")
            inherit = sql.SQL("inherit" if role.inherits else "noinherit")
            connection.execute(sql.SQL("create role {} {} {}").format(name, login, inherit))
        if not found.get(role.name):
            connection.execute(sql.SQL("grant {} to current_user").format(name))
    database = sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("grant create on database {} to assay_owner").format(database))


def _load(program: Path, dsn: str, file: Path, environment: Mapping[str, str], jobs: int) -> None:
    """Run pg_restore as the owner of the schema, without the row that says that the schema is complete."""
    listing = start_program([program, "--list", file], None, environment)
    text, said = listing.communicate()
    if listing.returncode:
        raise StorageFailed(f"pg_restore cannot read {file}: {said.strip()}")
    entries = [line for line in text.splitlines(keepends=True) if REVISION_DATA not in line]
    parts = [entries]
    if jobs > 1:
        # Tables that are done early would hold their policies against the foreign keys of later ones.
        policies = [line for line in entries if POLICY.match(line)]
        parts = [[line for line in entries if not POLICY.match(line)], policies]
    for number, part in enumerate(parts):
        how = f"--jobs={jobs}" if jobs > 1 and number == 0 else "--single-transaction"
        _run_part(program, dsn, (file, part, how), environment)


def _run_part(
    program: Path, dsn: str, what: tuple[Path, Sequence[str], str], environment: Mapping[str, str]
) -> None:
    file, entries, how = what
    with tempfile.TemporaryDirectory(prefix="assay-restore-") as folder:
        wanted = Path(folder) / "wanted"
        wanted.write_text("".join(entries), encoding="utf-8")
        command = [program, "--exit-on-error", "--no-owner", "--role=assay_owner", "--use-list", wanted]
        finish_program(start_program([*command, how, file], dsn, environment), "pg_restore")


def _finish(connection: psycopg.Connection[Any], manifest: Manifest) -> None:
    """Fence old workers, note the revision, compare every table with the manifest: all of it or nothing."""
    connection.execute(LEAP, [TOKEN_LEAP])
    # As after an install: whoever upgrades owns the revision.
    connection.execute("alter table assay.alembic_version owner to current_user")
    connection.execute("insert into assay.alembic_version values (%s)", [manifest.revision])
    if lines := differences(manifest.tables, sum_tables(connection)):
        raise StorageFailed(
            "what was restored is not what was saved:\n  " + "\n  ".join(lines),
            remedy="Nothing works on what is there. Drop the schema (or database), and try another backup.",
        )


async def fence(dsn: str) -> int:
    """Fence the workers of a database that was put back to an earlier moment by other means.

    Tokens leap, every lease is taken back; returns how many. To be done before any worker connects. Raises
    StorageFailed.
    """
    migrate.require_head(dsn)
    with _connect(dsn) as connection:
        require_passing_policies(connection)
        connection.execute(LEAP, [TOKEN_LEAP])
    return await _end_leases(dsn)


async def _end_leases(dsn: str) -> int:
    """Take back every lease, so that no worker from before can complete one.

    What was under way counts as lost: its money as spent, its cells are asked again. Returns how many.
    """
    with _connect(dsn) as connection:
        jobs: Sequence[tuple[UUID, UUID]] = connection.execute(LEASED).fetchall()
    database, ended = Database(dsn), 0
    await database.open()
    try:
        for organization_id, job_id in jobs:
            queue = JobQueue(database, organization_id, job_id, worker="restore", metric_versions={})
            for owner in await queue.lease_owners():
                await queue.expire_leases(owner)
            swept = await queue.sweep()
            ended += swept.reclaimed + swept.dead
    finally:
        await database.close()
    return ended


@contextmanager
def _beside(dsn: str) -> Iterator[tuple[str, str]]:
    """A new database on the same server; dropped if the block fails."""
    with _connect(dsn) as connection:
        name = connection.info.dbname
        others = [row[0] for row in connection.execute(OTHER_SCHEMAS).fetchall()]
    if others:
        raise Conflict(
            f"the database holds more than Assay, which would be replaced too: {', '.join(others)}",
            remedy="Restore into a database of its own, and name it by DATABASE_URL.",
        )
    new = f"{name[:40]}_restore_{uuid4().hex[:8]}"
    with _connect(make_conninfo(dsn, dbname=MAINTENANCE)) as connection:
        connection.execute(sql.SQL("create database {} template template0").format(sql.Identifier(new)))
        try:
            yield make_conninfo(dsn, dbname=new), new
        except BaseException:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(new)))
            raise


def _swap(dsn: str, new: str) -> str:
    """Give a new database the name of the one of `dsn`, which gets another one; in one transaction."""
    with _connect(dsn) as connection:
        name = connection.info.dbname
        row: Any = connection.execute(NOW).fetchone()
    kept = f"{name[:40]}_before_{row[0]}"
    old, spare, fresh = (sql.Identifier(each) for each in (name, kept, new))
    with _connect(make_conninfo(dsn, dbname=MAINTENANCE)) as connection:
        connection.execute(sql.SQL("alter database {} allow_connections false").format(old))
        try:
            give_up_at = time.monotonic() + PATIENCE_S
            while not _renamed(connection, name, (old, spare, fresh)):
                if time.monotonic() > give_up_at:
                    raise StorageFailed(
                        f"sessions on {name} do not end", remedy="Stop whoever uses it, and restore again."
                    )
                time.sleep(POLL_S)
        except BaseException:
            connection.execute(sql.SQL("alter database {} allow_connections true").format(old))
            raise
        connection.execute(sql.SQL("alter database {} allow_connections true").format(spare))
    return kept


def _renamed(
    connection: psycopg.Connection[Any],
    name: str,
    names: tuple[sql.Identifier, sql.Identifier, sql.Identifier],
) -> bool:
    old, spare, fresh = names
    connection.execute(END_SESSIONS, [name])
    try:
        with connection.transaction():
            connection.execute(sql.SQL("alter database {} rename to {}").format(old, spare))
            connection.execute(sql.SQL("alter database {} rename to {}").format(fresh, old))
    except psycopg.errors.ObjectInUse:
        return False
    return True


@contextmanager
def _connect(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    try:
        with psycopg.connect(dsn, autocommit=True, connect_timeout=10) as connection:
            yield connection
    except psycopg.Error as error:
        raise StorageFailed(f"PostgreSQL refused: {error}", remedy="See docs/backup.md") from error
