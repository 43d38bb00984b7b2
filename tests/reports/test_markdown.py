"""The summary for a pull request: as GitHub would render it."""

import io
from html.parser import HTMLParser

import numpy as np
from markdown_it import MarkdownIt

from assay.domain.scores import Score
from assay.reports.markdown import write_markdown
from assay.reports.summary import summarise
from assay.reports.untrusted import one_line, printable

ALLOWED = {"h2", "h3", "p", "sub", "table", "thead", "tbody", "tr", "th", "td", "code", "strong", "br"}
ALLOWED |= {"ul", "li", "details", "summary"}


class Page(HTMLParser):
    """Tags with their attributes, cells of each table row, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.rows: list[int] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, attrs))
        if tag == "tr":
            self.rows.append(0)
        if tag in ("td", "th"):
            self.rows[-1] += 1

    def handle_data(self, data):
        self.texts.append(data)


def written(summary, receipt=None, failures=()):
    out = io.StringIO()
    write_markdown(out, summary, receipt=receipt or {}, failures=failures)
    return out.getvalue()


def rendered(markdown):
    page = Page()
    page.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown))
    return page


def test_it_has_scores_differences_warnings_and_receipt(run):
    page = rendered(written(run([1.0] * 20 + [0.0] * 5, [0.0] * 25), {"Seed": "17"}))
    text = " ".join(page.texts)
    assert "prompt-0 beats prompt-1 on exact by +0.80" in text
    assert "0.80" in text and "0.61–0.91" in text.replace("(", "").replace(")", "")
    assert "only 25 cases on exact" in text and "17" in text
    assert page.rows == [7, 7, 7, 5, 5, 2, 2]


def test_names_outputs_and_reasons_stay_text(run, result, payloads):
    rows = [[float(number % 2)] * 12 for number in range(len(payloads))]
    names = [(payload, payload) for payload in payloads]
    failures = [
        result(
            passed=False, case=payload, prompt=payload, model=payload, text=payload,
            scores=(Score(payload, "scored", 0.0, payload, passed=False),),
        )
        for payload in payloads[:10]
    ]  # fmt: skip
    markdown = written(
        run(*rows, names=names, title=payloads[0]), {payload: payload for payload in payloads}, failures
    )
    page = rendered(markdown)
    assert {tag for tag, _ in page.tags} <= ALLOWED
    assert not [attrs for _, attrs in page.tags if attrs]
    assert set(page.rows) == {7, 5, 4, 2}, "no name adds a cell to a table"
    text = "".join(page.texts)
    assert all(one_line(payload, 120) in text for payload in payloads)
    assert "www." not in markdown.lower() and "https:" not in markdown and "@everyone" not in markdown
    markdown.encode()


def test_mentions_and_issue_numbers_in_prose_are_broken_up(run):
    markdown = written(run([1.0] * 4, names=[("@team", "#12")]))
    assert "@team" not in "".join(rendered(markdown.partition("<sub>")[0]).texts)
    assert "#12" not in "".join(rendered(markdown.partition("<sub>")[0]).texts)


def test_a_failed_cell_shows_its_error(run, result):
    failed = result(
        state="failed", response=None, error_code="model_timeout", error_message="60 s", scores=()
    )
    text = " ".join(rendered(written(run([1.0]), failures=[failed])).texts)
    assert "model_timeout: 60 s" in text


def test_only_the_first_failures_are_shown(run, result):
    page = rendered(written(run([1.0]), failures=(result(number, passed=False) for number in range(1000))))
    text = "".join(page.texts)
    assert "The first 10 failing cells" in text and "case-9" in text and "case-10" not in text


def test_an_empty_run_is_markdown_too():
    assert "Nothing was planned." in written(summarise([], [], rng=np.random.default_rng(0)))


def test_printable_text_can_be_encoded(payloads):
    for payload in payloads:
        printable(payload).encode()
