"""Prompts: templates by name, and their immutable versions, found by content and made when new."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row, dict_row

from assay.domain.errors import NotFound
from assay.domain.prompts import Message, Prompt, PromptHead, PromptVersion, VersionHead
from assay.domain.versions import LabelMove, Reference, check_name
from assay.storage.pool import Connection
from assay.storage.values import find_value, get_value

ADD_TEMPLATE = """
insert into assay.prompt_templates (organization_id, name) values (%s, %s)
on conflict (organization_id, name) do nothing
"""
LOCK_TEMPLATE = (
    "select id from assay.prompt_templates where organization_id = %s and name = %s for no key update"
)
FIND_CONTENT = """
select id, version from assay.prompt_versions
 where organization_id = %(org)s and template_id = %(template)s
   and case when %(version)s::int is null then content_hash = %(hash)s else version = %(version)s end
"""
ADD_VERSION = """
insert into assay.prompt_versions
  (organization_id, template_id, version, content_hash, messages, tools, response_format, note, created_by)
select %(org)s, %(template)s, coalesce(max(v.version), 0) + 1, %(hash)s, %(messages)s, %(tools)s, %(format)s,
       %(note)s, %(author)s
  from assay.prompt_versions v where v.organization_id = %(org)s and v.template_id = %(template)s
returning id, version
"""
DESCRIBE = """
update assay.prompt_templates t
   set description = coalesce(%(description)s, t.description),
       tags = array(select distinct u.tag from unnest(t.tags || %(tags)s::text[]) as u (tag) order by u.tag)
 where t.organization_id = %(org)s and t.id = %(template)s
"""
LIST = """
select t.name, t.description, t.tags, v.version_count, v.latest,
       to_char(v.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as updated_at,
       coalesce(l.labels, '{}') as labels
  from assay.prompt_templates t
 cross join lateral (
       select count(*) as version_count, max(p.version) as latest, max(p.created_at) as updated_at
         from assay.prompt_versions p
        where p.organization_id = t.organization_id and p.template_id = t.id) v
  left join lateral (
       select jsonb_object_agg(b.label, p.version) as labels
         from assay.prompt_labels b
         join assay.prompt_versions p
           on p.organization_id = b.organization_id and p.id = b.prompt_version_id
        where b.organization_id = t.organization_id and b.template_id = t.id) l on true
 where t.organization_id = %(org)s and v.latest is not null
   and (%(tag)s::text is null or %(tag)s::text = any (t.tags))
   and (%(name)s::text is null or t.name = %(name)s)
 order by t.name limit %(limit)s
"""
GET_VERSION = """
select t.id as template_id, v.id, t.name, v.version, v.content_hash, v.messages, v.tools, v.response_format,
       v.note, v.created_by::text as created_by,
       to_char(v.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as created_at,
       array(select b.label from assay.prompt_labels b
              where b.organization_id = v.organization_id and b.template_id = v.template_id
                and b.prompt_version_id = v.id order by b.label) as labels
  from assay.prompt_templates t
  join assay.prompt_versions v on v.organization_id = t.organization_id and v.template_id = t.id
 where t.organization_id = %(org)s and t.name = %(name)s
   and (%(version)s::int is null or v.version = %(version)s)
   and (%(label)s::text is null or exists (
         select from assay.prompt_labels b
          where b.organization_id = v.organization_id and b.template_id = v.template_id
            and b.label = %(label)s and b.prompt_version_id = v.id))
 order by v.version desc limit 1
"""
FIND_TEMPLATE = "select id from assay.prompt_templates where organization_id = %s and name = %s"
LIST_VERSIONS = """
select v.version, v.content_hash, v.note, v.created_by::text as created_by,
       to_char(v.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as created_at
  from assay.prompt_versions v where v.organization_id = %s and v.template_id = %s
 order by v.version desc limit %s
"""
LIST_MOVES = """
select m.label, f.version as from_version, w.version as to_version, m.moved_by::text as moved_by,
       to_char(m.moved_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as moved_at
  from assay.prompt_label_moves m
  left join assay.prompt_versions f on f.organization_id = m.organization_id and f.id = m.from_version_id
  left join assay.prompt_versions w on w.organization_id = m.organization_id and w.id = m.to_version_id
 where m.organization_id = %s and m.template_id = %s
 order by m.moved_at desc, m.id desc limit %s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedPrompt:
    """A version that is stored; `is_new` when nothing of its template had this content before."""

    id: UUID
    template_id: UUID
    version: int
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPrompt:
    """A version that was found, with the ids of its rows."""

    id: UUID
    template_id: UUID
    value: PromptVersion


async def add_prompt_version(
    connection: Connection,
    organization_id: UUID,
    prompt: Prompt,
    *,
    note: str = "",
    author: UUID | None = None,
) -> AddedPrompt:
    """The version of this prompt that has this content; made, with the note, when there is none.

    Raises InvalidInput for a name that cannot be kept.
    """
    name = check_name(prompt.template or prompt.name, "prompt")
    await connection.execute(ADD_TEMPLATE, [organization_id, name])
    template_id = await get_value(connection, LOCK_TEMPLATE, [organization_id, name])
    values = {
        "org": organization_id,
        "template": template_id,
        "version": prompt.version,
        "hash": prompt.content_hash,
    }
    found = await (await connection.execute(FIND_CONTENT, values)).fetchone()
    is_new = found is None
    if found is None:
        values |= {
            "messages": _json(prompt.messages),
            "tools": _json(prompt.tools),
            "format": None if prompt.response_format is None else _json(prompt.response_format),
            "note": note,
            "author": author,
        }
        found = await (await connection.execute(ADD_VERSION, values)).fetchone()
    if found is None:
        raise LookupError("a version that was just written cannot be read")
    return AddedPrompt(id=found[0], template_id=template_id, version=found[1], is_new=is_new)


async def describe_prompt(
    connection: Connection,
    organization_id: UUID,
    template_id: UUID,
    *,
    description: str | None,
    tags: tuple[str, ...],
) -> None:
    """Set what a template is about (None leaves it), and add tags to those that it has."""
    values = {"org": organization_id, "template": template_id, "description": description, "tags": list(tags)}
    await connection.execute(DESCRIBE, values)


async def list_prompts(
    connection: Connection, organization_id: UUID, *, tag: str | None, limit: int
) -> list[PromptHead]:
    """Prompts by name, those with a tag where one is given."""
    values = {"org": organization_id, "tag": tag, "name": None, "limit": limit}
    return await _heads(connection, values)


async def _heads(connection: Connection, values: Mapping[str, Any]) -> list[PromptHead]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(LIST, values)
        return [PromptHead(**{**row, "tags": tuple(row["tags"])}) for row in await cursor.fetchall()]


async def get_prompt_version(
    connection: Connection, organization_id: UUID, reference: Reference
) -> FoundPrompt:
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
    return FoundPrompt(id=row.pop("id"), template_id=row.pop("template_id"), value=_version(row))


async def get_template_id(connection: Connection, organization_id: UUID, name: str) -> UUID:
    """The id of a template by its name; raises NotFound."""
    found: UUID | None = await find_value(connection, FIND_TEMPLATE, [organization_id, name])
    if found is None:
        raise await _nothing(connection, organization_id, Reference(name))
    return found


async def list_versions(
    connection: Connection, organization_id: UUID, template_id: UUID, limit: int
) -> list[VersionHead]:
    """The versions of a template, newest first."""
    async with connection.cursor(row_factory=class_row(VersionHead)) as cursor:
        await cursor.execute(LIST_VERSIONS, [organization_id, template_id, limit])
        return await cursor.fetchall()


async def list_moves(
    connection: Connection, organization_id: UUID, template_id: UUID, limit: int
) -> list[LabelMove]:
    """The moves of a template's labels, newest first."""
    async with connection.cursor(row_factory=class_row(LabelMove)) as cursor:
        await cursor.execute(LIST_MOVES, [organization_id, template_id, limit])
        return await cursor.fetchall()


async def _nothing(connection: Connection, organization_id: UUID, reference: Reference) -> NotFound:
    values = {"org": organization_id, "tag": None, "name": reference.name, "limit": 1}
    found = await _heads(connection, values)
    if not found:
        return NotFound(
            f"there is no prompt {reference.name!r}", remedy="See what there is: assay prompts list"
        )
    head = found[0]
    labels = ", ".join(f"{label} ({version})" for label, version in sorted(head.labels.items())) or "none"
    return NotFound(
        f"there is no {str(reference)!r}",
        remedy=f"{reference.name!r} has versions 1 to {head.latest} and the labels: {labels}",
    )


def _version(row: Mapping[str, Any]) -> PromptVersion:
    prompt = Prompt(
        name=row["name"],
        messages=tuple(Message(**message) for message in row["messages"]),
        tools=tuple(row["tools"]),
        response_format=row["response_format"],
        template=row["name"],
        version=row["version"],
    )
    return PromptVersion(
        prompt=prompt,
        version=row["version"],
        content_hash=row["content_hash"],
        note=row["note"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        labels=tuple(row["labels"]),
    )


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
