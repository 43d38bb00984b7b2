"""assay judge."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import click

import assay
from assay.cli.consoles import output_console
from assay.cli.judge_canaries import canaries_command
from assay.cli.options import outputs_option
from assay.cli.progress import say
from assay.cli.session import load_settings, open_session, run_async
from assay.cli.tables import echo_json
from assay.domain.errors import InvalidInput
from assay.formats.label_values import LabelScale
from assay.formats.labels import LabelColumns
from assay.formats.results import check_writable
from assay.reports.calibration_page import calibration_page
from assay.reports.calibration_values import CalibrationReport, CalibrationWish, LabelDraw
from assay.reports.drift_page import DriftReport, drift_page
from assay.reports.jury_page import JuryReport, jury_page
from assay.reports.table_pages import render_page
from assay.reports.untrusted import one_line
from assay.services.calibration import LabelSource, calibrate_file, calibrate_job, read_judged
from assay.services.jobs import find_job
from assay.services.judge_drift import compare_judgements
from assay.services.judge_files import (
    REPORTS,
    SHEET,
    calibration_json,
    save_calibration,
    write_calibration,
)
from assay.services.juries import compare_judges
from assay.services.label_sheets import SheetRow, plan_sheet, read_texts, write_sheet
from assay.stats.score_maps import MapKind

SHOWN = 20
WIDTH = 120
"""Of the tables where there is no terminal."""


@dataclass(frozen=True, slots=True)
class _Done:
    """A report, where there were labels, and the answers to label next."""

    report: CalibrationReport | None
    sheet: Sequence[SheetRow]
    texts: Any


@click.group(name="judge")
def judge_command() -> None:
    """Hold judges against people: agreement, bias, thresholds, corrected means, drift."""


judge_command.add_command(canaries_command)


@judge_command.command(name="calibrate")
@click.argument("job", default="last")
@click.option("--labels", type=click.Path(path_type=Path), help="A file with labels of people.")
@click.option("--metric", help="The metric that is the judge.")
@click.option(
    "--label-column", "label_columns", multiple=True, help="A column of labels; several: annotators."
)
@click.option(
    "--judge-column", help="The labels' file has the judge's scores in this column: no job is read."
)
@click.option("--swapped-column", help="The judge's scores with the order of presentation swapped.")
@click.option("--scale", default="0:1", show_default=True, metavar="LOW:HIGH", help="The ends of the labels.")
@click.option(
    "--judge-scale", default="0:1", show_default=True, metavar="LOW:HIGH", help="Those of the judge column."
)
@click.option("--passes", multiple=True, metavar="WORD", help="A label that means a pass. May be repeated.")
@click.option("--pass-at", type=float, help="Graded labels of this or more are passes, on the labels' scale.")
@click.option("--threshold", type=float, help="The judge's threshold today, instead of the suite's.")
@click.option("--judge-family", help="The family of models that the judge is of, for self-preference.")
@click.option(
    "--map",
    "map_kind",
    type=click.Choice(get_args(MapKind)),
    default="logistic",
    show_default=True,
    help="The curve from scores to labels.",
)
@click.option(
    "--margin",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.05,
    show_default=True,
    help="How well the means are to be known, for the number of labels.",
)
@click.option("--next", "next_count", type=click.IntRange(3), help="Choose so many answers to label next.")
@click.option(
    "--draw",
    type=click.Choice(get_args(LabelDraw)),
    default="stratified",
    show_default=True,
    help="How they are chosen.",
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Of the draw and of the folds of a file."
)
@outputs_option("Write the report (md, json) or the answers to label (csv). May come more than once.")
@click.option("--save", type=click.Path(path_type=Path), help="Keep threshold and map as JSON.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def calibrate_command(job: str, as_json: bool, outputs: tuple[Path, ...], **given: Any) -> int:
    """Hold the scores of JOB, or of a file that has both, against labels of people."""
    _check(outputs, given)
    source, wish = _source(given), _wish(given)
    if given["judge_column"] is not None:
        done = _of_file(source, wish, given)
    else:
        done = run_async(_of_job(job, source, wish, given))
    _write(done, outputs, given["save"])
    _show(done, outputs, as_json=as_json)
    return 0


def _check(outputs: tuple[Path, ...], given: dict[str, Any]) -> None:
    for path in outputs:
        check_writable(path, (*REPORTS, SHEET))
    if given["save"] is not None:
        check_writable(given["save"], (".json",))
    if given["labels"] is None and given["next_count"] is None:
        raise InvalidInput(
            "there is nothing to hold the judge against",
            field="--labels",
            remedy="Give a file of labels, or choose answers to label: --next 100 -o to-label.csv",
        )
    if given["labels"] is None and (given["judge_column"] or given["save"]):
        raise InvalidInput("a file of labels is needed", field="--labels")
    sheets = [path for path in outputs if path.suffix.lower() == SHEET]
    if sheets and given["next_count"] is None:
        raise InvalidInput(
            "a sheet to fill in needs to know of how many answers", file=str(sheets[0]), field="--next"
        )
    if given["labels"] is None and len(sheets) < len(outputs):
        raise InvalidInput("a report needs labels", field="--labels")


def _source(given: dict[str, Any]) -> LabelSource | None:
    if given["labels"] is None:
        return None
    columns = LabelColumns(
        labels=given["label_columns"],
        judge=given["judge_column"],
        swapped=given["swapped_column"],
        scale=LabelScale.of(*_ends(given["scale"], "--scale"), given["passes"]),
        judge_scale=LabelScale.of(*_ends(given["judge_scale"], "--judge-scale"), given["passes"]),
    )
    return LabelSource(path=given["labels"], columns=columns, judge_family=given["judge_family"])


def _wish(given: dict[str, Any]) -> CalibrationWish:
    low, high = _ends(given["scale"], "--scale")
    pass_at, threshold = given["pass_at"], given["threshold"]
    if pass_at is not None and not low <= pass_at <= high:
        raise InvalidInput(f"{pass_at:g} is off the scale of {low:g} to {high:g}", field="--pass-at")
    least, most = _ends(given["judge_scale"], "--judge-scale")
    return CalibrationWish(
        pass_at=None if pass_at is None else (pass_at - low) / (high - low),
        threshold=None if threshold is None else (threshold - least) / (most - least),
        map_kind=given["map_kind"],
        margin=given["margin"],
    )


def _ends(text: str, option: str) -> tuple[float, float]:
    low, _, high = text.partition(":")
    try:
        ends = float(low), float(high)
    except ValueError as problem:
        raise InvalidInput(
            f"{text!r} is no scale", field=option, remedy="Write LOW:HIGH, as in 1:5."
        ) from problem
    if not float("-inf") < ends[0] < ends[1] < float("inf"):
        raise InvalidInput(f"{text!r} is no scale: the first end must be the lower one", field=option)
    return ends


def _of_file(source: LabelSource | None, wish: CalibrationWish, given: dict[str, Any]) -> _Done:
    if source is None:
        raise InvalidInput("a file of labels is needed", field="--labels")
    report, answers = calibrate_file(source, wish, seed=given["seed"])
    count = given["next_count"]
    rows = [] if count is None else plan_sheet(answers, count, given["draw"], seed=given["seed"])
    return _Done(report, rows, {})


async def _of_job(
    job: str, source: LabelSource | None, wish: CalibrationWish, given: dict[str, Any]
) -> _Done:
    async with open_session(load_settings()) as context:
        judged = await read_judged(context, await find_job(context, job), given["metric"])
        report, answers = None, judged.answers
        if source is not None:
            report, answers = await calibrate_job(judged, source, wish)
        if given["next_count"] is None:
            return _Done(report, (), {})
        rows = plan_sheet(answers, given["next_count"], given["draw"], seed=given["seed"])
        return _Done(report, rows, await read_texts(context, judged, rows))


def _write(done: _Done, outputs: tuple[Path, ...], save: Path | None) -> None:
    for path in outputs:
        if path.suffix.lower() == SHEET:
            write_sheet(path, done.sheet, done.texts)
        elif done.report is not None:
            write_calibration(done.report, path)
        say(f"wrote {path}")
    if save is not None and done.report is not None:
        save_calibration(done.report, save, version=assay.__version__, made_at=datetime.now(UTC))
        say(f"wrote {save}")


def _show(done: _Done, outputs: tuple[Path, ...], *, as_json: bool) -> None:
    sheet_written = any(path.suffix.lower() == SHEET for path in outputs)
    if as_json and done.report is not None:
        click.echo(calibration_json(done.report))
    elif as_json:
        echo_json([{"case": row.key[0], "prompt": row.key[1], "model": row.key[2]} for row in done.sheet])
    elif done.report is not None:
        render_page(calibration_page(done.report), output_console(WIDTH))
    if done.sheet and not as_json and not sheet_written:
        _show_sheet(done.sheet)


def _show_sheet(rows: Sequence[SheetRow]) -> None:
    click.echo("Label next:")
    for row in rows[:SHOWN]:
        names = [part for part in (row.answer.prompt, row.answer.model) if part is not None]
        click.echo(one_line("  ".join([row.answer.case, *(names or [row.answer.candidate])]), 200))
    if len(rows) > SHOWN:
        say(f"and {len(rows) - SHOWN:,} more; write them all to a sheet: -o to-label.csv")


@judge_command.command(name="jury")
@click.argument("job", default="last")
@click.option("--metric", "metrics", multiple=True, help="A metric that is a judge. May come more than once.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def jury_command(job: str, metrics: tuple[str, ...], as_json: bool) -> int:
    """Do the judges of JOB agree? Its metrics, each as one judge of the same answers."""

    async def compare() -> JuryReport:
        async with open_session(load_settings()) as context:
            return await compare_judges(context, await find_job(context, job), metrics)

    report = run_async(compare())
    if as_json:
        echo_json(report)
    else:
        render_page(jury_page(report), output_console(WIDTH))
    return 0


@judge_command.command(name="drift")
@click.argument("job_a")
@click.argument("job_b")
@click.option("--metric", help="The metric that is the judge.")
@click.option(
    "--margin",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.02,
    show_default=True,
    help="A shift of the mean that does not matter, in score points.",
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def drift_command(job_a: str, job_b: str, metric: str | None, margin: float, as_json: bool) -> int:
    """Has the judge changed from JOB_A to JOB_B? The same answers, judged twice."""

    async def compare() -> DriftReport:
        async with open_session(load_settings()) as context:
            ids = [await find_job(context, job) for job in (job_a, job_b)]
            return await compare_judgements(context, ids[0], ids[1], metric=metric, margin=margin)

    report = run_async(compare())
    if as_json:
        echo_json(report)
    else:
        render_page(drift_page(report), output_console(WIDTH))
    return 0
