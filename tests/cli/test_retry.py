"""Failed cells again: a child job, and one table of both."""

from bench import CALL_NANOUSD, Bench
from provider import Provider, refuse, repeat

from assay.formats.results import read_results


def test_a_retry_asks_the_failed_cells_alone_and_the_table_has_them_all(
    bench: Bench, provider: Provider
) -> None:
    provider.decide = lambda question: refuse(400) if question.text.endswith(("1", "4")) else repeat(question)
    bench.suite(6)
    assert "4/6 scored" in bench.run("run", "-o", "first.jsonl").out
    provider.decide = repeat
    before = provider.count
    done = bench.run("retry", "-o", "merged.jsonl", "--json")
    assert done.code == 0, done.err
    assert provider.count == before + 2
    parent, child = bench.jobs()
    assert child["parent_job_id"] == parent["id"]
    assert child["planned"] == 2
    assert (parent["state"], child["state"]) == ("completed", "completed")
    (candidate,) = done.json["candidates"]
    assert (candidate["planned"], candidate["succeeded"], candidate["errors"], candidate["pending"]) == (
        6,
        6,
        0,
        0,
    )
    assert done.json["metrics"][0]["scored"] == 6
    merged = list(read_results(bench.folder / "merged.jsonl"))
    assert [each.state for each in merged] == ["succeeded"] * 6
    assert [each.response.text for each in merged] == [f"question {n}" for n in range(6)]
    assert child["spent_nanousd"] == 2 * CALL_NANOUSD
    assert bench.broken() == []
    assert "4/6 scored" in bench.run("show", parent["id"]).out


def test_a_retry_of_a_narrowed_job_counts_its_cases_alone(bench: Bench, provider: Provider) -> None:
    provider.decide = lambda question: refuse(400) if question.text.endswith("1") else repeat(question)
    bench.suite(6)
    bench.run("run", "--limit", "3")
    provider.decide = repeat
    (candidate,) = bench.run("retry", "--json").json["candidates"]
    assert (candidate["planned"], candidate["succeeded"], candidate["pending"]) == (3, 3, 0)


def test_what_fails_again_can_be_retried_again(bench: Bench, provider: Provider) -> None:
    bench.suite(3)
    provider.decide = lambda _: refuse(400)
    assert bench.run("run").code == 1
    provider.decide = lambda question: refuse(400) if question.text.endswith("2") else repeat(question)
    assert "2/3 scored" in bench.run("retry").out
    provider.decide = repeat
    done = bench.run("retry")
    assert done.code == 0
    assert [job["planned"] for job in bench.jobs()] == [3, 3, 1]
    assert bench.run("show", "--json").json["candidates"][0]["succeeded"] == 3
    assert bench.broken() == []


def test_there_is_nothing_to_retry_where_nothing_failed_or_all_is_open(
    bench: Bench, provider: Provider
) -> None:
    bench.suite(3)
    bench.run("run")
    done = bench.run("retry")
    assert done.code == 1
    assert "no cell" in done.err
    provider.decide = lambda _: refuse(400)
    bench.run("run", "--no-cache", "--fail-fast", "-j", "1")
    open_job = bench.run("retry")
    if bench.jobs()[-1]["state"] == "paused":
        assert open_job.code == 1
        assert "assay resume" in open_job.err


def test_resuming_what_is_finished_shows_it_again(bench: Bench, provider: Provider) -> None:
    bench.suite(2)
    bench.run("run")
    done = bench.run("resume")
    assert done.code == 0
    assert provider.count == 2
    assert bench.run("run", "--resume", "last").code == 0
