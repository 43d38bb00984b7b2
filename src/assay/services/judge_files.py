"""Reports on judges as files: JSON, Markdown, and a calibration that is kept."""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from assay.domain.errors import InvalidInput
from assay.formats.result_rows import unknown_extension
from assay.reports.calibration_page import calibration_page
from assay.reports.calibration_values import CalibrationReport
from assay.reports.table_pages import write_page_markdown
from assay.services.documents import OPTIONS

REPORTS = (".json", ".md")
SHEET = ".csv"
FORMAT = 1
"""The version of the kept calibration's form."""


def calibration_json(report: CalibrationReport) -> str:
    """The report as JSON text; what is not known is null."""
    return orjson.dumps(report, option=OPTIONS).decode()


def check_judge_output(path: Path, known: tuple[str, ...] = (*REPORTS, SHEET)) -> None:
    """Raise InvalidInput unless a file of a known kind can be written here."""
    if path.suffix.lower() not in known:
        raise unknown_extension(str(path), list(known))
    if path.is_dir():
        raise InvalidInput("this is a folder; give a file's name", file=str(path))
    if not path.absolute().parent.is_dir():
        raise InvalidInput(
            f"there is no folder {path.parent}", file=str(path), remedy=f"Make it: mkdir -p {path.parent}"
        )


def write_calibration(report: CalibrationReport, path: Path) -> None:
    """Write a report as JSON or Markdown, by the extension."""
    with _Draft(path) as draft, draft.open("w", encoding="utf-8", newline="\n") as out:
        if path.suffix.lower() == ".md":
            write_page_markdown(out, calibration_page(report))
        else:
            out.write(f"{calibration_json(report)}\n")


def save_calibration(report: CalibrationReport, path: Path, *, version: str, made_at: datetime) -> None:
    """Keep what a later use of the judge needs: threshold, map, what they are worth and what they rest on.

    The form is `kept_calibration`'s. Raises InvalidInput where the file cannot be written.
    """
    document = kept_calibration(report, version=version, made_at=made_at)
    with _Draft(path) as draft:
        draft.write_bytes(orjson.dumps(document, option=OPTIONS | orjson.OPT_APPEND_NEWLINE))


def kept_calibration(report: CalibrationReport, *, version: str, made_at: datetime) -> Mapping[str, Any]:
    """Judge, labels (with their SHA-256), threshold and map with held-out figures, as JSON values."""
    found = report.calibration
    cutoff, curve = found.cutoff, found.map
    return {
        "format": FORMAT,
        "assay": version,
        "made_at": made_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "judge": dict(report.judge),
        "labels": {**report.labels, "n": found.n, "clusters": found.clusters},
        "threshold": None if cutoff is None else cutoff.threshold,
        "held_out": None if cutoff is None else cutoff.held_out,
        "auroc": found.auroc,
        "map": None if curve is None else curve.map,
        "map_losses": None
        if curve is None
        else {"held_out": curve.held_out_loss, "raw": curve.raw_loss, "mean_alone": curve.base_loss},
    }


class _Draft:
    """A file beside the target that gets its name when it is whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.part = path.with_name(f".{path.name}.{os.getpid()}.part")

    def __enter__(self) -> Path:
        return self.part

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, _trace: object
    ) -> None:
        try:
            if kind is None:
                self.part.replace(self.path)
        except OSError as failed:
            raise self._refused(failed) from failed
        finally:
            self.part.unlink(missing_ok=True)
        if isinstance(problem, OSError):
            raise self._refused(problem) from problem

    def _refused(self, problem: OSError) -> InvalidInput:
        return InvalidInput(f"the file cannot be written: {problem.strerror}", file=str(self.path))
