"""Is everything in place? Each check says what it found and what to do about it."""

import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import psycopg

from assay.domain.errors import AssayError
from assay.models.catalog import PROVIDERS
from assay.storage import migrate

LEAST_FREE_BYTES = 500_000_000
LARGEST_SKEW_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at. `remedy` says what to do unless it is `ok`."""

    name: str
    state: Literal["ok", "warning", "failed"]
    found: str
    remedy: str | None = None


def check_python() -> Check:
    """The interpreter and the machine."""
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return Check(name="python", state="ok", found=found)


def check_folder(name: str, folder: Path) -> Check:
    """A folder of ours: writable, with room."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    found = f"{folder} ({free / 1e9:.1f} GB free)"
    if not _writable(existing):
        return Check(
            name=name, state="failed", found=f"{found}, not writable", remedy=f"Make {existing} yours."
        )
    if free < LEAST_FREE_BYTES:
        return Check(
            name=name, state="warning", found=found, remedy="Free some space: runs are stored there."
        )
    return Check(name=name, state="ok", found=found)


def check_keys(environment: Mapping[str, str]) -> Check:
    """Which providers have a key; the keys themselves are not shown."""
    ready = [
        info.name
        for info in PROVIDERS.values()
        if info.key_variables and any(environment.get(name) for name in info.key_variables)
    ]
    if not ready:
        return Check(
            name="keys",
            state="warning",
            found="no provider has a key",
            remedy="Set OPENAI_API_KEY or another (see assay models) here or in .env; local ones need none.",
        )
    return Check(name="keys", state="ok", found=", ".join(ready))


def check_database(dsn: str, origin: str) -> list[Check]:
    """The server, its version, its schema and its clock."""
    try:
        with psycopg.connect(dsn, connect_timeout=10) as connection:
            row = connection.execute(
                "select current_setting('server_version_num')::int, clock_timestamp()"
            ).fetchone()
            now = datetime.now(UTC)
    except psycopg.Error as error:
        return [
            Check(
                name="database",
                state="failed",
                found=f"{origin}: {error}".strip(),
                remedy="Check that the server runs and that DATABASE_URL names it.",
            )
        ]
    version, clock = row if row is not None else (0, now)
    checks = [_check_version(version, origin)]
    checks.append(_check_schema(dsn))
    skew_s = abs((clock - now).total_seconds())
    state: Literal["ok", "warning"] = "ok" if skew_s < LARGEST_SKEW_S else "warning"
    checks.append(
        Check(
            name="clock",
            state=state,
            found=f"{skew_s:.1f} s from the database's",
            remedy=None
            if state == "ok"
            else "Leases use the database's clock alone, but set this one right.",
        )
    )
    return checks


def _check_version(version: int, origin: str) -> Check:
    found = f"PostgreSQL {version // 10_000}.{version % 10_000}, {origin}"
    if version < 150_000:
        return Check(name="database", state="failed", found=found, remedy="PostgreSQL 15 or newer is needed.")
    return Check(name="database", state="ok", found=found)


def _check_schema(dsn: str) -> Check:
    try:
        revision = migrate.find_revision(dsn)
    except AssayError as error:
        return Check(name="schema", state="failed", found=error.message, remedy=error.remedy)
    if revision != migrate.HEAD:
        return Check(
            name="schema",
            state="failed",
            found=f"{revision or 'none'}, needed is {migrate.HEAD}",
            remedy="Bring it up to date: assay db upgrade",
        )
    return Check(name="schema", state="ok", found=f"revision {revision}")


def _writable(folder: Path) -> bool:
    probe = folder / ".assay-doctor"
    try:
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True
