"""Ctrl-C, two workers on one job, and cancelling from elsewhere: in processes of their own."""

import signal
import subprocess
import threading
import time

import pytest
from bench import CALL_NANOUSD, Bench
from provider import Provider

CELLS = 120
OWNERS = "select count(distinct worker) from assay.model_calls where organization_id = %(org)s"


def after(provider: Provider, count: int) -> threading.Event:
    """Set when so many requests have come."""
    reached = threading.Event()
    provider.on_question = lambda number: reached.set() if number + 1 >= count else None
    return reached


def test_one_ctrl_c_stores_what_is_answered_and_hands_back_the_rest(bench: Bench, provider: Provider) -> None:
    provider.latency_s = 0.15
    bench.suite(CELLS)
    reached = after(provider, 25)
    child = bench.spawn("run", "-j", "10")
    assert reached.wait(60)
    child.send_signal(signal.SIGINT)
    asked = provider.count
    done = bench.finish(child)
    assert done.code == 130, done.err
    job = bench.jobs()[0]
    assert f"assay resume {job['id']}" in done.err
    assert provider.count <= asked + 10
    states = bench.states()
    assert states == {"succeeded": provider.count, "ready": CELLS - provider.count}
    assert (job["state"], job["stop_reason"]) == ("paused", "interrupted")
    assert job["spent_nanousd"] == provider.count * CALL_NANOUSD
    assert job["reserved_nanousd"] == 0
    assert bench.outcomes().get("ok") == provider.count
    assert (
        bench.value(
            "select coalesce(max(attempts), 0) from assay.evaluation_queue "
            "where organization_id = %(org)s and state = 'ready'"
        )
        == 0
    )
    assert bench.value("select sum(crashes) from assay.evaluation_queue where organization_id = %(org)s") == 0
    assert (
        bench.value(
            "select count(*) from assay.model_calls where organization_id = %(org)s and state = 'unknown'"
        )
        == 0
    )
    assert bench.broken() == []
    provider.latency_s = 0
    assert bench.run("resume").code == 0
    assert bench.states() == {"succeeded": CELLS}
    assert set(provider.counts.values()) == {1}
    assert bench.broken() == []


def test_two_ctrl_c_stop_at_once_and_what_was_under_way_is_unknown(bench: Bench, provider: Provider) -> None:
    provider.latency_s = 0.02
    bench.suite(CELLS)
    hang = threading.Event()

    def slow_down(number: int) -> None:
        if number > 15:
            provider.latency_s = 600
        if number > 20:
            hang.set()

    provider.on_question = slow_down
    child = bench.spawn("run", "-j", "10")
    assert hang.wait(60)
    child.send_signal(signal.SIGINT)
    said = ""
    while "finishing" not in said:
        said = child.stderr.readline()
        assert said, "the process ended before it had heard"
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.5)
    child.send_signal(signal.SIGINT)
    done = bench.finish(child, 30)
    assert done.code == 130
    assert "assay resume" in done.err
    states = bench.states()
    assert states["succeeded"] + states["ready"] == CELLS
    unknown = bench.value(
        "select count(*) from assay.model_calls where organization_id = %(org)s and state = 'unknown'"
    )
    assert unknown == provider.count - states["succeeded"] > 0
    assert bench.broken() == []
    provider.latency_s = 0
    provider.on_question = None
    assert bench.run("resume").code == 0
    assert bench.states() == {"succeeded": CELLS}
    assert sum(provider.counts.values()) == CELLS + unknown
    assert bench.broken() == []


def test_two_processes_share_a_job_without_asking_twice(bench: Bench, provider: Provider) -> None:
    provider.latency_s = 0.3
    bench.suite(300)
    reached = after(provider, 1)
    first = bench.spawn("run", "-j", "4", "-o", "first.jsonl")
    assert reached.wait(60)
    second = bench.spawn("resume", "last", "-j", "4", "-o", "second.jsonl")
    while bench.value(OWNERS) < 2:
        assert bench.states().get("ready", 1), "the first was done before the second began"
        time.sleep(0.05)
    provider.latency_s = 0
    for child in (first, second):
        done = bench.finish(child)
        assert done.code == 0, done.err
    assert bench.states() == {"succeeded": 300}
    assert set(provider.counts.values()) == {1}
    assert bench.value(OWNERS) == 2
    assert (bench.folder / "first.jsonl").read_bytes() == (bench.folder / "second.jsonl").read_bytes()
    assert bench.jobs()[0]["spent_nanousd"] == 300 * CALL_NANOUSD
    assert bench.broken() == []


def test_a_job_is_cancelled_from_another_process(bench: Bench, provider: Provider) -> None:
    provider.latency_s = 0.05
    bench.suite(2000)
    reached = after(provider, 20)
    child = bench.spawn("run", "-j", "4")
    assert reached.wait(60)
    assert bench.run("cancel", "last").code == 0
    done = bench.finish(child)
    assert done.code == 1
    assert "cancelled" in done.err
    assert "assay resume" not in done.err
    states = bench.states()
    assert states["succeeded"] + states["cancelled"] == 2000
    assert states["succeeded"] == provider.count < 2000
    assert bench.jobs()[0]["state"] == "cancelled"
    assert bench.broken() == []
    again = bench.run("cancel", "last")
    assert again.code == 1
    assert "finished already" in again.err
    assert bench.run("show").code == 0


def test_a_pipe_that_closes_early_is_no_crash(bench: Bench) -> None:
    bench.suite(2)
    assert bench.run("run").code == 0
    child = bench.spawn("show", "--json")
    child.stdout.close()
    child.stdout = None
    _, err = child.communicate(timeout=60)
    assert "Traceback" not in err
    assert "Exception ignored" not in err
