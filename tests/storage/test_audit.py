"""Who changed what is written down, cannot be unwritten, and a change of the log itself is found."""

import psycopg
import pytest

from assay.storage.tenancy import Caller
from everything import fill
from tenants import Tenant

LOG = "select action, entity, before, after from assay.audit_log order by entry_no"


async def test_a_change_is_logged_with_who_what_before_after_and_why(dsn: str, tenant: Tenant) -> None:
    with psycopg.connect(dsn, autocommit=True) as superuser:
        ids = await fill(superuser, tenant)
    caller = Caller(kind="user", actor_id=ids["owner"], correlation_id="request 7")
    async with tenant.database.transaction(tenant.organization_id, caller) as connection:
        await connection.execute("update assay.budgets set cap_nanousd = 5 where name = 'month'")
        cursor = await connection.execute(
            """select actor_kind, actor_id, action, entity, entity_id, before, after, correlation_id
                 from assay.audit_log order by entry_no desc limit 1"""
        )
        row = await cursor.fetchone()
    assert row == (
        "user",
        ids["owner"],
        "update",
        "budgets",
        str(ids["budget"]),
        {"cap_nanousd": 1_000_000},
        {"cap_nanousd": 5},
        "request 7",
    )
    assert await tenant.rows("select assay.check_audit()") == []


async def test_secrets_and_large_things_are_not_in_the_log(dsn: str, tenant: Tenant) -> None:
    with psycopg.connect(dsn, autocommit=True) as superuser:
        await fill(superuser, tenant)
    entries = await tenant.rows(LOG)
    logged = {entity for _, entity, _, _ in entries}
    assert {
        "api_keys",
        "provider_credentials",
        "tenant_data_keys",
        "memberships",
        "evaluation_jobs",
    } <= logged
    words = {word for _, _, before, after in entries for side in (before, after) for word in side or {}}
    assert not words & {"key_hash", "ciphertext", "wrapped_key", "nonce", "salt", "plan", "receipt"}


async def test_a_statement_that_changes_nothing_is_not_logged(tenant: Tenant) -> None:
    before = len(await tenant.rows(LOG))
    await tenant.rows("update assay.organizations set name = name")
    assert len(await tenant.rows(LOG)) == before


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("update assay.audit_log set after = '{}' where entry_no = 2 and organization_id = %s", [2]),
        (
            "update assay.audit_log set at = at + interval '1 s' where entry_no = 1 and organization_id = %s",
            [1],
        ),
        ("delete from assay.audit_log where entry_no = 2 and organization_id = %s", [3]),
        ("delete from assay.audit_log where entry_no = 1 and organization_id = %s", [2]),
    ],
)
async def test_damage_to_the_log_is_found(dsn: str, tenant: Tenant, damage: str, found: list[int]) -> None:
    for name in ("a", "b", "c"):
        await tenant.rows("update assay.organizations set name = %s", [name])
    assert await tenant.rows("select assay.check_audit()") == []
    with psycopg.connect(dsn) as superuser:
        superuser.execute("set local session_replication_role = replica")
        superuser.execute(damage, [tenant.organization_id])
    assert [number for (number,) in await tenant.rows("select assay.check_audit()")] == found


async def test_the_application_can_neither_write_nor_change_the_log(tenant: Tenant) -> None:
    await tenant.rows("update assay.organizations set name = 'x'")
    for statement in (
        "delete from assay.audit_log",
        "update assay.audit_log set action = 'delete'",
        "insert into assay.audit_log select * from assay.audit_log",
        "alter table assay.audit_log disable trigger all",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await tenant.rows(statement)
    # nor go round it as an upgrade does
    await tenant.rows(
        "update assay.organizations set name = 'y' where set_config('assay.migrating', 'off', true) = 'off'"
    )


async def test_an_owner_cannot_be_the_last_to_leave(dsn: str, tenant: Tenant) -> None:
    with psycopg.connect(dsn, autocommit=True) as superuser:
        await fill(superuser, tenant)
    for statement in ("delete from assay.memberships", "update assay.memberships set role = 'viewer'"):
        with pytest.raises(psycopg.DatabaseError, match="last owner"):
            await tenant.rows(statement)


async def test_the_labels_of_a_prompt_move_with_a_history_and_protected_ones_by_role(
    dsn: str, tenant: Tenant
) -> None:
    with psycopg.connect(dsn, autocommit=True) as superuser:
        ids = await fill(superuser, tenant)
    protect = "update assay.prompt_labels set minimum_role = 'manager'"
    await tenant.rows(protect)
    analyst = Caller(kind="key", actor_id=ids["key"])
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="protected"):
        async with tenant.database.transaction(tenant.organization_id, analyst) as connection:
            await connection.execute("delete from assay.prompt_labels")
    await tenant.rows("delete from assay.prompt_labels")
    query = """
    select label, from_version_id is null, to_version_id is null from assay.prompt_label_moves order by id
    """
    moves = await tenant.rows(query)
    assert moves == [("production", True, False), ("production", False, True)]


async def test_a_dataset_version_that_is_not_what_it_says_cannot_be_committed(tenant: Tenant) -> None:
    await tenant.make_job(cases=3)
    forged = """
    with v as (
      insert into assay.dataset_versions (organization_id, dataset_id, version, content_hash, case_count)
      select organization_id, dataset_id, 9, sha256('other'), %s from assay.dataset_versions returning *)
    insert into assay.dataset_cases (organization_id, dataset_version_id, case_no, case_id)
    select v.organization_id, v.id, c.case_no, c.case_id from v, assay.dataset_cases c
    """
    for count in (3, 4):
        with pytest.raises(psycopg.DatabaseError, match="hash is not theirs"):
            await tenant.rows(forged, [count])
