"""A gate's reports: JUnit that CI reads, Markdown and JSON, with hostile names in them."""

import io
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from assay.formats.result_sources import read_table
from assay.reports.gate import GateReport
from assay.reports.gate_junit import write_gate_junit
from assay.reports.gate_markdown import write_gate_markdown
from assay.reports.gate_text import render_gate
from assay.services.gate_outputs import append_step_summary, gate_json, write_gate
from assay.services.gates import GatePolicy, gate_tables, metric_margin
from sides import cell, passes, write_side


def mixed(folder: Path, names: tuple[str, str, str] = ("right", "worse", "open")) -> GateReport:
    """One check of each outcome: on the first metric nothing changed, the second lost, the third wavers."""
    right, worse, open_ = names

    def side(lost: int, wavers: int, name: str) -> Path:
        results = [
            cell(
                n,
                {right: 1.0, worse: float(n >= lost), open_: float(n >= wavers)},
                cluster=None,
            )
            for n in range(400)
        ]
        return write_side(folder / f"{name}.jsonl", results)

    candidate, baseline = side(60, 26, "candidate"), side(0, 20, "baseline")
    return gate_tables(read_table(candidate), read_table(baseline), GatePolicy())


def junit(report: GateReport) -> ElementTree.Element:
    out = io.StringIO()
    write_gate_junit(out, report)
    return ElementTree.fromstring(out.getvalue())  # noqa: S314 - our own output


def markdown(report: GateReport) -> str:
    out = io.StringIO()
    write_gate_markdown(out, report)
    return out.getvalue()


def test_junit_has_a_test_case_a_metric(tmp_path: Path) -> None:
    root = junit(mixed(tmp_path))
    assert {name: root.get(name) for name in ("tests", "failures", "skipped", "errors")} == {
        "tests": "3",
        "failures": "1",
        "skipped": "1",
        "errors": "0",
    }
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert list(cases) == ["right", "worse", "open"]
    failure, skipped = cases["worse"].find("failure"), cases["open"].find("skipped")
    assert failure is not None and "certainly worse by more than 0.02" in failure.get("message", "")
    assert skipped is not None and skipped.get("message", "").startswith("inconclusive: open: ")
    assert cases["right"].find("failure") is None and cases["right"].find("skipped") is None
    facts = {each.get("name"): each.get("value") for each in cases["worse"].iter("property")}
    assert (facts["n"], facts["margin"], facts["method"]) == ("400", "0.02", "tango 90%")
    assert facts["candidate.scored"] == "400 of 400"
    assert " to " in facts["interval"]


def test_markdown_is_one_table_and_says_why(tmp_path: Path) -> None:
    text = markdown(mixed(tmp_path))
    html = MarkdownIt("commonmark").enable("table").render(text)
    assert html.count("<tr>") == 4
    for said in ("Gate failed", "certainly worse by more than", "would tell"):
        assert said in html
    assert "<h3>" in html


def test_the_terminal_shows_the_same(tmp_path: Path) -> None:
    out = io.StringIO()
    render_gate(mixed(tmp_path), Console(file=out, width=100))
    for said in ("Gate failed", "inconclusive", "would tell", "worse: "):
        assert said in out.getvalue()


def test_json_has_every_number(tmp_path: Path) -> None:
    document = json.loads(gate_json(mixed(tmp_path)))
    assert document["verdict"] == "fail"
    assert [check["verdict"] for check in document["checks"]] == ["pass", "fail", "inconclusive"]
    worse = document["checks"][1]
    assert worse["high"] < -worse["margin"]
    assert worse["tested"]["coverage"] == 1.0
    assert document["checks"][2]["more_cases"] == document["checks"][2]["cases_needed"] - 400


def test_names_of_others_stay_names(tmp_path: Path, payloads: tuple[str, ...]) -> None:
    for number, payload in enumerate(payloads):
        name = payload.replace("\ud800", "")
        folder = tmp_path / str(number)
        folder.mkdir()
        report = mixed(folder, (name, f"{name}2", f"{name}3"))
        html = MarkdownIt("commonmark").enable("table").render(markdown(report))
        for tag in ("<script", "<img", "<iframe", "<svg", "<a ", "<details"):
            assert tag not in html
        assert html.count("<tr>") == 4
        assert len(list(junit(report).iter("testcase"))) == 3


@pytest.mark.parametrize("name", ["gate.md", "gate.xml", "gate.json", "gate.JUNIT"])
def test_files_are_whole_or_not_there(tmp_path: Path, name: str) -> None:
    report = mixed(tmp_path)
    before = set(tmp_path.iterdir())
    write_gate(report, tmp_path / name)
    assert set(tmp_path.iterdir()) - before == {tmp_path / name}
    assert (tmp_path / name).stat().st_size > 300


def test_a_step_summary_is_added_to_what_is_there(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    append_step_summary(mixed(tmp_path), summary)
    assert summary.read_text().startswith("before\n### ")


def test_several_candidates_are_told_apart(tmp_path: Path) -> None:
    results = [cell(n, {"exact": 1.0}, prompt=p) for n in range(40) for p in ("a", "b")]
    paths = [write_side(tmp_path / name, results) for name in ("a.jsonl", "b.jsonl")]
    report = gate_tables(*map(read_table, paths), GatePolicy())
    assert "exact on a and exact on b" in report.sentence
    assert "<br>" in markdown(report)


def test_units_and_shares_are_written_out(tmp_path: Path) -> None:
    side = [cell(n, {"exact": 1.0}, latency_ms=200.0 + 3 * (n % 11)) for n in range(60)]
    slow = [cell(n, {"exact": 1.0}, latency_ms=300.0 + 5 * (n % 7)) for n in range(60)]
    paths = [write_side(tmp_path / f"{n}.jsonl", each) for n, each in enumerate((slow, side))]
    for asked, change in (("latency_ms=10%", "+4"), ("latency_ms=50", "+100 ms [")):
        policy = GatePolicy(metrics=(metric_margin(asked),))
        report = gate_tables(*map(read_table, paths), policy)
        assert report.outcome == "fail"
        assert json.loads(gate_json(report))["checks"][0]["reason"].startswith(change)


def test_passing_cases_do_not_hide_failures(tmp_path: Path) -> None:
    lost = [cell(n, {"exact": None if n == 7 else 1.0}) for n in range(600)]
    paths = [write_side(tmp_path / f"{n}.jsonl", each) for n, each in enumerate((lost, passes(600, 0)))]
    report = gate_tables(*map(read_table, paths), GatePolicy())
    assert report.outcome == "pass"
    assert "1 of 600 cells of the candidate have no score" in markdown(report)
