"""Two jobs side by side: on the same cases, or not at all."""

from bench import Bench
from provider import Provider, repeat, say


def test_two_jobs_on_the_same_cases_are_paired(bench: Bench, provider: Provider) -> None:
    bench.suite(40)
    provider.decide = lambda question: say("wrong") if int(question.text.split()[1]) % 2 else repeat(question)
    assert bench.run("run").code == 0
    provider.decide = repeat
    assert bench.run("run", "--no-cache").code == 0
    first, second = (job["id"] for job in bench.jobs())
    done = bench.run("compare", first, second, "--json")
    assert done.code == 0, done.err
    (verdict,) = done.json["verdicts"]
    (pair,) = verdict["pairs"]
    assert second[-6:] in verdict["best"]
    assert pair["comparison"]["n"] == 40
    shown = bench.run("compare", first[-6:], "last")
    assert shown.code == 0
    assert "beats" in shown.out


def test_other_cases_are_refused_unless_forced(bench: Bench) -> None:
    bench.suite(12)
    bench.run("run")
    bench.suite(10)
    bench.run("run")
    first, second = (job["id"] for job in bench.jobs())
    refused = bench.run("compare", first, second)
    assert refused.code == 1
    assert "data sets differ" in refused.err
    assert "--force" in refused.err
    forced = bench.run("compare", first, second, "--force")
    assert forced.code == 0, forced.err
    assert "data sets differ" in forced.err
    assert "n=10" in forced.out


def test_other_options_of_a_metric_are_refused_unless_forced(bench: Bench) -> None:
    bench.suite(4)
    bench.run("run")
    bench.suite(4, metrics=[{"type": "exact", "options": {"ignore_case": True}}])
    bench.run("run")
    first, second = (job["id"] for job in bench.jobs())
    refused = bench.run("compare", first, second)
    assert refused.code == 1
    assert "exact" in refused.err
    assert bench.run("compare", first, second, "--force").code == 0


def test_a_job_that_is_not_there_cannot_be_compared(bench: Bench) -> None:
    bench.suite(1)
    bench.run("run")
    assert bench.run("compare", "last", "nothing").code == 2
