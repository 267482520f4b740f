"""Values over time in one line of letters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

BLOCKS: Final = "▁▂▃▄▅▆▇█"
PLAIN: Final = "_.-=+*%#"
"""For terminals that have no other letters than those of ASCII."""


def sparkline(values: Sequence[float | None], *, levels: str = BLOCKS) -> str:
    """A letter for each value, from zero to the highest; a blank where there is none.

    Args:
        values: In the order of time.
        levels: The letters, from low to high.
    """
    highest = max((value for value in values if value is not None), default=0.0)
    return "".join(" " if value is None else levels[_level(value, highest, len(levels))] for value in values)


def _level(value: float, highest: float, levels: int) -> int:
    if highest <= 0:
        return 0
    return min(levels - 1, int(max(0.0, value) / highest * levels))
