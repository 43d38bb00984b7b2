"""The templates for GitHub and GitLab: their own shell steps, run in a workspace as the platforms would."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree

import pytest
import yaml

CI = Path(__file__).parents[2] / "ci"
ACTION = yaml.safe_load((CI / "github" / "action.yml").read_text())
GITLAB = yaml.safe_load((CI / "gitlab" / "assay.gitlab-ci.yml").read_text())
EXPRESSION = re.compile(r"\$\{\{ *([^}]+?) *\}\}")
KINDS = {"pass": 0, "fail": 100, "inconclusive": 3}
CASES = 150


def answers(losses: int) -> str:
    """Recorded answers of which the first few are wrong."""
    rows = (
        {"prompt": "plain", "case": f"c{n}", "output": "no" if n < losses else f"question {n}"}
        for n in range(CASES)
    )
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A checkout: a suite with recorded answers."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    suite = {
        "name": "suite",
        "prompts": [{"id": "plain", "text": "{{ q }}"}],
        "models": [{"id": "replay:answers.jsonl", "label": "recorded"}],
        "dataset": "cases.jsonl",
        "metrics": ["exact"],
        "margin": 0.03,
    }
    cases = (
        {"id": f"c{n}", "vars": {"q": f"question {n}"}, "expected": f"question {n}"} for n in range(CASES)
    )
    (folder / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))
    (folder / "assay.yaml").write_text(yaml.safe_dump(suite))
    (folder / "answers.jsonl").write_text(answers(1))
    return folder


@pytest.fixture
def environment(data_dir: Path, tmp_path: Path, workspace: Path) -> dict[str, str]:
    """What a runner sets, with `assay` on the path and a tenant of this test's own."""
    tools = tmp_path / "bin"
    tools.mkdir()
    script = tools / "assay"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m assay "$@"\n')
    script.chmod(0o755)
    found = {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "HOME": str(tmp_path),
        "CI": "true",
        "ASSAY_DATA_DIR": str(data_dir),
        "ASSAY_ORGANIZATION_ID": str(uuid4()),
        "PYTHONUTF8": "1",
    }
    done = shell("assay run -q -o baseline.json", workspace, found)
    assert done.returncode == 0, done.stderr
    return found


def shell(script: str, folder: Path, environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """A step, as GitHub runs `shell: bash` and GitLab a script."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=150,
        check=False,
    )


@dataclass
class Runner:
    """Runs the steps of the action one after the other, as a runner does, up to the first that fails."""

    folder: Path
    environment: Mapping[str, str]
    outputs: dict[str, str] = field(default_factory=dict)
    said: str = ""

    def run(self, **given: str) -> int:
        """The exit code of the action with these inputs; `fail_on` is the input `fail-on`."""
        inputs = {name: str(each.get("default", "")) for name, each in ACTION["inputs"].items()}
        inputs |= {name.replace("_", "-"): value for name, value in given.items()}
        for number, step in enumerate(ACTION["runs"]["steps"]):
            output = self.folder / f".output-{number}"
            output.touch()
            variables = {
                **self.environment,
                **{name: self.resolve(value, inputs) for name, value in step.get("env", {}).items()},
                "GITHUB_OUTPUT": str(output),
                "GITHUB_ACTION_PATH": str(CI / "github"),
                "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
            }
            assert step["shell"] == "bash"
            done = shell(step["run"], self.folder, variables)
            self.said += done.stdout + done.stderr
            for line in output.read_text().splitlines():
                name, _, value = line.partition("=")
                self.outputs[f"steps.{step['id']}.outputs.{name}"] = value
            if done.returncode:
                return done.returncode
        return 0

    def resolve(self, text: str, inputs: Mapping[str, str]) -> str:
        """A value with its expressions; only inputs and outputs of steps are used."""
        known = {**{f"inputs.{name}": value for name, value in inputs.items()}, **self.outputs}
        return EXPRESSION.sub(lambda match: known[match[1]], text)


@pytest.fixture
def runner(workspace: Path, environment: dict[str, str]) -> Runner:
    """A runner in the workspace."""
    return Runner(workspace, environment)


def prepare(folder: Path, kind: str) -> None:
    """A change that passes, fails or leaves it open."""
    (folder / "answers.jsonl").write_text(answers({"pass": 1, "fail": 40, "inconclusive": 6}[kind]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_action_ends_as_the_gate_does(runner: Runner, kind: str) -> None:
    prepare(runner.folder, kind)
    code = runner.run(baseline="baseline.json", install="")
    assert code == KINDS[kind], runner.said
    assert runner.outputs["steps.gate.outputs.verdict"] == kind
    for output in ("junit", "summary"):
        assert (runner.folder / runner.outputs[f"steps.gate.outputs.{output}"]).is_file()
    assert "| <code>exact</code> |" in (runner.folder / "summary.md").read_text()
    suite = ElementTree.parse(runner.folder / "assay-results/gate.xml").getroot()  # noqa: S314 - our own output
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == (
        "1",
        str(int(kind == "fail")),
        str(int(kind == "inconclusive")),
    )


def test_inconclusive_can_be_a_warning(runner: Runner) -> None:
    prepare(runner.folder, "inconclusive")
    assert runner.run(baseline="baseline.json", install="", fail_on_inconclusive="false") == 0
    assert "::warning" in runner.said
    assert runner.outputs["steps.gate.outputs.verdict"] == "inconclusive"


def test_the_inputs_reach_the_gate(runner: Runner) -> None:
    prepare(runner.folder, "fail")
    code = runner.run(
        baseline="baseline.json",
        install="touch installed",
        margin="0.5",
        metrics="exact\ncost_usd=10%\n",
        candidate="plain/recorded",
        fail_on="any-loss",
        alpha="0.01",
        run_arguments="--limit\n100\n",
        gate_arguments="--force\n",
        output_folder="out put",
    )
    assert code == 100, runner.said
    assert (runner.folder / "installed").is_file()
    document = json.loads((runner.folder / "out put/gate.json").read_text())
    assert (document["alpha"], document["fail_on"]) == (0.01, "any-loss")
    assert [(each["metric"], each["margin"], each["n"]) for each in document["checks"]] == [
        ("exact", 0.5, 100),
        ("cost_usd", 0.1, 100),
    ]


def test_results_that_are_there_are_not_run_again(runner: Runner) -> None:
    assert shell("assay run -q -o there.json", runner.folder, runner.environment).returncode == 0
    (runner.folder / "assay.yaml").unlink()
    assert runner.run(baseline="baseline.json", install="", results="there.json") == 0
    assert runner.outputs["steps.run.outputs.results"] == "there.json"


def test_the_action_installs_from_its_own_checkout(runner: Runner, tmp_path: Path) -> None:
    """What `python` is asked for is written down in place of being installed over the tests' own."""
    python = tmp_path / "bin" / "python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > asked\n')
    python.chmod(0o755)
    assert runner.run(baseline="baseline.json") == 0, runner.said
    *words, source = (runner.folder / "asked").read_text().splitlines()
    assert words[:3] == ["-m", "pip", "install"]
    assert (Path(source) / "pyproject.toml").is_file()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"baseline": "none.json"}, 2),
        ({"baseline": "baseline.json", "config": "nowhere"}, 2),
        ({"baseline": "baseline.json", "metrics": "nothing"}, 2),
        ({"baseline": "baseline.json", "install": "exit 7"}, 7),
    ],
)
def test_what_goes_wrong_stops_the_action(runner: Runner, given: dict[str, str], code: int) -> None:
    assert runner.run(**{"install": "", **given}) == code
    assert "steps.gate.outputs.verdict" not in runner.outputs


def test_what_others_write_is_never_run(runner: Runner) -> None:
    evil = '$(touch pwned)`touch pwned`"; touch pwned; echo "'
    assert runner.run(baseline=evil, install="", candidate=evil, margin=evil, metrics=evil) != 0
    assert not (runner.folder / "pwned").exists()


def test_no_expression_stands_inside_a_script() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"]


def test_every_input_is_used_and_described() -> None:
    used = {
        name
        for step in ACTION["runs"]["steps"]
        for value in step["env"].values()
        for name in EXPRESSION.findall(value)
    }
    assert {f"inputs.{name}" for name in ACTION["inputs"]} == {
        name for name in used if name.startswith("inputs.")
    }
    guide = (CI.parent / "docs" / "ci.md").read_text()
    assert [name for name in [*ACTION["inputs"], *ACTION["outputs"]] if f"`{name}`" not in guide] == []


def gitlab(folder: Path, environment: Mapping[str, str], **given: str) -> "subprocess.CompletedProcess[str]":
    """The script of the job, in one shell as GitLab runs it."""
    job: dict[str, Any] = GITLAB[".assay-gate"]
    return shell("\n".join(job["script"]), folder, {**environment, **job["variables"], **given})


@pytest.mark.parametrize("kind", KINDS)
def test_the_gitlab_job_ends_as_the_gate_does(
    workspace: Path, environment: dict[str, str], kind: str
) -> None:
    prepare(workspace, kind)
    done = gitlab(workspace, environment, ASSAY_BASELINE="baseline.json", ASSAY_INSTALL="")
    assert done.returncode == KINDS[kind], done.stderr
    assert {path.name for path in (workspace / "assay-results").iterdir()} == {
        "results.json",
        "gate.xml",
        "gate.md",
    }


def test_the_variables_of_the_gitlab_job_reach_the_gate(workspace: Path, environment: dict[str, str]) -> None:
    prepare(workspace, "fail")
    done = gitlab(
        workspace,
        environment,
        ASSAY_BASELINE="baseline.json",
        ASSAY_INSTALL="touch installed",
        ASSAY_MARGIN="0.5",
        ASSAY_METRICS="exact\ncost_usd=10%",
        ASSAY_FOLDER="out put",
    )
    assert done.returncode == 3, done.stderr
    assert (workspace / "installed").is_file()
    assert "cost_usd" in (workspace / "out put/gate.xml").read_text()


def test_the_gitlab_job_warns_where_the_cases_do_not_tell_and_keeps_no_answers() -> None:
    job = GITLAB[".assay-gate"]
    assert job["allow_failure"] == {"exit_codes": [3]}
    assert job["artifacts"]["paths"] == ["$ASSAY_FOLDER/gate.*"]
    guide = (CI.parent / "docs" / "ci.md").read_text()
    assert [name for name in job["variables"] if f"`{name}`" not in guide] == []
