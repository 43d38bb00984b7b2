"""What `assay run` prints."""

import io

import numpy as np
import pytest
from rich.console import Console

from assay.reports.summary import summarise
from assay.reports.text import render_summary


def printed(summary, width=100, **more):
    out = io.StringIO()
    render_summary(summary, Console(file=out, width=width, **more))
    return out.getvalue()


def test_each_number_stands_with_its_interval(run):
    text = printed(run([1.0] * 30 + [0.0] * 10, [1.0] * 12 + [0.0] * 28))
    assert "0.75" in text and "0.60–0.86" in text
    assert "0.30" in text and "0.18–0.45" in text
    assert "p50 500 ms" in text and "p95 860 ms" in text
    assert "1,000 in" in text and "200 out" in text and "$0.005" in text
    assert "beats prompt-1 on exact by" in text


@pytest.mark.parametrize("width", [80, 100, 160])
def test_no_line_is_wider_than_the_terminal(candidate, metric, width):
    people = [candidate(f"a-long-name-of-a-prompt-{n}", "a-model-with-a-long-name", 30) for n in range(3)]
    values = np.random.default_rng(1).random((3, 6, 30))
    metrics = [
        metric(n, values[n, m], name=f"metric_number_{m}", kind="unit") for n in range(3) for m in range(6)
    ]
    text = printed(summarise(people, metrics, rng=np.random.default_rng(0)), width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert all(f"metric_number_{m}" in text for m in range(6))


def test_coverage_is_shown_only_where_it_is_not_whole(candidate, metric):
    whole = summarise([candidate()], [metric(0, [1.0] * 40)], rng=np.random.default_rng(0))
    assert "scored" not in printed(whole).partition("candidate")[2]
    part = summarise([candidate()], [metric(0, [1.0] * 30, planned=40)], rng=np.random.default_rng(0))
    assert "30/40 scored" in printed(part)


def test_without_a_terminal_there_are_no_escape_sequences(run):
    summary = run([1.0] * 30 + [0.0] * 10, [0.0] * 40)
    assert "\x1b" not in printed(summary)
    assert "\x1b[" in printed(summary, force_terminal=True, color_system="standard")
    # The verdict is also a word or a sign, not only a colour.
    assert "better" in printed(run([1.0] * 40, [0.0] * 40, [0.0] * 40))


def test_names_are_neither_markup_nor_control(run, payloads):
    names = [(payload, "[bold red]model[/]") for payload in payloads]
    rows = [[float(number % 2)] * 12 for number in range(len(names))]
    text = printed(run(*rows, names=names, title="\x1b[2J[blink]title[/blink]"), width=160)
    assert "[blink]title[/blink]" in text
    assert not set(text) & {chr(code) for code in (*range(10), *range(11, 32), *range(127, 160), 0x202E)}


def test_pairs_beyond_the_first_ten_are_counted(run):
    rows = [[float(case < number * 5) for case in range(40)] for number in range(7)]
    assert "11 more pairs in the HTML report" in printed(run(*rows))


def test_a_run_without_answers_or_candidates_is_printed(candidate, metric):
    rng = np.random.default_rng(0)
    dead = candidate(succeeded=0, failed=40, failures={"model_timeout": 40}, cost_nanousd=0)
    text = printed(summarise([dead], [metric(0, [], planned=40)], rng=rng))
    assert "No cell has an answer" in text and "40 model_timeout" in text and "0/40 scored" in text
    assert "Nothing was planned." in printed(summarise([], [], rng=rng))
