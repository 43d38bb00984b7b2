"""Data sets: immutable versions by reference, stored in one streaming pass."""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from uuid import UUID

import orjson

from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput
from assay.storage.pool import Connection

BATCH_CASES = 1_000

STAGE = """
create temporary table if not exists staged_cases (
  case_no int, line int, content_hash bytea, key text, vars jsonb, expected jsonb, context jsonb,
  metadata jsonb, tags text[], cluster text, weight double precision
) on commit delete rows
"""
COPY_CASES = """
copy pg_temp.staged_cases
  (case_no, line, content_hash, key, vars, expected, context, metadata, tags, cluster, weight)
from stdin
"""
DUPLICATE = """
select s.key, min(s.line) as first_line, max(s.line) as last_line
  from pg_temp.staged_cases s group by s.key having count(*) > 1 order by min(s.case_no) limit 1
"""
ADD_DATASET = """
insert into assay.test_datasets (organization_id, name) values (%s, %s)
on conflict (organization_id, name) do nothing
"""
FIND_DATASET = "select id from assay.test_datasets where organization_id = %s and name = %s for no key update"
FIND_VERSION = """
select id from assay.dataset_versions where organization_id = %s and dataset_id = %s and content_hash = %s
"""
ADD_VERSION = """
insert into assay.dataset_versions (organization_id, dataset_id, version, content_hash, case_count)
select %(org)s, %(dataset)s, coalesce(max(v.version), 0) + 1, %(hash)s, %(count)s
  from assay.dataset_versions v where v.organization_id = %(org)s and v.dataset_id = %(dataset)s
returning id
"""
ADD_CASES = """
insert into assay.test_cases
  (organization_id, dataset_id, content_hash, key, vars, expected, context, metadata, tags, cluster, weight)
select %s, %s, s.content_hash, s.key, s.vars, s.expected, s.context, s.metadata, s.tags, s.cluster, s.weight
  from pg_temp.staged_cases s order by s.case_no
on conflict (organization_id, dataset_id, content_hash) do nothing
"""
ADD_REFERENCES = """
insert into assay.dataset_cases (organization_id, dataset_version_id, case_no, case_id)
select %(org)s, %(version)s, s.case_no, c.id
  from pg_temp.staged_cases s
  join assay.test_cases c
    on c.organization_id = %(org)s and c.dataset_id = %(dataset)s and c.content_hash = s.content_hash
 order by s.case_no
"""


class StoredDataset:
    """A data-set version that is stored: its id, its hash and the number of its cases."""

    __slots__ = ("case_count", "content_hash", "id")

    def __init__(self, version_id: UUID, content_hash: bytes, case_count: int) -> None:
        self.id, self.content_hash, self.case_count = version_id, content_hash, case_count


async def add_dataset_version(
    connection: Connection, organization_id: UUID, name: str, cases: Iterable[Case], file: str | None = None
) -> StoredDataset:
    """Store the cases as a version of the named data set, or find the version that holds just these.

    One pass, memory bounded by a batch: rows are staged while the hash is made, and only cases that the
    data set did not have before are added. Raises InvalidInput for no cases or for a key that comes twice.
    """
    digest, count = await _stage(connection, cases)
    if count == 0:
        raise InvalidInput("holds no cases", file=file, remedy="Add at least one case.")
    await _refuse_duplicates(connection, file)
    await connection.execute(ADD_DATASET, [organization_id, name])
    dataset_id = await _value(connection, FIND_DATASET, [organization_id, name])
    version_id = await _value(connection, FIND_VERSION, [organization_id, dataset_id, digest])
    if version_id is None:
        version_id = await _value(
            connection,
            ADD_VERSION,
            {"org": organization_id, "dataset": dataset_id, "hash": digest, "count": count},
        )
        await connection.execute("analyze pg_temp.staged_cases")
        await connection.execute(ADD_CASES, [organization_id, dataset_id])
        await connection.execute(
            ADD_REFERENCES, {"org": organization_id, "dataset": dataset_id, "version": version_id}
        )
    return StoredDataset(version_id, digest, count)


async def _stage(connection: Connection, cases: Iterable[Case]) -> tuple[bytes, int]:
    await connection.execute("set local client_min_messages = warning")
    await connection.execute(STAGE)
    digest, count = hashlib.sha256(), 0
    numbered = enumerate(cases)
    async with connection.cursor() as cursor, cursor.copy(COPY_CASES) as copy:
        while batch := list(islice(numbered, BATCH_CASES)):
            for row in _rows(batch):
                digest.update(row[2])
                await copy.write_row(row)
            count += len(batch)
    return digest.digest(), count


def _rows(batch: Iterable[tuple[int, Case]]) -> Iterator[tuple[Any, ...]]:
    for number, case in batch:
        yield (
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


async def _value(connection: Connection, query: str, parameters: Any) -> Any:
    row = await (await connection.execute(query, parameters)).fetchone()
    return None if row is None else row[0]
