"""assay run."""

import sys
from dataclasses import replace
from typing import Any

import click

from assay.cli.consoles import is_plain
from assay.cli.estimate import make_estimate, show_estimate
from assay.cli.options import no_canaries_option, outputs_option
from assay.cli.progress import ProgressListener, say
from assay.cli.session import load_settings, open_session, run_async
from assay.cli.suite_options import find_suite, read_suite, suite_options
from assay.cli.working import Showing, parse_outputs, work_and_show
from assay.domain.races import RaceConfig
from assay.domain.suites import Suite
from assay.services.jobs import find_job
from assay.services.runs import DEFAULT_CONCURRENCY, RunOptions, create_job, set_budget, with_overrides
from assay.settings import Settings


@click.command(name="run")
@suite_options
@outputs_option("Write results there; the format by extension. May be given more than once.")
@click.option("-j", "--concurrency", type=click.IntRange(1, 1000), help="Requests at once over all models.")
@click.option("--no-cache", is_flag=True, help="Ask the models again, whatever is stored.")
@click.option("--max-errors", type=click.IntRange(1), help="Stop when so many cells have failed.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first cell that fails: --max-errors 1.")
@click.option(
    "--min-pass-rate",
    type=click.FloatRange(0, 1),
    help="Exit 100 unless every metric that is binary or has a threshold passes this share of cases.",
)
@click.option("--budget", type=click.FloatRange(0), metavar="USD", help="Spend at most this.")
@click.option(
    "--race", is_flag=True, help="Stop candidates that cannot win, and the run once the winner is sure."
)
@click.option(
    "--race-metric", metavar="NAME", help="The metric that decides a race; the first with scores from 0 to 1."
)
@click.option(
    "--race-within",
    type=click.FloatRange(0, 0.5),
    help="The winner may be worse than the best by this; 0.02.",
)
@click.option(
    "--race-alpha", type=click.FloatRange(0.0001, 0.5), help="How likely the winner may be wrong; 0.05."
)
@no_canaries_option
@click.option("--resume", "resume", metavar="JOB", help="Go on with this job in place of a new one.")
@click.option("--dry-run", is_flag=True, help="Check everything and show the estimate; make no call.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")
def run_command(**given: Any) -> int:
    """Run a suite: every prompt on every model for every case.

    SUITE is a file or a folder with assay.yaml; this folder's by default.
    """
    settings = load_settings(given["env_file"])
    if given["resume"]:
        return run_async(_resume(settings, given))
    suite = read_suite(find_suite(given["suite"], given["config"]), settings, given["variables"])
    suite = with_overrides(
        suite,
        {
            "repeats": given["repeat"],
            "concurrency": given["concurrency"],
            "budget_usd": given["budget"],
            "canaries": False if given["no_canaries"] else None,
            "race": _race(given, suite),
        },
    )
    if given["dry_run"]:
        return _dry_run(suite, settings, given)
    return run_async(_run(suite, settings, given))


def _race(given: dict[str, Any], suite: Suite) -> RaceConfig | None:
    """The race that the options ask for, over the suite's own; each of them asks for one."""
    names = {"metric": "race_metric", "within": "race_within", "alpha": "race_alpha"}
    chosen = {name: given[option] for name, option in names.items() if given[option] is not None}
    if not chosen and not given["race"]:
        return suite.race
    return replace(suite.race or RaceConfig(), **chosen)


def _dry_run(suite: Suite, settings: Settings, given: dict[str, Any]) -> int:
    parse_outputs(given["outputs"])
    show_estimate(make_estimate(suite, given["filters"], settings), as_json=given["as_json"])
    say("dry run: everything checks out, no call was made", style="green")
    return 0


async def _run(suite: Suite, settings: Settings, given: dict[str, Any]) -> int:
    showing = _showing(settings, given)
    async with open_session(settings, showing.listener.take) as context:
        job_id = await create_job(context, suite, given["filters"])
        return await work_and_show(context, job_id, _options(given, suite), showing)


async def _resume(settings: Settings, given: dict[str, Any]) -> int:
    showing = _showing(settings, given)
    async with open_session(settings, showing.listener.take) as context:
        job_id = await find_job(context, given["resume"])
        if given["budget"] is not None:
            await set_budget(context, job_id, given["budget"])
        return await work_and_show(context, job_id, _options(given, None), showing)


def _showing(settings: Settings, given: dict[str, Any]) -> Showing:
    return Showing(
        listener=ProgressListener(plain=is_plain(settings.environment, sys.stderr), quiet=given["quiet"]),
        as_json=given["as_json"],
        outputs=parse_outputs(given["outputs"]),
        min_pass_rate=given["min_pass_rate"],
    )


def _options(given: dict[str, Any], suite: Suite | None) -> RunOptions:
    concurrency = given["concurrency"] or (suite.concurrency if suite else None) or DEFAULT_CONCURRENCY
    return RunOptions(
        concurrency=concurrency,
        use_cache=not given["no_cache"],
        max_errors=1 if given["fail_fast"] else given["max_errors"],
        canaries=not given["no_canaries"],
    )
