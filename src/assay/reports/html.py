"""A report as one HTML file: no request to anywhere, nothing that a model said can run in it."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from assay.domain.results import Result
from assay.reports.page import page_of
from assay.reports.rows import Progress, rows_of
from assay.reports.untrusted import printable
from assay.reports.values import RunSummary

ROWS_LIMIT = 2_000


def write_html(
    out: TextIO,
    summary: RunSummary,
    results: Iterable[Result],
    *,
    receipt: Mapping[str, str],
    rows_limit: int = ROWS_LIMIT,
) -> None:
    """Write the page; `results` are read one by one, and no more than `rows_limit` + 1 of them.

    `out` must take UTF-8. Only the page's own style and script are allowed, by their hashes.
    """
    progress = Progress()
    tags = {(each.prompt, each.model): str(n) for n, each in enumerate(summary.candidates, start=1)}
    stream = _TEMPLATE.stream(
        page=page_of(summary, receipt, rows_limit),
        rows=rows_of(results, tags, summary.metric_names, rows_limit, progress),
        progress=progress,
        policy=policy_of(STYLE, _SCRIPT),
        style=STYLE,
        script=_SCRIPT,
    )
    stream.enable_buffering(64)
    for chunk in stream:
        out.write(chunk)


def _shown(value: Any) -> Any:
    """Every text that the template prints; pictures and the page's own code are Markup and left alone."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return printable(value)


def _digest(code: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"


def policy_of(style: str, script: str | None = None) -> str:
    """The policy of a page that may use this style and script and nothing else."""
    scripts = "" if script is None else f"script-src {_digest(script)}; "
    return (
        f"default-src 'none'; style-src {_digest(style)}; {scripts}"
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )


_LOADER = PackageLoader("assay.reports")
ENVIRONMENT = Environment(
    loader=_LOADER,
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_shown,
    trim_blocks=True,
    lstrip_blocks=True,
)


def _source(name: str) -> Markup:
    """A file beside the template, ours and therefore not escaped."""
    return Markup(_LOADER.get_source(ENVIRONMENT, name)[0])  # noqa: S704 - no text of others in it


STYLE, _SCRIPT = _source("report.css"), _source("report.js")
_TEMPLATE = ENVIRONMENT.get_template("report.html.jinja")
