"""API keys: shown once, stored as a hash, refused as soon as they are revoked or over."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from assay.domain.errors import Conflict, InvalidInput, NotFound
from assay.domain.ids import new_id
from assay.services.api_keys import KEY, KeyHolder, KeyRefused, create_key, list_keys, revoke_key, verify_key
from assay.services.context import Context
from assay.storage.pool import Database
from contexts import make_context

OLD, NEW = b"1" * 32, b"2" * 32


@pytest.fixture
def context(database: Database, organization_id: UUID) -> Context:
    """A tenant."""
    return make_context(database, organization_id, [OLD])


def rows(dsn: str, query: str, **values: Any) -> list[Any]:
    """What a superuser does and sees."""
    with psycopg.connect(dsn) as connection:
        cursor = connection.execute(query, values)
        return cursor.fetchall() if cursor.description else []


async def test_a_key_speaks_for_its_tenant_whoever_asks(context: Context) -> None:
    made = await create_key(context, "ci", "analyst", scopes=["jobs:read"])
    assert KEY.fullmatch(made.text)
    elsewhere = replace(context, organization_id=new_id())
    for asker in (context, elsewhere):
        assert await verify_key(asker, made.text) == KeyHolder(
            organization_id=context.organization_id, key_id=made.id, role="analyst", scopes=("jobs:read",)
        )
    assert await list_keys(elsewhere) == []


async def test_the_key_is_nowhere_but_in_the_answer(context: Context, dsn: str) -> None:
    made = await create_key(context, "ci", "owner")
    secret = made.text.rpartition("_")[2]
    (stored,) = rows(
        dsn,
        "select k::text from assay.api_keys k where organization_id = %(org)s",
        org=context.organization_id,
    )
    for text in (stored[0], repr(await list_keys(context)), repr(made)):
        assert made.prefix in text
        assert secret not in text
        assert secret.encode().hex() not in text


async def test_keys_are_never_alike(context: Context) -> None:
    made = [await create_key(context, f"k{n}", "viewer") for n in range(20)]
    assert len({key.prefix for key in made}) == len({key.text[-40:] for key in made}) == 20


@pytest.mark.parametrize(
    "text",
    ["", "assay_", "sk-123", "assay_ABCDEFGH_" + "a" * 40, "assay_abcdefgh_short", "a" * 10_000, "\x00"],
)
async def test_what_is_no_key_is_malformed(context: Context, text: str) -> None:
    assert await verify_key(context, text) == KeyRefused("malformed")


async def test_a_prefix_alone_opens_nothing(context: Context) -> None:
    made = await create_key(context, "ci", "analyst")
    last = "a" if made.text[-1] != "a" else "b"
    for text in (f"{made.prefix}_{'a' * 40}", made.text[:-1] + last, f"assay_zzzzzzzz_{made.text[-40:]}"):
        assert await verify_key(context, text) == KeyRefused("unknown")
    assert await verify_key(context, made.text + "a") == KeyRefused("unknown")
    assert await verify_key(context, made.text + "\n") == KeyRefused("malformed")


async def test_a_row_with_anothers_prefix_keeps_nobody_out(context: Context, dsn: str) -> None:
    made = await create_key(context, "ci", "analyst")
    thief = replace(context, organization_id=new_id())
    await create_key(thief, "theirs", "owner")
    rows(
        dsn,
        "update assay.api_keys set prefix = %(prefix)s where organization_id = %(org)s",
        prefix=made.prefix,
        org=thief.organization_id,
    )
    holder = await verify_key(context, made.text)
    assert isinstance(holder, KeyHolder)
    assert holder.organization_id == context.organization_id


async def test_a_revoked_key_is_refused_at_once_and_only_its_holder_learns_why(context: Context) -> None:
    first, second = [await create_key(context, name, "analyst") for name in ("one", "two")]
    await revoke_key(context, "one")
    assert await verify_key(context, first.text) == KeyRefused("revoked")
    assert await verify_key(context, f"{first.prefix}_{'a' * 40}") == KeyRefused("unknown")
    assert isinstance(await verify_key(context, second.text), KeyHolder)
    await revoke_key(context, second.prefix)
    assert await verify_key(context, second.text) == KeyRefused("revoked")
    with pytest.raises(NotFound):
        await revoke_key(context, "one")


async def test_another_tenants_key_cannot_be_revoked(context: Context) -> None:
    made = await create_key(context, "ci", "analyst")
    with pytest.raises(NotFound):
        await revoke_key(replace(context, organization_id=new_id()), made.prefix)
    assert isinstance(await verify_key(context, made.text), KeyHolder)


async def test_a_key_ends_by_the_databases_clock(context: Context, dsn: str) -> None:
    made = await create_key(context, "ci", "analyst", expires=timedelta(days=90))
    (head,) = await list_keys(context)
    assert head.expires_at is not None
    assert abs(head.expires_at - head.created_at - timedelta(days=90)) < timedelta(seconds=5)
    assert isinstance(await verify_key(context, made.text), KeyHolder)
    rows(
        dsn,
        "update assay.api_keys set expires_at = clock_timestamp() where organization_id = %(org)s",
        org=context.organization_id,
    )
    assert await verify_key(context, made.text) == KeyRefused("expired")
    assert (await list_keys(context))[0].expired


async def test_the_last_use_is_written_once_a_minute(context: Context, dsn: str) -> None:
    made = await create_key(context, "ci", "analyst")

    async def used_at() -> Any:
        assert isinstance(await verify_key(context, made.text), KeyHolder)
        return (await list_keys(context))[0].last_used_at

    first = await used_at()
    assert first is not None
    assert await used_at() == first
    rows(
        dsn,
        """update assay.api_keys set last_used_at = last_used_at - interval '61 s'
            where organization_id = %(org)s""",
        org=context.organization_id,
    )
    assert await used_at() >= first


async def test_a_refused_key_was_not_used(context: Context) -> None:
    made = await create_key(context, "ci", "analyst")
    await verify_key(context, f"{made.prefix}_{'a' * 40}")
    assert (await list_keys(context))[0].last_used_at is None


async def test_keys_live_through_a_change_of_the_master_key(context: Context) -> None:
    used, idle = [await create_key(context, name, "analyst") for name in ("used", "idle")]
    both = make_context(context.database, context.organization_id, [NEW, OLD])
    only_new = make_context(context.database, context.organization_id, [NEW])
    assert await verify_key(only_new, used.text) == KeyRefused("unknown")
    assert isinstance(await verify_key(both, used.text), KeyHolder)
    # Its first use under the new key has moved it; the one that nobody used needs the old key still.
    assert isinstance(await verify_key(only_new, used.text), KeyHolder)
    assert await verify_key(only_new, idle.text) == KeyRefused("unknown")
    assert isinstance(await verify_key(both, idle.text), KeyHolder)


async def test_what_cannot_be_a_key_is_refused(context: Context) -> None:
    await create_key(context, "ci", "analyst")
    with pytest.raises(Conflict, match="ci"):
        await create_key(context, "ci", "viewer")
    for name in (" ", "x" * 201):
        with pytest.raises(InvalidInput):
            await create_key(context, name, "viewer")
    with pytest.raises(InvalidInput, match="scope"):
        await create_key(context, "x", "viewer", scopes=["Not one"])
    with pytest.raises(InvalidInput, match="future"):
        await create_key(context, "x", "viewer", expires=timedelta())
