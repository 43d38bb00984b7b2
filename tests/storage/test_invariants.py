"""The invariants see what they claim to see, in one tenant as the application and in all as psql."""

import subprocess
from pathlib import Path

import psycopg
import pytest

from assay.storage import embedded
from tenants import INVARIANTS, Tenant, act_for, make_failure, make_success

FILE = Path(__file__).parents[2] / "migrations" / "invariants.sql"

DAMAGE = {
    "I01": "update assay.evaluation_queue set state = 'succeeded' where job_id = %(job)s and item_no = 1",
    "I02": "update assay.evaluation_queue set state = 'failed' where job_id = %(job)s and item_no = 0",
    "I03": "update assay.evaluation_results set lease_token = lease_token - 1 where job_id = %(job)s",
    "I04": "update assay.evaluation_queue set case_no = 2 where job_id = %(job)s and item_no = 1",
    "I05": "delete from assay.evaluation_queue where job_id = %(job)s and item_no = 4",
    "I06": "update assay.evaluation_jobs set state = 'failed' where id = %(job)s",
    "I07": "update assay.evaluation_jobs set reserved_nanousd = reserved_nanousd + 1 where id = %(job)s",
    "I08": "update assay.evaluation_jobs set spent_nanousd = spent_nanousd + 1 where id = %(job)s",
    "I09": "update assay.evaluation_jobs set cap_nanousd = 1 where id = %(job)s",
    "I10": """update assay.evaluation_queue set state = 'ready', lease_expires_at = null
               where job_id = %(job)s and item_no = 2""",
    "I11": """update assay.model_calls set state = 'settled', closed_at = clock_timestamp(), cost_nanousd = 0
               where job_id = %(job)s and item_no = 2""",
    "I12": "update assay.evaluation_queue set attempts = 9 where job_id = %(job)s and item_no = 2",
    "I13": "update assay.evaluation_queue set crashes = 1 where job_id = %(job)s and item_no = 2",
    "I14": """update assay.evaluation_queue set lease_expires_at = clock_timestamp() - interval '1 day'
               where job_id = %(job)s and item_no = 2""",
    "I16": "update assay.evaluation_queue set state = 'dead' where job_id = %(job)s and item_no = 1",
    "I17": "update assay.evaluation_jobs set unpriced_calls = 1 where id = %(job)s",
    "I18": "update assay.evaluation_jobs set succeeded_items = 4 where id = %(job)s",
    "I19": "update assay.evaluation_job_summaries set value_sum = value_sum + 1 where job_id = %(job)s",
    "I21": "update assay.metric_scores set item_no = 99 where job_id = %(job)s and metric = 'exact'",
    "I22": """insert into assay.model_calls
              (organization_id, job_id, item_no, lease_token, call_no, role, counts, metric, judge,
               estimate_nanousd, opened_at)
              select organization_id, job_id, item_no, lease_token, 9, 'judge', false, 'm', 'j', 0,
                     clock_timestamp() - interval '2 hours'
                from assay.model_calls where job_id = %(job)s and item_no = 0""",
    "I23": """insert into assay.judge_canaries
              (organization_id, job_id, metric, canary, state, threshold)
              select organization_id, id, 'nobody', 'empty', 'held', 0.5 from assay.evaluation_jobs
               where id = %(job)s""",
    "I20": "update assay.call_costs set cost_nanousd = cost_nanousd + 1 where job_id = %(job)s",
}


@pytest.mark.parametrize("name", sorted(DAMAGE))
async def test_each_invariant_sees_its_damage(dsn: str, tenant: Tenant, name: str) -> None:
    job = await tenant.make_job(cases=5, cap_nanousd=10_000)
    items = await job.queue.claim(3)
    await job.queue.record([make_success(items[0]), make_failure(items[1])])
    assert await tenant.violations() == []
    with psycopg.connect(dsn, autocommit=True) as connection, connection.transaction(force_rollback=True):
        connection.execute("set local session_replication_role = replica")
        connection.execute(DAMAGE[name], {"job": job.id})
        connection.execute("set local role assay_app")
        act_for(connection, tenant.organization_id)
        found = {row[0][:3]: row[1] for row in connection.execute(INVARIANTS).fetchall()}
    assert set(found) == set(DAMAGE)
    assert found[name] >= 1


def test_psql_runs_the_file(scratch_dsn: str) -> None:
    command = [embedded.psql_path(), scratch_dsn, "-XAtq", "-v", "ON_ERROR_STOP=1", "-f", FILE]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    assert [line[:3] for line in lines] == sorted(DAMAGE)
    assert {line.rpartition("|")[2] for line in lines} == {"0"}
