"""The local model answers, says why it cannot start, and dies with the process that started it."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from assay.demo.server import LocalModel, LocalModelFailed, ServerOptions, choose_threads, start_local_model
from assay.demo.weights import find_weights

pytest.importorskip("xllamacpp", reason="the extra 'demo' is not installed")

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "assay" / "models"
WEIGHTS = find_weights(CACHE)
needs_weights = pytest.mark.skipif(WEIGHTS is None, reason=f"the demo's weights are not in {CACHE}")
# One process at a time: the model takes a processor and 0.65 GB.
one_worker = pytest.mark.xdist_group("local model")

STARTER = """
import sys, time
from pathlib import Path
from assay.demo.server import ServerOptions, start_local_model
local = start_local_model(Path(sys.argv[1]), Path(sys.argv[2]), ServerOptions(port=0))
print(local.process.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalModel]:
    assert WEIGHTS is not None
    model = start_local_model(WEIGHTS, tmp_path_factory.mktemp("server") / "log", ServerOptions(port=0))
    yield model
    model.close()


def fetch_json(url: str, body: dict[str, object] | None = None) -> dict[str, object]:
    request = urllib.request.Request(  # noqa: S310 - our own server
        url, json.dumps(body).encode() if body else None, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
        result: dict[str, object] = json.load(answer)
        return result


@needs_weights
@one_worker
def test_the_model_is_listed_under_its_id(local: LocalModel) -> None:
    listed = fetch_json(f"{local.base_url}/models")
    assert local.model_id in [model["id"] for model in listed["data"]]  # type: ignore[attr-defined]  # JSON


@needs_weights
@one_worker
def test_it_answers_the_same_twice_and_counts_tokens(local: LocalModel) -> None:
    body: dict[str, object] = {
        "model": local.model_id,
        "messages": [{"role": "user", "content": "Rent: $690 per week. What is the rent?"}],
        "temperature": 0,
        "max_tokens": 16,
    }
    first, second = (fetch_json(f"{local.base_url}/chat/completions", body) for _ in range(2))
    assert "690" in json.dumps(first["choices"])
    assert first["choices"] == second["choices"]
    assert first["usage"]["prompt_tokens"] > 0  # type: ignore[index]  # JSON


@needs_weights
@one_worker
def test_close_ends_the_server_and_may_be_repeated(tmp_path: Path) -> None:
    assert WEIGHTS is not None
    local = start_local_model(WEIGHTS, tmp_path / "log", ServerOptions(model_id="mine", port=0))
    local.close()
    local.close()
    assert local.process.returncode is not None
    assert not psutil.pid_exists(local.process.pid)


@needs_weights
@one_worker
def test_the_server_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, str(WEIGHTS), str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        server = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
    server.wait(30)
    assert not server.is_running()


def test_a_file_that_is_no_model_is_said_with_the_end_of_the_log(tmp_path: Path) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"no weights")
    with pytest.raises(LocalModelFailed, match="ended with code") as caught:
        start_local_model(bad, tmp_path / "log", timeout_s=60)
    assert "bad.gguf" in str(caught.value)
    assert len(str(caught.value).splitlines()) > 2


def test_a_file_that_is_absent_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(LocalModelFailed, match=r"no file .*absent\.gguf"):
        start_local_model(tmp_path / "absent.gguf", tmp_path / "log")


def test_a_server_that_is_not_ready_in_time_is_ended(tmp_path: Path) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"no weights")
    ticks = iter([0.0, 10.0, 20.0])
    before = set(psutil.Process().children())
    with pytest.raises(LocalModelFailed, match="not ready after 5 s"):
        start_local_model(bad, tmp_path / "log", timeout_s=5, clock=lambda: next(ticks), sleep=lambda _: None)
    assert set(psutil.Process().children()) <= before


@pytest.mark.parametrize(
    ("cpus", "load", "threads"),
    [(2, 0.2, 2), (2, 0.8, 1), (2, 9.0, 1), (1, 0.0, 1), (16, 0.5, 4), (8, 6.2, 2)],
)
def test_threads_are_the_idle_processors(cpus: int, load: float, threads: int) -> None:
    assert choose_threads(cpus, load) == threads
