"""Asks what the pages and the API ask, as one tenant, and reads the plans."""

import json
import random
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from assay.storage import budgets, jobs
from assay.storage.tenancy import Signer
from database.fill import acting

BIG = ("evaluation_results", "metric_scores", "model_calls", "evaluation_queue")
MEDIAN_MS, P95_MS = 50.0, 200.0

QUERIES: Mapping[str, str] = {
    "jobs, newest 50": jobs.LIST_HEADS.replace("%s", "%(org)s", 1).replace("%s", "50"),
    "job by id": jobs.GET_JOB.replace("%s", "%(org)s", 1).replace("%s", "%(job)s", 1),
    "job_progress of a job": """
        select * from assay.job_progress where organization_id = %(org)s and job_id = %(job)s""",
    "active_jobs": """
        select * from assay.active_jobs where organization_id = %(org)s order by job_id desc limit 50""",
    "recent_results, first page": """
        select * from assay.recent_results where organization_id = %(org)s
         order by organization_id, job_id desc, item_no desc limit 50""",
    "recent_results, a later page": """
        select * from assay.recent_results
         where organization_id = %(org)s and (job_id, item_no) < (%(job)s, 500)
         order by organization_id, job_id desc, item_no desc limit 50""",
    "results of a job, a page": """
        select * from assay.recent_results
         where organization_id = %(org)s and job_id = %(job)s and item_no > 300 order by item_no limit 50""",
    "scores of a result": """
        select * from assay.metric_scores
         where organization_id = %(org)s and job_id = %(job)s and item_no = 77""",
    "failed_items of a job": """
        select * from assay.failed_items where organization_id = %(org)s and job_id = %(job)s""",
    "calls of a cell": """
        select * from assay.model_calls
         where organization_id = %(org)s and job_id = %(job)s and item_no = 77""",
    "model_comparison of a job": """
        select * from assay.model_comparison where organization_id = %(org)s and job_id = %(job)s""",
    "prompt_performance, 90 days": """
        select * from assay.prompt_performance
         where organization_id = %(org)s and day > current_date - 90 order by day desc limit 200""",
    "leaderboard": "select * from assay.leaderboard where organization_id = %(org)s order by mean desc",
    "cost_by_day, 90 days": """
        select * from assay.cost_by_day where organization_id = %(org)s and day > current_date - 90""",
    "cost_by_job, 50": "select * from assay.cost_by_job where organization_id = %(org)s limit 50",
    "cost_by_model, 90 days": """
        select * from assay.cost_by_model where organization_id = %(org)s and day > current_date - 90""",
    "budget_state": budgets.LIST_BUDGETS.replace("%s", "%(org)s"),
    "queue_lag": "select * from assay.queue_lag where organization_id = %(org)s",
    "stuck_jobs": "select * from assay.stuck_jobs where organization_id = %(org)s",
    "stale_caches": "select * from assay.stale_caches where organization_id = %(org)s",
    "audit_log, newest 50": """
        select * from assay.audit_log where organization_id = %(org)s order by entry_no desc limit 50""",
    "test cases, a page": """
        select c.* from assay.dataset_cases d
          join assay.test_cases c on c.organization_id = d.organization_id and c.id = d.case_id
         where d.organization_id = %(org)s and d.dataset_version_id = %(dataset)s and d.case_no > 100
         order by d.case_no limit 50""",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """How long a query took over many tenants, and what its plan has that it must not have."""

    name: str
    rows: int
    median_ms: float
    p95_ms: float
    scans: tuple[str, ...]
    policies_per_row: bool

    @property
    def ok(self) -> bool:
        """Whether it keeps its promises."""
        fast = self.median_ms < MEDIAN_MS and self.p95_ms < P95_MS
        return fast and not self.scans and not self.policies_per_row


def ask_all(dsn: str, signer: Signer, tenants: Sequence[UUID], times: int) -> Iterator[Asked]:
    """Every query, `times` times each, for tenants and jobs drawn by chance."""
    rng = random.Random(20_260)
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name, query in QUERIES.items():
            yield _ask(connection, signer, (name, query), [rng.choice(tenants) for _ in range(times)])


def _ask(
    connection: psycopg.Connection[Any], signer: Signer, asked: tuple[str, str], tenants: Sequence[UUID]
) -> Asked:
    name, query = asked
    took_ms: list[float] = []
    rows = 0
    for tenant in tenants:
        with acting(connection, signer, tenant):
            values = _values(connection, tenant)
            began = time.perf_counter()
            rows = len(connection.execute(query, values, prepare=False).fetchall())
            took_ms.append((time.perf_counter() - began) * 1000)
    with acting(connection, signer, tenants[0]):
        plan = explain(connection, query, _values(connection, tenants[0]))
        filled = {name for (name,) in connection.execute(FILLED)}
    cuts = statistics.quantiles(took_ms, n=20)
    return Asked(
        name,
        rows,
        statistics.median(took_ms),
        cuts[-1],
        tuple(scans_of(plan, filled)),
        is_asked_per_row(plan),
    )


def _values(connection: psycopg.Connection[Any], tenant: UUID) -> dict[str, Any]:
    row = connection.execute(
        """select id, dataset_version_id from assay.evaluation_jobs where organization_id = %s
            order by created_at offset 3 limit 1""",
        [tenant],
    ).fetchone()
    assert row is not None  # noqa: S101 - the benchmark made it
    return {"org": tenant, "job": row[0], "dataset": row[1]}


def explain(connection: psycopg.Connection[Any], query: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The plan that the server chooses for this query."""
    command = sql.SQL("explain (format json, verbose) ") + sql.SQL(query)
    row = connection.execute(command, values, prepare=False).fetchone()
    assert row is not None  # noqa: S101 - explain always answers
    plan: dict[str, Any] = (json.loads(row[0]) if isinstance(row[0], str) else row[0])[0]["Plan"]
    return plan


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A plan's nodes."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


FILLED = """
select relname from pg_class where relnamespace = 'assay'::regnamespace and pg_relation_size(oid) > 0
"""
"""The partitions of the month to come are empty: reading them whole reads nothing."""


def scans_of(plan: Mapping[str, Any], filled: Set[str]) -> Iterator[str]:
    """The big tables with rows that a plan reads from end to end."""
    for node in nodes(plan):
        table = str(node.get("Relation Name", ""))
        if node["Node Type"] == "Seq Scan" and table.startswith(BIG) and table in filled:
            yield table


def is_asked_per_row(plan: Mapping[str, Any]) -> bool:
    """Whether a filter of the plan calls who is asking, instead of having asked once."""
    filters = ("Filter", "Index Cond", "Recheck Cond", "Join Filter", "One-Time Filter")
    asked = ("current_organization(", "has_role(", "caller(")
    return any(word in str(node.get(part, "")) for node in nodes(plan) for part in filters for word in asked)
