"""Keys of providers, kept encrypted: stored, listed, handed to a run that names them, re-wrapped."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import psycopg

from assay.domain.errors import Conflict, InvalidInput, MissingKey, NotFound, SecretUnreadable
from assay.domain.ids import new_id
from assay.domain.models import ModelConfig
from assay.models.addresses import check_address, lies_within
from assay.models.catalog import address_of, check_key, get_provider
from assay.services.context import Context
from assay.services.keyring import Keyring, MasterKey, Sealed, new_data_key, seal, unseal
from assay.storage import credentials as stored
from assay.storage.credentials import StoredCredential, StoredDataKey
from assay.storage.jobs import ensure_organization
from assay.storage.pool import Connection

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
LONGEST_KEY = 8_192
SHOWN_FROM = 16
"""A shorter key would be half told by its last four characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialHead:
    """What may be shown of a credential."""

    name: str
    provider: str
    base_url: str
    last4: str
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """How many data keys were wrapped anew, and how many were under the current master key already."""

    rewrapped: int
    current: int


async def set_credential(
    context: Context, name: str, provider: str, base_url: str | None, secret: str
) -> CredentialHead:
    """Store a key under a name, in place of the one that had it.

    It is bound to `base_url` (None is the provider's own): only models at or below that address get it.
    Raises InvalidInput, MissingKey where no master key is set.
    """
    if not NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} is not a name", field="NAME", remedy="Use letters, digits, dots, dashes, underscores."
        )
    address = _address(provider, base_url)
    secret = secret.strip()
    if not secret or len(secret) > LONGEST_KEY:
        raise InvalidInput("is empty or too long", field="the key", remedy="Give it on standard input.")
    check_key(secret, "the key")
    ring = context.keyring()
    async with context.database.transaction(context.organization_id) as connection:
        await ensure_organization(connection, context.organization_id, "local")
        key_id, key = await _data_key(connection, context.organization_id, ring)
        found = (await stored.find_credentials(connection, context.organization_id, [name])).get(name)
        row = StoredCredential(
            id=found.id if found else new_id(),
            name=name,
            provider=get_provider(provider).name,
            base_url=address,
            last4=secret[-4:] if len(secret) >= SHOWN_FROM else "",
            data_key_id=key_id,
            nonce=b"",
            ciphertext=b"",
        )
        sealed = seal(key, secret.encode(), _belonging(context.organization_id, row))
        await _put(connection, context.organization_id, row, sealed)
    return _head(row)


async def list_credentials(context: Context) -> list[CredentialHead]:
    """The credentials of the tenant, by name; their keys are not shown."""
    async with context.database.transaction(context.organization_id) as connection:
        return [_head(row) for row in await stored.list_credentials(connection, context.organization_id)]


async def remove_credential(context: Context, name: str) -> None:
    """Delete a credential. Raises NotFound."""
    async with context.database.transaction(context.organization_id) as connection:
        if not await stored.remove_credential(connection, context.organization_id, name):
            raise NotFound(f"no credential {name!r}", remedy="See what there is: assay credentials list")


async def find_unreadable(context: Context) -> list[str]:
    """The names of credentials that do not open with the master keys at hand."""
    async with context.database.transaction(context.organization_id) as connection:
        rows = await stored.list_credentials(connection, context.organization_id)
        keys = {key.id: key for key in await stored.list_data_keys(connection, context.organization_id)}
    ring, unreadable = context.keyring(), []
    for row in rows:
        try:
            _open(context.organization_id, row, keys, ring)
        except SecretUnreadable:
            unreadable.append(row.name)
    return unreadable


async def rotate_data_keys(context: Context, organization_id: UUID) -> Rotation:
    """Wrap the data keys of a tenant by the current master key; no ciphertext is touched.

    Processes that know both master keys go on meanwhile. Raises SecretUnreadable when a data key is under a
    master key that is not known; those before it stay as they were.
    """
    ring = context.keyring()
    done = current = 0
    async with context.database.transaction(organization_id) as connection:
        for row in await stored.list_data_keys(connection, organization_id):
            if row.master_key_id == ring.current.id:
                current += 1
                continue
            new = _wrapped(organization_id, row.id, _unwrap(organization_id, row, ring), ring.current)
            done += await stored.rewrap_data_key(
                connection, organization_id, new, old_master_key_id=row.master_key_id
            )
    return Rotation(rewrapped=done, current=current)


async def check_credentials(context: Context, models: Iterable[ModelConfig]) -> None:
    """See that what models name is stored, for their provider and address. Nothing is decrypted.

    Raises MissingKey, InvalidInput.
    """
    await _find_bound(context, models)


async def open_credentials(context: Context, models: Iterable[ModelConfig]) -> Mapping[str, str]:
    """The keys of the credentials that models name, for the worker that is about to call them.

    Raises MissingKey, InvalidInput for another provider or address, SecretUnreadable.
    """
    rows = await _find_bound(context, models)
    if not rows:
        return {}
    async with context.database.transaction(context.organization_id) as connection:
        keys = {key.id: key for key in await stored.list_data_keys(connection, context.organization_id)}
    ring = context.keyring()
    return {row.name: _open(context.organization_id, row, keys, ring) for row in rows}


async def _find_bound(context: Context, models: Iterable[ModelConfig]) -> list[StoredCredential]:
    named = [(config, config.credential) for config in models if config.credential is not None]
    if not named:
        return []
    names = sorted({name for _, name in named})
    async with context.database.transaction(context.organization_id) as connection:
        found = await stored.find_credentials(connection, context.organization_id, names)
    for config, name in named:
        if name not in found:
            raise MissingKey(
                f"the model {config.name!r} names the credential {name!r}, which is not stored",
                remedy=f"Store it: assay credentials set {name} --provider {config.provider}",
            )
        _check_bound(config, found[name], context.environment)
    return list(found.values())


def _check_bound(config: ModelConfig, row: StoredCredential, environment: Mapping[str, str]) -> None:
    """A key goes to the provider and the address that it was given for, and nowhere else."""
    if get_provider(config.provider).name != row.provider:
        raise InvalidInput(
            f"the credential {row.name!r} is for {row.provider}, {config.name!r} is of {config.provider}",
            field="credential",
            remedy="Name another credential, or store one for this provider.",
        )
    address = address_of(config, environment)
    if not lies_within(address, row.base_url):
        raise InvalidInput(
            f"the credential {row.name!r} is for {row.base_url}, the model {config.name!r} is at {address}",
            field="credential",
            remedy=f"Give the key again, with --base-url {address}: assay credentials set",
        )


def _address(provider: str, base_url: str | None) -> str:
    info = get_provider(provider)
    if info.name in ("echo", "replay"):
        raise InvalidInput(f"{info.name} needs no key", field="--provider")
    address = base_url or info.default_base_url
    if address is None:
        raise InvalidInput(
            f"{info.name} has no address of its own", field="--base-url", remedy="Give the model's address."
        )
    return check_address(address)


async def _put(connection: Connection, organization_id: UUID, row: StoredCredential, sealed: Sealed) -> None:
    new = replace(row, nonce=sealed.nonce, ciphertext=sealed.ciphertext)
    try:
        await stored.put_credential(connection, organization_id, new)
    except psycopg.errors.UniqueViolation as error:
        raise Conflict(
            f"another process has just stored {row.name!r}", remedy="Do it again if yours shall count."
        ) from error


async def _data_key(connection: Connection, organization_id: UUID, ring: Keyring) -> tuple[UUID, bytes]:
    """The tenant's newest data key that opens; a new one where there is none."""
    for row in await stored.list_data_keys(connection, organization_id):
        if ring.find(row.master_key_id) is not None:
            return row.id, _unwrap(organization_id, row, ring)
    key_id, key = new_id(), new_data_key()
    await stored.add_data_key(
        connection, organization_id, _wrapped(organization_id, key_id, key, ring.current)
    )
    return key_id, key


def _wrapped(organization_id: UUID, key_id: UUID, key: bytes, master: MasterKey) -> StoredDataKey:
    sealed = seal(master.secret, key, _key_belonging(organization_id, key_id, master.id))
    return StoredDataKey(
        id=key_id, master_key_id=master.id, nonce=sealed.nonce, wrapped_key=sealed.ciphertext
    )


def _unwrap(organization_id: UUID, row: StoredDataKey, ring: Keyring) -> bytes:
    master = ring.find(row.master_key_id)
    if master is None:
        raise SecretUnreadable(
            f"a data key is wrapped by the master key {row.master_key_id}, which is not set",
            remedy="Set ASSAY_MASTER_KEY, or ASSAY_MASTER_KEY_PREVIOUS, to the key that stored it.",
        )
    belonging = _key_belonging(organization_id, row.id, master.id)
    return unseal(master.secret, Sealed(row.nonce, row.wrapped_key), belonging)


def _open(
    organization_id: UUID, row: StoredCredential, keys: Mapping[UUID, StoredDataKey], ring: Keyring
) -> str:
    if row.data_key_id not in keys:
        raise SecretUnreadable(f"the data key of {row.name!r} is gone", remedy="Store the credential again.")
    key = _unwrap(organization_id, keys[row.data_key_id], ring)
    return unseal(key, Sealed(row.nonce, row.ciphertext), _belonging(organization_id, row)).decode()


def _belonging(organization_id: UUID, row: StoredCredential) -> list[object]:
    return ["provider credential", organization_id, row.id, row.name, row.provider, row.base_url]


def _key_belonging(organization_id: UUID, key_id: UUID, master_key_id: str) -> list[object]:
    return ["tenant data key", organization_id, key_id, master_key_id]


def _head(row: StoredCredential) -> CredentialHead:
    return CredentialHead(
        name=row.name,
        provider=row.provider,
        base_url=row.base_url,
        last4=row.last4,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
