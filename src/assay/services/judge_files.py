"""Reports on judges as files: JSON, Markdown, and a calibration that is kept."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from assay.formats.drafts import written
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


def write_calibration(report: CalibrationReport, path: Path) -> None:
    """Write a report as JSON or Markdown, by the extension."""
    with written(path) as draft, draft.open("w", encoding="utf-8", newline="\n") as out:
        if path.suffix.lower() == ".md":
            write_page_markdown(out, calibration_page(report))
        else:
            out.write(f"{calibration_json(report)}\n")


def save_calibration(report: CalibrationReport, path: Path, *, version: str, made_at: datetime) -> None:
    """Keep what a later use of the judge needs: threshold, map, what they are worth and what they rest on.

    The form is `kept_calibration`'s. Raises InvalidInput where the file cannot be written.
    """
    document = kept_calibration(report, version=version, made_at=made_at)
    with written(path) as draft:
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
