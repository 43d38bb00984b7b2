"""Where the master key comes from: the environment, or a file in the data folder of an embedded database."""

import base64
import binascii
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from assay.domain.errors import InvalidInput, MissingKey
from assay.services.keyring import KEY_BYTES, Keyring

FILE_NAME = "master.key"


def load_keyring(secrets: Sequence[bytes], file: Path | None) -> Keyring:
    """The ring of the environment's keys, with those of the file after them.

    `file` is None where the database is not this user's own; a server has to be given its key. Without any
    key the file is made. Raises MissingKey, InvalidInput.
    """
    if file is None and not secrets:
        raise MissingKey(
            "no master key is set, by which secrets are stored",
            remedy="Make one (openssl rand -base64 32) and set ASSAY_MASTER_KEY to it wherever Assay runs.",
        )
    if file is not None and (not secrets or file.exists()):
        secrets = [*secrets, *_keys_of(file)]
    return Keyring.of(secrets)


def add_master_key(file: Path) -> None:
    """Put a new key before those in the file; the older ones still unwrap."""
    older = _keys_of(file)
    _write(file, [os.urandom(KEY_BYTES), *older])


def parse_master_key(text: str, field: str) -> bytes:
    """The 32 bytes of a key in base64. Raises InvalidInput, which does not show it."""
    try:
        secret = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != KEY_BYTES:
        raise InvalidInput(
            f"is not {KEY_BYTES} bytes in base64",
            field=field,
            remedy="Make one with: openssl rand -base64 32",
        )
    return secret


def _keys_of(file: Path) -> list[bytes]:
    """The keys of the file, newest first; it is made when it is not there."""
    if not file.exists():
        _create(file)
    mode = file.stat().st_mode
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InvalidInput(
            "can be read by others", file=str(file), remedy=f"Keep it to yourself: chmod 600 {file}"
        )
    lines = file.read_text(encoding="ascii", errors="replace").split()
    if not lines:
        raise InvalidInput("holds no key", file=str(file), remedy="Restore it from a backup, or remove it.")
    return [parse_master_key(line, str(file)) for line in lines]


def _create(file: Path) -> None:
    """Make the file with a first key; of two processes that do it at once, one wins and both use its key."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = _partial(file, [os.urandom(KEY_BYTES)])
    try:
        os.link(partial, file)
    except FileExistsError:
        pass
    finally:
        partial.unlink()


def _write(file: Path, secrets: Sequence[bytes]) -> None:
    _partial(file, secrets).replace(file)


def _partial(file: Path, secrets: Sequence[bytes]) -> Path:
    """The keys in a file of another name, on the disk: a key that is lost takes all secrets with it."""
    partial = file.with_name(f"{file.name}.{uuid4().hex}")
    text = "".join(f"{base64.b64encode(secret).decode()}\n" for secret in secrets)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    return partial
