"""A plot as a figure of the page: its legend, the drawing, and the numbers behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison_harness.load.report.markup import table, text
from garrison_harness.load.report.plot.drawing import draw

if TYPE_CHECKING:
    from garrison_harness.load.report.plot.chart import Chart


def figure(chart: Chart) -> str:
    """The chart with all that belongs to it.

    Args:
        chart: What to show.
    """
    note = f'<p class="soft">{text(chart.note)}</p>' if chart.note else ""
    return (
        f"<figure><figcaption><b>{text(chart.title)}</b>{_legend(chart)}</figcaption>"
        f"{draw(chart)}{note}{_numbers(chart)}</figure>"
    )


def _legend(chart: Chart) -> str:
    """What each line is; one alone is what the title says, but a band alone is a colour of several."""
    if len(chart.lines) < 2 and not chart.stacked:
        return ""
    # As they are to be seen: what is on top of a stack comes first.
    lines = reversed(chart.lines) if chart.stacked else chart.lines
    entries = "".join(f"<li>{_swatch(chart, line.look)}{text(line.name)}</li>" for line in lines)
    return f'<ul class="legend">{entries}</ul>'


def _swatch(chart: Chart, look: str) -> str:
    shape = (
        f'<rect class="band {look}" x="1" y="1" width="18" height="10"/>'
        if chart.stacked
        else f'<path class="line {look}" d="M0 6H20"/>'
    )
    return f'<svg class="swatch" viewBox="0 0 20 12" aria-hidden="true">{shape}</svg>'


def _numbers(chart: Chart) -> str:
    """A table for who cannot see the plot, or wants to know exactly."""
    if chart.empty:
        return ""
    heads = [chart.across.head, *(line.name for line in chart.lines)]
    rows = [
        [
            chart.across.written(at),
            *("" if value is None else chart.measure.written(value) for value in values),
        ]
        for at, values in chart.rows()
    ]
    title = f"{chart.title}: the numbers"
    numbers = table(heads, rows, numbers=range(len(heads)), caption=title)
    return f"<details><summary>Numbers</summary>{numbers}</details>"
