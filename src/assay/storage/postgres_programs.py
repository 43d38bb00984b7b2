"""pg_dump and pg_restore of the server's own version, run without a password in their arguments."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from assay.domain.errors import OptionalPartMissing, StorageFailed
from assay.storage.embedded import binaries_dir

VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""What programs get of the environment, with the PG* variables; keys of providers stay behind."""
LONGEST_MESSAGE = 2_000


def find_program(name: str, major: int, environment: Mapping[str, str]) -> Path:
    """The program of a server's major version: of the embedded server's package, else the one on PATH.

    An older one cannot read a newer server, and what a newer one writes an older one cannot restore: so
    the versions have to be equal. Raises OptionalPartMissing with the versions that there are.
    """
    found = []
    for path in _candidates(name, environment):
        version = _major_of(path)
        if version == major:
            return path
        found.append(f"{version} ({path})")
    there = f"there is {', '.join(found)}" if found else "there is none"
    raise OptionalPartMissing(
        f"the server is PostgreSQL {major}, and so must be {name}; {there}",
        remedy=f"Install it (such as the package postgresql-client-{major}) and put it on PATH.",
    )


def _candidates(name: str, environment: Mapping[str, str]) -> Iterator[Path]:
    with suppress(OptionalPartMissing):
        if (packaged := binaries_dir() / name).exists():
            yield packaged
    if on_path := shutil.which(name, path=environment.get("PATH")):
        yield Path(on_path)


def _major_of(path: Path) -> int | None:
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own choice
    except (OSError, subprocess.CalledProcessError):
        return None
    match = VERSION.search(said)
    return int(match.group(1)) if match else None


def start_program(
    command: Sequence[object], dsn: str | None, environment: Mapping[str, str]
) -> subprocess.Popen[str]:
    """Start a program, on a database if one is given; the password of the address goes by its environment."""
    address = {} if dsn is None else conninfo_to_dict(dsn)
    password = address.pop("password", None)
    kept = {name: value for name, value in environment.items() if name in KEPT or name.startswith("PG")}
    if password is not None:
        kept["PGPASSWORD"] = str(password)
    place = [] if dsn is None else ["--dbname", make_conninfo("", **_set_in(address))]
    return subprocess.Popen(  # noqa: S603 - the programs above
        [*map(str, command), *place],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=kept,
    )


def _set_in(address: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in address.items() if value is not None}


def finish_program(process: subprocess.Popen[str], doing: str) -> None:
    """Wait for a program. Raises StorageFailed with what it said."""
    _, said = process.communicate()
    if process.returncode:
        raise StorageFailed(
            f"{doing} failed: {said.strip()[:LONGEST_MESSAGE]}", remedy="Look into it with: assay doctor"
        )


def require_passing_policies(connection: psycopg.Connection[Any]) -> None:
    """Raises StorageFailed unless the login sees the rows of every tenant."""
    row = connection.execute(
        "select rolsuper or rolbypassrls, current_user::text from pg_roles where rolname = current_user"
    ).fetchone()
    passes, name = row or (False, "")
    if not passes:
        raise StorageFailed(
            f"the login {name} does not see all tenants, so that it cannot save or check their rows",
            remedy="Use one that is superuser or has BYPASSRLS: see docs/backup.md",
        )
