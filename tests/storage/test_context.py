"""A tenant is proven to the database, not said: every forgery that SQL allows shows nothing."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg
import pytest

from assay.domain.errors import StorageFailed
from assay.domain.ids import new_id
from assay.storage.pool import Database
from assay.storage.tenancy import SYSTEM, VALID_S, Caller, ensure_key, find_signer, signer_of
from everything import fill
from tenants import CONTEXT_KEY, SIGNER, Tenant

WHO = "select organization_id, actor_kind, actor_id, role::text from assay.caller()"
COUNT = "select count(*) from assay.organizations"


@pytest.fixture
def as_app(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection that logged in as the application, of which nothing stays."""
    with (
        psycopg.connect(dsn, user="assay_app", autocommit=True) as connection,
        connection.transaction(force_rollback=True),
    ):
        yield connection


def seen_by(connection: psycopg.Connection[Any], context: str) -> int:
    """How many organizations a context shows."""
    connection.execute("select set_config('assay.context', %s, true)", [context])
    row = connection.execute(COUNT).fetchone()
    assert row
    return int(row[0])


async def test_only_an_unchanged_context_with_a_good_signature_shows_its_tenant(
    as_app: psycopg.Connection[Any], tenant: Tenant, other_tenant: Tenant
) -> None:
    now = time.time()
    good = SIGNER.sign(tenant.organization_id, SYSTEM, now)
    assert seen_by(as_app, good) == 1
    said, _, signature = good.rpartition("|")
    own, other = str(tenant.organization_id), str(other_tenant.organization_id)
    stranger = signer_of(b"x" * 32)
    forgeries = {
        "another tenant": good.replace(own, other),
        "another role": good.replace("|owner|", "|admin|"),
        "another kind": good.replace("|system|", "|user|"),
        "a later end": f"{said}0|{signature}",
        "no signature": f"{said}|",
        "half a signature": good[:-32],
        "the signature of another key": replace(stranger, key_id=SIGNER.key_id).sign(
            tenant.organization_id, SYSTEM, now
        ),
        "a key that there is not": stranger.sign(tenant.organization_id, SYSTEM, now),
        "one that has run out": SIGNER.sign(tenant.organization_id, SYSTEM, now - VALID_S - 1),
        "one field more": f"{good}|",
        "nothing": "",
        "bars": "||||||",
        "noise": "x",
    }
    assert {name: seen_by(as_app, text) for name, text in forgeries.items()} == dict.fromkeys(forgeries, 0)
    for setting in ("assay.organization_id", "request.jwt.claims"):
        as_app.execute("select set_config(%s, %s, true)", [setting, f'{{"organization_id": "{own}"}}'])
    assert seen_by(as_app, "") == 0


def test_keys_short_long_and_of_a_block_sign_as_the_database_checks(scratch_dsn: str) -> None:
    with psycopg.connect(scratch_dsn) as connection:
        for length in (32, 63, 64, 65, 200):
            signer = ensure_key(connection, bytes(range(1, length + 1)))
            connection.execute(
                "select set_config('assay.context', %s, true)", [signer.sign(new_id(), SYSTEM, time.time())]
            )
            row = connection.execute(WHO).fetchone()
            assert row
            assert row[1:] == ("system", None, "owner")
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            ensure_key(connection, b"too short")


def test_keys_are_replaced_without_a_gap(scratch_dsn: str) -> None:
    with psycopg.connect(scratch_dsn) as connection:
        ensure_key(connection, b"n" * 40)
    assert find_signer(scratch_dsn).key_id == signer_of(b"n" * 40).key_id
    with psycopg.connect(scratch_dsn) as connection:
        assert seen_by(connection, SIGNER.sign(new_id(), SYSTEM, time.time())) >= 0
        connection.execute("delete from assay.context_keys where id = %s", [SIGNER.key_id])
        connection.execute(
            "select set_config('assay.context', %s, true)", [SIGNER.sign(new_id(), SYSTEM, time.time())]
        )
        assert connection.execute(WHO).fetchone() == (None, None, None, None)


async def test_the_application_reads_no_key_and_is_told_what_it_lacks(dsn: str) -> None:
    with pytest.raises(StorageFailed, match="may not read the key") as refused:
        find_signer(dsn.replace("user='postgres'", "user='assay_app'"))
    assert "ASSAY_CONTEXT_KEY" in str(refused.value)
    assert find_signer("host=/nowhere", CONTEXT_KEY) == SIGNER
    assert CONTEXT_KEY.hex() not in repr(SIGNER)
    assert SIGNER.inner_pad.hex() not in repr(SIGNER)


async def test_contexts_run_out_by_the_clock_of_the_server(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # a worker whose wall clock is 400 days behind, or ahead, works as any other
    monkeypatch.setattr(time, "time", lambda: 0.0)
    database = Database(dsn, signer=SIGNER, max_connections=1)
    await database.open()
    try:
        tenant = await Tenant.join(database, new_id())
        assert await tenant.rows(COUNT) == [(1,)]
    finally:
        await database.close()


async def test_a_role_is_what_the_database_knows_at_that_moment(dsn: str, tenant: Tenant) -> None:
    with psycopg.connect(dsn, autocommit=True) as superuser:
        ids = await fill(superuser, tenant)
        caller = Caller(kind="user", actor_id=ids["viewer"], role="owner", correlation_id="request 7")

        async def role() -> Any:
            async with tenant.database.transaction(tenant.organization_id, caller) as connection:
                row = await (await connection.execute(WHO)).fetchone()
            return row[3] if row else None

        assert await role() == "viewer"
        superuser.execute("update assay.memberships set role = 'manager' where user_id = %s", [ids["viewer"]])
        assert await role() == "manager"
        superuser.execute("update assay.users set disabled_at = now() where id = %s", [ids["viewer"]])
        assert await role() is None


CLAIMS = {
    "a member": ('{{"sub": "owner", "app_metadata": {{"organization_id": "{own}"}}}}', 1),
    "a member, flat": ('{{"sub": "owner", "organization_id": "{own}"}}', 1),
    "what users write themselves": ('{{"sub": "owner", "user_metadata": {{"organization_id": "{own}"}}}}', 0),
    "a stranger": ('{{"sub": "stranger", "organization_id": "{own}"}}', 0),
    "who left": ('{{"sub": "left", "organization_id": "{own}"}}', 0),
    "a disabled user": ('{{"sub": "disabled", "organization_id": "{own}"}}', 0),
    "no subject": ('{{"organization_id": "{own}"}}', 0),
    "no tenant": ('{{"sub": "owner"}}', 0),
    "nothing": ("", 0),
}


@pytest.fixture
def authenticator(scratch_dsn: str) -> Iterator[str]:
    """The login role of PostgREST, as Supabase has it, in a database of its own."""
    with psycopg.connect(scratch_dsn, autocommit=True) as connection:
        if not connection.execute("select from pg_roles where rolname = 'authenticator'").fetchall():
            connection.execute("create role authenticator login noinherit")
        connection.execute("grant assay_app to authenticator")
        yield scratch_dsn
        connection.execute("revoke assay_app from authenticator")


@pytest.mark.xdist_group("authenticator")
async def test_claims_count_where_postgrest_sets_them(authenticator: str) -> None:
    database = Database(authenticator)
    await database.open()
    tenant = await Tenant.join(database, new_id())
    with psycopg.connect(authenticator, autocommit=True) as superuser:
        await fill(superuser, tenant)
    await database.close()
    with psycopg.connect(authenticator, user="authenticator") as connection:
        connection.execute("set local role assay_app")
        for who, (claims, expected) in CLAIMS.items():
            text = claims.format(own=tenant.organization_id)
            connection.execute("select set_config('request.jwt.claims', %s, true)", [text])
            row = connection.execute(COUNT).fetchone()
            assert row == (expected,), who


@pytest.mark.xdist_group("authenticator")
async def test_a_reader_sees_the_views_of_its_tenant_and_changes_nothing(
    dsn: str, tenant: Tenant, other_tenant: Tenant
) -> None:
    name = f"reader_{tenant.organization_id.hex}"
    with psycopg.connect(dsn, autocommit=True) as superuser:
        for who in (tenant, other_tenant):
            await fill(superuser, who)
        superuser.execute(f"create role {name} login in role assay_readonly")
        superuser.execute(
            "insert into assay.database_readers values (%s, %s)", [name, tenant.organization_id]
        )
        try:
            with psycopg.connect(dsn, user=name, autocommit=True) as reader:
                views = superuser.execute(
                    "select viewname from pg_views where schemaname = 'assay' order by 1"
                ).fetchall()
                assert len(views) >= 14
                for (view,) in views:
                    tenants = reader.execute(f"select distinct organization_id from assay.{view}").fetchall()  # noqa: S608 - from the catalog
                    assert tenants in ([], [(tenant.organization_id,)]), view
                for secret in ("api_keys", "provider_credentials", "tenant_data_keys", "context_keys"):
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        reader.execute(f"select from assay.{secret}")
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    reader.execute("update assay.test_datasets set name = 'x'")
                context = SIGNER.sign(other_tenant.organization_id, SYSTEM, 0.0)
                reader.execute("select set_config('assay.context', %s, false)", [context])
                assert reader.execute(COUNT).fetchone() == (0,)
        finally:
            superuser.execute("delete from assay.database_readers where role_name = %s", [name])
            superuser.execute(f"drop role {name}")


async def test_a_context_cannot_be_used_by_another_tenants_transaction(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    async def tenant_of(who: Tenant) -> UUID:
        return UUID(str(await who.value("select assay.current_organization()")))

    found = await asyncio.gather(*(tenant_of(who) for who in (tenant, other_tenant) * 20))
    assert found == [tenant.organization_id, other_tenant.organization_id] * 20
