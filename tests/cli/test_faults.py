"""What a provider can do wrong: right results in the end, and a ledger that has every request, once."""

import asyncio

import pytest
import wire
from bench import CALL_NANOUSD, Bench
from provider import Provider, Question, refuse, repeat

REQUESTS = """
select count(*) from assay.model_calls
 where organization_id = %(org)s and coalesce(outcome, '') not in ('cached', 'released')
"""
QUICK = {"first_byte_s": 0.5, "idle_s": 0.5, "total_s": 5}


def first_time(fault: wire.Answer):
    """The fault when something is asked for the first time, an answer after that."""
    return lambda question: fault if question.seen == 0 else repeat(question)


async def stalled(connection: wire.Wire) -> None:
    """A head and half a body, then nothing."""
    await connection.send(
        wire.head(200, {"content-type": wire.JSON, "content-length": "500"}) + b'{"id": "x"'
    )
    await connection.hang()


async def cut_off(connection: wire.Wire) -> None:
    """A head and half a body, then the end."""
    await connection.send(
        wire.head(200, {"content-type": wire.JSON, "content-length": "500"}) + b'{"id": "x"'
    )
    connection.writer.close()


FAULTS = {
    "500": (refuse(500, "server_error"), "model_unavailable"),
    "503 overloaded": (refuse(503, "overloaded_error", retry_after="0"), "rate_limited"),
    "silence": (wire.silence, "model_timeout"),
    "stall": (stalled, "model_timeout"),
    "reset": (wire.reset_at_once, "model_unavailable"),
    "cut off": (cut_off, "invalid_response"),
    "no JSON": (wire.respond(200, b"<html>gateway</html>", "text/html"), "invalid_response"),
    "no HTTP": (wire.not_http, "invalid_response"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_passing_fault_is_repaired_and_every_request_is_in_the_ledger(
    bench: Bench, provider: Provider, fault: str
) -> None:
    answer, outcome = FAULTS[fault]
    provider.decide = first_time(answer)
    bench.suite(3, models=[bench.model(timeouts=QUICK)])
    done = bench.run("run", "-o", "r.csv")
    assert done.code == 0, done.err
    assert bench.states() == {"succeeded": 3}
    assert provider.count == bench.value(REQUESTS) == 6
    assert bench.outcomes() == {outcome: 3, "ok": 3}
    assert bench.jobs()[0]["spent_nanousd"] == 3 * CALL_NANOUSD
    assert bench.value("select sum(value) from assay.metric_scores where organization_id = %(org)s") == 3
    assert bench.broken() == []


def test_a_burst_of_429_is_sat_out_as_long_as_it_asks(bench: Bench, provider: Provider) -> None:
    loop_times: list[float] = []

    def decide(question: Question) -> wire.Answer:
        loop_times.append(asyncio.get_running_loop().time())
        return (
            refuse(429, "rate_limit_exceeded", retry_after="1") if question.number < 6 else repeat(question)
        )

    provider.decide = decide
    bench.suite(12)
    done = bench.run("run", "-j", "6")
    assert done.code == 0, done.err
    assert bench.states() == {"succeeded": 12}
    assert provider.count == 18 == bench.value(REQUESTS)
    assert bench.outcomes() == {"rate_limited": 6, "ok": 12}
    assert loop_times[6] - loop_times[0] >= 1.0
    assert (
        bench.value("select max(attempts) from assay.evaluation_queue where organization_id = %(org)s") == 1
    )
    assert bench.broken() == []


def test_a_permanent_refusal_is_asked_once(bench: Bench, provider: Provider) -> None:
    provider.decide = lambda question: (
        refuse(400, message="bad") if question.number == 1 else repeat(question)
    )
    bench.suite(4)
    done = bench.run("run", "-j", "1")
    assert done.code == 0
    assert provider.count == 4 == bench.value(REQUESTS)
    assert bench.outcomes() == {"ok": 3, "request_rejected": 1}


def test_a_model_that_is_away_is_said_so_and_can_be_resumed_or_retried(
    bench: Bench, provider: Provider
) -> None:
    provider.decide = lambda _: refuse(404, "model_not_found", "no such model")
    bench.suite(2)
    done = bench.run("run")
    assert done.code == 1
    assert "are model and base_url right?" in done.err
    provider.decide = repeat
    assert bench.run("retry").code == 0
    assert bench.broken() == []


def test_an_account_that_is_used_up_stops_its_model_and_no_other(bench: Bench, provider: Provider) -> None:
    def decide(question: Question) -> wire.Answer:
        if question.body["model"] == "poor":
            return refuse(429, "insufficient_quota", "You exceeded your current quota.")
        return repeat(question)

    provider.decide = decide
    provider.latency_s = 0.01
    poor = bench.model("poor", limits={"max_concurrency": 2})
    bench.suite(60, models=[poor, bench.model("rich")])
    done = bench.run("run", "-j", "8")
    assert done.code == 1
    assert "poor: account stopped" in done.err
    assert "assay resume" in done.err
    by_model = dict(
        bench.rows(
            """select model_no || ' ' || state::text, count(*) from assay.evaluation_queue
                where organization_id = %(org)s group by 1"""
        )
    )
    assert by_model == {"0 ready": 60, "1 succeeded": 60}
    asked_poor = sum(1 for question in provider.questions if question.body["model"] == "poor")
    assert asked_poor == bench.outcomes()["account_stopped"]
    assert asked_poor < 60
    assert bench.jobs()[0]["state"] == "paused"
    assert bench.jobs()[0]["stop_reason"] == "account_stopped"
    assert (
        bench.value(
            "select max(attempts) from assay.evaluation_queue "
            "where organization_id = %(org)s and model_no = 0"
        )
        == 0
    )
    assert bench.broken() == []
    provider.decide = repeat
    assert bench.run("resume").code == 0
    assert bench.states() == {"succeeded": 120}
    assert bench.broken() == []


def test_errors_up_to_the_limit_stop_the_run_and_it_can_go_on(bench: Bench, provider: Provider) -> None:
    provider.decide = lambda _: refuse(400, message="bad request")
    provider.latency_s = 0.02
    bench.suite(200)
    done = bench.run("run", "-j", "2", "--max-errors", "5")
    assert done.code == 1
    assert "too many cells failed" in done.err
    states = bench.states()
    assert 5 <= states["failed"] < 200
    assert states["failed"] + states["ready"] == 200
    assert provider.count == states["failed"] == bench.value(REQUESTS)
    assert bench.jobs()[0]["stop_reason"] == "errors"
    assert bench.broken() == []
    provider.decide = repeat
    provider.latency_s = 0
    assert bench.run("resume").code == 0
    assert bench.states() == {"failed": states["failed"], "succeeded": states["ready"]}
    assert bench.run("retry").code == 0
    assert bench.broken() == []


def test_fail_fast_stops_at_the_first_failure(bench: Bench, provider: Provider) -> None:
    provider.decide = lambda _: refuse(400)
    provider.latency_s = 0.02
    bench.suite(100)
    done = bench.run("run", "-j", "1", "--fail-fast")
    assert done.code == 1
    assert provider.count < 100
    assert bench.states()["failed"] == provider.count
