"""API keys: made and shown once, stored as a hash, verified in constant time, revoked."""

import hmac
import re
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal
from uuid import UUID

from assay.domain.errors import InvalidInput, NotFound
from assay.domain.ids import new_id
from assay.services.context import Context
from assay.storage import api_keys as stored
from assay.storage.api_keys import ApiKeyHead, FoundApiKey, NewApiKey
from assay.storage.jobs import ensure_organization
from assay.storage.tenancy import Role

PUBLIC, SECRET = string.ascii_lowercase + string.digits, string.ascii_letters + string.digits
PUBLIC_LENGTH, SECRET_LENGTH = 8, 40
"""40 of 62 characters are 238 bits: no slow hash is needed."""
KEY = re.compile(r"(assay_[a-z0-9]{8})_([A-Za-z0-9]{32,100})")
SCOPE = re.compile(r"[a-z][a-z0-9_.:-]{0,63}")
ROLES: tuple[Role, ...] = ("viewer", "analyst", "manager", "admin", "owner")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key that was made: `text` is shown once and stored nowhere."""

    id: UUID
    name: str
    prefix: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHolder:
    """Who a verified key speaks for."""

    organization_id: UUID
    key_id: UUID
    role: Role
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyRefused:
    """Why a key is not accepted. Only who knows the whole key learns that it expired or was revoked."""

    reason: Literal["malformed", "unknown", "expired", "revoked"]


async def create_key(
    context: Context, name: str, role: Role, *, scopes: Sequence[str] = (), expires: timedelta | None = None
) -> NewKey:
    """Make a key. Raises Conflict for a name that there is, InvalidInput, MissingKey."""
    if not name.strip() or len(name) > 200:
        raise InvalidInput("must have 1 to 200 characters", field="--name")
    if unusable := [scope for scope in scopes if not SCOPE.fullmatch(scope)]:
        raise InvalidInput(f"{unusable[0]!r} is not a scope", field="--scope", remedy="Write jobs:read.")
    if expires is not None and expires <= timedelta():
        raise InvalidInput("must be in the future", field="--expires")
    prefix = f"assay_{_draw(PUBLIC, PUBLIC_LENGTH)}"
    text = f"{prefix}_{_draw(SECRET, SECRET_LENGTH)}"
    new = NewApiKey(
        id=new_id(),
        name=name.strip(),
        prefix=prefix,
        key_hash=next(context.keyring().hashes(text)),
        role=role,
        scopes=scopes,
        expires_s=None if expires is None else expires.total_seconds(),
    )
    async with context.database.transaction(context.organization_id) as connection:
        await ensure_organization(connection, context.organization_id, "local")
        await stored.add_api_key(connection, context.organization_id, new)
    return NewKey(id=new.id, name=new.name, prefix=prefix, text=text)


async def list_keys(context: Context) -> list[ApiKeyHead]:
    """The keys of the tenant, oldest first."""
    async with context.database.transaction(context.organization_id) as connection:
        return await stored.list_api_keys(connection, context.organization_id)


async def revoke_key(context: Context, name_or_prefix: str) -> None:
    """Revoke a key; the next request with it is refused. Raises NotFound when no live one is meant."""
    async with context.database.transaction(context.organization_id) as connection:
        if not await stored.revoke_api_key(connection, context.organization_id, name_or_prefix):
            raise NotFound(f"no live key {name_or_prefix!r}", remedy="See what there is: assay keys list")


async def verify_key(context: Context, text: str) -> KeyHolder | KeyRefused:
    """Who holds this key. Nothing is cached: a revoked key is refused at once.

    An unknown prefix costs the same hashes and comparisons as a known one. When it was last used is
    written at most once a minute. A key that was hashed under a previous master key is hashed anew.
    """
    match = KEY.fullmatch(text)
    if match is None:
        return KeyRefused("malformed")
    async with context.database.transaction(context.organization_id) as connection:
        candidates = await stored.find_api_keys(connection, match.group(1))
    hashes = list(context.keyring().hashes(text))
    found = _matching(candidates, hashes)
    if found is None:
        return KeyRefused("unknown")
    if found.revoked:
        return KeyRefused("revoked")
    if found.expired:
        return KeyRefused("expired")
    await _note(context, found, None if found.key_hash == hashes[0] else hashes[0])
    return KeyHolder(
        organization_id=found.organization_id, key_id=found.id, role=found.role, scopes=tuple(found.scopes)
    )


def _matching(candidates: Sequence[FoundApiKey], hashes: Sequence[bytes]) -> FoundApiKey | None:
    """The candidate with one of the hashes; without candidates as much is compared as with one."""
    expected = [each.key_hash for each in candidates] or [bytes(32)]
    matches = [_matches(hashes, key_hash) for key_hash in expected]
    return next((each for each, matched in zip(candidates, matches, strict=False) if matched), None)


def _matches(hashes: Sequence[bytes], key_hash: bytes) -> bool:
    compared = [hmac.compare_digest(each, key_hash) for each in hashes]
    return any(compared)


async def _note(context: Context, found: FoundApiKey, new_hash: bytes | None) -> None:
    async with context.database.transaction(found.organization_id) as connection:
        await stored.note_use(connection, found)
        if new_hash is not None:
            await stored.replace_hash(connection, found, new_hash)


def _draw(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
