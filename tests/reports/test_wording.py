"""Numbers as a reader wants them."""

import pytest

from assay.domain.scores import MetricInfo
from assay.reports.untrusted import markdown_text, one_line, printable, xml_text
from assay.reports.wording import (
    count,
    digits_for,
    dollars,
    duration,
    listed,
    p_text,
    percent,
    range_text,
    score,
    signed,
    significant,
    value_text,
)
from assay.stats.estimates import Interval


def interval(estimate, low, high):
    return Interval(estimate=estimate, low=low, high=high, level=0.95, method="t", n=10)


@pytest.mark.parametrize(
    ("function", "value", "text"),
    [
        (dollars, 0.0, "$0"),
        (dollars, 0.000017, "$0.000017"),
        (dollars, 0.0123, "$0.012"),
        (dollars, 1234.5, "$1,234.50"),
        (duration, 0.42, "0.4 ms"),
        (duration, 812.4, "812 ms"),
        (duration, 1420.0, "1.42 s"),
        (duration, 75_100.0, "75.1 s"),
        (duration, 186_000.0, "3.1 min"),
        (count, 9_999, "9,999"),
        (count, 12_345, "12.3k"),
        (count, 4_560_000, "4.56M"),
        (percent, 0.0, "0%"),
        (percent, 0.004, "<1%"),
        (percent, 0.996, ">99%"),
        (percent, 1.0, "100%"),
        (p_text, 0.0004, "p<0.001"),
        (p_text, 0.032, "p=0.032"),
        (p_text, 0.41, "p=0.41"),
        (score, 0.999, ">0.99"),
        (score, 0.001, "<0.01"),
        (score, 1.0, "1.00"),
        (signed, 0.314, "+0.31"),
        (signed, -0.314, "−0.31"),
        (signed, -0.0001, "0.00"),
        (significant, 1234.5, "1,234"),
        (significant, 0.01234, "0.0123"),
    ],
)
def test_a_number_is_written(function, value, text):
    assert function(value) == text


def test_digits_follow_the_uncertainty():
    assert [digits_for(interval(0.5, 0.5 - half, 0.5 + half)) for half in (0.1, 0.005, 0.0005)] == [2, 3, 4]


def test_a_range_names_its_unit_once():
    measure = MetricInfo(
        type="latency_ms", version="1", kind="measure", summary="", needs=(), source="", unit="ms"
    )
    assert range_text(interval(700.0, 600.0, 800.0), measure) == "600–800 ms"
    assert range_text(interval(900.0, 800.0, 1200.0), measure) == "800 ms–1.20 s"
    assert value_text(None, measure) == "–"


def test_names_are_listed():
    assert [listed(list(names)) for names in ("a", "ab", "abc")] == ["a", "a and b", "a, b and c"]


def test_an_excerpt_of_a_huge_text_is_short_and_marked():
    assert one_line("a\n b", 10) == "a b"
    assert one_line("x" * 11, 10) == "x" * 9 + "…"
    assert one_line(" " * 1_000_000 + "end", 10).endswith("…")


def test_control_characters_are_shown_or_dropped():
    assert printable("a\x1b[2J\ud800\u202eb\tc") == "a\ufffd[2J\ufffd\ufffdb\tc"
    assert xml_text("a\x00\ud800\ufffeb\n") == "ab\n"


def test_markdown_punctuation_is_written_as_references():
    assert markdown_text("a-b.c 1|2 `x`") == "<code>a-b.c 1&#124;2 &#96;x&#96;</code>"
    assert markdown_text("www.a.b") == "<code>www&#46;a.b</code>"
