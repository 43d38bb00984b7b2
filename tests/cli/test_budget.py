"""A budget is a promise: never more, said clearly, and raised by whoever wants to go on."""

from bench import CALL_NANOUSD, Bench
from provider import Provider, refuse, repeat

CHAT = {"model": "app", "messages": [{"role": "user", "content": "{{ prompt }}"}]}


def test_a_budget_stops_the_run_and_more_of_it_lets_it_go_on(bench: Bench, provider: Provider) -> None:
    provider.latency_s = 0.01
    bench.suite(60)
    done = bench.run("run", "-j", "4", "--budget", "0.0006")
    assert done.code == 1
    assert "budget" in done.err
    assert "of $0.0006" in done.err
    assert "--budget" in done.err
    (job,) = bench.jobs()
    assert (job["state"], job["stop_reason"]) == ("paused", "budget")
    assert 0 < job["spent_nanousd"] == provider.count * CALL_NANOUSD <= 600_000
    assert bench.broken() == []
    still = bench.run("resume")
    assert still.code == 1
    assert provider.count * CALL_NANOUSD == job["spent_nanousd"]
    less = bench.run("resume", "--budget", "0.0001")
    assert less.code == 2
    assert "--budget" in less.err
    more = bench.run("resume", "--budget", "1")
    assert more.code == 0, more.err
    assert bench.states() == {"succeeded": 60}
    assert provider.count == 60
    assert bench.jobs()[0]["spent_nanousd"] == 60 * CALL_NANOUSD
    assert bench.broken() == []
    finished = bench.run("resume", "--budget", "2")
    assert finished.code == 1
    assert "finished" in finished.err


def test_a_budget_of_the_suite_holds_too(bench: Bench, provider: Provider) -> None:
    bench.suite(30, budget_usd=0.0002)
    assert bench.run("run").code == 1
    assert provider.count * CALL_NANOUSD <= 200_000
    assert bench.broken() == []


def test_a_budget_that_fits_nothing_asks_nothing(bench: Bench, provider: Provider) -> None:
    bench.suite(3)
    done = bench.run("run", "--budget", "0")
    assert done.code == 1
    assert provider.count == 0
    assert bench.states() == {"ready": 3}


def test_a_budget_cannot_be_put_on_unknown_prices_later(bench: Bench, provider: Provider) -> None:
    provider.decide = lambda _: refuse(400)
    model = {"id": "http:app", "label": "app", "base_url": provider.url, "options": {"body": CHAT}}
    bench.suite(40, models=[model])
    assert bench.run("run", "--max-errors", "1", "-j", "1").code == 1
    done = bench.run("resume", "--budget", "1")
    assert done.code == 2
    assert "price" in done.err
    assert bench.jobs()[0]["cap_nanousd"] is None


def test_failed_and_repeated_calls_are_within_the_budget(bench: Bench, provider: Provider) -> None:
    provider.decide = lambda question: refuse(500) if question.seen == 0 else repeat(question)
    bench.suite(12)
    done = bench.run("run", "--budget", "0.0003")
    assert done.code in (0, 1)
    assert bench.jobs()[0]["spent_nanousd"] <= 300_000
    assert bench.broken() == []


def test_a_retry_has_what_is_left_of_the_budget(bench: Bench, provider: Provider) -> None:
    provider.decide = lambda question: refuse(400) if question.number == 0 else repeat(question)
    bench.suite(2)
    assert bench.run("run", "--budget", "0.01", "-j", "1").code == 0
    assert bench.run("retry").code == 0
    parent, child = bench.jobs()
    assert child["cap_nanousd"] == 10_000_000 - parent["spent_nanousd"]
