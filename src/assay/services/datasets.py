"""Data sets as users handle them: kept in versions, labelled, tagged, split, compared, written to files."""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from assay.domain.datasets import Case, DatasetHead, DatasetVersion
from assay.domain.errors import InvalidInput
from assay.domain.splits import Shares
from assay.domain.suites import DatasetSource
from assay.domain.versions import Label, Reference, check_label, check_name, parse_reference, parse_version
from assay.formats.case_files import check_case_file, write_cases
from assay.formats.cases import stream_cases as read_file
from assay.services.context import Context
from assay.services.drawing import with_cases
from assay.services.prompts import Move
from assay.storage import dataset_versions as stored
from assay.storage import labels
from assay.storage.dataset_versions import CaseChange, SplitCount, TagChange
from assay.storage.datasets import add_dataset_version
from assay.storage.jobs import ensure_organization

CASES_SHOWN = 3
NO_CHANGE = TagChange()


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetImport:
    """How a file is kept. `shares` assigns the splits; None takes them from the file, if it has any."""

    name: str
    source: DatasetSource
    shares: Shares | None = None
    note: str = ""
    tags: TagChange = NO_CHANGE
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDataset:
    """A version that was kept; `added` are its cases that no version before it had."""

    version: DatasetVersion
    is_new: bool
    added: int
    splits: tuple[SplitCount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetView:
    """What is shown of a version: its labels and sizes, and its first cases."""

    version: DatasetVersion
    labels: tuple[Label, ...]
    splits: tuple[SplitCount, ...]
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetDiff:
    """What differs between two versions: how many cases of each kind, and the first of them."""

    name: str
    first: int
    second: int
    totals: dict[str, int]
    changes: tuple[CaseChange, ...]


async def import_dataset(context: Context, how: DatasetImport) -> KeptDataset:
    """Keep the cases of a file as a version, streamed, or find the version that holds just these.

    Raises InvalidInput with file, line, field and remedy at the first row that cannot be kept; the store is
    then as it was before.
    """
    check_name(how.name, "data set")
    label = None if how.label is None else Move(label=check_label(how.label))
    organization_id, path = context.organization_id, str(how.source.path)
    cases: Iterable[Case] = read_file(how.source)
    if how.shares is not None:
        cases = _split(cases, how.shares)
    async with _remedied(), context.database.transaction(organization_id) as connection:
        await ensure_organization(connection, organization_id, "local")
        added = await add_dataset_version(connection, organization_id, how.name, cases, path, note=how.note)
        await stored.tag_dataset(connection, organization_id, added.dataset_id, how.tags)
        if label is not None:
            change = label.of(added.dataset_id)
            await labels.move_label(connection, organization_id, labels.DATASET_LABELS, change, added.id)
        reference = Reference(how.name, version=added.version)
        found = await stored.get_dataset_version(connection, organization_id, reference)
        splits = await stored.count_splits(connection, organization_id, added.id)
    return KeptDataset(version=found.value, is_new=added.is_new, added=added.added, splits=tuple(splits))


@asynccontextmanager
async def _remedied() -> AsyncIterator[None]:
    """Adds what to do to an error that names only what is wrong."""
    try:
        yield
    except InvalidInput as problem:
        if problem.remedy is not None:
            raise
        raise InvalidInput(
            problem.message,
            file=problem.file,
            line=problem.line,
            field=problem.field,
            remedy="Nothing of the file was stored: mend it there, then import it again.",
        ) from problem


def _split(cases: Iterable[Case], shares: Shares) -> Iterator[Case]:
    return (replace(case, split=shares.split_of(case)) for case in cases)


async def list_datasets(context: Context, *, tag: str | None, limit: int) -> list[DatasetHead]:
    """Data sets by name."""
    async with context.database.transaction(context.organization_id) as connection:
        return await stored.list_datasets(connection, context.organization_id, tag=tag, limit=limit)


async def show_dataset(context: Context, text: str, cases: int = CASES_SHOWN) -> DatasetView:
    """The version that NAME, NAME:VERSION or NAME@LABEL means, and its first cases.

    Raises InvalidInput, NotFound.
    """
    organization_id = context.organization_id
    async with context.database.transaction(organization_id) as connection:
        found = await stored.get_dataset_version(connection, organization_id, parse_reference(text))
        known = await labels.list_labels(connection, organization_id, labels.DATASET_LABELS, found.dataset_id)
        splits = await stored.count_splits(connection, organization_id, found.id)
        first = await with_cases(
            connection, organization_id, found.id, lambda read: tuple(islice(read(), cases))
        )
    return DatasetView(version=found.value, labels=tuple(known), splits=tuple(splits), cases=first)


async def export_dataset(context: Context, text: str, path: Path) -> tuple[DatasetVersion, int]:
    """Write the cases of a version to a file, streamed; the version and the number of cases.

    Raises InvalidInput, NotFound.
    """
    check_case_file(path)
    organization_id = context.organization_id
    async with context.database.transaction(organization_id) as connection:
        found = await stored.get_dataset_version(connection, organization_id, parse_reference(text))
        count = await with_cases(
            connection, organization_id, found.id, lambda read: write_cases(path, read())
        )
    return found.value, count


async def compare_datasets(context: Context, name: str, first: str, second: str, limit: int) -> DatasetDiff:
    """What differs between two versions, by numbers or labels; cases are told apart by their ids.

    Raises InvalidInput, NotFound.
    """
    pair = (parse_version(name, first), parse_version(name, second))
    organization_id = context.organization_id
    async with context.database.transaction(organization_id) as connection:
        old, new = [await stored.get_dataset_version(connection, organization_id, each) for each in pair]
        totals, changes = await stored.diff_versions(connection, organization_id, (old.id, new.id), limit)
    return DatasetDiff(
        name=name,
        first=old.value.version,
        second=new.value.version,
        totals=totals,
        changes=tuple(changes),
    )


async def tag_dataset(context: Context, name: str, change: TagChange) -> tuple[str, ...]:
    """Change the tags and the description of a data set; the tags that it has then. Raises NotFound."""
    organization_id = context.organization_id
    async with context.database.transaction(organization_id) as connection:
        found = await stored.get_dataset_version(connection, organization_id, Reference(name))
        return await stored.tag_dataset(connection, organization_id, found.dataset_id, change)


async def label_dataset(context: Context, name: str, version: str, move: Move) -> tuple[int | None, int]:
    """Move a label to a version; where it was (None: nowhere) and where it is.

    Raises InvalidInput, NotFound, Conflict where it is not on the expected version, NotAllowed.
    """
    organization_id = context.organization_id
    async with context.database.transaction(organization_id) as connection:
        found = await stored.get_dataset_version(connection, organization_id, parse_version(name, version))
        change = move.of(found.dataset_id)
        before = await labels.move_label(connection, organization_id, labels.DATASET_LABELS, change, found.id)
    return before, found.value.version


async def unlabel_dataset(context: Context, name: str, move: Move) -> int:
    """Take a label away; the version that it was on. Raises NotFound, Conflict, NotAllowed."""
    organization_id = context.organization_id
    async with context.database.transaction(organization_id) as connection:
        found = await stored.get_dataset_version(connection, organization_id, Reference(name))
        return await labels.remove_label(
            connection, organization_id, labels.DATASET_LABELS, move.of(found.dataset_id)
        )


def version_document(version: DatasetVersion, splits: Iterable[SplitCount]) -> dict[str, Any]:
    """A version for programs."""
    return {
        "name": version.name,
        "version": version.version,
        "labels": version.labels,
        "tags": version.tags,
        "case_count": version.case_count,
        "content_hash": version.content_hash.hex(),
        "created_at": version.created_at,
        "note": version.note,
        "splits": list(splits),
    }
