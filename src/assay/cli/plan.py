"""assay plan."""

from pathlib import Path
from typing import Any

import click
from rich.table import Table

from assay.cli.session import load_settings, open_session, run_async
from assay.cli.tables import echo_json, table_console
from assay.domain.errors import InvalidInput
from assay.reports.plan import SamplePlan, Wish, basis_text, plan_sentences, plan_table
from assay.reports.untrusted import one_line
from assay.services.jobs import find_job
from assay.services.planning import Assumptions, plan_assumed, plan_document, plan_file, plan_job

RESULT_FILES = (".jsonl", ".json")
LINE = 1000
SHARE = click.FloatRange(0, 1)
OPEN_SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)


@click.command(name="plan")
@click.argument("source", required=False)
@click.option(
    "--difference",
    type=click.FloatRange(0, min_open=True),
    help="The difference to be shown, in score points (of a measure: in its unit).",
)
@click.option(
    "--power",
    type=OPEN_SHARE,
    default=0.8,
    show_default=True,
    help="Probability of showing it if it is true.",
)
@click.option(
    "--alpha", type=OPEN_SHARE, default=0.05, show_default=True, help="Probability of a false alarm."
)
@click.option("--metric", help="The metric; default: the first quality metric with scores.")
@click.option("--repeats", type=click.IntRange(1, 1000), help="Answers a case; default: as in SOURCE.")
@click.option("--candidates", nargs=2, help="The two to compare; default: those that vary most.")
@click.option("--assume-rate", type=SHARE, help="Plan without data: the pass rate of today.")
@click.option(
    "--discordance", type=SHARE, help="With --assume-rate: share of cases that only one side passes."
)
@click.option(
    "--assume-variance", type=click.FloatRange(0), help="Plan without data: variance of the difference."
)
@click.option(
    "--assume-noise",
    type=click.FloatRange(0),
    help="With --assume-variance: variance between answers to a case.",
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def plan_command(**given: Any) -> int:
    """How many cases or repeats show a difference; and what SOURCE, a job or a result file, can show now."""
    wish = Wish(
        difference=given["difference"],
        power=given["power"],
        alpha=given["alpha"],
        metric=given["metric"],
        repeats=given["repeats"],
        candidates=given["candidates"],
    )
    assumed = Assumptions(
        rate=given["assume_rate"],
        discordance=given["discordance"],
        variance=given["assume_variance"],
        noise=given["assume_noise"],
    )
    plan = _plan(given["source"], assumed, wish)
    if given["as_json"]:
        echo_json(plan_document(plan))
    else:
        show_plan(plan)
    return 0 if plan.reason is None else 1


def _plan(source: str | None, assumed: Assumptions, wish: Wish) -> SamplePlan:
    if assumed != Assumptions():
        if source is not None:
            raise InvalidInput("plan from a job or from assumptions, not from both", field="SOURCE")
        return plan_assumed(assumed, wish)
    path = Path(source or "")
    if path.suffix.lower() in RESULT_FILES and path.is_file():
        return plan_file(path, wish)

    async def read() -> SamplePlan:
        async with open_session(load_settings()) as context:
            return await plan_job(context, await find_job(context, source or "last"), wish)

    return run_async(read())


def show_plan(plan: SamplePlan) -> None:
    """The plan on standard output."""
    console = table_console()
    console.print(one_line(basis_text(plan.basis), LINE), markup=False)
    for sentence in plan_sentences(plan):
        console.print(one_line(sentence, LINE), markup=False)
    rows = plan_table(plan)
    if rows:
        console.print()
        console.print("Smallest difference that is shown:" if len(rows[0]) > 4 else "What cases would show:")
        table = Table(box=None, pad_edge=False)
        for name in rows[0]:
            table.add_column(name, justify="right")
        for row in rows[1:]:
            table.add_row(*row)
        console.print(table)
    for note in plan.notes:
        console.print()
        console.print(one_line(f"Mind: {note}", LINE), markup=False)
