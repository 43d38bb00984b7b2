"""assay score."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from assay.cli.consoles import is_plain
from assay.cli.options import env_files_option, no_canaries_option, outputs_option
from assay.cli.outcome import show
from assay.cli.progress import ProgressListener, say
from assay.cli.session import load_settings, open_session, run_async
from assay.cli.suite_options import find_suite, read_suite
from assay.cli.working import INTERRUPTED, listening_to_signals, parse_outputs
from assay.domain.errors import InvalidInput
from assay.domain.models import ModelConfig
from assay.domain.money import NANO
from assay.domain.scores import MetricConfig
from assay.engine.policy import StopSignal
from assay.formats.metric_options import parse_judges, parse_metrics
from assay.reports.wording import plural
from assay.services.context import Context
from assay.services.exports import write_outputs
from assay.services.jobs import find_job
from assay.services.judge_bench import Asking
from assay.services.runs import DEFAULT_CONCURRENCY
from assay.services.scoring import Ending, Scoring, Wish, metrics_of, score_job
from assay.services.summaries import summarise_job
from assay.settings import Settings

TOOL_ERROR = 1
ENDINGS: dict[Ending, str] = {
    "interrupted": "interrupted. Run it again to go on",
    "budget": "stopped: the job's budget, or the tenant's, has no room for the next call",
    "account_stopped": "stopped: a judge's account is used up. Run it again when it is filled up",
    "rate_limited": "stopped: a judge's provider asks to wait longer. Run it again later",
}
"""What is said of a scoring that did not complete."""


@click.command(name="score")
@click.argument("job", default="last")
@click.option(
    "-m", "--metric", "metrics", multiple=True, metavar="NAME", help="A metric by its type or name."
)
@click.option(
    "--judge", "judges", multiple=True, metavar="PROVIDER:MODEL", help="Who judges; of several, a jury."
)
@click.option(
    "--option", "options", multiple=True, metavar="NAME=VALUE", help="An option of the metric; VALUE is YAML."
)
@click.option("--name", help="Name of the metric in tables; its type when it is not set.")
@click.option("--threshold", type=float, help="A score passes from here on.")
@click.option(
    "--suite", type=click.Path(path_type=Path), help="Take metrics and judges from this suite instead."
)
@click.option(
    "-j",
    "--concurrency",
    type=click.IntRange(1, 1000),
    default=DEFAULT_CONCURRENCY,
    show_default=True,
    help="Calls at once over all judges.",
)
@click.option("--no-cache", is_flag=True, help="Ask the judges again, whatever is stored.")
@no_canaries_option
@outputs_option("Write results there; the format by extension.")
@env_files_option
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")
def score_command(**given: Any) -> int:
    """Score the stored answers of JOB by further metrics; nothing is generated again.

    Scores that failed are made again: without --metric, those of all metrics of the job.
    """
    settings = load_settings(given["env_file"])
    chosen = _chosen(settings, given)
    return run_async(_score(settings, given, chosen))


Chosen = tuple[Sequence[MetricConfig], Sequence[ModelConfig], bool]
"""Metrics, judges, and whether these are asked about canaries."""


def _chosen(settings: Settings, given: dict[str, Any]) -> Chosen | None:
    """What was asked for; None: the metrics and judges that the job has."""
    if given["suite"] is not None:
        suite = read_suite(find_suite(given["suite"], None), settings, ())
        return _named(suite.metrics, given["metrics"]), suite.judges, suite.canaries
    special = given["options"] or given["name"] or given["threshold"] is not None
    if special and len(given["metrics"]) != 1:
        raise InvalidInput(
            "options, name and threshold are for one metric", field="--metric", remedy="Name just one."
        )
    if not given["metrics"]:
        if given["judges"]:
            raise InvalidInput(
                "it is not said for which metric", field="--judge", remedy="Add --metric NAME."
            )
        return None
    metrics = parse_metrics(
        given["metrics"],
        options=given["options"],
        name=given["name"],
        threshold=given["threshold"],
        judges=given["judges"],
    )
    return metrics, parse_judges(given["judges"], metrics, settings.environment), True


def _named(metrics: Sequence[MetricConfig], names: Sequence[str]) -> Sequence[MetricConfig]:
    known = {metric.name: metric for metric in metrics}
    for name in names:
        if name not in known:
            raise InvalidInput(
                f"the suite has no metric {name!r}",
                field="--metric",
                remedy=f"It has: {', '.join(known) or 'none'}.",
            )
    return [known[name] for name in names] if names else metrics


async def _score(settings: Settings, given: dict[str, Any], chosen: Chosen | None) -> int:
    outputs = parse_outputs(given["outputs"])
    listener = ProgressListener(plain=is_plain(settings.environment, sys.stderr), quiet=given["quiet"])
    async with open_session(settings, listener.take) as context:
        job_id = await find_job(context, given["job"])
        metrics, judges, canaries = chosen or ((), (), True)
        metrics = await metrics_of(context, job_id, metrics, bare=_bare(given))
        wish = Wish(
            metrics=metrics,
            judges=tuple(judges),
            asking=Asking(concurrency=given["concurrency"], use_cache=not given["no_cache"]),
            canaries=canaries and not given["no_canaries"],
        )
        outcome = await _work(context, job_id, wish, listener)
        summary = await summarise_job(context, job_id)
        show(summary, as_json=given["as_json"])
        for path in await write_outputs(context, summary, outputs):
            say(f"wrote {path}", style="dim")
        return _tell(outcome)


def _bare(given: dict[str, Any]) -> bool:
    """Whether nothing but names was given, so that the job's own metrics are meant by them."""
    said = ("suite", "judges", "options", "name")
    return given["threshold"] is None and not any(given[name] for name in said)


async def _work(context: Context, job_id: UUID, wish: Wish, listener: ProgressListener) -> Scoring:
    stop = StopSignal()
    with listening_to_signals(stop, listener.tell), listener:
        return await score_job(context, job_id, wish, stop)


def _tell(outcome: Scoring) -> int:
    """What was done, on standard error; the exit code."""
    states = ", ".join(f"{count} {state}" for state, count in sorted(outcome.states.items()))
    cost = f"${outcome.cost_nanousd / NANO:.4f}{'+?' if outcome.unpriced else ''}"
    judged = f"; {plural(outcome.calls, 'judge call')}, {cost}" if outcome.calls else ""
    say(f"scores added: {states or 'none, all were there'}{judged}", style="green")
    if outcome.ending == "completed":
        return 0
    say(
        f"{ENDINGS[outcome.ending]}{f' ({outcome.message})' if outcome.message else ''}.", style="bold yellow"
    )
    return INTERRUPTED if outcome.ending == "interrupted" else TOOL_ERROR
