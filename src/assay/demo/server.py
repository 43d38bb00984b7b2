"""A small model on this machine: llama.cpp's OpenAI-compatible server in a process of its own.

`python -m assay.demo.server --model FILE --port PORT` serves; `start_local_model` does that for its
caller on a free port and returns when the model answers. The server ends with the process that
started it, however that ends: it holds one end of a pipe and watches its parent's id.
"""

import argparse
import importlib
import importlib.util
import os
import select
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from assay.domain.errors import AssayError, OptionalPartMissing

__all__ = ["LocalModel", "LocalModelFailed", "ServerOptions", "choose_threads", "start_local_model"]

HOST = "127.0.0.1"
MODEL_ID = "qwen2.5-coder-0.5b-instruct"
POLL_S = 0.1
PARENT_POLL_S = 0.5
STOP_TIMEOUT_S = 5.0
PROBE_TIMEOUT_S = 2.0
LOG_LINES = 8
MAX_THREADS = 4
CONTEXT_TOKENS = 2048
PROMPT_CACHE_MIB = 512


class LocalModelFailed(AssayError):
    """The local model's server ended or did not become ready; the message holds the end of its log."""

    code: ClassVar[str] = "local_model_failed"
    status: ClassVar[int] = 503


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How the server works. One slot is the fastest for cases that share documents: see choose_threads.
    Prompt and answer of one request must fit into `context_tokens`.

    `port` is the one to take if it is free, so that answers are found again in the cache, which knows a
    model by its address.
    """

    threads: int = 1
    parallel: int = 1
    model_id: str = MODEL_ID
    port: int = 18_642
    context_tokens: int = CONTEXT_TOKENS


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A running server: `base_url` ends in /v1, as OpenAI's clients take it."""

    base_url: str
    model_id: str
    process: subprocess.Popen[bytes]

    def close(self) -> None:
        """End the server; harmless when it has ended."""
        if self.process.stdin:
            self.process.stdin.close()
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def choose_threads(cpus: int, load: float) -> int:
    """Threads for this machine: as many as there are idle processors, between 1 and 4.

    The threads meet at a barrier after every layer, so one that waits for a processor stops them all:
    on two processors that are busy otherwise, two threads are slower than one.
    """
    return max(1, min(MAX_THREADS, cpus - round(load)))


def start_local_model(
    model: Path,
    log: Path,
    options: ServerOptions | None = None,
    *,
    timeout_s: float = 120.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> LocalModel:
    """Serve the weights in `model` on a free port of 127.0.0.1 and wait until they are loaded.

    The server's output goes to `log`. Raises LocalModelFailed with the end of that log when the server
    ends or is not ready after `timeout_s`, OptionalPartMissing when its library is not installed.
    """
    options = options or ServerOptions()
    _require_library()
    if not model.is_file():
        raise LocalModelFailed(f"There is no file {model}.")
    port = _free_port(options.port)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "assay.demo.server", *_arguments(model, port, options)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    local = LocalModel(f"http://{HOST}:{port}/v1", options.model_id, process)
    deadline = clock() + timeout_s
    try:
        while not _is_ready(port):
            if process.poll() is not None:
                raise _failure(f"The local model's server ended with code {process.returncode}", log)
            if clock() > deadline:
                raise _failure(f"The local model was not ready after {timeout_s:.0f} s", log)
            sleep(POLL_S)
    except BaseException:
        local.close()
        raise
    return local


def _arguments(model: Path, port: int, options: ServerOptions) -> list[str]:
    numbers = {
        "--port": port,
        "--threads": options.threads,
        "--parallel": options.parallel,
        "--context-tokens": options.context_tokens,
    }
    arguments = [text for name, number in numbers.items() for text in (name, str(number))]
    return [
        *arguments,
        "--model",
        str(model),
        "--model-id",
        options.model_id,
        "--parent-pid",
        str(os.getpid()),
    ]


def _require_library() -> None:
    if importlib.util.find_spec("xllamacpp") is None:
        raise OptionalPartMissing(
            "The local model needs the library xllamacpp.", remedy='Install it: pip install "assay[demo]"'
        )


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe, suppress(OSError):
            # Connections of an earlier server may linger on the port; that does not make it taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return int(probe.getsockname()[1])
    raise LocalModelFailed(f"No port of {HOST} is free.")


def _is_ready(port: int) -> bool:
    """Whether the server says that the model is loaded (it answers 503 until then)."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/health", timeout=PROBE_TIMEOUT_S) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _failure(message: str, log: Path) -> LocalModelFailed:
    lines = log.read_text(errors="replace").strip().splitlines()[-LOG_LINES:]
    return LocalModelFailed("\n".join([f"{message}. The end of {log}:", *lines]))


def main(arguments: list[str] | None = None) -> int:
    """Serve until the parent is gone, or for ever when no parent is named."""
    parser = argparse.ArgumentParser(prog="python -m assay.demo.server", description=__doc__)
    parser.add_argument("--model", required=True, help="file with the weights (GGUF)")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--parallel", type=int, default=1, help="requests that are answered at a time")
    parser.add_argument("--context-tokens", type=int, default=CONTEXT_TOKENS, help="of one request")
    parser.add_argument("--model-id", default=MODEL_ID, help="name under which the model is listed")
    parser.add_argument("--parent-pid", type=int, help="end when this process, our parent, has ended")
    order = parser.parse_args(arguments)
    try:
        server = _serve(order)
    except RuntimeError as error:
        # The library has said why on the lines before.
        print(error, file=sys.stderr)
        return 1
    with suppress(KeyboardInterrupt):
        while order.parent_pid is None or not _parent_is_gone(order.parent_pid):
            if order.parent_pid is None:
                time.sleep(PARENT_POLL_S)
    del server
    return 0


def _serve(order: argparse.Namespace) -> Any:
    """Load the weights and answer requests on threads of the library; returns its server."""
    library = importlib.import_module("xllamacpp")
    params = library.CommonParams()
    params.model.path = order.model
    params.model_alias = {order.model_id}
    params.hostnames = [HOST]
    params.port = order.port
    params.n_parallel = order.parallel
    params.n_ctx = order.context_tokens * order.parallel
    params.cpuparams.n_threads = order.threads
    params.cpuparams_batch.n_threads = order.threads
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.ui = False
    params.endpoint_slots = False
    # Pages of other sites in the user's browser have no business with this server.
    params.cors_origins = f"http://{HOST}:{order.port}"
    return library.Server(params)


def _parent_is_gone(parent_pid: int) -> bool:
    """Wait a moment for the pipe from the parent to close, and look whether the parent is still ours."""
    readable, _, _ = select.select([sys.stdin], [], [], PARENT_POLL_S)
    closed = bool(readable) and not os.read(sys.stdin.fileno(), 1)
    return closed or os.getppid() != parent_pid


if __name__ == "__main__":
    sys.exit(main())
