"""A run as a user sees it: numbers, files, streams and exit codes."""

import csv
import json
import xml.etree.ElementTree as ElementTree

import pyarrow.parquet
import pytest
from bench import CALL_NANOUSD, KEY, Bench
from provider import Provider, Question, refuse, repeat, say

from assay.formats.results import read_results

STORED = """
select q.item_no, q.state::text, r.output, s.value, s.passed, q.error_code, r.cost_nanousd
  from assay.evaluation_queue q
  left join assay.evaluation_results r using (organization_id, job_id, item_no)
  left join assay.metric_scores s using (organization_id, job_id, item_no)
 where q.organization_id = %(org)s order by q.item_no
"""


def every_third_is_wrong(question: Question):
    """Refuses number 5, answers every third one wrong."""
    number = int(question.text.rpartition(" ")[2])
    if number == 5:
        return refuse(400, "invalid_value", "this cannot be answered")
    return say("wrong") if number % 3 == 0 else repeat(question)


def test_every_cell_is_asked_once_and_costs_what_it_costs(bench: Bench, provider: Provider) -> None:
    bench.suite(5, prompts=["{{ q }}", {"id": "polite", "text": "Please: {{ q }}"}])
    done = bench.run("run")
    assert done.code == 0
    assert sorted(provider.counts.values()) == [1] * 10
    assert {question.headers["authorization"] for question in provider.questions} == {f"Bearer {KEY}"}
    assert bench.jobs()[0]["spent_nanousd"] == 10 * CALL_NANOUSD
    assert bench.outcomes() == {"ok": 10}
    assert bench.broken() == []


def test_json_is_all_that_is_on_standard_output(bench: Bench) -> None:
    bench.suite(3)
    for arguments in (
        ("run", "--json"),
        ("run", "--json", "--dry-run"),
        ("show", "--json"),
        ("jobs", "--json"),
    ):
        done = bench.run(*arguments)
        assert done.code == 0
        json.loads(done.out)
    for arguments in (("metrics", "--json"), ("models", "--json"), ("estimate", "--json")):
        json.loads(bench.run(*arguments).out)


def test_json_tells_the_job_its_numbers_and_its_cost(bench: Bench, provider: Provider) -> None:
    provider.decide = every_third_is_wrong
    bench.suite(6)
    document = bench.run("run", "--json").json
    assert document["job"]["state"] == "completed"
    assert document["job"]["spent_usd"] == pytest.approx(5 * CALL_NANOUSD / 1e9)
    (candidate,) = document["candidates"]
    assert (candidate["planned"], candidate["succeeded"], candidate["errors"]) == (6, 5, 1)
    (metric,) = document["metrics"]
    assert metric["scored"] == 5
    assert metric["coverage"] == pytest.approx(5 / 6)


def test_a_refused_cell_fails_with_its_reason_and_shows_in_the_coverage(
    bench: Bench, provider: Provider
) -> None:
    provider.decide = every_third_is_wrong
    bench.suite(6)
    done = bench.run("run")
    assert done.code == 0
    assert "this cannot be answered" in done.err
    assert "assay retry" in done.err
    assert "5/6 scored" in done.out
    assert bench.rows(
        "select error_code, error_message from assay.evaluation_queue where state = 'failed' "
        "and organization_id = %(org)s"
    ) == [("request_rejected", "the provider answered 400: this cannot be answered")]
    assert bench.outcomes() == {"ok": 5, "request_rejected": 1}


def test_a_run_without_any_answer_is_a_tool_error(bench: Bench, provider: Provider) -> None:
    provider.decide = lambda _: refuse(401, "invalid_api_key", f"Incorrect API key provided: {KEY}")
    bench.suite(2)
    done = bench.run("run")
    assert done.code == 1
    assert "is the key right?" in done.err
    assert KEY not in done.err + done.out


def test_a_gate_that_is_not_passed_exits_with_100(bench: Bench, provider: Provider) -> None:
    provider.decide = every_third_is_wrong
    bench.suite(4, metrics=[{"type": "exact", "threshold": 1.0}])
    done = bench.run("run", "--min-pass-rate", "0.9")
    assert done.code == 100
    assert "50.0%" in done.err
    assert bench.run("run", "--min-pass-rate", "0.5").code == 0


def test_every_format_says_what_the_database_says(bench: Bench, provider: Provider) -> None:
    provider.decide = every_third_is_wrong
    bench.suite(7, metrics=[{"type": "exact", "threshold": 1.0}])
    names = ("r.jsonl", "r.json", "r.csv", "r.parquet", "r.html", "r.md", "r.xml")
    done = bench.run("run", *(part for name in names for part in ("-o", name)))
    assert done.code == 0
    stored = bench.rows(STORED)
    assert len(stored) == 7
    for name in ("r.jsonl", "r.json"):
        read = [
            (
                *(each.item_no, each.state, each.response and each.response.text),
                *((each.scores[0].value, each.scores[0].passed) if each.scores else (None, None)),
                *(each.error_code, each.cost_nanousd),
            )
            for each in read_results(bench.folder / name)
        ]
        assert read == stored
    table = pyarrow.parquet.read_table(bench.folder / "r.parquet").to_pylist()
    with (bench.folder / "r.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    for row, line, kept in zip(table, lines, stored, strict=True):
        assert row["state"] == line["state"] == kept[1]
        assert (row["output"] or None) == (line["output"] or None) == kept[2]
    page = (bench.folder / "r.html").read_text()
    assert "this cannot be answered" in page
    assert "question 6" in page
    assert "this cannot be answered" in (bench.folder / "r.md").read_text()
    root = ElementTree.parse(bench.folder / "r.xml").getroot()  # noqa: S314 - our own file
    cases = list(root.iter("testcase"))
    assert len(cases) == 7
    assert sum(1 for case in cases if case.find("error") is not None) == 1
    assert sum(1 for case in cases if case.find("failure") is not None) == 3


def test_an_export_is_the_same_as_what_the_run_wrote(bench: Bench) -> None:
    bench.suite(3)
    assert bench.run("run", "-o", "a.jsonl", "-o", "a.csv").code == 0
    assert bench.run("export", "-o", "b.jsonl", "-o", "b.csv").code == 0
    for end in ("jsonl", "csv"):
        assert (bench.folder / f"a.{end}").read_bytes() == (bench.folder / f"b.{end}").read_bytes()


@pytest.mark.parametrize("more", [{}, {"CI": "true"}, {"NO_COLOR": "1"}], ids=["pipe", "ci", "no-color"])
def test_without_a_terminal_there_are_no_colours_and_no_bars(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, more: dict[str, str]
) -> None:
    for name, value in more.items():
        monkeypatch.setenv(name, value)
    bench.suite(3)
    done = bench.run("run")
    assert "\x1b" not in done.out + done.err
    assert "━" not in done.err
    assert "suite" in done.out
    assert "assay show" in done.err


def test_quiet_leaves_the_results_alone(bench: Bench, provider: Provider) -> None:
    provider.decide = every_third_is_wrong
    bench.suite(6)
    done = bench.run("run", "-q")
    assert "suite" in done.out
    assert "this cannot be answered" not in done.err


def test_a_job_is_found_by_id_end_of_id_name_and_last(bench: Bench) -> None:
    bench.suite(2)
    bench.run("run")
    job = bench.jobs()[0]["id"]
    shown = {bench.run("show", reference, "--json").out for reference in (job, job[-8:], "suite", "last")}
    assert len(shown) == 1
    listed = bench.run("jobs").out.splitlines()[-1].split()[0]
    assert bench.run("show", listed, "--json").out in shown


def test_what_is_not_there_is_said_with_a_way_on(bench: Bench) -> None:
    for arguments in (
        ("show",),
        ("resume", "nothing"),
        ("retry",),
        ("cancel", "x"),
        ("export", "-o", "a.csv"),
    ):
        done = bench.run(*arguments)
        assert done.code == 2
        assert "assay jobs" in done.err


def test_a_run_and_another_tenant_do_not_see_each_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.suite(2)
    assert bench.run("run").code == 0
    job = bench.jobs()[0]["id"]
    monkeypatch.setenv("ASSAY_ORGANIZATION_ID", "00000000-0000-7000-8000-0000000000ff")
    assert bench.run("show", job).code == 2
    assert bench.run("jobs").out == ""


def test_hostile_answers_are_stored_and_shown_unharmed(bench: Bench, provider: Provider) -> None:
    texts = [
        "\x00nul",
        "\ud800 alone".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
        "=cmd()|' /C'!A0",
        "<script>alert(1)</script>",
        "[bold red]x[/] \x1b[31m",
        "a" * 100_000,
        "",
    ]
    provider.decide = lambda question: say(texts[int(question.text.rpartition(" ")[2])])
    bench.suite(len(texts))
    done = bench.run("run", "-o", "r.csv", "-o", "r.html", "-o", "r.jsonl", "-o", "r.md", "-o", "r.xml")
    assert done.code == 0, done.err
    assert bench.states() == {"succeeded": len(texts)}
    assert "<script>alert(1)</script>" not in (bench.folder / "r.html").read_text()
    with (bench.folder / "r.csv").open(encoding="utf-8-sig", newline="") as file:
        assert not any(line["output"].startswith("=") for line in csv.DictReader(file))
    assert len(list(read_results(bench.folder / "r.jsonl"))) == len(texts)
    ElementTree.parse(bench.folder / "r.xml")  # noqa: S314 - our own file
