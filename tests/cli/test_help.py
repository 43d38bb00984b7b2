"""Help is fast and complete; what is mistyped is met with the likely word."""

import subprocess
import sys

import pytest
from bench import Bench

from assay.cli.app import ALIASES, COMMANDS

HEAVY = (
    "numpy",
    "scipy",
    "psycopg",
    "rich",
    "jinja2",
    "pyarrow",
    "yaml",
    "pyreqwest",
    "sacrebleu",
    "alembic",
    "asyncio",
)
LOADED = """
import sys
from assay.cli.app import main
try:
    main({arguments!r})
except SystemExit:
    print(*sys.modules)
"""


def modules_of(*arguments: str) -> set[str]:
    """The modules that a command loads."""
    code = LOADED.format(arguments=list(arguments))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("nonsense",)])
def test_help_loads_nothing_heavy(arguments: tuple[str, ...]) -> None:
    loaded = modules_of(*arguments)
    assert "assay.cli.app" in loaded
    assert not {name for name in HEAVY if name in loaded}


def test_help_lists_every_command(lonely: Bench) -> None:
    done = lonely.run("--help")
    assert done.code == 0
    for name, (_, summary) in COMMANDS.items():
        assert name in done.out
        assert summary.split()[0] in done.out


@pytest.mark.parametrize("name", [*COMMANDS, *ALIASES])
def test_every_command_has_help_that_begins_as_the_list_says(lonely: Bench, name: str) -> None:
    done = lonely.run(name, "--help")
    assert done.code == 0
    assert "Usage:" in done.out
    assert lonely.run(name, "-h").out == done.out


@pytest.mark.parametrize(
    ("typed", "meant"), [("rnu", "run"), ("resme", "resume"), ("compair", "compare"), ("evl", "eval")]
)
def test_an_unknown_command_suggests_the_likely_one(lonely: Bench, typed: str, meant: str) -> None:
    done = lonely.run(typed)
    assert done.code == 2
    assert typed in done.err
    assert f"Did you mean '{meant}'?" in done.err


def test_no_command_is_a_usage_error_with_help(lonely: Bench) -> None:
    done = lonely.run()
    assert "Commands:" in done.out + done.err
    assert done.code == 2


def test_an_unknown_metric_is_said_with_a_way_on(lonely: Bench) -> None:
    done = lonely.run("metrics", "nonsense")
    assert done.code == 2
    assert "assay metrics" in done.err
    assert lonely.run("metrics", "exact").code == 0


def test_the_doctor_finds_everything_in_place(lonely: Bench) -> None:
    done = lonely.run("doctor", "--json")
    assert done.code == 0
    assert {check["name"]: check["state"] for check in done.json}["schema"] == "ok"


def test_the_doctor_says_what_is_wrong(lonely: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://someone:pass-canary-word@127.0.0.1:9/none")
    done = lonely.run("doctor")
    assert done.code == 1
    assert "FAIL" in done.out
    assert "DATABASE_URL" in done.out
    assert "pass-canary-word" not in done.out


def test_the_database_is_named_without_its_password(lonely: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lonely.run("db", "path").out.strip() == lonely.environment["ASSAY_DATA_DIR"]
    monkeypatch.setenv("DATABASE_URL", "postgresql://someone:pass-canary-word@db.example/assay")
    done = lonely.run("db", "path")
    assert done.out.strip() == "db.example/assay"
    assert lonely.run("db", "check").code == 1
