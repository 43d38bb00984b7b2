"""API keys: stored as their visible prefix and an HMAC of the rest."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from assay.domain.errors import Conflict
from assay.storage.pool import Connection
from assay.storage.tenancy import Role

ADD = """
insert into assay.api_keys (organization_id, id, name, prefix, key_hash, role, scopes, expires_at)
values (%(org)s, %(id)s, %(name)s, %(prefix)s, %(hash)s, %(role)s, %(scopes)s,
        clock_timestamp() + make_interval(secs => %(expires_s)s))
"""
LIST = """
select id, name, prefix, role::text, scopes, created_at, expires_at, last_used_at, revoked_at,
       coalesce(expires_at <= clock_timestamp(), false) as expired
  from assay.api_keys where organization_id = %s order by created_at, id
"""
REVOKE = """
update assay.api_keys set revoked_at = clock_timestamp()
 where organization_id = %(org)s and (name = %(key)s or prefix = %(key)s) and revoked_at is null
returning id
"""
# The database's clock decides: a process may live for months, and its own may be wrong.
FIND = """
select k.organization_id, k.id, k.key_hash, k.role::text, k.scopes, k.revoked_at is not null as revoked,
       coalesce(k.expires_at <= clock_timestamp(), false) as expired
  from assay.find_api_key(%s) k
"""
NOTE_USE = """
update assay.api_keys set last_used_at = clock_timestamp()
 where organization_id = %s and id = %s
   and (last_used_at is null or last_used_at < clock_timestamp() - interval '1 minute')
"""
REHASH = """
update assay.api_keys set key_hash = %(new)s
 where organization_id = %(org)s and id = %(id)s and key_hash = %(old)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApiKey:
    """What is stored of a key. `expires_s` counts from now; None is never."""

    id: UUID
    name: str
    prefix: str
    key_hash: bytes = field(repr=False)
    role: Role
    scopes: Sequence[str]
    expires_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyHead:
    """What may be shown of a key."""

    id: UUID
    name: str
    prefix: str
    role: Role
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    expired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundApiKey:
    """What is needed to verify a key, of whatever tenant."""

    organization_id: UUID
    id: UUID
    key_hash: bytes = field(repr=False)
    role: Role
    scopes: list[str]
    revoked: bool
    expired: bool


async def add_api_key(connection: Connection, organization_id: UUID, new: NewApiKey) -> None:
    """Store a key. Raises Conflict for a name that there is."""
    values = {
        "org": organization_id,
        "id": new.id,
        "name": new.name,
        "prefix": new.prefix,
        "hash": new.key_hash,
        "role": new.role,
        "scopes": list(new.scopes),
        "expires_s": new.expires_s,
    }
    try:
        await connection.execute(ADD, values)
    except psycopg.errors.UniqueViolation as error:
        raise Conflict(
            f"there is a key called {new.name!r}, or there was one", remedy="Choose another name."
        ) from error


async def list_api_keys(connection: Connection, organization_id: UUID) -> list[ApiKeyHead]:
    """The keys of a tenant, oldest first, the revoked ones too."""
    async with connection.cursor(row_factory=class_row(ApiKeyHead)) as cursor:
        await cursor.execute(LIST, [organization_id])
        return await cursor.fetchall()


async def revoke_api_key(connection: Connection, organization_id: UUID, name_or_prefix: str) -> bool:
    """Revoke a key; False when no live one is meant."""
    cursor = await connection.execute(REVOKE, {"org": organization_id, "key": name_or_prefix})
    return cursor.rowcount > 0


async def find_api_keys(connection: Connection, prefix: str) -> list[FoundApiKey]:
    """The keys of this prefix in all tenants, the one look-up that crosses them.

    A prefix is random, so that there is one at most - unless somebody wrote another's into a row of theirs.
    """
    async with connection.cursor(row_factory=class_row(FoundApiKey)) as cursor:
        await cursor.execute(FIND, [prefix])
        return await cursor.fetchall()


async def note_use(connection: Connection, found: FoundApiKey) -> None:
    """Write when a key was last used, at most once a minute."""
    await connection.execute(NOTE_USE, [found.organization_id, found.id])


async def replace_hash(connection: Connection, found: FoundApiKey, key_hash: bytes) -> None:
    """Store the hash under another pepper, unless that was done meanwhile."""
    values = {"new": key_hash, "old": found.key_hash, "org": found.organization_id, "id": found.id}
    await connection.execute(REHASH, values)
