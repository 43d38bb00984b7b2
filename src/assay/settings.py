"""Settings: read once, by the roots, from the environment and a .env file."""

import base64
import binascii
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from assay.domain.errors import InvalidInput
from assay.services.master_keys import parse_master_key

LOCAL_ORGANIZATION = UUID("00000000-0000-7000-8000-000000000001")
"""The tenant of an embedded database, and of a server until another one is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment decides. `database_url` None means the embedded PostgreSQL in `data_dir`.

    `context_key` signs the tenant of a transaction; None where the login may read the database's own key.
    `master_keys` are those of the environment, the current one first.
    """

    environment: Mapping[str, str] = field(repr=False)
    data_dir: Path
    cache_dir: Path
    runtime_dir: Path
    database_url: str | None
    context_key: bytes | None = field(repr=False)
    organization_id: UUID
    idle_s: float
    master_keys: tuple[bytes, ...] = field(repr=False)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from ASSAY_* variables; raises InvalidInput for a value that cannot be used."""
    home = Path(environment.get("HOME") or Path.home())
    return Settings(
        environment=environment,
        data_dir=_folder(
            environment,
            "ASSAY_DATA_DIR",
            "XDG_DATA_HOME",
            home / ".local/share",
            "Library/Application Support",
        ),
        cache_dir=_folder(
            environment, "ASSAY_CACHE_DIR", "XDG_CACHE_HOME", home / ".cache", "Library/Caches"
        ),
        runtime_dir=Path(environment.get("XDG_RUNTIME_DIR") or environment.get("TMPDIR") or "/tmp"),  # noqa: S108
        database_url=environment.get("DATABASE_URL") or None,
        context_key=_key(environment, "ASSAY_CONTEXT_KEY"),
        organization_id=_organization(environment),
        idle_s=_seconds(environment, "ASSAY_DB_IDLE_S", 10.0),
        master_keys=_master_keys(environment),
    )


def read_env_file(path: Path) -> dict[str, str]:
    """NAME=value lines of a .env file; quotes are taken off, `export` and comments are allowed."""
    found: dict[str, str] = {}
    for number, line in enumerate(_lines_of(path), start=1):
        text = line.strip().removeprefix("export ").strip()
        if not text or text.startswith("#"):
            continue
        name, separator, value = text.partition("=")
        if not separator or not name.strip().isidentifier():
            raise InvalidInput(
                "is not NAME=value", file=str(path), line=number, remedy="Write one NAME=value a line."
            )
        found[name.strip()] = _unquoted(value.strip())
    return found


def _lines_of(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"is not UTF-8: {error.reason} at byte {error.start}", file=str(path), remedy="Save it as UTF-8."
        ) from error
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", file=str(path)) from error


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value.split(" #", 1)[0].rstrip()


def _folder(environment: Mapping[str, str], own: str, xdg: str, default: Path, mac: str) -> Path:
    if chosen := environment.get(own):
        return Path(chosen).expanduser().resolve()
    if base := environment.get(xdg):
        return Path(base) / "assay"
    if sys.platform == "darwin":
        return Path(environment.get("HOME", "~")).expanduser() / mac / "assay"
    return default / "assay"


def _organization(environment: Mapping[str, str]) -> UUID:
    text = environment.get("ASSAY_ORGANIZATION_ID")
    if not text:
        return LOCAL_ORGANIZATION
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput("is not a UUID", field="ASSAY_ORGANIZATION_ID", remedy="Give its id.") from None


def _key(environment: Mapping[str, str], name: str) -> bytes | None:
    text = environment.get(name)
    if not text:
        return None
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) < 32:
        raise InvalidInput(
            "is not at least 32 bytes in base64", field=name, remedy="Make one: openssl rand -base64 32"
        )
    return key


def _master_keys(environment: Mapping[str, str]) -> tuple[bytes, ...]:
    """The current key, then the previous ones; several previous ones are parted by commas or spaces."""
    current = environment.get("ASSAY_MASTER_KEY", "").strip()
    previous = environment.get("ASSAY_MASTER_KEY_PREVIOUS", "").replace(",", " ").split()
    if previous and not current:
        raise InvalidInput(
            "is set without a current key", field="ASSAY_MASTER_KEY_PREVIOUS", remedy="Set ASSAY_MASTER_KEY."
        )
    return (
        *([parse_master_key(current, "ASSAY_MASTER_KEY")] if current else []),
        *(parse_master_key(text, "ASSAY_MASTER_KEY_PREVIOUS") for text in previous),
    )


def _seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name)
    if not text:
        return default
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise InvalidInput(f"{text!r} is not a number of seconds", field=name, remedy="Give 0 or more.")
    return seconds


def process_environment(env_files: tuple[Path, ...]) -> dict[str, str]:
    """The process's variables over those of the .env files; a later file wins over an earlier one."""
    merged: dict[str, str] = {}
    for path in env_files:
        merged.update(read_env_file(path))
    return {**merged, **os.environ}
