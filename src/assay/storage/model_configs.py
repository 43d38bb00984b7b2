"""Model configs: found by content, made when new."""

from uuid import UUID

import orjson

from assay.domain.models import ModelConfig
from assay.storage.pool import Connection
from assay.storage.values import get_value

ADD_MODEL = """
insert into assay.model_configs
  (organization_id, name, content_hash, provider, model, base_url, parameters, options)
values (%(org)s, %(name)s, %(hash)s, %(provider)s, %(model)s, %(base_url)s, %(parameters)s, %(options)s)
on conflict (organization_id, name, content_hash) do nothing
"""
FIND_MODEL = (
    "select id from assay.model_configs where organization_id = %s and name = %s and content_hash = %s"
)


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
    found: UUID = await get_value(connection, FIND_MODEL, [organization_id, config.name, config.content_hash])
    return found
