"""Prompts as users handle them: kept in versions, labelled, compared."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from assay.domain.errors import InvalidInput
from assay.domain.prompts import Prompt, PromptHead, PromptLog, PromptVersion
from assay.domain.versions import Reference, Role, check_label, parse_reference, parse_version
from assay.engine.render import compile_prompt
from assay.formats.prompt_files import read_prompt_file
from assay.services.context import Context
from assay.services.prompt_diff import PromptDiff, diff_prompts
from assay.storage import labels, prompts
from assay.storage.jobs import ensure_organization


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A version that was kept: `is_new` is False when its content was there already."""

    version: PromptVersion
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptImport:
    """How a prompt is kept: its name (None takes the file's), what is said of it, the label that it gets."""

    name: str | None = None
    note: str = ""
    description: str | None = None
    tags: tuple[str, ...] = ()
    label: str | None = None
    author: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A move of a label. `expect` None wants it not to be set; ANYWHERE takes it from wherever it is."""

    label: str
    expect: int | labels.Anyone | None = labels.ANYWHERE
    minimum_role: Role | None = None
    author: UUID | None = None

    def of(self, owner_id: UUID) -> labels.LabelChange:
        """The change of a thing's label; raises InvalidInput for a label that cannot be set."""
        return labels.LabelChange(
            owner_id=owner_id,
            label=check_label(self.label),
            expect=self.expect,
            minimum_role=self.minimum_role,
            author=self.author,
        )


async def import_prompt(context: Context, path: Path, how: PromptImport) -> Kept:
    """Keep the prompt of a file as a version of its template, or find the version that it is already.

    Its templates are checked first. Raises InvalidInput with file, line and field; nothing is stored then.
    """
    prompt = read_prompt_file(path, how.name)
    _check_templates(prompt, path)
    move = None if how.label is None else Move(label=check_label(how.label), author=how.author)
    organization_id = context.organization_id
    async with context.database.transaction(organization_id) as connection:
        await ensure_organization(connection, organization_id, "local")
        added = await prompts.add_prompt_version(
            connection, organization_id, prompt, note=how.note, author=how.author
        )
        await prompts.describe_prompt(
            connection, organization_id, added.template_id, description=how.description, tags=how.tags
        )
        if move is not None:
            change = move.of(added.template_id)
            await labels.move_label(connection, organization_id, labels.PROMPT_LABELS, change, added.id)
        reference = Reference(prompt.name, version=added.version)
        found = await prompts.get_prompt_version(connection, organization_id, reference)
    return Kept(version=found.value, is_new=added.is_new)


def _check_templates(prompt: Prompt, path: Path) -> None:
    try:
        compile_prompt(prompt)
    except InvalidInput as problem:
        raise InvalidInput(
            problem.message,
            file=str(path),
            line=problem.line,
            field=problem.field,
            remedy=problem.remedy,
        ) from problem


async def list_prompts(context: Context, *, tag: str | None, limit: int) -> list[PromptHead]:
    """Prompts by name."""
    async with context.database.transaction(context.organization_id) as connection:
        return await prompts.list_prompts(connection, context.organization_id, tag=tag, limit=limit)


async def get_prompt(context: Context, text: str) -> PromptVersion:
    """The version that NAME, NAME:VERSION or NAME@LABEL means. Raises InvalidInput, NotFound."""
    async with context.database.transaction(context.organization_id) as connection:
        found = await prompts.get_prompt_version(connection, context.organization_id, parse_reference(text))
    return found.value


async def compare_prompts(context: Context, name: str, first: str, second: str) -> PromptDiff:
    """What differs between two versions, by numbers or labels. Raises InvalidInput, NotFound."""
    pair = (parse_version(name, first), parse_version(name, second))
    async with context.database.transaction(context.organization_id) as connection:
        old, new = [
            await prompts.get_prompt_version(connection, context.organization_id, each) for each in pair
        ]
    return diff_prompts(old.value, new.value)


async def label_prompt(context: Context, name: str, version: str, move: Move) -> tuple[int | None, int]:
    """Move a label to a version; where it was (None: nowhere) and where it is.

    Raises InvalidInput, NotFound, Conflict where it is not on the expected version, NotAllowed.
    """
    organization_id = context.organization_id
    async with context.database.transaction(organization_id) as connection:
        found = await prompts.get_prompt_version(connection, organization_id, parse_version(name, version))
        change = move.of(found.template_id)
        before = await labels.move_label(connection, organization_id, labels.PROMPT_LABELS, change, found.id)
    return before, found.value.version


async def unlabel_prompt(context: Context, name: str, move: Move) -> int:
    """Take a label away; the version that it was on. Raises NotFound, Conflict, NotAllowed."""
    async with context.database.transaction(context.organization_id) as connection:
        template_id = await prompts.get_template_id(connection, context.organization_id, name)
        return await labels.remove_label(
            connection, context.organization_id, labels.PROMPT_LABELS, move.of(template_id)
        )


async def read_log(context: Context, name: str, limit: int) -> PromptLog:
    """The newest versions of a prompt and the newest moves of its labels. Raises NotFound."""
    organization_id = context.organization_id
    async with context.database.transaction(organization_id) as connection:
        template_id = await prompts.get_template_id(connection, organization_id, name)
        versions = await prompts.list_versions(connection, organization_id, template_id, limit)
        now = await labels.list_labels(connection, organization_id, labels.PROMPT_LABELS, template_id)
        moves = await prompts.list_moves(connection, organization_id, template_id, limit)
    return PromptLog(name=name, versions=tuple(versions), labels=tuple(now), moves=tuple(moves))


def prompt_document(version: PromptVersion) -> dict[str, Any]:
    """A version for programs."""
    prompt = version.prompt
    return {
        "name": prompt.name,
        "version": version.version,
        "labels": version.labels,
        "content_hash": version.content_hash.hex(),
        "created_at": version.created_at,
        "created_by": version.created_by,
        "note": version.note,
        "messages": [{"role": each.role, "content": each.content} for each in prompt.messages],
        "tools": prompt.tools,
        "response_format": prompt.response_format,
    }


def log_document(log: PromptLog) -> dict[str, Any]:
    """A history for programs."""
    versions = [
        {
            "version": each.version,
            "content_hash": each.content_hash.hex(),
            "created_at": each.created_at,
            "created_by": each.created_by,
            "note": each.note,
        }
        for each in log.versions
    ]
    return {"name": log.name, "versions": versions, "labels": log.labels, "moves": log.moves}
