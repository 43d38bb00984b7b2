"""Results to files: rows for programs, reports for people. Streamed, whatever the number of rows."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

from assay.domain.results import Result
from assay.formats.drafts import draft_of
from assay.formats.results import WRITERS, check_writable, open_writer
from assay.reports.canaries import canary_lines
from assay.reports.html import write_html
from assay.reports.junit import write_junit
from assay.reports.markdown import write_markdown
from assay.services.context import Context
from assay.services.documents import job_document, summary_values
from assay.services.drawing import drawn
from assay.services.summaries import JobSummary
from assay.storage.results import stream_results

FAILURES_SHOWN = 10

Report = Callable[[TextIO, JobSummary, Iterable[Result]], None]


def _html(out: TextIO, outcome: JobSummary, results: Iterable[Result]) -> None:
    write_html(out, outcome.summary, results, receipt=receipt_of(outcome))


def _markdown(out: TextIO, outcome: JobSummary, results: Iterable[Result]) -> None:
    failures = islice((each for each in results if each.state in ("failed", "dead")), FAILURES_SHOWN)
    write_markdown(out, outcome.summary, receipt=receipt_of(outcome), failures=failures)


def _junit(out: TextIO, outcome: JobSummary, results: Iterable[Result]) -> None:
    write_junit(out, outcome.summary, results, dataset=outcome.job.dataset, receipt=receipt_of(outcome))


REPORTS: Mapping[str, Report] = {
    ".html": _html,
    ".htm": _html,
    ".md": _markdown,
    ".xml": _junit,
    ".junit": _junit,
}


@dataclass(frozen=True, slots=True)
class Output:
    """A file to write, known to be writable and of a known kind."""

    path: Path

    @classmethod
    def of(cls, path: Path) -> "Output":
        """Raises InvalidInput for an extension that is not known, or a place that cannot be written."""
        check_writable(path, (*WRITERS, *REPORTS))
        return cls(path)


async def write_outputs(context: Context, outcome: JobSummary, outputs: Sequence[Output]) -> list[Path]:
    """Write a job's results to every output, one after the other; their paths."""
    for output in outputs:
        await _write(context, outcome, output.path)
    return [output.path for output in outputs]


async def _write(context: Context, outcome: JobSummary, path: Path) -> None:
    loop = asyncio.get_running_loop()
    organization_id, job = context.organization_id, outcome.job
    async with context.database.transaction(organization_id) as connection:
        source = stream_results(connection, organization_id, job.id, job.plan)
        async with aclosing(source):
            # Writers are plain code: they run in a thread and draw their rows from this loop.
            rows = drawn(source, loop)
            if path.suffix.lower() in REPORTS:
                await asyncio.to_thread(_write_report, path, outcome, rows)
            else:
                await asyncio.to_thread(_write_rows, path, outcome, rows)


def _write_report(path: Path, outcome: JobSummary, rows: Iterable[Result]) -> None:
    with draft_of(path) as draft, draft.open("w", encoding="utf-8", newline="\n") as out:
        REPORTS[path.suffix.lower()](out, outcome, rows)


def _write_rows(path: Path, outcome: JobSummary, rows: Iterable[Result]) -> None:
    names = [metric.name for metric in outcome.job.plan.metrics]
    rows = iter(rows)
    with open_writer(path, metrics=names, job=job_document(outcome.job, outcome.summary.canaries)) as writer:
        writer.summary = summary_values(outcome.summary)
        while batch := list(islice(rows, 1000)):
            writer.write(batch)


def receipt_of(outcome: JobSummary) -> dict[str, str]:
    """What a reader needs to know of how the numbers came about, as lines of a table."""
    job, plan = outcome.job, outcome.job.plan
    kept = job.receipt
    lines = {
        "Job": str(job.id),
        "Assay": str(kept.get("assay", "")),
        "Created": str(kept.get("created", "")),
        "Data set": f"{job.dataset} v{job.dataset_version} ({job.dataset_hash.hex()[:12]})",
    }
    for prompt in plan.prompts:
        stored = f"{prompt.template}:{prompt.version} " if prompt.template else ""
        lines[f"Prompt {prompt.name}"] = stored + prompt.content_hash.hex()[:12]
    for model in plan.models:
        lines[f"Model {model.name}"] = f"{model.provider}:{model.model} ({model.content_hash.hex()[:12]})"
    lines["Metrics"] = ", ".join(f"{name} v{version}" for name, version in kept.get("metrics", {}).items())
    canaries = canary_lines(outcome.summary.canaries)
    if canaries:
        lines["Canaries"] = "; ".join(canaries)
    prices = {version for version in kept.get("prices", {}).values() if version}
    lines["Prices"] = ", ".join(sorted(prices)) or "unknown"
    lines["Seed"] = str(plan.seed)
    return lines
