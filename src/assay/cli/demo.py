"""assay demo."""

import importlib.resources
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from assay.cli.consoles import is_plain, message_console
from assay.cli.progress import ProgressListener, say
from assay.cli.session import load_settings, open_session, run_async
from assay.cli.working import Showing, parse_outputs, work_and_show
from assay.demo.server import LocalModelFailed, ServerOptions, choose_threads, start_local_model
from assay.demo.weights import WeightsUnavailable, fetch_weights
from assay.domain.errors import OptionalPartMissing
from assay.domain.models import ModelConfig
from assay.domain.suites import Suite
from assay.formats.suite import load_suite
from assay.services.runs import RunOptions, create_job
from assay.services.selection import Filters
from assay.settings import Settings

RECORDED = "qwen2.5-coder-0.5b (recorded)"
HOSTED = {
    "OPENAI_API_KEY": ("openai", "gpt-4o-mini"),
    "GEMINI_API_KEY": ("gemini", "gemini-2.5-flash-lite"),
    "ANTHROPIC_API_KEY": ("anthropic", "claude-haiku-4-5"),
}


@click.command(name="demo")
@click.option("--recorded", is_flag=True, help="Use the recorded answers; no model is started.")
@click.option("--no-cache", is_flag=True, help="Ask the models again, whatever is stored.")
@click.option("--limit", type=click.IntRange(1), help="Take the first cases only.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")
def demo_command(recorded: bool, no_cache: bool, limit: int | None, quiet: bool) -> int:
    """Two prompts on a small local model over 78 property questions, then which one is better.

    With OPENAI_API_KEY, GEMINI_API_KEY or ANTHROPIC_API_KEY set, a model of theirs joins.
    """
    settings = load_settings()
    plain = quiet or is_plain(settings.environment, sys.stderr)
    with _local_address(settings, recorded=recorded, plain=plain) as address:
        suite = _suite(settings, address)
        for model in suite.models:
            say(f"model   {model.name}", style="bold")
        report = settings.data_dir / "demo" / "report.html"
        report.parent.mkdir(parents=True, exist_ok=True)
        showing = Showing(
            listener=ProgressListener(plain=plain, quiet=quiet), outputs=parse_outputs([report])
        )
        options = RunOptions(use_cache=not no_cache)
        return run_async(_run(suite, settings, options, Filters(limit=limit), showing))


async def _run(
    suite: Suite, settings: Settings, options: RunOptions, filters: Filters, showing: Showing
) -> int:
    async with open_session(settings, showing.listener.take) as context:
        job_id = await create_job(context, suite, filters)
        return await work_and_show(context, job_id, options, showing)


@contextmanager
def _local_address(settings: Settings, *, recorded: bool, plain: bool) -> Iterator[str | None]:
    """The address of the local model while it runs; None when its recordings stand in for it."""
    if recorded:
        say("Using recorded answers of Qwen2.5-Coder-0.5B-Instruct: no model is asked.", style="yellow")
        yield None
        return
    try:
        weights = _weights(settings.cache_dir / "models", plain=plain)
        threads = choose_threads(os.cpu_count() or 1, os.getloadavg()[0])
        local = start_local_model(
            weights, settings.cache_dir / "demo-model.log", ServerOptions(threads=threads)
        )
    except (WeightsUnavailable, LocalModelFailed, OptionalPartMissing) as error:
        say(f"{error}", style="yellow")
        say("The local model cannot be had: using recorded answers of the same model.", style="bold yellow")
        yield None
        return
    try:
        yield local.base_url
    finally:
        local.close()


def _weights(folder: Path, *, plain: bool) -> Path:
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=message_console(),
        disable=plain,
        transient=True,
    )
    with bar:
        task = bar.add_task("model weights (once, 491 MB)", total=None)

        def report(phase: str, done: int, total: int) -> None:
            bar.update(task, description=f"model weights: {phase}", completed=done, total=total)

        return fetch_weights(folder, progress=report)


def _suite(settings: Settings, address: str | None) -> Suite:
    folder = Path(str(importlib.resources.files("assay.demo")))
    environment = {**settings.environment, "ASSAY_DEMO_BASE_URL": address or "http://127.0.0.1:1/v1"}
    suite = load_suite(folder / "assay.yaml", environment=environment)
    models = suite.models if address is not None else (_recording(folder),)
    hosted = tuple(
        replace(
            suite.models[0],
            name=f"{provider}:{model}",
            provider=provider,
            model=model,
            base_url=None,
            limits=type(suite.models[0].limits)(),
        )
        for key, (provider, model) in HOSTED.items()
        if settings.environment.get(key)
    )
    return replace(suite, name="demo", models=(*models, *hosted))


def _recording(folder: Path) -> ModelConfig:
    file = str(folder / "recordings.jsonl")
    return ModelConfig(name=RECORDED, provider="replay", model="recordings", options={"file": file})
