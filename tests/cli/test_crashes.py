"""Processes killed at any moment: nothing is lost, nothing is done twice but what was under way."""

import os
import random
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from bench import Bench, make_environment
from provider import Provider

from assay.storage import embedded

CELLS, KILLS = 700, 6
"""So many cells that few are under way at two kills: those would run alone, one after the other."""
CALLS = """
select q.item_no, 'question ' || q.case_no, count(*) filter (where c.state = 'unknown'),
       count(*) filter (where c.outcome = 'ok')
  from assay.evaluation_queue q join assay.model_calls c using (organization_id, job_id, item_no)
 where q.organization_id = %(org)s group by 1, 2
"""


def test_a_run_that_is_killed_again_and_again_loses_and_doubles_nothing(
    bench: Bench, provider: Provider
) -> None:
    rng = random.Random(20261123)
    provider.latency_s = 0.05
    bench.suite(CELLS)
    in_flight = 0
    arguments: tuple[str, ...] = ("run", "-j", "20")
    for _ in range(KILLS):
        reached, wanted = threading.Event(), provider.count + rng.randint(5, 35)
        provider.on_question = lambda number, n=wanted, e=reached: e.set() if number >= n else None
        child = bench.spawn(*arguments)
        assert reached.wait(60), child.poll()
        time.sleep(rng.random() * 0.1)
        child.kill()
        child.wait()
        while provider.open_requests:
            time.sleep(0.01)
        answered = bench.value(
            "select count(*) from assay.evaluation_results where organization_id = %(org)s"
        )
        in_flight = provider.count - answered
        assert bench.broken() == []
        arguments = ("resume", "last", "-j", "20")
    assert in_flight > 0
    provider.on_question = None
    done = bench.finish(bench.spawn(*arguments))
    assert done.code == 0, done.err
    assert bench.states() == {"succeeded": CELLS}
    assert (
        bench.value("select count(*) from assay.evaluation_results where organization_id = %(org)s") == CELLS
    )
    assert provider.count <= CELLS + in_flight
    asked = Counter(provider.counts)
    for _, question, unknown, ok in bench.rows(CALLS):
        assert ok == 1
        assert 1 <= asked[question] <= 1 + unknown
    assert bench.broken() == []


@pytest.fixture
def own_database(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A server that no other test uses."""
    data = tmp_path / "data"
    environment = make_environment(data, tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    bench.environment = environment
    return data


def test_a_run_outlives_its_database_and_the_supervisor(
    bench: Bench, provider: Provider, own_database: Path
) -> None:
    provider.latency_s = 0.15
    bench.suite(240)
    victims = iter(("pid", "supervisor_pid", "both"))
    marks = [60, 120, 180]
    reached = [threading.Event() for _ in marks]

    def note(number: int) -> None:
        for mark, event in zip(marks, reached, strict=True):
            if number >= mark:
                event.set()

    provider.on_question = note
    child = bench.spawn("run", "-j", "6")
    for event in reached:
        assert event.wait(60), child.poll()
        while not (found := embedded.status(own_database)).running:
            assert child.poll() is None, "the run was over before its server was back"
            time.sleep(0.02)
        victim = next(victims)
        for name in ("supervisor_pid", "pid") if victim == "both" else (victim,):
            with suppress(ProcessLookupError):  # a server ends with its supervisor
                os.kill(getattr(found, name), signal.SIGKILL)
    done = bench.finish(child)
    assert done.code == 0, done.err
    with embedded.start(own_database) as server:
        bench.dsn = server.dsn()
        assert bench.states() == {"succeeded": 240}
        assert (
            bench.value("select count(*) from assay.evaluation_results where organization_id = %(org)s")
            == 240
        )
        assert provider.count == 240
        assert bench.broken() == []
    embedded.stop(own_database)
