"""A comparison to files: for programs, for pull requests, for people, as a picture."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from assay.formats.drafts import draft_of
from assay.formats.results import check_writable
from assay.reports.comparison_html import write_comparison_html
from assay.reports.comparison_markdown import write_comparison_markdown
from assay.reports.picture import comparison_picture
from assay.services.compare import JobsCompared
from assay.services.comparison_documents import comparison_document


def _json(out: TextIO, found: JobsCompared) -> None:
    out.write(f"{comparison_document(found)}\n")


def _markdown(out: TextIO, found: JobsCompared) -> None:
    write_comparison_markdown(out, found.report)


def _html(out: TextIO, found: JobsCompared) -> None:
    write_comparison_html(out, found.report)


def _svg(out: TextIO, found: JobsCompared) -> None:
    out.write(comparison_picture(found.report))


FORMATS: Mapping[str, Callable[[TextIO, JobsCompared], None]] = {
    ".json": _json,
    ".md": _markdown,
    ".html": _html,
    ".htm": _html,
    ".svg": _svg,
}


def check_outputs(paths: Sequence[Path]) -> None:
    """Raises InvalidInput for an extension that is not known, or a place that cannot be written."""
    for path in paths:
        check_writable(path, FORMATS)


def write_comparison(path: Path, found: JobsCompared) -> None:
    """Write a comparison in the format of the file's extension; a failure leaves no half report."""
    with draft_of(path) as draft, draft.open("w", encoding="utf-8", newline="\n") as out:
        FORMATS[path.suffix.lower()](out, found)
