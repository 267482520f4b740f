"""Lines of text with a style for each part of them."""

from __future__ import annotations

import textwrap
from typing import Final

from garrison_harness.finding import printable

WIDTH: Final = 80
"""Columns of the report: what a terminal has, and the log of a job."""

_LABEL: Final = 12
_LONGEST: Final = 600

Row = list[tuple[str, str]]
"""Parts of one line, each with a style of rich; none for an empty line."""


def plain(row: Row) -> str:
    """The line without styles."""
    return "".join(text for text, _ in row)


def labelled(label: str, text: str, style: str = "") -> list[Row]:
    """A line of the summary, which goes on under its own text.

    Args:
        label: What it is about, at most nine letters.
        text: One line, which may hold what the target said.
        style: That of the text.
    """
    first, *others = wrapped(text, indent=_LABEL)
    return [[(f"  {label:<10}", "dim"), (first.lstrip(), style)], *([(line, style)] for line in others)]


def further(text: str, style: str = "") -> list[Row]:
    """A line that belongs to the labelled one above."""
    return [[(line, style)] for line in wrapped(text, indent=_LABEL, hanging=2)]


def wrapped(text: str, *, indent: int = 0, hanging: int = 0) -> list[str]:
    """The text in lines of the report's width, at least one.

    Args:
        text: One line, which may hold what the target said.
        indent: Blanks before each line.
        hanging: Blanks before each line but the first, beside those.
    """
    lines = textwrap.wrap(
        printable(text, _LONGEST),
        width=WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hanging),
        # No path is broken at its hyphens.
        break_on_hyphens=False,
    )
    return lines or [" " * indent]


def fitted(text: str, width: int) -> str:
    """The text in so many columns, shortened where it is longer."""
    text = printable(text, width)
    return f"{text:<{width}}"
