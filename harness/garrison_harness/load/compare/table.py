"""A comparison as people read it, in 80 columns."""

from __future__ import annotations

import math
import textwrap
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.load.compare.comparison import Comparison
    from garrison_harness.load.compare.difference import Difference
    from garrison_harness.load.compare.interval import Interval
    from garrison_harness.load.compare.measures import Unit

_WIDTH = 80
_NAME, _FIGURE = 10, 12  # columns of the name of a measure, and of each variant's figure
_CHANGE_AT = 2 + _NAME + 2 * _FIGURE
_MOST_DECIMALS = 3


def lines(comparison: Comparison) -> Iterator[str]:
    """The comparison, a line each, without newlines."""
    yield from _wrapped(headline(comparison), 0)
    baseline = PurePath(comparison.baseline).name
    if len(baseline) > _FIGURE - 2:
        baseline = "before"
    yield f"  {'':<{_NAME}}{baseline:<{_FIGURE}}{'now':<{_FIGURE}}difference, and how sure"
    for difference in comparison.differences:
        yield from _row(difference)
    yield from _wrapped("cpu is the target's CPU time for each request", 2 + _NAME)
    for reason in comparison.reasons:
        yield from _wrapped(f"inconclusive: {reason}", 2)


def headline(comparison: Comparison) -> str:
    """What was compared and how, without a full stop.

    Args:
        comparison: What came of it.
    """
    sure = "; each interval holds the true difference in 95 of 100 comparisons"
    if comparison.interleaved:
        return f"Compared with {comparison.baseline}, loaded in turn in {comparison.rounds} rounds{sure}"
    return (
        f"Compared with the run in {comparison.baseline}, which was not loaded in turn with this one, so that"
        f" a change of the machine since then is in the difference{sure}"
    )


def cells(difference: Difference) -> tuple[str, str, str, str]:
    """The name of a measure, the figures of the baseline and of the target, and how far they are apart.

    Args:
        difference: In one measure.
    """
    unit = difference.measure.unit
    known = [abs(one) for one in (difference.baseline, difference.target) if one is not None]
    scale, suffix = scale_of(unit, max(known, default=0.0))
    baseline, target = (figure_text(one, scale, suffix) for one in (difference.baseline, difference.target))
    return difference.measure.name, baseline, target, _said(difference, scale, suffix)


def _row(difference: Difference) -> Iterator[str]:
    name, baseline, target, words = cells(difference)
    head = f"  {name:<{_NAME}}{baseline:<{_FIGURE}}{target:<{_FIGURE}}"
    said = textwrap.wrap(words, _WIDTH - _CHANGE_AT)
    yield head + said[0]
    for line in said[1:]:
        yield " " * _CHANGE_AT + line


def _said(difference: Difference, scale: float, suffix: str) -> str:
    if difference.change is None:
        return f"not judged: {difference.reason}"
    points = " points" if difference.measure.unit == "share" else suffix
    change = interval_text(difference.change, scale, points)
    if difference.verdict == "no difference seen":
        return f"no difference seen ({change})"
    return f"{change} ({interval_text(difference.share, 100, '%')})" if difference.share else change


def scale_of(unit: Unit, largest: float) -> tuple[float, str]:
    """What to multiply figures with so that they read well, and the unit that they then have.

    Args:
        unit: What they are in.
        largest: The largest of them.
    """
    if unit == "share":
        return 100, "%"
    if unit == "per second":
        return 1, "/s"
    for size, suffix in ((1.0, " s"), (1e-3, " ms")):
        if largest >= size:
            return 1 / size, suffix
    return 1e6, " µs"


def figure_text(value: float | None, scale: float, suffix: str) -> str:
    """A figure in three significant digits with its unit; a dash where there is none."""
    return "-" if value is None else f"{_digits(value * scale)}{suffix}"


def _digits(number: float) -> str:
    """Three significant digits, without an exponent."""
    return f"{number:,.{_decimals(number, 3)}f}" if number else "0"


def interval_text(interval: Interval, scale: float, suffix: str) -> str:
    """A change with how far it may be off, in the same unit, in no more digits than are sure."""
    value, margin = interval.value * scale, (interval.high - interval.value) * scale
    # More digits than the interval leaves certain would say more than is known.
    decimals = _decimals(margin, 2) if margin else _decimals(value, 3)
    sign = "%" if suffix == "%" else ""
    return f"{value:+,.{decimals}f}{sign} ± {margin:,.{decimals}f}{suffix}"


def _decimals(number: float, digits: int) -> int:
    """How many decimals show so many significant digits."""
    if not number:
        return 0
    return min(_MOST_DECIMALS, max(0, digits - 1 - math.floor(math.log10(abs(number)))))


def _wrapped(text: str, indent: int) -> list[str]:
    return textwrap.wrap(
        text,
        width=_WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 2),
        break_on_hyphens=False,
    )
