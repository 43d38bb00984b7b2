"""A tenant of its own in the shared database, a suite to run, and the command line to run it with."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import psycopg
import pytest
from provider import Provider

from assay.cli.app import main
from assay.storage.tenancy import SYSTEM, ensure_key

DEAD_URL = "http://127.0.0.1:9"
KEY = "sk-canary-7f3a9d5e1c8b2046"
PRICE = {"input_usd": 1.0, "output_usd": 2.0}
CALL_NANOUSD = 20_000
"""What a call of `provider.say` costs at PRICE: 10 tokens in, 5 out."""
REMOVED = (
    "DATABASE_URL",
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "GEMINI_API_KEY",
    "CI",
    "NO_COLOR",
    "COLUMNS",
)

INVARIANTS = (Path(__file__).parents[2] / "migrations" / "invariants.sql").read_text(encoding="utf-8")
ENTER_TENANT = "select set_config('role', 'assay_app', true), set_config('assay.context', %s, true)"


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be one JSON document."""
        return orjson.loads(self.out)


@dataclass
class Bench:
    """What a test works with. Commands run in this process; `spawn` starts one of its own."""

    folder: Path
    environment: dict[str, str]
    dsn: str
    capture: pytest.CaptureFixture[str]
    provider: Provider | None = None
    children: list["subprocess.Popen[str]"] = field(default_factory=list)

    @property
    def organization_id(self) -> str:
        """The tenant of this test."""
        return self.environment["ASSAY_ORGANIZATION_ID"]

    def run(self, *arguments: object) -> Outcome:
        """Run a command to its end."""
        self.capture.readouterr()
        code = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        captured = self.capture.readouterr()
        return Outcome(code, captured.out, captured.err)

    def spawn(self, *arguments: object, **more: str) -> "subprocess.Popen[str]":
        """Start a command in a process of its own."""
        child = subprocess.Popen(
            [sys.executable, "-m", "assay", *map(str, arguments)],
            env={**self.environment, **more},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.children.append(child)
        return child

    def finish(self, child: "subprocess.Popen[str]", timeout_s: float = 90.0) -> Outcome:
        """Wait for a process that `spawn` started."""
        out, err = child.communicate(timeout=timeout_s)
        return Outcome(child.returncode, out, err)

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """Rows of a query, seen as the owner; %(org)s is this test's tenant."""
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(query, {"org": self.organization_id, **values}).fetchall()

    def value(self, query: str, **values: Any) -> Any:
        """The one value of a query."""
        return self.rows(query, **values)[0][0]

    def jobs(self) -> list[dict[str, Any]]:
        """The jobs of this tenant, oldest first."""
        found = self.rows(
            """select to_jsonb(j) from assay.evaluation_jobs j
                where organization_id = %(org)s order by created_at"""
        )
        return [row[0] for row in found]

    def outcomes(self) -> dict[str, int]:
        """How often each outcome (the state, where there is none) is in the ledger."""
        return dict(
            self.rows(
                """select coalesce(outcome, state::text), count(*) from assay.model_calls
                    where organization_id = %(org)s group by 1"""
            )
        )

    def states(self) -> dict[str, int]:
        """How many cells are in each state."""
        return dict(
            self.rows(
                """select state::text, count(*) from assay.evaluation_queue
                    where organization_id = %(org)s group by 1"""
            )
        )

    def broken(self) -> list[str]:
        """The invariants that do not hold for this tenant."""
        with psycopg.connect(self.dsn) as connection:
            context = ensure_key(connection).sign(self.organization_id, SYSTEM, time.time())
            connection.execute(ENTER_TENANT, [context])
            return [row[0] for row in connection.execute(INVARIANTS).fetchall() if row[1]]

    def model(self, label: str = "m", **more: Any) -> dict[str, Any]:
        """A model of the provider, with a key and a price."""
        url = DEAD_URL if self.provider is None else self.provider.url
        return {
            "id": f"openai:{label}",
            "label": label,
            "base_url": url,
            "key_variable": "TEST_KEY",
            "parameters": {"max_tokens": 10},
            "price": PRICE,
            **more,
        }

    def suite(self, cases: int | Sequence[Mapping[str, Any]] = 4, **more: Any) -> Path:
        """Write a suite; its cases are question 0, question 1, ... and expect themselves."""
        if isinstance(cases, int):
            cases = [
                {"id": f"c{n}", "vars": {"q": f"question {n}"}, "expected": f"question {n}"}
                for n in range(cases)
            ]
        document = {
            "name": "suite",
            "prompts": [{"id": "plain", "text": "{{ q }}"}],
            "models": [self.model()],
            "dataset": "cases.jsonl",
            "metrics": ["exact"],
            **more,
        }
        self.write("cases.jsonl", "".join(json.dumps(case) + "\n" for case in cases))
        return self.write(
            "assay.yaml", json.dumps({k: v for k, v in document.items() if v is not None}, indent=1)
        )

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file of the test's folder."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


def make_environment(data: Path, folder: Path) -> dict[str, str]:
    """The variables of a new user's shell, with a tenant of its own in the database of `data`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in REMOVED and not name.startswith("ASSAY_")
    }
    return {
        **kept,
        "HOME": str(folder),
        "ASSAY_DATA_DIR": str(data),
        "ASSAY_CACHE_DIR": str(folder / "cache"),
        "ASSAY_ORGANIZATION_ID": str(uuid4()),
        "TEST_KEY": KEY,
    }


def end_children(bench: Bench) -> None:
    """Leave no process behind."""
    for child in bench.children:
        if child.poll() is None:
            child.kill()
        child.communicate()
