"""The report page: complete, quiet, and deaf to what models say."""

import base64
import hashlib
import io
import re
import tracemalloc
from html.parser import HTMLParser

import numpy as np
import pytest

from assay.domain.models import ModelResponse
from assay.domain.scores import Score
from assay.reports.html import ROWS_LIMIT, write_html
from assay.reports.summary import summarise
from assay.reports.untrusted import printable

VOID = {"meta", "input", "img", "br", "hr", "link"}
TAGS = {
    "html", "head", "meta", "title", "style", "body", "a", "header", "main", "footer", "section", "div",
    "span", "p", "h1", "h2", "h3", "dl", "dt", "dd", "small", "strong", "ul", "li", "table", "caption",
    "thead", "tbody", "tr", "th", "td", "svg", "line", "circle", "rect", "text", "figure", "figcaption",
    "form", "label", "select", "option", "input", "output", "details", "summary", "pre", "script",
}  # fmt: skip


class Page(HTMLParser):
    """The page as a parser sees it: elements, text by element, balanced or not."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
            self.text.setdefault(tag, []).append("")

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data):
        for tag in set(self.open):
            self.text[tag][-1] += data

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


def written(summary, results=(), receipt=None, **more):
    out = io.StringIO()
    write_html(out, summary, results, receipt=receipt or {}, **more)
    return out.getvalue()


@pytest.fixture
def two(run):
    return run([1.0] * 30 + [0.0] * 10, [1.0] * 12 + [0.0] * 28)


def test_it_shows_the_numbers_of_the_summary(two, result):
    source = written(two, [result(text="the answer"), result(1, passed=False)], {"Seed": "17"})
    page = Page(source)
    body = " ".join(page.text["body"])
    assert not page.open
    for expected in (
        "0.75",
        "0.60–0.86",
        "0.30",
        "0.18–0.45",
        "+0.45",
        "the answer",
        "17",
        "$0.005",
        "1.50 s",
    ):
        assert expected in body
    assert len([row for row in page.all("tr") if "data-state" in row]) == 2
    assert [row.get("data-fails") for row in page.all("tr") if "data-state" in row] == ["", "1"]


def test_only_its_own_style_and_script_may_run(two, result):
    source = written(two, [result()])
    page = Page(source)
    policy = next(meta["content"] for meta in page.all("meta") if "http-equiv" in meta)
    for tag in ("style", "script"):
        (code,) = page.text[tag]
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert not re.search(
        r"innerHTML|insertAdjacent|document\.write|eval\(|fetch\(|XMLHttp", page.text["script"][0]
    )


def test_it_asks_nothing_of_the_network(two, result):
    page = Page(written(two, [result()]))
    assert not [
        attrs
        for _, attrs in page.elements
        if attrs.keys() & {"src", "srcset", "action", "xlink:href", "style"}
    ]
    assert [attrs["href"] for _, attrs in page.elements if "href" in attrs] == ["#results"]
    assert "url(" not in page.text["style"][0] and "@import" not in page.text["style"][0]


def test_nothing_that_others_wrote_becomes_markup(run, result, payloads):
    rows = [[float(number % 2)] * 12 for number in range(len(payloads))]
    summary = run(*rows, names=[(payload, payload) for payload in payloads], title=payloads[0])
    results = [
        result(
            text=payload, case=payload, prompt=payload, model=payload, expected=payload,
            vars={payload: payload}, scores=(Score(payload, "scored", 0.5, payload, passed=False),),
        )
        for payload in payloads
    ] + [
        result(state="failed", response=None, error_code=payload, error_message=payload, scores=())
        for payload in payloads
    ]  # fmt: skip
    source = written(summary, results, {payload: payload for payload in payloads})
    page = Page(source)
    assert not page.open
    assert {tag for tag, _ in page.elements} <= TAGS
    assert len(page.all("script")) == len(page.all("style")) == 1
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]
    assert [attrs["href"] for _, attrs in page.elements if "href" in attrs] == ["#results"]
    assert all(printable(payload) in "".join(page.text["pre"]) for payload in payloads)
    assert "{{ 7*7 }}" in source
    source.encode()


def test_tables_have_headers_and_controls_have_labels(two, result):
    page = Page(written(two, [result()]))
    assert all("scope" in attrs for attrs in page.all("th"))
    assert len(page.all("label")) == len(page.all("select")) + len(page.all("input"))
    assert all(attrs.get("tabindex") == "0" and attrs["aria-label"] for attrs in page.all("div")
               if attrs.get("class") == "scroll")  # fmt: skip
    assert all(attrs.get("aria-label") or attrs.get("aria-hidden") for attrs in page.all("svg"))
    assert page.all("html") == [{"lang": "en"}]


def test_an_excerpt_is_short_and_the_rest_is_on_request(two, result):
    long = "word " * 5_000
    page = Page(written(two, [result(text=long)]))
    assert len(page.text["summary"][0].strip()) <= 180
    assert any(len(text) > 19_000 for text in page.text["pre"])
    assert "(5,000 more characters)" in "".join(page.text["pre"])


def test_rows_beyond_the_limit_are_left_out_and_it_says_so(run, result):
    summary = run([1.0] * 60)
    taken = []

    def results():
        for number in range(60):
            taken.append(number)
            yield result(number)

    page = Page(written(summary, results(), rows_limit=50))
    body = " ".join(page.text["body"])
    assert "The first 50 of 60 cells" in body and "Only the first 50 rows" in body
    assert len([row for row in page.all("tr") if "data-state" in row]) == 50
    assert len(taken) == 51


def test_every_state_of_a_cell_has_a_row(two, result):
    states = ("failed", "dead", "cancelled", "ready", "leased")
    cells = [result(number, state=state, response=None, scores=()) for number, state in enumerate(states)]
    tools = result(
        9, response=ModelResponse(text="", tool_calls=({"name": "search", "arguments": {"q": "<b>"}},))
    )
    odd = result(
        10, scores=(Score("exact", "abstained", None, "unsure"), Score("other", "failed", None, "broke"))
    )
    body = " ".join(Page(written(two, [*cells, tools, odd])).text["body"])
    assert "no answer" in body and "tool calls:" in body and "abstained" in body and '"q": "<b>"' in body


@pytest.mark.parametrize("rows", [[], [[1.0]], [[1.0, 0.0]], [[1.0] * 5] * 10])
def test_any_number_of_candidates_makes_a_page(run, rows):
    assert not Page(written(run(*rows))).open


def test_a_run_without_answers_makes_a_page(candidate, metric):
    dead = candidate(succeeded=0, failed=40, failures={"model_timeout": 40}, cost_nanousd=0)
    summary = summarise([dead], [metric(0, [], planned=40)], rng=np.random.default_rng(0))
    body = " ".join(Page(written(summary)).text["body"])
    assert "No cell has an answer" in body and "There are no results." in body


def test_memory_does_not_grow_with_the_results(two, result, tmp_path):
    text = "lorem ipsum " * 150

    def peak(number):
        tracemalloc.start()
        with (tmp_path / "report.html").open("w", encoding="utf-8") as out:
            write_html(out, two, (result(n, text) for n in range(50_000)), receipt={}, rows_limit=number)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(10)  # what is cached once
    assert peak(ROWS_LIMIT) < peak(100) + 1_000_000
    assert (tmp_path / "report.html").stat().st_size < 1_000_000
