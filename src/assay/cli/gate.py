"""assay gate."""

from collections.abc import Awaitable, Callable
from math import isnan
from pathlib import Path
from typing import Any

import click

from assay.cli.consoles import output_console
from assay.cli.options import outputs_option
from assay.cli.progress import say
from assay.cli.session import load_settings, open_session, run_async
from assay.domain.errors import InvalidInput
from assay.formats.baselines import read_baselines, save_baseline
from assay.formats.results import check_writable
from assay.reports.gate import GateReport
from assay.reports.gate_text import render_gate
from assay.services.context import Context
from assay.services.gate_outputs import GATE_WRITERS, append_step_summary, gate_json, write_gate
from assay.services.gate_sources import Source, find_source, needs_database, read_source, target_of
from assay.services.gates import GatePolicy, gate_tables, metric_margin
from assay.settings import Settings

EXIT_CODES = {"pass": 0, "inconclusive": 3, "fail": 100}
HERE = Path()


@click.command(name="gate")
@click.argument("candidate")
@click.option("--baseline", help="What it is held against: a job, a result file or a saved name.")
@click.option(
    "--margin",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="The loss of a score, in points, that is still accepted.",
)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME[=MARGIN]",
    help="Gate this metric only; a measure with its margin: cost_usd=10%. May come more than once.",
)
@click.option(
    "--alpha",
    type=click.FloatRange(0, 0.5, min_open=True, max_open=True),
    default=0.05,
    show_default=True,
    help="How often a candidate that is worse by the margin may pass by chance.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["margin", "any-loss"]),
    default="margin",
    show_default=True,
    help="Fail what is certainly worse by more than the margin, or certainly worse at all.",
)
@click.option("--candidate", "chosen", metavar="PROMPT[/MODEL]", help="Gate this candidate only.")
@click.option("--baseline-candidate", metavar="PROMPT[/MODEL]", help="Hold it against this one.")
@click.option(
    "--better",
    multiple=True,
    metavar="NAME=lower|higher",
    help="Which way a measure of a file is better. May come more than once.",
)
@click.option("--force", is_flag=True, help="Gate although data sets or metrics differ; cases pair by id.")
@click.option("--save-baseline", metavar="NAME", help="Keep CANDIDATE under this name, if the gate passes.")
@outputs_option("Write the report there: xml (JUnit), md or json by extension. May come more than once.")
@click.option("--github", is_flag=True, help="Add the Markdown to the file that GITHUB_STEP_SUMMARY names.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def gate_command(candidate: str, baseline: str | None, **given: Any) -> int:
    """May CANDIDATE replace the baseline? Exit 0: yes, 100: no, 3: these cases do not tell.

    CANDIDATE and the baseline are jobs (id, name or "last"), result files, or names of --save-baseline.
    """
    policy = _policy(given)
    for path in given["outputs"]:
        check_writable(path, GATE_WRITERS)
    names = read_baselines(HERE)
    tested = find_source(candidate, names, HERE)
    if baseline is None:
        return _save_only(tested, given["save_baseline"])
    settings = load_settings()
    against = find_source(baseline, names, HERE)

    async def gate(context: Context | None) -> tuple[GateReport, str]:
        ours, theirs = await read_source(context, tested), await read_source(context, against)
        return gate_tables(ours, theirs, policy), await target_of(context, tested, HERE)

    report, target = run_async(_with_context(settings, gate, tested, against))
    _show(report, settings, given)
    if given["save_baseline"] and report.outcome == "pass":
        _save(given["save_baseline"], target)
    return EXIT_CODES[report.outcome]


async def _with_context(
    settings: Settings, work: Callable[[Context | None], Awaitable[Any]], *sources: Source
) -> Any:
    """With a database only where a source is a job."""
    if not needs_database(*sources):
        return await work(None)
    async with open_session(settings) as context:
        return await work(context)


def _save_only(tested: Source, name: str | None) -> int:
    if name is None:
        raise InvalidInput(
            "against what?",
            field="--baseline",
            remedy="Give a job, a result file or a saved name; or save one with --save-baseline NAME.",
        )

    async def find(context: Context | None) -> str:
        await read_source(context, tested)  # what cannot be read is no baseline
        return await target_of(context, tested, HERE)

    _save(name, run_async(_with_context(load_settings(), find, tested)))
    return 0


def _save(name: str, target: str) -> None:
    path = save_baseline(HERE, name, target)
    say(f"{name} means {target} from now on: {path}")


def _policy(given: dict[str, Any]) -> GatePolicy:
    for option in ("margin", "alpha"):
        if given[option] is not None and isnan(given[option]):
            raise InvalidInput("is not a number", field=f"--{option}")
    return GatePolicy(
        metrics=tuple(metric_margin(text) for text in given["metrics"]),
        margin=given["margin"],
        alpha=given["alpha"],
        fail_on=given["fail_on"],
        better=dict(_direction(text) for text in given["better"]),
        candidate=given["chosen"],
        baseline_candidate=given["baseline_candidate"],
        force=given["force"],
    )


def _direction(text: str) -> tuple[str, Any]:
    name, _, way = text.rpartition("=")
    if not name or way not in ("lower", "higher"):
        raise InvalidInput(
            f"{text!r} is not NAME=lower or NAME=higher", field="--better", remedy="As in: words=lower"
        )
    return name, way


def _show(report: GateReport, settings: Settings, given: dict[str, Any]) -> None:
    if given["as_json"]:
        click.echo(gate_json(report))
    else:
        render_gate(report, output_console())
    for path in given["outputs"]:
        write_gate(report, path)
        say(f"wrote {path}", style="dim")
    if given["github"]:
        summary = settings.environment.get("GITHUB_STEP_SUMMARY")
        if summary:
            append_step_summary(report, Path(summary))
        else:
            say("GITHUB_STEP_SUMMARY is not set: no summary was added", style="yellow")
