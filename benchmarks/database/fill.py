"""Fills a database through row-level security: tenants with jobs whose cells are all answered and scored.

The rows are made in the server, as the application's role and for one tenant at a time, so that what is
measured is what PostgreSQL does: policies, checks, triggers, indexes, and the log on disk.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from assay.domain.ids import new_id
from assay.storage.tenancy import SYSTEM, Signer

METRICS = ("exact", "rouge_l", "bleu", "token_f1", "latency_ms")
CASES, PROMPTS, MODELS = 250, 2, 2
CELLS = CASES * PROMPTS * MODELS
ENTER = "select set_config('role', 'assay_app', true), set_config('assay.context', %s, true)"

TENANT = """
insert into assay.organizations (id, name) values (%(org)s, 'tenant');
insert into assay.prompt_templates (organization_id, id, name)
select %(org)s, p.id, 'prompt ' || p.no from unnest(%(prompts)s::uuid[]) with ordinality p (id, no);
insert into assay.prompt_versions (organization_id, id, template_id, version, content_hash, messages)
select %(org)s, p, p, 1, sha256(p::text::bytea), '[]' from unnest(%(prompts)s::uuid[]) p;
insert into assay.model_configs (organization_id, id, name, content_hash, provider, model)
select %(org)s, m.id, 'm' || m.no, sha256(m.id::text::bytea), 'openai', 'model-' || m.no
  from unnest(%(models)s::uuid[]) with ordinality m (id, no);
insert into assay.test_datasets (organization_id, id, name) values (%(org)s, %(dataset)s, 'cases');
insert into assay.test_cases (organization_id, dataset_id, content_hash, key, vars, expected)
select %(org)s, %(dataset)s, sha256(n::text::bytea), 'c' || n,
       jsonb_build_object('q', repeat('question ', 20)), '"a"'
  from generate_series(0, %(cases)s - 1) n;
insert into assay.dataset_versions (organization_id, id, dataset_id, version, content_hash, case_count)
select %(org)s, %(dataset)s, %(dataset)s, 1,
       sha256(string_agg(sha256(n::text::bytea), ''::bytea order by n)), %(cases)s
  from generate_series(0, %(cases)s - 1) n;
insert into assay.dataset_cases (organization_id, dataset_version_id, case_no, case_id)
select %(org)s, %(dataset)s, substr(c.key, 2)::int, c.id from assay.test_cases c
 where c.organization_id = %(org)s and c.dataset_id = %(dataset)s;
insert into assay.budgets (organization_id, name, period, cap_nanousd)
values (%(org)s, 'month', 'month', 1000000000000000);
"""
JOB = """
insert into assay.evaluation_jobs
  (organization_id, id, name, state, plan, config_hash, dataset_version_id, prompt_count, model_count,
   repeat_count, planned)
values (%(org)s, %(job)s, 'job', 'queued', '{}', sha256(''), %(dataset)s, %(prompt_count)s, %(model_count)s,
        1, %(cells)s);
insert into assay.job_prompts
select %(org)s, %(job)s, p.no - 1, p.id, 'p' || p.no
  from unnest(%(prompts)s::uuid[]) with ordinality p (id, no);
insert into assay.job_models
select %(org)s, %(job)s, m.no - 1, m.id, 'm' || m.no
  from unnest(%(models)s::uuid[]) with ordinality m (id, no);
select assay.expand_job(%(job)s, %(estimates)s::jsonb, 1000000);
"""
CLAIMED = "select count(*) from assay.claim(%(job)s, 'bench', %(cells)s, interval '1 hour')"
SETTLED = """
update assay.model_calls
   set state = 'settled', closed_at = clock_timestamp(), outcome = 'ok', cost_nanousd = 50000,
       input_tokens = 300, output_tokens = 60
 where organization_id = %(org)s and job_id = %(job)s
"""
ENDED = """
update assay.evaluation_queue set state = 'succeeded', lease_expires_at = null, lease_owner = null
 where organization_id = %(org)s and job_id = %(job)s
"""
RESULTS = """
insert into assay.evaluation_results
  (organization_id, job_id, item_no, lease_token, case_no, prompt_no, model_no, repeat_no, output, finish,
   latency_ms, input_tokens, output_tokens, cost_nanousd, request_key)
select q.organization_id, q.job_id, q.item_no, q.lease_token, q.case_no, q.prompt_no, q.model_no, q.repeat_no,
       repeat('An answer of a model. ', 9), 'complete', 400 + q.item_no %% 300, 300, 60, 50000,
       sha256(q.lease_token::text::bytea)
  from assay.evaluation_queue q where q.organization_id = %(org)s and q.job_id = %(job)s
"""
SCORES = """
insert into assay.metric_scores
  (organization_id, job_id, item_no, metric, version, state, value, passed, reason)
select q.organization_id, q.job_id, q.item_no, m.metric, '1', 'scored', random(), true, 'made for measuring'
  from assay.evaluation_queue q cross join unnest(%(metrics)s::text[]) m (metric)
 where q.organization_id = %(org)s and q.job_id = %(job)s
 order by q.item_no, m.metric
"""
FINISHED = "select assay.reap(%(job)s, interval '30 seconds')"
MONEY = """
update assay.evaluation_jobs set spent_nanousd = 50000::bigint * %(cells)s, reserved_nanousd = 0
 where organization_id = %(org)s and id = %(job)s
"""


@dataclass(frozen=True, slots=True)
class Filled:
    """What was made, and how long its results with their scores took to write, over all writers."""

    tenants: Sequence[UUID]
    results: int
    scores: int
    wall_s: float
    writing_s: float

    @property
    def results_per_s(self) -> float:
        """Results, each with its scores, that were written in a second while writing."""
        return self.results / self.writing_s


@contextmanager
def acting(connection: psycopg.Connection[Any], signer: Signer, tenant: UUID) -> Iterator[None]:
    """A transaction of the application for a tenant."""
    with connection.transaction():
        connection.execute(ENTER, [signer.sign(tenant, SYSTEM, time.time())])
        yield


def fill(dsn: str, signer: Signer, tenants: int, jobs: int, writers: int) -> Filled:
    """Make `tenants` x `jobs` jobs of CELLS cells each, by so many connections at once."""
    began = time.perf_counter()
    ids = [new_id() for _ in range(tenants)]
    with ThreadPoolExecutor(writers) as pool:
        parts = [pool.submit(_fill_tenants, dsn, signer, ids[n::writers], jobs) for n in range(writers)]
        writing_s = [part.result() for part in parts]
    results = tenants * jobs * CELLS
    wall_s = time.perf_counter() - began
    return Filled(ids, results, results * len(METRICS), wall_s, max(writing_s))


def _fill_tenants(dsn: str, signer: Signer, tenants: Sequence[UUID], jobs: int) -> float:
    writing_s = 0.0
    with psycopg.connect(dsn, autocommit=True) as connection:
        for tenant in tenants:
            values = {
                "org": tenant,
                "prompts": [new_id() for _ in range(PROMPTS)],
                "models": [new_id() for _ in range(MODELS)],
                "dataset": new_id(),
                "cases": CASES,
                "prompt_count": PROMPTS,
                "model_count": MODELS,
                "cells": CELLS,
                "metrics": list(METRICS),
                "estimates": str([[p, m, 60_000, 0] for p in range(PROMPTS) for m in range(MODELS)]),
            }
            with acting(connection, signer, tenant):
                _run(connection, TENANT, values)
            for _ in range(jobs):
                writing_s += _fill_job(connection, signer, {**values, "job": new_id()})
    return writing_s


def _fill_job(connection: psycopg.Connection[Any], signer: Signer, values: dict[str, Any]) -> float:
    with acting(connection, signer, values["org"]):
        _run(connection, JOB, values)
        connection.execute(CLAIMED, values)
        connection.execute(SETTLED, values)
        connection.execute(ENDED, values)
    began = time.perf_counter()
    with acting(connection, signer, values["org"]):
        connection.execute(RESULTS, values)
        connection.execute(SCORES, values)
    writing_s = time.perf_counter() - began
    with acting(connection, signer, values["org"]):
        connection.execute(MONEY, values)
        connection.execute(FINISHED, values)
    return writing_s


def _run(connection: psycopg.Connection[Any], statements: str, values: dict[str, Any]) -> None:
    for statement in statements.split(";\n"):
        if statement.strip():
            connection.execute(statement, values)
