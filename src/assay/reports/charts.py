"""Charts as inline SVG: no script, no style attribute, colours by class, a text for each picture."""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from assay.reports.untrusted import one_line
from assay.stats.estimates import Interval

_WHISKER_WIDTH, _WHISKER_HEIGHT = 168, 22
_FOREST_WIDTH, _FOREST_HEIGHT = 280, 30
_PAD = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A scale from `low` to `high` in values onto `start` to `end` in pixels."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Pixel of a value; what lies outside is put on the edge."""
        low, high, here = self.low, self.high, min(max(value, self.low), self.high)
        if self.logarithmic:
            low, high, here = math.log(low), math.log(high), math.log(here)
        share = (here - low) / (high - low) if high > low else 0.5
        return self.start + share * (self.end - self.start)

    def ticks(self, wanted: int = 5) -> list[float]:
        """Round values inside the axis: steps of 1, 2 or 5 times a power of ten."""
        if self.logarithmic:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            steps = (1, 2, 5) if last - first <= 3 else (1,)
            found = [step * 10.0**power for power in range(first, last + 1) for step in steps]
            return [tick for tick in found if self.low <= tick <= self.high]
        span = self.high - self.low
        raw = span / wanted
        if raw < sys.float_info.min:  # no step of a normal number fits
            return [self.low]
        size = 10.0 ** math.floor(math.log10(raw))
        step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= raw * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        # Far from zero a step is rounded: what lies outside by that is put on the edge.
        return [min(max(number * step, self.low), self.high) for number in range(first, last + 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A candidate of the scatter: its tag in the picture, its name in words, its place; `open` is hollow."""

    tag: str
    label: str
    x: float
    quality: Interval
    open: bool = False


def whisker(interval: Interval, low: float, high: float, label: str) -> Markup:
    """A mean as a dot with its interval as a line, on a scale that all rows of a column share."""
    axis = Axis(low=low, high=high, start=_PAD, end=_WHISKER_WIDTH - _PAD)
    middle = _WHISKER_HEIGHT / 2
    parts = [_line(axis.start, middle, axis.end, middle, "axis")]
    parts += [_line(axis.place(end), middle - 4, axis.place(end), middle + 4, "axis") for end in (low, high)]
    parts += _bar(axis, interval, middle, "")
    return _svg(_WHISKER_WIDTH, _WHISKER_HEIGHT, label, parts)


def forest_range(
    intervals: Sequence[Interval], margin: float | None, *, least: float = 0.05
) -> tuple[float, float]:
    """The scale of a forest plot: it holds 0, the margin and every bound, with some air at the ends.

    It reaches to `least` on both sides, so that small differences of scores do not look large; measures,
    which have no scale of their own, take 0.
    """
    ends = [end for each in intervals for end in (each.low, each.high, each.estimate) if end is not None]
    least = max(margin or 0.0, least)
    low, high = min([-least, *ends]), max([least, *ends])
    air = 0.05 * (high - low)
    return low - air, high + air


def forest_row(interval: Interval, scale: tuple[float, float], margin: float | None, label: str) -> Markup:
    """One difference: the zero line, the band of the margin, the interval."""
    axis = Axis(low=scale[0], high=scale[1], start=_PAD, end=_FOREST_WIDTH - _PAD)
    parts = []
    if margin:
        left, right = axis.place(-margin), axis.place(margin)
        parts.append(
            f'<rect class="band" x="{left:.1f}" y="0" width="{right - left:.1f}" height="{_FOREST_HEIGHT}"/>'
        )
    parts.append(_line(axis.place(0.0), 0, axis.place(0.0), _FOREST_HEIGHT, "zero"))
    kind = "clear" if interval.excludes(0.0) else "open"
    parts += _bar(axis, interval, _FOREST_HEIGHT / 2, kind)
    return _svg(_FOREST_WIDTH, _FOREST_HEIGHT, label, parts)


def forest_axis(scale: tuple[float, float]) -> Markup:
    """The scale under the rows of a forest plot; a picture of nothing new, so hidden from screen readers."""
    axis = Axis(low=scale[0], high=scale[1], start=_PAD, end=_FOREST_WIDTH - _PAD)
    parts = [_line(axis.start, 1, axis.end, 1, "axis")]
    for tick in axis.ticks(4):
        x = axis.place(tick)
        parts.append(_line(x, 1, x, 5, "axis"))
        parts.append(_text(x, 17, _number(tick), "middle"))
    return _svg(_FOREST_WIDTH, 22, None, parts)


def scatter(points: Sequence[Point], x_title: str, y_title: str) -> Markup:
    """Cost (or time) against quality with its interval; the best corner is at the top left.

    x is logarithmic where the candidates are more than a factor of ten apart.
    """
    width, height = 640, 320
    smallest, largest = min(point.x for point in points), max(point.x for point in points)
    logarithmic = smallest > 0 and largest > 10 * smallest
    low, high = (smallest / 1.6, largest * 1.6) if logarithmic else (0.0, largest * 1.12 or 1.0)
    x_axis = Axis(low=low, high=high, start=52, end=width - 16, logarithmic=logarithmic)
    ends = [
        end
        for point in points
        for end in (point.quality.low, point.quality.high, point.quality.estimate)
        if end is not None
    ]
    floor = max(0.0, math.floor((min(ends) - 0.02) * 10) / 10)
    y_axis = Axis(
        low=floor, high=min(1.0, math.ceil((max(ends) + 0.02) * 10) / 10), start=height - 44, end=26
    )
    parts = [*_grid(x_axis, y_axis), *_titles(x_axis, y_axis, x_title, y_title)]
    for point in points:
        parts += _point(x_axis, y_axis, point)
    label = f"{y_title} against {x_title}, {len(points)} candidates; the numbers are in the tables"
    return _svg(width, height, label, parts)


def _grid(x_axis: Axis, y_axis: Axis) -> list[str]:
    parts = []
    for tick in y_axis.ticks():
        y = y_axis.place(tick)
        parts.append(_line(x_axis.start, y, x_axis.end, y, "grid"))
        parts.append(_text(x_axis.start - 8, y + 4, _number(tick), "end"))
    for tick in x_axis.ticks():
        x = x_axis.place(tick)
        parts.append(_line(x, y_axis.start, x, y_axis.start + 4, "axis"))
        parts.append(_text(x, y_axis.start + 17, _number(tick), "middle"))
    parts.append(_line(x_axis.start, y_axis.start, x_axis.end, y_axis.start, "axis"))
    return parts


def _titles(x_axis: Axis, y_axis: Axis, x_title: str, y_title: str) -> list[str]:
    return [
        _text(x_axis.end, y_axis.start + 36, one_line(x_title, 80), "end"),
        _text(x_axis.start - 44, 12, one_line(y_title, 80), "start"),
    ]


def _point(x_axis: Axis, y_axis: Axis, point: Point) -> list[str]:
    if point.quality.estimate is None:
        return []
    x, y = x_axis.place(point.x), y_axis.place(point.quality.estimate)
    parts = []
    if point.quality.low is not None and point.quality.high is not None:
        low, high = y_axis.place(point.quality.low), y_axis.place(point.quality.high)
        parts.append(_line(x, low, x, high, "whisker"))
    name = escape(one_line(point.label, 80))
    kind = "dot open" if point.open else "dot"
    parts.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"><title>{name}</title></circle>')
    inside = x < x_axis.end - 30
    parts.append(_text(x + (9 if inside else -9), y - 6, point.tag, "start" if inside else "end", "tag"))
    return parts


def _bar(axis: Axis, interval: Interval, y: float, kind: str) -> list[str]:
    parts = []
    if interval.low is not None and interval.high is not None:
        parts.append(
            _line(axis.place(interval.low), y, axis.place(interval.high), y, f"whisker {kind}".strip())
        )
    if interval.estimate is not None:
        x = axis.place(interval.estimate)
        parts.append(f'<circle class="{f"dot {kind}".strip()}" cx="{x:.1f}" cy="{y:g}" r="4"/>')
    return parts


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str, kind: str = "tick") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _number(value: float) -> str:
    text = f"{value:.6g}"
    return "0" if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def _svg(width: float, height: float, label: str | None, parts: Sequence[str]) -> Markup:
    hidden = (
        'aria-hidden="true"' if label is None else f'role="img" aria-label="{escape(one_line(label, 300))}"'
    )
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    # All that is not a number was escaped above.
    return Markup(f"<svg {size} {hidden}>{''.join(parts)}</svg>")  # noqa: S704
