"""assay gate: exit codes, files without a database, jobs, names for baselines, CI's files."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from bench import Bench, Outcome
from provider import Provider, repeat, say

from sides import cell, passes, write_side

Gate = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """Run the command in a process whose data folder is not there and whose database is away."""

    def run(*arguments: object, **more: str) -> "subprocess.CompletedProcess[str]":
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "HOME": str(tmp_path / "home"),
            "ASSAY_DATA_DIR": str(tmp_path / "no-data"),
            "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing",
            "PYTHONUTF8": "1",
            **more,
        }
        return subprocess.run(
            [sys.executable, "-m", "assay", "gate", *map(str, arguments)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A baseline, and candidates that pass, fail and waver."""
    for name, failing in (("baseline", 20), ("good", 20), ("bad", 70), ("open", 26)):
        write_side(tmp_path / f"{name}.jsonl", passes(400, failing))
    return tmp_path


@pytest.mark.parametrize(("name", "code"), [("good", 0), ("bad", 100), ("open", 3)])
def test_files_are_gated_without_a_database(files: Path, gate: Gate, name: str, code: int) -> None:
    done = gate(f"{name}.jsonl", "--baseline", "baseline.jsonl")
    assert done.returncode == code, done.stderr
    assert done.stderr == ""
    assert done.stdout.strip().startswith("Gate ")
    assert not (files / "no-data").exists()
    assert not (files / "home").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("good.jsonl",), 2, "against what?"),
        (("none.jsonl", "--baseline", "baseline.jsonl"), 2, "none.jsonl: no such file"),
        (("good.jsonl", "--baseline", "./"), 2, "this is a folder"),
        (("good.jsonl", "--baseline", "./good.jsonl"), 2, "held against itself"),
        (("good.jsonl", "--baseline", "baseline.jsonl", "--margin", "0"), 2, "--margin"),
        (("good.jsonl", "--baseline", "baseline.jsonl", "--margin", "1"), 2, "--margin"),
        (("good.jsonl", "--baseline", "baseline.jsonl", "--margin", "nan"), 2, "--margin"),
        (("good.jsonl", "--baseline", "baseline.jsonl", "--alpha", "0.6"), 2, "--alpha"),
        (("good.jsonl", "--baseline", "baseline.jsonl", "--metric", "f1"), 2, "no side has a metric 'f1'"),
        (("good.jsonl", "--baseline", "baseline.jsonl", "--better", "x"), 2, "is not NAME=lower"),
        (("good.jsonl", "--baseline", "baseline.jsonl", "--candidate", "x"), 2, "There is: plain/small"),
        (("good.jsonl", "--baseline", "baseline.jsonl", "-o", "a.html"), 2, "Known are .json, .md"),
        (("good.jsonl", "--baseline", "baseline.jsonl", "-o", "no/a.md"), 2, "there is no folder"),
        (("good.jsonl", "--baseline", "other.csv"), 1, "100 cases of the candidate are not"),
        (("good.jsonl", "--baseline", "broken.jsonl"), 2, "broken.jsonl:1"),
        (("good.jsonl", "--baseline", "some-job"), 1, "PostgreSQL"),
    ],
)
def test_what_cannot_be_gated_is_said_with_its_code(
    files: Path, gate: Gate, arguments: tuple[str, ...], code: int, said: str
) -> None:
    write_side(files / "other.csv", passes(300, 0))
    (files / "broken.jsonl").write_text('{"case": 1}\n')
    done = gate(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_reports_and_json_say_the_same(files: Path, gate: Gate) -> None:
    done = gate(
        "bad.jsonl", "--baseline", "baseline.jsonl", "--json", "-o", "g.json", "-o", "g.md", "-o", "g.xml",
        "--github", GITHUB_STEP_SUMMARY=str(files / "summary.md"),
    )  # fmt: skip
    assert done.returncode == 100
    assert json.loads(done.stdout) == json.loads((files / "g.json").read_text())
    assert (files / "summary.md").read_text() == (files / "g.md").read_text()
    assert "<failure" in (files / "g.xml").read_text()
    without = gate("bad.jsonl", "--baseline", "baseline.jsonl", "--github")
    assert without.returncode == 100
    assert "GITHUB_STEP_SUMMARY is not set" in without.stderr


@pytest.mark.usefixtures("files")
def test_options_come_from_variables_too(gate: Gate) -> None:
    done = gate("open.jsonl", ASSAY_GATE_BASELINE="baseline.jsonl", ASSAY_GATE_MARGIN="0.2")
    assert done.returncode == 0, done.stderr


def test_a_name_means_a_file_from_then_on(files: Path, gate: Gate) -> None:
    assert gate("baseline.jsonl", "--save-baseline", "main").returncode == 0
    kept = files / ".assay" / "baselines.yaml"
    assert yaml.safe_load(kept.read_text()) == {"main": "baseline.jsonl"}
    assert gate("good.jsonl", "--baseline", "main").returncode == 0
    failed = gate("bad.jsonl", "--baseline", "main", "--save-baseline", "main")
    assert failed.returncode == 100
    assert yaml.safe_load(kept.read_text()) == {"main": "baseline.jsonl"}
    passed = gate("good.jsonl", "--baseline", "main", "--save-baseline", "main")
    assert passed.returncode == 0
    assert gate("good.jsonl", "--save-baseline", "release/2").returncode == 0
    assert yaml.safe_load(kept.read_text()) == {"main": "good.jsonl", "release/2": "good.jsonl"}
    (files / "good.jsonl").unlink()
    gone = gate("open.jsonl", "--baseline", "main")
    assert gone.returncode == 2
    assert "(the baseline 'main')" in gone.stderr


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("name", ["last", "", "../x", "a b", "-x"])
def test_some_names_are_refused(gate: Gate, name: str) -> None:
    assert gate("baseline.jsonl", f"--save-baseline={name}").returncode == 2


@pytest.mark.parametrize("content", ["- a", "main: 3", "main: [", "main: a\nmain: b\n"])
def test_a_broken_file_of_names_is_said(files: Path, gate: Gate, content: str) -> None:
    (files / ".assay").mkdir()
    (files / ".assay" / "baselines.yaml").write_text(content)
    done = gate("good.jsonl", "--baseline", "main")
    assert done.returncode == 2
    assert "baselines.yaml:" in done.stderr


def test_failed_cells_are_counted_on_the_terminal(files: Path, gate: Gate) -> None:
    write_side(files / "lost.csv", [cell(n, {"exact": None if n < 80 else 1.0}) for n in range(400)])
    done = gate("lost.csv", "--baseline", "baseline.jsonl")
    assert done.returncode == 3
    assert "80 of 400 cells of the candidate have no score" in " ".join(done.stdout.split())


def numbers(done: Outcome) -> object:
    """What a gate found, but for the names of its sides."""
    document = done.json
    return [document["verdict"], document["checks"], document["notes"]]


def test_a_job_and_its_files_give_the_same_numbers(bench: Bench, provider: Provider) -> None:
    bench.suite(40, models=[bench.model()], repeats=2, margin=0.1)
    assert bench.run("run", "-o", "base.json", "-o", "base.parquet").code == 0
    provider.decide = lambda question: (
        say("wrong") if int(question.text.split()[1]) < 12 else repeat(question)
    )
    assert bench.run("run", "--no-cache", "-o", "cand.csv", "-o", "cand.json").code == 0
    first = str(bench.jobs()[0]["id"])
    jobs = bench.run("gate", "last", "--baseline", first[-12:], "--json")
    assert jobs.code == 100, jobs.err
    assert jobs.json["checks"][0]["margin"] == 0.1
    for candidate, baseline in (("last", "base.json"), ("cand.json", first), ("cand.json", "base.json")):
        assert numbers(bench.run("gate", candidate, "--baseline", baseline, "--json")) == numbers(jobs)
    plain = bench.run("gate", "cand.csv", "--baseline", "base.parquet", "--margin", "0.1", "--json")
    assert numbers(plain) == numbers(jobs)


def test_a_job_can_be_a_named_baseline(bench: Bench) -> None:
    bench.suite(4)
    bench.run("run")
    (bench.folder / "suite").mkdir()  # a folder of the job's name does not stand in its way
    assert bench.run("gate", "suite", "--save-baseline", "first").code == 0
    assert str(bench.jobs()[0]["id"]) in (bench.folder / ".assay/baselines.yaml").read_text()
    itself = bench.run("gate", "last", "--baseline", "first")
    assert itself.code == 2
    assert "held against itself" in itself.err
    bench.run("run")
    assert bench.run("gate", "last", "--baseline", "first").code == 3
    assert bench.run("gate", "nothing", "--baseline", "first").code == 2


def test_other_options_of_a_metric_are_refused_unless_forced(bench: Bench) -> None:
    bench.suite(4)
    bench.run("run", "-o", "base.json")
    bench.suite(4, metrics=[{"type": "exact", "options": {"ignore_case": True}}])
    bench.run("run", "-o", "cand.json")
    refused = bench.run("gate", "cand.json", "--baseline", "base.json")
    assert refused.code == 1
    assert "metric exact has other options" in refused.err
    forced = bench.run("gate", "cand.json", "--baseline", "base.json", "--force", "--json")
    assert forced.code == 3
    assert forced.json["notes"] == ["forced: metric exact has other options in the candidate"]
