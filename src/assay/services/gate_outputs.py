"""A gate's report as files: JSON, Markdown and JUnit."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

import orjson

from assay.domain.errors import InvalidInput
from assay.formats.drafts import written
from assay.reports.gate import GateReport, gate_document
from assay.reports.gate_junit import write_gate_junit
from assay.reports.gate_markdown import write_gate_markdown
from assay.services.documents import OPTIONS


def gate_json(report: GateReport) -> str:
    """The report as JSON text; what is not known is null."""
    return orjson.dumps(gate_document(report), option=OPTIONS).decode()


def _write_json(out: TextIO, report: GateReport) -> None:
    out.write(f"{gate_json(report)}\n")


GATE_WRITERS: Mapping[str, Callable[[TextIO, GateReport], None]] = {
    ".json": _write_json,
    ".md": write_gate_markdown,
    ".xml": write_gate_junit,
    ".junit": write_gate_junit,
}
"""Extension -> what writes it."""


def write_gate(report: GateReport, path: Path) -> None:
    """Write a report in the format of its extension; a failure leaves no half report. Raises InvalidInput."""
    with written(path) as draft, draft.open("w", encoding="utf-8", newline="\n") as out:
        GATE_WRITERS[path.suffix.lower()](out, report)


def append_step_summary(report: GateReport, path: Path) -> None:
    """Add the Markdown to a file that other steps write to, too. Raises InvalidInput."""
    try:
        with path.open("a", encoding="utf-8", newline="\n") as out:
            write_gate_markdown(out, report)
    except OSError as problem:
        raise InvalidInput(
            f"the summary cannot be written: {problem.strerror}", file=str(path), field="GITHUB_STEP_SUMMARY"
        ) from problem
