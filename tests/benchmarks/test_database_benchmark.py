"""The questions that the pages ask, on a small database: no plan reads a big table whole or asks per row."""

import importlib
from pathlib import Path
from types import ModuleType

import psycopg
import pytest

from tenants import SIGNER

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark's questions, as its program finds them."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("database.ask")


def test_every_question_of_a_tenant_goes_by_an_index_and_asks_once_who_is_asking(
    ask: ModuleType, scratch_dsn: str
) -> None:
    fill = importlib.import_module("database.fill")
    filled = fill.fill(scratch_dsn, SIGNER, tenants=2, jobs=4, writers=2)
    with psycopg.connect(scratch_dsn, autocommit=True) as connection:
        connection.execute("vacuum analyze")
    answers = list(ask.ask_all(scratch_dsn, SIGNER, filled.tenants, times=2))
    assert [each.name for each in answers if each.scans or each.policies_per_row] == []
    empty = {"active_jobs", "failed_items of a job", "queue_lag", "stuck_jobs", "stale_caches"}
    assert {each.name for each in answers if not each.rows} == empty
    with psycopg.connect(scratch_dsn, autocommit=True) as connection:
        with ask.acting(connection, SIGNER, filled.tenants[0]):
            # With two tenants half of the table is either's, and the planner may go either way.
            connection.execute("set local enable_indexscan = off")
            connection.execute("set local enable_bitmapscan = off")
            bad = ask.explain(connection, "select * from assay.metric_scores where value > 2", {})
            rows = {name for (name,) in connection.execute(ask.FILLED)}
        assert list(ask.scans_of(bad, rows))
        query = "select * from assay.evaluation_jobs where organization_id = assay.current_organization()"
        per_row = ask.explain(connection, query, {})
        assert ask.is_asked_per_row(per_row)
