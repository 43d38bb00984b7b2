"""Data sets: immutable versions by reference, stored in one streaming pass."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

import orjson

from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput
from assay.domain.ids import new_id
from assay.domain.versions import check_name
from assay.storage.pool import Connection
from assay.storage.values import get_value

BATCH_CASES = 1_000

STAGE = """
create temporary table if not exists staged_cases (
  id uuid, case_no int, line int, content_hash bytea, key text, vars jsonb, expected jsonb, context jsonb,
  metadata jsonb, tags text[], cluster text, weight double precision, split text
) on commit delete rows
"""
COPY_CASES = """
copy pg_temp.staged_cases
  (id, case_no, line, content_hash, key, vars, expected, context, metadata, tags, cluster, weight, split)
from stdin
"""
DUPLICATE = """
select s.key, min(s.line) as first_line, max(s.line) as last_line
  from pg_temp.staged_cases s group by s.key having count(*) > 1 order by min(s.case_no) limit 1
"""
TORN_CLUSTER = """
select s.cluster, min(s.split), max(s.split), max(s.line)
  from pg_temp.staged_cases s where s.cluster is not null
 group by s.cluster having count(distinct coalesce(s.split, '')) > 1 order by min(s.case_no) limit 1
"""
ADD_DATASET = """
insert into assay.test_datasets (organization_id, name) values (%s, %s)
on conflict (organization_id, name) do nothing
"""
FIND_DATASET = "select id from assay.test_datasets where organization_id = %s and name = %s for no key update"
FIND_CONTENT = """
select id, version from assay.dataset_versions
 where organization_id = %s and dataset_id = %s and content_hash = %s
"""
ADD_VERSION = """
insert into assay.dataset_versions (organization_id, dataset_id, version, content_hash, case_count, note)
select %(org)s, %(dataset)s, coalesce(max(v.version), 0) + 1, %(hash)s, %(count)s, %(note)s
  from assay.dataset_versions v where v.organization_id = %(org)s and v.dataset_id = %(dataset)s
returning id, version
"""
ADD_CASES = """
insert into assay.test_cases
  (organization_id, dataset_id, id, content_hash, key, vars, expected, context, metadata, tags, cluster,
   weight)
select %s, %s, s.id, s.content_hash, s.key, s.vars, s.expected, s.context, s.metadata, s.tags, s.cluster,
       s.weight
  from pg_temp.staged_cases s order by s.case_no
on conflict (organization_id, dataset_id, content_hash) do nothing
"""
ADD_REFERENCES = """
insert into assay.dataset_cases (organization_id, dataset_version_id, case_no, case_id, split)
select %(org)s, %(version)s, s.case_no, c.id, s.split
  from pg_temp.staged_cases s
  join assay.test_cases c
    on c.organization_id = %(org)s and c.dataset_id = %(dataset)s and c.content_hash = s.content_hash
 order by s.case_no
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDataset:
    """A version that is stored. `added` are its cases that no version before it had."""

    id: UUID
    dataset_id: UUID
    content_hash: bytes
    case_count: int
    version: int
    is_new: bool
    added: int


async def add_dataset_version(
    connection: Connection,
    organization_id: UUID,
    name: str,
    cases: Iterable[Case],
    file: str | None = None,
    *,
    note: str = "",
) -> StoredDataset:
    """Store the cases as a version of the named data set, or find the version that holds just these.

    One pass, memory bounded by a batch: rows are staged while the hash is made, and only cases that the
    data set did not have before are added. The split of a case belongs to the version, not to the case.
    Raises InvalidInput for a name that cannot be kept, for no cases, for a key that comes twice and for a
    cluster that lies in two splits; nothing is stored then.
    """
    check_name(name, "data set")
    digest, count = await _stage(connection, cases)
    if count == 0:
        raise InvalidInput("holds no cases", file=file, remedy="Add at least one case.")
    await _refuse_duplicates(connection, file)
    await _refuse_torn_clusters(connection, file)
    await connection.execute(ADD_DATASET, [organization_id, name])
    dataset_id = await get_value(connection, FIND_DATASET, [organization_id, name])
    cursor = await connection.execute(FIND_CONTENT, [organization_id, dataset_id, digest])
    found = await cursor.fetchone()
    is_new, added = found is None, 0
    if found is None:
        ids = {"org": organization_id, "dataset": dataset_id}
        values = {**ids, "hash": digest, "count": count, "note": note}
        found = await (await connection.execute(ADD_VERSION, values)).fetchone()
        added = await _add_cases(connection, {**ids, "version": None if found is None else found[0]})
    if found is None:
        raise LookupError("a version that was just written cannot be read")
    return StoredDataset(
        id=found[0],
        dataset_id=dataset_id,
        content_hash=digest,
        case_count=count,
        version=found[1],
        is_new=is_new,
        added=added,
    )


async def _add_cases(connection: Connection, ids: Mapping[str, UUID | None]) -> int:
    """Put the staged cases into a version; how many of them the data set did not have yet."""
    await connection.execute("analyze pg_temp.staged_cases")
    added = (await connection.execute(ADD_CASES, [ids["org"], ids["dataset"]])).rowcount
    await connection.execute(ADD_REFERENCES, ids)
    return added


async def _stage(connection: Connection, cases: Iterable[Case]) -> tuple[bytes, int]:
    await connection.execute("set local client_min_messages = warning")
    await connection.execute(STAGE)
    digest, count = hashlib.sha256(), 0
    numbered = enumerate(cases)
    async with connection.cursor() as cursor, cursor.copy(COPY_CASES) as copy:
        while batch := list(islice(numbered, BATCH_CASES)):
            for row in _rows(batch):
                digest.update(_place_hash(row[3], row[-1]))
                await copy.write_row(row)
            count += len(batch)
    return digest.digest(), count


def _place_hash(case_hash: bytes, split: str | None) -> bytes:
    """What a place of a version adds to its hash: the case, and its split if it has one."""
    return case_hash if split is None else hashlib.sha256(case_hash + split.encode()).digest()


def _rows(batch: Iterable[tuple[int, Case]]) -> Iterator[tuple[Any, ...]]:
    for number, case in batch:
        yield (
            new_id(),  # a fifth of an import is spent in the schema's new_id otherwise
            number,
            case.line,
            case.content_hash,
            case.key,
            _json(case.vars),
            None if case.expected is None else _json(case.expected),
            _json(case.context) if case.context else None,
            _json(case.metadata) if case.metadata else None,
            list(case.tags),
            case.cluster,
            case.weight,
            case.split,
        )


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


async def _refuse_duplicates(connection: Connection, file: str | None) -> None:
    row = await (await connection.execute(DUPLICATE)).fetchone()
    if row is not None:
        key, first, last = row
        raise InvalidInput(
            f"the id {key!r} comes more than once (first in line {first})",
            file=file,
            line=last,
            field="id",
            remedy="Give every case an id of its own, or leave ids out to have them numbered.",
        )


async def _refuse_torn_clusters(connection: Connection, file: str | None) -> None:
    row = await (await connection.execute(TORN_CLUSTER)).fetchone()
    if row is not None:
        cluster, first, second, line = row
        where = f"{first!r} and {second!r}" if first != second else f"{first!r} and in no split"
        raise InvalidInput(
            f"the cluster {cluster!r} lies in the splits {where}",
            file=file,
            line=line,
            field="split",
            remedy="Cases of one cluster share a source: give all of them the same split.",
        )
