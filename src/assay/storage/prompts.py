"""Prompt versions and model configs: found by content, made when new."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from assay.domain.models import ModelConfig
from assay.domain.prompts import Prompt
from assay.storage.pool import Connection

Parameters = Sequence[Any] | Mapping[str, Any]

ADD_TEMPLATE = """
insert into assay.prompt_templates (organization_id, name) values (%s, %s)
on conflict (organization_id, name) do nothing
"""
FIND_TEMPLATE = (
    "select id from assay.prompt_templates where organization_id = %s and name = %s for no key update"
)
FIND_VERSION = """
select id from assay.prompt_versions where organization_id = %s and template_id = %s and content_hash = %s
"""
ADD_VERSION = """
insert into assay.prompt_versions
  (organization_id, template_id, version, content_hash, messages, tools, response_format)
select %(org)s, %(template)s, coalesce(max(v.version), 0) + 1, %(hash)s, %(messages)s, %(tools)s, %(format)s
  from assay.prompt_versions v where v.organization_id = %(org)s and v.template_id = %(template)s
returning id
"""
ADD_MODEL = """
insert into assay.model_configs
  (organization_id, name, content_hash, provider, model, base_url, parameters, options)
values (%(org)s, %(name)s, %(hash)s, %(provider)s, %(model)s, %(base_url)s, %(parameters)s, %(options)s)
on conflict (organization_id, name, content_hash) do nothing
"""
FIND_MODEL = (
    "select id from assay.model_configs where organization_id = %s and name = %s and content_hash = %s"
)


async def add_prompt_version(connection: Connection, organization_id: UUID, prompt: Prompt) -> UUID:
    """The id of the version of this prompt that has this content; made when there is none."""
    await connection.execute(ADD_TEMPLATE, [organization_id, prompt.name])
    template_id = await _id(connection, FIND_TEMPLATE, [organization_id, prompt.name])
    found = await _find(connection, FIND_VERSION, [organization_id, template_id, prompt.content_hash])
    if found is not None:
        return found
    values = {
        "org": organization_id,
        "template": template_id,
        "hash": prompt.content_hash,
        "messages": orjson.dumps(prompt.messages).decode(),
        "tools": orjson.dumps(prompt.tools).decode(),
        "format": None if prompt.response_format is None else orjson.dumps(prompt.response_format).decode(),
    }
    return await _id(connection, ADD_VERSION, values)


async def add_model_config(connection: Connection, organization_id: UUID, config: ModelConfig) -> UUID:
    """The id of the config of this name and content; made when there is none."""
    values = {
        "org": organization_id,
        "name": config.name,
        "hash": config.content_hash,
        "provider": config.provider,
        "model": config.model,
        "base_url": config.base_url,
        "parameters": orjson.dumps(config.parameters).decode(),
        "options": orjson.dumps(config.options).decode(),
    }
    await connection.execute(ADD_MODEL, values)
    return await _id(connection, FIND_MODEL, [organization_id, config.name, config.content_hash])


async def _find(connection: Connection, query: str, parameters: Parameters) -> UUID | None:
    row = await (await connection.execute(query, parameters)).fetchone()
    return None if row is None else row[0]


async def _id(connection: Connection, query: str, parameters: Parameters) -> UUID:
    found = await _find(connection, query, parameters)
    if found is None:
        raise LookupError("a row that was just written cannot be read")
    return found
