"""A row of a tenant in every table that there is, so that what holds for all tables can be tried on all."""

from typing import Any
from uuid import UUID

import psycopg

from assay.domain.ids import new_id
from tenants import MadeJob, Tenant, act_for, make_success

ROWS = """
insert into assay.users (organization_id, id, subject, email, disabled_at)
select %(org)s, u.id, u.subject, u.subject || '@example.org', u.disabled_at
  from (values (%(owner)s::uuid, 'owner', null::timestamptz), (%(viewer)s, 'viewer', null),
               (%(left)s, 'left', null),
               (%(disabled)s, 'disabled', clock_timestamp())) u (id, subject, disabled_at);
insert into assay.memberships (organization_id, user_id, role) values
  (%(org)s, %(owner)s, 'owner'), (%(org)s, %(viewer)s, 'viewer'), (%(org)s, %(disabled)s, 'admin');
insert into assay.api_keys (organization_id, id, name, prefix, key_hash, role, expires_at, revoked_at) values
  (%(org)s, %(key)s, 'good', 'assay_aaaaaaaa', sha256('1'), 'analyst', null, null),
  (%(org)s, %(revoked)s, 'revoked', 'assay_bbbbbbbb', sha256('2'), 'owner', null, clock_timestamp()),
  (%(org)s, %(expired)s, 'expired', 'assay_cccccccc', sha256('3'), 'owner', clock_timestamp(), null);
insert into assay.judge_canaries (organization_id, job_id, metric, canary, state, threshold, value, reason)
values (%(org)s, %(job)s, 'exact', 'planted', 'flagged', 0.5, 0.9, 'the customer is called Ada');
with k as (insert into assay.tenant_data_keys (organization_id, master_key_id, nonce, wrapped_key)
           values (%(org)s, 'm', decode(repeat('00', 12), 'hex'), decode(repeat('00', 48), 'hex'))
           returning *)
insert into assay.provider_credentials (organization_id, name, provider, data_key_id, nonce, ciphertext)
select organization_id, 'c', 'openai', id, nonce, wrapped_key from k;
insert into assay.model_prices (organization_id, provider, model, version, input_nanousd, output_nanousd)
values (%(org)s, 'echo', 'e0', '1', 1, 2);
insert into assay.prompt_labels (organization_id, template_id, label, prompt_version_id)
select organization_id, template_id, 'production', id from assay.prompt_versions
 where organization_id = %(org)s;
insert into assay.dataset_labels (organization_id, dataset_id, label, dataset_version_id)
select organization_id, dataset_id, 'production', id from assay.dataset_versions
 where organization_id = %(org)s;
insert into assay.budgets (organization_id, id, name, period, cap_nanousd)
values (%(org)s, %(budget)s, 'month', 'month', 1000000);
insert into assay.budget_reservations (organization_id, budget_id, period_start)
values (%(org)s, %(budget)s, '2020-01-01');
insert into assay.ab_tests (organization_id, id, name, salt, primary_metric)
values (%(org)s, %(test)s, 't', 'saltsalt', 'clicked');
insert into assay.ab_test_variants (organization_id, ab_test_id, variant_no, name, weight)
values (%(org)s, %(test)s, 0, 'control', 1);
insert into assay.ab_test_assignments (organization_id, ab_test_id, unit, variant_no)
values (%(org)s, %(test)s, 'unit', 0);
with i as (insert into assay.ab_test_interactions (organization_id, ab_test_id, unit, variant_no, output)
           values (%(org)s, %(test)s, 'unit', 0, 'yes') returning *)
insert into assay.ab_test_outcomes (organization_id, interaction_id, metric, value)
select organization_id, id, 'clicked', 1 from i;
with q as (insert into assay.annotation_queues (organization_id, name, form) values (%(org)s, 'q', '{}')
           returning *)
insert into assay.annotations (organization_id, queue_id, job_id, item_no, metric, value)
select organization_id, id, %(job)s, 0, 'exact', 1 from q;
insert into assay.schedules (organization_id, name, kind, cron, definition)
values (%(org)s, 'nightly', 'job', '0 2 * * *', '{}');
insert into assay.reports (organization_id, title, format, error_message)
values (%(org)s, 'r', 'pdf', 'no fonts');
with r as (insert into assay.alert_rules (organization_id, name, measure, comparison, threshold)
           values (%(org)s, 'low', 'exact', 'below', 0.5) returning *)
insert into assay.alerts (organization_id, rule_id, value, message)
select organization_id, id, 0.4, 'low' from r;
"""

IDS = ("owner", "viewer", "left", "disabled", "key", "revoked", "expired", "budget", "test")


async def fill(superuser: psycopg.Connection[Any], tenant: Tenant) -> dict[str, UUID]:
    """Put a row of the tenant into every table; the ids of its people, keys and things, and of its job."""
    job: MadeJob = await tenant.make_job(cases=1)
    await job.queue.record([make_success(item) for item in await job.queue.claim(1)])
    await job.queue.sweep()
    ids = {name: new_id() for name in IDS} | {"job": job.id}
    parameters = {"org": tenant.organization_id, **ids}
    with superuser.transaction():
        act_for(superuser, tenant.organization_id)
        for statement in ROWS.split(";\n"):
            if statement.strip():
                superuser.execute(statement, parameters)
    return ids
