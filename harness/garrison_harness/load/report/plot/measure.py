"""What an axis counts, and how its marks and values are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from garrison_harness.load.units import format_duration

_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_SIZES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "bytes"))
_TIMES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What the marks of an axis are counted in.

    Attributes:
        size: One of it, in the unit of the data.
        name: As it stands at the axis.
    """

    size: float = 1.0
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A kind of value.

    Attributes:
        unit: What an axis up to a value is counted in.
        written: A value with its unit, for people.
        whole: There is nothing between two whole values.
        by_ratio: Values that are many times one another are told apart on a logarithmic axis.
    """

    unit: Callable[[float], Unit]
    written: Callable[[float], str]
    whole: bool = False
    by_ratio: bool = False


def mark(number: float) -> str:
    """A mark of an axis: 0.05, 20, 1.5k."""
    for size, letter in _PREFIXES:
        if abs(number) >= size:
            return f"{number / size:g}{letter}"
    return f"{number:g}"


def _largest(units: tuple[tuple[float, str], ...], highest: float) -> Unit:
    for size, name in units:
        if highest >= size:
            return Unit(size=size, name=name)
    size, name = units[-1]
    return Unit(size=size, name=name)


def format_bytes(number: float) -> str:
    """Three significant digits in the unit that reads best."""
    unit = _largest(_SIZES, number)
    amount = number / unit.size
    return f"{amount:.3g} {unit.name}" if amount < 999.5 else f"{amount:,.0f} {unit.name}"


def format_rate(number: float) -> str:
    """A number per second, without that: three digits where it is small."""
    return f"{number:,.0f}" if number >= 999.5 else f"{number:.3g}"


def format_count(number: float) -> str:
    """A whole number."""
    return f"{number:,.0f}"


LATENCY = Measure(unit=lambda highest: _largest(_TIMES, highest), written=format_duration, by_ratio=True)
RATE = Measure(unit=lambda _: Unit(name="requests/s"), written=format_rate)
USERS = Measure(unit=lambda _: Unit(name="users"), written=format_count, whole=True)
MEMORY = Measure(unit=lambda highest: _largest(_SIZES, highest), written=format_bytes)
