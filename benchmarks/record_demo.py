"""Record the demo: every case through both prompts on the real local model, at temperature 0.

    python benchmarks/record_demo.py --cache FOLDER        fetches the weights and serves them
    python benchmarks/record_demo.py --base-url URL/v1     uses a server that runs

Writes src/assay/demo/recordings.jsonl, on which the demo runs where the model cannot be had, and
prints the accuracies (exact: equal after trimming; contains: ignoring case) and the speed.
"""

import argparse
import json
import os
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from assay import demo
from assay.demo.server import MODEL_ID, ServerOptions, choose_threads, start_local_model
from assay.demo.weights import Progress, fetch_weights

FOLDER = Path(demo.__file__).parent
TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where the model answers, and how it is asked."""

    base_url: str
    model: str
    parameters: dict[str, Any]
    recorded_at: str


def main() -> int:
    """Record all answers and print what they are worth."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, help="folder that holds the weights, or will")
    parser.add_argument("--base-url", help="an OpenAI-compatible server that runs")
    parser.add_argument("--threads", type=int, help="of the server; by default as many as are idle")
    parser.add_argument("--output", type=Path, default=FOLDER / "recordings.jsonl")
    order = parser.parse_args()
    if not (order.cache or order.base_url):
        parser.error("one of --cache and --base-url is needed")
    suite = yaml.safe_load((FOLDER / "assay.yaml").read_text())
    cases = [json.loads(line) for line in (FOLDER / suite["dataset"]["file"]).read_text().splitlines()]
    with serving(order) as base_url:
        today = datetime.now(UTC).date().isoformat()
        target = Target(base_url, MODEL_ID, suite["models"][0]["parameters"], today)
        started = time.monotonic()
        recordings = list(record(target, suite["prompts"], cases))
        wall_s = time.monotonic() - started
    order.output.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in recordings))
    print_summary(recordings, cases, wall_s)
    return 0


@contextmanager
def serving(order: argparse.Namespace) -> Iterator[str]:
    """The base URL of the model, served here unless one was given."""
    if order.base_url:
        yield order.base_url
        return
    weights = fetch_weights(order.cache, progress=progress_lines())
    cpus = os.cpu_count() or 1
    threads = order.threads or choose_threads(cpus, os.getloadavg()[0])
    started = time.monotonic()
    local = start_local_model(weights, order.cache / "server.log", ServerOptions(threads=threads))
    print(f"model ready after {time.monotonic() - started:.1f} s, {threads} of {cpus} threads", flush=True)
    try:
        yield local.base_url
    finally:
        local.close()


def record(target: Target, prompts: list[Any], cases: list[Any]) -> Iterator[dict[str, Any]]:
    """One line for each prompt and case, in an order in which neighbours share their document."""
    environment = SandboxedEnvironment(undefined=StrictUndefined)
    for prompt in prompts:
        for case in cases:
            messages = [
                {**message, "content": environment.from_string(message["content"]).render(case["vars"])}
                for message in prompt["messages"]
            ]
            yield {"prompt": prompt["id"], "case": case["id"], **ask(target, messages)}


def ask(target: Target, messages: list[dict[str, str]]) -> dict[str, Any]:
    """One call, as a line of the recordings."""
    body = json.dumps({"model": target.model, "messages": messages, **target.parameters})
    url = f"{target.base_url}/chat/completions"
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, body.encode(), headers)  # noqa: S310 - the user's own server
    started = time.monotonic()
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310
        answer = json.load(response)
    latency_ms = (time.monotonic() - started) * 1000
    choice = answer["choices"][0]
    return {
        "output": choice["message"]["content"],
        "input_tokens": answer["usage"]["prompt_tokens"],
        "output_tokens": answer["usage"]["completion_tokens"],
        "latency_ms": round(latency_ms, 1),
        "finish_reason": choice["finish_reason"],
        "model": target.model,
        "recorded_at": target.recorded_at,
    }


def print_summary(recordings: list[dict[str, Any]], cases: list[Any], wall_s: float) -> None:
    """Accuracies for each prompt, by kind of document, and the speed of the whole."""
    by_id = {case["id"]: case for case in cases}
    groups: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for line in recordings:
        case = by_id[line["case"]]
        pair = (line["output"].strip(), case["expected"])
        for kind in ("all", case["metadata"]["kind"]):
            groups.setdefault((line["prompt"], kind), []).append(pair)
    for (prompt, kind), pairs in groups.items():
        exact = sum(output == expected for output, expected in pairs)
        contains = sum(expected.lower() in output.lower() for output, expected in pairs)
        print(f"{prompt:8} {kind:9} n {len(pairs):3}  exact {exact:3} ({exact / len(pairs):.1%})", end="")
        print(f"  contains {contains:3} ({contains / len(pairs):.1%})")
    tokens = sum(line["output_tokens"] for line in recordings)
    print(f"{len(recordings)} calls in {wall_s:.1f} s, {wall_s / len(recordings):.2f} s a call", end="")
    print(f", {tokens} tokens written, {tokens / wall_s:.1f} a second over all")


def progress_lines() -> Progress:
    """A callback that prints a line for every 10% of each phase."""
    printed: dict[str, int] = {}

    def show(phase: str, done: int, total: int) -> None:
        tenth = 10 * done // total
        if tenth > printed.get(phase, -1):
            printed[phase] = tenth
            print(f"{phase}: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB", file=sys.stderr, flush=True)

    return show


if __name__ == "__main__":
    sys.exit(main())
