"""Credentials of providers and the data keys that seal them: only ciphertexts come and go here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from assay.domain.errors import StorageFailed
from assay.storage.pool import Connection

SELECT = """
select id, name, provider, base_url, last4, data_key_id, nonce, ciphertext, created_at, updated_at
  from assay.provider_credentials where organization_id = %s
"""
LIST = SELECT + " order by name"
FIND = SELECT + " and name = any (%s) order by name"
PUT = """
insert into assay.provider_credentials
  (organization_id, id, name, provider, base_url, last4, data_key_id, nonce, ciphertext)
values (%(org)s, %(id)s, %(name)s, %(provider)s, %(base_url)s, %(last4)s, %(key)s, %(nonce)s, %(ciphertext)s)
on conflict (organization_id, id) do update
   set provider = excluded.provider, base_url = excluded.base_url, last4 = excluded.last4,
       data_key_id = excluded.data_key_id, nonce = excluded.nonce, ciphertext = excluded.ciphertext,
       updated_at = clock_timestamp()
"""
REMOVE = "delete from assay.provider_credentials where organization_id = %s and name = %s"
LIST_KEYS = """
select id, master_key_id, nonce, wrapped_key from assay.tenant_data_keys
 where organization_id = %s order by created_at desc, id desc
"""
ADD_KEY = """
insert into assay.tenant_data_keys (organization_id, id, master_key_id, nonce, wrapped_key)
values (%s, %s, %s, %s, %s)
"""
REWRAP_KEY = """
update assay.tenant_data_keys
   set master_key_id = %(master)s, nonce = %(nonce)s, wrapped_key = %(wrapped)s,
       rewrapped_at = clock_timestamp()
 where organization_id = %(org)s and id = %(id)s and master_key_id = %(old)s
"""
LIST_TENANTS = "select distinct organization_id from assay.tenant_data_keys order by organization_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDataKey:
    """A data key, wrapped by the master key of `master_key_id`."""

    id: UUID
    master_key_id: str
    nonce: bytes
    wrapped_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCredential:
    """A credential with its sealed secret; `last4` is all of it that may be shown."""

    id: UUID
    name: str
    provider: str
    base_url: str
    last4: str
    data_key_id: UUID
    nonce: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)
    created_at: datetime | None = None
    updated_at: datetime | None = None


async def list_credentials(connection: Connection, organization_id: UUID) -> list[StoredCredential]:
    """All of a tenant, by name."""
    async with connection.cursor(row_factory=class_row(StoredCredential)) as cursor:
        await cursor.execute(LIST, [organization_id])
        return await cursor.fetchall()


async def find_credentials(
    connection: Connection, organization_id: UUID, names: Sequence[str]
) -> dict[str, StoredCredential]:
    """Those of the names that there are."""
    async with connection.cursor(row_factory=class_row(StoredCredential)) as cursor:
        await cursor.execute(FIND, [organization_id, list(names)])
        return {row.name: row for row in await cursor.fetchall()}


async def put_credential(connection: Connection, organization_id: UUID, new: StoredCredential) -> None:
    """Store a credential, in place of the one of the same id."""
    values = {
        "org": organization_id,
        "id": new.id,
        "name": new.name,
        "provider": new.provider,
        "base_url": new.base_url,
        "last4": new.last4,
        "key": new.data_key_id,
        "nonce": new.nonce,
        "ciphertext": new.ciphertext,
    }
    await connection.execute(PUT, values)


async def remove_credential(connection: Connection, organization_id: UUID, name: str) -> bool:
    """Delete a credential; whether there was one."""
    return (await connection.execute(REMOVE, [organization_id, name])).rowcount == 1


def list_tenants(dsn: str) -> list[UUID]:
    """Every tenant that has data keys. Raises StorageFailed unless the login passes row-level security by."""
    try:
        with psycopg.connect(dsn, connect_timeout=10) as connection:
            connection.execute("set row_security = off")
            return [row[0] for row in connection.execute(LIST_TENANTS).fetchall()]
    except psycopg.Error as error:
        raise StorageFailed(
            f"the tenants cannot be listed: {error}",
            remedy="This takes a login that is superuser or has BYPASSRLS; or rotate tenant by tenant.",
        ) from error


async def list_data_keys(connection: Connection, organization_id: UUID) -> list[StoredDataKey]:
    """The data keys of a tenant, newest first."""
    async with connection.cursor(row_factory=class_row(StoredDataKey)) as cursor:
        await cursor.execute(LIST_KEYS, [organization_id])
        return await cursor.fetchall()


async def add_data_key(connection: Connection, organization_id: UUID, new: StoredDataKey) -> None:
    """Store a wrapped data key."""
    await connection.execute(
        ADD_KEY, [organization_id, new.id, new.master_key_id, new.nonce, new.wrapped_key]
    )


async def rewrap_data_key(
    connection: Connection, organization_id: UUID, new: StoredDataKey, *, old_master_key_id: str
) -> bool:
    """Replace the wrapping of a data key unless somebody else has done so meanwhile; whether it was done."""
    values = {
        "org": organization_id,
        "id": new.id,
        "master": new.master_key_id,
        "nonce": new.nonce,
        "wrapped": new.wrapped_key,
        "old": old_master_key_id,
    }
    return (await connection.execute(REWRAP_KEY, values)).rowcount == 1
