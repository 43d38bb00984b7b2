"""Who a transaction belongs to: a context that the database verifies and nobody else can make."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import psycopg

from assay.domain.errors import StorageFailed

Role = Literal["viewer", "analyst", "manager", "admin", "owner"]
ActorKind = Literal["system", "user", "key"]

BLOCK_BYTES = 64
VALID_S = 3600
NEWEST_KEY = "select id, inner_pad, outer_pad from assay.context_keys order by created_at desc limit 1"
ADD_KEY = "select assay.add_context_key(%s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """On whose behalf a transaction runs.

    A user's or key's role is what the database knows of it at that moment; `role` counts for the system only.
    `correlation_id` ends up in the audit log.
    """

    kind: ActorKind = "system"
    actor_id: UUID | None = None
    role: Role = "owner"
    correlation_id: str = ""


SYSTEM = Caller()


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs contexts by HMAC-SHA-256 (RFC 2104); the pads are the key's two padded blocks, and secret."""

    key_id: str
    inner_pad: bytes
    outer_pad: bytes

    def __repr__(self) -> str:
        return f"Signer({self.key_id!r})"

    def sign(self, organization_id: UUID, caller: Caller, now_s: float) -> str:
        """The context of a transaction, good for an hour from `now_s`, the database's time (Unix seconds)."""
        actor = "" if caller.actor_id is None else str(caller.actor_id)
        expiry = int(now_s) + VALID_S
        fields = (self.key_id, str(organization_id), caller.kind, actor, caller.role, str(expiry))
        said = "|".join(fields)
        inner = hashlib.sha256(self.inner_pad + said.encode()).digest()
        return f"{said}|{hashlib.sha256(self.outer_pad + inner).hexdigest()}"


def signer_of(key: bytes) -> Signer:
    """The signer of a key of at least 32 bytes, as `assay.add_context_key` stores it."""
    block = (hashlib.sha256(key).digest() if len(key) > BLOCK_BYTES else key).ljust(BLOCK_BYTES, b"\0")
    return Signer(
        hashlib.sha256(key).hexdigest()[:16],
        bytes(byte ^ 0x36 for byte in block),
        bytes(byte ^ 0x5C for byte in block),
    )


def ensure_key(connection: psycopg.Connection[Any], key: bytes | None = None) -> Signer:
    """The signer that the database believes: of `key`, else of its newest key, made when there is none.

    For the role that owns the schema only; raises psycopg's InsufficientPrivilege for others.
    """
    if key is not None:
        connection.execute(ADD_KEY, [key])
        return signer_of(key)
    if (row := connection.execute(NEWEST_KEY).fetchone()) is not None:
        return Signer(*row)
    made = secrets.token_bytes(32)
    connection.execute(ADD_KEY, [made])
    return signer_of(made)


def find_signer(dsn: str, key: bytes | None = None) -> Signer:
    """The signer of `key`, or the one that this login may read or make.

    Raises StorageFailed when it may not, or the server is away.
    """
    if key is not None:
        return signer_of(key)
    try:
        with psycopg.connect(dsn, connect_timeout=10) as connection:
            return ensure_key(connection)
    except psycopg.errors.InsufficientPrivilege as error:
        raise StorageFailed(
            "this login may not read the key that proves its tenant to the database",
            remedy="Set ASSAY_CONTEXT_KEY to the key that `assay db upgrade` had: see docs/database.md",
        ) from error
    except psycopg.Error as error:
        raise StorageFailed(
            f"PostgreSQL cannot be used: {error}", remedy="Check DATABASE_URL, or run: assay doctor"
        ) from error
