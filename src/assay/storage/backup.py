"""Backup: a dump in PostgreSQL's custom format, and beside it a manifest of what it holds.

Counts, checksums and dump are of one snapshot, so that they fit together however busy the database is.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import psycopg

from assay import __version__
from assay.domain.errors import Conflict, InvalidInput, StorageFailed
from assay.storage.migrate import find_revision
from assay.storage.postgres_programs import (
    find_program,
    finish_program,
    require_passing_policies,
    start_program,
)
from assay.storage.table_sums import TableSum, prepare, sum_tables

FORMAT = 1
LOCK_WAIT_MS = 60_000
SNAPSHOT = """
select pg_export_snapshot(), to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
"""
ROLES = "select rolname, rolcanlogin, rolinherit from pg_roles where rolname like 'assay\\_%' order by 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role of the install, which a dump of a database does not hold."""

    name: str
    can_login: bool
    inherits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds. `sha256` is of the dump; `major` is the version of the server that it is from."""

    format: int
    assay: str
    created_at: str
    major: int
    revision: str
    dump_bytes: int
    sha256: str
    roles: tuple[Role, ...]
    tables: Mapping[str, TableSum]

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables.values())


def manifest_path(dump: Path) -> Path:
    """Where the manifest of a dump is: its name with `.json` at the end."""
    return dump.with_name(f"{dump.name}.json")


def back_up(dsn: str, file: Path, environment: Mapping[str, str]) -> Manifest:
    """Write a dump of the schema to `file` and its manifest beside it, readable by their owner only.

    Both are written under other names and get their own when they are whole. Raises Conflict when there is
    such a file, StorageFailed, OptionalPartMissing when no pg_dump of the server's version is there.
    """
    for path in (file, manifest_path(file)):
        if path.exists():
            raise Conflict(f"{path} is there already", remedy="Choose another name, or remove it.")
    revision = find_revision(dsn)
    if revision is None:
        raise StorageFailed("the database holds no schema of Assay", remedy="There is nothing to save.")
    with _partial(file) as dump, _partial(manifest_path(file)) as described:
        try:
            manifest = _dump(dsn, dump, revision, environment)
        except psycopg.Error as error:
            raise StorageFailed(f"PostgreSQL refused: {error}", remedy="See: assay doctor") from error
        described.write_bytes(orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2))
        _to_disk(described)
        described.rename(manifest_path(file))
        dump.rename(file)
        _to_disk(file.parent)
    return manifest


def _dump(dsn: str, dump: Path, revision: str, environment: Mapping[str, str]) -> Manifest:
    with psycopg.connect(dsn, autocommit=True) as connection:
        require_passing_policies(connection)
        prepare(connection)
        major = connection.info.server_version // 10_000
        program = find_program("pg_dump", major, environment)
        connection.execute("begin isolation level repeatable read, read only")
        row: Any = connection.execute(SNAPSHOT).fetchone()
        snapshot, created_at = row
        command = [program, "--format=custom", "--schema=assay", f"--lock-wait-timeout={LOCK_WAIT_MS}"]
        process = start_program([*command, f"--snapshot={snapshot}", "--file", dump], dsn, environment)
        try:
            # The dump reads the same snapshot meanwhile; this transaction has to stay open for it.
            tables = sum_tables(connection)
            roles = [
                Role(name=n, can_login=c, inherits=i) for n, c, i in connection.execute(ROLES).fetchall()
            ]
            finish_program(process, "pg_dump")
        finally:
            process.kill()
            process.wait()
    _to_disk(dump)
    return Manifest(
        format=FORMAT,
        assay=__version__,
        created_at=created_at,
        major=major,
        revision=revision,
        dump_bytes=dump.stat().st_size,
        sha256=file_sha256(dump),
        roles=tuple(roles),
        tables=tables,
    )


def read_manifest(file: Path) -> Manifest:
    """The manifest of a dump, which must be the file that it describes. Raises InvalidInput."""
    described = manifest_path(file)
    try:
        document = orjson.loads(described.read_bytes())
        manifest = Manifest(
            **{
                **document,
                "roles": tuple(Role(**role) for role in document["roles"]),
                "tables": {name: TableSum(**table) for name, table in document["tables"].items()},
            }
        )
        found = file_sha256(file)
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", file=str(error.filename)) from error
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput("is not the manifest of a backup", file=str(described)) from error
    if manifest.format != FORMAT:
        raise InvalidInput(f"has the format {manifest.format}, not {FORMAT}", file=str(described))
    if found != manifest.sha256:
        raise InvalidInput(f"is not the dump that {described.name} describes, or was changed", file=str(file))
    return manifest


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def _partial(file: Path) -> Iterator[Path]:
    """An empty file beside `file`, for its owner only; gone at the end unless it was renamed."""
    path = file.with_name(f".{file.name}.{uuid4().hex[:8]}.partial")
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise InvalidInput(f"cannot be written: {error.strerror}", file=str(file)) from error
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
