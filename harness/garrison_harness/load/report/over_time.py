"""Lines of a plot from the intervals of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison_harness.load.report.plot.chart import Line, Point

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison_harness.load.series import Second, Series

_ENOUGH: Final = 0.5
"""A last interval shorter than this share of a whole one is told with the one before it."""


def intervals(series: Series) -> list[Second]:
    """The intervals of a series, without a rest at the end that is too short to make a rate of.

    Args:
        series: The run, interval by interval.
    """
    seconds = list(series)
    if len(seconds) < 2 or seconds[-1].width >= _ENOUGH * series.step:
        return seconds
    *others, before, rest = seconds
    whole = before.copy()
    whole.append(rest)
    return [*others, whole]


def over_time(series: Series, name: str, look: str, value: Callable[[Second], float | None]) -> Line:
    """A line with a gap wherever the run tells nothing.

    Args:
        series: The run, interval by interval.
        name: As the legend has it.
        look: The class that the style sheet draws it by.
        value: What to draw of an interval; None for a gap.
    """
    points: list[Point] = []
    for second in intervals(series):
        begin = second.at - second.width
        if points and begin - points[-1].at > _ENOUGH * series.step:
            points.append(Point(at=begin, width=begin - points[-1].at, value=None))
        points.append(Point(at=second.at, width=second.width, value=value(second)))
    return Line(name=name, look=look, points=tuple(points))


def per_second(count: int, second: Second) -> float:
    """A count of an interval as a rate.

    Args:
        count: How many there were.
        second: The interval.
    """
    return count / second.width if second.width else 0.0
