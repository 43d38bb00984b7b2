"""Stored keys from the outside: set, used by a run, rotated, and found nowhere."""

import base64
import fcntl
import io
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest
from bench import Bench
from provider import Provider, Question, refuse, repeat

from assay.storage import embedded

CANARY = "sk-stored-canary-5b1f7e2a9c4d8063"
MASTER = base64.b64encode(b"master-canary-0123456789abcdefgh").decode()
NEW_MASTER = base64.b64encode(b"fresh-canary-0123456789abcdefghi").decode()


@pytest.fixture
def stored(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A bench with a master key and a stored key for its provider."""
    monkeypatch.setenv("ASSAY_MASTER_KEY", MASTER)
    bench.environment["ASSAY_MASTER_KEY"] = MASTER
    assert bench.provider is not None
    done = give(bench, monkeypatch, CANARY, "team", "--provider", "openai", "--base-url", bench.provider.url)
    assert done.code == 0
    assert done.err.strip() == f"stored team (...8063) for {bench.provider.url}"
    return bench


def give(bench: Bench, monkeypatch: pytest.MonkeyPatch, secret: str, *arguments: str) -> Any:
    """`assay credentials set` with a key on standard input."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{secret}\n"))
    return bench.run("credentials", "set", *arguments)


def model(bench: Bench, **more: Any) -> dict[str, Any]:
    """The provider's model with the stored key in place of one of the environment."""
    wanted = {name: value for name, value in bench.model(**more).items() if name != "key_variable"}
    return {**wanted, "credential": "team"}


def forms(secret: str) -> list[bytes]:
    """How a secret could look in a file: as it is, in hexadecimal and in base64, whatever the alignment."""
    data = secret.encode()
    encoded = [base64.b64encode(bytes(shift) + data)[4:-4] for shift in range(3)]
    return [data, data.hex().encode(), *encoded]


@pytest.mark.parametrize("header", ["authorization", "x-our-key"])
def test_planted_secrets_are_in_no_dump_no_file_and_no_message(
    stored: Bench, provider: Provider, data_dir: Path, header: str
) -> None:
    def decide(question: Question):
        if question.text == "question 1":
            return refuse(401, "invalid_api_key", f"Incorrect API key provided: {CANARY}. See x?key={CANARY}")
        if question.text == "question 2":
            return refuse(400, "bad", f"header was: Bearer {CANARY}")
        return repeat(question)

    provider.decide = decide
    options = {} if header == "authorization" else {"key_header": header}
    stored.suite(6, models=[model(stored, options=options)])
    outputs = [f"r.{end}" for end in ("json", "jsonl", "csv", "parquet", "html", "md", "xml")]
    api_key = stored.run("keys", "create", "--name", "ci", "--role", "analyst").out.strip()
    said = ""
    for arguments in (
        ("run", *(part for name in outputs for part in ("-o", name))),
        ("show", "--json"),
        ("retry",),
        ("estimate",),
        ("credentials", "list"),
        ("credentials", "list", "--json"),
        ("credentials", "check"),
        ("credentials", "rotate"),
        ("credentials", "remove", "team"),
        ("resume", "last"),
        ("run",),
        ("keys", "list"),
        ("keys", "list", "--json"),
        ("keys", "revoke", "ci"),
        ("doctor", "--json"),
    ):
        done = stored.run(*arguments)
        said += done.out + done.err
    assert provider.questions[0].headers[header].removeprefix("Bearer ") == CANARY
    assert len(provider.questions) == 8
    dump = subprocess.run([embedded.pg_dump_path(), stored.dsn], capture_output=True, check=True).stdout
    assert stored.organization_id.encode() in dump
    logs = b"".join(path.read_bytes() for path in data_dir.rglob("*.log"))
    files = b"".join((stored.folder / name).read_bytes() for name in outputs)
    for secret in (CANARY, MASTER, base64.b64decode(MASTER).decode(), api_key.rpartition("_")[2]):
        for form in forms(secret):
            for place, text in (("said", said.encode()), ("dump", dump), ("logs", logs), ("files", files)):
                assert form not in text, place


def test_a_credential_that_is_not_there_or_for_elsewhere_is_said_before_any_call(
    stored: Bench, provider: Provider
) -> None:
    stored.suite(2, models=[{**model(stored), "credential": "nobody"}])
    done = stored.run("run")
    assert done.code == 2
    assert "assay credentials set nobody --provider openai" in done.err
    stored.suite(2, models=[model(stored, base_url="http://127.0.0.1:9/v1")])
    done = stored.run("run")
    assert done.code == 2
    assert provider.url in done.err
    assert "127.0.0.1:9" in done.err
    stored.suite(2, models=[{**stored.model(), "credential": "team"}])
    done = stored.run("run")
    assert done.code == 2
    assert "models.0.credential: a model has one key" in done.err
    assert provider.count == 0


def test_an_estimate_needs_no_master_key(stored: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    stored.suite(2, models=[model(stored)])
    monkeypatch.delenv("ASSAY_MASTER_KEY")
    assert stored.run("estimate").code == 0


def test_the_master_key_is_changed_while_runs_go_on(
    stored: Bench, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored.suite(3, models=[model(stored)])
    assert stored.run("run", "--no-cache").code == 0
    monkeypatch.setenv("ASSAY_MASTER_KEY", NEW_MASTER)
    done = stored.run("run", "--no-cache")
    assert done.code == 1
    assert "ASSAY_MASTER_KEY_PREVIOUS" in done.err
    monkeypatch.setenv("ASSAY_MASTER_KEY_PREVIOUS", MASTER)
    assert stored.run("run", "--no-cache").code == 0
    done = stored.run("credentials", "rotate")
    assert done.code == 0
    assert "wrapped anew" in done.err
    monkeypatch.delenv("ASSAY_MASTER_KEY_PREVIOUS")
    assert stored.run("credentials", "check").code == 0
    assert stored.run("run", "--no-cache").code == 0
    assert {question.headers["authorization"] for question in provider.questions} == {f"Bearer {CANARY}"}
    monkeypatch.setenv("ASSAY_MASTER_KEY", MASTER)
    done = stored.run("credentials", "check")
    assert done.code == 1
    assert "team does not open" in done.err


def test_a_key_is_never_taken_from_an_argument(stored: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stored.run("credentials", "set", "x", CANARY, "--provider", "openai").code == 2
    assert give(stored, monkeypatch, "two words", "x", "--provider", "openai").code == 2
    assert give(stored, monkeypatch, "", "x", "--provider", "openai").code == 2
    assert "x " not in stored.run("credentials", "list").out


def test_a_key_that_is_typed_is_not_shown(stored: Bench) -> None:
    terminal, inner = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "assay", "credentials", "set", "typed", "--provider", "openai"],
        env=stored.environment,
        cwd=stored.folder,
        stdin=inner,
        stdout=inner,
        stderr=inner,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(inner)
    stored.children.append(child)
    shown = b""
    while chunk := read(terminal):
        shown += chunk
        if shown.endswith(b"Key: "):
            os.write(terminal, f"{CANARY}\n".encode())
    os.close(terminal)
    assert child.wait(60) == 0
    assert b"stored typed (...8063)" in shown
    assert CANARY.encode() not in shown


def read(terminal: int) -> bytes:
    """What is shown next; nothing at the end."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def test_an_api_key_is_printed_once_and_revoked(stored: Bench) -> None:
    made = stored.run("keys", "create", "--name", "ci", "--role", "analyst", "--expires", "90d")
    assert made.code == 0
    prefix = made.out.strip().rpartition("_")[0]
    assert prefix in stored.run("keys", "list").out
    assert stored.run("keys", "create", "--name", "ci", "--role", "viewer").code == 1
    assert stored.run("keys", "create", "--name", "x", "--role", "king").code == 2
    assert stored.run("keys", "create", "--name", "x", "--role", "viewer", "--expires", "soon").code == 2
    assert stored.run("keys", "revoke", "ci").code == 0
    assert "revoked" in stored.run("keys", "list").out
    assert stored.run("keys", "revoke", "ci").code == 2


def test_a_server_without_a_master_key_keeps_no_secrets(
    stored: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", stored.dsn)
    monkeypatch.delenv("ASSAY_MASTER_KEY")
    done = give(stored, monkeypatch, CANARY, "more", "--provider", "openai")
    assert done.code == 2
    assert "openssl rand -base64 32" in done.err
    assert stored.run("credentials", "list").code == 0
