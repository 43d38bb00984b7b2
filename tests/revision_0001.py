"""A database at revision 0001 with two tenants, as that version of Assay would have left it."""

import hashlib
import importlib
from typing import Any
from uuid import UUID

import psycopg

from assay.domain.ids import new_id
from assay.storage.migrate import MIGRATIONS

SETUP = """
insert into assay.organizations (id, name) values (%(org)s, 'tenant');
with t as (insert into assay.prompt_templates (organization_id, name) values (%(org)s, 'p') returning id)
insert into assay.prompt_versions (organization_id, id, template_id, version, content_hash, messages)
select %(org)s, %(prompt)s, id, 1, %(hash)s, '[]' from t;
insert into assay.model_configs (organization_id, id, name, content_hash, provider, model)
values (%(org)s, %(model)s, 'm', %(hash)s, 'echo', 'e');
insert into assay.test_datasets (organization_id, id, name) values (%(org)s, %(org)s, 'd');
insert into assay.test_cases (organization_id, id, dataset_id, content_hash, key, vars)
select %(org)s, i.id, %(org)s, sha256(i.no::text::bytea), 'c' || i.no, '{}'
  from unnest(%(cases)s::uuid[]) with ordinality i (id, no);
insert into assay.dataset_versions (organization_id, id, dataset_id, version, content_hash, case_count)
values (%(org)s, %(org)s, %(org)s, 1, %(digest)s, 3);
insert into assay.dataset_cases (organization_id, dataset_version_id, case_no, case_id)
select %(org)s, %(org)s, i.no - 1, i.id from unnest(%(cases)s::uuid[]) with ordinality i (id, no);
insert into assay.evaluation_jobs
  (organization_id, id, name, state, plan, config_hash, dataset_version_id, prompt_count, model_count,
   repeat_count, planned, cap_nanousd)
values (%(org)s, %(job)s, 'job', 'queued', '{}', %(hash)s, %(org)s, 1, 1, 2, 6, 1000);
insert into assay.job_prompts values (%(org)s, %(job)s, 0, %(prompt)s, 'p');
insert into assay.job_models values (%(org)s, %(job)s, 0, %(model)s, 'm');
select assay.expand_job(%(job)s, '[[0, 0, 100, 0]]', 100);
"""
RECORD = """
select assay.record(%s, (
  select jsonb_agg(jsonb_build_object(
    'item_no', c.item_no, 'lease_token', c.lease_token, 'call_no', 1, 'kind', 'success', 'outcome', 'ok',
    'output', 'yes', 'finish', 'complete', 'latency_ms', 5, 'input_tokens', 9, 'output_tokens', 3,
    'cost_nanousd', 50, 'cached', false, 'request_key', encode(sha256(c.item_no::text::bytea), 'hex'),
    'scores', jsonb_build_array(jsonb_build_array('exact', '1', 'scored', 0.5, true, 'half', null))))
    from assay.claim(%s, 'worker', %s, interval '30 seconds') c))
"""


def upgrade_to(dsn: str, revision: str) -> None:
    """Run the migrations up to a revision, from an empty database or an earlier one."""
    command: Any = importlib.import_module("alembic.command")
    config: Any = importlib.import_module("alembic.config").Config()
    sqlalchemy: Any = importlib.import_module("sqlalchemy")
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(dsn), poolclass=sqlalchemy.pool.NullPool
    )
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def add_tenant(dsn: str, *, finished: bool) -> tuple[UUID, UUID]:
    """A tenant with one job, of whose six cells all, or two, have an answer; its id and the job's."""
    ids = {name: new_id() for name in ("org", "prompt", "model", "job")}
    digest = hashlib.sha256(b"".join(hashlib.sha256(str(n).encode()).digest() for n in (1, 2, 3))).digest()
    values = {**ids, "cases": [new_id() for _ in range(3)], "hash": bytes(32), "digest": digest}
    with psycopg.connect(dsn) as connection:
        connection.execute("select set_config('assay.organization_id', %s, true)", [str(ids["org"])])
        connection.execute("set local role assay_app")
        for statement in SETUP.split(";\n"):
            if statement.strip():
                connection.execute(statement, values)
        connection.execute(RECORD, [ids["job"], ids["job"], 6 if finished else 2])
        if finished:
            connection.execute("select assay.reap(%s, interval '30 seconds')", [ids["job"]])
        else:
            connection.execute("select assay.claim(%s, 'dead', 1, interval '30 seconds')", [ids["job"]])
    return ids["org"], ids["job"]
