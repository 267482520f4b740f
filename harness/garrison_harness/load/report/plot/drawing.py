"""Draws a chart as SVG that is as wide as its place, with colours from the style sheet alone."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from garrison_harness.load.report.plot.chart import unbroken
from garrison_harness.load.report.plot.measure import mark
from garrison_harness.load.report.plot.path import coordinate, line_path, steps_path
from garrison_harness.load.report.plot.scale import Scale
from garrison_harness.load.report.plot.ticks import log_ticks, round_ticks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison_harness.load.report.plot.across import Marks
    from garrison_harness.load.report.plot.chart import Chart, Point
    from garrison_harness.load.report.plot.measure import Unit
    from garrison_harness.load.report.plot.path import Place
    from garrison_harness.load.report.plot.ticks import Ticks

# The paper, with room for marks in the largest letters that the style sheet gives them.
WIDTH: Final = 400
HEIGHT: Final = 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 390, 26, 186
_BELOW_AXIS: Final = 17
_DOT: Final = 2.5

_FAR_APART: Final = 50.0
"""From this ratio of the largest to the least on, a linear axis would show the small ones as nothing."""


def draw(chart: Chart) -> str:
    """The chart as an element, with a title and a description for who cannot see it."""
    across = chart.across.marks(chart.end)
    x = Scale(low=0.0, high=across.high, start=_LEFT, end=_RIGHT)
    ticks, y, unit = _upwards(chart)
    labels = f"{chart.name}-title {chart.name}-desc"
    body = [
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{labels}">',
        f'<title id="{chart.name}-title">{escape(chart.title)}</title>',
        f'<desc id="{chart.name}-desc">{escape(described(chart))}</desc>',
        *_grid(ticks, y, unit),
        *_time_axis(across, x),
        f'<text class="name" x="2" y="12">{escape(unit.name)}{_how(y)}</text>',
        *(_bands(chart, x, y) if chart.stacked else _lines(chart, x, y)),
        *([_nothing()] if chart.empty else []),
        "</svg>",
    ]
    return "\n".join(body)


def described(chart: Chart) -> str:
    """What is to be seen, in words: the range of each line."""
    told = []
    for line in chart.lines:
        values = [point.value for point in line.points if point.value is not None]
        if values:
            least, largest = chart.measure.written(min(values)), chart.measure.written(max(values))
            told.append(f"{line.name} {least}" if least == largest else f"{line.name} {least} to {largest}")
        else:
            told.append(f"{line.name} not measured")
    return f"{'; '.join(told)}." if told else "Nothing was measured."


def _how(y: Scale) -> str:
    return ", logarithmic" if y.logarithmic else ""


def _upwards(chart: Chart) -> tuple[Ticks, Scale, Unit]:
    """The marks of the vertical axis in its unit, the scale that takes values in the unit of the data."""
    least, largest = (0.0, 0.0) if chart.empty else chart.span()
    unit = chart.measure.unit(largest)
    logarithmic = chart.measure.by_ratio and least > 0 and largest / least >= _FAR_APART
    if logarithmic:
        ticks = log_ticks(least / unit.size, largest / unit.size)
    else:
        ticks = round_ticks(largest / unit.size, whole=chart.measure.whole)
    low, high = ticks.low * unit.size, ticks.high * unit.size
    return ticks, Scale(low=low, high=high, start=_BOTTOM, end=_TOP, logarithmic=logarithmic), unit


def _grid(ticks: Ticks, y: Scale, unit: Unit) -> Iterator[str]:
    for value in ticks.values:
        down = coordinate(y(value * unit.size))
        yield f'<path class="grid" d="M{_LEFT} {down}H{_RIGHT}"/>'
        yield f'<text class="up" x="{_LEFT - 5}" y="{down}" dy=".35em">{mark(value)}</text>'


def _time_axis(across: Marks, x: Scale) -> Iterator[str]:
    yield f'<path class="axis" d="M{_LEFT} {_BOTTOM}H{_RIGHT}"/>'
    for value, label in across.places:
        right = coordinate(x(value))
        yield f'<path class="axis" d="M{right} {_BOTTOM}v4"/>'
        yield f'<text class="across" x="{right}" y="{_BOTTOM + _BELOW_AXIS}">{label}</text>'
    yield f'<text class="end" x="{_RIGHT}" y="{HEIGHT - 8}">{escape(across.name)}</text>'


def _lines(chart: Chart, x: Scale, y: Scale) -> Iterator[str]:
    # The first is the most important and drawn last, on top of the others.
    for line in reversed(chart.lines):
        dots: list[Place] = []
        path = ""
        for part in unbroken(line.points):
            places = _places(part, x, y)
            path += line_path(places)
            dots += places if len(places) == 1 else []
        if path:
            yield f'<path class="line {line.look}" d="{path}"/>'
        yield from (_dot(place, line.look) for place in dots)


def _places(part: Sequence[tuple[Point, float]], x: Scale, y: Scale) -> list[Place]:
    """Where a line goes that has no gap: through the middle of each interval."""
    point, value = part[0]
    if len(part) == 1 and x(point.at) - x(point.at - point.width) > 2 * _DOT:
        # One interval alone, and long enough to be drawn as long as it is.
        return [(x(point.at - point.width), y(value)), (x(point.at), y(value))]
    return [(x(point.middle), y(value)) for point, value in part]


def _dot(place: Place, look: str) -> str:
    return f'<circle class="dot {look}" cx="{coordinate(place[0])}" cy="{coordinate(place[1])}" r="{_DOT}"/>'


def _bands(chart: Chart, x: Scale, y: Scale) -> Iterator[str]:
    if not chart.lines or not chart.lines[0].points:
        return
    points = chart.lines[0].points
    edges = [x(points[0].at - points[0].width), *(x(point.at) for point in points)]
    heights: Sequence[list[float]] = [[y(top) for top in tops] for tops in chart.stacks()]
    for line, bottoms, tops in zip(chart.lines, heights, heights[1:], strict=False):
        yield f'<path class="band {line.look}" d="{steps_path(edges, tops, bottoms)}"/>'


def _nothing() -> str:
    across, down = (_LEFT + _RIGHT) / 2, (_TOP + _BOTTOM) / 2
    return f'<text class="nothing" x="{across:g}" y="{down:g}">nothing was measured</text>'
