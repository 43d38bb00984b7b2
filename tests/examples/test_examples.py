"""The examples run as their first lines say, and their tables show what these lines promise."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from assay.formats import suite_schema

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
NAMES = ("contract-clauses", "judge-calibration", "listing-facts", "support-api")
OTHERS = ("pytest-suite",)
"""Examples that are no suites of the command line."""
SCHEMA = Path(suite_schema.__file__).with_name("assay.schema.json")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def summary_of(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def means_of(summary: dict[str, Any]) -> dict[tuple[str, str], float]:
    return {
        (each["candidate"], each["metric"]): round(each["mean"]["estimate"], 4) for each in summary["metrics"]
    }


def test_there_is_a_test_for_every_example() -> None:
    assert tuple(sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())) == tuple(
        sorted((*NAMES, *OTHERS))
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_suite_is_valid_by_the_published_schema(name: str) -> None:
    text = (EXAMPLES / name / "assay.yaml").read_text()
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator(schema).validate(yaml.safe_load(text))
    reference = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
    assert reference is not None
    assert (EXAMPLES / name / reference[1]).resolve() == SCHEMA.resolve()


@pytest.mark.parametrize("name", NAMES)
def test_a_suite_begins_with_what_it_shows_and_how_to_run_it(name: str) -> None:
    text = (EXAMPLES / name / "assay.yaml").read_text()
    assert f"#   cd examples/{name}\n" in text
    assert "# What to look at:" in text


def test_recordings_say_that_they_were_written_by_hand() -> None:
    files = [*EXAMPLES.glob("listing-facts/recordings.jsonl"), *EXAMPLES.glob("contract-clauses/*y.jsonl")]
    rows = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert len(files) == 3
    assert {row["model"] for row in rows} == {"written by hand for this example"}


def test_the_careful_prompt_reads_listings_better(assay: Run) -> None:
    summary = summary_of(assay("listing-facts", "run", "--json"))
    means = means_of(summary)
    assert summary["job"]["planned"] == 32
    assert [(each["label"], each["succeeded"], each["errors"]) for each in summary["candidates"]] == [
        ("plain", 16, 0),
        ("careful", 16, 0),
    ]
    assert (means["plain", "exact"], means["careful", "exact"]) == (0.25, 0.875)
    assert (means["plain", "contains"], means["careful", "contains"]) == (0.8125, 0.9375)
    assert "careful beats plain on exact" in summary["headline"]
    assert summary["margin"] == 0.05


def test_the_gate_of_the_listings_names_what_is_too_low(assay: Run) -> None:
    done = assay("listing-facts", "run", "--min-pass-rate", "0.8", "--quiet")
    assert done.returncode == 100
    assert "gate: plain on token_f1: 25.0%, at least 80.0% must pass" in done.stderr
    assert "careful beats plain on exact by" in done.stdout


def test_clauses_are_compared_by_contract_and_repeats_are_averaged(assay: Run) -> None:
    summary = summary_of(assay("contract-clauses", "run", "--json"))
    means = means_of(summary)
    assert summary["job"]["planned"] == 72
    assert means["tidy", "form"] == 1.0
    assert means["tidy", "right"] > means["chatty", "right"]
    assert "(n=18 in 6 clusters" in summary["headline"]
    days = [each for each in summary["metrics"] if each["metric"] == "days"]
    assert [(each["scored"], each["planned"], each["skipped"]) for each in days] == [(32, 36, 4)] * 2


def test_a_judge_of_words_is_found_to_be_no_judge(assay: Run) -> None:
    assert assay("judge-calibration", "run", "--quiet").returncode == 0
    done = assay("judge-calibration", "judge", "calibrate", "judge-calibration", "--labels", "labels.csv")
    assert done.returncode == 0, done.stderr
    assert "not shown to tell passes from failures better than chance" in " ".join(done.stdout.split())


def test_the_made_up_judge_has_what_was_built_into_it(run: Run, assay: Run, tmp_path: Path) -> None:
    command = ("judge", "calibrate", "--labels", "scores.csv", "--judge-column", "judge", "--json")
    found = summary_of(assay("judge-calibration", *command))
    assert found["calibration"]["auroc"]["estimate"] > 0.85
    assert found["bias"]["length"]["interval"]["low"] > 0.0
    assert found["bias"]["self_preference"]["at_same_label"]["interval"]["low"] > 0.0
    assert found["people"]["pairs"][0]["agreement"]["low"] > 0.4
    for mean in found["means"]:
        assert mean["judge"]["estimate"] > mean["corrected"]["interval"]["estimate"]
    shown = assay("judge-calibration", *command[:-1])
    printed = "\n".join(line.rstrip() for line in shown.stdout.splitlines())
    guide = (ROOT / "docs" / "calibration.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```text\n(.*?)\n```$", guide, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 5
    assert [block for block in blocks if block not in printed] == []
    made = EXAMPLES / "judge-calibration" / "make_scores.py"
    copy = tmp_path / "make_scores.py"
    copy.write_text(made.read_text())
    assert run("judge-calibration", sys.executable, str(copy)).returncode == 0
    assert (tmp_path / "scores.csv").read_text() == made.with_name("scores.csv").read_text()


def test_an_application_is_tested_over_http_with_one_command(run: Run) -> None:
    summary = summary_of(
        run("support-api", sys.executable, "app.py", sys.executable, "-m", "assay", "run", "--json")
    )
    first, second = summary["candidates"]
    means = means_of(summary)
    assert (first["label"], first["errors"], first["failures"]) == ("v1", 1, {"request_rejected": 1})
    assert (second["label"], second["errors"], second["cost_usd"]) == ("v2", 0, None)
    assert (means["v1", "contains"], means["v2", "contains"]) == (round(5 / 14, 4), 1.0)
    assert "v2 beats v1 on contains" in summary["headline"]


def test_an_application_is_scored_and_gated_by_pytest(run: Run) -> None:
    text = (EXAMPLES / "pytest-suite" / "test_answers.py").read_text()
    assert "  cd examples/pytest-suite\n" in text
    assert "What to look at:" in text
    command = (sys.executable, "-m", "pytest", "-p", "assay.pytest_plugin", "-p", "no:cacheprovider")
    done = run("pytest-suite", *command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "50 passed" in done.stdout
    assert re.search(r"contains +0\.83 +0\.55–0\.95 +12 +12/12 +passed", done.stdout)
    assert "gates: 2 passed" in done.stdout
    assert "invariants: 1 held, 0 broken" in done.stdout
