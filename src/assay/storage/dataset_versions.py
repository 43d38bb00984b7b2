"""Data sets as they are stored: listed, found, streamed and compared."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from assay.domain.datasets import Case, DatasetHead, DatasetVersion
from assay.domain.errors import NotFound
from assay.domain.versions import Reference
from assay.storage.case_rows import case_of
from assay.storage.pool import Connection

FETCH_CASES = 1_000

LIST = """
select d.name, d.description, d.tags, d.version_count, d.case_count,
       to_char(v.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as updated_at,
       coalesce(l.labels, '{}') as labels
  from assay.test_datasets d
 cross join lateral (
       select max(s.created_at) as updated_at from assay.dataset_versions s
        where s.organization_id = d.organization_id and s.dataset_id = d.id) v
  left join lateral (
       select jsonb_object_agg(b.label, s.version) as labels
         from assay.dataset_labels b
         join assay.dataset_versions s
           on s.organization_id = b.organization_id and s.id = b.dataset_version_id
        where b.organization_id = d.organization_id and b.dataset_id = d.id) l on true
 where d.organization_id = %(org)s and d.version_count > 0
   and (%(tag)s::text is null or %(tag)s::text = any (d.tags))
   and (%(name)s::text is null or d.name = %(name)s)
 order by d.name limit %(limit)s
"""
GET_VERSION = """
select d.id as dataset_id, v.id, d.name, v.version, v.content_hash, v.case_count, v.note, d.tags,
       to_char(v.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as created_at,
       array(select b.label from assay.dataset_labels b
              where b.organization_id = v.organization_id and b.dataset_id = v.dataset_id
                and b.dataset_version_id = v.id order by b.label) as labels
  from assay.test_datasets d
  join assay.dataset_versions v on v.organization_id = d.organization_id and v.dataset_id = d.id
 where d.organization_id = %(org)s and d.name = %(name)s
   and (%(version)s::int is null or v.version = %(version)s)
   and (%(label)s::text is null or exists (
         select from assay.dataset_labels b
          where b.organization_id = v.organization_id and b.dataset_id = v.dataset_id
            and b.label = %(label)s and b.dataset_version_id = v.id))
 order by v.version desc limit 1
"""
CASES = """
select c.key, c.vars, c.expected, c.context, c.metadata, c.tags, c.cluster, c.weight, d.split
  from assay.dataset_cases d
  join assay.test_cases c on c.organization_id = d.organization_id and c.id = d.case_id
 where d.organization_id = %s and d.dataset_version_id = %s
 order by d.case_no
"""
COUNTS = """
select g.split, sum(g.cases)::bigint as cases, count(g.cluster) as clusters
  from (select d.split, c.cluster, count(*) as cases
          from assay.dataset_cases d
          join assay.test_cases c on c.organization_id = d.organization_id and c.id = d.case_id
         where d.organization_id = %s and d.dataset_version_id = %s
         group by d.split, c.cluster) g
 group by g.split
"""
DIFF = """
with changes as (
  select coalesce(a.key, b.key) as key, a.id as a_id, b.id as b_id, a.split as a_split, b.split as b_split,
         case when a.id is null then 'added' when b.id is null then 'removed'
              when a.id <> b.id then 'changed' else 'moved' end as kind,
         coalesce(b.case_no, a.case_no) as place
    from (select c.key, c.id, d.split, d.case_no from assay.dataset_cases d
            join assay.test_cases c on c.organization_id = d.organization_id and c.id = d.case_id
           where d.organization_id = %(org)s and d.dataset_version_id = %(first)s) a
    full join
         (select c.key, c.id, d.split, d.case_no from assay.dataset_cases d
            join assay.test_cases c on c.organization_id = d.organization_id and c.id = d.case_id
           where d.organization_id = %(org)s and d.dataset_version_id = %(second)s) b on a.key = b.key
   where a.id is distinct from b.id or a.split is distinct from b.split
), numbered as (
  select c.*, count(*) over (partition by c.kind) as total,
         row_number() over (partition by c.kind order by c.place, c.key) as number
    from changes c
)
select n.kind, n.total, n.key, n.a_split, n.b_split,
       jsonb_build_object('vars', f.vars, 'expected', f.expected, 'context', f.context,
                          'metadata', f.metadata, 'tags', f.tags, 'cluster', f.cluster,
                          'weight', f.weight) as first,
       jsonb_build_object('vars', s.vars, 'expected', s.expected, 'context', s.context,
                          'metadata', s.metadata, 'tags', s.tags, 'cluster', s.cluster,
                          'weight', s.weight) as second
  from numbered n
  left join assay.test_cases f on f.organization_id = %(org)s and f.id = n.a_id
  left join assay.test_cases s on s.organization_id = %(org)s and s.id = n.b_id
 where n.number <= %(limit)s
 order by n.kind, n.number
"""
TAG = """
update assay.test_datasets d
   set description = coalesce(%(description)s, d.description),
       tags = array(select distinct u.tag from unnest(d.tags || %(add)s::text[]) as u (tag)
                     where u.tag <> all (%(remove)s::text[]) order by u.tag)
 where d.organization_id = %(org)s and d.id = %(dataset)s
returning d.tags
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDataset:
    """A version that was found, with the ids of its rows."""

    id: UUID
    dataset_id: UUID
    value: DatasetVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitCount:
    """How many cases, and how many clusters, a version has in a split (None: in no split)."""

    split: str | None
    cases: int
    clusters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseChange:
    """A case that two versions do not share; of a changed one, `first` and `second` hold what differs."""

    kind: str
    key: str
    first_split: str | None
    second_split: str | None
    first: Mapping[str, Any]
    second: Mapping[str, Any]


async def list_datasets(
    connection: Connection, organization_id: UUID, *, tag: str | None, limit: int
) -> list[DatasetHead]:
    """Data sets by name, those with a tag where one is given."""
    return await _heads(connection, {"org": organization_id, "tag": tag, "name": None, "limit": limit})


async def get_dataset_version(
    connection: Connection, organization_id: UUID, reference: Reference
) -> FoundDataset:
    """The version that is meant; raises NotFound, which says what there is."""
    values = {
        "org": organization_id,
        "name": reference.name,
        "version": reference.version,
        "label": reference.label,
    }
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(GET_VERSION, values)
        row = await cursor.fetchone()
    if row is None:
        raise await _nothing(connection, organization_id, reference)
    ids = {"id": row.pop("id"), "dataset_id": row.pop("dataset_id")}
    value = DatasetVersion(**{**row, "labels": tuple(row["labels"]), "tags": tuple(row["tags"])})
    return FoundDataset(**ids, value=value)


async def stream_cases(
    connection: Connection, organization_id: UUID, version_id: UUID
) -> AsyncGenerator[list[Case], None]:
    """The cases of a version in order, in batches."""
    async with connection.cursor(name="cases") as cursor:
        cursor.itersize = FETCH_CASES
        await cursor.execute(CASES, [organization_id, version_id])
        while rows := await cursor.fetchmany(FETCH_CASES):
            yield [case_of(row) for row in rows]


async def count_splits(connection: Connection, organization_id: UUID, version_id: UUID) -> list[SplitCount]:
    """The sizes of a version's splits, the largest first."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(COUNTS, [organization_id, version_id])
        counts = [SplitCount(**row) for row in await cursor.fetchall()]
    return sorted(counts, key=lambda each: (-each.cases, each.split or ""))


async def diff_versions(
    connection: Connection, organization_id: UUID, versions: tuple[UUID, UUID], limit: int
) -> tuple[dict[str, int], list[CaseChange]]:
    """How many cases were added, removed, changed or moved to another split, and the first of each kind.

    Cases are told apart by their ids; a case whose place alone changed is none of these.
    """
    values = {"org": organization_id, "first": versions[0], "second": versions[1], "limit": limit}
    cursor = await connection.execute(DIFF, values)
    totals: dict[str, int] = {}
    changes = []
    for kind, total, key, first_split, second_split, first, second in await cursor.fetchall():
        totals[kind] = total
        differing = [name for name in first if first[name] != second[name]]
        changes.append(
            CaseChange(
                kind=kind,
                key=key,
                first_split=first_split,
                second_split=second_split,
                first={name: first[name] for name in differing} if kind == "changed" else {},
                second={name: second[name] for name in differing} if kind == "changed" else {},
            )
        )
    return totals, changes


@dataclass(frozen=True, slots=True, kw_only=True)
class TagChange:
    """Tags to add to and take from a data set, and what it is about (None leaves that as it is)."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    description: str | None = None


async def tag_dataset(
    connection: Connection, organization_id: UUID, dataset_id: UUID, change: TagChange
) -> tuple[str, ...]:
    """Change the tags and the description of a data set; the tags that it has then."""
    values = {
        "org": organization_id,
        "dataset": dataset_id,
        "add": list(change.add),
        "remove": list(change.remove),
        "description": change.description,
    }
    row = await (await connection.execute(TAG, values)).fetchone()
    return () if row is None else tuple(row[0])


async def _heads(connection: Connection, values: Mapping[str, Any]) -> list[DatasetHead]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(LIST, values)
        return [DatasetHead(**{**row, "tags": tuple(row["tags"])}) for row in await cursor.fetchall()]


async def _nothing(connection: Connection, organization_id: UUID, reference: Reference) -> NotFound:
    values = {"org": organization_id, "tag": None, "name": reference.name, "limit": 1}
    found = await _heads(connection, values)
    if not found:
        return NotFound(
            f"there is no data set {reference.name!r}", remedy="See what there is: assay datasets list"
        )
    head = found[0]
    labels = ", ".join(f"{label} ({version})" for label, version in sorted(head.labels.items())) or "none"
    return NotFound(
        f"there is no {str(reference)!r}",
        remedy=f"{reference.name!r} has versions 1 to {head.version_count} and the labels: {labels}",
    )
