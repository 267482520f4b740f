"""Where the marks of an axis stand: at numbers that people count in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

_MANTISSAS = (1, 2, 5)
_MINUTE = 60
_HOUR = 3600
# Steps of a clock; hours and days go on in round numbers of themselves.
_CLOCK_STEPS = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_LONGEST_IN_SECONDS = 180
_MOST_LABELS = 8
"""With more marks, only the powers of ten are left on a logarithmic axis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticks:
    """The marks of an axis.

    Attributes:
        values: Where they stand, ascending, in the unit of the data.
        high: Where the axis ends.
        low: Where it begins.
    """

    values: tuple[float, ...]
    high: float
    low: float = 0.0


def round_ticks(highest: float, *, most: int = 5, whole: bool = False) -> Ticks:
    """Marks from zero to the first one that is not below the highest value.

    Every mark is a multiple of 1, 2 or 5 times a power of ten.

    Args:
        highest: The largest value to show; zero and less give an axis up to one.
        most: How many steps there may be, at least 1.
        whole: The values are counts, so that no mark stands between two of them.
    """
    if highest <= 0:
        return Ticks(values=(0.0, 1.0), high=1.0)
    step = _step(highest, most, whole=whole)
    number = math.ceil(Decimal(repr(highest)) / step)
    values = tuple(float(step * index) for index in range(number + 1))
    return Ticks(values=values, high=values[-1])


def _step(highest: float, most: int, *, whole: bool) -> Decimal:
    # In decimals: 3 * 0.1 would be 0.30000000000000004 on the axis.
    exact = Decimal(repr(highest))
    exponent = (exact / most).adjusted()
    while True:
        for mantissa in _MANTISSAS:
            step = Decimal(mantissa).scaleb(exponent)
            if exact <= step * most and (step >= 1 or not whole):
                return step
        exponent += 1


def time_ticks(end: float, *, most: int = 6) -> Ticks:
    """Marks for the time of a run, which ends where it ends.

    Args:
        end: How long it took, in seconds.
        most: How many steps there may be, at least 1.
    """
    if end <= 0:
        return Ticks(values=(0.0, 1.0), high=1.0)
    if end <= _LONGEST_IN_SECONDS:
        step = _step(end, most, whole=False)
    else:
        step = Decimal(next((one for one in _CLOCK_STEPS if one * most >= end), 0)) or _step(
            end / _CLOCK_STEPS[-1], most, whole=False
        ) * Decimal(_CLOCK_STEPS[-1])
    number = int(Decimal(repr(end)) / step)
    return Ticks(values=tuple(float(step * index) for index in range(number + 1)), high=end)


def time_unit(end: float) -> tuple[float, str]:
    """What the marks of a run's time are counted in: its length in seconds, and its name.

    Args:
        end: How long the run took, in seconds.
    """
    if end <= _LONGEST_IN_SECONDS:
        return 1.0, "seconds"
    if end <= 3 * _HOUR:
        return float(_MINUTE), "minutes"
    return float(_HOUR), "hours"


def log_ticks(lowest: float, highest: float) -> Ticks:
    """Marks on a logarithmic axis at 1, 2 and 5 times powers of ten, or at these alone where they are many.

    The axis begins and ends at a 1, 2 or 5, so that it holds the values with little room to spare.

    Args:
        lowest: The smallest value to show, above zero.
        highest: The largest one.

    Raises:
        ValueError: A logarithmic axis has no zero.
    """
    if lowest <= 0 or highest < lowest:
        raise ValueError(f"a logarithmic axis goes up from above zero, not from {lowest} to {highest}")
    low, high = Decimal(repr(lowest)), Decimal(repr(highest))
    decades = range(low.adjusted(), high.adjusted() + 2)
    marks = [Decimal(mantissa).scaleb(exponent) for exponent in decades for mantissa in _MANTISSAS]
    first = max(index for index, mark in enumerate(marks) if mark <= low)
    last = min(index for index, mark in enumerate(marks) if mark >= high and index > first)
    marks = marks[first : last + 1]
    ends = float(marks[0]), float(marks[-1])
    if len(marks) > _MOST_LABELS:
        marks = [mark for mark in marks if mark == Decimal(1).scaleb(mark.adjusted())]
    return Ticks(values=tuple(map(float, marks)), low=ends[0], high=ends[1])
