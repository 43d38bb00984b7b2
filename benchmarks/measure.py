"""One measurement: a suite of n cases, a fresh database, one `assay run`, and what it took."""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from load_server import make_sentences
from process_tree import MemoryWatch, cpu_seconds, end_all, list_descendants, reap_orphans

ASSAY = (sys.executable, "-m", "assay")
LOAD_SERVER = Path(__file__).with_name("load_server.py")
IDLE_S = 4.0
"""How long the embedded server outlives its last client here: its stop belongs to a run's cost."""
TIMES = """
select extract(epoch from j.started_at), extract(epoch from j.finished_at),
       (select extract(epoch from max(c.closed_at)) from assay.model_calls c where c.job_id = j.id),
       (select count(*) from assay.evaluation_results r where r.job_id = j.id),
       (select count(*) from assay.metric_scores s where s.job_id = j.id and s.state = 'scored')
  from assay.evaluation_jobs j order by j.created_at desc limit 1
"""
SUITE = """\
prompts:
  - id: describe
    text: "Describe the property in one paragraph.\\n\\n{{{{ listing }}}}"
models:
  - id: openai:bench
    base_url: {base_url}/v1
    key_variable: BENCH_KEY
    price: {{input_usd: 0.5, output_usd: 1.5}}
dataset: cases.jsonl
metrics: [exact, bleu, rouge_l]
"""


class MeasurementFailed(RuntimeError):
    """A program that is measured did not do what it should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is run: `cases` evaluations against a provider that takes `latency_ms` for each answer."""

    cases: int
    latency_ms: float
    concurrency: int = 50
    fault_rate: float = 0.0

    @property
    def ideal_s(self) -> float:
        """The wall time if nothing but the provider took time."""
        return self.cases * self.latency_ms / 1000 / self.concurrency


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What a run took. `run_s` is from the first claim to the end of the job, by the database's clock."""

    load: Load
    wall_s: float
    run_s: float
    cpu_s: float
    main_cpu_s: float
    server_cpu_s: float
    tree_peak_mb: float
    main_peak_mb: float
    peak_concurrency: int
    results: int
    scores: int

    @property
    def cpu_ms_each(self) -> float:
        """CPU milliseconds of the whole tree for one evaluation."""
        return self.cpu_s / self.load.cases * 1000

    def over_ideal(self, seconds: float) -> float | None:
        """How many times the ideal a time is; None without latency."""
        return seconds / self.load.ideal_s if self.load.ideal_s else None


@dataclass(slots=True)
class Bench:
    """A temporary folder with its own database, and the children that are not to be measured."""

    folder: Path
    environment: Mapping[str, str]
    servers: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def cpu_s(self) -> float:
        """CPU of the tree so far, without the load servers."""
        reap_orphans(self.servers)
        return cpu_seconds([server.pid for server in self.servers])

    def assay(self, *arguments: str) -> str:
        """Run a command to its end; its standard output."""
        done = subprocess.run([*ASSAY, *arguments], env=self.environment, capture_output=True, check=False)
        if done.returncode:
            raise MeasurementFailed(f"assay {' '.join(arguments)}: {done.stderr.decode()}")
        return done.stdout.decode()

    def wait_until_idle(self, limit_s: float = 60.0) -> None:
        """Until the embedded server has stopped, so that all that it used is counted."""
        deadline = time.monotonic() + limit_s
        pids = [server.pid for server in self.servers]
        while time.monotonic() < deadline:
            reap_orphans(self.servers)
            if not list_descendants(pids):
                return
            time.sleep(0.05)
        raise MeasurementFailed(f"the embedded server did not stop within {limit_s:g} s")


@contextmanager
def open_bench() -> Iterator[Bench]:
    """A bench in a folder that is removed at the end, when no process is left in it."""
    folder = Path(tempfile.mkdtemp(prefix="assay-bench-"))
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("ASSAY_") and name != "DATABASE_URL"
    }
    own = {
        "ASSAY_DATA_DIR": str(folder / "data"),
        "ASSAY_CACHE_DIR": str(folder / "cache"),
        "ASSAY_DB_IDLE_S": str(IDLE_S),
        "BENCH_KEY": "sk-bench",
    }
    bench = Bench(folder, {**kept, **own})
    try:
        yield bench
    finally:
        end_all()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def open_load_server(bench: Bench, load: Load) -> Iterator[str]:
    """A load server for one measurement; yields its address."""
    command = [sys.executable, str(LOAD_SERVER), "--follow-stdin", "--latency-ms", str(load.latency_ms)]
    command += ["--fault-rate", str(load.fault_rate)]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    bench.servers.append(server)
    try:
        address = server.stdout.readline().decode().strip() if server.stdout else ""
        if not address:
            raise MeasurementFailed("the load server did not start")
        yield address
    finally:
        server.terminate()
        server.communicate(timeout=10)
        bench.servers.remove(server)


def read_stats(address: str) -> dict[str, Any]:
    """What the load server counted."""
    with urllib.request.urlopen(f"{address}/stats", timeout=10) as reply:  # noqa: S310 - our own server
        stats: dict[str, Any] = json.load(reply)
    return stats


def write_suite(folder: Path, cases: int, address: str) -> Path:
    """A suite with one prompt, one model and `cases` cases, each with a reference of about 55 words."""
    rng, sentences = random.Random(7), make_sentences()
    (folder / "assay.yaml").write_text(SUITE.format(base_url=address))
    with (folder / "cases.jsonl").open("w") as lines:
        for number in range(cases):
            listing = f"Listing {number}: " + " ".join(rng.choices(sentences, k=4))
            expected = " ".join(rng.choices(sentences, k=5))
            case = {"id": f"case-{number:06d}", "vars": {"listing": listing}, "expected": expected}
            lines.write(json.dumps(case) + "\n")
    return folder


def measure(load: Load, *, profile: Path | None = None) -> Measurement:
    """Run one load on a fresh database and measure it from the start of the process to the server's end."""
    with open_bench() as bench, open_load_server(bench, load) as address:
        write_suite(bench.folder, load.cases, address)
        bench.assay("db", "upgrade")
        before_s, started = bench.cpu_s(), time.monotonic()
        with (
            open_run(bench, load, profile) as run,
            MemoryWatch(run.pid, [server.pid for server in bench.servers]) as watch,
        ):
            main_cpu_s = wait_for(bench, run)
        wall_s = time.monotonic() - started
        bench.wait_until_idle()
        cpu_s = bench.cpu_s() - before_s
        stats = read_stats(address)
        run_s, results, scores = _read_times(bench)
    return Measurement(
        load=load,
        wall_s=wall_s,
        run_s=run_s,
        cpu_s=cpu_s,
        main_cpu_s=main_cpu_s,
        server_cpu_s=cpu_s - main_cpu_s,
        tree_peak_mb=watch.peak.tree / 1e6,
        main_peak_mb=watch.peak.main / 1e6,
        peak_concurrency=stats["peak_in_flight"],
        results=results,
        scores=scores,
    )


@contextmanager
def open_run(bench: Bench, load: Load, profile: Path | None = None) -> Iterator["subprocess.Popen[bytes]"]:
    """An `assay run`; with a profile, under cProfile (its main thread only). Killed if it is left early."""
    python: Sequence[str] = [sys.executable]
    if profile is not None:
        python = [sys.executable, "-m", "cProfile", "-o", str(profile)]
    command = [*python, "-m", "assay", "run", str(bench.folder), "-j", str(load.concurrency)]
    with (bench.folder / "run.log").open("wb") as log:
        run = subprocess.Popen(
            [*command, "--no-cache", "--json", "--quiet"],
            env=bench.environment,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    try:
        yield run
    finally:
        if run.returncode is None:
            run.kill()
            run.wait()


def wait_for(bench: Bench, run: "subprocess.Popen[bytes]") -> float:
    """Wait for a run; the CPU seconds of its process. Raises MeasurementFailed with what it said."""
    _, status, used = os.wait4(run.pid, 0)
    run.returncode = os.waitstatus_to_exitcode(status)
    if run.returncode:
        said = (bench.folder / "run.log").read_text()[-2000:]
        raise MeasurementFailed(f"assay run ended with {run.returncode}: {said}")
    return used.ru_utime + used.ru_stime


def _read_times(bench: Bench) -> tuple[float, int, int]:
    """Seconds from the first claim to the end of the newest job, its results and its scores."""
    row = bench.assay("db", "psql", "-X", "-At", "-F", " ", "-c", TIMES).split()
    started, finished, last_call, results, scores = row[0], row[1], row[2], row[3], row[4]
    if max(float(finished), float(last_call)) < float(started):
        raise MeasurementFailed(f"the job's times make no sense: {row}")
    return float(finished) - float(started), int(results), int(scores)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What starting costs, in CPU seconds of the tree. Both runs are counted up to their first call."""

    help_cpu_s: float
    cold_cpu_s: float
    cold_wall_s: float
    warm_cpu_s: float
    warm_wall_s: float


def measure_start() -> Start:
    """`assay --help`, `assay run` on an empty data folder, and again on a database that runs."""
    load = Load(cases=50, latency_ms=3000.0)
    with open_bench() as bench:
        bench.assay("--help")  # compiled and in the page cache, as it is for a user
        before_s = bench.cpu_s()
        for _ in range(5):
            bench.assay("--help")
        help_cpu_s = (bench.cpu_s() - before_s) / 5
        cold = _until_first_call(bench, load)
        warm = _until_first_call(bench, load)
    return Start(
        help_cpu_s=help_cpu_s,
        cold_cpu_s=cold[0],
        cold_wall_s=cold[1],
        warm_cpu_s=warm[0],
        warm_wall_s=warm[1],
    )


def _until_first_call(bench: Bench, load: Load) -> tuple[float, float]:
    """CPU and wall seconds from the start of a run to the moment when the provider is first asked."""
    with open_load_server(bench, load) as address:
        write_suite(bench.folder, load.cases, address)
        before_s, started = bench.cpu_s(), time.monotonic()
        with open_run(bench, load) as run:
            while not read_stats(address)["requests"]:
                if run.poll() is not None:
                    raise MeasurementFailed(f"assay run ended early with {run.returncode}")
                time.sleep(0.01)
            used = bench.cpu_s() - before_s, time.monotonic() - started
            wait_for(bench, run)
        return used
