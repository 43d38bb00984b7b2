"""Labels move between versions one at a time, and every move is kept."""

import asyncio
import itertools
from contextlib import AbstractAsyncContextManager
from uuid import UUID

import psycopg
import pytest

from assay.domain.errors import Conflict, NotAllowed, NotFound
from assay.domain.prompts import Message, Prompt
from assay.domain.versions import LabelMove, Reference, Role
from assay.storage import prompts
from assay.storage.labels import (
    ANYWHERE,
    DATASET_LABELS,
    PROMPT_LABELS,
    Anyone,
    LabelChange,
    list_labels,
    move_label,
    remove_label,
)
from assay.storage.pool import Connection, Database
from assay.storage.tenancy import Caller
from tenants import Tenant, make_cases

MOVERS = 8


async def add_versions(tenant: Tenant, count: int, name: str = "support") -> tuple[UUID, list[UUID]]:
    """A template with so many versions; its id and theirs."""
    added = []
    async with tenant.database.transaction(tenant.organization_id) as connection:
        for number in range(count):
            prompt = Prompt(name=name, messages=(Message("user", f"{number} {{{{ q }}}}"),))
            added.append(await prompts.add_prompt_version(connection, tenant.organization_id, prompt))
    return added[0].template_id, [each.id for each in added]


async def move(
    tenant: Tenant,
    template_id: UUID,
    version_id: UUID,
    *,
    expect: int | Anyone | None = ANYWHERE,
    label: str = "production",
    role: Role | None = None,
) -> int | None:
    change = LabelChange(owner_id=template_id, label=label, expect=expect, minimum_role=role)
    async with tenant.database.transaction(tenant.organization_id) as connection:
        return await move_label(connection, tenant.organization_id, PROMPT_LABELS, change, version_id)


async def remove(tenant: Tenant, template_id: UUID, expect: int | Anyone | None = ANYWHERE) -> int:
    change = LabelChange(owner_id=template_id, label="production", expect=expect)
    async with tenant.database.transaction(tenant.organization_id) as connection:
        return await remove_label(connection, tenant.organization_id, PROMPT_LABELS, change)


async def moves(tenant: Tenant, template_id: UUID) -> list[LabelMove]:
    """The history, oldest first."""
    async with tenant.database.transaction(tenant.organization_id) as connection:
        found = await prompts.list_moves(connection, tenant.organization_id, template_id, 1000)
    return found[::-1]


async def version_on(tenant: Tenant, label: str = "production", name: str = "support") -> int:
    async with tenant.database.transaction(tenant.organization_id) as connection:
        reference = Reference(name, label=label)
        found = await prompts.get_prompt_version(connection, tenant.organization_id, reference)
    return found.value.version


async def test_a_label_moves_and_says_where_it_was(tenant: Tenant) -> None:
    template, versions = await add_versions(tenant, 3)
    assert await move(tenant, template, versions[0]) is None
    assert await move(tenant, template, versions[2]) == 1
    assert await move(tenant, template, versions[2]) == 3
    assert await version_on(tenant) == 3
    history = [(each.from_version, each.to_version) for each in await moves(tenant, template)]
    assert history == [(None, 1), (1, 3)]


async def test_movers_at_once_leave_a_history_without_a_gap(tenant: Tenant) -> None:
    template, versions = await add_versions(tenant, MOVERS)
    await asyncio.gather(*(move(tenant, template, version) for version in versions for _ in range(3)))
    history = await moves(tenant, template)
    assert history[0].from_version is None
    for before, after in itertools.pairwise(history):
        assert after.from_version == before.to_version
        assert after.from_version != after.to_version
    assert history[-1].to_version == await version_on(tenant)


@pytest.mark.parametrize("expect", [1, None])
async def test_of_movers_that_expect_the_same_one_succeeds(tenant: Tenant, expect: int | None) -> None:
    template, versions = await add_versions(tenant, MOVERS + 1)
    if expect is not None:
        await move(tenant, template, versions[0])
    wanted = versions[1:]
    ended = await asyncio.gather(
        *(move(tenant, template, version, expect=expect) for version in wanted), return_exceptions=True
    )
    assert sum(result == expect for result in ended) == 1
    assert sum(isinstance(result, Conflict) for result in ended) == MOVERS - 1
    winner = next(number for number, result in enumerate(ended, start=2) if result == expect)
    assert await version_on(tenant) == winner
    assert len(await moves(tenant, template)) == (1 if expect is None else 2)


async def test_a_label_that_is_elsewhere_stays_there(tenant: Tenant) -> None:
    template, versions = await add_versions(tenant, 3)
    await move(tenant, template, versions[1])
    with pytest.raises(Conflict, match="is on version 2; expected: on version 1"):
        await move(tenant, template, versions[2], expect=1)
    with pytest.raises(Conflict, match="is on version 2; expected: not set"):
        await move(tenant, template, versions[2], expect=None)
    with pytest.raises(Conflict, match="is not set; expected: on version 1"):
        await move(tenant, template, versions[2], expect=1, label="staging")
    assert await version_on(tenant) == 2
    assert len(await moves(tenant, template)) == 1


async def test_a_label_that_was_taken_away_is_in_the_history(tenant: Tenant) -> None:
    template, versions = await add_versions(tenant, 2)
    await move(tenant, template, versions[1])
    with pytest.raises(Conflict, match="is on version 2; expected: on version 1"):
        await remove(tenant, template, expect=1)
    assert await remove(tenant, template, expect=2) == 2
    with pytest.raises(NotFound, match="no label 'production'"):
        await remove(tenant, template)
    history = [(each.from_version, each.to_version) for each in await moves(tenant, template)]
    assert history == [(None, 2), (2, None)]
    with pytest.raises(NotFound, match="support@production"):
        await version_on(tenant)


async def test_a_label_cannot_be_put_on_a_version_of_another_prompt(tenant: Tenant) -> None:
    template, _ = await add_versions(tenant, 1)
    _, others = await add_versions(tenant, 1, "other")
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        await move(tenant, template, others[0])
    assert await moves(tenant, template) == []


async def test_the_history_cannot_be_changed(tenant: Tenant) -> None:
    template, versions = await add_versions(tenant, 1)
    await move(tenant, template, versions[0])
    with pytest.raises(psycopg.Error) as refused:
        await tenant.rows(
            "update assay.prompt_label_moves set label = 'x' where template_id = %s", [template]
        )
    assert refused.value.sqlstate in {"P0403", "42501"}


async def test_a_tenant_sees_nothing_of_anothers_labels(tenant: Tenant, other_tenant: Tenant) -> None:
    template, versions = await add_versions(tenant, 2)
    await move(tenant, template, versions[0])
    async with other_tenant.database.transaction(other_tenant.organization_id) as connection:
        org = other_tenant.organization_id
        assert await list_labels(connection, org, PROMPT_LABELS, template) == []
        with pytest.raises(NotFound, match="there is no prompt 'support'"):
            await prompts.get_prompt_version(connection, org, Reference("support", label="production"))


async def test_a_data_set_has_labels_of_its_own(tenant: Tenant) -> None:
    first = await tenant.add_cases(make_cases(2))
    second = await tenant.add_cases(make_cases(3))
    change = LabelChange(owner_id=first.dataset_id, label="golden", minimum_role="manager")
    org = tenant.organization_id
    async with tenant.database.transaction(org) as connection:
        assert await move_label(connection, org, DATASET_LABELS, change, second.id) is None
        assert await move_label(connection, org, DATASET_LABELS, change, first.id) == 2
        (label,) = await list_labels(connection, org, DATASET_LABELS, first.dataset_id)
    assert (label.label, label.version, label.minimum_role) == ("golden", 1, "manager")


class Acting:
    """A database as a caller of a lower role has it."""

    def __init__(self, database: Database, role: Role) -> None:
        self._database, self._caller = database, Caller(role=role)

    def transaction(self, organization_id: UUID) -> AbstractAsyncContextManager[Connection]:
        """A transaction of this caller."""
        return self._database.transaction(organization_id, self._caller)


async def test_a_protected_label_is_not_moved_by_a_lower_role(tenant: Tenant) -> None:
    lower = Tenant(Acting(tenant.database, "analyst"), tenant.organization_id)  # type: ignore[arg-type]  # as far as is used
    template, versions = await add_versions(tenant, 2)
    await move(lower, template, versions[0])
    with pytest.raises(NotAllowed, match="'production' is protected"):
        await move(lower, template, versions[1], role="manager")
    await move(tenant, template, versions[0], role="manager")
    with pytest.raises(NotAllowed, match="'production' is protected"):
        await move(lower, template, versions[1])
    with pytest.raises(NotAllowed, match="'production' is protected"):
        await remove(lower, template)
    assert await version_on(tenant) == 1
