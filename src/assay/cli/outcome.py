"""The outcome of a job: on standard output, in files, in what to do next and in the exit code."""

from uuid import UUID

import click

from assay.cli.consoles import output_console
from assay.cli.progress import say
from assay.cli.working import Showing
from assay.domain.money import NANO
from assay.engine.policy import EndReason
from assay.reports.text import render_summary
from assay.services.context import Context
from assay.services.documents import summary_document
from assay.services.exports import write_outputs
from assay.services.summaries import JobSummary, summarise_job
from assay.storage.jobs import Job

GATE_FAILED, INTERRUPTED, TOOL_ERROR, INCONCLUSIVE = 100, 130, 1, 3
ENDINGS: dict[EndReason, tuple[str, str]] = {
    "errors": ("stopped: too many cells failed", "Go on with: assay resume {job}"),
    "budget": (
        "stopped: the next call does not fit the budget",
        "Give it more with: assay resume {job} --budget USD",
    ),
    "account_stopped": (
        "stopped: the provider's account is used up",
        "When it is filled up, go on with: assay resume {job}",
    ),
    "paused": ("paused by another process", "Go on with: assay resume {job}"),
    "cancelled": ("cancelled", "See what was answered: assay show {job}"),
    "interrupted": ("interrupted", "Go on with: assay resume {job}"),
}
"""What is said of a run that did not complete, and what to do next."""


async def show_outcome(context: Context, job_id: UUID, reason: EndReason, showing: Showing) -> int:
    """Summarise a job that was worked on, show and write what was found; the exit code."""
    outcome = await summarise_job(context, job_id)
    show(outcome, as_json=showing.as_json)
    for path in await write_outputs(context, outcome, showing.outputs):
        say(f"wrote {path}", style="dim")
    return _finish(outcome, reason, showing)


def show(outcome: JobSummary, *, as_json: bool) -> None:
    """The summary on standard output, for people or for programs."""
    if as_json:
        click.echo(summary_document(outcome))
    else:
        render_summary(outcome.summary, output_console())


def _finish(outcome: JobSummary, reason: EndReason, showing: Showing) -> int:
    job = outcome.job
    if reason != "completed":
        ending, advice = ENDINGS[reason]
        spent = f" ({_budget(job)})" if reason == "budget" else ""
        say(f"{ending}{spent}. {advice.format(job=job.id)}", style="bold yellow")
        return INTERRUPTED if reason == "interrupted" else TOOL_ERROR
    failed = sum(candidate.errors for candidate in outcome.summary.candidates)
    if failed:
        found = "1 cell failed. Run it" if failed == 1 else f"{failed:,} cells failed. Run them"
        say(f"{found} again with: assay retry {job.id}", style="yellow")
    say(f"See more: assay show {job.id}   assay export {job.id} -o report.html", style="dim")
    if not any(candidate.succeeded for candidate in outcome.summary.candidates):
        return TOOL_ERROR
    if showing.min_pass_rate is not None and not _passes(outcome, showing.min_pass_rate):
        return GATE_FAILED
    race = outcome.summary.race
    return INCONCLUSIVE if race is not None and race.winner is None else 0


def _budget(job: Job) -> str:
    spent = f"${job.spent_nanousd / NANO:.6g} spent"
    return spent if job.cap_nanousd is None else f"{spent} of ${job.cap_nanousd / NANO:.6g}"


def _passes(outcome: JobSummary, least: float) -> bool:
    """Whether every metric that passes or fails reaches the rate on every candidate.

    A binary metric without a threshold passes at 1, so that its mean is its pass rate.
    """
    rates = [
        (each, each.mean if each.pass_rate is None else each.pass_rate)
        for each in outcome.summary.metrics
        if each.pass_rate is not None or each.info.kind == "binary"
    ]
    if not rates:
        say("gate: no metric is binary or has a threshold, so nothing can pass", style="bold red")
        return False
    low = [
        (outcome.summary.candidates[each.candidate].label, each.metric, rate.estimate)
        for each, rate in rates
        if rate.estimate is None or rate.estimate < least
    ]
    for label, metric, rate in low:
        found = "nothing was scored" if rate is None else f"{rate:.1%}"
        say(f"gate: {label} on {metric}: {found}, at least {least:.1%} must pass", style="bold red")
    return not low
