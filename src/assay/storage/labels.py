"""Labels: names that move between the versions of one prompt or data set, one version at a time."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.errors import InsufficientPrivilege
from psycopg.rows import class_row

from assay.domain.errors import Conflict, NotAllowed, NotFound
from assay.domain.versions import Label, Role
from assay.storage.pool import Connection

LOCK = "select id from {owners} where organization_id = %s and id = %s for no key update"
FIND = """
select v.version, l.minimum_role::text
  from {labels} l join {versions} v on v.organization_id = l.organization_id and v.id = l.{version_id}
 where l.organization_id = %s and l.{owner_id} = %s and l.label = %s
   for update of l
"""
MOVE = """
insert into {labels} as l (organization_id, {owner_id}, label, {version_id}, minimum_role, updated_by)
values (%(org)s, %(owner)s, %(label)s, %(version)s, coalesce(%(role)s::assay.user_role, 'analyst'),
        %(author)s)
on conflict (organization_id, {owner_id}, label) do update
   set {version_id} = excluded.{version_id}, updated_by = excluded.updated_by,
       minimum_role = coalesce(%(role)s::assay.user_role, l.minimum_role)
"""
REMOVE = "delete from {labels} where organization_id = %s and {owner_id} = %s and label = %s"
LIST = """
select l.label, v.version, l.minimum_role::text as minimum_role,
       to_char(l.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as updated_at
  from {labels} l join {versions} v on v.organization_id = l.organization_id and v.id = l.{version_id}
 where l.organization_id = %s and l.{owner_id} = %s
 order by l.label
"""


@dataclass(frozen=True, slots=True)
class LabelTable:
    """The statements on the labels of one kind of thing."""

    noun: str
    lock: sql.Composed
    find: sql.Composed
    move: sql.Composed
    remove: sql.Composed
    list: sql.Composed


def _table(noun: str, labels: str, owners: str, owner_id: str) -> LabelTable:
    versions = labels.replace("labels", "versions")
    names = {
        "labels": sql.Identifier("assay", labels),
        "owners": sql.Identifier("assay", owners),
        "versions": sql.Identifier("assay", versions),
        "owner_id": sql.Identifier(owner_id),
        "version_id": sql.Identifier(versions.removesuffix("s") + "_id"),
    }
    texts = (LOCK, FIND, MOVE, REMOVE, LIST)
    return LabelTable(noun, *(sql.SQL(text).format(**names) for text in texts))


PROMPT_LABELS = _table("prompt", "prompt_labels", "prompt_templates", "template_id")
DATASET_LABELS = _table("data set", "dataset_labels", "test_datasets", "dataset_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Anyone:
    """No expectation: a label moves from wherever it is."""


ANYWHERE = Anyone()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelChange:
    """What is to become of a label of the thing `owner_id`.

    `expect` is the version on which it must be (None: it must not be there) for the move to happen.
    `minimum_role` is who may move it from now on; None leaves that as it is.
    """

    owner_id: UUID
    label: str
    expect: int | Anyone | None = ANYWHERE
    minimum_role: Role | None = None
    author: UUID | None = None


async def move_label(
    connection: Connection, organization_id: UUID, table: LabelTable, change: LabelChange, version_id: UUID
) -> int | None:
    """Put a label on a version; the version that it was on before, None for a new label.

    Movers of one prompt or data set wait for each other, so that of several who expect the same version
    one succeeds. Raises Conflict where it is not on the expected version, NotAllowed for a protected one.
    """
    before = await _current(connection, organization_id, table, change)
    values = {
        "org": organization_id,
        "owner": change.owner_id,
        "label": change.label,
        "version": version_id,
        "role": change.minimum_role,
        "author": change.author,
    }
    try:
        await connection.execute(table.move, values)
    except InsufficientPrivilege as refused:
        raise _not_allowed(change.label, refused) from refused
    return before


async def remove_label(
    connection: Connection, organization_id: UUID, table: LabelTable, change: LabelChange
) -> int:
    """Take a label away; the version that it was on. Raises NotFound, Conflict, NotAllowed."""
    before = await _current(connection, organization_id, table, change)
    if before is None:
        raise NotFound(
            f"there is no label {change.label!r}", remedy=f"It was never set on this {table.noun}."
        )
    try:
        await connection.execute(table.remove, [organization_id, change.owner_id, change.label])
    except InsufficientPrivilege as refused:
        raise _not_allowed(change.label, refused) from refused
    return before


async def list_labels(
    connection: Connection, organization_id: UUID, table: LabelTable, owner_id: UUID
) -> list[Label]:
    """The labels of a prompt or data set, by name."""
    async with connection.cursor(row_factory=class_row(Label)) as cursor:
        await cursor.execute(table.list, [organization_id, owner_id])
        return await cursor.fetchall()


async def _current(
    connection: Connection, organization_id: UUID, table: LabelTable, change: LabelChange
) -> int | None:
    """The version that a label is on, which stays so until the end of the transaction."""
    await connection.execute(table.lock, [organization_id, change.owner_id])
    cursor = await connection.execute(table.find, [organization_id, change.owner_id, change.label])
    row: tuple[Any, ...] | None = await cursor.fetchone()
    before = None if row is None else int(row[0])
    if change.expect is not ANYWHERE and before != change.expect:
        expected, actual = (
            "not set" if version is None else f"on version {version}" for version in (change.expect, before)
        )
        raise Conflict(
            f"the label {change.label!r} is {actual}; expected: {expected}",
            remedy="Somebody moved it meanwhile: look at its history, then decide again.",
        )
    return before


def _not_allowed(label: str, refused: InsufficientPrivilege) -> NotAllowed:
    detail = refused.diag.message_primary or "it is protected"
    return NotAllowed(
        f"the label {label!r} is protected: {detail}", remedy="Ask somebody with that role to move it."
    )
