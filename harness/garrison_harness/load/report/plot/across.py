"""What goes from left to right on a plot: the time of a run, or percentiles."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from garrison_harness.load.report.plot.measure import mark
from garrison_harness.load.report.plot.ticks import time_ticks, time_unit

if TYPE_CHECKING:
    from garrison_harness.load.report.plot.ticks import Ticks

_MEDIAN = -math.log10(0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """The marks of an axis as they are written.

    Attributes:
        places: Where each stands, and its label.
        name: What is counted.
        high: Where the axis ends.
    """

    places: tuple[tuple[float, str], ...]
    name: str
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Across:
    """A kind of horizontal axis, which begins at zero.

    Attributes:
        marks: Those of an axis that ends at a value.
        written: A value as the table behind the plot has it.
        head: What that column is.
    """

    marks: Callable[[float], Marks]
    written: Callable[[float], str]
    head: str


def nines(percent: float) -> float:
    """How far right a percentile stands: 90 at one, 99 at two, 99.9 at three.

    Args:
        percent: From 0 to less than 100.

    Raises:
        ValueError: The last percentile has no place on this axis.
    """
    if not 0 <= percent < 100:
        raise ValueError(f"a percentile to draw is from 0 to less than 100, not {percent}")
    return -math.log10(1 - percent / 100)


def _percent(place: float) -> str:
    return f"{100 - 100 * 10**-place:.10g}"


def _time(end: float) -> Marks:
    ticks: Ticks = time_ticks(end)
    size, name = time_unit(end)
    places = tuple((value, mark(value / size)) for value in ticks.values)
    return Marks(places=places, name=f"{name} since the first user", high=ticks.high)


def _percentiles(end: float) -> Marks:
    high = max(1.0, end)
    places = [0.0, _MEDIAN, *map(float, range(1, math.floor(high) + 1))]
    return Marks(
        places=tuple((place, _percent(place)) for place in places),
        name="percentile",
        high=high,
    )


TIME = Across(marks=_time, written=lambda at: f"{at:,.1f}", head="second")
PERCENTILE = Across(marks=_percentiles, written=_percent, head="percentile")
