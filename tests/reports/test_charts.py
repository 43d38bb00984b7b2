"""Pictures: valid, inside their frame, and with text that stays text."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.reports.charts import Axis, Point, forest_axis, forest_range, forest_row, scatter, whisker
from assay.stats.estimates import Interval, not_estimable

SHARES = st.floats(0.0, 1.0)
NUMBERS = st.floats(-1e6, 1e6)


def interval(estimate, low, high):
    return Interval(estimate=estimate, low=low, high=high, level=0.95, method="t", n=10)


def drawn(svg):
    """Parsed picture, with all its numbers finite and its places inside the frame."""
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own output
    width, height = float(root.get("width")), float(root.get("height"))
    for element in root.iter():
        for name, limit in (("x1", width), ("x2", width), ("cx", width), ("y1", height), ("y2", height)):
            assert 0.0 <= float(element.get(name, "0")) <= limit
    return root


@given(low=NUMBERS, span=st.floats(1e-6, 1e6))
def test_ticks_are_few_and_inside_the_axis(low, span):
    axis = Axis(low=low, high=low + span, start=0, end=100)
    ticks = axis.ticks()
    assert len(ticks) <= 12
    assert all(axis.low - 1e-6 * span <= tick <= axis.high + 1e-6 * span for tick in ticks)


@pytest.mark.parametrize("high", [0.0, 5e-324, 1e-307, 1e-300])
def test_an_axis_of_hardly_any_length_has_ticks(high):
    ticks = Axis(low=0.0, high=high, start=0, end=100).ticks()
    assert ticks and all(0.0 <= tick <= high * (1 + 1e-9) for tick in ticks)


def test_ticks_of_a_logarithmic_axis_are_round():
    assert Axis(low=0.02, high=3.0, start=0, end=1, logarithmic=True).ticks() == pytest.approx(
        [0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0]
    )
    assert Axis(low=1e-4, high=1e3, start=0, end=1, logarithmic=True).place(1e3) == 1


@given(values=st.lists(st.tuples(SHARES, SHARES, SHARES), min_size=2, max_size=9), costs=st.data())
def test_any_numbers_can_be_drawn(values, costs):
    bars = [interval(sorted(each)[1], min(each), max(each)) for each in values]
    for bar in bars:
        drawn(whisker(bar, 0.0, 1.0, "label"))
    scale = forest_range(bars, 0.02)
    drawn(forest_row(bars[0], scale, 0.02, "label"))
    drawn(forest_axis(scale))
    places = [costs.draw(st.floats(0.0, 1e4)) for _ in bars]
    points = [Point(tag="1", label="a", x=x, quality=bar) for x, bar in zip(places, bars, strict=True)]
    drawn(scatter(points, "cost", "score"))


def test_a_forest_row_has_the_zero_line_the_margin_and_the_interval_in_place():
    bar = interval(0.2, 0.1, 0.3)
    scale = forest_range([bar], 0.05)
    root = drawn(forest_row(bar, scale, 0.05, "a beats b"))
    by_class = {element.get("class"): element for element in root.iter()}
    zero, band, whisker_ = by_class["zero"], by_class["band"], by_class["whisker clear"]
    assert float(band.get("x")) < float(zero.get("x1")) < float(whisker_.get("x1"))
    assert float(whisker_.get("x1")) < float(by_class["dot clear"].get("cx")) < float(whisker_.get("x2"))
    assert "whisker open" in forest_row(interval(0.1, -0.1, 0.3), scale, None, "open")


def test_no_interval_means_no_whisker():
    bare = not_estimable("one score", estimate=0.5, level=0.95, method="t", n=1)
    assert "whisker" not in whisker(bare, 0.0, 1.0, "x")
    empty = not_estimable("no scores", estimate=None, level=0.95, method="t", n=0)
    assert "circle" not in whisker(empty, 0.0, 1.0, "x")


def test_labels_are_escaped(payloads):
    for payload in payloads:
        drawn(whisker(interval(0.5, 0.4, 0.6), 0.0, 1.0, payload))
        point = Point(tag="1", label=payload, x=1.0, quality=interval(0.5, 0.4, 0.6))
        root = drawn(scatter([point, point], payload, payload))
        assert {element.tag for element in root.iter()} <= {"svg", "line", "circle", "title", "text"}
