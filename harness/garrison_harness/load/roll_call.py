"""Which workers are there, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def absent(came: Sequence[str], refused: Sequence[str], *, size: int, where: str) -> str:
    """Who has not come, in one line.

    Args:
        came: The machines of those who have.
        refused: Who was sent away, and why.
        size: How many were to come.
        where: Where to, and within what time.
    """
    names = f" ({', '.join(came)})" if came else ""
    others = "".join(f"; refused: {one}" for one in refused)
    return (
        f"{len(came)} of {size} workers came to {where}{names}{others}; start the others with"
        " garrison load --worker, or give them longer with --max-wait"
    )
