"""The data of SVG paths."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Place = tuple[float, float]
"""Across and down, in units of the drawing."""


def coordinate(number: float) -> str:
    """A number to a tenth, in as few letters as it takes."""
    text = f"{number:.1f}"
    text = text.removesuffix(".0")
    return "0" if text == "-0" else text


def line_path(places: Sequence[Place]) -> str:
    """A line from place to place; empty for fewer than two, which make no line."""
    if len(places) < 2:
        return ""
    first, *others = (f"{coordinate(across)} {coordinate(down)}" for across, down in places)
    return f"M{first}L{' '.join(others)}"


def steps_path(edges: Sequence[float], tops: Sequence[float], bottoms: Sequence[float]) -> str:
    """The outline of bars that touch each other.

    Args:
        edges: Where the bars begin and end, one more than there are bars.
        tops: Where each ends above.
        bottoms: Where each stands.
    """
    if not tops:
        return ""
    there = _stairs(list(pairwise(edges)), tops)
    back = _stairs([(right, left) for left, right in reversed(list(pairwise(edges)))], bottoms[::-1])
    return f"{line_path([*there, *back])}Z"


def _stairs(bars: Sequence[tuple[float, float]], heights: Sequence[float]) -> list[Place]:
    """The corners of a line along the ends of bars, without those at which it does not turn."""
    corners: list[Place] = []
    for (begin, end), height in zip(bars, heights, strict=True):
        if len(corners) >= 2 and corners[-1][1] == height:
            corners[-1] = (end, height)
        else:
            corners += [(begin, height), (end, height)]
    return corners
