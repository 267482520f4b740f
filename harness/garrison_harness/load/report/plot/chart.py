"""What a plot shows, before it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from garrison_harness.load.report.plot.across import Across
from garrison_harness.load.report.plot.measure import Measure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A value, of an interval or of one moment.

    Attributes:
        at: The end of the interval, or the moment.
        width: How long the interval is; 0 for a moment.
        value: What was measured; None where nothing was, which is a gap.
    """

    at: float
    width: float = 0.0
    value: float | None

    @property
    def middle(self) -> float:
        """Where it is drawn."""
        return self.at - self.width / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Values in the order of the horizontal axis.

    Attributes:
        name: As the legend has it.
        look: The class that the style sheet draws it by.
        points: The values.
    """

    name: str
    look: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Lines, or bands that stand on each other.

    Attributes:
        name: Unlike that of every other chart of the page; of letters and hyphens.
        title: What it shows.
        measure: What the values are.
        across: What the horizontal axis is.
        end: Where that ends.
        lines: What is drawn; bands from below.
        stacked: Every line is a band on top of those before it, and all have the same intervals.
        note: What else there is to say about how to read it.
    """

    name: str
    title: str
    measure: Measure
    across: Across
    end: float
    lines: tuple[Line, ...]
    stacked: bool = False
    note: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(True for _ in self._values())

    def span(self) -> tuple[float, float]:
        """The least and the largest value to make room for.

        Raises:
            ValueError: The chart is empty.
        """
        values = list(self._values())
        return min(values), max(values)

    def stacks(self) -> list[list[float]]:
        """How high each band ends above zero, by interval; the first of them is the ground."""
        tops = [[0.0] * len(self.lines[0].points)] if self.lines else []
        for line in self.lines:
            heights = [point.value or 0.0 for point in line.points]
            tops.append([below + height for below, height in zip(tops[-1], heights, strict=True)])
        return tops

    def rows(self) -> Iterator[tuple[float, list[float | None]]]:
        """The numbers behind the plot: each place with the value of every line there."""
        found: dict[float, list[float | None]] = {}
        for index, line in enumerate(self.lines):
            for point in line.points:
                found.setdefault(point.at, [None] * len(self.lines))[index] = point.value
        yield from sorted(found.items())

    def _values(self) -> Iterator[float]:
        if self.stacked:
            yield from self.stacks()[-1] if self.lines else ()
            return
        for line in self.lines:
            yield from (point.value for point in line.points if point.value is not None)


def unbroken(points: Sequence[Point]) -> list[list[tuple[Point, float]]]:
    """What there is between gaps: points with their values, at least one in each part.

    Args:
        points: Of one line.
    """
    parts: list[list[tuple[Point, float]]] = [[]]
    for point in points:
        if point.value is not None:
            parts[-1].append((point, point.value))
        elif parts[-1]:
            parts.append([])
    return [part for part in parts if part]
